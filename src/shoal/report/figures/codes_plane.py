"""The codes of the test rows in two dimensions, coloured by their label where one is known."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from shoal.codec import stored
from shoal.evaluation.record import Record
from shoal.evaluation.topics.reconstruction import ReconstructionRecord
from shoal.report.figures.canvas import Axes, Figure
from shoal.report.figures.style import (
    BLUE,
    GREEN,
    MUTED,
    VERMILION,
    add_axes,
    limits,
    name_text,
    new_figure,
    text_width,
    wide,
)
from shoal.report.figures.tabular import Columns
from shoal.report.words import count

PLACE = 170
# After Okabe and Ito, and others of middle brightness, which light and dark pages bear.
PALETTE = (BLUE, VERMILION, GREEN, "#cc79a7", "#e69f00", "#56b4e9", "#8c6bb1", "#a0705f", "#9aa52e", MUTED, "#d6604d")
MARKS = "os^Dv"
RISING = ["#0072b2", "#6f9a8d", "#e0b000"]  # of rising brightness, blue to yellow
MOST_NAMED = 18


@stored("figure.codes_plane")
@dataclass(frozen=True)
class CodesPlane:
    """The numbers of the figure: `plane` `(rows, 1 or 2)`, the share of the variance along each axis, the labels."""

    plane: np.ndarray
    shares: tuple[float, ...]
    bottleneck: int
    label_name: str
    labels: np.ndarray | None

    def table(self) -> Columns:
        axes = {f"principal_component_{i}": values for i, values in enumerate(self.plane.T, 1)}
        return axes if self.labels is None else {**axes, name_text(self.label_name) or "label": self.labels}

    @property
    def names(self) -> list[str]:
        """The labels, where they are classes."""
        return np.unique(self.labels).tolist() if self.labels is not None and self.labels.dtype.kind == "U" else []

    @property
    def alt(self) -> str:
        coloured = f", coloured by {self.label_name}" if self.labels is not None else ""
        return f"The codes of {count(len(self.plane), 'test row')} in two dimensions{coloured}."

    @property
    def caption(self) -> str:
        what = f"Each point is the code of a test row, {count(self.bottleneck, 'number')} of the best network"
        how = f"{what}, along the first two principal components of the codes of the training rows."
        if self.plane.shape[1] == 1:
            how = f"{what}; upwards the order of the rows, to tell the points apart."
        named = f" The colour is {name_text(self.label_name)}, which no network has seen."
        more = f" The first {MOST_NAMED} of {len(self.names)} are named." if len(self.names) > MOST_NAMED else ""
        return how + (named + more if self.labels is not None else "")


def numbers(record: Record) -> CodesPlane | None:
    """Return the numbers of the figure, or None where nothing is reconstructed."""
    codes = record.get(ReconstructionRecord)
    if codes is None:
        return None
    return CodesPlane(codes.plane, codes.plane_shares, codes.bottleneck, codes.label_name, codes.labels)


def draw(shown: CodesPlane) -> Figure:
    """Draw the points with a legend or a bar of colours beside them; a legend goes below where there is little room."""
    small, names = wide() < 4.5, shown.names
    rows = math.ceil(len(names[:MOST_NAMED]) / _columns(names)) if small and names else 0
    below = 0.17 * rows + 0.3 if rows else 0.0
    right = 0.15 if shown.labels is None or rows else 0.95 if small else 1.45
    figure = new_figure(3.2 + below, wide())
    axes = add_axes(figure, 0.6, 0.45 + below, right, 0.1)
    x = shown.plane[:, 0]
    y = shown.plane[:, 1] if shown.plane.shape[1] > 1 else np.linspace(0, 1, len(x))
    dots: dict[str, Any] = {"ms": 3.0 if len(x) <= 1000 else 1.8, "mew": 0, "ls": "", "alpha": 0.75}
    dots["rasterized"] = len(x) > 3000
    if shown.labels is None:
        axes.plot(x, y, "o", color=BLUE, **dots)
    elif names:
        _classes(axes, x, y, shown, dots, below)
    else:
        _values(figure, axes, x, y, shown)
    axes.set(xlim=limits(x, log=False), ylim=limits(y, log=False))
    axes.set_xlabel(_axis(1, shown.shares[0]))
    if shown.plane.shape[1] > 1:
        axes.set_ylabel(_axis(2, shown.shares[1]))
    else:
        axes.set_yticks([])
    return figure


def _columns(names: list[str]) -> int:
    """Return how many names of a legend fit beside each other."""
    room = text_width([name_text(name, 16) for name in names[:MOST_NAMED]]) + 0.3
    return max(1, int((wide() - 0.6) / room))


def _axis(number: int, share: float) -> str:
    return f"principal component {number} of the codes ({100 * share:.0f} %)"


def _classes(axes: Axes, x: np.ndarray, y: np.ndarray, shown: CodesPlane, dots: dict[str, Any], below: float) -> None:
    for i, name in enumerate(shown.names):
        of_class = shown.labels == name
        mark = MARKS[i % len(MARKS)]
        text = name_text(name, 16) if i < MOST_NAMED else None
        axes.plot(x[of_class], y[of_class], mark, color=PALETTE[i % len(PALETTE)], label=text, **dots)
    place: dict[str, Any] = {"loc": "upper left", "bbox_to_anchor": (1.02, 1.0)}
    if below:
        height = 3.2 - 0.55
        place = {"loc": "upper left", "bbox_to_anchor": (-0.05, -0.42 / height), "ncols": _columns(shown.names)}
    place |= {"borderaxespad": 0.0, "handletextpad": 0.2, "columnspacing": 1.0}
    legend = axes.legend(title=name_text(shown.label_name, 16), markerscale=1.6, alignment="left", **place)
    legend.get_title().set_fontsize(7.5)


def _values(figure: Figure, axes: Axes, x: np.ndarray, y: np.ndarray, shown: CodesPlane) -> None:
    from matplotlib.colors import LinearSegmentedColormap

    colours = LinearSegmentedColormap.from_list("values", RISING)
    points = axes.scatter(x, y, c=shown.labels, s=8, linewidths=0, cmap=colours, alpha=0.8)
    width, room = figure.get_size_inches()[0], 0.8 if wide() < 4.5 else 1.2
    bar = figure.colorbar(points, cax=figure.add_axes(((width - room) / width, 0.3, 0.1 / width, 0.5)))
    bar.ax.set_title(name_text(shown.label_name, int(room / 0.07)), size=7.5, loc="left", pad=6)
    bar.outline.set_visible(False)
