"""How the answer changes with columns: partial dependence and accumulated local effects."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from shoal.codec import stored
from shoal.data.units import NO_UNITS, labelled
from shoal.evaluation.explanation.dependence import Dependence
from shoal.report.figures.canvas import Axes, Figure
from shoal.report.figures.drawable import Drawable
from shoal.report.figures.style import (
    BLUE,
    GREEN,
    MUTED,
    VERMILION,
    WIDE,
    add_axes,
    asked_width,
    bars,
    broken_lines,
    limits,
    name_text,
    new_figure,
    wide,
)
from shoal.report.words import capital, joined

ACROSS, MOST_OUTPUTS, MOST_CATEGORIES = 3, 3, 12
CELL = 1.55  # inches, the width of a panel with its labels at least
COLOURS, MARKS = (BLUE, VERMILION, GREEN), "osD"
DASHES: tuple[Any, ...] = ((0, (3, 2)), (0, (6, 1.5)), (0, (1.2, 1.2)))


@stored("figure.partial_dependence")
@dataclass(frozen=True)
class PartialDependence(Drawable):
    """The numbers of the figure: the effects of some columns, and which outputs are drawn.

    `classes`: whether the answers are probabilities.
    """

    effects: tuple[Dependence, ...]
    outputs: tuple[int, ...]
    classes: bool
    units: Mapping[str, str] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the outputs that are drawn."""
        return tuple(self.effects[0].outputs[i] for i in self.outputs)

    @property
    def alt(self) -> str:
        return f"{capital(self.label)} against {joined(one.column for one in self.effects)}."

    @property
    def label(self) -> str:
        """What the answers are."""
        if not self.classes:
            return f"predicted {name_text(labelled(self.names[0], self.units.get(self.names[0])))}"
        return f"probability of {name_text(self.names[0])}" if len(self.names) == 1 else "probability"

    @property
    def caption(self) -> str:
        forms = {one.preferred for one in self.effects}
        text = "Solid: " + " or ".join(
            {
                "partial": "the mean answer if all rows had this value (partial dependence)",
                "accumulated": "the mean answer and the accumulated local effect, for columns that go with others",
            }[form]
            for form in sorted(forms, reverse=True)
        )
        text += "; the band is the standard deviation over the networks"
        if any(one.partial.data is not None for one in self.effects):
            text += ", dotted lines that over the replicas"
        if any(one.accumulated is not None for one in self.effects):
            text += ". Dashed: the other of the two"
        text += ". Marks at the foot are rows"
        if any(one.curves is not None for one in self.effects):
            text += "; thin lines are single rows"
        left = len(self.effects[0].outputs) - len(self.outputs)
        return text + (
            "." if not left else f". Of {left + len(self.outputs)} classes those that change most are shown."
        )

    def table(self) -> dict[str, Any]:
        """Return all curves, one row for each column, output and value."""
        tables = [one.table() for one in self.effects]
        return {name: np.concatenate([np.asarray(table[name]) for table in tables]).tolist() for name in tables[0]}


def figure_of(
    effects: tuple[Dependence, ...], *, classes: bool, units: Mapping[str, str] = NO_UNITS
) -> PartialDependence:
    """Return the numbers of the figure, with the outputs that change most; `units` are those of columns."""
    change = np.max([np.ptp(one.effect.mean, axis=0) for one in effects], axis=0)
    chosen = np.sort(np.argsort(-change, kind="stable")[:MOST_OUTPUTS])
    return PartialDependence(effects, tuple(chosen.tolist()), classes, dict(units))


