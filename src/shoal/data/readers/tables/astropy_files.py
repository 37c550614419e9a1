"""ECSV, VOTable, IPAC and CDS tables; needs the extra `shoal[astro]`."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from shoal.data.frames import plain_table
from shoal.data.readers.base import Content
from shoal.data.readers.files import extension_of, first_line, load_bytes
from shoal.data.readers.options import ReadOptions
from shoal.data.readers.packages import check_package
from shoal.data.readers.tables.array_columns import ColumnsOfArrays
from shoal.data.readers.tables.base import TableReader
from shoal.data.readers.tables.chosen_table import chosen_table
from shoal.errors import DataError, counted

FORMATS = {
    ".ecsv": "ascii.ecsv",
    ".vot": "votable",
    ".votable": "votable",
    ".ipac": "ascii.ipac",
    ".cds": "ascii.cds",
    ".mrt": "ascii.mrt",
}


class AstropyReader(TableReader):
    """Tables of astronomers' text formats, read by astropy, with units and missing values."""

    name = "astronomers' text"
    extensions = tuple(FORMATS)
    compressible = True

    def parse(self, path: Path, options: ReadOptions) -> Content:
        """Return the table in `path` with its units; of several in a VOTable the one that is named."""
        extension = extension_of(path)
        check_package("astropy", "astro", f"{path}: {extension}")
        from astropy.table import Table

        data = load_bytes(path)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                kind = FORMATS[extension]
                table = (
                    _of_votable(data, path, options) if kind == "votable" else Table.read(data.decode(), format=kind)
                )
        except DataError:
            raise
        except Exception as error:  # astropy raises nearly anything on damaged bytes
            raise DataError(f"{path} is no readable {extension} file ({first_line(error)}). Write it again.") from error
        return content_of_table(table, str(path))


def _of_votable(data: bytes, path: Path, options: ReadOptions) -> Any:
    from astropy.io.votable import parse

    found = list(parse(io.BytesIO(data)).iter_tables())
    tables = {table.name or table.ID or str(number): table for number, table in enumerate(found, 1)}
    if len(tables) < len(found):  # some are called alike
        tables = {str(number): table for number, table in enumerate(found, 1)}
    described = {
        name: f"{counted(len(t.array), 'row')}, {counted(len(t.fields), 'column')}" for name, t in tables.items()
    }
    return tables[chosen_table(path, described, options.table)].to_table(use_names_over_ids=True)


def content_of_table(table: Any, source: str) -> Content:
    """Return what a table of astropy holds: columns without mixins, masks as missing values, and units."""
    columns, units = ColumnsOfArrays(), {}
    for name in table.colnames:
        column = table[name]
        values = getattr(column, "value", column)
        if not hasattr(values, "dtype"):
            columns.leave_out(name, type(column).__name__)
            continue
        mask = getattr(column, "mask", None)
        columns.add(name, np.ma.getdata(values), None if mask is None else np.broadcast_to(mask, np.shape(values)))
        units[name] = str(getattr(column, "unit", None) or "").strip()
    return Content(plain_table(columns.table(), source), notes=columns.notes(), units=columns.units(units))
