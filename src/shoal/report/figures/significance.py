"""Significance against cut: on the rows that chose the cut, and on those on which it is quoted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from shoal.codec import stored
from shoal.evaluation.cuts import Scan, Selection
from shoal.evaluation.record import Record
from shoal.report.figures.canvas import Figure
from shoal.report.figures.style import BLUE, INK, LEGEND_ABOVE, MUTED, VERMILION, add_axes, bars, new_figure
from shoal.report.words import number
from shoal.results import Interval

PLACE = 80
LABELS = {"asimov": "Asimov significance", "ams": "AMS", "s/sqrt(b)": "S/√B", "s/sqrt(s+b)": "S/√(S+B)"}


@stored("figure.significance")
@dataclass(frozen=True)
class Significance:
    """The numbers of the figure: the scans of both parts, the cut, and what is quoted at it."""

    chosen: Scan
    quoted: Scan
    measure: str
    cut: float
    value: Interval
    names: tuple[str, str]

    @property
    def alt(self) -> str:
        return f"{LABELS[self.measure]} against the cut on the score, which is chosen at {number(self.cut)}."

    @property
    def caption(self) -> str:
        return (
            f"{LABELS[self.measure]} of rows with a score above the cut. The cut, the dashed line, is chosen on the "
            f"{self.names[0]} (grey) and quoted on the {self.names[1]} (blue, with its 95 % bootstrap band). Where few "
            f"background rows are left the curves are mostly chance{_beyond(self)}."
        )

    def table(self) -> dict[str, Any]:
        """Return the numbers of the quoted rows, one row for each cut, and the measure on the rows that chose."""
        scan = self.quoted
        return {
            "cut": scan.cuts,
            "signal_efficiency": scan.signal,
            "background_efficiency": scan.background,
            **scan.measures,
            f"{self.measure}_low": scan.low,
            f"{self.measure}_high": scan.high,
            f"{self.measure}_where_chosen": self.chosen.measures[self.measure],
        }


def numbers(record: Record) -> Significance | None:
    """Return the numbers of the figure, or None where no yields were given."""
    selection = record.get(Selection)
    return None if selection is None else of(selection)


def of(selection: Selection) -> Significance:
    """Return the numbers of the figure of a selection."""
    names = selection.chosen_on, selection.quoted_on
    scans = selection.scan, selection.quoted_scan
    return Significance(*scans, selection.measure, selection.cut, selection.quoted[selection.measure], names)


def ceiling(shown: Significance) -> float:
    """Return where the axis ends: above what is chosen and quoted, whatever chance does behind the cut."""
    scans = (shown.chosen, shown.quoted)
    chosen = max(float(np.interp(shown.cut, scan.cuts, scan.measures[shown.measure])) for scan in scans)
    return 1.25 * max(chosen, shown.value.high) or 1.0


def _beyond(shown: Significance) -> str:
    curves = [scan.measures[shown.measure] for scan in (shown.chosen, shown.quoted)]
    return ", and some of it lies above the axis" if np.nanmax(np.concatenate(curves)) > ceiling(shown) else ""


def draw(shown: Significance) -> Figure:
    """Draw both curves, the band and the chosen cut."""
    figure = new_figure(2.9)
    axes = add_axes(figure, 0.55, 0.45, 0.12, 0.35)
    scan = shown.quoted
    axes.fill_between(scan.cuts, scan.low, scan.high, color=BLUE, alpha=0.2, lw=0)
    axes.plot(
        shown.chosen.cuts,
        shown.chosen.measures[shown.measure],
        color=MUTED,
        lw=0.9,
        ls=(0, (4, 1.5)),
        label=shown.names[0],
    )
    axes.plot(scan.cuts, scan.measures[shown.measure], color=BLUE, label=shown.names[1])
    axes.axvline(shown.cut, color=INK, lw=0.8, ls=(0, (4, 3)))
    at, value = np.array([shown.cut]), shown.value
    axes.plot(*bars(at, np.array([value.low]), np.array([value.high])), color=VERMILION, lw=2.0)
    axes.plot(at, [value.value], "o", color=VERMILION, ms=4.5)
    axes.set_ylim(0.0, ceiling(shown))
    axes.set(xlabel="cut on the score", ylabel=LABELS[shown.measure])
    axes.legend(**LEGEND_ABOVE)
    return figure