def _curves(one: Dependence) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the curve to be looked at and the other, as answers: accumulated effects are added to the mean answer."""
    if one.accumulated is None:
        return one.partial.mean, None
    accumulated = one.accumulated.mean + one.level
    return (accumulated, one.partial.mean) if one.preferred == "accumulated" else (one.partial.mean, accumulated)


def draw(shown: PartialDependence) -> Figure:
    """Draw a panel for each column, with one scale of answers for all."""
    count = len(shown.effects)
    most = max(1, min(ACROSS, int(wide() / CELL)))
    across = 2 if count == 4 and most > 2 else min(count, most)
    down, width = math.ceil(count / across), asked_width() or WIDE * across / ACROSS
    crowded = any(_slanted(_names(one)[1]) for one in shown.effects if one.kind == "category")
    cell, tall, bottom, top = width / across, 1.5, 0.85 if crowded else 0.45, 0.12
    legend, step = 0.28 if len(shown.outputs) > 1 else 0.0, tall + bottom + top
    figure = new_figure(down * step + legend, width)
    span = _span(shown)
    for i, one in enumerate(shown.effects):
        row, column = divmod(i, across)
        left, right = column * cell + 0.52, width - (column + 1) * cell + 0.1
        axes = add_axes(figure, left, (down - 1 - row) * step + bottom, right, row * step + top + legend)
        _panel(axes, one, shown.outputs)
        axes.set_ylim(*span)
        axes.set_xlabel(name_text(labelled(one.column, shown.units.get(one.column)), int((cell - 0.35) / 0.0633)))
        if column == 0:
            axes.set_ylabel(shown.label)
    if legend:
        several = len(shown.outputs)
        handles = [_line(colour, mark, several) for colour, mark, _ in zip(COLOURS, MARKS, shown.outputs, strict=False)]
        names = [name_text(name) for name in shown.names]
        figure.legend(handles, names, loc="upper left", ncols=3, bbox_to_anchor=(0.5 / width, 1.0), borderaxespad=0.1)
    return figure


def _line(colour: str, mark: str, several: int) -> Any:
    from matplotlib.lines import Line2D

    return Line2D([0.0], [0.0], color=colour, **_marked(mark, several))


def _marked(mark: str, several: int) -> dict[str, Any]:
    """Return how a line is told from others where colours are not seen."""
    return {"marker": mark, "ms": 3.2, "markevery": 0.25} if several > 1 else {}


def _span(shown: PartialDependence) -> tuple[float, float]:
    """Return the limits of the answers over all panels."""
    ends = []
    for one in shown.effects:
        curve, other = _curves(one)
        spread = np.nan_to_num(one.effect.members)
        parts = [curve - spread, curve + spread]
        parts += [] if other is None else [other]
        parts += [] if one.curves is None else [one.curves.reshape(-1, curve.shape[1])]
        ends += [part[:, list(shown.outputs)].ravel() for part in parts]
    low, high = limits(np.concatenate(ends), log=False)
    return low - 0.06 * (high - low), high  # room for the rug


def _panel(axes: Axes, one: Dependence, outputs: tuple[int, ...]) -> None:
    if one.kind in ("category", "boolean"):
        _points(axes, one, outputs)
        return
    grid = np.asarray(one.grid, np.float64)
    effect, (curve, other) = one.effect, _curves(one)
    for colour, mark, dashes, k in zip(COLOURS, MARKS, DASHES, outputs, strict=False):
        if one.curves is not None:
            axes.plot(*broken_lines(grid, one.curves[:, :, k]), color=colour, lw=0.4, alpha=0.3)
        spread = np.nan_to_num(effect.members[:, k])
        axes.fill_between(grid, curve[:, k] - spread, curve[:, k] + spread, color=colour, alpha=0.22, lw=0)
        axes.plot(grid, curve[:, k], color=colour, lw=1.4, **_marked(mark, len(outputs)))
        if other is not None:
            axes.plot(grid, other[:, k], color=colour, lw=0.8, ls=dashes)
        if effect.data is not None:
            for sign in (-1, 1):
                axes.plot(grid, curve[:, k] + sign * effect.data[:, k], color=colour, lw=0.4, ls=":")
    axes.plot(one.rug, np.full(len(one.rug), 0.0), "|", color=MUTED, ms=5, mew=0.5, alpha=0.6, clip_on=False,
              transform=axes.get_xaxis_transform())  # fmt: skip
    axes.set_xlim(*limits(grid, log=False, margin=0.02))
    _ticks(axes, one)


def _ticks(axes: Axes, one: Dependence) -> None:
    from matplotlib.ticker import MaxNLocator

    if one.kind == "date":
        places, names = date_ticks(float(one.grid[0]), float(one.grid[-1]))
        axes.set_xticks(places, names)
    else:
        axes.xaxis.set_major_locator(MaxNLocator(5))


def date_ticks(first: float, last: float, most: int = 3) -> tuple[list[float], list[str]]:
    """Return round dates between two days since 1970, and how they are written; of a short time, both its ends.

    >>> date_ticks(10.0, 900.0)
    ([365.0, 730.0], ['1971', '1972'])
    >>> date_ticks(10.0, 12.0)
    ([10.0, 12.0], ['1970-01-11', '1970-01-13'])
    """
    ends = np.asarray([first, last]).astype("datetime64[D]").astype("datetime64[M]").astype(int)
    for step in (1, 2, 3, 6, 12, 24, 60, 120, 240, 600, 1200):
        months = np.arange(-(-ends[0] // step) * step, ends[1] + 1, step).astype("datetime64[M]")
        days = months.astype("datetime64[D]").astype(float)
        inside = (days >= first) & (days <= last)
        if inside.sum() <= most:
            break
    if inside.sum() < 2:
        places = sorted({float(np.floor(first)), float(np.floor(last))})
        return places, [day_text(day) for day in places]
    return days[inside].tolist(), [str(month)[:4] if step >= 12 else str(month) for month in months[inside]]


def day_text(day: float) -> str:
    """Return days since 1970 as a date.

    >>> day_text(0.0), day_text(365.0)
    ('1970-01-01', '1971-01-01')
    """
    return str(np.datetime64(round(day), "D"))


def _points(axes: Axes, one: Dependence, outputs: tuple[int, ...]) -> None:
    """Draw a point with its band for each category, the most frequent ones if there are many."""
    chosen, names = _names(one)
    at, effect = np.arange(len(chosen)), one.partial
    for shift, (colour, mark, k) in enumerate(zip(COLOURS, MARKS, outputs, strict=False)):
        x = at + 0.16 * (shift - (len(outputs) - 1) / 2)
        mean, spread = effect.mean[chosen, k], np.nan_to_num(effect.members[chosen, k])
        if one.curves is not None:
            rows = one.curves[:, chosen, k]
            axes.plot(np.tile(x, len(rows)), rows.ravel(), "o", color=colour, ms=1.5, mew=0, alpha=0.3)
        axes.plot(*bars(x, mean - spread, mean + spread), color=colour, lw=1.5 - 0.35 * shift)
        axes.plot(x, mean, mark, color=colour, ms=4)
    how: Any = {"rotation": 35, "ha": "right", "rotation_mode": "anchor"} if _slanted(names) else {}
    axes.set_xticks(at, names, **how)
    axes.set_xlim(-0.5, len(chosen) - 0.5)


def _names(one: Dependence) -> tuple[np.ndarray, list[str]]:
    """Return the places of the categories that are drawn, and their names."""
    chosen = np.sort(np.argsort(-one.counts, kind="stable")[:MOST_CATEGORIES])
    if one.kind == "boolean":
        return chosen, ["false", "true"]
    return chosen, [name_text(str(one.grid[i]), 14) for i in chosen]


def _slanted(names: list[str]) -> bool:
    return sum(map(len, names)) > 18
