"""Background rejection against signal efficiency: the ROC curve as it is read where background abounds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from shoal.codec import stored
from shoal.evaluation.cuts import Selection
from shoal.evaluation.record import Record
from shoal.report.figures.canvas import Figure
from shoal.report.figures.style import BLUE, DASHED, VERMILION, add_axes, bars, new_figure, set_log
from shoal.report.words import interval
from shoal.results import Interval

PLACE = 90


@stored("figure.rejection")
@dataclass(frozen=True)
class Rejection:
    """The numbers of the figure: shares of signal and background kept by each cut, and the cut that was chosen."""

    cuts: np.ndarray
    signal: np.ndarray
    background: np.ndarray
    area: Interval
    at: tuple[float, Interval]
    rows: str

    @property
    def alt(self) -> str:
        return f"Background rejection against signal efficiency on the {self.rows}; ROC AUC {interval(self.area)}."

    @property
    def caption(self) -> str:
        return (
            f"Background rejection, one over the share of background kept, against the share of signal kept, on the "
            f"{self.rows}. The dashed line is guessing, the point the chosen cut with its 95 % bootstrap interval. ROC "
            f"AUC {interval(self.area)}."
        )

    def table(self) -> dict[str, Any]:
        return {"cut": self.cuts, "signal_efficiency": self.signal, "background_efficiency": self.background}


def numbers(record: Record) -> Rejection | None:
    """Return the numbers of the figure, or None where no yields were given."""
    selection = record.get(Selection)
    return None if selection is None else of(selection)


def of(selection: Selection) -> Rejection:
    """Return the numbers of the figure of a selection."""
    curve = selection.curve
    at = selection.signal_efficiency.value, selection.rejection
    return Rejection(curve.cuts, curve.signal, curve.background, curve.area, at, selection.quoted_on)


def draw(shown: Rejection) -> Figure:
    """Draw the curve on a logarithmic axis."""
    figure = new_figure(2.9)
    axes = add_axes(figure, 0.62, 0.45, 0.12, 0.12)
    known = shown.background > 0
    x, y = shown.signal[known], 1.0 / shown.background[known]
    efficiency = np.linspace(0.01, 1.0, 100)
    axes.plot(efficiency, 1.0 / efficiency, **DASHED)
    axes.plot(x, y, color=BLUE, drawstyle="steps-post")
    place, rejection = np.array([shown.at[0]]), shown.at[1]
    most = max(float(y.max(initial=1.0)), 2.0)
    if np.isfinite(rejection.value):
        high = np.array([min(rejection.high, 2 * most)])
        axes.plot(*bars(place, np.array([rejection.low]), high), color=VERMILION, lw=2.0)
        axes.plot(place, [rejection.value], "o", color=VERMILION, ms=4.5)
    set_log(axes, "y", 0.9, 2 * most)
    axes.set_xlim(0, 1.01)
    axes.set(xlabel="signal efficiency", ylabel="background rejection")
    return figure
