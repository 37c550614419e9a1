"""`shoal predict`: a table with predictions and their error bars."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from shoal.cli.from_settings import READING, read_options, with_settings
from shoal.cli.options import DataArgument, Force, Json, Quiet, RunArgument

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    import polars as pl

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


@with_settings(READING)
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
    """
    from shoal.cli.files import TABLES, check_output, write_table
    from shoal.cli.live import watching

    path = check_output(out, TABLES, "a table", force=force) if out else None
    grid = None if density is None else _grid(density, path, as_json=as_json)
    from shoal.after.provenance import provenance_of, units_of_answers
    from shoal.data.new_rows import beside_all_rows, joined
    from shoal.data.table_writers import Output
    from shoal.prediction.absent_columns import total_meaning
    from shoal.prediction.distribution import density_columns
    from shoal.prediction.prediction import NumberPrediction
    from shoal.run import load

    with watching(quiet=quiet, plain_lines=False) as progress:
        progress.stage(f"predicting {data}")
        loaded, total = load(run), ""
        raw = loaded.read_new(data, read_options(settings))
        if loaded.reconstructs:
            table, predicted = loaded.reconstruct_table(raw)
        else:
            table, prediction = loaded.predict_table(raw)
            predicted = prediction.frame().drop("row", strict=False)  # the table has its own
            total = total_meaning(loaded.predictor, prediction) if isinstance(prediction, NumberPrediction) else ""
        if grid is not None:
            predicted = predicted.hstack(density_columns(loaded.distribution(raw), table.height, grid))
        unknown = {name: int(count) for name, count in loaded.unknown_categories(table).items() if count}
        full = beside_all_rows(raw, joined(table, predicted))
        if path:
            new = tuple(name for name in full.columns if name not in table.columns)
            units = {**raw.units, **units_of_answers(loaded, new)}
            of_grid = {} if density is None else {"grid of the density": density}
            write_table(Output(full, new, units, {**provenance_of(loaded), **of_grid}), path)
    if not quiet:
        _tell(unknown, table, full, path, total)
    print_rows(full, out, {"unknown_categories": unknown}, "predictions", as_json=as_json)


def _grid(density: str, path: Path | None, *, as_json: bool) -> np.ndarray:
    from shoal.data.table_writers import check_vectors
    from shoal.prediction.distribution import parsed_grid

    if path is not None or not as_json:
        check_vectors(path)
    return parsed_grid(density)


def print_rows(table: pl.DataFrame, out: str | None, counts: dict[str, Any], name: str, *, as_json: bool) -> None:
    """Print a table as CSV, or a summary as JSON with the rows under a name; the rows only if no file has them."""
    from shoal.cli.output import print_csv, print_json

    if as_json:
        summary = {"rows": table.height, "columns": table.columns, **counts, "output": out}
        print_json(summary if out else {**summary, name: table.to_dicts()})
    elif not out:
        print_csv(table)


def _tell(unknown: dict[str, int], table: pl.DataFrame, full: pl.DataFrame, path: object, total: str) -> None:
    from shoal.cli.guard import tell
    from shoal.errors import counted

    if total:
        tell("note", total)
    for name, count in unknown.items():
        tell("note", f"column {name!r}: {count} {'value was' if count == 1 else 'values were'} not seen in training.")
    renamed = [name for name in full.columns[table.width :] if name.removeprefix("shoal_") in table.columns]
    if renamed:
        tell("note", f"the table has columns of these names already; added as {', '.join(renamed)}.")
    if path:
        left = f", {table.height:,} of them" if table.height < full.height else ""
        tell("note", f"{counted(full.height, 'row')}{left} with predictions written to {str(path)!r}.")
