"""Text tables: CSV, TSV and whitespace columns, with or without header, comments and gzip."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import polars as pl
import polars.selectors as cs

from shoal.data.frames import check_names, default_names, with_named_index
from shoal.data.readers.base import Content
from shoal.data.readers.files import first_line, load_bytes
from shoal.data.readers.options import ReadOptions
from shoal.data.readers.tables import dialect
from shoal.data.readers.tables.base import TableReader, check_columns
from shoal.data.readers.tables.decoding import decode_text
from shoal.data.readers.tables.number_formats import looks_grouped
from shoal.data.readers.tables.values import MISSING, is_missing, is_number, typed, units_on_top
from shoal.errors import DataError

_SAMPLE_CHARACTERS = 100_000
_SAMPLE_RECORDS = 200
_QUOTED = re.compile(r'"(?:[^"]|"")*"')
_COMMENT = re.compile(r"^#.*\n?", re.MULTILINE)


@dataclass(frozen=True)
class _Layout:
    """Where the rows begin and what their columns are called."""

    delimiter: str
    names: list[str]
    offset: int
    line: int
    width_from: str
    sample: list[list[str]]
    units: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


class TextReader(TableReader):
    """CSV and its relatives; the delimiter and the header are found from the content."""

    name = "text table"
    compressible = True
    extensions = (".csv", ".tsv", ".txt", ".dat", ".tab", ".asc", ".data")

    def parse(self, path: Path, options: ReadOptions) -> Content:
        """Return the table in `path`, with the units in a row below its header, if there is one."""
        text = decode_text(load_bytes(path), path, options.encoding)
        if not text or text.isspace():
            raise DataError(f"{path} is empty; expected a header and rows of data.")
        named = options.delimiter
        delimiter = dialect.sniff_delimiter(_sample(text)) if named is None else dialect.named_delimiter(named)
        if delimiter == dialect.WHITESPACE:
            text = dialect.squeeze(text)
        layout = _layout(text, delimiter, options, path)
        body = text[layout.offset :]
        table = _parse(body, layout, path)
        read = typed(
            table,
            source=str(path),
            where=lambda row: f"line {_line_of(body, layout, row)}",
            options=options,
            delimiter=delimiter,
        )
        notes = (*layout.notes, *read.notes)
        return Content(read.table, notes=notes, units={**read.units, **layout.units}, formats=read.formats)


def _sample(text: str) -> str:
    """The first records, cut at a line end; comments at the top do not use it up."""
    start = 0
    while text.startswith("#", start):
        start = text.find("\n", start) + 1 or len(text)
    sample = text[start : start + _SAMPLE_CHARACTERS]
    if start + _SAMPLE_CHARACTERS < len(text) and "\n" in sample:
        sample = sample[: sample.rfind("\n")]
    return "\n".join(sample.split("\n")[:_SAMPLE_RECORDS])


def _layout(text: str, delimiter: str, options: ReadOptions, path: Path) -> _Layout:
    try:
        rows = list(islice(dialect.records(text, delimiter), _SAMPLE_RECORDS))
    except csv.Error as error:
        raise _malformed(path, error) from error
    if not rows:
        raise DataError(f"{path} has no rows: every line is empty or a comment (starts with #).")
    first, last, fields = rows[0]
    check_columns(len(fields), path)
    above = text[: _offset(text, first - 1)].split("\n")
    comments = [line for line in above if line.startswith("#")]
    commented = dialect.commented_names(comments, delimiter, len(fields))
    sample = [r for _, _, r in rows]
    header = dialect.has_header(sample) if options.header is None else options.header
    if not header:
        names = commented or default_names(len(fields))
        return _Layout(delimiter, names, _offset(text, first - 1), first, f"line {first}", sample)
    if len(rows) == 1:
        raise DataError(
            f"{path} has a header (line {first}) and no rows; expected at least one row of data below it. "
            "Lines that start with # count as comments."
        )
    names, notes = with_named_index(fields)
    _check_header(names, rows, path)
    units, sample = {}, sample[1:]
    if row_of_units := units_on_top(sample):
        units = {name: unit for name, unit in zip(names, row_of_units, strict=True) if unit}
        sample, last = sample[1:], rows[1][1]
    width_from = f"the header in line {first}"
    return _Layout(delimiter, names, _offset(text, last), last + 1, width_from, sample, units, notes)


def _check_header(fields: list[str], rows: list[tuple[int, int, list[str]]], path: Path) -> None:
    """Say what is wrong with the names, ragged rows first, since an extra delimiter makes an empty name."""
    first = rows[0][0]
    lengths = {len(r) for _, _, r in rows[1:]}
    if len(lengths) == 1 and len(rows) > 2 and lengths != {len(fields)}:
        raise DataError(
            f"{path}: the header (line {first}) has {len(fields)} fields, but the rows have {lengths.pop()}. "
            "Each column needs one name, and all lines the same delimiter (or set delimiter)."
        )
    check_names(fields, f"{path}, line {first}")


def _offset(text: str, lines: int) -> int:
    """Where the text continues after this many lines."""
    at = 0
    for _ in range(lines):
        at = text.find("\n", at) + 1
        if at == 0:
            return len(text)
    return at


def _parse(body: str, layout: _Layout, path: Path) -> pl.DataFrame:
    """Parse with polars; only where that is impossible or doubtful, look record by record."""
    quoted = '"' in body
    if quoted and f'{layout.delimiter} "' in body[:_SAMPLE_CHARACTERS]:
        return _parse_slowly(body, layout, path)
    data = body.encode("utf-8", "surrogatepass")
    table = _polars(data, layout, _guessed_types(layout))
    if table is None:
        table = _polars(data, layout, dict.fromkeys(layout.names, pl.String()))
    if table is None:
        return _parse_slowly(body, layout, path)
    # polars fills short rows with nulls, so a null in the last column may be one.
    if table.width > 1 and table[:, -1].null_count() and _may_be_short(body, layout, quoted):
        return _parse_slowly(body, layout, path)
    return _without_empty_rows(table)


def _polars(data: bytes, layout: _Layout, schema: dict[str, pl.DataType]) -> pl.DataFrame | None:
    """What polars reads with these types, or None where the content does not fit."""
    text_only = all(kind == pl.String for kind in schema.values())
    try:
        return pl.read_csv(
            data,
            has_header=False,
            separator=layout.delimiter,
            comment_prefix="#",
            schema=schema,
            raise_if_empty=False,
            # "-" is also a charge or a strand: `typed` looks at the whole column.
            null_values=None if text_only else [m for m in MISSING if m != "-"],
        ).fill_nan(None)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
        return None


def _guessed_types(layout: _Layout) -> dict[str, pl.DataType]:
    """Types by the first records: right for nearly all files, and much faster than text for all."""
    types: dict[str, pl.DataType] = {}
    for index, name in enumerate(layout.names):
        values = [v for row in layout.sample if index < len(row) and not is_missing(v := row[index])]
        integers = all(re.fullmatch(r"[+-]?\d+", v) for v in values)
        # points that may separate thousands are left to `typed`, which sees all columns
        grouped = not integers and all(looks_grouped(v) for v in values if "." in v)
        number = bool(values) and not grouped and (integers or all(map(is_number, values)))
        types[name] = (pl.Int64() if integers else pl.Float64()) if number else pl.String()
    return types


def _without_empty_rows(table: pl.DataFrame) -> pl.DataFrame:
    # Only rows that could be empty are looked at closely: nearly all tables have none.
    first = table.to_series(0)
    if not first.null_count() and not (first.dtype == pl.String and (first.str.strip_chars() == "").any()):
        return table
    filled = pl.col(pl.String).is_not_null() & (pl.col(pl.String).str.strip_chars() != "")
    numbers = cs.numeric().is_not_null()
    return table.filter(pl.any_horizontal(filled, numbers))


def _may_be_short(body: str, layout: _Layout, quoted: bool) -> bool:
    if quoted:
        body = _QUOTED.sub("q", body)
    body = _COMMENT.sub("", body).strip("\n")
    while "\n\n" in body:
        body = body.replace("\n\n", "\n")
    return body.count(layout.delimiter) != (len(layout.names) - 1) * (body.count("\n") + 1)


def _parse_slowly(body: str, layout: _Layout, path: Path) -> pl.DataFrame:
    """Read record by record: names the line of a ragged row, and accepts stray quotes."""
    width = len(layout.names)
    rows: list[list[str]] = []
    last = (layout.line, layout.line)
    try:
        for first, end, fields in dialect.records(body, layout.delimiter, layout.line):
            if len(fields) != width:
                if end > first and _is_open(body, layout, (first, end)):
                    raise _open_quote(path, first)
                raise _ragged(fields, first, layout, path)
            last = (first, end)
            if any(fields):
                rows.append(fields)
    except csv.Error as error:
        raise _malformed(path, error) from error
    if _is_open(body, layout, last):
        raise _open_quote(path, last[0])
    columns = list(zip(*rows, strict=True)) if rows else [()] * width
    data = {n: pl.Series(n, c, dtype=pl.String) for n, c in zip(layout.names, columns, strict=True)}
    return pl.DataFrame(data)


def _ragged(fields: list[str], line: int, layout: _Layout, path: Path) -> DataError:
    width = len(layout.names)
    return DataError(
        f"{path}, line {line}: expected {width} field{'s' * (width > 1)} (as in {layout.width_from}), "
        f"found {len(fields)}. Correct the line; if the delimiter is not {_in_words(layout.delimiter)}, "
        "set delimiter."
    )


def _open_quote(path: Path, line: int) -> DataError:
    return DataError(f'{path}, line {line}: a quote (") is opened and never closed. Close or remove it.')


def _is_open(body: str, layout: _Layout, lines: tuple[int, int]) -> bool:
    """Whether the last record, which may cover several lines, lacks its closing quote."""
    start, end = (_offset(body, line - layout.line) for line in (lines[0], lines[1] + 1))
    text = [f"{line}\n" for line in body[start:end].removesuffix("\n").split("\n")]
    try:
        list(csv.reader(text, delimiter=layout.delimiter, skipinitialspace=True, strict=True))
    except csv.Error as error:
        return "unexpected end" in str(error)
    return False


def _in_words(delimiter: str) -> str:
    words: dict[str, str] = {dialect.WHITESPACE: "whitespace", "\t": "a tab", ",": "a comma", ";": "a semicolon"}
    return words.get(delimiter, repr(delimiter))


def _malformed(path: Path, error: csv.Error) -> DataError:
    return DataError(f'{path} is no readable table: {first_line(error)}. Look for a quote (") that is never closed.')


def _line_of(body: str, layout: _Layout, row: int) -> int:
    lines = (first for first, _, fields in dialect.records(body, layout.delimiter, layout.line) if any(fields))
    return next(islice(lines, row, None))
