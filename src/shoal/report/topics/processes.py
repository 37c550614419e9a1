"""Yields by process: a table, and the stacked histogram of the score."""

from __future__ import annotations

from collections.abc import Iterator

from shoal.evaluation.record import Record
from shoal.evaluation.topics.processes import Process, Processes
from shoal.report.blocks import PlainTable, Section, figures
from shoal.report.words import integer, number


def sections(record: Record) -> Iterator[Section]:
    """Give the yields by process, where a column names the processes."""
    shown = record.get(Processes)
    if shown is None:
        return
    behind = () if shown.cut is None else (f"score ≥ {number(shown.cut, 4)}", "kept")
    header = ("process", "class", "test rows", "events", *behind)
    rows = tuple(_row(process) for process in reversed(shown.processes))
    what = "scaled, class by class, to the expected yields" if shown.scaled else "sums of the weights of the test rows"
    note = f"Events are {what}; errors are √(Σ w²), of the simulation alone."
    table = PlainTable(f"Yields by {shown.column}", header, rows, note, numeric=tuple(range(2, len(header))))
    yield Section("selection", 102, (figures("processes"), table), "Selection", "Selection")


def _row(process: Process) -> tuple[str, ...]:
    cells = (process.name, "signal" if process.signal else "background", integer(process.rows))
    events = f"{number(process.events)} ± {number(process.error, 2)}"
    if process.kept is None or process.kept_error is None:
        return (*cells, events)
    share = f"{number(100.0 * process.kept / process.events)} %" if process.events > 0 else "–"
    return (*cells, events, f"{number(process.kept)} ± {number(process.kept_error, 2)}", share)
