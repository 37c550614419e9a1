"""Rungs of a search that halves: epochs after which candidates are compared, and only the best of them train on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from shoal.results import Status
from shoal.training.member import Member, cross_fitted

SHARE = 3
"""One in so many candidates goes on from each rung, as in Hyperband (Li and others, JMLR 18, 185, 2018)."""
FINALISTS = 8
"""So many go on at least, as many as make an ensemble."""


def score_at(half_losses: np.ndarray, status: Status, epochs: int) -> float:
    """Return the score of a member as it was after so many epochs, though it may have trained on since.

    Args:
        half_losses: all that it has, `(epochs, 2)`.
        status: how it stands after all of them.
        epochs: of the rung.
    """
    then = status if len(half_losses) <= epochs else Status.RUNNING
    return float(np.mean(cross_fitted(half_losses[:epochs], then)))


def weak_candidates(scores: Mapping[int, Sequence[float]]) -> set[int]:
    """Return the candidates that do not go on from a rung, by the mean of their members' scores there.

    Of equal ones those that were proposed first go on. The answer depends on the scores alone, neither on the order in
    which members trained nor on how many at a time.

    Args:
        scores: of the members of each candidate, lower is better.

    Example:
        >>> sorted(weak_candidates({number: [abs(number - 20.0)] for number in range(30)}))[:5]
        [0, 1, 2, 3, 4]
    """
    ranked = sorted(scores, key=lambda candidate: (float(np.mean(scores[candidate])), candidate))
    return set(ranked[going_on(len(ranked)) :])


def going_on(candidates: int) -> int:
    """Return how many of so many candidates go on from a rung.

    Example:
        >>> going_on(64), going_on(22), going_on(5)
        (22, 8, 5)
    """
    return min(candidates, max(FINALISTS, -(-candidates // SHARE)))


def rungs_to_finalists(candidates: int) -> int:
    """Return after how many rungs no more than the finalists of so many candidates are left.

    Example:
        >>> rungs_to_finalists(8), rungs_to_finalists(24), rungs_to_finalists(64), rungs_to_finalists(256)
        (0, 1, 2, 4)
    """
    rungs = 0
    while (left := going_on(candidates)) < candidates:
        candidates, rungs = left, rungs + 1
    return rungs


def most_epochs(members: Sequence[Member], rungs: Sequence[int]) -> int:
    """Return the epochs of all members together if none stops before a rung lets it go.

    Example:
        >>> from shoal.training.hyperparameters import Hyperparameters
        >>> most_epochs([Member(n, Hyperparameters(epochs=90)) for n in range(30)], (10, 30))
        980
    """
    each = sorted(member.hyperparameters.epochs for member in members)
    candidates = len({member.candidate for member in members})
    total, before = 0, 0
    for rung in (*rungs, max(each, default=0)):
        share = candidates / max(1, len({member.candidate for member in members}))
        total += round(share * sum(max(0, min(epochs, rung) - before) for epochs in each))
        candidates, before = going_on(candidates), rung
    return total
