"""A model of the score: a random forest learns it from the hyperparameters, and proposes where it expects improvement.

A quarter is drawn at random, 32 at most. For each later round a forest (SMAC: Hutter, Hoos and Leyton-Brown, LION 5,
2011) learns the ranks of the scores so far, turned into quantiles of a normal distribution, so that one score that is
far off, or infinite, does not bend it. With mean m and scatter s of what its trees say of a point, and b the best so
far, the point's expected improvement is EI = (b - m) Φ(z) + s φ(z), z = (b - m) / s. A round asks for several
candidates at once: for each place the highest EI of points of its own, a part of them drawn and a part near the best,
so that candidates of one round differ. Every fourth place is drawn at random, lest the model believe itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from shoal.search.space import NAMED, Space, changing
from shoal.search.strategy import Outcome, Proposal, Search
from shoal.streams import Stream
from shoal.training.hyperparameters import Hyperparameters

FIRST, LATER = 32, 16
"""Candidates of the first round and of each later one, at most."""
TREES, LEAF = 50, 2
"""Of the forest: how many, and how many candidates a leaf holds at least."""
POINTS = 64
"""Points that are looked at for each place of a round, half of them near one of the best."""
BEST, REACH = 8, 0.2
"""How many of the best have points near them, and how near, as a share of the limits."""
DRAWN = 4
"""One in so many places of a round is drawn at random."""
APART = 1 << 19
"""Numbers of points that are only looked at, far from those of candidates."""


def propose(search: Search, outcomes: Sequence[Outcome]) -> list[Proposal]:
    """Return the candidates of the next round."""
    first, later = min(FIRST, -(-search.count // 4)), min(LATER, -(-search.count // 8))
    start = len(outcomes)
    if not search.space.varies:
        return [Proposal(candidate) for candidate in search.drawn(start, search.count)]
    if start < first:
        return [Proposal(candidate) for candidate in search.drawn(start, first)]
    end = min(start + later, search.count)
    if start == end or not any(np.isfinite(outcome.score) for outcome in outcomes):
        return [Proposal(candidate) for candidate in search.drawn(start, end)]
    return _round(search, outcomes, start, end)


def _round(search: Search, outcomes: Sequence[Outcome], start: int, end: int) -> list[Proposal]:
    """Return a candidate for each place from `start` to `end`."""
    ranked = sorted(outcomes, key=lambda outcome: (outcome.score, outcome.number))
    best = [outcome.proposal.hyperparameters for outcome in ranked[:BEST] if np.isfinite(outcome.score)]
    drawn = [place % DRAWN == 0 for place in range(start, end)]
    points = [[] if is_drawn else _points(search, best, place) for place, is_drawn in enumerate(drawn, start)]
    looked_at = [point for of_place in points for point in of_place]
    gains = _expected_improvement(search.space, ranked, looked_at, search.seed) if looked_at else np.zeros(0)
    proposals, at = [], 0
    for place, of_place in enumerate(points, start):
        if of_place:
            taken = int(np.argmax(gains[at : at + len(of_place)]))
            proposals.append(Proposal(of_place[taken]))
            at += len(of_place)
        else:
            proposals += [Proposal(candidate) for candidate in search.drawn(place, place + 1)]
    return proposals


def _points(search: Search, best: Sequence[Hyperparameters], place: int) -> list[Hyperparameters]:
    """Return the points that are looked at for one place: half drawn, half near one of the best."""
    start, half = APART + place * POINTS, POINTS // 2
    drawn = [search.space.candidate(search.seed, number) for number in range(start, start + half)]
    return drawn + [_near(search, best, number) for number in range(start + half, start + POINTS)]


def _near(search: Search, best: Sequence[Hyperparameters], number: int) -> Hyperparameters:
    """Return a point with some hyperparameters of one of the best moved a little."""
    stream = Stream(search.seed, NAMED, number)
    around = best[stream.integer(len(best))]
    values: dict[str, Any] = {}
    moving = search.space.named_parts or search.space.varied
    for name, part in moving.items():
        moves, *point = (float(u) for u in stream.uniform((1 + part.dimensions,)))
        if moves < max(0.25, 1.0 / len(moving)):
            values[name] = part.near(getattr(around, name), REACH, point)
    return changing(around, values)


def _expected_improvement(
    space: Space, ranked: Sequence[Outcome], points: Sequence[Hyperparameters], seed: int
) -> np.ndarray:
    """Return the expected improvement of points, `(points,)`, by a forest that learned the outcomes, best first."""
    from scipy.special import ndtr, ndtri
    from sklearn.ensemble import RandomForestRegressor

    scores = np.asarray([outcome.score for outcome in ranked])
    _, group, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - 0.5 * (counts + 1))[group]  # equal scores share their mean rank
    y = ndtri((ranks + 0.5) / len(ranked))
    forest = RandomForestRegressor(TREES, min_samples_leaf=LEAF, max_features=0.5, random_state=seed % (1 << 32))
    tried = [outcome.proposal.hyperparameters for outcome in ranked]
    x = _features(space, [*tried, *points])
    forest.fit(x[: len(tried)], y)
    x = x[len(tried) :]
    said = np.stack([tree.predict(x) for tree in forest.estimators_])
    mean, scatter = said.mean(axis=0), np.maximum(said.std(axis=0), 1e-9)
    z = (y[0] - mean) / scatter
    return np.asarray((y[0] - mean) * ndtr(z) + scatter * np.exp(-0.5 * z * z) / np.sqrt(2.0 * np.pi))


def _features(space: Space, candidates: Sequence[Hyperparameters]) -> np.ndarray:
    """Return candidates as numbers, `(candidates, features)`: numbers as they are, for trees split by order alone.

    Words and texts have a column for each value that they may have; widths are their number, smallest and largest.
    """
    columns: list[list[float]] = []
    for name in space.varied:
        values = [getattr(candidate, name) for candidate in candidates]
        if name == "hidden":
            columns += [[float(end(value or (0,))) for value in values] for end in (len, min, max)]
        elif isinstance(values[0], int | float):
            columns.append([float(value) for value in values])
        else:
            columns += [[float(value == each) for value in values] for each in sorted(set(values))]
    return np.asarray(columns).T
