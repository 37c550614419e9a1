"""Successive halving: many candidates train a little, the best third of them on, and so forth to the end.

It is the synchronous form (Jamieson and Talwalkar, AISTATS 2016) with the share of Hyperband. After each rung all are
compared, and places of those that are let go fall to others. The asynchronous form (Li and others, MLSys 2020) would
compare each with those that came before it, so that who goes on would depend on the number of cores.

Candidates are those that `random` draws with the same seed.
"""

from __future__ import annotations

from collections.abc import Sequence

from shoal.search.strategy import Outcome, Proposal, Search
from shoal.training.hyperparameters import Hyperparameters
from shoal.training.rungs import SHARE, rungs_to_finalists

RUNGS = 3
"""At most, as many as bring the candidates down to the last 8; each after three times the epochs of the one before."""
TOGETHER = 256
"""Candidates that are compared at most, since the states of all of them are kept; more come round by round."""


def propose(search: Search, outcomes: Sequence[Outcome]) -> list[Proposal]:
    """Return the candidates of the next round, with its rungs.

    Example:
        >>> from shoal.search.space import Fixed, LogUniform, Space
        >>> space = Space({"learning_rate": LogUniform(1e-4, 0.1), "epochs": Fixed(200), "patience": Fixed(33)})
        >>> proposed = propose(Search(space, count=40), ())
        >>> len(proposed), proposed[0].rungs
        (40, (11, 33))
    """
    drawn = search.drawn(len(outcomes), len(outcomes) + TOGETHER)
    rungs = rungs_of(drawn, min(RUNGS, rungs_to_finalists(len(drawn))))
    return [Proposal(candidate, rungs) for candidate in drawn]


def rungs_of(candidates: Sequence[Hyperparameters], number: int) -> tuple[int, ...]:
    """Return the epochs of so many rungs: the last after the patience, or after a third of the epochs if that is less.

    Few networks train to the end, and most stop soon after the patience, so that rungs after shares of all epochs would
    come when most is done.
    """
    longest = max((min(candidate.epochs // SHARE, candidate.patience) for candidate in candidates), default=0)
    rungs = (round(longest / SHARE**k) for k in range(number))
    return tuple(sorted({rung for rung in rungs if rung > 0}))
