"""How much the best of the candidates flatters."""

from __future__ import annotations

from typing import Any

from shoal.evaluation.evaluation import Evaluation
from shoal.evaluation.record import Record
from shoal.evaluation.topics.base import Topic
from shoal.search.results.optimism import Optimism, estimate_optimism


def measure(evaluation: Evaluation) -> Optimism | None:
    """Return what was looked at and how much the best score flatters; None for few candidates."""
    members = evaluation.fitted.members
    return estimate_optimism([m.member.candidate for m in members], [m.parts for m in members])


def numbers(record: Record) -> dict[str, Any]:
    """Return by how much the best score flatters."""
    return {"search": {"best_of_n_bias": record[Optimism].as_dict()}}


TOPIC = Topic(32, Optimism, measure, numbers, absent={"search": {"best_of_n_bias": None}}, opens_test_rows=False)
