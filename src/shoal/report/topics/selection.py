"""A selection as people read it: the table, the sentences, and the figures with their numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from shoal.evaluation.cuts import Selection
from shoal.evaluation.record import Record
from shoal.report.blocks import Paragraph, PlainTable, Section, figures, sentences
from shoal.report.figures.significance import LABELS
from shoal.report.words import integer, interval, number
from shoal.results import Interval


def sections(record: Record) -> Iterator[Section]:
    """Give the section on the cut, where yields were given."""
    selection = record.get(Selection)
    if selection is None:
        return
    note = (
        "The best of many cuts flatters where it was chosen; only the other rows stand for new data. Intervals draw "
        "signal and background rows anew, each for itself, and hold the yields fixed."
    )
    header, rows = ("", "value [95 %]"), tuple(selection_rows(selection))
    table = PlainTable(f"On the {selection.quoted_on}", header, rows, numeric=(1,))
    shown = figures("significance", "rejection")
    blocks = sentences(selection_lines(selection)), shown, table, Paragraph(note, "note")
    yield Section("selection", 100, blocks, "Selection", "Selection")


def selection_line(selection: Mapping[str, Any]) -> str:
    """Return a selection in a line, from `selection` in `metrics.json`."""
    name = selection["measure"]
    quoted = Interval(*(selection["significance"][name][key] for key in ("value", "low", "high")))
    return (
        f"cut at a score of {number(selection['cut'])}: {LABELS[name]} {interval(quoted)} on the "
        f"{selection['quoted_on']}, with {number(selection['signal_events'])} signal and "
        f"{number(selection['background_events'])} background events"
    )


def selection_rows(selection: Selection) -> list[tuple[str, str]]:
    """Return label and value with its interval, the measure that chose the cut first."""
    order = [selection.measure, *(name for name in selection.quoted if name != selection.measure)]
    rows = [(LABELS[name], interval(selection.quoted[name])) for name in order]
    return [
        *rows,
        ("signal efficiency", interval(selection.signal_efficiency)),
        ("background efficiency", interval(selection.background_efficiency)),
        ("background rejection", interval(selection.rejection)),
        ("ROC AUC", interval(selection.curve.area)),
    ]


def selection_lines(selection: Selection) -> tuple[str, ...]:
    """Return what the cut is, what it keeps, what flatters, and what the rows are worth."""
    yields = selection.yields
    uncertain = f" ± {number(100 * yields.uncertainty, 2)} %" if yields.uncertainty else ""
    lines = [
        f"cut: keep rows with a score of {number(selection.cut, 4)} or more, chosen on {integer(selection.rows[0])} "
        f"{selection.chosen_on} by its {LABELS[selection.measure]} ({number(selection.chosen)} there), quoted on "
        f"{integer(selection.rows[1])} {selection.quoted_on}",
        f"kept: {number(selection.signal_events)} of {number(yields.signal)} signal and "
        f"{number(selection.background_events)} of {number(yields.background)}{uncertain} background events",
    ]
    if any(selection.negative) or any(abs(n - round(n)) > 1e-6 for n in selection.effective):
        (signal, background), (less, fewer) = selection.effective, selection.negative
        negative = f"; {number(100 * less, 2)} % and {number(100 * fewer, 2)} % of them have negative weights"
        lines.append(
            f"weights: the rows quoted count as {integer(signal)} signal and {integer(background)} background events"
            f"{negative if any(selection.negative) else ''}"
        )
    return tuple(lines)


def write_selection(selection: Selection, folder: str | Path) -> list[Path]:
    """Write the figures of a selection as SVG, PDF and CSV into a folder, which is made if it is missing.

    Raises:
        RunError: a file cannot be written.
    """
    from shoal.report.figures import publish_numbers, rejection, significance

    figures = {"rejection": rejection.of(selection), "significance": significance.of(selection)}
    return publish_numbers(figures, Path(folder))
