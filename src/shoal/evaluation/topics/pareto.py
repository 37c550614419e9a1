"""Score against number of parameters."""

from __future__ import annotations

from typing import Any

from shoal.evaluation.evaluation import Evaluation
from shoal.evaluation.record import Record
from shoal.evaluation.topics.base import Topic
from shoal.evaluation.topics.candidates import Candidates
from shoal.results import Task
from shoal.search.results.optimism import Optimism
from shoal.search.results.pareto import ParetoFront, pareto_front


def measure(evaluation: Evaluation) -> ParetoFront | None:
    """Return the front; None where candidates cannot be compared, or the widths of their codes differ."""
    optimism = evaluation.record(Optimism)
    if optimism is None or evaluation.task is Task.RECONSTRUCTION:
        return None
    return front_of(evaluation[Candidates], optimism.noise)


def front_of(candidates: Candidates, noise: float) -> ParetoFront | None:
    """Return the front of candidates whose scores have a standard error of `noise` beside the others."""
    tried = candidates.ranked
    return pareto_front([c.id for c in tried], [c.parameters for c in tried], [c.score for c in tried], noise)


def numbers(record: Record) -> dict[str, Any]:
    """Return the best candidate of each size, and the smallest that is as good as the best."""
    return {"search": {"front": record[ParetoFront].as_dict()}}


TOPIC = Topic(34, ParetoFront, measure, numbers, absent={"search": {"front": None}}, opens_test_rows=False)
