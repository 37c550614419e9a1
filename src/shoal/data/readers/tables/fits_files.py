"""FITS tables; needs the extra `shoal[astro]`."""

from __future__ import annotations

import io
import math
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from shoal.data.frames import plain_table
from shoal.data.readers.base import Content
from shoal.data.readers.files import first_line, is_compressed, load_bytes
from shoal.data.readers.options import ReadOptions
from shoal.data.readers.packages import check_package
from shoal.data.readers.room import check_room
from shoal.data.readers.tables.array_columns import ColumnsOfArrays
from shoal.data.readers.tables.awkward_columns import FIRST_VALUES
from shoal.data.readers.tables.base import TableReader, check_columns
from shoal.data.readers.tables.chosen_table import chosen_table
from shoal.errors import DataError, counted, listing

_COPIES = 3  # as read, with its nulls, and with the types of a table
_BYTES_OF_VALUE = 10  # in a table, of however few bytes in the file, and what is converted beside


class FitsReader(TableReader):
    """A table of a FITS file, read by astropy: byte order, scaled integers, TNULL, TUNIT, texts, vectors."""

    name = "FITS"
    extensions = (".fits", ".fit", ".fts")
    compressible = True

    def parse(self, path: Path, options: ReadOptions) -> Content:
        """Return the table in `path` with its units; where there are several, the one that is named."""
        check_package("astropy", "astro", f"{path}: FITS")
        from astropy.io import fits

        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                source = io.BytesIO(load_bytes(path)) if is_compressed(path) else path
                with fits.open(source, memmap=True, lazy_load_hdus=True) as file:
                    content, data = _read(file, path, options)
                del file, data  # in this order: data that go before their columns are copied into them
                return content
        except DataError:
            raise
        except Exception as error:  # astropy raises nearly anything on damaged bytes
            raise DataError(f"{path} is no readable FITS file ({first_line(error)}). Write it again.") from error


def _read(file: Any, path: Path, options: ReadOptions) -> tuple[Content, Any]:
    """Return the table, and the data of astropy that it was read from."""
    tables, images = {}, []
    for number, hdu in enumerate(file):
        if hdu.is_image:
            hint = ", read with --kind images" if len(hdu.shape) == 3 else ""
            images += [f"an image of {' × '.join(map(str, hdu.shape))}{hint}"] if hdu.shape else []
        elif hasattr(hdu, "columns"):
            tables[hdu.name or str(number)] = number
    described = {name: _in_words(file[number]) for name, number in tables.items()}
    name = chosen_table(path, described, options.table, listing(images))
    hdu = file[tables[name]]
    rows, width = int(hdu.header["NAXIS2"]), int(hdu.header["NAXIS1"])
    check_columns(len(hdu.columns), path)
    values = sum(math.prod(hdu.columns.dtype[name].shape) for name in hdu.columns.dtype.names)
    needed = rows * max(_COPIES * width, width + _BYTES_OF_VALUE * values)
    check_room(needed, f"{path} declares {rows:,} rows of {width:,} bytes", "Write fewer rows or columns.")
    held, offset = (path.stat().st_size, int(hdu.fileinfo()["datLoc"])) if not is_compressed(path) else (math.inf, 0)
    if offset + rows * width > held:
        raise DataError(f"{path} is cut off: its header declares {rows:,} rows of {width:,} bytes. Fetch it again.")
    columns = ColumnsOfArrays()
    for column in hdu.columns:
        _add(columns, column, hdu.data, options.list_values or FIRST_VALUES)
    units = columns.units({column.name: str(column.unit or "").strip() for column in hdu.columns})
    return Content(plain_table(columns.table(), str(path)), notes=columns.notes(), units=units), hdu.data


def _in_words(hdu: Any) -> str:
    return f"{counted(int(hdu.header['NAXIS2']), 'row')}, {counted(len(hdu.columns), 'column')}"


def _add(columns: ColumnsOfArrays, column: Any, data: Any, most: int) -> None:
    """Add a column of a FITS table; integers that are TNULL, truths that are undefined and empty texts are missing."""
    if "P" in column.format or "Q" in column.format:
        _add_lists(columns, column, data[column.name], most)
        return
    values, stored = np.asarray(data[column.name]), np.asarray(data.view(np.ndarray)[column.name])
    missing = None
    if column.null is not None and stored.dtype.kind in "iu":
        missing = stored == column.null
    elif values.dtype.kind == "b" and stored.dtype.kind != "b":
        missing = stored == 0
    elif values.dtype.kind == "U":
        values = np.char.rstrip(values)
        missing = values == ""
    columns.add(column.name, values, missing)


def _add_lists(columns: ColumnsOfArrays, column: Any, lists: Any, most: int) -> None:
    """Add the first values of lists of different lengths, where they are numbers."""
    kinds = {values.dtype for values in lists}
    if any(kind.kind not in "iuf" for kind in kinds):
        columns.leave_out(column.name, "lists of texts, truths or complex numbers")
        return
    lengths = np.array([len(values) for values in lists], np.int64)
    padded = np.ma.masked_all((len(lists), most), np.result_type(*kinds))
    for row, values in enumerate(lists):
        padded[row, : min(len(values), most)] = values[:most]
    columns.add_list(column.name, padded, lengths)
