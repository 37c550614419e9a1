"""SQLite databases, which are opened for reading only."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import polars as pl

from shoal.data.frames import plain_table
from shoal.data.readers.base import Content
from shoal.data.readers.files import first_line
from shoal.data.readers.options import ReadOptions
from shoal.data.readers.room import check_room
from shoal.data.readers.tables.base import TableReader, check_columns
from shoal.data.readers.tables.chosen_table import chosen_table, quoted
from shoal.errors import DataError, SettingError, counted

_BYTES_OF_VALUE = 100  # as Python holds a row, and as a column
_BESIDE = ("shoal_units", "shoal_provenance")  # as `shoal predict -o` writes them
_ROWS_AT_ONCE = 10_000
_READING = (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE)


class SqliteReader(TableReader):
    """One table or view of a database, or what a query selects of it."""

    name = "SQLite"
    extensions = (".sqlite", ".sqlite3", ".db")
    takes_queries = True

    def parse(self, path: Path, options: ReadOptions) -> Content:
        """Return the table in `path`; where there are several, the one that is named."""
        try:
            with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)) as database:
                database.execute("SELECT name FROM sqlite_master").fetchall()
                return _selected(database, path, options.query) if options.query else _read(database, path, options)
        except (sqlite3.Error, OverflowError, UnicodeDecodeError) as error:
            raise DataError(f"{path} is no readable SQLite database ({first_line(error)}). Write it again.") from error


def _read(database: sqlite3.Connection, path: Path, options: ReadOptions) -> Content:
    listed = database.execute(
        "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%'"
    )
    names = [str(name) for (name,) in listed]
    beside = "shoal_units" in names
    names = [name for name in names if not beside or name not in _BESIDE]
    counts = {name: int(database.execute(f"SELECT count(*) FROM {quoted(name)}").fetchone()[0]) for name in names}
    name = chosen_table(path, {name: counted(rows, "row") for name, rows in counts.items()}, options.table)
    cursor = database.execute(f"SELECT * FROM {quoted(name)}")
    needed = _BYTES_OF_VALUE * counts[name] * len(cursor.description)
    check_room(needed, f"{path} has {counts[name]:,} rows in {name}", "Choose fewer rows, by a query or a view.")
    content = _fetched(cursor, path)
    truths = {str(row[1]) for row in database.execute(f"PRAGMA table_info({quoted(name)})") if "BOOL" in row[2].upper()}
    known = [column for column in content.table.get_columns() if column.name in truths and _are_truths(column)]
    table = content.table.with_columns(column.cast(pl.Boolean) for column in known)
    units = dict(database.execute("SELECT name, value FROM shoal_units")) if beside else {}
    return content._replace(table=table, units={n: u for n, u in units.items() if n in table.columns})


def _are_truths(column: pl.Series) -> bool:
    return column.dtype == pl.Int64 and set(column.drop_nulls().unique().to_list()) <= {0, 1}


def _selected(database: sqlite3.Connection, path: Path, query: str) -> Content:
    """Return what a query selects; it may read this database alone, and change nothing."""
    database.set_authorizer(lambda action, *_: sqlite3.SQLITE_OK if action in _READING else sqlite3.SQLITE_DENY)
    try:
        cursor = database.execute(query)
        if cursor.description is None:
            raise SettingError(f"query: expected SELECT …, got {query[:80]!r}")
        return _fetched(cursor, path)
    except (sqlite3.Error, sqlite3.Warning, ValueError) as error:
        if isinstance(error, SettingError | DataError):
            raise
        raise SettingError(f"query: SQLite refuses it for {path} ({first_line(error)})") from error


def _fetched(cursor: sqlite3.Cursor, path: Path) -> Content:
    columns = [str(column[0]) for column in cursor.description]
    check_columns(len(columns), path)
    rows: list[tuple[object, ...]] = []
    while more := cursor.fetchmany(_ROWS_AT_ONCE):
        rows += more
        what = f"{path} gives {len(rows):,} rows and more"
        check_room(_BYTES_OF_VALUE * len(columns) * _ROWS_AT_ONCE, what, "Choose fewer rows, by a query or a view.")
    series = [_column(columns[i], [row[i] for row in rows], path) for i in range(len(columns))]
    if len(set(columns)) < len(columns):
        twice = next(name for name in columns if columns.count(name) > 1)
        raise DataError(f"{path}: the query gives two columns {twice!r}; name one of them with AS.")
    return Content(plain_table(pl.DataFrame(series), str(path)))


def _column(name: str, values: list[object], path: Path) -> pl.Series:
    """Return the values of a column, which in SQLite may be of several types: numbers, or else texts."""
    kinds = {type(value) for value in values if value is not None}
    if bytes in kinds:
        raise DataError(f"{path}: column {name!r} holds bytes; leave it out by a query or a view.")
    if kinds <= {int}:
        return pl.Series(name, values, dtype=pl.Int64)
    if kinds <= {int, float}:
        return pl.Series(name, values, dtype=pl.Float64, strict=False)
    return pl.Series(name, [None if value is None else str(value) for value in values], dtype=pl.String)
