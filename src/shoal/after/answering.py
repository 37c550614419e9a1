"""A run's answers beside the rows of a table, at once or in parts where the table does not fit into memory."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from shoal.after.provenance import provenance_of, units_of_answers
from shoal.data.new_rows import beside_all_rows
from shoal.data.output import joined
from shoal.data.readers import ReadOptions
from shoal.data.stream.pieces import Pieces
from shoal.data.stream.writing import check_format, write_parts
from shoal.data.table_writers import Output
from shoal.errors import RunError, ShoalWarning
from shoal.prediction.absent_columns import total_meaning
from shoal.prediction.distribution import density_columns
from shoal.prediction.prediction import NumberPrediction
from shoal.run import Run
from shoal.runs.writing import remove_parts, written_beside


@dataclass(frozen=True)
class Answers:
    """A table with the answers of a run.

    Attributes:
        output: all rows, with units and provenance.
        answered: how many rows have answers.
        names: of the columns that the table had before.
        unknown: for each column the rows with a category that training did not see.
        total: what the column `total` means here, in a sentence, or empty.
    """

    output: Output
    answered: int
    names: list[str]
    unknown: dict[str, int]
    total: str


def answer(run: Run, data: Any, options: ReadOptions, grid: np.ndarray | None = None) -> Answers:
    """Return all rows of data beside what a run says of them; with a grid the probability density at these values.

    Raises:
        DataError: the data cannot be read, or lack columns of the fit.
    """
    raw, total = run.read_new(data, options), ""
    if run.reconstructs:
        table, predicted = run.reconstruct_table(raw)
    else:
        table, prediction = run.predict_table(raw)
        predicted = prediction.frame().drop("row", strict=False)  # the table has its own
        total = total_meaning(run.predictor, prediction) if isinstance(prediction, NumberPrediction) else ""
    if grid is not None:
        predicted = predicted.hstack(density_columns(run.distribution(raw), table.height, grid))
    unknown = {name: int(count) for name, count in run.unknown_categories(table).items() if count}
    full = beside_all_rows(raw, joined(table, predicted))
    new = tuple(name for name in full.columns if name not in table.columns)
    units = {**raw.units, **units_of_answers(run, new)}
    output = Output(full, new, units, provenance_of(run))
    return Answers(output, table.height, table.columns, unknown, total)


def answer_in_parts(
    run: Run, pieces: Pieces, options: ReadOptions, path: Path, said: Callable[[int, int], None] = lambda *_: None
) -> Answers:
    """Write all rows of files beside what a run says of them, few at a time; return an empty table and the counts.

    Args:
        run: the run.
        pieces: of the files.
        options: how values are read.
        path: of the file that is written: .parquet, .csv, .tsv or .jsonl.
        said: told how many rows of how many are done.

    Raises:
        DataError: rows cannot be used, or a file has changed.
        RunError: the file cannot be written; what was there is as it was before.
        SettingError: the format cannot be written in parts.
    """
    if run.preparation.recipe is not None:
        raise RunError("this run predicts from windows of a table, which cannot be read in parts; predict fewer rows")
    check_format(path.suffix.lower())
    unknown: Counter[str] = Counter()
    rows, last = 0, None

    def tables() -> Iterator[Output]:
        nonlocal rows, last
        at_once, done = next(run.predictor.pieces(pieces.rows)).stop, 0
        for table in pieces.tables(at_once):  # as the predictor would cut all rows, so that bits are the same
            last = answer(run, table, options)
            unknown.update(last.unknown)
            rows, done = rows + last.answered, done + table.height
            yield last.output
            said(done, pieces.rows)

    remove_parts(path.parent, path.name)
    with written_beside(path) as beside, warnings.catch_warnings():
        warnings.filterwarnings("once", category=ShoalWarning)  # rather than for each part
        write_parts(tables(), beside, path.suffix.lower())
    assert last is not None
    counts = {name: unknown[name] for name in sorted(unknown)}
    empty = Output(pl.DataFrame(schema=last.output.table.schema), last.output.new)
    return Answers(empty, rows, last.names, counts, last.total)
