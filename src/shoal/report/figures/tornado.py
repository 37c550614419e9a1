"""A tornado: how far each variation moves one number, up and down, the largest first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from shoal.codec import stored
from shoal.evaluation.systematics.shifts import NOISE, Systematics
from shoal.evaluation.systematics.variations import SIDES
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
    beside_rows,
    name_rows,
    name_text,
    new_figure,
)
from shoal.report.words import count, label, number

MOST = 25
COLOURS = {"up": BLUE, "down": VERMILION}
HATCHES: dict[str, dict[str, Any]] = {"up": {}, "down": {"hatch": "/////", "edgecolor": PAPER}}


@stored("figure.tornado")
@dataclass(frozen=True)
class Tornado:
    """The numbers of the figure: the shifts of one number by each variation, the largest first.

    `shifts`, `errors` and `noise` hold arrays `(variations,)` for `up` and `down`; `mirrored` the side that was not
    given, or nothing.
    """

    quantity: str
    nominal: float
    error: float
    names: tuple[str, ...]
    shifts: dict[str, np.ndarray]
    errors: dict[str, np.ndarray]
    noise: dict[str, np.ndarray]
    mirrored: tuple[str, ...]
    total: tuple[float, float]
    pruned: bool = False

    @property
    def alt(self) -> str:
        return (
            f"Shifts of {label(self.quantity)} by {count(len(self.names), 'variation')}, the largest first; together "
            f"+{number(self.total[0], 2)} −{number(self.total[1], 2)}."
        )

    @property
    def caption(self) -> str:
        rest = f" The {MOST} largest of {len(self.names)} are shown." if len(self.names) > MOST else ""
        pruned = ", those compatible with none left out" if self.pruned else ""
        band = f" The grey band is the statistical error of the value itself, {number(self.error, 2)}."
        band = band if np.isfinite(self.error) else ""
        mirrored = " Outlined bars mirror the side that was not given." if any(self.mirrored) else ""
        return (
            f"Shift of {label(self.quantity)}, which is {number(self.nominal)}, by each variation up (blue) and down "
            "(vermilion, hatched), with its statistical error. Pale bars are compatible with no shift, within "
            f"{NOISE:g} of their errors.{mirrored}{band} The last row adds all shifts in quadrature, upward and "
            f"downward each for itself{pruned}.{rest}"
        )

    def table(self) -> dict[str, Any]:
        """Return the numbers, one row for each variation, the total last."""
        columns: dict[str, Any] = {"variation": [*self.names, "total"]}
        for side, sign, total in zip(SIDES, (1.0, -1.0), self.total, strict=True):
            columns[f"shift_{side}"] = [*self.shifts[side], sign * total]
            columns[f"error_{side}"] = [*self.errors[side], None]
            columns[f"noise_{side}"] = [*self.noise[side].tolist(), None]
        return {**columns, "mirrored": [*self.mirrored, ""]}


def of(systematics: Systematics, quantity: str | None = None) -> Tornado:
    """Return the numbers of the figure; by default of the number that decides."""
    name = quantity or systematics.main
    at, effects = systematics.at(name), systematics.sorted(name)

    def each(part: str) -> dict[str, np.ndarray]:
        return {side: np.array([getattr(effect.sides[side], part)[at] for effect in effects]) for side in SIDES}

    return Tornado(
        name,
        float(systematics.nominal[at]),
        float(systematics.error[at]),
        tuple(effect.name for effect in effects),
        each("shift"),
        each("error"),
        each("noise"),
        tuple(effect.mirrored or "" for effect in effects),
        (float(systematics.up[at]), float(systematics.down[at])),
        systematics.pruned,
    )


def draw(shown: Tornado) -> Figure:
    """Draw two thin bars for each variation and, below, the total."""
    from matplotlib.patches import Patch
    from matplotlib.ticker import MaxNLocator

    named = [name_text(label(name), 28) for name in shown.names[:MOST]]
    (*names, total), left, width = beside_rows([*named, "total"], 1.9)
    rows, left = len(names) + 1, max(0.5, left)
    figure = new_figure(0.26 * rows + 0.85, width)
    axes = add_axes(figure, left, 0.45, 0.15, 0.32)
    if np.isfinite(shown.error):
        axes.axvspan(-shown.error, shown.error, color=GRID, alpha=0.6, lw=0, zorder=0)
    axes.axvline(0.0, color=INK, lw=0.7)
    for side, offset in zip(SIDES, (-0.18, 0.18), strict=True):
        _bars(axes, shown, side, COLOURS[side], offset)
    up, down = shown.total
    axes.barh([rows - 1], [up], 0.5, color=MUTED, alpha=0.6, lw=0)
    axes.barh([rows - 1], [-down], 0.5, color=MUTED, alpha=0.6, lw=0)
    axes.axhline(rows - 1.5, color=MUTED, lw=0.5)
    name_rows(axes, [*names, total])
    axes.set_ylim(rows - 0.4, -0.6)
    axes.margins(x=0.06)
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.set_xlabel(f"shift of {name_text(label(shown.quantity))} from {number(shown.nominal)}", loc="right")
    handles = [Patch(facecolor=COLOURS[side], label=side, lw=0, **HATCHES[side]) for side in SIDES]
    if np.isfinite(shown.error):
        handles.append(Patch(facecolor=GRID, alpha=0.6, lw=0, label="statistical error"))
    axes.legend(handles=handles, **LEGEND_ABOVE)
    return figure


def _bars(axes: Axes, shown: Tornado, side: str, colour: str, offset: float) -> None:
    """Draw the bars of one side with their errors; those that are noise are pale, mirrored ones outlined."""
    for place, mirrored in enumerate(shown.mirrored[:MOST]):
        shift, error = float(shown.shifts[side][place]), float(shown.errors[side][place])
        if not np.isfinite(shift):
            continue
        y, alpha = place + offset, 0.35 if shown.noise[side][place] else 1.0
        if mirrored == side:
            axes.barh([y], [shift], 0.3, facecolor="none", edgecolor=colour, alpha=alpha, lw=0.8)
        else:
            axes.barh([y], [shift], 0.34, facecolor=colour, alpha=alpha, lw=0, **HATCHES[side])
        axes.plot([shift - error, shift + error], [y, y], color=INK, lw=0.7, solid_capstyle="butt")
