"""Flags of commands that list things: which of them, in which order, which columns, and where they are written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from shoal.errors import SettingError, listing, suggest

if TYPE_CHECKING:
    import polars as pl

Where = Annotated[
    str | None,
    typer.Option("--where", metavar="CONDITION", help='only rows that fulfil it, e.g. "score < 0.3 and kept"'),
]
Sort = Annotated[
    str | None,
    typer.Option(
        "--sort", metavar="COLUMNS", help="order of the rows; -COLUMN: the largest first; several with commas"
    ),
]
Columns = Annotated[
    str | None, typer.Option("--columns", metavar="COLUMNS", help="only these columns; several with commas")
]
TableOut = Annotated[
    str | None, typer.Option("--out", "-o", metavar="FILE", help="write the table: .csv, .tsv, .parquet or .jsonl")
]


def arranged(table: pl.DataFrame, where: str | None, sort: str | None) -> pl.DataFrame:
    """Return the rows of a table that fulfil a condition, in an order; missing values and NaN stand last.

    Raises:
        SettingError: the condition makes no sense, or there is no column of a name.
    """
    import polars as pl

    from shoal.data.expressions import parse_condition

    if where is not None:
        try:
            table = table.filter(parse_condition(where, table.schema))
        except pl.exceptions.PolarsError as error:
            raise SettingError(f"{where!r} cannot be computed: {str(error).splitlines()[0]}") from error
    if sort is None:
        return table
    names = [name.strip() for name in sort.split(",") if name.strip()]
    known = [_known(name.removeprefix("-"), table) for name in names]
    floats = [name for name in known if table.schema[name].is_float()]
    keys = [pl.col(name).fill_nan(None) if name in floats else pl.col(name) for name in known]
    descending = [name.startswith("-") for name in names]
    return table.sort(keys, descending=descending, nulls_last=True, maintain_order=True) if keys else table


def selected(table: pl.DataFrame, columns: str) -> pl.DataFrame:
    """Return some columns of a table.

    Raises:
        SettingError: there is no column of a name.
    """
    names = dict.fromkeys(_known(name.strip(), table) for name in columns.split(",") if name.strip())
    return table.select(list(names))


def print_rows_of(table: pl.DataFrame) -> None:
    """Print a table for people, numbers on the right."""
    from shoal.cli.output import print_table

    right = [place for place, kind in enumerate(table.dtypes) if kind.is_numeric()]
    print_table(table.columns, ([_cell(value) for value in row] for row in table.rows()), right=right)


def write_rows(table: pl.DataFrame, out: str, *, force: bool) -> None:
    """Write a table into a file and say so.

    Raises:
        SettingError: the extension is not known.
        RunError: the file exists, or cannot be written.
    """
    from shoal.cli.files import TABLES, check_output, write_table
    from shoal.cli.guard import tell
    from shoal.errors import counted

    path = check_output(out, TABLES, "a table", force=force)
    write_table(table, path)
    tell("note", f"{counted(table.height, 'row')} written to {str(path)!r}.")


def _known(name: str, table: pl.DataFrame) -> str:
    if name not in table.columns:
        raise SettingError(
            f"there is no column {name!r}; there are {listing(table.columns, 40)}.{suggest(name, table.columns)}"
        )
    return name


def _cell(value: object) -> str:
    from shoal.report.words import number

    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else ""
    return number(value) if isinstance(value, float) else str(value)
