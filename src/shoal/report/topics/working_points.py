"""Working points as a table: efficiency of the signal and rejection of the background."""

from __future__ import annotations

from collections.abc import Iterator

from shoal.evaluation.record import Record
from shoal.evaluation.topics.working_points import WorkingPoints
from shoal.report.blocks import PlainTable, Section
from shoal.report.words import interval, number, percent


def sections(record: Record) -> Iterator[Section]:
    """Give the table of cuts that keep stated shares of the signal."""
    shown = record.get(WorkingPoints)
    if shown is None:
        return
    header = ("to keep", "cut", f"{shown.signal} kept", "background kept", "background rejection")
    rows = tuple(
        (
            percent(point.wanted),
            number(point.cut, 4),
            interval(point.signal_efficiency),
            interval(point.background_efficiency),
            interval(point.rejection),
        )
        for point in shown.points
    )
    note = (
        f"Each cut is the highest that keeps the first share of the {shown.signal} among the validation rows; the rest "
        "are the test rows, by their weights, with 95 % intervals that draw signal and background anew, each for "
        "itself. Rejection is one over the share of background kept."
    )
    table = PlainTable("Working points", header, rows, note, numeric=(0, 1, 2, 3, 4))
    yield Section("selection", 101, (table,), "Selection", "Selection")
