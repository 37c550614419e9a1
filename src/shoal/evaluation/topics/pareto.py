"""Score against number of parameters."""

from __future__ import annotations

from typing import Any

from shoal.evaluation.evaluation import Evaluation
from shoal.evaluation.record import Record
from shoal.evaluation.topics.base import Topic
from shoal.evaluation.topics.candidates import Candidates
from shoal.results import Task
from shoal.search.results.optimism import Counts
from shoal.search.results.pareto import Front, find_front


def measure(evaluation: Evaluation) -> Front | None:
    """Return the front; None where candidates cannot be compared, or the widths of their codes differ."""
    optimism = evaluation.record(Counts)
    if optimism is None or evaluation.task is Task.RECONSTRUCTION:
        return None
    return front_of(evaluation[Candidates], optimism.noise)


def front_of(candidates: Candidates, noise: float) -> Front | None:
    """Return the front of candidates whose scores have a standard error of `noise` beside the others."""
    tried = candidates.ranked
    return find_front([c.id for c in tried], [c.parameters for c in tried], [c.score for c in tried], noise)


def numbers(front: Front, record: Record) -> dict[str, Any]:  # noqa: ARG001
    """Return the best candidate of each size, and the smallest that is as good as the best."""
    return {"search": {"front": front.as_dict()}}


TOPIC = Topic(34, Front, measure, numbers, absent={"search": {"front": None}}, opens_test_rows=False)
