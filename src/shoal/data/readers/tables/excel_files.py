"""Excel and OpenDocument sheets; needs the extra `shoal[excel]`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl

from shoal.data.frames import check_names, default_names, plain_table, with_named_index
from shoal.data.readers.base import Content
from shoal.data.readers.files import first_line, load_raw
from shoal.data.readers.options import ReadOptions
from shoal.data.readers.packages import check_package
from shoal.data.readers.tables.base import TableReader
from shoal.data.readers.tables.dialect import has_header
from shoal.data.readers.tables.sheet_sizes import check_workbook
from shoal.data.readers.tables.values import typed, units_on_top
from shoal.errors import DataError, listing, suggest

_SAMPLE_ROWS = 200


class ExcelReader(TableReader):
    """One sheet of a workbook, read as text by polars and fastexcel, then typed like a text file."""

    name = "Excel"
    extensions = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")

    def parse(self, path: Path, options: ReadOptions) -> Content:
        """Return the table in the chosen sheet of `path`, with the units in a row below its header."""
        check_package("fastexcel", "excel", f"{path}: Excel")
        check_workbook(path, options.sheet)
        sheet = _load(path, options.sheet)
        if not sheet.width or not (filled := _filled(sheet)).any():
            raise DataError(f"{path}: the sheet is empty; expected a header and rows of data.")
        sheet = sheet[[c.name for c in sheet.get_columns() if (c.str.strip_chars() != "").any()]]
        cells = sheet.filter(filled)
        numbers = [int(i) + 1 for i in filled.arg_true()]
        rows = [[str(v or "").strip() for v in row] for row in cells.head(_SAMPLE_ROWS).rows()]
        header = has_header(rows) if options.header is None else options.header
        names, row_of_units = rows[0] if header else default_names(cells.width), []
        notes: tuple[str, ...] = ()
        if header:
            names, notes = with_named_index(names)
            check_names(names, f"{path}, row {numbers[0]}")
            row_of_units = units_on_top(rows[1:]) or []
            skipped = 2 if row_of_units else 1
            cells, numbers = cells.slice(skipped), numbers[skipped:]
        if not cells.height:
            raise DataError(f"{path} has a header and no rows; expected at least one row of data below it.")
        cells = _with_types(cells, _load(path, options.sheet, skip=numbers[0] - 1), numbers, path)
        cells.columns = names
        read = typed(cells, source=str(path), where=lambda row: f"row {numbers[row]}", options=options)
        units = {name: unit for name, unit in zip(names, row_of_units, strict=False) if unit}
        return Content(read.table, notes=(*notes, *read.notes), units={**read.units, **units}, formats=read.formats)


def _filled(sheet: pl.DataFrame) -> pl.Series:
    return sheet.select(pl.any_horizontal(pl.all().str.strip_chars() != "").fill_null(value=False)).to_series()


def _with_types(cells: pl.DataFrame, sheet: pl.DataFrame, numbers: list[int], path: Path) -> pl.DataFrame:
    """Numbers and dates as the workbook holds them, since its texts of small numbers are rounded."""
    native = sheet[[n - numbers[0] for n in numbers]].select(cells.columns)
    kept = [c for c in native.get_columns() if c.dtype not in (pl.String, pl.Null)]
    return cells.with_columns(plain_table(pl.DataFrame(kept), str(path)).get_columns())


def _load(path: Path, sheet: str | None, skip: int | None = None) -> pl.DataFrame:
    """All cells as text, or those below the first `skip` rows with the types of the workbook."""
    import fastexcel

    with _readable(f"{path} is no readable Excel file", "Save it again as .xlsx."):
        sheets = fastexcel.read_excel(load_raw(path)).sheet_names
    if sheet is not None and sheet not in sheets:
        raise DataError(f"{path} has no sheet {sheet!r}; it has: {listing(sheets)}.{suggest(sheet, sheets)}")
    if not sheets:
        raise DataError(f"{path} has no sheets.")
    settings: dict[str, Any] = {"skip_rows": skip or 0}
    settings |= {"dtypes": "string"} if skip is None else {"schema_sample_rows": None}
    with _readable(f"{path}, sheet {sheet or sheets[0]!r}: cannot be read as a table", "Export it as CSV."):
        # pl.read_excel drops empty rows by default, and with them the row numbers for messages.
        return pl.read_excel(
            load_raw(path),
            sheet_name=sheet or sheets[0],
            engine="calamine",
            has_header=False,
            read_options=settings,
            drop_empty_rows=False,
            drop_empty_cols=False,
            raise_if_empty=False,
        )


@contextmanager
def _readable(refusal: str, mend: str) -> Iterator[None]:
    """Refuse a file that fastexcel cannot read; its errors have no common public base, and damage makes it panic."""
    try:
        yield
    except BaseException as error:
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        raise DataError(f"{refusal} ({first_line(error)}). {mend}") from error
