"""The last test rows of a forecast: what came, what was predicted, and the last value again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shoal.codec import stored
from shoal.evaluation.record import Record
from shoal.evaluation.topics.data import DataRecord
from shoal.evaluation.topics.error_bars import level_of
from shoal.evaluation.topics.forecast import ForecastRows
from shoal.evaluation.topics.predictions import PredictedTestRows
from shoal.report.figures.canvas import Axes, Figure
from shoal.report.figures.style import BLUE, INK, MUTED, add_axes, limits, name_text, new_figure, wide
from shoal.report.figures.tabular import Columns, of
from shoal.report.words import count, percent

PLACE = 250


@stored("figure.forecast")
@dataclass(frozen=True)
class ForecastFigure:
    """The numbers of the figure, each `(rows,)` in the order of `times`; `dates` tells that times are days since 1970.

    `truth` is what came, `mean`, `low` and `high` what was predicted with its interval, `last` the last value
    that was known. `label` and `time_label` are the names with their units, `unit` is that of the target.
    """

    times: np.ndarray
    truth: np.ndarray
    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    last: np.ndarray
    name: str
    time: str
    dates: bool
    level: float = 0.95
    label: str = ""
    time_label: str = ""
    unit: str = ""

    def table(self) -> Columns:
        """Return the numbers, one row for each test row; dates as days since 1970."""
        parts = {"true": self.truth, "predicted": self.mean, "low": self.low, "high": self.high}
        parts["last_known"] = self.last
        time = f"{self.time} (days since 1970)" if self.dates else self.time_label or self.time
        return {time: self.times, **{of(self.name, part, self.unit): values for part, values in parts.items()}}

    @property
    def alt(self) -> str:
        rows = count(len(self.times), "test row")
        return f"The last {rows}: {self.label or self.name} with its prediction and {percent(self.level)} interval."

    @property
    def caption(self) -> str:
        inside = float(np.mean((self.truth >= self.low) & (self.truth <= self.high)))
        return (
            f"The last {count(len(self.times), 'test row')}: dots are what came, the blue line is the prediction with "
            f"its {percent(self.level)} band ({100 * inside:.0f} % of the dots are inside), the dashed line the last "
            "known value again. Each prediction knows only what came before its window ended."
        )


def numbers(record: Record) -> ForecastFigure | None:
    """Return the numbers of the figure, or None where rows are no windows."""
    rows, data, shown = record.get(PredictedTestRows), record[DataRecord], record.get(ForecastRows)
    if shown is None or rows is None or rows.mean is None or rows.low is None or rows.high is None:
        return None
    times = [column for column in data.columns if column.role == "time"]
    truth, mean, low, high = (v[shown.rows, 0] for v in (rows.truth, rows.mean, rows.low, rows.high))
    named = times[0].name if times else "step"
    dates = bool(times) and times[0].kind == "date"
    name = data.targets[0]
    labels = data.label(name), named if dates else data.label(named), data.units.get(name, "")
    return ForecastFigure(
        shown.times, truth, mean, low, high, shown.last, name, named, dates, level_of(record), *labels
    )


def draw(shown: ForecastFigure) -> Figure:
    """Draw truth, prediction with band, and persistence over time."""
    lines = 1 if wide() > 4.5 else 2  # of the legend
    figure = new_figure(2.35 + 0.15 * lines, wide())
    axes = add_axes(figure, 0.68, 0.45, 0.1, 0.13 + 0.15 * lines)
    axes.fill_between(
        shown.times, shown.low, shown.high, color=BLUE, alpha=0.18, lw=0, label=f"{percent(shown.level)} band"
    )
    axes.plot(shown.times, shown.last, color=MUTED, lw=0.8, ls=(0, (3, 2)), label="last value again")
    axes.plot(shown.times, shown.mean, color=BLUE, lw=1.2, label="prediction")
    axes.plot(shown.times, shown.truth, "o", color=INK, ms=1.8, label="what came")
    axes.set_ylim(limits(np.concatenate([shown.truth, shown.mean, shown.low, shown.high]), log=False))
    axes.set_ylabel(name_text(shown.label or shown.name, 28))
    axes.set_xlabel(name_text(shown.time_label or shown.time, 40))
    axes.margins(x=0.01)
    columns = 4 // lines
    axes.legend(loc="lower left", bbox_to_anchor=(0, 0.98), ncols=columns, borderaxespad=0, handlelength=1.6)
    if shown.dates:
        _as_dates(axes)
    return figure


def _as_dates(axes: Axes) -> None:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    locator = AutoDateLocator(minticks=3, maxticks=8 if wide() > 4.5 else 5)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))
