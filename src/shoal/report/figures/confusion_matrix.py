"""The confusion matrix: counts, and shares of each true class."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from shoal.codec import stored
from shoal.evaluation.record import Record
from shoal.evaluation.topics.data import DataRecord
from shoal.evaluation.topics.predictions import PredictedTestRows
from shoal.report.figures.canvas import Axes, Figure
from shoal.report.figures.style import (
    BLUE,
    GRID,
    INK,
    ON_BLUE,
    VERMILION,
    add_axes,
    name_text,
    narrow,
    new_figure,
    text_width,
    wide,
)
from shoal.report.figures.tabular import Columns
from shoal.report.words import number, short
from shoal.statistics.metrics import confusion_matrix

PLACE = 50
MOST_WITH_TEXT = 40
SMALLEST = 4.5  # points
TALLEST = 1.2  # inches of a cell


@stored("figure.confusion")
@dataclass(frozen=True)
class Confusion:
    """The numbers of the figure: `counts` and `shares` are `(true classes, predicted classes)`.

    Counts are sums of weights where rows have weights; `shares` are NaN for a class without test rows.
    """

    counts: np.ndarray
    shares: np.ndarray
    classes: tuple[str, ...]
    weighted: bool
    unit: str = "row"

    def table(self) -> Columns:
        k = len(self.classes)
        amount = "sum_of_weights" if self.weighted else f"{self.unit}s"
        return {
            "true_class": [name for name in self.classes for _ in range(k)],
            "predicted_class": [*self.classes] * k,
            amount: self.counts.ravel(),
            "share_of_true_class": self.shares.ravel(),
        }

    @property
    def alt(self) -> str:
        right, total = np.trace(self.counts), self.counts.sum()
        share = f" {100 * right / total:.0f} % are on the diagonal." if total > 0 else ""
        return f"Confusion matrix of {len(self.classes)} classes on the test {self.unit}s.{share}"

    @property
    def caption(self) -> str:
        what = "Sums of weights" if self.weighted else f"Test {self.unit}s"
        return f"{what} by true and predicted class. Colour: the share of the true class's row."


def numbers(record: Record) -> Confusion | None:
    """Return the numbers of the figure, or None in regression."""
    rows = record.get(PredictedTestRows)
    if rows is None or rows.probabilities is None:
        return None
    counts = confusion_matrix(rows.truth, rows.probabilities, rows.weights).astype(float)
    total = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, total, out=np.full_like(counts, np.nan), where=total > 0)
    return Confusion(counts, shares, record[DataRecord].classes, rows.weights is not None, rows.unit)


def draw(shown: Confusion) -> Figure:
    """Draw the matrix; cells grow smaller and lose their texts as classes become many."""
    k = len(shown.classes)
    names = [name_text(c, 18) for c in shown.classes]
    size = 7.5 if k <= 12 else 6.0 if k <= 30 else SMALLEST
    every = math.ceil(size / (72 * _room(names, size)[1]))  # a name for each class, or as many as there is room for
    label_room, cell = _room(names, size, every)
    left, tall = 0.27 + label_room, min(cell, TALLEST)
    upright = text_width(names, size) > cell * 0.95
    bottom = 0.3 + (label_room if upright else 0.18)
    figure = new_figure(tall * k + bottom + 0.08, cell * k + left + 0.12)
    axes = add_axes(figure, left, bottom, 0.12, 0.08)
    _cells(axes, shown)
    if k <= MOST_WITH_TEXT and tall >= 0.14:
        _texts(axes, shown, tall)
    axes.set(xlim=(0, k), ylim=(k, 0), xlabel="predicted class", ylabel="true class")
    places = np.arange(k)[::every] + 0.5
    axes.set_xticks(places, names[::every], rotation=90 if upright else 0, size=size)
    axes.set_yticks(places, names[::every], size=size)
    axes.tick_params(length=0, pad=3)
    axes.spines[["top", "right"]].set_visible(True)
    return figure


def _room(names: list[str], size: float, every: int = 1) -> tuple[float, float]:
    """Return the room for names and the width of a cell, in inches."""
    room = text_width(names[::every], size) + 0.1
    margins = 0.27 + room + 0.12
    width = max(narrow(), min(wide(), margins + 0.22 * len(names)))
    return room, (width - margins) / len(names)


def _cells(axes: Axes, shown: Confusion) -> None:
    from matplotlib.collections import LineCollection, PolyCollection
    from matplotlib.colors import to_rgba

    k = len(shown.classes)
    strength = np.nan_to_num(shown.shares)
    rows, columns = np.nonzero(strength)
    corners = np.array([(0, 0), (1, 0), (1, 1), (0, 1)])
    colours = [
        to_rgba(BLUE if strength[r, c] > 0 else VERMILION, min(abs(strength[r, c]), 1.0))
        for r, c in zip(rows, columns, strict=True)
    ]
    squares = [corners + np.array([c, r]) for r, c in zip(rows, columns, strict=True)]
    axes.add_collection(PolyCollection(squares, facecolors=colours, edgecolors="none"), autolim=False)
    lines = [((i, 0), (i, k)) for i in range(1, k)] + [((0, i), (k, i)) for i in range(1, k)]
    axes.add_collection(LineCollection(lines, colors=GRID, linewidths=0.5), autolim=False)


def _texts(axes: Axes, shown: Confusion, cell: float) -> None:
    with_share = cell >= 0.42
    size = float(np.clip(cell * 22, SMALLEST, 9.0))
    for (row, column), amount in np.ndenumerate(shown.counts):
        share = shown.shares[row, column]
        if amount == 0 and not with_share:
            continue
        colour = ON_BLUE if share > 0.55 else INK
        text = short(amount) if float(amount).is_integer() else number(amount)
        place: dict[str, Any] = {"ha": "center", "va": "center", "color": colour}
        lift = 0.09 if with_share and amount else 0.0
        axes.text(column + 0.5, row + 0.5 - lift, text, size=size, alpha=1.0 if amount else 0.45, **place)
        if lift:
            axes.text(column + 0.5, row + 0.72, f"{100 * share:.0f} %", size=min(size, 6.5), **place)
