"""How figures look: no text cut off, too small or on another; series told apart in grey and by the colour-blind."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg, RendererAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.text import Text

from shoal.report.figures import FigureNumbers
from shoal.report.figures.codes_plane import RISING
from shoal.report.figures.export import drawing
from shoal.report.figures.style import BLUE, COLUMN, GREEN, VERMILION, WIDE, with_title
from shoal.report.redraw import FONTS, NARROWEST

Shown = dict[tuple[str, str], FigureNumbers]

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
        looks = {(line.get_color(), *_look(line)) for line in axes.lines if len(line.get_xdata())}
        for one, other in itertools.combinations(sorted(looks, key=str), 2):
            if one[0] != other[0] and one[1:] == other[1:] and abs(lightness(one[0]) - lightness(other[0])) < 20:
                yield f"{one} and {other}"


def _look(line: Any) -> tuple[str, ...]:
    dashes = str(line._unscaled_dash_pattern) if line.get_linestyle() not in ("None", "") else ""
    hollow = line.get_markerfacecolor() != line.get_color()
    marked = f"{line.get_marker()} {hollow}" if line.get_marker() not in ("None", "", None) else ""
    return dashes, marked, "" if marked else f"{line.get_linewidth():.1f}"


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


@pytest.mark.parametrize(("width", "font"), [(COLUMN, "sans"), (NARROWEST / 25.4, "serif"), (WIDE, "sans")])
def test_texts_have_room_and_series_differ_in_grey(every_figure: Shown, width: float, font: str) -> None:
    found = []
    with drawing({"font.family": FONTS[font]}, width):
        for (case, name), figure in every_figure.items():
            made = figure.module.draw(figure.numbers)
            assert made.get_figwidth() == pytest.approx(width), f"{name} has another width than was asked for"
            found += [f"{case}, {name}, in grey: {pair}" for pair in look_alike_in_grey(made)]
            with_title(made, f"{case}: {name}")
            found += [f"{case}, {name}: {fault}" for fault in faults(made)]
    assert not found


def colours_of_the_page(scheme: str) -> list[str]:
    """Return blue, vermilion and green of the style sheet, the first values or those of the dark scheme."""
    sheet = (files("shoal.report") / "templates" / "style.css").read_text(encoding="utf-8")
    part = sheet.split("prefers-color-scheme: dark")[scheme == "dark"]
    return [re.search(rf"--{name}: (#\w+)", part)[1] for name in ("blue", "vermilion", "green")]  # type: ignore[index]


@pytest.mark.parametrize("eyes", [DEUTERANOPIA, PROTANOPIA], ids=["deuteranopia", "protanopia"])
@pytest.mark.parametrize("scheme", ["file", "light", "dark"])
def test_the_colour_blind_tell_the_series_apart(eyes: np.ndarray, scheme: str) -> None:
    colours = [BLUE, VERMILION, GREEN] if scheme == "file" else colours_of_the_page(scheme)
    for one, other in itertools.combinations(colours, 2):
        assert np.linalg.norm(lab(one, eyes) - lab(other, eyes)) > 25, (one, other)  # 2.3 is just noticeable


@pytest.mark.parametrize("eyes", [np.eye(3), DEUTERANOPIA, PROTANOPIA])
def test_values_grow_brighter(eyes: np.ndarray) -> None:
    steps = [lab(colour, eyes)[0] for colour in RISING]
    assert (np.diff(steps) > 8).all()


def test_the_checks_find_what_they_are_for() -> None:
    with drawing():
        figure = Figure(figsize=(2, 1))
        figure.text(0.9, 0.5, "much too long for this")
        figure.text(0.0, 0.0, "tiny", size=3)
        figure.text(0.3, 0.5, "one")
        figure.text(0.3, 0.5, "two")
        axes = figure.add_axes((0, 0, 1, 1))
        axes.plot([0, 1], [0, 1], color=BLUE)
        axes.plot([0, 1], [1, 0], color=VERMILION)
        found = " ".join(faults(figure))
        assert "this' is cut off" in found
        assert "'tiny' has only 3.0 points" in found
        assert "'one' and 'two' lie on each other" in found
        assert len(list(look_alike_in_grey(figure))) == 1
        axes.lines[1].set_linestyle("--")
        assert not list(look_alike_in_grey(figure))
