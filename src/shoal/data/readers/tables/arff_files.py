"""ARFF, the text format of Weka and OpenML.

SciPy's reader knows neither sparse rows nor texts.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl

from shoal.data.frames import plain_table
from shoal.data.readers.base import Content
from shoal.data.readers.files import load_bytes
from shoal.data.readers.options import ReadOptions
from shoal.data.readers.room import check_room
from shoal.data.readers.tables.arff_rows import read_header, read_row
from shoal.data.readers.tables.base import TableReader, check_columns
from shoal.data.readers.tables.decoding import decode_text
from shoal.data.readers.tables.values import typed
from shoal.errors import DataError, counted

_BYTES_OF_VALUE = 60


class ArffReader(TableReader):
    """ARFF; nominal attributes are texts, dates are found as in other texts."""

    name = "ARFF"
    extensions = (".arff",)
    compressible = True

    def parse(self, path: Path, options: ReadOptions) -> Content:
        """Return the table in `path`."""
        lines = decode_text(load_bytes(path), path, options.encoding).splitlines()
        attributes, start = read_header(lines, path)
        names = [attribute.name for attribute in attributes]
        check_columns(len(names), path)
        filled = [n for n in range(start, len(lines)) if (line := lines[n].strip()) and not line.startswith("%")]
        what = f"{path} has {counted(len(filled), 'row')} of {counted(len(names), 'attribute')}"
        check_room(_BYTES_OF_VALUE * len(filled) * len(names), what, "Write fewer rows, or fewer attributes.")
        rows = [read_row(lines[n].strip(), attributes, f"{path}, line {n + 1}") for n in filled]
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
