"""Residuals of the test rows against the prediction."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shoal.codec import stored
from shoal.evaluation.record import Record
from shoal.report.figures.canvas import Figure
from shoal.report.figures.style import DASHED, VERMILION, limits, name_text, stacked
from shoal.report.figures.tabular import Columns, of, side_by_side
from shoal.report.figures.targets import DrawnTargets, scatter, some_of, target_rows
from shoal.report.words import count, label

PLACE = 110


@stored("figure.residuals")
@dataclass(frozen=True)
class Residuals:
    """The numbers of the figure: the rows of each target, and the running median of their residuals.

    `medians[i]` is `(2, groups)`: mean prediction and median residual of groups of equal size, of all `rows`.
    """

    panels: tuple[DrawnTargets, ...]
    medians: tuple[np.ndarray, ...]
    rows: int = 0

    def table(self) -> Columns:
        """Return the numbers, one row for each test row or step that is drawn; beside them the running medians."""
        parts = []
        for one, median in zip(self.panels, self.medians, strict=True):
            names = ("predicted", "residual", "predicted_mean_of_group", "residual_median_of_group")
            values = (one.mean, one.residual, *median)
            parts.append({of(one.name, n, one.measured_in): v for n, v in zip(names, values, strict=True) if len(v)})
        weights = self.panels[0].weights
        return side_by_side([*parts, *([] if weights is None else [{"weight": weights}])])

    @property
    def alt(self) -> str:
        rows = count(self.rows or len(self.panels[0].truth), f"test {self.panels[0].unit}")
        names = " and ".join(p.name for p in self.panels)
        return f"True minus predicted {names} against the prediction for {rows}."

    @property
    def caption(self) -> str:
        line = " The line is their median in groups of equal size." if self.medians[0].size else ""
        few = some_of(self.panels[0], self.rows or len(self.panels[0].mean), "Points are drawn for")
        return (
            f"True minus predicted value against the prediction.{line} A bend or a fan here is "
            f"something that the networks have not learned, or noise that is not the same everywhere.{few}"
        )


def numbers(record: Record) -> Residuals | None:
    """Return the numbers of the figure, or None in classification."""
    panels = target_rows(record)
    if not panels:
        return None
    medians = tuple(running_median(p.mean, p.residual) for p in panels)
    return Residuals(tuple(panel.evenly() for panel in panels), medians, len(panels[0].truth))


def running_median(x: np.ndarray, y: np.ndarray, least: int = 20) -> np.ndarray:
    """Return mean `x` and median `y` of up to 12 groups along `x`; none under three groups of `least` rows.

    >>> running_median(np.arange(60.0), np.ones(60)).tolist()
    [[9.5, 29.5, 49.5], [1.0, 1.0, 1.0]]
    """
    groups = min(len(x) // least, 12)
    if groups < 3:
        return np.zeros((2, 0))
    parts = np.array_split(np.argsort(x, kind="stable"), groups)
    return np.array([[x[p].mean() for p in parts], [np.median(y[p]) for p in parts]])


def draw(shown: Residuals) -> Figure:
    """Draw one panel per target, below each other."""
    figure, places = stacked(len(shown.panels), 2.5, titles=len(shown.panels) > 1)
    for rows, median, axes in zip(shown.panels, shown.medians, places, strict=True):
        name = name_text(rows.title, 30)
        axes.axhline(0, **DASHED, zorder=3)
        scatter(axes, rows.mean, rows.residual, rows.weights)
        if median.size:
            axes.plot(*median, color=VERMILION, lw=1.4, zorder=4)
        axes.set(xlim=limits(rows.mean, log=False), ylim=limits(rows.residual, log=False))
        axes.set_xlabel(f"predicted {name}")
        axes.set_ylabel(label("true − predicted", name_text(rows.measured_in, 16)))
        if len(shown.panels) > 1:
            axes.set_title(name)
    return figure
