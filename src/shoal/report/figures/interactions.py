"""How much of what two columns do neither does by itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from shoal.codec import stored
from shoal.data.units import NO_UNITS, labelled
from shoal.evaluation.explanation.interactions import Interactions
from shoal.evaluation.explanation.scores import Estimate
from shoal.report.figures.canvas import Axes, Figure
from shoal.report.figures.drawable import Drawable
from shoal.report.figures.style import (
    BLUE,
    MUTED,
    add_axes,
    beside_rows,
    limits,
    name_rows,
    name_text,
    new_figure,
    wide,
)
from shoal.report.words import count, integer

ROW = 0.22  # inches


@stored("figure.interactions")
@dataclass(frozen=True)
class InteractionsFigure(Drawable):
    """The numbers of the figure, the strongest interaction first."""

    found: Interactions
    classes: bool
    unit: str = ""

    @property
    def labels(self) -> tuple[str, ...]:
        """What stands beside each line."""
        return tuple(" × ".join(name_text(name, 20) for name in pair.columns) for pair in self.found.pairs)

    @property
    def alt(self) -> str:
        return f"Interactions of {count(len(self.found.pairs), 'pair')} of columns; the strongest is {self.labels[0]}."

    @property
    def caption(self) -> str:
        return (
            "Left: root mean square of what two columns do together that neither does by itself. Right: its share, "
            "Friedman's H, which is large by chance where both do little. Bars are standard errors, over the networks "
            f"and over {integer(self.found.rows)} rows."
        )

    def table(self) -> dict[str, Any]:
        """Return the interactions, one row for each pair."""
        return self.found.table()


def figure_of(found: Interactions, *, classes: bool, units: Mapping[str, str] = NO_UNITS) -> InteractionsFigure:
    """Return the numbers of the figure; `units` are those of columns."""
    return InteractionsFigure(found, classes, "" if classes else units.get(found.outputs[0], ""))


def draw(shown: InteractionsFigure) -> Figure:
    """Draw strength and H side by side, a line for each pair."""
    pairs, narrow = shown.found.pairs, wide() < 4.5
    names, left, width = beside_rows(shown.labels, 1.4 if narrow else 3.4)
    width = max(width, wide())
    panel, height = (width - left - 0.4) / 2, ROW * len(pairs)
    figure = new_figure(height + 0.62 + (height + 0.62 if narrow else 0.0), width)
    if narrow:  # below each other
        strength = add_axes(figure, left, height + 0.62 + 0.5, 0.12, 0.12)
        share = add_axes(figure, left, 0.5, 0.12, height + 0.62 + 0.12)
    else:
        strength = add_axes(figure, left, 0.5, width - left - panel, 0.12)
        share = add_axes(figure, left + panel + 0.28, 0.5, 0.12, 0.12)
    target = "probability" if shown.classes else f"predicted {name_text(labelled(shown.found.outputs[0], shown.unit))}"
    _panel(strength, names, [pair.strength for pair in pairs], f"strength in the {target}")
    _panel(share, names, [pair.h for pair in pairs], "Friedman's H")
    if not narrow:
        share.set_yticks([])
    return figure


def _panel(axes: Axes, names: list[str], estimates: list[Estimate], label: str) -> None:
    values = np.asarray([estimate.value for estimate in estimates])
    errors = np.nan_to_num([estimate.error for estimate in estimates])
    for row, (value, error) in enumerate(zip(values, errors, strict=True)):
        axes.plot([max(value - error, 0.0), value + error], [row, row], color=BLUE, lw=1.4, solid_capstyle="butt")
    axes.plot(values, range(len(values)), "o", color=BLUE, ms=4.5)
    axes.axvline(0.0, color=MUTED, lw=0.7, ls=(0, (4, 3)))
    name_rows(axes, names)
    axes.set_xlim(*limits(np.concatenate([values + errors, [0.0]]), log=False))
    axes.set_xlabel(label, loc="right")
    axes.locator_params(axis="x", nbins=5)
