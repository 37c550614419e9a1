"""DuckDB databases, which are opened for reading only; needs the extra `shoal[duckdb]`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from shoal.data.frames import plain_table
from shoal.data.readers.base import Content
from shoal.data.readers.files import extension_of, first_line
from shoal.data.readers.options import ReadOptions
from shoal.data.readers.packages import check_package
from shoal.data.readers.room import check_room, free_room
from shoal.data.readers.tables.array_columns import ColumnsOfArrays
from shoal.data.readers.tables.base import TableReader, check_columns
from shoal.data.readers.tables.chosen_table import chosen_table, quoted
from shoal.errors import DataError, SettingError, counted
from shoal.resources import available_cores

_BYTES_OF_VALUE = 100  # as Python holds texts, and as a column
_AS_TEXT = ("ENUM", "UUID", "TIME", "VARCHAR", "BIT")
_INTEGERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT")
_PLAIN = (*_INTEGERS, *(f"U{kind}" for kind in _INTEGERS), "FLOAT", "DOUBLE", "DECIMAL", "BOOLEAN", "DATE", "TIMESTAMP")
_TABLES = "SELECT table_schema, table_name FROM information_schema.tables ORDER BY 1, 2"


class DuckdbReader(TableReader):
    """One table or view of a database, or what a query selects of it; a query reaches no other file."""

    name = "DuckDB"
    extensions = (".duckdb", ".ddb")
    takes_queries = True

    def takes(self, path: Path, options: ReadOptions) -> bool:
        """Return whether the extension is DuckDB's, or it is `.db` and the content DuckDB's."""
        return super().takes(path, options) or (extension_of(path) == ".db" and _is_duckdb(path))

    def parse(self, path: Path, options: ReadOptions) -> Content:
        """Return the table in `path`; where there are several, the one that is named."""
        check_package("duckdb", "duckdb", f"{path}: DuckDB")
        import duckdb

        if not _is_duckdb(path):
            raise DataError(f"{path} is no readable DuckDB database. Write it again.")
        try:
            with duckdb.connect(path, read_only=True, config=_config()) as database:
                return _read(database, path, options)
        except (DataError, SettingError):
            raise
        except Exception as error:  # duckdb raises nearly anything on damaged bytes
            raise DataError(f"{path} is no readable DuckDB database ({first_line(error)}). Write it again.") from error


def _is_duckdb(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(12)[8:] == b"DUCK"
    except OSError:
        return False


def _config() -> dict[str, Any]:
    """Return settings by which nothing but the database is read, and nothing is downloaded or written."""
    closed = ("enable_external_access", "autoload_known_extensions", "autoinstall_known_extensions")
    memory = {"memory_limit": f"{free_room()}B", "temp_directory": "", "threads": str(available_cores())}
    return {**dict.fromkeys(closed, "false"), **memory, "lock_configuration": "true"}


def _read(database: Any, path: Path, options: ReadOptions) -> Content:
    if options.query is None:
        tables = {table if schema == "main" else f"{schema}.{table}": (schema, table) for schema, table in
                  database.execute(_TABLES).fetchall()}  # fmt: skip
        sources = {name: ".".join(map(quoted, parts)) for name, parts in tables.items()}
        described = {name: counted(_count(database, source), "row") for name, source in sources.items()}
        source = sources[chosen_table(path, described, options.table)]
    else:
        source = f"({options.query.strip().rstrip(';')}\n)"
    try:
        columns = {row[0]: str(row[1]) for row in database.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()}
        rows = _count(database, source)
    except Exception as error:
        if options.query is None:
            raise
        raise SettingError(f"query: DuckDB refuses it for {path} ({first_line(error)})") from error
    check_columns(len(columns), path)
    what = f"{path} selects {counted(rows, 'row')} of {counted(len(columns), 'column')}"
    check_room(_BYTES_OF_VALUE * rows * len(columns), what, "Choose fewer rows, by a query or a view.")
    return _fetched(database, source, columns, path)


def _fetched(database: Any, source: str, columns: dict[str, str], path: Path) -> Content:
    made, selected = ColumnsOfArrays(), []
    for name, kind in columns.items():
        if kind.startswith(_AS_TEXT) and not kind.startswith("TIMESTAMP") and not kind.endswith("]"):
            selected.append(f"CAST({quoted(name)} AS VARCHAR) AS {quoted(name)}")
        elif kind.startswith(_PLAIN) and not kind.endswith("]"):
            selected.append(quoted(name))
        else:
            made.leave_out(name, kind.lower())
    if selected:
        arrays = database.execute(f"SELECT {', '.join(selected)} FROM {source}").fetchnumpy()
        for name, values in arrays.items():
            made.add(name, np.ma.getdata(values), np.ma.getmaskarray(values))
    return Content(plain_table(made.table(), str(path)), notes=made.notes())


def _count(database: Any, source: str) -> int:
    return int(database.execute(f"SELECT count(*) FROM {source}").fetchone()[0])
