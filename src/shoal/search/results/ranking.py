"""Which candidates are best: the mean of their members' scores over folds and repeats, with its standard error."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Standing:
    """How one candidate did.

    `members` are the positions of its members, in the order in which they came; `score` is the mean of their
    scores, lower is better, infinite if one of them diverged or was not trained; `error` is its standard error,
    NaN for a single member.
    """

    candidate: int
    members: tuple[int, ...]
    score: float
    error: float


def rank_candidates(candidates: Sequence[int], scores: Sequence[float], members_each: int = 1) -> list[Standing]:
    """Return the candidates, best first.

    Args:
        candidates: the candidate of each member.
        scores: the score of each member, lower is better; infinite or NaN if it diverged.
        members_each: members that a candidate has when all of them are trained: folds × repeats.

    Example:
        >>> [(s.candidate, s.score, s.error) for s in rank_candidates([0, 0, 1, 1], [2.0, 4.0, 1.0, 3.0], 2)]
        [(1, 2.0, 1.0), (0, 3.0, 1.0)]
    """
    places: dict[int, list[int]] = {}
    for place, candidate in enumerate(candidates):
        places.setdefault(candidate, []).append(place)
    standings = [_standing(candidate, members, scores, members_each) for candidate, members in places.items()]
    return sorted(standings, key=lambda s: (s.score, s.candidate))


def _standing(candidate: int, places: list[int], scores: Sequence[float], members_each: int) -> Standing:
    losses = np.asarray([scores[place] for place in places], np.float64)
    if len(losses) < members_each or not np.isfinite(losses).all():
        # the mean over the folds that went well would flatter a candidate that fails on the others
        return Standing(candidate, tuple(places), float("inf"), float("nan"))
    # a lower bound where there are folds: their members share training rows, so that their scores are correlated
    error = float(losses.std(ddof=1) / np.sqrt(len(losses))) if len(losses) > 1 else float("nan")
    return Standing(candidate, tuple(places), float(losses.mean()), error)


WITHIN = 0.05
"""Share by which the smallest bottleneck may be worse than the best one."""


def choose_bottleneck(standings: Sequence[Standing], sizes: Mapping[int, int]) -> list[Standing]:
    """Return the candidates of the smallest bottleneck that is good enough, best first.

    A wider bottleneck all but always reconstructs better, so that the best score alone would choose the widest. Of
    each size the best candidate counts; the smallest size whose best score is at most 5 % worse than that of the best
    size is taken.

    Args:
        standings: as `rank_candidates` returned them.
        sizes: the bottleneck of each candidate.

    Example:
        >>> ranked = rank_candidates([0, 1, 2, 3], [0.31, 0.208, 0.2, 0.5])
        >>> [s.candidate for s in choose_bottleneck(ranked, {0: 2, 1: 4, 2: 8, 3: 4})]
        [1, 3]
    """
    best = best_by_bottleneck(standings, sizes)
    if not best:
        return list(standings)
    chosen = min(size for size, score in best.items() if score <= (1.0 + WITHIN) * min(best.values()))
    return [standing for standing in standings if sizes[standing.candidate] == chosen]


def best_by_bottleneck(standings: Sequence[Standing], sizes: Mapping[int, int]) -> dict[int, float]:
    """Return the best finite score of each bottleneck, by size from the smallest."""
    best: dict[int, float] = {}
    for standing in standings:
        if np.isfinite(standing.score):
            size = sizes[standing.candidate]
            best[size] = min(standing.score, best.get(size, np.inf))
    return dict(sorted(best.items()))


MOST_KEPT = 8
"""Candidates that make an ensemble at most, unless the user says otherwise."""


def choose_candidates(standings: Sequence[Standing], keep: int | None) -> list[Standing]:
    """Return the candidates to keep, best first.

    By default at most 8 and at most half of those of which no member diverged. Scores are cross-fitted: rows that
    stopped a member did not judge it.

    Args:
        standings: as `rank_candidates` returned them.
        keep: how many at most; None for the default.

    Example:
        >>> ranked = rank_candidates([0, 1, 2, 3], [0.3, 0.1, float("inf"), 0.2])
        >>> [standing.candidate for standing in choose_candidates(ranked, None)]
        [1, 3]
    """
    sound = [standing for standing in standings if np.isfinite(standing.score)]
    return sound[: keep if keep is not None else min(MOST_KEPT, (len(sound) + 1) // 2)]
