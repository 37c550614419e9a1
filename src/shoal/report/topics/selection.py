"""A selection as people read it: the table, the sentences, and the figures with their numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shoal.evaluation.cuts import Selection
from shoal.evaluation.record import Record
from shoal.report.tables import Table
from shoal.report.words import integer, interval, number
from shoal.results import Interval

NAMES = {
    "asimov": "Asimov significance",
    "ams": "AMS",
    "s/sqrt(b)": "S/√B",
    "s/sqrt(s+b)": "S/√(S+B)",
}


@dataclass(frozen=True)
class SelectionText:
    """What the page says of a selection: sentences, and a table of what the cut gives."""

    lines: tuple[str, ...]
    table: Table
    title: str


def selection_of(record: Record) -> SelectionText | None:
    """Return the text, or None where no yields were given."""
    found = record.get(Selection)
    if found is None:
        return None
    return SelectionText(
        selection_lines(found), Table(("", "value [95 %]"), tuple(selection_rows(found))), f"On the {found.quoted_on}"
    )


def selection_line(found: Mapping[str, Any]) -> str:
    """Return a selection in a line, from `selection` in `metrics.json`."""
    name = found["measure"]
    quoted = Interval(*(found["significance"][name][key] for key in ("value", "low", "high")))
    return (
        f"cut at a score of {number(found['cut'])}: {NAMES[name]} {interval(quoted)} on the {found['quoted_on']}, with "
        f"{number(found['signal_events'])} signal and {number(found['background_events'])} background events"
    )


def selection_rows(found: Selection) -> list[tuple[str, str]]:
    """Return label and value with its interval, the measure that chose the cut first."""
    order = [found.measure, *(name for name in found.quoted if name != found.measure)]
    rows = [(NAMES[name], interval(found.quoted[name])) for name in order]
    return [
        *rows,
        ("signal efficiency", interval(found.signal_efficiency)),
        ("background efficiency", interval(found.background_efficiency)),
        ("background rejection", interval(found.rejection)),
        ("ROC AUC", interval(found.curve.area)),
    ]


def selection_lines(found: Selection) -> tuple[str, ...]:
    """Return what the cut is, what it keeps, what flatters, and what the rows are worth."""
    yields = found.yields
    uncertain = f" ± {number(100 * yields.uncertainty, 2)} %" if yields.uncertainty else ""
    lines = [
        f"cut: keep rows with a score of {number(found.cut, 4)} or more, chosen on {integer(found.rows[0])} "
        f"{found.chosen_on} by its {NAMES[found.measure]} ({number(found.chosen)} there), quoted on "
        f"{integer(found.rows[1])} {found.quoted_on}",
        f"kept: {number(found.signal_events)} of {number(yields.signal)} signal and {number(found.background_events)} "
        f"of {number(yields.background)}{uncertain} background events",
    ]
    if len(set(found.effective)) and (any(found.negative) or any(abs(n - round(n)) > 1e-6 for n in found.effective)):
        (signal, background), (less, fewer) = found.effective, found.negative
        negative = f"; {number(100 * less, 2)} % and {number(100 * fewer, 2)} % of them have negative weights"
        lines.append(
            f"weights: the rows quoted count as {integer(signal)} signal and {integer(background)} background events"
            f"{negative if any(found.negative) else ''}"
        )
    return tuple(lines)


def write_selection(found: Selection, folder: str | Path) -> list[Path]:
    """Write the figures of a selection as SVG, PDF and CSV into a folder, which is made if it is missing.

    Raises:
        RunError: a file cannot be written.
    """
    from shoal.report.figures import FigureNumbers, publish, rejection, significance

    modules = {"rejection": rejection, "significance": significance}
    publish({name: FigureNumbers(name, module.of(found)) for name, module in modules.items()}, Path(folder))
    return [Path(folder) / f"{name}.{end}" for name in modules for end in ("svg", "pdf", "csv")]
