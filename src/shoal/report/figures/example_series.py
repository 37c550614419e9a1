"""Test series with what they are and what the ensemble takes them for."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from shoal.codec import stored
from shoal.evaluation.record import Record
from shoal.evaluation.topics.examples import SignalRecord
from shoal.evaluation.topics.forecast import ForecastRows
from shoal.evaluation.topics.labelled_steps import StepExamples
from shoal.report.figures.along_time import colours_of, common_limits, draw_lines, scaled, steps_of
from shoal.report.figures.canvas import Axes, Figure
from shoal.report.figures.examples import Label, labels, meaning, order_of, wrong_ones
from shoal.report.figures.style import INK, add_axes, name_text, new_figure, wide
from shoal.report.figures.tabular import Columns, lines
from shoal.report.words import count

PLACE = 230
CELL = 2.2  # inches, the width of a series at least


@stored("figure.example_series")
@dataclass(frozen=True)
class ExampleSeries:
    """The numbers of the figure: `series`, each `(time, channels)`, with a label and the names of the channels."""

    series: tuple[np.ndarray, ...]
    labels: tuple[Label, ...]
    channels: tuple[str, ...]
    texts: str

    def table(self) -> Columns:
        """Return the numbers, one row for each step; a column for each channel of each series, with its label."""
        names = [f"series_{i} ({label.text})" for i, label in enumerate(self.labels, 1)]
        return lines(dict(zip(names, self.series, strict=True)), self.channels)

    @property
    def alt(self) -> str:
        return f"{count(len(self.labels), 'test series', 'test series')}{wrong_ones(self.labels)}."

    @property
    def caption(self) -> str:
        which = order_of(self.labels, "Test series", ", the last of them those missed most")
        return f"{which} {self.texts}{colours_of(self.channels)}"


def numbers(record: Record) -> ExampleSeries | None:
    """Return the numbers of the figure; None where rows are no series, or are shown by figures of their own."""
    signals = record.get(SignalRecord)
    if signals is None or signals.kind != "series" or not len(signals.rows):
        return None
    if record.get(ForecastRows) is not None or record.get(StepExamples) is not None:
        return None
    series = tuple(values[: steps_of(signals, row)] for row, values in enumerate(signals.values))
    return ExampleSeries(series, labels(record, signals.rows), signals.channels, meaning(record, "First", "then"))


def draw(shown: ExampleSeries) -> Figure:
    """Draw the series in rows, the truth and the prediction above each; below each other where there is little room."""
    width = wide()
    columns = max(2, int(width / CELL))
    rows, two_lines = math.ceil(len(shown.series) / columns), width / columns < CELL
    high, title, gap = 0.72, 0.34 if two_lines else 0.22, 0.2
    left = 0.45 if len(shown.channels) == 1 else 0.1
    cell = (width - left) / columns
    total = rows * (high + title + gap) + 0.25
    figure = new_figure(total, width)
    series = [scaled(one) for one in shown.series]
    span = common_limits(series)
    for i, (channels, label) in enumerate(zip(series, shown.labels, strict=True)):
        row, column = divmod(i, columns)
        begin, top = left + column * cell, row * (high + title + gap) + title
        axes = add_axes(figure, begin, total - top - high, width - begin - cell + 0.12, top)
        draw_lines(axes, channels)
        axes.set_ylim(span)
        axes.locator_params(axis="x", nbins=4, integer=True)
        if column or len(shown.channels) > 1:
            axes.set_yticks([])
        else:
            axes.locator_params(axis="y", nbins=3)
        _texts(axes, label, int((cell - 0.15) / 0.058) - 9, two_lines)
        if i >= len(series) - columns:
            axes.set_xlabel("step", labelpad=1)
    return figure


def _texts(axes: Axes, label: Label, letters: int, two_lines: bool) -> None:
    """Write truth and prediction above a series, in a line or in two."""
    place: dict[str, Any] = {"va": "bottom", "size": 7, "transform": axes.transAxes}
    if two_lines:
        axes.text(0, 1.21, name_text(label.true, letters + 9), ha="left", color=INK, **place)
        axes.text(0, 1.04, label.said_within(letters), ha="left", color=label.colour, **place)
        return
    true = name_text(label.true, letters // 2)
    axes.text(0, 1.04, true, ha="left", color=INK, **place)
    axes.text(1, 1.04, label.said_within(letters - len(true)), ha="right", color=label.colour, **place)
