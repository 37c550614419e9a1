"""`shoal predict`: a table with predictions and their error bars."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from shoal.cli.from_settings import READING, read_options, with_settings
from shoal.cli.options import DataArgument, Force, Json, Quiet, RunArgument

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    import polars as pl

    from shoal.after.answering import Answers
    from shoal.training.progress import Progress

Out = Annotated[
    str | None,
    typer.Option(
        "--out",
        "-o",
        metavar="FILE",
        help="where to write: .csv, .tsv, .parquet, .jsonl, .fits or .root; by default CSV on stdout",
    ),
]

Density = Annotated[
    str | None,
    typer.Option(metavar="START:STOP:STEP", help="add the probability density on this grid, as a column of vectors"),
]


@with_settings((*READING, "memory"))
def predict(
    run: RunArgument,
    data: DataArgument,
    out: Out = None,
    density: Density = None,
    *,
    settings: dict[str, Any],
    force: Force = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Add predictions with error bars to a table.

    The columns of the table are kept. Classes: `prediction`, one `probability_<class>` each, `disagreement` (the part
    of the uncertainty on which the networks disagree) and `set` (classes that hold the truth with the coverage of
    the fit). Numbers: `prediction`; `std`, the error to quote for a new measurement like those of the fit, and `low`
    and `high`, its interval with the coverage of the fit; `spread` (of the networks). A fit with measured errors of
    the target (--y-err, --y-cov) adds `total`, the error to quote for the true value; where DATA has the column of
    these errors, for that measurement. `spread`, `data_spread`, `input_spread`, `scatter` and `noise` are parts of
    both: quote none of them alone. `--density 0:3:0.01` adds `density`, the probability density of a new measurement at
    each of these values (301 here), to files that hold vectors. Of tables also `outside`: outside the training region.
    A run that reconstructs writes `<column>_reconstructed`, `anomaly_score` and `anomaly`. Where each step of a series
    is predicted, there is a row for each step, with its number in `step`. Columns that the fit derived are computed
    again; where it made cuts, rows that fail them keep their place, without predictions and with false in `passed`.
    Files larger than memory are predicted in parts, into .parquet, .csv, .tsv or .jsonl.
    """
    from shoal.cli.files import TABLES, check_output, write_table
    from shoal.cli.live import watching

    path = check_output(out, TABLES, "a table", force=force) if out else None
    grid = None if density is None else _grid(density, path, as_json=as_json)
    from shoal.after.answering import answer, answer_in_parts
    from shoal.run import load
    from shoal.steps.streaming import find_pieces

    options = read_options(settings)
    with watching(quiet=quiet, plain_lines=False) as progress:
        progress.stage(f"predicting {data}")
        loaded = load(run)
        pieces = find_pieces(data, options, settings.get("memory")) if path and grid is None else None
        if path and pieces is not None:
            answers, rows = answer_in_parts(loaded, pieces, options, path, _telling(progress)), pieces.rows
        else:
            answers = answer(loaded, data, options, grid)
            rows = answers.output.table.height
            if path:
                of_grid = {} if density is None else {"grid of the density": density}
                output = replace(answers.output, provenance={**answers.output.provenance, **of_grid})
                write_table(output, path)
    if not quiet:
        _tell(answers, rows, path)
    print_rows(
        answers.output.table, out, {"unknown_categories": answers.unknown}, "predictions", as_json=as_json, rows=rows
    )


def _telling(progress: Progress) -> Callable[[int, int], None]:
    return lambda done, rows: progress.stage(f"predicting row {done:,} of {rows:,}")


def _grid(density: str, path: Path | None, *, as_json: bool) -> np.ndarray:
    from shoal.data.table_writers import check_vectors
    from shoal.prediction.distribution import parsed_grid

    if path is not None or not as_json:
        check_vectors(path)
    return parsed_grid(density)


def print_rows(
    table: pl.DataFrame, out: str | None, counts: dict[str, Any], name: str, *, as_json: bool, rows: int | None = None
) -> None:
    """Print a table as CSV, or a summary as JSON with the rows under a name; the rows only if no file has them.

    `rows` is how many there are, where the table does not hold them.
    """
    from shoal.cli.output import print_csv, print_json

    if as_json:
        summary = {"rows": table.height if rows is None else rows, "columns": table.columns, **counts, "output": out}
        print_json(summary if out else {**summary, name: table.to_dicts()})
    elif not out:
        print_csv(table)


def _tell(answers: Answers, rows: int, path: object) -> None:
    from shoal.cli.guard import tell
    from shoal.errors import counted

    full, names = answers.output.table, answers.names
    if answers.total:
        tell("note", answers.total)
    for name, count in answers.unknown.items():
        tell("note", f"column {name!r}: {count} {'value was' if count == 1 else 'values were'} not seen in training.")
    renamed = [name for name in full.columns[len(names) :] if name.removeprefix("shoal_") in names]
    if renamed:
        tell("note", f"the table has columns of these names already; added as {', '.join(renamed)}.")
    if path:
        left = f", {answers.answered:,} of them" if answers.answered < rows else ""
        tell("note", f"{counted(rows, 'row')}{left} with predictions written to {str(path)!r}.")
