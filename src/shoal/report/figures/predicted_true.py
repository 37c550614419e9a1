"""Predicted against true values of the test rows, with error bars."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shoal.codec import stored
from shoal.evaluation.record import Record
from shoal.evaluation.topics.error_bars import level_of
from shoal.report.figures.canvas import Axes, Figure
from shoal.report.figures.style import BLUE, DASHED, bars, limits, name_text, stacked
from shoal.report.figures.tabular import Columns, side_by_side
from shoal.report.figures.targets import DrawnTargets, rows_with_bars, scatter, some_of, target_rows
from shoal.report.words import count, percent

PLACE = 100


@stored("figure.predicted_true")
@dataclass(frozen=True)
class PredictedTrue:
    """The numbers of the figure: one panel per target, of `rows` test rows in all."""

    panels: tuple[DrawnTargets, ...]
    level: float = 0.95
    rows: int = 0

    def table(self) -> Columns:
        return side_by_side([panel.table() for panel in self.panels])

    @property
    def alt(self) -> str:
        rows = count(self.rows or len(self.panels[0].truth), f"test {self.panels[0].unit}")
        return f"Predicted against true {' and '.join(p.name for p in self.panels)} for {rows}."

    @property
    def caption(self) -> str:
        panel = self.panels[0]
        drawn, rows = len(rows_with_bars(panel)), self.rows or len(panel.mean)
        some = "" if drawn == len(panel.mean) else f", shown for {drawn} of {rows:,} {panel.unit}s"
        intervals = f"bars are {percent(self.level)} intervals{some}"
        few = some_of(panel, rows, "Points are drawn for")
        return f"Each point is a test {panel.unit}; {intervals}. On the dashed line prediction and truth agree.{few}"


def numbers(record: Record) -> PredictedTrue | None:
    """Return the numbers of the figure, or None in classification."""
    panels = target_rows(record)
    if not panels:
        return None
    return PredictedTrue(tuple(panel.evenly() for panel in panels), level_of(record), len(panels[0].truth))


def draw(shown: PredictedTrue) -> Figure:
    """Draw one panel per target, below each other."""
    figure, axes = stacked(len(shown.panels), 2.5, titles=len(shown.panels) > 1)
    for panel, place in zip(shown.panels, axes, strict=True):
        _panel(place, panel, title=len(shown.panels) > 1)
    return figure


def _panel(axes: Axes, rows: DrawnTargets, title: bool) -> None:
    name = name_text(rows.title, 30)
    few = rows_with_bars(rows)
    span = limits(np.concatenate([rows.truth, rows.mean]), log=False)
    axes.plot(span, span, **DASHED, zorder=3)
    alpha = 0.45 if len(few) <= 100 else 0.3
    axes.plot(*bars(rows.truth[few], rows.low[few], rows.high[few]), color=BLUE, lw=0.7, alpha=alpha)
    scatter(axes, rows.truth, rows.mean, rows.weights)
    ends = np.concatenate([rows.mean, rows.low[few], rows.high[few], rows.truth])
    axes.set(xlim=span, ylim=limits(ends, log=False))
    axes.set(xlabel=f"true {name}", ylabel="predicted" if title else f"predicted {name}")
    if title:
        axes.set_title(name)
