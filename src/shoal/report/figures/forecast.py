"""The last test rows of a forecast: what came, what was predicted, and the last value again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from shoal.evaluation.record import Record
from shoal.report.figures.rasters import WIDE
from shoal.report.figures.style import BLUE, INK, MUTED, add_axes, limits, name_text, new_figure
from shoal.report.words import count, percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Forecast:
    """The numbers of the figure, each `(rows,)` in the order of `times`; `dates` tells that times are days since 1970.

    `truth` is what came, `mean`, `low` and `high` what was predicted with its interval, `last` the last value
    that was known.
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

    @property
    def alt(self) -> str:
        """What the figure shows, in a sentence."""
        rows = count(len(self.times), "test row")
        return f"{self.name} in the last {rows}, with its prediction and {percent(self.level)} interval."

    @property
    def caption(self) -> str:
        """How to read the figure."""
        inside = float(np.mean((self.truth >= self.low) & (self.truth <= self.high)))
        return (
            f"The last {count(len(self.times), 'test row')}: dots are what came, the blue line is the prediction with "
            f"its {percent(self.level)} band ({100 * inside:.0f} % of the dots are inside), the dashed line the last "
            "known value again. Each prediction knows only what came before its window ended."
        )


def numbers(record: Record) -> Forecast | None:
    """Return the numbers of the figure, or None where rows are no windows."""
    rows, signals = record.test_rows, record.signals
    if signals is None or signals.forecast is None or rows.mean is None or rows.low is None or rows.high is None:
        return None
    shown, target = signals.forecast, signals.forecast.target
    times = [column for column in record.data.columns if column.role == "time"]
    truth, mean, low, high = (v[shown.rows, target] for v in (rows.truth, rows.mean, rows.low, rows.high))
    named = times[0].name if times else "step"
    dates = bool(times) and times[0].kind == "date"
    name = record.data.targets[target]
    return Forecast(shown.times, truth, mean, low, high, shown.last, name, named, dates, record.level)


def draw(shown: Forecast) -> Figure:
    """Draw truth, prediction with band, and persistence over time."""
    figure = new_figure(2.5, WIDE)
    axes = add_axes(figure, 0.68, 0.45, 0.1, 0.28)
    axes.fill_between(
        shown.times, shown.low, shown.high, color=BLUE, alpha=0.18, lw=0, label=f"{percent(shown.level)} band"
    )
    axes.plot(shown.times, shown.last, color=MUTED, lw=0.8, ls=(0, (3, 2)), label="last value again")
    axes.plot(shown.times, shown.mean, color=BLUE, lw=1.2, label="prediction")
    axes.plot(shown.times, shown.truth, "o", color=INK, ms=1.8, label="what came")
    axes.set_ylim(limits(np.concatenate([shown.truth, shown.mean, shown.low, shown.high]), log=False))
    axes.set_ylabel(name_text(shown.name, 28))
    axes.set_xlabel(name_text(shown.time, 40))
    axes.margins(x=0.01)
    axes.legend(loc="lower left", bbox_to_anchor=(0, 0.98), ncols=4, borderaxespad=0, handlelength=1.6)
    if shown.dates:
        _as_dates(axes)
    return figure


def _as_dates(axes: Axes) -> None:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    locator = AutoDateLocator(minticks=3, maxticks=8)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))
