"""How well each size of the bottleneck reconstructs validation rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shoal.codec import stored
from shoal.evaluation.record import Record
from shoal.evaluation.topics.reconstruction import ReconstructionRecord
from shoal.report.figures.canvas import Figure
from shoal.report.figures.style import BLUE, DASHED, INK, add_axes, limits, log_scale, new_figure, set_log
from shoal.report.figures.tabular import Columns
from shoal.report.words import joined
from shoal.search.results.ranking import WITHIN

PLACE = 160


@stored("figure.bottlenecks")
@dataclass(frozen=True)
class Bottlenecks:
    """The numbers of the figure: the best score of each size, and the size that was chosen."""

    sizes: np.ndarray
    scores: np.ndarray
    chosen: int

    def table(self) -> Columns:
        chosen = self.sizes == self.chosen
        return {"bottleneck": self.sizes, "best_validation_score": self.scores, "chosen": chosen}

    @property
    def alt(self) -> str:
        return f"Best validation score with a bottleneck of {joined(str(size) for size in self.sizes)} numbers."

    @property
    def caption(self) -> str:
        return (
            f"The best validation score of each bottleneck. A wider one all but always reconstructs better; the "
            f"smallest whose best score is within {100 * WITHIN:.0f} % of the best of all was chosen: {self.chosen}."
        )


def numbers(record: Record) -> Bottlenecks | None:
    """Return the numbers of the figure, or None where fewer than two sizes were tried."""
    reconstruction = record.get(ReconstructionRecord)
    if reconstruction is None or len(reconstruction.sizes) < 2:
        return None
    sizes, scores = (np.asarray(column, float) for column in zip(*reconstruction.sizes, strict=True))
    return Bottlenecks(sizes.astype(int), scores, reconstruction.bottleneck)


def draw(shown: Bottlenecks) -> Figure:
    """Draw a line over the sizes; a ring marks the chosen one, a dashed line what is good enough."""
    figure = new_figure(2.5)
    axes = add_axes(figure, 0.62, 0.45, 0.15, 0.12)
    enough = (1.0 + WITHIN) * float(shown.scores.min())
    axes.axhline(enough, **DASHED)
    axes.plot(shown.sizes, shown.scores, "o-", color=BLUE, ms=4)
    chosen = shown.sizes == shown.chosen
    axes.plot(shown.sizes[chosen], shown.scores[chosen], "o", ms=9, mfc="none", mec=INK, mew=1.1)
    axes.set_xscale("log", base=2)
    axes.set_xticks(shown.sizes, [str(size) for size in shown.sizes])
    axes.minorticks_off()
    values = np.append(shown.scores, enough)
    if log_scale(values, 4.0):
        set_log(axes, "y", *limits(values, log=True))
    axes.set(xlabel="bottleneck: numbers of a code", ylabel="best validation score")
    return figure
