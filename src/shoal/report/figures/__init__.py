"""The figures of a run, one file each: `numbers(record)` computes what `draw(numbers)` draws.

A module with a `PLACE` is a figure of the page and is found without being named anywhere; figures come in the order of
their places. The others are drawn by later commands.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType
from typing import Any

from shoal.evaluation.record import Record
from shoal.evaluation.topics.scores import PartScores
from shoal.evaluation.topics.split import SplitRecord
from shoal.helper_process import HelperProcess, Later
from shoal.report.figures.drawable import FigureNumbers as FigureNumbers
from shoal.report.figures.export import drawing, save, save_table
from shoal.report.figures.kept import keep
from shoal.report.words import with_unit


def with_places() -> dict[str, ModuleType]:
    """Return the modules of this room that have a place, by name, in the order of their places."""
    modules = {module.name: import_module(f"{__name__}.{module.name}") for module in iter_modules(__path__)}
    placed = {name: module for name, module in modules.items() if hasattr(module, "PLACE")}
    return dict(sorted(placed.items(), key=lambda item: item[1].PLACE))


FIGURES: dict[str, ModuleType] = with_places()


def figure_numbers(record: Record) -> dict[str, FigureNumbers]:
    """Return the numbers of every figure that this run has, by name.

    A figure that does not apply, such as a confusion matrix in regression, is not there. A run that kept nothing, or
    whose targets have runs of their own, has those of modules with `OF_ANY_RUN`.
    """
    scored = record.get(PartScores) is not None
    modules = {name: module for name, module in FIGURES.items() if scored or hasattr(module, "OF_ANY_RUN")}
    computed = {name: module.numbers(record) for name, module in modules.items()}
    return {name: FigureNumbers(name, n) for name, n in computed.items() if n is not None}


def write_figures(record: Record, folder: Path, helper: HelperProcess | None = None) -> dict[str, str]:
    """Write each figure as `figures/<name>.svg` and `.pdf` and return it as SVG for the page.

    Its numbers go to `figures/<name>.csv`, and those of all figures to a file from which they can be drawn again.

    Args:
        record: the run.
        folder: of the run.
        helper: a process that has loaded what drawing needs; None: this one draws alone.

    Returns:
        For each name an `<svg>` element that follows the page's colours in light and dark.
    """
    return end_figures(begin_figures(record, folder, helper))


def begin_figures(record: Record, folder: Path, helper: HelperProcess | None = None) -> dict[str, Later]:
    """Begin what `write_figures` does and return each figure by name, on its way; the helper draws from the first on.

    Raises:
        RunError: the numbers cannot be written.
    """
    return _begin(figure_numbers(record), Path(folder) / "figures", record[SplitRecord].unit, helper)


def publish(figures: Mapping[str, FigureNumbers], place: Path, unit: str = "row") -> dict[str, str]:
    """Write figures into a folder as SVG and PDF, with their numbers as CSV and kept for `shoal figures`.

    Args:
        figures: by name; those that the folder keeps under other names stay.
        place: the folder, which is made if it is missing.
        unit: what a row is, as sentences say it.

    Returns:
        For each name an `<svg>` element for a page.

    Raises:
        RunError: a file cannot be written.
    """
    return end_figures(_begin(figures, place, unit))


def _begin(
    figures: Mapping[str, FigureNumbers], place: Path, unit: str, helper: HelperProcess | None = None
) -> dict[str, Later]:
    keep(figures, place)
    other = helper or HelperProcess(start=False)
    return {name: other.do(_publish_one, figure, place, unit) for name, figure in figures.items()}


def end_figures(elements: dict[str, Later]) -> dict[str, str]:
    """Draw from the last on those that the helper has not begun with, and return each as SVG for the page.

    Raises:
        RunError: a file cannot be written.
    """
    for element in reversed(elements.values()):
        if not element.take_back():
            break
        element.here()
    return {name: element.result() for name, element in elements.items()}


def _publish_one(figure: FigureNumbers, place: Path, unit: str) -> str:
    with drawing():
        element = save(figure.draw(), place, figure.name, with_unit(figure.numbers.alt, unit))
        save_table(figure.numbers.table(), place, figure.name)
    return element


def publish_numbers(numbers: Mapping[str, Any], place: Path) -> list[Path]:
    """Publish figures by their numbers, and return the paths of their files.

    Raises:
        RunError: a file cannot be written.
    """
    publish({name: FigureNumbers(name, of_figure) for name, of_figure in numbers.items()}, place)
    return [place / f"{name}.{ending}" for name in numbers for ending in ("svg", "pdf", "csv")]


def keep_figures(record: Record, folder: Path) -> dict[str, FigureNumbers]:
    """Keep the numbers of all figures in a run folder, so that they can be drawn later, and return them."""
    figures = figure_numbers(record)
    keep(figures, Path(folder) / "figures")
    return figures
