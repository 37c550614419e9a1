"""The figure of `docs/explanation/closure.md`: coverage with its error, of known laws and of real tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.figure import Figure

from benchmarks.closure.laws import CASES
from benchmarks.closure.summary import WANTED, Lines, Mean, held, mean, tables_of
from shoal.report.figures.style import BLUE, GREEN, GRID, INK, STYLE, VERMILION

KINDS = {"new": ("new measurements", BLUE), "true": ("true values", VERMILION)}
LEVELS = ("0.8", "0.9", "0.95")
TITLES = {**{name: case.title for name, case in CASES.items()}, "searched": "noise in y, networks searched"}


def draw(parts: Lines, path: Path) -> Path:
    """Draw the figure into an SVG file."""
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(7.2, 4.4), layout="constrained")
        left, right = figure.subplots(1, 2, gridspec_kw={"width_ratios": [1.15, 1.0]})
        _laws(left, parts)
        _tables(right, tables_of(parts))
        figure.savefig(path, format="svg", metadata={"Date": None})
    return path


def _laws(axes: Any, parts: Lines) -> None:
    names = [name for name in TITLES if name in parts and (name not in CASES or CASES[name].right)]
    for low, high in WANTED.values():
        axes.axvspan(low, high, color=GRID, lw=0)
    for place, (kind, (label, colour)) in enumerate(KINDS.items()):
        for row, name in enumerate(names):
            for level in WANTED:
                _point(axes, held(parts[name], kind, level), row + 0.24 * (place - 0.5), colour)
        axes.plot([], [], "o", ms=3.5, color=colour, label=label)
    axes.set_yticks(range(len(names)), [TITLES[name].replace("noise in y, ", "") for name in names])
    axes.invert_yaxis()
    axes.set_xlim(0.55, 1.0)
    axes.set_xlabel("share held by intervals of 68 % and 95 %")
    axes.set_title("known laws; wanted is the grey band")
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.13), ncols=2)


def _tables(axes: Any, tables: Lines) -> None:
    names = [name for name in tables if "smoothed" not in name]
    for level, colour in zip(LEVELS, (GREEN, BLUE, VERMILION), strict=True):
        axes.axvline(float(level), color=colour, lw=0.8, ls=(0, (3, 2)))
        for row, name in enumerate(names):
            if all(level in line["coverage"] for line in tables[name]):
                _point(axes, mean(tables[name], lambda line, at=level: line["coverage"][at]), row, colour)
    axes.set_yticks(range(len(names)), [name.replace("_", " ") for name in names])
    axes.invert_yaxis()
    axes.set_xlabel("share held by 80, 90 and 95 %")
    axes.set_title("real tables, many splits each")


def _point(axes: Any, found: Mean, row: float, colour: str) -> None:
    axes.errorbar(found.value, row, xerr=2.0 * found.error, fmt="o", ms=3.5, color=colour, ecolor=colour, lw=1.0)
    axes.tick_params(labelcolor=INK)
