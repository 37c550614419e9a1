"""The fitness of a population by generation, of one seed or of several."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from shoal.codec import stored
from shoal.report.figures.canvas import Figure
from shoal.report.figures.drawable import Drawable
from shoal.report.figures.style import BLUE, INK, LEGEND_ABOVE, MUTED, VERMILION, add_axes, limits, new_figure, wide
from shoal.report.words import count


@stored("figure.generations")
@dataclass(frozen=True)
class Generations(Drawable):
    """The numbers of the figure, one entry for each generation of each seed.

    Attributes:
        seed, generation: which.
        quantiles: of the members' fitness: lowest, quartiles, highest, `(5, entries)`.
        selected: score of the champion on the starts for selection, NaN where it was not looked at.
        shown: the seed whose quantiles are drawn.
        score: what `selected` is, with its unit.
    """

    seed: np.ndarray
    generation: np.ndarray
    quantiles: np.ndarray
    selected: np.ndarray
    shown: int
    score: str

    @property
    def seeds(self) -> list[int]:
        """The seeds."""
        return sorted({int(seed) for seed in self.seed})

    @property
    def alt(self) -> str:
        generations, seeds = count(int(self.generation.max()), "generation"), count(len(self.seeds), "seed")
        return f"Fitness of the members in {generations}, {seeds}."

    @property
    def caption(self) -> str:
        others = " Thin lines are the medians of the other seeds." if len(self.seeds) > 1 else ""
        return (
            f"Left: the fitness of all members of seed {self.shown} in each generation, on its training starts: the "
            f"pale band from worst to best, the dark one the middle half, the line the median.{others} Right: the "
            f"champion of each seed on the starts for selection ({self.score}); it was judged on others."
        )

    def table(self) -> dict[str, Any]:
        names = ("worst", "lower_quartile", "median", "upper_quartile", "best")
        columns = dict(zip(names, self.quantiles, strict=True))
        return {"seed": self.seed, "generation": self.generation, **columns, "champion_selection_score": self.selected}


def draw(shown: Generations) -> Figure:
    """Draw the bands of one seed and the medians of the others, and the champions beside."""
    figure = new_figure(2.5, wide())
    across = figure.get_size_inches()[0]
    left = add_axes(figure, 0.72, 0.45, across / 2 + 0.15, 0.2)
    right = add_axes(figure, across / 2 + 0.55, 0.45, 0.12, 0.2)
    for seed in shown.seeds:
        here = shown.seed == seed
        at, quantiles, selected = shown.generation[here], shown.quantiles[:, here], shown.selected[here]
        looked = np.isfinite(selected)
        main = seed == shown.shown
        dot = "o" if looked.sum() < 12 else None
        right.plot(
            at[looked], selected[looked], color=VERMILION if main else MUTED, lw=1.4 if main else 0.6, marker=dot,
            ms=2.5, zorder=3 if main else 2, label=f"seed {seed}" if main else None, clip_on=False,
        )  # fmt: skip
        if not main:
            left.plot(at, quantiles[2], color=MUTED, lw=0.6)
            continue
        left.fill_between(at, quantiles[0], quantiles[4], color=BLUE, alpha=0.16, lw=0)
        left.fill_between(at, quantiles[1], quantiles[3], color=BLUE, alpha=0.3, lw=0)
        left.plot(
            at, quantiles[2], color=BLUE, lw=1.5, label=f"median of seed {seed}", marker="o" if len(at) == 1 else None
        )
        left.plot(at, quantiles[4], color=INK, lw=0.7, label="best member", marker="o" if len(at) == 1 else None)
    drawn = shown.quantiles[1:]
    left.set_ylim(*limits(drawn[np.isfinite(drawn)], log=False))
    for axes, name in ((left, "fitness in training"), (right, shown.score)):
        axes.set_xlim(0.5, max(float(shown.generation.max()), 1.5))
        axes.set(xlabel="generation", ylabel=name)
        axes.legend(**LEGEND_ABOVE)
    return figure
