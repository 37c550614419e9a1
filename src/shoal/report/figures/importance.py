"""How much worse a score becomes when columns are permuted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from shoal.codec import stored
from shoal.data.units import NO_UNITS, labelled, squared
from shoal.evaluation.explanation.importance import Importance, ImportanceTable, scores_of
from shoal.evaluation.explanation.scores import Score
from shoal.evaluation.record import Record
from shoal.evaluation.topics.data import DataRecord
from shoal.report.figures.canvas import Figure
from shoal.report.figures.drawable import Drawable
from shoal.report.figures.style import (
    BLUE,
    MUTED,
    PAPER,
    add_axes,
    bars,
    beside_rows,
    limits,
    name_rows,
    name_text,
    new_figure,
    text_width,
)
from shoal.report.words import capital, count, integer, joined

PLACE = 210
MOST = 24
ROW = 0.21  # inches
INDENT = "   "
MOST_NAMED = 3


@stored("importance.row")
@dataclass(frozen=True)
class ImportanceRow:
    """A line of the figure; `alone`: one column of a group, by itself."""

    columns: tuple[str, ...]
    value: float
    error: float
    alone: bool

    @property
    def label(self) -> str:
        """What stands beside the line."""
        names = " + ".join(name_text(name, 18) for name in self.columns[:2])
        more = f" + {len(self.columns) - 2} more" if len(self.columns) > 2 else ""
        return (INDENT + "alone: " if self.alone else "") + names + more


@stored("figure.importance")
@dataclass(frozen=True)
class ImportanceFigure(Drawable):
    """The numbers of the figure: the lines that are shown, and the whole table."""

    rows: tuple[ImportanceRow, ...]
    found: ImportanceTable
    unit: str = ""

    @property
    def score(self) -> Score:
        """The score that is lost."""
        return scores_of(self.found)[0]

    @property
    def alt(self) -> str:
        names = self.rows[0].columns
        left = len(names) - MOST_NAMED
        first = joined([*names[:MOST_NAMED], f"{left} more"] if left > 0 else names)
        return f"{capital(self.score.change)} when columns are permuted; most by {first}."

    @property
    def caption(self) -> str:
        found = self.found
        left = len(found.groups) + len(found.alone) - len(self.rows)
        text = (
            f"{capital(self.score.change)} when the values of a column are dealt to the rows anew, averaged "
            f"over {count(found.repeats, 'permutation')} of {integer(found.rows)} {found.on}. Bars are standard "
            "errors, over rows, permutations and networks."
        )
        if found.alone:
            text += (
                f" Columns that go together (|ρ| of {found.above:g} or more) are permuted together; each alone (grey) "
                "seems to matter less than it does, since the others stand in for it."
            )
        return text + (f" {count(left, 'line')} of less importance not shown." if left else "")

    def table(self) -> dict[str, Any]:
        """Return every importance with its errors, one row for each group and each column of one."""
        found = [*self.found.groups, *self.found.alone]
        columns: dict[str, Any] = {
            "columns": [" + ".join(one.columns) for one in found],
            "alone": [False] * len(self.found.groups) + [True] * len(self.found.alone),
        }
        for score in found[0].scores:
            estimates = [one.scores[score] for one in found]
            unit = {"rmse": self.unit, "mae": self.unit, "mse": squared(self.unit)}.get(score, "")
            columns[labelled(score, unit)] = [one.value for one in estimates]
            for part in ("error", "rows", "permutations", "members"):
                columns[labelled(f"{score}_{part}", unit)] = [getattr(one, part) for one in estimates]
        return columns


def numbers(record: Record) -> ImportanceFigure | None:
    """Return the numbers of the figure, or None if no importance was measured."""
    table = record.get(ImportanceTable)
    return None if table is None else figure_of(table, record[DataRecord].units)


def figure_of(found: ImportanceTable, units: Mapping[str, str] = NO_UNITS) -> ImportanceFigure:
    """Return the numbers of the figure; `units` are those of columns."""
    score = scores_of(found)[0]
    rows = [_row(one, score, alone=alone) for one, alone in found.lines]
    return ImportanceFigure(tuple(rows[:MOST]), found, units.get(found.target, ""))


def _row(one: Importance, score: Score, *, alone: bool) -> ImportanceRow:
    estimate = one.scores[score.name]
    return ImportanceRow(one.columns, estimate.value, estimate.error, alone)


def draw(shown: ImportanceFigure) -> Figure:
    """Draw a dot with its error for each line, the most important at the top."""
    rows = shown.rows
    names, left, width = beside_rows([row.label for row in rows], 1.5)
    figure = new_figure(ROW * len(rows) + 0.62, width)
    axes = add_axes(figure, left, 0.5, 0.14, 0.12)
    axes.axvline(0.0, color=MUTED, lw=0.7, ls=(0, (4, 3)))
    values, errors = np.asarray([row.value for row in rows]), np.nan_to_num([row.error for row in rows])
    lone = np.asarray([row.alone for row in rows])
    for of_kind, colour, face, size in ((~lone, BLUE, BLUE, 5.0), (lone, MUTED, PAPER, 3.5)):
        places = np.flatnonzero(of_kind)
        ends, at = bars(places, values[of_kind] - errors[of_kind], values[of_kind] + errors[of_kind])[::-1]
        axes.plot(ends, at, color=colour, lw=1.4 if colour == BLUE else 1.0, solid_capstyle="butt")
        axes.plot(values[of_kind], places, "o", color=colour, mfc=face, ms=size)
    name_rows(axes, names)
    axes.set_xlim(*limits(np.concatenate([values - errors, values + errors, [0.0]]), log=False))
    target = labelled(shown.found.target, shown.unit)
    text = shown.score.change + (f" of {name_text(target)}" if target else "")
    axes.set_xlabel(text, loc="right" if text_width([text], 8) > width - left - 0.14 else "center")
    axes.locator_params(axis="x", nbins=max(2, int((width - left) / 0.45)))
    return figure
