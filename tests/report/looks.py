"""What tests look for in a drawn figure: its texts and where they stand, its lines, its colours."""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from matplotlib.backends.backend_agg import FigureCanvasAgg, RendererAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.text import Text

from shoal.report.figures import FigureNumbers
from shoal.report.figures.export import csv_text, drawing, svg_text
from shoal.report.figures.kept import keep, kept
from shoal.report.figures.style import COLUMN, PAPER, WIDE
from shoal.report.figures.tabular import frame
from shoal.report.redraw import FONTS, NARROWEST

WIDTHS = ((COLUMN, "sans"), (NARROWEST / 25.4, "serif"), (WIDE, "sans"))

EVERY_CONE = np.eye(3)
# How people see without one kind of cones (Machado, Oliveira and Fernandes 2009), in linear red, green and blue.
DEUTERANOPIA = np.array(
    [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
)
PROTANOPIA = np.array(
    [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
)
_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


class Renderer(RendererAgg):
    """Notes which texts are drawn."""

    def draw_text(
        self, gc: Any, x: Any, y: Any, s: Any, prop: Any, angle: Any, ismath: Any = False, mtext: Any = None
    ) -> None:
        self.__dict__.setdefault("texts", []).append(mtext)


def texts(figure: Figure) -> list[tuple[Text, Any]]:
    """Return the texts that are drawn, with their boxes in dots."""
    FigureCanvasAgg(figure)
    renderer = Renderer(*figure.bbox.size, figure.dpi)
    figure.draw(renderer)
    noted = renderer.__dict__.get("texts", [])
    drawn = dict.fromkeys(text for text in noted if text is not None and text.get_text().strip())
    return [(text, text.get_window_extent(renderer)) for text in drawn]


def faults(figure: Figure) -> Iterator[str]:
    """Give what is wrong with the texts of a figure: cut off at its edge, too small, or one on another."""
    found, (width, height) = texts(figure), figure.bbox.size
    for text, box in found:
        if min(box.x0, box.y0) < -1.5 or box.x1 > width + 1.5 or box.y1 > height + 1.5:
            yield f"{text.get_text()!r} is cut off"
        if text.get_fontsize() < 4.45:
            yield f"{text.get_text()!r} has only {text.get_fontsize():.1f} points"
    upright = [(text, box) for text, box in found if text.get_rotation() % 90 == 0]
    for (one, a), (other, b) in itertools.combinations(upright, 2):
        if min(a.x1, b.x1) - max(a.x0, b.x0) > 1.5 and min(a.y1, b.y1) - max(a.y0, b.y0) > 2.5:
            yield f"{one.get_text()!r} and {other.get_text()!r} lie on each other"


def look_alike_in_grey(figure: Figure) -> Iterator[str]:
    """Give pairs of lines of the same axes that only their colour tells apart."""
    for axes in figure.axes:
        drawn = [line for line in axes.lines if len(line.get_xdata()) and line.get_linewidth() > 0.5]
        looks = {(_colour(line), *_look(line)) for line in drawn}  # thin lines are there for all of them
        for one, other in itertools.combinations(sorted(looks, key=str), 2):
            if one[0] != other[0] and one[1:] == other[1:] and abs(lightness(one[0]) - lightness(other[0])) < 20:
                yield f"{one} and {other}"


def _look(line: Any) -> tuple[str, ...]:
    dashes = str(line._unscaled_dash_pattern) if _has_line(line) else ""
    marked = f"{line.get_marker()} {_hollow(line)}" if line.get_marker() not in ("None", "", None) else ""
    return dashes, marked, "" if marked else f"{line.get_linewidth():.1f}"


def _has_line(line: Any) -> bool:
    return line.get_linestyle() not in ("None", "")


def _hollow(line: Any) -> bool:
    return line.get_markerfacecolor() in ("none", PAPER)


def _colour(line: Any) -> Any:
    """Return the colour of a line, or of marks without one."""
    if _has_line(line):
        return line.get_color()
    return line.get_markeredgecolor() if _hollow(line) else line.get_markerfacecolor()


def lightness(colour: Any) -> float:
    """Return L* of a colour, from 0 to 100."""
    return float(lab(colour)[0])


def lab(colour: Any, seen_by: np.ndarray | None = None) -> np.ndarray:
    """Return a colour in CIE L*a*b*, as it is seen with or without all kinds of cones."""
    rgb = np.asarray(to_rgb(colour))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    linear = linear if seen_by is None else np.clip(seen_by @ linear, 0, 1)
    xyz = _XYZ @ linear / np.array([0.9505, 1.0, 1.089])
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def broken_promises(figure: FigureNumbers, folder: Path) -> Iterator[str]:
    """Give what a figure does not hold of what every figure promises; `folder` takes its numbers."""
    for word, text in (("caption", figure.numbers.caption), ("alt", figure.numbers.alt)):
        if not text or text[-1] not in ".:" or "nan" in text.lower().split():
            yield f"{word}: {text!r} is no sentence"
    table = frame(figure.numbers.table())
    read = pl.read_csv(io.StringIO(csv_text(figure.numbers.table())), schema=dict(table.schema))
    if not table.height or read.shape != table.shape or read.columns != table.columns:
        yield f"the CSV does not read back: {table.shape} and {read.shape}"
    keep({figure.name: figure}, folder)
    again = kept(folder)[figure.name]
    for width, font in WIDTHS:
        with drawing({"font.family": FONTS[font]}, width):
            made = figure.draw()
            if abs(made.get_figwidth() - width) > 1e-6:
                yield f"it is {made.get_figwidth():.2f} inches wide, not {width:.2f}"
            yield from (f"{width:.2f} inches: {fault}" for fault in faults(made))
            yield from (f"in grey: {pair}" for pair in look_alike_in_grey(made))
    with drawing():
        if svg_text(figure.draw()) != svg_text(again.draw()):
            yield "what is kept draws another figure"
