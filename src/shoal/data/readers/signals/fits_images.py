"""Cubes of images in FITS files, with a table of their targets beside them; needs the extra `shoal[astro]`."""

from __future__ import annotations

import io
import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from shoal.data.readers.base import Content, Reader
from shoal.data.readers.files import extension_of, first_line, is_compressed, load_bytes
from shoal.data.readers.options import ReadOptions
from shoal.data.readers.packages import check_package
from shoal.data.readers.room import check_room
from shoal.data.readers.signals.arrays import signals_from_arrays
from shoal.data.readers.tables.fits_files import FitsReader
from shoal.errors import DataError, listing

_COPIES = 3.0  # scaled by BSCALE, in the byte order of the machine, and brought to another size


class FitsImageReader(Reader):
    """FITS whose images are a cube, images × lines × columns, of which each image is a row.

    A table with a row for each image holds targets and other columns. A cube of other axes, such as channels, is
    refused; `--kind table` reads the tables of the file alone. In compressed files images must be asked for.
    """

    name = "FITS"
    extensions = FitsReader.extensions
    gives_signals = True

    def takes(self, path: Path, options: ReadOptions) -> bool:
        """Return whether images were asked for, or the file holds a cube and no table, or one with as many rows."""
        if extension_of(path) not in self.extensions or not path.is_file() or options.kind == "series":
            return False
        unclear = options.kind is None and options.table is None and not is_compressed(path)
        if not unclear or find_spec("astropy") is None:
            return options.kind == "images"
        try:
            with _opened(path) as file:
                cubes, tables = _cubes(file), _tables(file)
                rows = {int(file[name].header["NAXIS2"]) for name in tables}
                return len(cubes) == 1 and (not tables or rows == {file[cubes[0]].shape[0]})
        except Exception:  # the reader of tables says what is wrong with a damaged file
            return False

    def read(self, path: Path, options: ReadOptions) -> Content:
        """Return the images and the table beside them."""
        check_package("astropy", "astro", f"{path}: FITS")
        try:
            with _opened(path) as file:
                return _read(file, path, options)
        except DataError:
            raise
        except Exception as error:  # astropy raises nearly anything on damaged bytes
            raise DataError(f"{path} is no readable FITS file ({first_line(error)}). Write it again.") from error


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    from astropy.io import fits

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with fits.open(io.BytesIO(load_bytes(path)) if is_compressed(path) else path, memmap=True) as file:
            yield file


def _cubes(file: Any) -> list[int]:
    """Return the places of all images of three axes."""
    return [i for i, hdu in enumerate(file) if hdu.is_image and len(hdu.shape) == 3]


def _tables(file: Any) -> list[int]:
    return [i for i, hdu in enumerate(file) if not hdu.is_image and hasattr(hdu, "columns")]


def _read(file: Any, path: Path, options: ReadOptions) -> Content:
    cubes = _cubes(file)
    if len(cubes) != 1:
        images = listing(f"{hdu.name} {' × '.join(map(str, hdu.shape))}" for hdu in file if hdu.is_image and hdu.shape)
        raise DataError(
            f"{path} holds {images or 'no images'}; expected one cube, images × lines × columns (in FITS NAXIS3 counts "
            "the images). Stack images of one size with numpy.stack; images with channels, (images, lines, columns, "
            "channels), are read from .npz"
        )
    cube = file[cubes[0]]
    axes = " × ".join(map(str, cube.shape))
    check_room(_COPIES * 8 * math.prod(cube.shape), f"{path} holds a cube of {axes}", "Write fewer images.")
    content = signals_from_arrays(np.array(cube.data), None, replace(options, kind="images"), str(path))
    beside = [i for i in _tables(file) if int(file[i].header["NAXIS2"]) == cube.shape[0]]
    if options.table is None and len(beside) != 1:
        return content
    wanted = options.table or file[beside[0]].name or str(beside[0])
    table = FitsReader().parse(path, ReadOptions(table=wanted, list_values=options.list_values))
    rows = table.table.height
    if rows != cube.shape[0]:
        raise DataError(f"{path}: table {wanted} has {rows:,} rows for {cube.shape[0]:,} images; expected one for each")
    notes = (*content.notes, *table.notes)
    return content._replace(table=table.table, roles=table.roles, units=table.units, notes=notes)
