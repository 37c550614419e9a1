"""Formulas: how far each is from the ensemble and from the truth, by its length."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shoal.codec import stored
from shoal.evaluation.formula.formulas import Formulas
from shoal.report.figures.canvas import Axes, Figure
from shoal.report.figures.style import (
    BLUE,
    DASHED,
    GRID,
    INK,
    MUTED,
    VERMILION,
    bars,
    fit_axis,
    limits,
    name_text,
    stacked,
)
from shoal.report.figures.tabular import Columns
from shoal.statistics.metrics import METRICS


@stored("figure.formula_front")
@dataclass(frozen=True)
class FormulaFront:
    """The numbers of the figure: of each formula `complexity`, `misfit` in σ, `score` `(formulas, 3)` with its ends.

    `ensemble` holds the score of the ensemble with both ends, `taken` the place of the formula that is taken.
    """

    complexity: np.ndarray
    misfit: np.ndarray
    score: np.ndarray
    ensemble: tuple[float, float, float]
    taken: int
    text: str
    metric: str
    part: str
    rows: int

    def table(self) -> Columns:
        """Return the numbers, one row for each formula, and the score of the ensemble."""
        score, ensemble = self.score.T, [[value] for value in self.ensemble]
        names = ("", "_low", "_high")
        return {
            "complexity": self.complexity,
            "misfit_in_sigma": self.misfit,
            **{f"{self.metric}{end}": values for end, values in zip(names, score, strict=True)},
            "taken": np.arange(len(self.misfit)) == self.taken,
            **{f"{self.metric}_of_the_ensemble{end}": value for end, value in zip(names, ensemble, strict=True)},
        }

    @property
    def alt(self) -> str:
        return f"Misfit and {self.metric} of {len(self.misfit)} formulas by complexity; taken is {self.text}."

    @property
    def caption(self) -> str:
        return (
            f"Above: how far each formula is from the ensemble, in units of the ensemble's own error (root mean "
            f"square; the dashed line is 1). Below: {self.metric} on {self.rows:,} {self.part} rows with 95 % "
            "bootstrap intervals; the band is that of the ensemble. The ring marks the formula that is taken, "
            f"{self.text}."
        )


def numbers(formulas: Formulas) -> FormulaFront:
    """Return the numbers of the figure; scores are those of the test rows if these were used."""
    part = next(reversed(formulas.rows))
    scores = [formula.scores[part] for formula in formulas.formulas]
    ensemble = formulas.ensemble[part]
    return FormulaFront(
        np.asarray([formula.complexity for formula in formulas.formulas]),
        np.asarray([formula.misfit for formula in formulas.formulas]),
        np.asarray([[s.value, s.low, s.high] for s in scores]),
        (ensemble.value, ensemble.low, ensemble.high),
        formulas.taken,
        formulas.best.text,
        METRICS[formulas.metric].label,
        part,
        formulas.rows[part],
    )


def draw(shown: FormulaFront) -> Figure:
    """Draw misfit and score against complexity."""
    from matplotlib.ticker import MaxNLocator

    figure, (above, below) = stacked(2, 1.6, titles=False)
    _steps(above, shown, shown.misfit)
    above.axhline(1.0, **DASHED)
    fit_axis(above, "y", np.append(shown.misfit, 1.0), margin=0.1)
    above.set_ylabel("misfit in σ")
    below.axhspan(*shown.ensemble[1:], color=GRID, lw=0, zorder=0)
    below.axhline(shown.ensemble[0], color=MUTED, lw=0.8)
    below.plot(*bars(shown.complexity, shown.score[:, 1], shown.score[:, 2]), color=BLUE, lw=0.9)
    _steps(below, shown, shown.score[:, 0])
    fit_axis(below, "y", np.append(shown.score.ravel(), shown.ensemble), margin=0.1)
    below.set_ylabel(name_text(shown.metric))
    for axes in (above, below):
        axes.set_xlim(*limits(shown.complexity, log=False, margin=0.06))
        axes.set_xlabel("complexity of the formula")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    return figure


def _steps(axes: Axes, shown: FormulaFront, values: np.ndarray) -> None:
    axes.plot(shown.complexity, values, "o", ms=3.6, mfc=BLUE, mew=0, clip_on=False)
    at = shown.complexity[shown.taken], values[shown.taken]
    axes.plot(*at, "D", ms=4, mfc=VERMILION, mew=0, zorder=4)
    axes.plot(*at, "o", ms=9.5, mfc="none", mec=INK, mew=1.1, zorder=5)
