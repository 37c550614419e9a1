"""PostgreSQL databases, `postgresql://…`, by ADBC (`shoal[postgresql]`), in a transaction that can only read."""

from __future__ import annotations

import importlib.util
from contextlib import closing
from typing import Any
from urllib.parse import parse_qs, urlsplit

import polars as pl

from shoal.data.frames import plain_table
from shoal.data.readers.base import Content
from shoal.data.readers.files import first_line
from shoal.data.readers.options import ReadOptions
from shoal.data.readers.room import check_room
from shoal.data.readers.tables.array_columns import ColumnsOfArrays
from shoal.data.readers.tables.base import check_columns
from shoal.data.readers.tables.chosen_table import chosen_table, quoted
from shoal.errors import DataError, SettingError, counted

_SCHEMES = ("postgresql://", "postgres://")
_BYTES_OF_VALUE = 100  # as Arrow holds texts, and as a column
_TABLES = (
    "SELECT table_schema, table_name FROM information_schema.tables "
    "WHERE table_schema NOT IN ('pg_catalog', 'information_schema') ORDER BY 1, 2"
)
_PLAIN = ("bool", "int2", "int4", "int8", "float4", "float8", "text", "varchar", "date", "timestamp", "timestamptz")
_CAST = {"numeric": "double precision", **dict.fromkeys(("bpchar", "name", "uuid", "time", "interval", "oid"), "text")}


def is_postgresql(data: Any) -> bool:
    """Return whether data are the address of a PostgreSQL database.

    Example:
        >>> is_postgresql("postgresql://lab@host/shots"), is_postgresql("s3://bucket/a.csv")
        (True, False)
    """
    return isinstance(data, str) and data.startswith(_SCHEMES)


def read_postgresql(address: str, options: ReadOptions) -> Content:
    """Return a table or view of a database, or what a query selects.

    The query is a part of a SELECT, in a transaction that is read-only and sees one state of the database. What the
    functions of the server may do beside that is up to the rights of its user.

    Raises:
        DataError: ADBC is missing, the database cannot be reached, or what it gives is no table.
        SettingError: the query is refused, or the address holds a password, which runs would keep.
    """
    named = _named(address)
    if any(importlib.util.find_spec(package) is None for package in ("adbc_driver_postgresql", "pyarrow")):
        raise DataError(f"{named}: PostgreSQL needs extra packages. Install them with: pip install 'shoal[postgresql]'")
    from adbc_driver_postgresql import dbapi

    try:
        with closing(dbapi.connect(address)) as database, closing(database.cursor()) as cursor:
            cursor.adbc_statement.set_options(**{"adbc.postgresql.use_copy": "false"})
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            cursor.adbc_statement.set_options(**{"adbc.postgresql.use_copy": "true"})
            return _read(cursor, address, options)
    except dbapi.Error as error:
        raise DataError(f"{named} cannot be read ({first_line(error)}).") from error


def _named(address: str) -> str:
    """Return an address as messages have it.

    Raises:
        SettingError: it holds a password.
    """
    parts = urlsplit(address)
    if parts.password is not None or "password" in parse_qs(parts.query):
        raise SettingError(
            f"{parts.scheme}://{parts.hostname}{parts.path}: the address holds a password, which the run would keep; "
            "put it into ~/.pgpass or PGPASSWORD, and leave it out here"
        )
    return address


def _read(cursor: Any, address: str, options: ReadOptions) -> Content:
    from adbc_driver_postgresql import dbapi

    source = f"({options.query.strip().rstrip(';')}\n)" if options.query else _table(cursor, address, options.table)
    try:
        cursor.execute(f"SELECT * FROM {source} AS q LIMIT 0")
        schema = cursor.fetch_arrow_table().schema
        rows = _count(cursor, f"{source} AS q")
    except dbapi.Error as error:
        if options.query is None:
            raise
        raise SettingError(f"query: PostgreSQL refuses it for {address} ({first_line(error)})") from error
    check_columns(len(schema.names), address)
    if len(set(schema.names)) < len(schema.names):
        twice = next(name for name in schema.names if schema.names.count(name) > 1)
        raise DataError(f"{address}: the query gives two columns {twice!r}; name one of them with AS.")
    what = f"{address} selects {counted(rows, 'row')} of {counted(len(schema.names), 'column')}"
    check_room(_BYTES_OF_VALUE * rows * len(schema.names), what, "Choose fewer rows, by a query or a view.")
    selected, made = [], ColumnsOfArrays()
    for field in schema:
        name, kind = quoted(field.name), (field.metadata or {}).get(b"POSTGRESQL:type", b"?").decode()
        if kind in _CAST:
            selected.append(f"CAST({name} AS {_CAST[kind]}) AS {name}")
        elif kind in _PLAIN:
            selected.append(name)
        else:
            made.leave_out(field.name, kind.lstrip("_") + " lists" if kind.startswith("_") else kind)
    if not rows or not selected:
        raise DataError(" ".join((f"{address} gives no rows of numbers or texts.", *made.notes())))
    cursor.execute(f"SELECT {', '.join(selected)} FROM {source} AS q")
    table = pl.DataFrame(cursor.fetch_arrow_table())
    return Content(plain_table(table, address), notes=made.notes())


def _table(cursor: Any, address: str, wanted: str | None) -> str:
    """Return the one table or view, or the one that is named, quoted."""
    cursor.execute(_TABLES)
    tables = {name if schema == "public" else f"{schema}.{name}": (schema, name) for schema, name in cursor.fetchall()}
    sources = {name: ".".join(map(quoted, parts)) for name, parts in tables.items()}
    described = {name: counted(_count(cursor, source), "row") for name, source in sources.items()}
    return sources[chosen_table(address, described, wanted)]


def _count(cursor: Any, source: str) -> int:
    cursor.execute(f"SELECT count(*) FROM {source}")
    return int(cursor.fetchall()[0][0])
