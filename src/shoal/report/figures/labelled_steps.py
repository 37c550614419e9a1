"""Test series with what was true and what was predicted at each of their steps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shoal.codec import stored
from shoal.evaluation.record import Record
from shoal.evaluation.topics.data import DataRecord
from shoal.evaluation.topics.error_bars import level_of
from shoal.evaluation.topics.examples import SignalRecord
from shoal.evaluation.topics.labelled_steps import StepExamples
from shoal.report.figures.along_time import colours_of, common_limits, draw_lines, scaled, step_axis, steps_of
from shoal.report.figures.canvas import Axes, Figure
from shoal.report.figures.style import BLUE, INK, VERMILION, add_axes, limits, name_text, new_figure, wide
from shoal.report.figures.tabular import Columns, side_by_side
from shoal.report.words import count, joined, label, number, percent

PLACE = 240
SHOWN = 6
MOST_NAMED = 8


@stored("figure.labelled_steps")
@dataclass(frozen=True)
class LabelledSteps:
    """The numbers of the figure: `series`, each `(time, channels)`, and truth and prediction of their steps."""

    series: tuple[np.ndarray, ...]
    steps: StepExamples
    channels: tuple[str, ...]
    classes: tuple[str, ...]
    target: str
    level: float = 0.95
    unit: str = ""

    def table(self) -> Columns:
        ends = [len(one) for one in self.series]
        place = {
            "series": np.repeat(np.arange(1, len(ends) + 1), ends),
            "step": np.concatenate([np.arange(n) + 1 for n in ends]),
        }
        values = np.concatenate(self.series)
        channels = [{name_text(name): values[:, i]} for i, name in enumerate(self.channels)]
        one = self.steps
        answers = {"true": one.truth, "predicted": one.said, "low": one.low, "high": one.high}
        named = {
            label(name, self.unit): self._named(
                np.concatenate([row[:end] for row, end in zip(rows, ends, strict=True)])
            )
            for name, rows in answers.items()
            if rows is not None
        }
        return side_by_side([place, *channels, named])

    def _named(self, values: np.ndarray) -> np.ndarray | list[str]:
        """Return numbers as they are, those of classes as their names."""
        return [self.classes[int(v)] if np.isfinite(v) else "" for v in values] if self.classes else values

    @property
    def alt(self) -> str:
        return f"{count(len(self.series), 'test series', 'test series')}, true and predicted at each step."

    @property
    def caption(self) -> str:
        order = "Test series, from well to badly predicted."
        if not self.classes:
            band = f"Below each: dots are the true {self.target}, the line is the prediction "
            band += f"with its {percent(self.level)} interval."
            return f"{order} {band}{colours_of(self.channels)}"
        names = joined([name_text(name, 24) for name in self.classes[:MOST_NAMED]])
        more = "" if len(self.classes) <= MOST_NAMED else " and so on"
        strips = (
            f"Below each, the class of each step, from low to high: {names}{more}. Black: true, blue, dashed: predicted"
        )
        return f"{order} {strips}, vermilion where they differ.{colours_of(self.channels)}"


def numbers(record: Record) -> LabelledSteps | None:
    """Return the numbers of the figure, or None where steps have no targets."""
    signals, steps = record.get(SignalRecord), record.get(StepExamples)
    if signals is None or steps is None or not len(signals.rows):
        return None
    places = np.unique(np.linspace(0, len(signals.rows) - 1, SHOWN).round().astype(int))
    series = tuple(signals.values[row, : steps_of(signals, row)] for row in places)
    low, high = (None if band is None else band[places] for band in (steps.low, steps.high))
    few = StepExamples(steps.truth[places], steps.said[places], steps.scores[places], low, high)
    target = record[DataRecord].targets[0]
    unit = record[DataRecord].units.get(target, "")
    return LabelledSteps(series, few, signals.channels, record[DataRecord].classes, target, level_of(record), unit)


def draw(shown: LabelledSteps) -> Figure:
    """Draw each series and, below it on the same time, truth and prediction."""
    above, below, title, left = 0.62, 0.42, 0.22, 0.45
    step = above + below + title + 0.12
    total = len(shown.series) * step + 0.32
    figure = new_figure(total, wide())
    lines = [scaled(one) for one in shown.series]
    span, longest = common_limits(lines), max(map(len, lines)) + 0.5
    for i, channels in enumerate(lines):
        top = i * step + title
        axes = add_axes(figure, left, total - top - above, 0.1, top)
        draw_lines(axes, channels)
        axes.set(ylim=span, xlim=(0.5, longest), xticklabels=[])
        axes.locator_params(axis="y", nbins=3)
        score = shown.steps.scores[i]
        text = (
            f"{100 * score:.0f} % of the steps right"
            if shown.classes
            else f"RMSE {number(score)} {shown.unit}".rstrip()
        )
        axes.text(1, 1.04, text, ha="right", va="bottom", size=7, color=INK, transform=axes.transAxes)
        axes = add_axes(figure, left, total - top - above - below, 0.1, top + above + 0.06)
        (_classes if shown.classes else _values)(axes, shown, i, len(channels))
        axes.set(xlim=(0.5, longest), xticklabels=[])
    step_axis(axes)
    return figure


def _classes(axes: Axes, shown: LabelledSteps, at: int, steps: int) -> None:
    place = np.arange(1, steps + 1)
    truth, said = shown.steps.truth[at, :steps], shown.steps.said[at, :steps]
    wrong = np.where(truth != said, said, np.nan)
    axes.step(place, truth, where="mid", color=INK, lw=1.4, alpha=0.6)
    axes.step(place, said, where="mid", color=BLUE, lw=0.9, ls=(0, (3, 1.5)))
    axes.plot(place, wrong, "o", color=VERMILION, ms=1.8)
    axes.set(ylim=(-0.3, len(shown.classes) - 0.7), yticks=[])


def _values(axes: Axes, shown: LabelledSteps, at: int, steps: int) -> None:
    place, one = np.arange(1, steps + 1), shown.steps
    assert one.low is not None
    assert one.high is not None
    low, high = one.low[at, :steps], one.high[at, :steps]
    axes.fill_between(place, low, high, color=BLUE, alpha=0.18, lw=0)
    axes.plot(place, one.said[at, :steps], color=BLUE, lw=1.0)
    axes.plot(place, one.truth[at, :steps], "o", color=INK, ms=1.4)
    known = np.concatenate([a[np.isfinite(a)] for a in (low, high, one.truth[at, :steps])])
    axes.set_ylim(limits(known, log=False))
    axes.locator_params(axis="y", nbins=3)
