"""Whether a row lies outside the region of the training rows, where no ensemble widens its error bars enough.

How far a row is from the training rows is the mean distance to its nearest five among at most two thousand of them,
in the space of prepared features, each divided by its scatter (k-nearest-neighbour outlier scores; Ramaswamy, Rastogi
and Shim, SIGMOD 2000). A row is outside if that is more than the conformal quantile of the training rows' own
distances, each without itself (and without the rows of its group, since a new row comes from a new group): of new rows
of the same kind a share `rate` is called outside (Laxhammar and Falkman 2010). With fewer than `1 / rate - 1` training
rows the threshold is 1.5 times the largest distance.

Distances see features, not how much each matters for the target, and a combination of usual values that is
unusual only together is found the less surely the more features there are. The rule for other data: images and
series have no region, since distances between pixels say little, and neither have reconstructions, whose anomaly score
answers the same question.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from shoal.codec import ArrayRecord
from shoal.prediction.conformal import conformal_quantile
from shoal.resources import available_cores, one_blas_thread
from shoal.streams import Stream

NEIGHBOURS = 5
MOST_ROWS = 2000
MOST_NUMBERS = 400_000
"""Of the rows that are kept: less of them, at least 200, where each has many features."""
STEPS = (8, 4, 2, 1)
"""Of how many rows that are kept one is looked at: few first, all of them last."""
RATE = 0.01
REFERENCES = 8
"""The path of the stream that chooses the rows."""
AT_ONCE = 250_000
"""Distances held in memory at a time, by each core."""


@dataclass(frozen=True)
class Region(ArrayRecord):
    """Some training rows, and the distance from them beyond which a row is outside.

    Attributes:
        rows: `(references, features)` float32, prepared features less `centre`, divided by `scale`.
        centre, scale: `(features,)` mean and scatter of each feature over the training rows.
        threshold: the distance beyond which a row is outside.
        rate: the share of rows of the same kind as the training rows that lies beyond it, at most.
        neighbours: how many of the nearest rows the distance is taken over.
    """

    rows: np.ndarray
    centre: np.ndarray
    scale: np.ndarray
    threshold: float
    rate: float = RATE
    neighbours: int = NEIGHBOURS

    @classmethod
    def of(cls, x: np.ndarray, seed: int, groups: np.ndarray | None = None, rate: float = RATE) -> Region | None:
        """Return the region of prepared training rows; None where there are too few to have neighbours.

        Args:
            x: `(rows, features)`.
            seed: names the random numbers that choose the rows which are kept.
            groups: `(rows,)` numbers, or None.
            rate: the share of usual rows to be called outside.
        """
        most = min(MOST_ROWS, max(200, MOST_NUMBERS // max(x.shape[1], 1)))
        chosen = np.arange(len(x))
        if len(x) > most:
            chosen = np.sort(Stream(seed, REFERENCES).permutation(len(x))[:most])
        scale = x.std(axis=0, dtype=np.float64)
        scale = np.where(scale > 0, scale, 1.0).astype(np.float32)
        centre = x.mean(axis=0, dtype=np.float64).astype(np.float32)
        rows = np.ascontiguousarray((x[chosen] - centre) / scale, np.float32)
        group = np.arange(len(rows)) if groups is None else groups[chosen]
        neighbours = min(NEIGHBOURS, len(rows) - int(np.unique(group, return_counts=True)[1].max(initial=1)))
        if neighbours < 1:
            return None
        distances = _distances(rows, rows, neighbours, group)
        return cls(rows, centre, scale, float(conformal_quantile(distances[:, None], 1.0 - rate)[0]), rate, neighbours)

    def distance(self, x: np.ndarray) -> np.ndarray:
        """Return how far prepared rows are from the training rows, `(rows,)`, in units of the threshold."""
        return self._distance(self._scaled(x), self.rows)

    def outside(self, x: np.ndarray) -> np.ndarray:
        """Return whether prepared rows lie outside, `(rows,)` bool."""
        outside, scaled = np.ones(len(x), bool), self._scaled(x)
        for step in STEPS:  # near enough to some is near enough to all, which most rows are
            some = self.rows[::step]
            if step == 1 or len(some) >= self.neighbours:
                outside[outside] = self._distance(scaled[outside], some) > 1.0
        return outside

    def _scaled(self, x: np.ndarray) -> np.ndarray:
        return np.asarray((x - self.centre) / self.scale, np.float32)

    def _distance(self, scaled: np.ndarray, rows: np.ndarray) -> np.ndarray:
        return _distances(scaled, rows, self.neighbours) / max(self.threshold, 1e-6)


def _distances(x: np.ndarray, rows: np.ndarray, neighbours: int, group: np.ndarray | None = None) -> np.ndarray:
    """Return the mean distance to the nearest neighbours; with a `group` of each row, those of other groups."""
    distances, once = np.empty(len(x)), max(1, AT_ONCE // len(rows))
    ones = np.ones((len(x[:once]), 1), np.float32)
    across = np.hstack([-2.0 * rows, np.einsum("ij,ij->i", rows, rows)[:, None]]).T  # so that one product does the most

    def measure(start: int) -> None:
        some = x[start : start + once]
        squares = np.hstack([some, ones[: len(some)]]) @ across
        if group is not None:
            squares[group[start : start + once, None] == group] = np.inf
        squares.partition(neighbours - 1, axis=1)
        nearest = squares[:, :neighbours] + np.einsum("ij,ij->i", some, some)[:, None]
        distances[start : start + once] = np.sqrt(np.maximum(nearest, 0.0)).mean(axis=1)

    if len(x) <= once:
        measure(0)
        return distances
    with one_blas_thread(), ThreadPoolExecutor(available_cores()) as threads:
        list(threads.map(measure, range(0, len(x), once)))
    return distances
