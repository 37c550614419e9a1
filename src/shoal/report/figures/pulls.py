"""Pulls: residuals divided by their predicted standard deviation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shoal.codec import stored
from shoal.data.units import labelled
from shoal.evaluation.record import Record
from shoal.report.figures.canvas import Figure
from shoal.report.figures.style import BLUE, INK, name_text, stacked
from shoal.report.figures.tabular import Columns, of, side_by_side
from shoal.report.figures.targets import target_rows

PLACE = 120
EDGE = 4.5  # pulls beyond it are counted in the outermost bins


@stored("figure.pulls")
@dataclass(frozen=True)
class Pulls:
    """The numbers of the figure: `densities[i]` is the histogram of target i, whose area is one."""

    names: tuple[str, ...]
    edges: np.ndarray
    densities: tuple[np.ndarray, ...]

    def table(self) -> Columns:
        """Return the numbers, one row for each bin; the outermost hold all beyond."""
        bins = {"pull_low": self.edges[:-1], "pull_high": self.edges[1:]}
        named = [{of(name, "density"): values} for name, values in zip(self.names, self.densities, strict=True)]
        return side_by_side([bins, *named])

    @property
    def alt(self) -> str:
        return f"Histogram of the pulls of {' and '.join(self.names)} with the standard normal curve."

    @property
    def caption(self) -> str:
        return (
            "Residuals divided by their predicted standard deviation, with the standard normal curve. A "
            "narrower histogram means error bars that are too wide, a wider one bars that are too short. "
            "The outermost bins hold all beyond."
        )


def numbers(record: Record) -> Pulls | None:
    """Return the numbers of the figure, or None where predictions carry no standard deviation."""
    panels = target_rows(record)
    if not panels or not np.isfinite(panels[0].pull).any():
        return None
    bins = int(np.clip(2 * len(panels[0].pull) ** (1 / 3), 7, 36))
    edges = np.linspace(-EDGE, EDGE, bins + 1 - bins % 2 + 1)
    densities = tuple(density(p.pull, p.weights, edges) for p in panels)
    return Pulls(tuple(labelled(p.name, None) for p in panels), edges, densities)


def density(pulls: np.ndarray, weights: np.ndarray | None, edges: np.ndarray) -> np.ndarray:
    """Return the histogram of finite pulls, scaled to area one; negative weights count as such."""
    finite = np.isfinite(pulls)
    kept = np.clip(pulls[finite], edges[0], edges[-1])
    counts, _ = np.histogram(kept, edges, weights=None if weights is None else weights[finite])
    area = counts.sum() * (edges[1] - edges[0])
    return counts / area if area else counts.astype(float)


def draw(shown: Pulls) -> Figure:
    """Draw one histogram per target, below each other."""
    figure, places = stacked(len(shown.names), 2.5, titles=len(shown.names) > 1)
    x = np.linspace(-EDGE, EDGE, 121)
    for name, heights, axes in zip(shown.names, shown.densities, places, strict=True):
        axes.stairs(heights, shown.edges, fill=True, color=BLUE, alpha=0.3, lw=0)
        axes.stairs(heights, shown.edges, color=BLUE, lw=1.0)
        axes.plot(x, np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi), color=INK, lw=1.0)
        axes.set_xlim(-EDGE, EDGE)
        axes.set_ylim(min(heights.min() * 1.1, 0), max(heights.max(), 0.4) * 1.1)
        axes.set(xlabel="pull = (true − predicted) / std", ylabel="density")
        if len(shown.names) > 1:
            axes.set_title(name_text(name, 30))
    return figure
