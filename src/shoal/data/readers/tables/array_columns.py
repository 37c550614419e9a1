"""Arrays that scientific files hold as columns of a table: numbers, texts, and vectors spread over columns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from shoal.errors import listing

MOST_OF_VECTOR = 32
"""Values of a vector that become columns of their own; longer ones are left out."""


class ColumnsOfArrays:
    """Columns made of arrays one by one, and what was left out or spread, for the notes.

    Args:
        most: values of a vector that become columns; longer ones are left out.

    Example:
        >>> columns = ColumnsOfArrays()
        >>> columns.add("flux", np.array([1.0, 2.0], ">f4"), np.array([False, True]))
        >>> columns.table()["flux"].to_list()
        [1.0, None]
    """

    def __init__(self, most: int = MOST_OF_VECTOR) -> None:
        self.most = most
        self.columns: dict[str, pl.Series] = {}
        self.spread: dict[str, tuple[str, list[str]]] = {}
        self.left_out: dict[str, str] = {}

    def add(self, name: str, values: Any, missing: Any = None, what: str = "a vector") -> None:
        """Add a column of numbers, truths or texts `(rows,)`, or of vectors `(rows, values)`.

        Args:
            name: of the column.
            values: an array in any byte order; texts may be bytes.
            missing: whether each value is missing, of the same shape; None: none is.
            what: values `(rows, values)` are, in notes.
        """
        values = np.asarray(values)
        missing = None if missing is None else np.broadcast_to(np.asarray(missing, bool), values.shape)
        if values.ndim == 2 and 1 <= values.shape[1] <= self.most:
            parts = [f"{name}_{i + 1}" for i in range(values.shape[1])]
            for i, part in enumerate(parts):
                self._add(part, values[:, i], None if missing is None else missing[:, i])
            self.spread[name] = what, parts
        elif values.ndim != 1:
            self.left_out[name] = f"{' × '.join(map(str, values.shape[1:]))} values a row"
        else:
            self._add(name, values, missing)

    def add_list(self, name: str, padded: Any, lengths: Any) -> None:
        """Add the first values of lists `(rows, values)`, masked where one is shorter, and how many, `name_count`."""
        self.add(f"{name}_count", np.ma.getdata(lengths), np.ma.getmaskarray(lengths))
        first = padded.shape[1]
        self.add(name, np.ma.getdata(padded), np.ma.getmaskarray(padded), f"the first {first} of a list")

    def leave_out(self, name: str, why: str) -> None:
        """Leave out a column, and say why."""
        self.left_out[name] = why

    def table(self) -> pl.DataFrame:
        """Return the table."""
        return pl.DataFrame(list(self.columns.values()))

    def notes(self) -> tuple[str, ...]:
        """Return what was done, in sentences."""
        spread = [f"{name!r}: {what}, in {parts[0]} to {parts[-1]}." for name, (what, parts) in self.spread.items()]
        left = [f"{name} ({why})" for name, why in self.left_out.items()]
        return (*spread, f"Left out {listing(left)}.") if left else tuple(spread)

    def units(self, units: Mapping[str, str]) -> dict[str, str]:
        """Return units by the names of the columns that became of those that have them."""
        spread = {part: units[name] for name, (_, parts) in self.spread.items() if name in units for part in parts}
        return {name: unit for name, unit in {**units, **spread}.items() if unit and name in self.columns}

    def _add(self, name: str, values: np.ndarray, missing: np.ndarray | None) -> None:
        if values.dtype.kind == "O":
            values = np.array([_text(value) for value in values], dtype=object)
            series = pl.Series(name, values.tolist(), dtype=pl.String, strict=False)
        elif values.dtype.kind == "S":
            series = pl.Series(name, [_text(value) for value in values.tolist()], dtype=pl.String)
        elif values.dtype.kind == "U":
            series = pl.Series(name, values.tolist(), dtype=pl.String)
        elif values.dtype.kind == "M":
            series = pl.Series(name, values.astype("datetime64[us]"))
        elif values.dtype.kind in "biuf":
            series = pl.Series(name, np.ascontiguousarray(values.astype(_native(values.dtype), copy=False)))
        else:
            self.left_out[name] = {"c": "complex numbers", "V": "records"}.get(values.dtype.kind, str(values.dtype))
            return
        self.columns[name] = series if missing is None else series.set(pl.Series(missing), None)


def _native(dtype: np.dtype) -> np.dtype:
    """Return the type of numbers in a table, so that they are converted once, in the byte order of this machine."""
    if dtype.kind == "f":
        return np.dtype(np.float64)
    return np.dtype(np.int64) if dtype.kind in "iu" and dtype != np.dtype(np.uint64) else dtype.newbyteorder("=")


def _text(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace").rstrip("\0 ")
    return str(value)
