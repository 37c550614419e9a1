"""Coverage: how many test values lie inside intervals that are to hold a certain share."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shoal.codec import stored
from shoal.evaluation.record import Record
from shoal.evaluation.topics.error_bars import ErrorBars
from shoal.report.figures.canvas import Figure
from shoal.report.figures.style import BLUE, DASHED, MUTED, add_axes, bars, new_figure
from shoal.report.figures.tabular import Columns

PLACE = 130


@stored("figure.coverage")
@dataclass(frozen=True)
class Coverage:
    """The numbers of the figure, one for each level.

    `levels` are the shares to be held, `observed` the shares of test values inside the conformal interval, `low` and
    `high` the 95 % Wilson interval of that; `before` the shares inside normal intervals from the standard deviations
    before calibration.
    """

    levels: np.ndarray
    observed: np.ndarray
    low: np.ndarray
    high: np.ndarray
    before: np.ndarray

    def table(self) -> Columns:
        return {
            "level": self.levels,
            "observed": self.observed,
            "observed_low": self.low,
            "observed_high": self.high,
            "observed_before_calibration": self.before,
        }

    @property
    def alt(self) -> str:
        return f"Observed coverage less the stated one, at {len(self.levels)} levels, before and after calibration."

    @property
    def caption(self) -> str:
        return (
            "Share of test values inside their interval, less the share that it is to hold. Dots: conformal intervals, "
            "with 95 % Wilson intervals of the share; the dots hang together, since they count the same rows. Grey "
            "rings: normal intervals from the standard deviations before calibration. Above the dashed line intervals "
            "are too wide, below it too narrow."
        )


def numbers(record: Record) -> Coverage | None:
    """Return the numbers of the figure; None for classes, or where nothing is known of other levels."""
    error_bars = record.get(ErrorBars)
    if error_bars is None or len(error_bars.levels) < 2:
        return None
    values = np.array([[interval.value, interval.low, interval.high] for interval in error_bars.after])
    if not np.isfinite(values).all():
        return None
    before = np.array([interval.value for interval in error_bars.before])
    return Coverage(np.asarray(error_bars.levels), values[:, 0], values[:, 1], values[:, 2], before)


def draw(shown: Coverage) -> Figure:
    """Draw the difference of observed and stated coverage in per cent."""
    figure = new_figure(2.7)
    axes = add_axes(figure, 0.55, 0.45, 0.12, 0.12)
    x = 100 * shown.levels
    axes.axhline(0, **DASHED)
    low, high = (100 * (end - shown.levels) for end in (shown.low, shown.high))
    axes.plot(*bars(x, low, high), color=BLUE, lw=1.0)
    axes.plot(x, 100 * (shown.before - shown.levels), "o", mfc="none", mec=MUTED, mew=1.0, ms=5)
    axes.plot(x, 100 * (shown.observed - shown.levels), "o", color=BLUE, ms=4)
    axes.set_xlim(x.min() - 3, 101)
    axes.set(xlabel="share to be held (%)", ylabel="observed − stated (%)")
    return figure
