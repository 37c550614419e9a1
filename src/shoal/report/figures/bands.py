"""Curves of a whole population: quantiles over the networks at each epoch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from shoal.codec import stored
from shoal.report.figures.canvas import Axes
from shoal.report.figures.style import INK, broken_lines
from shoal.report.figures.tabular import Columns

QUANTILES = (0.10, 0.25, 0.50, 0.75, 0.90)
NAMES = ("q10", "q25", "median", "q75", "q90")
MOST_POINTS = 160


@stored("figure.bands")
@dataclass(frozen=True)
class Bands:
    """Quantiles of a curve over the networks that were still in training.

    `epochs` (points,) counts from 1; `quantiles` (5, points) at 10, 25, 50, 75 and 90 %;
    `networks` (points,) is how many networks each point stands for; `kept` (kept, points) are the
    curves of the kept networks.
    """

    epochs: np.ndarray
    quantiles: np.ndarray
    networks: np.ndarray
    kept: np.ndarray

    def table(self, name: str, ids: tuple[int, ...], epochs: np.ndarray) -> Columns:
        """Return quantiles and the curves of the kept networks at some epochs, NaN where there is nothing.

        Args:
            name: of the curve, e.g. `train_loss`.
            ids: the numbers of the kept networks.
            epochs: counted from 1.
        """
        rows = {f"{name}_{part}": values for part, values in zip(NAMES, self.quantiles, strict=True)}
        rows |= {f"{name}_network_{i}": values for i, values in zip(ids, self.kept, strict=False)}
        place = {epoch: i for i, epoch in enumerate(self.epochs.tolist())}
        at = np.array([place.get(epoch, -1) for epoch in epochs.tolist()], int)
        return {key: np.append(values, np.nan)[at] for key, values in rows.items()}

    @property
    def reliable(self) -> int:
        """How many points, from the left, stand for a tenth of the networks at least: the bands end there."""
        enough = self.networks >= 0.1 * self.networks.max(initial=0)
        return len(enough) if enough.all() else int(enough.argmin())

    @property
    def drawn(self) -> np.ndarray:
        """All numbers that are drawn."""
        return np.append(self.quantiles[:, : self.reliable], self.kept)

    @property
    def median(self) -> np.ndarray:
        """The middle of the population at each epoch."""
        return self.quantiles[2]


def bands(curves: np.ndarray, kept: list[int]) -> Bands:
    """Return the bands of curves `(networks, epochs)`, which are NaN where a network did not train.

    Long curves are thinned to 160 epochs, first and last included.

    Example:
        >>> b = bands(np.array([[3.0, 2.0], [5.0, np.nan]]), [0])
        >>> b.median.tolist(), b.networks.tolist()
        ([4.0, 2.0], [2, 1])
    """
    curves = np.asarray(curves, dtype=float)
    curves = np.where(np.isfinite(curves), curves, np.nan)
    trained = np.flatnonzero(np.isfinite(curves).any(axis=0)) if curves.size else np.array([], dtype=int)
    length = int(trained[-1]) + 1 if trained.size else 0
    points = np.unique(np.linspace(0, max(length - 1, 0), min(MOST_POINTS, length)).round().astype(int))
    thin = curves[:, points]
    networks = np.isfinite(thin).sum(axis=0)
    return Bands(points + 1, quantiles(thin), networks, thin[kept])


def quantiles(values: np.ndarray) -> np.ndarray:
    """Return the quantiles over axis 0 without the NaNs, NaN where there is nothing else.

    `np.nanquantile` does the same one column at a time, 100 times slower.
    """
    if not values.shape[0]:
        return np.full((len(QUANTILES), values.shape[1]), np.nan)
    ordered = np.sort(values, axis=0)  # NaNs go last
    last = np.maximum(np.isfinite(ordered).sum(axis=0) - 1, 0)
    columns = np.arange(values.shape[1])
    rows = []
    for q in QUANTILES:
        place = q * last
        below = np.floor(place).astype(int)
        above = np.minimum(below + 1, last)
        part = place - below
        rows.append(ordered[below, columns] * (1 - part) + ordered[above, columns] * part)
    return np.array(rows)


def draw_bands(axes: Axes, shown: Bands, colour: str) -> None:
    """Draw the two bands, the median and the kept networks; with a single network only its curve.

    One epoch is a point.
    """
    mark: dict[str, Any] = {"marker": "o", "ms": 3.5} if len(shown.epochs) == 1 else {}
    if shown.networks.max(initial=0) > 1:
        low, lower, median, upper, high = shown.quantiles[:, : shown.reliable]
        epochs = shown.epochs[: shown.reliable]
        axes.fill_between(epochs, low, high, color=colour, alpha=0.16, lw=0)
        axes.fill_between(epochs, lower, upper, color=colour, alpha=0.28, lw=0)
        axes.plot(epochs, median, color=colour, lw=1.6, **mark)
    elif not len(shown.kept):
        axes.plot(shown.epochs, shown.quantiles[2], color=colour, lw=1.6, **mark)
    if len(shown.kept):
        axes.plot(*broken_lines(shown.epochs, shown.kept), color=INK, lw=0.7, alpha=0.75, **mark)


def epoch_axis(axes: Axes, shown: Bands) -> None:
    """Set the limits and the label of the axis of epochs."""
    from matplotlib.ticker import MaxNLocator

    last = float(shown.epochs[-1]) if len(shown.epochs) else 1.0
    axes.set_xlim(1 if last > 1 else 0.5, last if last > 1 else 1.5)
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True, min_n_ticks=1))
    axes.set_xlabel("epoch")
