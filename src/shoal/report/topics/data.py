"""What was read: facts, warnings, what was done to it, and the table of columns."""

from __future__ import annotations

from collections.abc import Iterator

from shoal.evaluation.record import Record
from shoal.evaluation.topics.data import ColumnRow, DataRecord
from shoal.evaluation.topics.examples import SignalRecord
from shoal.evaluation.topics.predictions import PredictedTestRows
from shoal.evaluation.topics.reconstruction import ReconstructionRecord
from shoal.evaluation.topics.split import SplitRecord
from shoal.report.blocks import Facts, Group, Heading, PageBlock, Paragraph, PlainTable, Section, sentences
from shoal.report.figures.style import name_text
from shoal.report.words import count, integer, joined, number
from shoal.statistics.weighted import effective_number, negative_fraction

MOST_CLASSES = 40
MOST_COLUMNS = 60
MOST_CHANNELS = 6


def sections(record: Record) -> Iterator[Section]:
    """Give the section on the data."""
    data = record[DataRecord]
    blocks: list[PageBlock] = [Facts(facts(record))]
    if data.classes:
        left = len(data.classes) - MOST_CLASSES
        more = f" and {left} more" if left > 0 else ""
        blocks.append(Paragraph(f"Classes: {', '.join(data.classes[:MOST_CLASSES])}{more}.", "note"))
    if record.warnings:
        blocks.append(Group((Heading("Warnings"), sentences(record.warnings)), "warnings", role="note"))
    if data.notes:
        what = "the table" if record[SplitRecord].unit == "row" else "the data"
        blocks += [Heading(f"What was done to {what}"), sentences(data.notes)]
    yield Section("data", 10, (*blocks, *_refinement(data), columns_table(record)), "Data", "Data")


def _refinement(data: DataRecord) -> Iterator[PlainTable]:
    """Give the table of derived columns, and the cuts one after the other with the rows that each left."""
    if data.derived:
        yield PlainTable("Derived columns", ("column", "is"), tuple(data.derived.items()))
    if data.cuts:
        first = data.cuts[0].rows
        rows = [("all rows", integer(first), "100", "")]
        rows += [
            (cut.condition, integer(cut.passed), number(100 * cut.passed / first, 3), integer(cut.missing) or "0")
            for cut in data.cuts
        ]
        note = "A row that lacks a value which a cut needs fails it. New rows are cut in the same way."
        yield PlainTable("Cuts", ("cut", "rows that pass", "%", "lack a value"), tuple(rows), note, numeric=(1, 2, 3))


def facts(record: Record) -> tuple[tuple[str, str], ...]:
    """Return what the data are: label and value."""
    data = record[DataRecord]
    columns, inputs = sum(c.role == "feature" for c in data.columns), len(data.feature_names)
    common = (
        ("source", data.source),
        ("task", data.task_name),
        ("rows", integer(sum(record[SplitRecord].rows.values()))),
    )
    target = ("target", ", ".join(map(data.label, data.targets)) or "none, the inputs are reconstructed")
    reconstruction, signals = record.get(ReconstructionRecord), record.get(SignalRecord)
    if reconstruction is not None:
        return (*common, *_reconstruction_facts(reconstruction, inputs))
    if signals is not None:
        return (*common, *_signal_facts(signals), target)
    table = ("feature columns", integer(columns)), target, *_weight_facts(record.get(PredictedTestRows))
    return (*common, *table, *([("inputs of a network", integer(inputs))] if inputs != columns else []))


def _weight_facts(rows: PredictedTestRows | None) -> list[tuple[str, str]]:
    """Return how many rows the weighted test rows count as, and how many weigh less than nothing."""
    if rows is None or rows.weights is None:
        return []
    weights = rows.weights
    negative = negative_fraction(weights)
    effective = [("test rows by weight", integer(effective_number(weights)))]
    return [*effective, ("negative weights", f"{number(100 * negative, 2)} %")] if negative else effective


def _reconstruction_facts(reconstruction: ReconstructionRecord, features: int) -> tuple[tuple[str, str], ...]:
    """Return what is reconstructed from how much."""
    size = " × ".join(map(str, reconstruction.usual.truth.shape[1:-1]))
    by_kind = {"images": ("images", f"{size} pixels"), "series": ("series", f"{size} steps")}
    what = by_kind.get(reconstruction.kind, ("inputs of a network", integer(features)))
    label = (("label, not learned from", reconstruction.label_name),) if reconstruction.label_name else ()
    return (what, ("bottleneck", count(reconstruction.bottleneck, "number")), *label)


def _signal_facts(signals: SignalRecord) -> tuple[tuple[str, str], ...]:
    """Return what images or series are: their size, channels and number type."""
    size = " × ".join(map(str, signals.shape[:-1]))
    if signals.kind == "images":
        size = f"{size} pixels"
    else:
        size = f"{'up to ' if signals.lengths is not None else ''}{count(signals.shape[0], 'step')}"
    names, left = [name_text(name) for name in signals.channels[:MOST_CHANNELS]], len(signals.channels) - MOST_CHANNELS
    channels = joined([*names, f"{left} more"] if left > 0 else names)
    return (signals.kind, size), ("channels", channels), ("stored as", signals.number_type)


def columns_table(record: Record) -> PlainTable:
    """Return the table of columns, targets first, then as in the file."""
    first = ("target", "y_err", "weight", "group", "time", "id")
    place = {role: i for i, role in enumerate(first)}
    ordered = sorted(record[DataRecord].columns, key=lambda c: place.get(c.role, len(first)))
    left = len(ordered) - MOST_COLUMNS
    note = f"{count(left, 'more column')}: shoal describe lists them all." if left > 0 else ""
    units = record[DataRecord].units
    known = ("unit",) if any(c.name in units for c in ordered) else ()
    header = ("column", "type", "role", "missing", "distinct", "range", *known, "remark")
    roles = {"y_err": "target error"} | ({"target": "label"} if record[DataRecord].reconstructs else {})
    rows = tuple(_column(c, roles) for c in ordered[:MOST_COLUMNS])
    if known:
        rows = tuple((*row[:-1], units.get(row[0], ""), row[-1]) for row in rows)
    return PlainTable("Columns of the table", header, rows, note, numeric=(3, 4))


def _column(column: ColumnRow, roles: dict[str, str]) -> tuple[str, ...]:
    span = " … ".join(str(end) for end in (column.low, column.high) if end not in ("", None))
    span = span.replace("-", "−") if column.kind == "number" else span
    role = roles.get(column.role, column.role)
    missing = integer(column.missing) if column.missing else "0"
    return (column.name, column.kind, role, missing, integer(column.distinct), span, column.reason)
