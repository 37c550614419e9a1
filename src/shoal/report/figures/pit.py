"""Probability integral transforms: where test values lie in the distributions that were predicted for them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shoal.codec import stored
from shoal.evaluation.record import Record
from shoal.evaluation.topics.error_bars import ErrorBars
from shoal.evaluation.topics.predictions import PredictedTestRows
from shoal.report.figures.canvas import Figure
from shoal.report.figures.pulls import density
from shoal.report.figures.style import BLUE, DASHED, MUTED, name_text, stacked
from shoal.report.figures.tabular import Columns, of, side_by_side
from shoal.report.figures.targets import MOST_TARGETS
from shoal.statistics.weighted import effective_number

PLACE = 125


@stored("figure.pit")
@dataclass(frozen=True)
class Pit:
    """The numbers of the figure: `densities[i]` is the histogram of target i, whose area is one.

    `half` is the half width of the band that holds 95 % of the bins of a flat histogram of as many rows.
    """

    names: tuple[str, ...]
    edges: np.ndarray
    densities: tuple[np.ndarray, ...]
    half: float

    def table(self) -> Columns:
        bins = {"pit_low": self.edges[:-1], "pit_high": self.edges[1:]}
        named = [{of(name, "density"): values} for name, values in zip(self.names, self.densities, strict=True)]
        return side_by_side([bins, *named])

    @property
    def alt(self) -> str:
        return f"Histogram of the probability integral transform of {' and '.join(self.names)}."

    @property
    def caption(self) -> str:
        return (
            "Probability that the predicted distribution gave to values below the true one (probability integral "
            "transform, PIT): flat where distributions are right, a hump where they are too wide, a valley where "
            "they are too narrow, a slope where they lie too high or too low. The band holds 95 % of the bins of a "
            "flat one, if test values are independent."
        )


def numbers(record: Record) -> Pit | None:
    """Return the numbers of the figure, or None where no density is predicted."""
    error_bars, rows = record.get(ErrorBars), record.get(PredictedTestRows)
    if error_bars is None or error_bars.pit is None or rows is None:
        return None
    count = len(error_bars.pit) if rows.weights is None else effective_number(rows.weights)
    if not count >= 1.0 or not np.isfinite(error_bars.pit).all():
        return None
    bins = int(np.clip(count / 20.0, 4, 20))
    edges = np.linspace(0.0, 1.0, bins + 1)
    densities = tuple(density(each, rows.weights, edges) for each in error_bars.pit.T[:MOST_TARGETS])
    return Pit(tuple(error_bars.crps)[:MOST_TARGETS], edges, densities, 1.96 * float(np.sqrt((bins - 1) / count)))


def draw(shown: Pit) -> Figure:
    """Draw one histogram per target, below each other."""
    figure, places = stacked(len(shown.names), 2.5, titles=len(shown.names) > 1)
    for name, heights, axes in zip(shown.names, shown.densities, places, strict=True):
        axes.axhspan(max(1.0 - shown.half, 0.0), 1.0 + shown.half, color=MUTED, alpha=0.2, lw=0)
        axes.axhline(1.0, **DASHED)
        axes.stairs(heights, shown.edges, fill=True, color=BLUE, alpha=0.3, lw=0)
        axes.stairs(heights, shown.edges, color=BLUE, lw=1.0)
        axes.set_xlim(0.0, 1.0)
        axes.set_ylim(min(heights.min() * 1.1, 0.0), max(heights.max(), 1.0 + shown.half) * 1.1)
        axes.set(xlabel="predicted probability of smaller values", ylabel="density")
        if len(shown.names) > 1:
            axes.set_title(name_text(name, 30))
    return figure
