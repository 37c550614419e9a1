"""ARFF, the text format of Weka and OpenML: dense and sparse rows, quoted names and texts.

SciPy's reader knows neither sparse rows nor texts.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import polars as pl

from shoal.data.frames import plain_table
from shoal.data.readers.base import Content
from shoal.data.readers.files import load_bytes
from shoal.data.readers.options import ReadOptions
from shoal.data.readers.room import check_room
from shoal.data.readers.tables.base import TableReader, check_columns
from shoal.data.readers.tables.decoding import decode_text
from shoal.data.readers.tables.values import typed
from shoal.errors import DataError, counted, listing

_QUOTED = r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\""
_ATTRIBUTE = re.compile(rf"@attribute\s+(?P<name>{_QUOTED}|\S+)\s+(?P<kind>\{{.*|\S+)", re.IGNORECASE)
_FIELD = re.compile(rf"\s*(?P<value>{_QUOTED}|[^,]*?)\s*(?:,|$)")
_SPARSE = re.compile(rf"\s*(?P<place>\d+)\s+(?P<value>{_QUOTED}|[^,]*?)\s*(?:,|$)")
_NUMBERS = ("numeric", "real", "integer")
_TEXTS = ("string", "date")
_BYTES_OF_VALUE = 60


class _Attribute(NamedTuple):
    """A column: its name, and the values it may have; None for numbers, an empty tuple for any text."""

    name: str
    values: tuple[str, ...] | None

    @property
    def default(self) -> str | None:
        """What a sparse row means that does not name it."""
        return "0" if self.values is None else self.values[0] if self.values else None


class ArffReader(TableReader):
    """ARFF; nominal attributes are texts, dates are found as in other texts."""

    name = "ARFF"
    extensions = (".arff",)
    compressible = True

    def parse(self, path: Path, options: ReadOptions) -> Content:
        """Return the table in `path`."""
        lines = decode_text(load_bytes(path), path, options.encoding).splitlines()
        attributes, start = _header(lines, path)
        names = [attribute.name for attribute in attributes]
        check_columns(len(names), path)
        filled = [n for n in range(start, len(lines)) if (line := lines[n].strip()) and not line.startswith("%")]
        what = f"{path} has {counted(len(filled), 'row')} of {counted(len(names), 'attribute')}"
        check_room(_BYTES_OF_VALUE * len(filled) * len(names), what, "Write fewer rows, or fewer attributes.")
        rows = [_row(lines[n].strip(), attributes, f"{path}, line {n + 1}") for n in filled]
        cells = zip(*rows, strict=True) if rows else [()] * len(names)
        table = plain_table(
            pl.DataFrame([pl.Series(n, c, pl.String) for n, c in zip(names, cells, strict=True)]), str(path)
        )
        numbers = table.select([attribute.name for attribute in attributes if attribute.values is None])
        read = typed(numbers, source=str(path), where=lambda row: f"line {filled[row] + 1}", options=options)
        for column in read.table.select(pl.col(pl.String)).get_columns():
            bad = (column.is_not_null() & column.cast(pl.Float64, strict=False).is_null()).arg_true()
            if bad.len():
                where, found = f"{path}, line {filled[bad[0]] + 1}", column[bad[0]]
                raise DataError(
                    f"{where}: attribute {column.name!r} is declared numeric, found {found!r}. Correct either."
                )
        numeric = [
            column.cast(pl.Float64) if column.dtype == pl.String else column for column in read.table.get_columns()
        ]
        return Content(table.with_columns(numeric), notes=read.notes, units=read.units, formats=read.formats)


def _header(lines: list[str], path: Path) -> tuple[list[_Attribute], int]:
    """Return the attributes, and the number of the first line of data."""
    attributes: list[_Attribute] = []
    for number, line in enumerate(lines):
        text = line.strip()
        if text.lower().startswith("@data"):
            if not attributes:
                raise DataError(f"{path} has no line @attribute; expected one for each column before @data.")
            return attributes, number + 1
        if text.lower().startswith("@attribute"):
            match = _ATTRIBUTE.match(text)
            attribute = match and _attribute(match)
            if not attribute:
                where = f"{path}, line {number + 1}"
                kinds = ", ".join((*_NUMBERS, *_TEXTS))
                raise DataError(f"{where}: expected @attribute NAME TYPE with {kinds} or {{A, B}}, got {text[:80]!r}.")
            attributes.append(attribute)
    raise DataError(f"{path} has no line @data; expected the rows below it.")


def _attribute(match: re.Match[str]) -> _Attribute | None:
    name, kind = _plain(match["name"]), match["kind"].strip()
    if kind.startswith("{"):
        end = kind.rfind("}")
        return _Attribute(name, tuple(_fields(kind[1:end], _FIELD))) if end > 0 else None
    if kind.lower() in _NUMBERS:
        return _Attribute(name, None)
    return _Attribute(name, ()) if kind.lower() in _TEXTS else None


def _row(line: str, attributes: list[_Attribute], where: str) -> list[str | None]:
    if line.startswith("{") and line.endswith("}"):
        row = [attribute.default for attribute in attributes]
        for match in _matches(line[1:-1], _SPARSE, where):
            if int(match["place"]) >= len(row):
                raise DataError(
                    f"{where}: there is no attribute {match['place']}; they are counted from 0 to {len(row) - 1}."
                )
            row[int(match["place"])] = _value(match["value"])
    elif "'" in line or '"' in line:
        row = [_value(match["value"]) for match in _matches(line, _FIELD, where)]
    else:
        row = [_value(field.strip()) for field in line.split(",")]
    if len(row) != len(attributes):
        raise DataError(f"{where}: expected {counted(len(attributes), 'value')}, found {len(row)}. Correct the line.")
    for value, attribute in zip(row, attributes, strict=True):
        if value is not None and attribute.values and value not in attribute.values:
            known = listing(attribute.values[:10])
            raise DataError(f"{where}: attribute {attribute.name!r} has the values {known}; found {value!r}.")
    return row


def _matches(text: str, pattern: re.Pattern[str], where: str) -> list[re.Match[str]]:
    """Return the fields of a text, which they must fill."""
    found, at = [], 0
    while at < len(text) or (at and text[at - 1] == ","):
        match = pattern.match(text, at)
        if match is None or match.end() == at:
            raise DataError(
                f"{where}: cannot be read from {text[at : at + 40]!r}. Quote texts that hold commas or quotes."
            )
        found.append(match)
        at = match.end()
    return found


def _fields(text: str, pattern: re.Pattern[str]) -> list[str]:
    return [_plain(match["value"]) for match in pattern.finditer(text) if match["value"]]


def _value(text: str) -> str | None:
    return None if text in ("?", "") else _plain(text)


def _plain(text: str) -> str:
    """Return a text without its quotes."""
    quoted = len(text) > 1 and text[0] in "'\"" and text[-1] == text[0]
    return re.sub(r"\\(.)", r"\1", text[1:-1]) if quoted else text
