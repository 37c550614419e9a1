"""The filters of the first convolution of the best network."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from shoal.codec import stored
from shoal.evaluation.record import Record
from shoal.evaluation.topics.examples import SignalRecord
from shoal.report.figures.canvas import Figure
from shoal.report.figures.drawable import Drawable
from shoal.report.figures.rasters import fitted, flat, show, signed
from shoal.report.figures.style import name_text, narrow, new_figure, wide
from shoal.report.figures.tabular import Columns
from shoal.report.words import joined, number

PLACE = 270
MOST, COLUMNS, CELL = 32, 8, 1.1
MOST_CHANNELS, MOST_LINES = 3, 16


@stored("figure.filters")
@dataclass(frozen=True, repr=False)
class Filters(Drawable):
    """The filters: `values` `(filters, *size, channels)`, the names of the channels, None where they are not known."""

    values: np.ndarray
    channels: tuple[str, ...] = ()

    def table(self) -> Columns:
        *places, channels = self.values.shape[1:]
        where = np.indices(self.values.shape).reshape(self.values.ndim, -1)
        names = ("filter", *(("step",) if len(places) == 1 else ("depth", "row", "column")[-len(places) :]))
        known = self.channels if len(self.channels) == channels else tuple(str(i + 1) for i in range(channels))
        columns: Columns = {name: index + 1 for name, index in zip(names, where, strict=False)}
        return columns | {"channel": [known[i] for i in where[-1]], "weight": self.values.ravel()}

    @property
    def alt(self) -> str:
        size = " × ".join(map(str, self.values.shape[1:-1]))
        return f"{len(self.values)} filters of {size} weights, negative ones blue and positive ones vermilion."

    @property
    def caption(self) -> str:
        most = number(float(np.abs(self.values).max()), 2)
        some = f"{MOST} of the {len(self.values)} filters" if len(self.values) > MOST else "The filters"
        return (
            f"{some} of the first convolution: blue weights are negative, vermilion ones positive, the strongest "
            f"{most}.{self._sides}"
        )

    @property
    def _sides(self) -> str:
        channels = self.values.shape[-1]
        if self.values.ndim == 3:
            lines = (
                "" if channels == 1 else " Lines are channels." if channels <= MOST_LINES else " Lines: 16 channels."
            )
            return f" Steps go from left to right.{lines}"
        if channels == 1:
            return ""
        if channels > MOST_CHANNELS:
            return f" Of the {channels} channels, the mean is shown."
        known = len(self.channels) == channels
        return f" From left to right in each: {joined(self.channels)}." if known else " Channels stand side by side."


def numbers(record: Record) -> Filters | None:
    """Return the numbers of the figure, or None without a convolution."""
    signals = record.get(SignalRecord)
    if signals is None or signals.filters is None:
        return None
    return Filters(signals.filters, tuple(name_text(name) for name in signals.channels))


def draw(shown: Filters) -> Figure:
    """Draw the filters in rows of eight, or fewer and larger ones where channels stand side by side."""
    most = float(np.abs(shown.values).max())
    cells = [signed(_sheet(one), most) for one in shown.values[:MOST]]
    ratio = cells[0].shape[1] / cells[0].shape[0]
    width, most_columns = (narrow(), COLUMNS) if ratio < 1.5 else (wide(), max(1, int(wide() / CELL)))
    columns = min(most_columns, len(cells))
    cell = min((width - 0.1) / columns, CELL)
    across, high = fitted(cells[0].shape[:2], cell - 0.09, 0.9)
    figure = new_figure(math.ceil(len(cells) / columns) * (high + 0.09) + 0.05, width)
    for i, raster in enumerate(cells):
        show(figure, (0.05 + i % columns * cell, 0.05 + i // columns * (high + 0.09), across, high), raster)
    return figure


def _sheet(one: np.ndarray) -> np.ndarray:
    """Return a filter `(*size, channels)` as rows and columns."""
    channels = one.shape[-1]
    if one.ndim == 2:
        return one[:, :MOST_LINES].T
    if channels > MOST_CHANNELS:
        return flat(one.mean(axis=-1))
    return np.concatenate([flat(one[..., c]) for c in range(channels)], axis=1)
