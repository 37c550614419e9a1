"""Tables in NumPy's own files: NPY with one array, NPZ with X and y, or with one array per column."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from shoal.data.frames import array_table, from_python, x_y_table
from shoal.data.readers.base import Content
from shoal.data.readers.files import first_line
from shoal.data.readers.numpy_arrays import array_headers, check_arrays
from shoal.data.readers.options import ReadOptions
from shoal.data.readers.tables.base import TableReader
from shoal.errors import DataError, listing

_COPIES = 3  # the array, the columns of the table, and one of them at work


class NumpyTableReader(TableReader):
    """NPY and NPZ, never unpickling anything."""

    name = "NumPy"
    extensions = (".npy", ".npz")

    def parse(self, path: Path, options: ReadOptions) -> Content:
        """Return the table in `path`; the options say nothing about arrays."""
        del options
        loaded = _load(path)
        if isinstance(loaded, np.ndarray):
            return Content(array_table(loaded, str(path)))
        return Content(_from_archive(loaded, str(path)))


def _load(path: Path) -> np.ndarray | dict[str, np.ndarray]:
    try:
        with path.open("rb") as file:
            if not file.read(6).startswith((b"\x93NUMPY", b"PK")):
                raise ValueError("it does not begin as NumPy files do")
        check_arrays(path, array_headers(path), _COPIES)
        loaded = np.load(path, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            return loaded
        with loaded:
            return {name: loaded[name] for name in loaded.files}
    except DataError:
        raise
    # zipfile and NumPy's header parser raise nearly anything on damaged bytes.
    except Exception as error:
        reason = first_line(error)
        if "allow_pickle" in reason:
            reason = "it holds Python objects, which could run code; save numbers or text"
        raise DataError(f"{path} is no readable NumPy file ({reason}). Save it again with numpy.savez.") from error


def _from_archive(arrays: dict[str, np.ndarray], source: str) -> pl.DataFrame:
    if not arrays:
        raise DataError(f"{source} holds no arrays; expected X and y, or one array per column.")
    x = next((name for name in ("X", "x") if name in arrays and np.ndim(arrays[name]) == 2), None)
    if x is not None:
        others = set(arrays) - {x, "y", "feature_names", "target_names"}
        if others:
            raise DataError(
                f"{source} holds X and also {listing(sorted(others))}; expected X, y and feature_names, "
                "or one-dimensional arrays of equal length."
            )
        names = arrays.get("feature_names")
        return x_y_table(arrays[x], arrays.get("y"), source, None if names is None else np.ravel(names).tolist())
    if len(arrays) == 1:
        name, only = next(iter(arrays.items()))
        return array_table(only, source) if only.ndim != 1 else from_python({name: only}, source=source)
    shapes = {name: array.shape for name, array in arrays.items()}
    if any(len(shape) != 1 for shape in shapes.values()):
        shown = listing(f"{name} {shape}" for name, shape in shapes.items())
        raise DataError(
            f"{source} holds arrays {shown}; expected X (rows, columns) and y, "
            "or one-dimensional arrays of equal length."
        )
    return from_python(dict(arrays), source=source)
