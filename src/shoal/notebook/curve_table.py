"""The validation curves of many networks, as they grow, and what of them is drawn."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

MOST_CURVES = 1000
MOST_NUMBERS = 64_000  # of one picture, so that ten a second are no load
MOST_POINTS = 256  # of a curve, more than can be told apart


class BestSoFar(NamedTuple):
    """The lowest loss: of which network, after which epoch, and in which curve of the picture."""

    network: int
    epoch: int
    loss: float
    curve: int


class Picture(NamedTuple):
    """What is drawn.

    Attributes:
        epochs: `(points,)`, those of which the curves hold the losses.
        losses: `(curves, points)` float32, NaN where a network has not come or has stopped.
        best: the lowest loss of all epochs and networks, None before there is one.
        reached: the last epoch of any network.
    """

    epochs: np.ndarray
    losses: np.ndarray
    best: BestSoFar | None
    reached: int


class CurveTable:
    """Curves to which pieces are added.

    Example:
        >>> table = CurveTable()
        >>> table.add(7, 0, np.array([0.9, 0.5]))
        >>> table.add(7, 2, np.array([0.6]))
        >>> table.picture().best
        BestSoFar(network=7, epoch=2, loss=0.5, curve=0)
    """

    def __init__(self) -> None:
        self._losses = np.full((64, 64), np.nan, np.float32)
        self._rows: dict[int, int] = {}
        self._reached = 0
        self._best = BestSoFar(0, 0, float("inf"), 0)

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, network: int, before: int, losses: np.ndarray) -> None:
        """Add the losses of a network after the epoch `before`."""
        row, end = self._rows.setdefault(network, len(self._rows)), before + len(losses)
        rows, epochs = self._losses.shape
        if row >= rows or end > epochs:
            wider = np.full((max(rows, 2 * row), max(epochs, 2 * end)), np.nan, np.float32)
            wider[:rows, :epochs] = self._losses
            self._losses = wider
        self._losses[row, before:end] = losses
        self._reached = max(self._reached, end)
        finite = np.where(np.isfinite(losses), losses, np.inf)
        if finite.size and finite.min() < self._best.loss:
            place = int(finite.argmin())
            self._best = BestSoFar(network, before + place + 1, float(finite[place]), row)

    def picture(self) -> Picture:
        """Return what is drawn: all curves, or some of very many with the best; all epochs, or some of many."""
        count = len(self._rows)
        known = bool(np.isfinite(self._best.loss))
        rows = np.arange(0, count, max(1, -(-count // MOST_CURVES)))
        if known and self._best.curve not in rows:
            rows = np.append(rows, self._best.curve)
        most = max(2, min(MOST_POINTS, MOST_NUMBERS // max(1, len(rows))))
        step = 1
        while self._reached > most * step:
            step *= 2
        epochs = np.arange(step, self._reached + 1, step)
        if step > 1:
            epochs = np.append(1, epochs)
        losses = self._losses[np.ix_(rows, epochs - 1)]
        best = self._best._replace(curve=int(np.flatnonzero(rows == self._best.curve)[0])) if known else None
        return Picture(epochs, losses, best, self._reached)
