"""Histograms with their statistical errors and the band of all variations together, and both relative to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from shoal.codec import stored
from shoal.data.units import labelled, split_unit
from shoal.evaluation.systematics.observables import PROFILES, Histogram, Profile
from shoal.evaluation.systematics.shifts import Systematics
from shoal.report.figures.canvas import Axes, Figure
from shoal.report.figures.style import (
    BLUE,
    GRID,
    INK,
    LEGEND_ABOVE,
    MUTED,
    PAPER,
    VERMILION,
    add_axes,
    bars,
    limits,
    log_scale,
    name_text,
    new_figure,
    set_log,
)
from shoal.report.words import capital

PAIR = (BLUE, VERMILION)
MOST_NAMES = 12


@stored("figure.band")
@dataclass(frozen=True)
class Band:
    """Numbers in bins: what they are called, values, statistical errors, and how far all variations move them."""

    name: str
    values: np.ndarray
    error: np.ndarray
    up: np.ndarray
    down: np.ndarray


@stored("figure.systematic_band")
@dataclass(frozen=True)
class SystematicBand:
    """The numbers of the figure.

    Attributes:
        title: what the bins are of.
        edges: `(bins + 1,)`.
        labels: names of the bins, where these are classes.
        histograms: one, or those of signal and background.
        profiles: bias and RMSE in the bins, of numbers.
        bins_hold: what bins hold: rows, sum of weights, or events.
    """

    title: str
    edges: np.ndarray
    labels: tuple[str, ...]
    histograms: tuple[Band, ...]
    profiles: tuple[Band, ...]
    bins_hold: str

    @property
    def alt(self) -> str:
        names = " and ".join(name_text(band.name) for band in self.histograms)
        return f"Histogram of {self.title} with statistical errors and the band of all variations, of {names}."

    @property
    def caption(self) -> str:
        below = ", and bias and RMSE of the prediction in the same bins" if self.profiles else ""
        return (
            f"{capital(self.bins_hold)} in bins of {self.title}: points with "
            "statistical errors √(Σ w²), bands of all variations added in quadrature, upward and downward each for "
            f"itself. Below, both relative to the nominal histogram, with arrows where they reach beyond the "
            f"axis{below}."
        )

    def table(self) -> dict[str, Any]:
        columns: dict[str, Any] = {"low": self.edges[:-1], "high": self.edges[1:]}
        if self.labels:
            columns = {"class": list(self.labels)}
        for band in (*self.histograms, *self.profiles):
            for part in ("values", "error", "up", "down"):
                name = (
                    band.name if part == "values" else f"{band.name}_{'statistical_error' if part == 'error' else part}"
                )
                columns[name] = getattr(band, part)
        return columns


def of(systematics: Systematics, classes: tuple[str, ...] = ()) -> dict[str, SystematicBand]:
    """Return the numbers of the figures by name: one, or one for each target."""
    events = "expected events" if systematics.yields_text else "sum of weights" if systematics.weighted else "rows"
    histograms = [one for one in systematics.observables if isinstance(one, Histogram)]
    profiles = [one for one in systematics.observables if isinstance(one, Profile)]
    if not profiles:
        several = histograms[0].of_class is None
        title = "the predicted class" if several else f"the score, the probability of {name_text(histograms[0].name)}"
        shown = tuple(_band(systematics, one, one.name) for one in histograms)
        labels = classes if several else ()
        return {"band": SystematicBand(title, histograms[0].edges, labels, shown, (), events)}
    figures = {}
    for number, (one, profile) in enumerate(zip(histograms, profiles, strict=True), start=1):
        parts = tuple(_band(systematics, profile, what, part) for part, what in enumerate(PROFILES) if what != "mean")
        name = "band" if len(histograms) == 1 else f"band_{number}"
        title = f"the prediction of {name_text(labelled(one.name, split_unit(one.name).unit))}"
        figures[name] = SystematicBand(title, one.edges, (), (_band(systematics, one, one.name),), parts, events)
    return figures


def _band(systematics: Systematics, one: Histogram | Profile, name: str, part: int = 0) -> Band:
    bins = len(one.edges) - 1
    start = systematics.where(one).start + part * bins
    at = slice(start, start + bins)
    return Band(name, systematics.nominal[at], systematics.error[at], systematics.up[at], systematics.down[at])


def draw(shown: SystematicBand) -> Figure:
    """Draw the histograms, below them their ratios to the nominal ones, and then the profiles."""
    panels = [0.75] * len(shown.histograms) + [0.85] * len(shown.profiles)
    gap, bottom, top = 0.12, 0.62 if shown.labels else 0.45, 0.35
    height = 1.9 + sum(panels) + gap * len(panels) + bottom + top
    figure = new_figure(height)
    above = height - top - 1.9
    upper = add_axes(figure, 0.68, above, 0.12, top)
    colours = PAIR if len(shown.histograms) > 1 else (BLUE,)
    _histograms(upper, shown, colours)
    axes = [upper]
    for number, size in enumerate(panels):
        above -= gap + size
        lower = add_axes(figure, 0.68, above, 0.12, height - above - size)
        lower.sharex(upper)
        if number < len(shown.histograms):
            _ratio(lower, shown.edges, shown.histograms[number], colours[number])
        else:
            _profile(lower, shown.edges, shown.profiles[number - len(shown.histograms)])
        axes.append(lower)
    for one in axes[:-1]:
        one.tick_params(labelbottom=False)
    _along(axes[-1], shown)
    return figure


def _histograms(axes: Axes, shown: SystematicBand, colours: tuple[str, ...]) -> None:
    """Draw each histogram as a line with its band, and its values as points with statistical errors."""
    everything = np.concatenate([band.values for band in shown.histograms])
    positive = everything[everything > 0]
    log = bool((everything >= 0).all()) and positive.size > 0 and log_scale(positive, 100.0)
    floor = 0.4 * float(positive.min()) if log else -np.inf
    for band, colour, mark in zip(shown.histograms, colours, "os", strict=False):
        low, high = np.maximum(band.values - band.down, floor), np.maximum(band.values + band.up, floor)
        axes.fill_between(_stepped(shown.edges), np.repeat(low, 2), np.repeat(high, 2), color=colour, alpha=0.3, lw=0)
        base = floor if log else 0.0
        axes.stairs(np.maximum(band.values, floor), shown.edges, baseline=base, color=colour, lw=0.9)
        known = (band.error > 0) & (band.values > floor)
        ends = np.maximum(band.values - band.error, floor)[known], (band.values + band.error)[known]
        first, at = mark == "o", _middle(shown.edges)[known]
        axes.plot(*bars(at, *ends), color=colour, lw=0.9 if first else 0.6)
        looks: dict[str, Any] = {"color": colour, "mfc": colour if first else PAPER, "mew": 0.9, "ms": 2.6}
        axes.plot(at, band.values[known], mark, label=name_text(band.name), **looks)
    if log:
        set_log(axes, "y", floor, 2.5 * float((everything).max()))
    elif everything.min() >= 0:
        axes.set_ylim(bottom=0.0)
    axes.set_xlim(shown.edges[0], shown.edges[-1])
    axes.set_ylabel(shown.bins_hold)
    if len(shown.histograms) > 1:
        axes.legend(**LEGEND_ABOVE)


def _ratio(axes: Axes, edges: np.ndarray, band: Band, colour: str) -> None:
    """Draw band and errors relative to the values, where these are positive."""
    with np.errstate(invalid="ignore", divide="ignore"):
        up, down, error = (
            np.where(band.values > 0, part / band.values, np.nan) for part in (band.up, band.down, band.error)
        )
    _filled(axes, edges, 1.0 - down, 1.0 + up, colour)
    known = np.isfinite(error) & (error > 0)
    axes.plot(*bars(_middle(edges)[known], (1.0 - error)[known], (1.0 + error)[known]), color=colour, lw=0.9)
    axes.plot(_middle(edges)[known], np.ones(known.sum()), "o", color=colour, ms=2.2)
    axes.axhline(1.0, color=MUTED, lw=0.5)
    # a bin of few events would make all others invisible
    size = np.nanquantile(np.maximum(np.fmax(up, down), error), 0.85) if known.any() else 0.1
    half = float(np.clip(1.3 * size, 0.01, 1.0))
    axes.set_ylim(1.0 - half, 1.0 + half)
    for end, mark, reach in ((1.0 - half, "v", np.fmax(down, error)), (1.0 + half, "^", np.fmax(up, error))):
        beyond = reach > half
        axes.plot(_middle(edges)[beyond], np.full(beyond.sum(), end), mark, color=colour, ms=3.5, mew=0, clip_on=False)
    axes.set_ylabel("ratio")


def _profile(axes: Axes, edges: np.ndarray, band: Band) -> None:
    """Draw bias or RMSE with errors and band."""
    _filled(axes, edges, band.values - band.down, band.values + band.up, BLUE)
    known = np.isfinite(band.error)
    ends = (band.values - band.error)[known], (band.values + band.error)[known]
    axes.plot(*bars(_middle(edges)[known], *ends), color=BLUE, lw=0.9)
    axes.plot(_middle(edges), band.values, "o", color=BLUE, ms=2.6)
    low, high = limits(
        np.concatenate([band.values - band.error, band.values + band.up, band.values - band.down]), False
    )
    if band.name == "bias":
        axes.axhline(0.0, color=GRID, lw=0.8, zorder=0)
        low, high = min(low, 0.0), max(high, 0.0)
    axes.set_ylim(low, high)
    axes.set_ylabel("RMSE" if band.name == "rmse" else band.name)


def _along(axes: Axes, shown: SystematicBand) -> None:
    """Say what the bins are of."""
    if not shown.labels:
        axes.set_xlabel(shown.title.removeprefix("the "), color=INK)
        return
    every = -(-len(shown.labels) // MOST_NAMES)
    names = [name_text(name, 10) for name in shown.labels]
    axes.set_xticks(_middle(shown.edges)[::every], names[::every], rotation=30, ha="right")


def _filled(axes: Axes, edges: np.ndarray, low: np.ndarray, high: np.ndarray, colour: str) -> None:
    axes.fill_between(_stepped(edges), np.repeat(low, 2), np.repeat(high, 2), color=colour, alpha=0.3, lw=0)


def _stepped(edges: np.ndarray) -> np.ndarray:
    return np.repeat(edges, 2)[1:-1]


def _middle(edges: np.ndarray) -> np.ndarray:
    return np.asarray(0.5 * (edges[1:] + edges[:-1]))
