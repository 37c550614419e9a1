"""Images and series from arrays in Python: `(X, y)` with X of three or four axes."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from shoal.data.readers.base import ReadOptions
from shoal.data.roles import Roles
from shoal.data.signal_readers.base import SignalTable
from shoal.data.signals import Kind, Signals
from shoal.errors import DataError


def is_signals(data: Any) -> bool:
    """Return whether data from Python are images or series."""
    first = data[0] if isinstance(data, tuple) and len(data) == 2 else data
    return isinstance(first, np.ndarray) and first.ndim >= 3


def signals_from_python(data: Any, options: ReadOptions) -> SignalTable:
    """Return images or series from `(X, y)`, or from X alone."""
    x, y = data if isinstance(data, tuple) else (data, None)
    return signals_from_arrays(x, y, options, "the data")


def signals_from_arrays(x: np.ndarray, y: Any, options: ReadOptions, source: str) -> SignalTable:
    """Return images or series with their targets, one for each.

    Args:
        x: `(rows, height, width)`, `(rows, height, width, channels)` or `(rows, time, channels)`.
        y: one target for each, or `(rows, targets)`; None where there are none.
        options: may say which of both three axes are.
        source: what messages call the data.

    Raises:
        DataError: another number of axes, of rows, or values that are no numbers.
    """
    kind = _kind_of(x, options, source)
    values = x[..., None] if kind == "images" and x.ndim == 3 else x
    channels = tuple(f"channel {i}" for i in range(values.shape[-1])) if values.shape[-1] > 1 else ("value",)
    columns: list[pl.Series] = []
    if y is not None:
        targets = np.asarray(y).reshape(len(y), -1)
        if len(targets) != len(values):
            raise DataError(f"{source}: {len(values)} {kind} but {len(targets)} targets; expected one for each")
        names = ["target"] if targets.shape[1] == 1 else [f"target {i}" for i in range(targets.shape[1])]
        columns = [pl.Series(name, targets[:, i].tolist()) for i, name in enumerate(names)]
    roles = Roles(target=[series.name for series in columns])
    table = pl.DataFrame(columns) if columns else pl.DataFrame({"row": range(len(values))})
    return table, roles, Signals(kind, values, channels)


def _kind_of(x: np.ndarray, options: ReadOptions, source: str) -> Kind:
    if x.ndim not in (3, 4) or not (np.issubdtype(x.dtype, np.number) or x.dtype == bool):
        raise DataError(
            f"{source}: expected images (rows, height, width[, channels]) or series (rows, time, channels) of numbers, "
            f"got an array of shape {x.shape} and type {x.dtype}"
        )
    if options.kind in ("images", "series") and not (options.kind == "series" and x.ndim == 4):
        return "images" if options.kind == "images" else "series"
    square = x.ndim == 3 and x.shape[1] == x.shape[2] and x.shape[1] >= 8
    return "images" if x.ndim == 4 or square or x.dtype == np.uint8 else "series"
