"""The page of a run: one HTML file that needs nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shoal.evaluation.record import Record
from shoal.evaluation.topics.candidates import Candidates
from shoal.evaluation.topics.data import DataRecord
from shoal.evaluation.topics.split import SplitRecord
from shoal.report.blocks import Section, figures, names_of_figures
from shoal.report.figures import figure_numbers
from shoal.report.topics import sections
from shoal.report.words import with_unit
from shoal.results import in_number

if TYPE_CHECKING:
    from jinja2 import Template

FORMAT = 1
MORE = 140
"""The place on the page of figures that no section names."""


def page_html(record: Record, elements: Mapping[str, str]) -> str:
    """Return the page as text.

    Args:
        record: the finished run.
        elements: name of a figure → `<svg>` element, as `write_figures` returns them; missing ones are left out.
    """
    captions = {name: figure.numbers.caption for name, figure in figure_numbers(record).items()}
    shown, unit = with_more_figures(sections(record), elements), record[SplitRecord].unit
    kept = sum(network.kept for network in record[Candidates].networks)
    return html_of(record[DataRecord].name, shown, elements, captions, unit, kept)


def html_of(
    name: str,
    shown: Sequence[Section],
    elements: Mapping[str, str],
    captions: Mapping[str, str],
    unit: str = "row",
    networks: int = 2,
) -> str:
    """Return a page of some sections.

    Args:
        name: of the data.
        shown: the sections, the head of the page first.
        elements: name of a figure → `<svg>` element; the places of others stay empty.
        captions: name of a figure → caption.
        unit: what a row is, as sentences say it.
        networks: how many are kept.
    """
    from markupsafe import Markup

    return template().render(
        name=name,
        format=FORMAT,
        style=_text("style.css"),
        sections=shown,
        # The elements are shoal's own drawing; Matplotlib escapes the names in them.
        figures={name: Markup(element) for name, element in elements.items()},
        captions=captions,
        unit=unit,
        networks=networks,
    )


def with_more_figures(shown: Sequence[Section], names: Iterable[str]) -> Sequence[Section]:
    """Return sections with one more for the figures that none of them names, if there are any."""
    placed = {name for section in shown for name in names_of_figures(section.blocks)}
    left = [name for name in names if name not in placed]
    if not left:
        return shown
    more = Section("more", MORE, (figures(*left),), heading="More figures")
    return sorted([*shown, more], key=lambda section: section.place)


def write_page(record: Record, folder: Path, elements: Mapping[str, str]) -> Path:
    """Write `report.html` into a run folder.

    Returns:
        The path of the page.

    Raises:
        RunError: the file cannot be written.
    """
    from shoal.runs.writing import write_atomically

    return write_atomically(Path(folder) / "report.html", page_html(record, elements))


def _text(name: str) -> str:
    return (files("shoal.report") / "templates" / name).read_text(encoding="utf-8")


def _finished(context: Mapping[str, Any], value: Any) -> Any:
    """Return a text with its rows named as what they are, its networks in number, and "95 %" in one piece."""
    if type(value) is not str:
        return value
    return re.sub(r"(?<=\d) (?=%|×)", "\u00a0", in_number(with_unit(value, context["unit"]), context["networks"]))


@lru_cache(maxsize=1)
def template() -> Template:
    """Return the template of all pages."""
    from jinja2 import DictLoader, Environment, StrictUndefined, pass_context

    pages = {name: _text(name) for name in ("page.html", "parts.html")}
    environment = Environment(
        loader=DictLoader(pages),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=pass_context(_finished),
    )
    return environment.get_template("page.html")
