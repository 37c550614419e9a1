"""Which columns the networks look at."""

from __future__ import annotations

from collections.abc import Iterator

from shoal.evaluation.explanation.importance import ImportanceTable
from shoal.evaluation.record import Record
from shoal.report.blocks import Figure, Group, PlainTable, Section
from shoal.report.explanation import importance_table


def sections(record: Record) -> Iterator[Section]:
    """Give the section on the importance of columns, where it was measured in passing."""
    importance = record.get(ImportanceTable)
    if importance is None:
        return
    header, rows = importance_table(importance)
    title = "How much worse the ensemble is when a column is permuted"
    note = "The command shoal explain shows how the answer changes with each column, and which columns interact."
    table = PlainTable(title, header, tuple(rows), note, numeric=(1, 2))
    pair = Group((Figure("importance"), Group((table,))), "pair")
    yield Section("importance", 110, (pair,), "Importance", "What the networks look at")
