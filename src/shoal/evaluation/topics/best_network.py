"""The best network of the ensemble."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shoal.evaluation.evaluation import Evaluation
from shoal.evaluation.topics.base import Topic
from shoal.networks import Network
from shoal.results import Task


@dataclass(frozen=True)
class BestMember:
    """The first kept member.

    `outputs` names the outputs of a network that predicts numbers; for others it is empty.
    """

    network: Network
    parameters: list[dict[str, np.ndarray]]
    outputs: tuple[str, ...] = ()


def measure(evaluation: Evaluation) -> BestMember:
    """Return the best network with its parameters."""
    fitted = evaluation.fitted
    best, head = fitted.members[fitted.kept[0]], fitted.predictor.head
    outputs = head.output_names(fitted.dataset.targets) if evaluation.task is Task.REGRESSION else ()
    return BestMember(best.network, [dict(layer) for layer in best.parameters], outputs)


TOPIC = Topic(38, BestMember, measure, opens_test_rows=False)
