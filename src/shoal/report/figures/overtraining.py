"""Scores of signal and background: training rows as filled histograms, test rows as points with errors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from shoal.codec import stored
from shoal.evaluation.record import Record
from shoal.evaluation.topics.overtraining import ClassScores, Overtraining
from shoal.report.figures.canvas import Axes, Figure
from shoal.report.figures.style import (
    BLUE,
    INK,
    LEGEND_ABOVE,
    PAPER,
    VERMILION,
    add_axes,
    bars,
    log_scale,
    name_text,
    new_figure,
    set_log,
)
from shoal.report.words import number

PLACE = 70
MOST = 0.5
"""A bin with more of its class than this makes the others flat on a plain axis."""


@stored("figure.scores")
@dataclass(frozen=True)
class Scores:
    """The numbers of the figure: densities of the scores of `signal` and `background` in the bins of `edges`."""

    edges: np.ndarray
    signal: ClassScores
    background: ClassScores
    weighted: bool

    @property
    def alt(self) -> str:
        names = f"{name_text(self.signal.name)} and {name_text(self.background.name)}"
        return f"Distribution of the score of {names} on the training rows and on the test rows."

    @property
    def caption(self) -> str:
        tests = "; ".join(
            f"{name_text(scores.name)}: D = {number(scores.difference.statistic)}, p = {number(scores.difference.p, 2)}"
            for scores in (self.signal, self.background)
        )
        rows = "weighted rows" if self.weighted else "rows"
        below = " Densities below zero, of negative weights, are below the axis." if self._below_axis else ""
        return (
            f"Probability of {name_text(self.signal.name)} as the networks give it: {rows} of the training filled, of "
            "the test as points with errors √(Σ w²), each class with area one. Kolmogorov-Smirnov test of training "
            f"against test, {tests}. A small p says that training rows are known better than new ones, not that the "
            f"networks were trained too long.{below}"
        )

    @property
    def _below_axis(self) -> bool:
        return bool(_floor(self)) and bool((_densities(self) < 0).any())

    def table(self) -> dict[str, Any]:
        columns: dict[str, Any] = {"low": self.edges[:-1], "high": self.edges[1:]}
        for role, scores in (("signal", self.signal), ("background", self.background)):
            for part in ("train", "test"):
                columns[f"{role}_{part}"] = getattr(scores, part)
                columns[f"{role}_{part}_error"] = getattr(scores, f"{part}_error")
        return columns


def numbers(record: Record) -> Scores | None:
    """Return the numbers of the figure, or None where rows are not told apart into two classes."""
    overtraining = record.get(Overtraining)
    if overtraining is None:
        return None
    return Scores(overtraining.edges, overtraining.signal, overtraining.background, overtraining.weighted)


def draw(shown: Scores) -> Figure:
    """Draw the two classes on one axis."""
    figure = new_figure(3.1)
    axes = add_axes(figure, 0.55, 0.45, 0.12, 0.62)
    floor = _floor(shown)
    for scores, colour, mark in ((shown.background, VERMILION, "s"), (shown.signal, BLUE, "o")):
        _draw_class(axes, shown.edges, scores, colour, mark, floor)
    if floor:
        set_log(axes, "y", floor, 2.0 * float(_densities(shown).max()))
    else:
        axes.axhline(0.0, color=INK, lw=0.5)
    axes.set_xlim(shown.edges[0], shown.edges[-1])
    axes.set(xlabel=f"probability of {name_text(shown.signal.name)}", ylabel="density")
    axes.legend(**LEGEND_ABOVE, columnspacing=1.2)
    return figure


def _densities(shown: Scores) -> np.ndarray:
    both = shown.signal, shown.background
    return np.concatenate([part for scores in both for part in (scores.train, scores.test)])


def _floor(shown: Scores) -> float:
    """Return where a logarithmic axis begins; 0 where a plain one shows more.

    A logarithmic one shows more where densities are spread widely, or one bin holds most of a class.
    """
    densities = _densities(shown)
    positive = densities[densities > 0]
    if not np.isfinite(densities).all() or not positive.size:
        return 0.0
    shares = densities * np.tile(np.diff(shown.edges), 4)
    if not log_scale(positive, 100.0) and shares.max() <= MOST:
        return 0.0
    return max(0.5 * float(positive.min()), 2e-4 * float(positive.max()))


def _draw_class(axes: Axes, edges: np.ndarray, scores: ClassScores, colour: str, mark: str, floor: float) -> None:
    name, middle = name_text(scores.name, 14), 0.5 * (edges[1:] + edges[:-1])
    train = np.maximum(scores.train, floor) if floor else scores.train
    axes.stairs(train, edges, baseline=floor, fill=True, color=colour, alpha=0.3, lw=0, label=f"{name}, training")
    dashes: Any = "-" if mark == "o" else (0, (3, 1.5))
    axes.stairs(train, edges, baseline=floor, color=colour, lw=0.8, ls=dashes)
    there = (scores.test_error > 0) & (scores.test > floor) if floor else scores.test_error > 0
    low, high = scores.test - scores.test_error, scores.test + scores.test_error
    low = np.maximum(low, floor) if floor else low
    axes.plot(*bars(middle[there], low[there], high[there]), color=colour, lw=0.9 if mark == "o" else 0.6)
    face = colour if mark == "o" else PAPER
    axes.plot(middle[there], scores.test[there], mark, color=colour, mfc=face, mew=0.9, ms=3, label=f"{name}, test")
