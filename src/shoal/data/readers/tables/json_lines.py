"""JSON lines: one object per line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl

from shoal.data.frames import plain_table
from shoal.data.readers.base import Content
from shoal.data.readers.files import load_bytes
from shoal.data.readers.options import ReadOptions
from shoal.data.readers.tables.base import TableReader
from shoal.data.readers.tables.decoding import decode_text
from shoal.data.readers.tables.values import typed
from shoal.errors import DataError


class JsonLinesReader(TableReader):
    """JSON lines, read by polars; Python's reader only finds mistakes, and accepts NaN and mixed columns."""

    name = "JSON lines"
    compressible = True
    extensions = (".jsonl", ".ndjson")

    def parse(self, path: Path, options: ReadOptions) -> Content:
        """Return the table in `path`."""
        text = decode_text(load_bytes(path), path, options.encoding)
        if not text.strip():
            raise DataError(f"{path} is empty; expected one JSON object per line.")
        table = _fast(text) if _is_flat(text) else None
        if table is None:
            table = _slow(text, path)
        lines = [n for n, line in enumerate(text.split("\n"), 1) if line.strip()]
        read = typed(
            plain_table(table, str(path)), source=str(path), where=lambda row: f"line {lines[row]}", options=options
        )
        return Content(read.table, notes=read.notes, units=read.units, formats=read.formats)


def _is_flat(text: str) -> bool:
    """Return whether no line can hold objects in objects: polars follows any depth, until the stack ends."""
    return "[" not in text and text.count("{") <= text.count("\n") + 1


def _fast(text: str) -> pl.DataFrame | None:
    """What polars makes of it, unless it fails or had to drop or turn something."""
    try:
        table = pl.read_ndjson(text.encode(), infer_schema_length=None)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, UnicodeError, ValueError):
        return None
    rows = sum(1 for line in text.split("\n") if line.strip())
    # polars turns nested values into text without a word where a column mixes them.
    mixed = any(t == pl.String and table[n].str.contains(r"^\s*[\[{]").any() for n, t in table.schema.items())
    return table if table.height == rows and table.width and not mixed else None


def _slow(text: str, path: Path) -> pl.DataFrame:
    rows: list[dict[str, Any]] = []
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            rows.append(_row(line, f"{path}, line {number}"))
    names = list(dict.fromkeys(name for row in rows for name in row))
    return pl.DataFrame({name: _column(name, [row.get(name) for row in rows]) for name in names})


def _row(line: str, where: str) -> dict[str, Any]:
    try:
        row = json.loads(line, parse_int=float if len(line) > 4000 else None)
    except (ValueError, RecursionError) as error:
        reason = f"{error.msg} at character {error.colno}" if isinstance(error, json.JSONDecodeError) else "unreadable"
        raise DataError(
            f"{where}: expected one JSON object per line, such as {{'x': 1.5}}, but this line is no JSON ({reason})."
        ) from error
    if not isinstance(row, dict):
        raise DataError(f'{where}: expected one JSON object per line, such as {{"x": 1.5}}, found {_kind(row)}.')
    for name, value in row.items():
        if isinstance(value, list | dict):
            raise DataError(
                f"{where}: column {name!r} holds {_kind(value)}; expected a number or text. "
                "Give each entry its own column."
            )
    return row


def _kind(value: object) -> str:
    names = {list: "a list", dict: "an object", str: "text", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")


def _column(name: str, values: list[Any]) -> pl.Series:
    """A column of one type; mixed ones become text, which is then read as text columns are."""
    present = {type(v) for v in values if v is not None}
    if present <= {bool}:
        return pl.Series(name, values, dtype=pl.Boolean)
    if present <= {int, float}:
        return pl.Series(name, [None if v is None else _float(v) for v in values], dtype=pl.Float64)
    return pl.Series(name, [v if v is None or isinstance(v, str) else json.dumps(v) for v in values], dtype=pl.String)


def _float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")
