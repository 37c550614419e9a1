"""How figures look: no text cut off, too small or on another; series told apart in grey and by the colour-blind."""

from __future__ import annotations

import itertools
import re
from importlib.resources import files
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

from shoal.report.figures import FigureNumbers
from shoal.report.figures.codes_plane import RISING
from shoal.report.figures.export import drawing
from shoal.report.figures.style import BLUE, COLUMN, GREEN, VERMILION, WIDE, with_title
from shoal.report.redraw import FONTS, NARROWEST

Shown = dict[tuple[str, str], FigureNumbers]


@pytest.mark.slow
@pytest.mark.parametrize(("width", "font"), [(COLUMN, "sans"), (NARROWEST / 25.4, "serif"), (WIDE, "sans")])
def test_texts_have_room_and_series_differ_in_grey(looks: Any, every_figure: Shown, width: float, font: str) -> None:
    found = []
    with drawing({"font.family": FONTS[font]}, width):
        for (case, name), figure in every_figure.items():
            made = figure.draw()
            assert made.get_figwidth() == pytest.approx(width), f"{name} has another width than was asked for"
            found += [f"{case}, {name}, in grey: {pair}" for pair in looks.look_alike_in_grey(made)]
            with_title(made, f"{case}: {name}")
            found += [f"{case}, {name}: {fault}" for fault in looks.faults(made)]
    assert not found


def colours_of_the_page(scheme: str) -> list[str]:
    """Return blue, vermilion and green of the style sheet, the first values or those of the dark scheme."""
    sheet = (files("shoal.report") / "templates" / "style.css").read_text(encoding="utf-8")
    part = sheet.split("prefers-color-scheme: dark")[scheme == "dark"]
    return [re.search(rf"--{name}: (#\w+)", part)[1] for name in ("blue", "vermilion", "green")]  # type: ignore[index]


@pytest.mark.parametrize("eyes", ["DEUTERANOPIA", "PROTANOPIA"])
@pytest.mark.parametrize("scheme", ["file", "light", "dark"])
def test_the_colour_blind_tell_the_series_apart(looks: Any, eyes: str, scheme: str) -> None:
    colours = [BLUE, VERMILION, GREEN] if scheme == "file" else colours_of_the_page(scheme)
    for one, other in itertools.combinations(colours, 2):
        seen = [looks.lab(colour, getattr(looks, eyes)) for colour in (one, other)]
        assert np.linalg.norm(seen[0] - seen[1]) > 25, (one, other)  # 2.3 is just noticeable


@pytest.mark.parametrize("eyes", ["EVERY_CONE", "DEUTERANOPIA", "PROTANOPIA"])
def test_values_grow_brighter(looks: Any, eyes: str) -> None:
    steps = [looks.lab(colour, getattr(looks, eyes))[0] for colour in RISING]
    assert (np.diff(steps) > 8).all()


def test_the_checks_find_what_they_are_for(looks: Any) -> None:
    with drawing():
        figure = Figure(figsize=(2, 1))
        figure.text(0.9, 0.5, "much too long for this")
        figure.text(0.0, 0.0, "tiny", size=3)
        figure.text(0.3, 0.5, "one")
        figure.text(0.3, 0.5, "two")
        axes = figure.add_axes((0, 0, 1, 1))
        axes.plot([0, 1], [0, 1], color=BLUE)
        axes.plot([0, 1], [1, 0], color=VERMILION)
        found = " ".join(looks.faults(figure))
        assert "this' is cut off" in found
        assert "'tiny' has only 3.0 points" in found
        assert "'one' and 'two' lie on each other" in found
        assert len(list(looks.look_alike_in_grey(figure))) == 1
        axes.lines[1].set_linestyle("--")
        assert not list(looks.look_alike_in_grey(figure))
