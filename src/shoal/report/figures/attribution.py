"""The parts that columns have in the answer for one row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from shoal.codec import stored
from shoal.data.units import NO_UNITS, labelled
from shoal.evaluation.explanation.attribution import Attribution
from shoal.report.figures.canvas import Figure
from shoal.report.figures.drawable import Drawable
from shoal.report.figures.style import (
    BLUE,
    INK,
    MUTED,
    VERMILION,
    add_axes,
    beside_rows,
    limits,
    name_rows,
    name_text,
    new_figure,
)
from shoal.report.words import number

MOST = 14
ROW = 0.22  # inches
HOW = {"gradients": "Integrated gradients (Sundararajan et al. 2017)", "shapley": "Shapley values by sampling"}


@stored("figure.attribution")
@dataclass(frozen=True)
class AttributionFigure(Drawable):
    """The numbers of the figure: labels with parts and errors, the largest first; the last may be all others."""

    found: Attribution
    labels: tuple[str, ...]
    parts: np.ndarray
    errors: np.ndarray
    classes: bool
    unit: str = ""

    @property
    def what(self) -> str:
        """What is taken apart."""
        named = self.found.output if self.classes else labelled(self.found.output, self.unit)
        return f"{'probability of' if self.classes else 'predicted'} {name_text(named)}"

    @property
    def alt(self) -> str:
        return f"Parts of the {self.what} of row {self.found.row + 1}; the largest is that of {self.labels[0]}."

    @property
    def caption(self) -> str:
        found = self.found
        return (
            f"Row {found.row + 1}: {self.what}, {number(found.answer)}, taken apart by columns. {HOW[found.method]}; "
            f"the parts add up to the difference from {number(found.baseline)}, the answer for {found.background}. "
            "Bars are standard deviations over the networks. It tells what the networks go by, not causes."
        )

    def table(self) -> dict[str, Any]:
        """Return the parts of all columns, the largest first."""
        return self.found.table()


def figure_of(found: Attribution, *, classes: bool, units: Mapping[str, str] = NO_UNITS) -> AttributionFigure:
    """Return the numbers of the figure; columns beyond the largest parts are one. `units` are those of columns."""
    order = found.order
    first, rest = (order, order[:0]) if len(order) <= MOST else (order[: MOST - 1], order[MOST - 1 :])
    labels = [f"{name_text(found.columns[i], 20)} = {name_text(found.values[i], 12)}" for i in first]
    parts, errors = found.parts[first], found.members[first]
    if len(rest):
        labels.append(f"{len(rest)} others")
        parts = np.append(parts, found.parts[rest].sum())
        errors = np.append(errors, np.sqrt((found.members[rest] ** 2).sum()))
    return AttributionFigure(found, tuple(labels), parts, errors, classes, units.get(found.output, ""))


def draw(shown: AttributionFigure) -> Figure:
    """Draw a bar for each part, to the right where it raises the answer."""
    count = len(shown.labels)
    names, left, width = beside_rows(shown.labels, 1.6)
    figure = new_figure(ROW * count + 0.85, width)
    axes = add_axes(figure, left, 0.45, 0.14, 0.34)
    rows, errors = np.arange(count), np.nan_to_num(shown.errors)
    axes.barh(rows, shown.parts, 0.62, color=[BLUE if part >= 0 else VERMILION for part in shown.parts], lw=0)
    for row, part, error in zip(rows, shown.parts, errors, strict=True):
        axes.plot([part - error, part + error], [row, row], color=INK, lw=0.9, solid_capstyle="butt")
    axes.axvline(0.0, color=MUTED, lw=0.7)
    name_rows(axes, names)
    axes.set_xlim(*limits(np.concatenate([shown.parts - errors, shown.parts + errors, [0.0]]), log=False))
    axes.set_xlabel(f"part of the {shown.what}", loc="right")
    axes.locator_params(axis="x", nbins=max(2, int((width - left) / 0.45)))
    found = shown.found
    axes.set_title(f"row {found.row + 1}: {number(found.answer)}, against {number(found.baseline)}", loc="right")
    return figure
