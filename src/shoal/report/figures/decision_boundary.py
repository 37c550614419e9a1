"""Which class the ensemble predicts over two columns, and where its networks disagree."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from shoal.codec import stored
from shoal.data.units import labelled
from shoal.report.figures.canvas import Axes, Figure
from shoal.report.figures.codes_plane import MARKS, PALETTE
from shoal.report.figures.drawable import Drawable
from shoal.report.figures.partial_dependence import date_ticks
from shoal.report.figures.style import (
    BLUE,
    INK,
    MUTED,
    PAPER,
    add_axes,
    name_text,
    narrow,
    new_figure,
    text_width,
    wide,
)
from shoal.report.figures.tabular import Columns
from shoal.report.words import count, integer, joined, number

MOST_NAMED = 12
"""Classes in the legend."""
MOST_HELD = 4
TALL, BAR = 2.5, 0.75  # inches of a panel, and of the bar of shades beside it
OUTSIDE: Any = {"colors": MUTED, "linewidths": 0.8, "linestyles": [(0, (1.5, 2))]}


@stored("figure.cross_section_rows")
@dataclass(frozen=True)
class DrawnRows:
    """Rows over a cross section: values of its columns `(columns, rows)`, and of the target where they are known.

    `truth` holds class numbers `(rows,)` or values `(rows, targets)`; None where nothing is known.
    """

    name: str
    values: np.ndarray
    truth: np.ndarray | None = None


@stored("figure.decision_boundary")
@dataclass(frozen=True, repr=False)
class DecisionBoundary(Drawable):
    """The numbers of the figure.

    Attributes:
        columns: the two columns, along x and y.
        kinds: of each `number` or `date`.
        grids: the values of each.
        classes: their names.
        probabilities: `(x, y, classes)`, calibrated.
        disagreement: `(x, y)` in nats, the part of the uncertainty that comes from disagreement between the networks.
        networks: how many there are.
        held: the other columns and the texts of their values.
        outside: `(x, y)`, whether a place lies outside the region of the training rows; None where that is not known.
        rows: those drawn over it.
        units: of columns.
    """

    columns: tuple[str, str]
    kinds: tuple[str, str]
    grids: tuple[np.ndarray, np.ndarray]
    classes: tuple[str, ...]
    probabilities: np.ndarray
    disagreement: np.ndarray
    networks: int
    held: tuple[tuple[str, str], ...] = ()
    outside: np.ndarray | None = None
    rows: DrawnRows | None = None
    units: Mapping[str, str] = field(default_factory=dict)

    @property
    def alt(self) -> str:
        return f"The predicted class over {name_text(self.columns[0])} and {name_text(self.columns[1])}."

    @property
    def caption(self) -> str:
        text = "Colours are the predicted class" + held_text(self.held)
        if self.networks > 1:
            text += (
                f". The second panel is the disagreement of the {self.networks} networks in nats (mutual information); "
                "the line is the boundary of the first"
            )
        else:
            text += ". One network was kept, so that there is no disagreement to show"
        text += rows_text(self.rows, self.held)
        if self.outside is not None and self.outside.any() and not self.outside.all():
            text += ". Beyond the dotted line lies no training row near, and the answer cannot be relied on"
        elif self.outside is not None and self.outside.all():
            text += ". All of it lies outside the region of the training rows, where it cannot be relied on"
        return text + "."

    def table(self) -> Columns:
        """Return the numbers, one row for each place of the grid; those of the rows beside them."""
        x, y = (values.ravel() for values in np.meshgrid(*self.grids, indexing="ij"))
        labels = np.asarray(self.classes, object)
        best = self.probabilities.reshape(-1, len(self.classes))
        names = [labelled(name, self.units.get(name)) for name in self.columns]
        columns: Columns = {names[0]: x, names[1]: y, "prediction": labels[best.argmax(axis=1)].tolist()}
        columns |= {f"probability_{name_text(name, 60)}": best[:, i] for i, name in enumerate(self.classes)}
        columns["disagreement"] = self.disagreement.ravel()
        if self.outside is not None:
            columns["outside"] = self.outside.ravel()
        if self.rows is not None:
            columns |= {f"row_{name}": values for name, values in zip(names, self.rows.values, strict=True)}
            if self.rows.truth is not None:
                columns["row_class"] = labels[self.rows.truth].tolist()
        return columns


def held_text(held: tuple[tuple[str, str], ...]) -> str:
    """Return at which values other columns are held.

    >>> held_text((("a", "1.5"), ("b", "red")))
    ', with a held at 1.5 and b at red'
    """
    if not held:
        return ""
    (name, value), *rest = held[:MOST_HELD]
    first = f"{name_text(name)} held at {name_text(value)}"
    others = [f"{name_text(name)} at {name_text(value)}" for name, value in rest]
    more = [f"{count(len(held) - MOST_HELD, 'more column')} held, too"] if len(held) > MOST_HELD else []
    return f", with {joined([first, *others, *more])}"


def rows_text(rows: DrawnRows | None, held: tuple[tuple[str, str], ...], marks: str = "Points") -> str:
    """Return what the points are."""
    if rows is None:
        return ""
    known = " with their true values" if rows.truth is not None else ""
    elsewhere = "; their other columns have values of their own" if held else ""
    return f". {marks} are {integer(rows.values.shape[1])} {name_text(rows.name, 40)}{known}{elsewhere}"


def draw(shown: DecisionBoundary) -> Figure:
    """Draw the classes, and the disagreement beside or below where there are several networks."""
    names = [name_text(name, 16) for name in shown.classes[:MOST_NAMED]]
    panels = 2 if shown.networks > 1 else 1
    width = wide() if panels == 2 else narrow()
    beside = panels == 2 and width > 4.5
    across = max(1, int((width - 0.6) / (text_width(names) + 0.35)))
    head = 0.12 + 0.17 * math.ceil(len(names) / across)
    down = TALL + 0.5
    figure = new_figure(head + down * (1 if beside else panels) + (0.0 if beside or panels == 1 else 0.12), width)
    cell = (width - 0.5) / 2 if beside else width
    below, right = (0.0, 0.1) if beside or panels == 1 else (down + 0.12, BAR)
    first = add_axes(figure, 0.62, 0.45 + below, width - cell + right, head)
    _classes(first, shown)
    handles, labels = first.get_legend_handles_labels()
    place: Any = {"loc": "upper left", "bbox_to_anchor": (0.5 / width, 1.0), "borderaxespad": 0.1}
    figure.legend(handles, labels, ncols=across, handletextpad=0.2, columnspacing=1.0, **place)
    if panels == 2:
        second = add_axes(figure, cell + 0.42 if beside else 0.62, 0.45, BAR, head + below)
        _disagreement(figure, second, shown)
        if beside:
            second.set_yticklabels([])
            second.set_ylabel("")
    return figure


def _classes(axes: Axes, shown: DecisionBoundary) -> None:
    x, y = shown.grids
    for i, margin in enumerate(_margins(shown)):
        if margin.max() > 0:
            colour = PALETTE[i % len(PALETTE)]
            axes.contourf(x, y, margin.T, levels=[0.0, 2.0], colors=[colour], alpha=0.25)
    _boundary(axes, shown)
    _frame(axes, shown)
    truth = None if shown.rows is None else shown.rows.truth
    for i, name in enumerate(shown.classes):
        mark: Any = {"marker": MARKS[i % len(MARKS)], "color": PALETTE[i % len(PALETTE)], "ls": "", "ms": 3.4}
        label = name_text(name, 16) if i < MOST_NAMED else None
        of_class = np.zeros((2, 0)) if truth is None or shown.rows is None else shown.rows.values[:, truth == i]
        if truth is None:  # the legend tells the regions
            mark |= {"marker": "s", "alpha": 0.4, "ms": 6}
        axes.plot(*of_class, **mark, mec=PAPER if truth is not None else "none", mew=0.3, label=label)
    if shown.rows is not None and truth is None:
        axes.plot(*shown.rows.values, "o", color=MUTED, ms=2.2, mew=0, alpha=0.8)


def _margins(shown: DecisionBoundary) -> list[np.ndarray]:
    """Return for each class how much more probable it is than the likeliest other, `(x, y)`."""
    p = shown.probabilities
    return [p[..., i] - np.delete(p, i, axis=-1).max(axis=-1) for i in range(p.shape[-1])]


def _boundary(axes: Axes, shown: DecisionBoundary) -> None:
    x, y = shown.grids
    for margin in _margins(shown):
        if margin.min() < 0 < margin.max():
            axes.contour(x, y, margin.T, levels=[0.0], colors=INK, linewidths=0.8)
    if shown.outside is not None and shown.outside.any() and not shown.outside.all():
        axes.contour(x, y, shown.outside.T.astype(float), levels=[0.5], **OUTSIDE)


def _disagreement(figure: Figure, axes: Axes, shown: DecisionBoundary) -> None:
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import ListedColormap, Normalize, to_rgba

    most = float(shown.disagreement.max()) or 1e-12
    levels = np.linspace(0.0, most, 8)
    shades = [to_rgba(BLUE, 0.1 * step + 0.02) for step in range(len(levels) - 1)]
    axes.contourf(*shown.grids, shown.disagreement.T, levels=levels, colors=shades)
    _boundary(axes, shown)
    _frame(axes, shown)
    width = figure.get_figwidth()
    box = axes.get_position(original=True)
    place = (box.x1 + 0.1 / width, box.y0, 0.1 / width, box.height)
    bar = figure.colorbar(ScalarMappable(Normalize(0.0, most), ListedColormap(shades)), cax=figure.add_axes(place))
    bar.set_ticks([0.0, most], labels=["0", number(most, 2)])
    bar.set_label("disagreement [nats]", labelpad=-12)
    bar.outline.set_visible(False)


def _frame(axes: Axes, shown: DecisionBoundary) -> None:
    """Set limits, ticks and names of both axes."""
    from matplotlib.ticker import MaxNLocator

    for axis, name, kind, grid in zip("xy", shown.columns, shown.kinds, shown.grids, strict=True):
        ends = float(grid[0]), float(grid[-1])
        axes.set(**{f"{axis}lim": ends, f"{axis}label": name_text(labelled(name, shown.units.get(name)), 34)})
        if kind == "date":
            places, texts = date_ticks(*ends)
            axes.set(**{f"{axis}ticks": places, f"{axis}ticklabels": texts})
        else:
            getattr(axes, f"{axis}axis").set_major_locator(MaxNLocator(5))
