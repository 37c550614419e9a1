"""Files of SAS, SPSS and Stata; needs the extra `shoal[stats]`."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import polars as pl

from shoal.data.frames import plain_table
from shoal.data.readers.base import Content
from shoal.data.readers.files import extension_of, first_line
from shoal.data.readers.options import ReadOptions
from shoal.data.readers.packages import check_package
from shoal.data.readers.room import check_room
from shoal.data.readers.tables.base import TableReader, check_columns
from shoal.data.units import split_unit
from shoal.errors import DataError, counted, listing

_FUNCTIONS = {
    ".sas7bdat": ("SAS", "read_sas7bdat"),
    ".xpt": ("SAS transport", "read_xport"),
    ".dta": ("Stata", "read_dta"),
    ".zsav": ("SPSS", "read_sav"),
    ".por": ("SPSS portable", "read_por"),
    ".sav": ("SPSS", "read_sav"),  # and IDL, told apart by content
}
_SPSS = (b"$FL2", b"$FL3")
_BYTES_OF_VALUE = 100  # as Python holds it, and as a column


def is_spss(path: Path) -> bool:
    """Return whether a file begins as those of SPSS do."""
    try:
        with path.open("rb") as file:
            return file.read(4) in _SPSS
    except OSError:
        return False


class StatisticsReader(TableReader):
    """SAS, SPSS and Stata, read by pyreadstat: dates, missing values, and labels where every value has one."""

    name = "SAS, SPSS and Stata"
    extensions = tuple(extension for extension in _FUNCTIONS if extension != ".sav")

    def takes(self, path: Path, options: ReadOptions) -> bool:
        """Return whether the extension is one of these programs, or it is `.sav` and the content of SPSS."""
        return super().takes(path, options) or (extension_of(path) == ".sav" and is_spss(path))

    def parse(self, path: Path, options: ReadOptions) -> Content:
        """Return the table in `path`, with the units that labels of columns end with."""
        name, function = _FUNCTIONS[extension_of(path)]
        check_package("pyreadstat", "stats", f"{path}: {name}")
        import pyreadstat

        read: Any = getattr(pyreadstat, function)
        if options.encoding is not None:
            read = _with_encoding(read, options.encoding)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                _check_size(read(str(path), metadataonly=True)[1], path)
                table, meta = read(str(path), output_format="polars")
        except DataError:
            raise
        except Exception as error:  # pyreadstat raises nearly anything on damaged bytes
            raise DataError(f"{path} is no readable {name} file ({first_line(error)}). Write it again.") from error
        labelled = [_labels(column, meta.variable_value_labels) for column in table.get_columns()]
        names = [column.name for column in labelled if column is not None]
        table = table.with_columns([column for column in labelled if column is not None])
        notes = (f"{listing(map(repr, names))}: the labels of the values are taken.",) if names else ()
        labels = {name: split_unit(label or "-").unit for name, label in meta.column_names_to_labels.items()}
        units = {name: unit for name, unit in labels.items() if unit and name in table.columns}
        return Content(plain_table(table, str(path)), notes=notes, units=units)


def _with_encoding(read: Any, encoding: str) -> Any:
    return lambda path, **options: read(path, encoding=encoding, **options)


def _check_size(meta: Any, path: Path) -> None:
    check_columns(meta.number_columns, path)
    width = sum(int(width) for width in meta.variable_storage_width.values())
    rows = meta.number_rows if meta.number_rows is not None else path.stat().st_size // max(1, width)
    what = f"{path} declares {counted(rows, 'row')} of {counted(meta.number_columns, 'column')}"
    check_room(rows * (width + _BYTES_OF_VALUE * meta.number_columns), what, "Write fewer rows, or fewer columns.")


def _labels(column: pl.Series, labels: dict[str, dict[Any, str]]) -> pl.Series | None:
    """Return the labels of a column of codes, or None where a value that occurs has none."""
    known = labels.get(column.name, {})
    values = column.drop_nulls().unique().to_list()
    if not values or any(value not in known for value in values):
        return None
    texts = [None if value is None else str(known[value]) for value in column.to_list()]
    return pl.Series(column.name, texts, dtype=pl.String)
