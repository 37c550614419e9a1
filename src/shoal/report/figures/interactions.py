"""How much of what two columns do neither does by itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.evaluation.explanation.interactions import Interactions
from shoal.evaluation.explanation.scores import Estimate
from shoal.report.figures.drawable import Drawable
from shoal.report.figures.rasters import WIDE
from shoal.report.figures.style import BLUE, MUTED, add_axes, limits, name_text, new_figure, text_width
from shoal.report.words import count, integer

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ROW = 0.22  # inches


@dataclass(frozen=True)
class InteractionsFigure(Drawable):
    """The numbers of the figure, the strongest interaction first."""

    found: Interactions
    classes: bool

    @property
    def labels(self) -> tuple[str, ...]:
        """What stands beside each line."""
        return tuple(" × ".join(name_text(name, 20) for name in pair.columns) for pair in self.found.pairs)

    @property
    def alt(self) -> str:
        """What the figure shows, in a sentence."""
        return f"Interactions of {count(len(self.found.pairs), 'pair')} of columns; the strongest is {self.labels[0]}."

    @property
    def caption(self) -> str:
        """How to read the figure."""
        return (
            "Left: root mean square of what two columns do together that neither does by itself. Right: its share, "
            "Friedman's H, which is large by chance where both do little. Bars are standard errors, over the networks "
            f"and over {integer(self.found.rows)} rows."
        )

    def table(self) -> dict[str, Any]:
        """Return the interactions, one row for each pair."""
        return self.found.table()


def figure_of(found: Interactions, *, classes: bool) -> InteractionsFigure:
    """Return the numbers of the figure."""
    return InteractionsFigure(found, classes)


def draw(shown: InteractionsFigure) -> Figure:
    """Draw strength and H side by side, a line for each pair."""
    pairs, left = shown.found.pairs, text_width(shown.labels) + 0.12
    width = max(WIDE, left + 3.4)
    panel = (width - left - 0.4) / 2
    figure = new_figure(ROW * len(pairs) + 0.62, width)
    strength = add_axes(figure, left, 0.5, width - left - panel, 0.12)
    share = add_axes(figure, left + panel + 0.28, 0.5, 0.12, 0.12)
    unit = "probability" if shown.classes else f"predicted {name_text(shown.found.outputs[0])}"
    _panel(strength, [pair.strength for pair in pairs], f"strength in the {unit}")
    _panel(share, [pair.h for pair in pairs], "Friedman's H")
    strength.set_yticks(range(len(pairs)), shown.labels)
    share.set_yticks([])
    return figure


def _panel(axes: Axes, estimates: list[Estimate], label: str) -> None:
    values = np.asarray([one.value for one in estimates])
    errors = np.nan_to_num([one.error for one in estimates])
    for row, (value, error) in enumerate(zip(values, errors, strict=True)):
        axes.plot([max(value - error, 0.0), value + error], [row, row], color=BLUE, lw=1.4, solid_capstyle="butt")
    axes.plot(values, range(len(values)), "o", color=BLUE, ms=4.5)
    axes.axvline(0.0, color=MUTED, lw=0.7, ls=(0, (4, 3)))
    axes.set_ylim(len(values) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.set_xlim(*limits(np.concatenate([values + errors, [0.0]]), log=False))
    axes.set_xlabel(label)
