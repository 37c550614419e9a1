"""What the ensemble predicts along one column, with the disagreement of its networks and its intervals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from shoal.codec import stored
from shoal.data.units import labelled
from shoal.report.figures.canvas import Axes, Figure
from shoal.report.figures.decision_boundary import DrawnRows, held_text, rows_text
from shoal.report.figures.drawable import Drawable
from shoal.report.figures.partial_dependence import date_ticks
from shoal.report.figures.style import BLUE, MUTED, limits, name_text, stacked
from shoal.report.figures.tabular import Columns, of
from shoal.report.words import percent


@stored("figure.regression_curve")
@dataclass(frozen=True, repr=False)
class RegressionCurve(Drawable):
    """The numbers of the figure.

    Attributes:
        column: along which the ensemble is asked.
        kind: `number` or `date`.
        grid: its values.
        targets: names.
        mean: `(grid, targets)`.
        spread: `(grid, targets)`, the standard deviation over the networks; 0 of a single one.
        low, high: `(grid, targets)`, the interval of new measurements.
        level: the share of new measurements that intervals are to hold.
        networks: how many there are.
        held: the other columns and the texts of their values.
        outside: `(grid,)`, whether a value lies outside the region of the training rows; None where not known.
        rows: those drawn over it.
        units: of columns and targets.
    """

    column: str
    kind: str
    grid: np.ndarray
    targets: tuple[str, ...]
    mean: np.ndarray
    spread: np.ndarray
    low: np.ndarray
    high: np.ndarray
    level: float
    networks: int
    held: tuple[tuple[str, str], ...] = ()
    outside: np.ndarray | None = None
    rows: DrawnRows | None = None
    units: Mapping[str, str] = field(default_factory=dict)

    @property
    def alt(self) -> str:
        return f"Predicted {' and '.join(map(name_text, self.targets))} against {name_text(self.column)}."

    @property
    def caption(self) -> str:
        text = "Line: the mean of the networks" if self.networks > 1 else "Line: the prediction"
        text += held_text(self.held)
        if self.networks > 1:
            text += f". Dark band: ± one standard deviation of the {self.networks} networks, how far they disagree"
        held = percent(self.level)
        text += f". Light band: the {held} interval of a new measurement"
        if self.held:
            text += f"; it is made to hold {held} of all rows like those of the fit, not of those on this line alone"
        else:
            text += f"; it is made to hold {held} of all rows like those of the fit, not at each value by itself"
        known = self.rows is not None and self.rows.truth is not None
        text += rows_text(self.rows, self.held, "Points" if known else "Marks at the foot")
        if self.outside is not None and self.outside.any():
            text += ". Dashed: outside the region of the training rows, where no band can be relied on"
        return text + "."

    def table(self) -> Columns:
        """Return the numbers, one row for each value of the grid; those of the rows beside them."""
        name = labelled(self.column, self.units.get(self.column))
        columns: Columns = {name: self.grid}
        for i, target in enumerate(self.targets):
            unit = self.units.get(target, "")
            parts = {"predicted": self.mean, "spread": self.spread, "low": self.low, "high": self.high}
            columns |= {of(target, part, unit): values[:, i] for part, values in parts.items()}
        if self.outside is not None:
            columns["outside"] = self.outside
        if self.rows is not None:
            columns[f"row_{name}"] = self.rows.values[0]
            if self.rows.truth is not None:
                for i, target in enumerate(self.targets):
                    columns[f"row_{labelled(target, self.units.get(target))}"] = self.rows.truth[:, i]
        return columns


def draw(shown: RegressionCurve) -> Figure:
    """Draw one panel per target, below each other."""
    figure, axes = stacked(len(shown.targets), 2.4, titles=False)
    for i, place in enumerate(axes):
        _panel(place, shown, i)
    return figure


def _panel(axes: Axes, shown: RegressionCurve, i: int) -> None:
    grid, mean, spread = shown.grid, shown.mean[:, i], shown.spread[:, i]
    low, high = shown.low[:, i], shown.high[:, i]
    axes.fill_between(grid, low, high, color=BLUE, alpha=0.14, lw=0)
    axes.fill_between(grid, mean - spread, mean + spread, color=BLUE, alpha=0.35, lw=0)
    outside = np.zeros(len(grid), bool) if shown.outside is None else shown.outside
    near = outside | np.roll(outside, 1) | np.roll(outside, -1)  # so that both parts of the line meet
    axes.plot(grid, np.where(outside, np.nan, mean), color=BLUE, lw=1.5)
    axes.plot(grid, np.where(near, mean, np.nan), color=BLUE, lw=1.1, ls=(0, (3, 2)))
    ends = [low, high]
    if shown.rows is not None and shown.rows.truth is not None:
        axes.plot(shown.rows.values[0], shown.rows.truth[:, i], "o", color=MUTED, ms=2.4, mew=0, alpha=0.6)
        ends.append(shown.rows.truth[:, i])
    elif shown.rows is not None:
        axes.plot(shown.rows.values[0], np.zeros(shown.rows.values.shape[1]), "|", color=MUTED, ms=5, mew=0.5,
                  alpha=0.6, clip_on=False, transform=axes.get_xaxis_transform())  # fmt: skip
    axes.set(xlim=(grid[0], grid[-1]), ylim=limits(np.concatenate(ends), log=False))
    axes.set_xlabel(name_text(labelled(shown.column, shown.units.get(shown.column)), 40))
    axes.set_ylabel(name_text(labelled(shown.targets[i], shown.units.get(shown.targets[i])), 32))
    if shown.kind == "date":
        axes.set_xticks(*date_ticks(float(grid[0]), float(grid[-1])))
