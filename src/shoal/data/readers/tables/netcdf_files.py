"""NetCDF: classic files by SciPy, NetCDF-4, which is HDF5 with named dimensions, by h5py (`shoal[science]`)."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from shoal.data.readers.base import Content
from shoal.data.readers.files import first_line
from shoal.data.readers.hdf5_layout import opened
from shoal.data.readers.options import ReadOptions
from shoal.data.readers.room import check_room
from shoal.data.readers.tables.base import TableReader
from shoal.data.readers.tables.grid_values import text_of
from shoal.data.readers.tables.grids import GridVariable, content_of_grid
from shoal.errors import DataError
from shoal.resources import memory_text

# What the library writes where nothing was written; single bytes have none.
_UNWRITTEN = {"f": (9.969209968386869e36,), "i2": (-32767,), "i4": (-2147483647,), "i8": (-9223372036854775806,)}
_UNWRITTEN |= {"u2": (65535,), "u4": (4294967295,), "u8": (18446744073709551614,)}
_NO_VARIABLE = "This is a netCDF dimension but not a netCDF variable"
_LINKS = {"DIMENSION_LIST", "REFERENCE_LIST"}


class NetcdfReader(TableReader):
    """The variables over the same dimensions, a row for each place, with the coordinates as columns."""

    name = "NetCDF"
    extensions = (".nc", ".nc4", ".cdf")
    contents = (".h5",)

    def parse(self, path: Path, options: ReadOptions) -> Content:
        """Return the table in `path`; where variables have different dimensions, that over those that are named."""
        with path.open("rb") as file:
            start = file.read(4)
        if start == b"CDF\x05":
            raise DataError(
                f"{path} is NetCDF with 64-bit data (CDF-5), which is not read. Convert it: nccopy -k nc4 IN OUT"
            )
        if start not in (b"CDF\x01", b"CDF\x02"):
            with opened(path, "NetCDF") as hdf5:
                return content_of_grid(dict(_of_hdf5(hdf5)), path, options.table)
        size = path.stat().st_size
        check_room(2 * size, f"{path} has {memory_text(size)}", "Write a part of it.")
        from scipy.io import netcdf_file

        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                with netcdf_file(path, mmap=False) as old:
                    return content_of_grid(dict(_of_classic(old)), path, options.table)
        except DataError:
            raise
        except Exception as error:  # SciPy raises nearly anything on damaged bytes
            raise DataError(f"{path} is no readable NetCDF file ({first_line(error)}). Write it again.") from error


def _of_classic(file: Any) -> Iterator[tuple[str, GridVariable]]:
    for name, variable in file.variables.items():
        values, dims = np.asarray(variable.data), tuple(variable.dimensions)
        if values.dtype.kind == "S" and values.ndim:  # letters along the last dimension are a text
            values, dims = _joined(values), dims[:-1]
        yield name, _variable(dims, values, dict(vars(variable)["_attributes"]))


def _of_hdf5(file: Any) -> Iterator[tuple[str, GridVariable]]:
    found: list[tuple[str, Any]] = []
    file.visititems(lambda name, node: found.append((name, node)) if hasattr(node, "dtype") else None)
    for name, node in found:
        attributes = {key: node.attrs[key] for key in node.attrs if key not in _LINKS}
        if text_of(attributes.get("NAME")).startswith(_NO_VARIABLE) or node.shape is None:
            continue
        dims = tuple(_dimension(node, axis, name) for axis in range(node.ndim))
        if node.dtype == "S1" and node.ndim:
            yield name, _variable(dims[:-1], _Letters(node), attributes)
        elif node.dtype.kind in "biufSU" or (
            node.dtype.kind == "O" and node.dtype.metadata.get("vlen") in (str, bytes)
        ):
            yield name, _variable(dims, node, attributes)


def _dimension(node: Any, axis: int, name: str) -> str:
    """Return the name of a dimension: that of its scale, of the variable itself where it is one, else by its length."""
    scales = node.dims[axis].values()
    if scales:
        return str(scales[0].name).strip("/")
    return name if node.is_scale and node.ndim == 1 else f"length_{node.shape[axis]}"


class _Letters:
    """A dataset of letters as one of texts, which are joined when they are read."""

    def __init__(self, node: Any) -> None:
        self.node, self.shape, self.dtype = node, node.shape[:-1], np.dtype(f"S{max(1, node.shape[-1])}")

    def __getitem__(self, key: Any) -> np.ndarray:
        return _joined(self.node[key])


def _joined(letters: np.ndarray) -> np.ndarray:
    if not letters.shape[-1]:
        return np.zeros(letters.shape[:-1], "S1")
    return np.ascontiguousarray(letters).view(f"S{letters.shape[-1]}")[..., 0]


def _variable(dims: tuple[str, ...], stored: Any, attributes: dict[str, Any]) -> GridVariable:
    kind = stored.dtype.kind
    fills: tuple[float, ...] = _UNWRITTEN.get(kind, ()) if kind == "f" else _UNWRITTEN.get(stored.dtype.str[1:], ())
    fills = fills if "_FillValue" not in attributes else ()
    return GridVariable(dims, tuple(stored.shape), stored.dtype, attributes, lambda: stored[...], fills)
