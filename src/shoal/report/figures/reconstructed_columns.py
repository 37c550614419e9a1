"""Columns of a table against their reconstruction."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from shoal.codec import stored
from shoal.evaluation.record import Record
from shoal.evaluation.topics.reconstruction import ReconstructionRecord
from shoal.report.figures.canvas import Axes, Figure
from shoal.report.figures.style import BLUE, DASHED, add_axes, limits, name_text, new_figure, wide
from shoal.report.figures.tabular import Columns, of, side_by_side
from shoal.report.words import count

PLACE = 150
CELL, MOST = 1.6, 6


@stored("figure.reconstructed_columns")
@dataclass(frozen=True)
class ReconstructedColumns:
    """The numbers of the figure: some columns `(rows, columns)` with their names; `left` are not shown."""

    names: tuple[str, ...]
    truth: np.ndarray
    guess: np.ndarray
    left: int

    def table(self) -> Columns:
        """Return the numbers, one row for each test row, in units of each column's scatter."""
        both = zip(self.names, self.truth.T, self.guess.T, strict=True)
        return side_by_side(
            [{of(name, "input"): truth, of(name, "reconstruction"): guess} for name, truth, guess in both]
        )

    @property
    def alt(self) -> str:
        return f"Reconstruction against input for {count(len(self.names), 'column')}."

    @property
    def caption(self) -> str:
        which = "Each point is a test row; on the dashed line input and reconstruction agree."
        unit = " Values are in units of each column's scatter."
        left = f" Of {len(self.names) + self.left} inputs those reconstructed best, typically and worst are shown."
        return which + unit + (left if self.left else "")


def numbers(record: Record) -> ReconstructedColumns | None:
    """Return the numbers of the figure, or None where rows are not those of a table."""
    reconstruction = record.get(ReconstructionRecord)
    if reconstruction is None or reconstruction.kind != "table":
        return None
    order = np.argsort(reconstruction.noise, kind="stable")
    places = np.linspace(0, len(order) - 1, min(MOST, len(order))).round().astype(int)
    chosen = order[places]
    names = tuple(reconstruction.names[i] for i in chosen)
    few = reconstruction.usual
    return ReconstructedColumns(names, few.truth[:, chosen], few.guess[:, chosen], len(order) - len(chosen))


def draw(shown: ReconstructedColumns) -> Figure:
    """Draw a panel for each column, two or three beside each other."""
    columns = min(3, max(1, int(wide() / CELL)))
    rows = math.ceil(len(shown.names) / columns)
    cell, bottom, top = wide() / columns, 0.42, 0.26
    tall = min(1.6, cell - 0.5)
    step = tall + bottom + top
    figure = new_figure(rows * step, wide())
    for i, name in enumerate(shown.names):
        row, column = divmod(i, columns)
        left, right = column * cell + 0.5, wide() - (column + 1) * cell + 0.12
        axes = add_axes(figure, left, (rows - 1 - row) * step + bottom, right, row * step + top)
        _panel(axes, shown.truth[:, i], shown.guess[:, i])
        axes.set_title(name_text(name, int((cell - 0.5) / 0.065)))
        if row == rows - 1 or i + columns >= len(shown.names):
            axes.set_xlabel("input")
        if column == 0:
            axes.set_ylabel("reconstruction")
    return figure


def _panel(axes: Axes, truth: np.ndarray, guess: np.ndarray) -> None:
    span = limits(np.concatenate([truth, guess]), log=False)
    axes.plot(span, span, **DASHED)
    axes.plot(truth, guess, "o", ms=2.2, mew=0, color=BLUE, alpha=0.45, rasterized=len(truth) > 1500)
    axes.set(xlim=span, ylim=span)
