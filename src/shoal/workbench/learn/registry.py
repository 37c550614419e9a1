"""The figures: each is a file of `figures/` with a `FIGURE`, found by itself."""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module

from shoal.errors import SettingError, suggest
from shoal.workbench.learn import figures as folder
from shoal.workbench.learn.figure import Figure

PARTS = ("Neurons and layers", "Training", "Images", "Memory", "Many networks", "Without labels")
"""Headings, in the order of the course."""


@cache
def all_figures() -> tuple[Figure, ...]:
    """Return all figures in the order of the course."""
    names = [module.name for module in pkgutil.iter_modules(folder.__path__)]
    found: list[Figure] = [import_module(f"{folder.__name__}.{name}").FIGURE for name in names]
    return tuple(sorted(found, key=lambda figure: (PARTS.index(figure.part), figure.order)))


def get_figure(name: str) -> Figure:
    """Return the figure of this name.

    Raises:
        SettingError: there is none.
    """
    known = {figure.name: figure for figure in all_figures()}
    if name not in known:
        raise SettingError(f"there is no figure {name!r}; there are {', '.join(known)}.{suggest(name, known)}")
    return known[name]
