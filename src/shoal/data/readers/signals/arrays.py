"""Images and series from arrays in Python: `(X, y)` with X of three or four axes."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from shoal.data.readers.base import Content
from shoal.data.readers.options import ReadOptions
from shoal.data.readers.signals.pixels import fitted_arrays, stored_type
from shoal.data.roles import Roles
from shoal.data.series.step_targets import StepTargets
from shoal.data.signals import VALUES_AT_ONCE, SignalKind, Signals
from shoal.errors import DataError

INPUTS = ("X", "x", "images", "image", "data")
TARGETS = ("y", "Y", "labels", "label", "target", "targets")
COLOURS = {1: ("grey",), 3: ("red", "green", "blue")}


def is_signals(data: Any) -> bool:
    """Return whether data from Python are images or series."""
    first = data[0] if isinstance(data, tuple) and len(data) == 2 else data
    return isinstance(first, np.ndarray) and first.ndim >= 3


def signals_from_arrays(x: np.ndarray, y: Any, options: ReadOptions, source: str) -> Content:
    """Return images or series with their targets, one for each.

    Args:
        x: `(rows, height, width)`, `(rows, height, width, channels)` or `(rows, time, channels)`.
        y: one target for each, or `(rows, targets)`, where exactly one 1 among zeros in every row stands for a class;
            for each step of series `(rows, time)` or `(rows, time, targets)`; None where there are none.
        options: may say which of both three axes are, and to which size images are brought.
        source: what messages call the data.

    Raises:
        DataError: another number of axes, of rows, or values that are no finite numbers.
    """
    kind = array_kind(x.shape, x.dtype, options, source)
    values = x
    notes: list[str] = []
    if kind == "images":
        values = x[..., None] if x.ndim == 3 else x
        _check_finite(values, source)
        values, notes = fitted_arrays(values.astype(stored_type(x.dtype, kind), copy=False), options)
    count = values.shape[-1]
    named = COLOURS.get(count) if kind == "images" else ("value",) if count == 1 else None
    channels = named or tuple(f"channel {i}" for i in range(count))
    columns: list[pl.Series] = []
    y = None if y is None else np.asarray(y)
    if y is not None and _labels_steps(y, values, kind, options, source):
        columns, target_notes = _step_targets(y, asked=options.per_step is True)
        steps = StepTargets.of(pl.DataFrame(columns), values.shape[1])
        table, roles = pl.DataFrame({"row": range(len(values))}), Roles(id="row", target=steps.table.columns)
        return Content(table, roles, Signals(kind, values, channels, targets=steps), (*notes, *target_notes))
    if y is not None:
        columns = _targets(y, len(values), kind, source)
    roles = Roles(target=[series.name for series in columns]) if columns else Roles(id="row")
    table = pl.DataFrame(columns) if columns else pl.DataFrame({"row": range(len(values))})
    return Content(table, roles, Signals(kind, values, channels), tuple(notes))


def array_kind(shape: tuple[int, ...], dtype: np.dtype, options: ReadOptions, source: str) -> SignalKind:
    """Return whether an array holds images or series: four axes, squares from 8 by 8 and uint8 are images.

    Raises:
        DataError: it can be neither.
    """
    if len(shape) == 2 and options.kind in ("images", "series"):
        raise DataError(
            f"{source}: an array of shape {shape} is a table, {shape[1]:,} numbers in each of {shape[0]:,} rows; "
            f"give {options.kind} of shape {_shapes(options.kind)}, or leave out kind={options.kind!r}"
        )
    if len(shape) not in (3, 4) or not (np.issubdtype(dtype, np.number) or dtype.kind == "b") or 0 in shape:
        raise DataError(
            f"{source}: expected images {_shapes('images')} or series {_shapes('series')} of numbers, "
            f"got an array of shape {shape} and type {dtype}"
        )
    if np.issubdtype(dtype, np.complexfloating):
        raise DataError(f"{source}: expected real numbers, got {dtype}; give real and imaginary part as two channels")
    if options.kind in ("images", "series") and not (options.kind == "series" and len(shape) == 4):
        return "images" if options.kind == "images" else "series"
    square = len(shape) == 3 and shape[1] == shape[2] and shape[1] >= 8
    return "images" if len(shape) == 4 or square or dtype == np.uint8 else "series"


def _shapes(kind: str) -> str:
    return "(rows, height, width[, channels])" if kind == "images" else "(rows, time, channels)"


def _targets(y: np.ndarray, rows: int, kind: SignalKind, source: str) -> list[pl.Series]:
    if y.ndim == 0 or len(y) != rows:
        count = len(y) if y.ndim else "no list of"
        raise DataError(f"{source}: {rows} {kind} but {count} targets; expected one for each")
    return _columns(y.reshape(rows, -1))


def _labels_steps(y: np.ndarray, values: np.ndarray, kind: SignalKind, options: ReadOptions, source: str) -> bool:
    """Return whether targets are those of the steps of series.

    Raises:
        DataError: they were announced as such, but have another shape.
    """
    fits = kind == "series" and y.ndim in (2, 3) and y.shape[:2] == values.shape[:2]
    if options.per_step and not fits:
        rows, time = values.shape[:2]
        raise DataError(
            f"{source}: targets of each step must have shape ({rows}, {time}) or ({rows}, {time}, targets) "
            f"beside series, got {y.shape} beside {kind}; leave out per_step, or give one for each step"
        )
    asked = options.per_step is not False
    return fits and asked and (options.per_step is True or y.ndim == 3 or (y.shape[1] > 1 and not _is_one_hot(y)))


def _step_targets(y: np.ndarray, *, asked: bool) -> tuple[list[pl.Series], list[str]]:
    """Return targets of steps, `(rows, time)` or `(rows, time, targets)`, as columns, one step after the other."""
    rows, time = y.shape[:2]
    flat = y.reshape(rows * time, -1)
    notes = [] if asked else [f"Each of the {time} steps of a series has its own target."]
    if y.ndim == 2 and not asked:
        notes = [f"{notes[0][:-1]}; per_step=False (--no-per-step) would read {time} targets of the whole series."]
    return _columns(flat), notes


def _columns(targets: np.ndarray) -> list[pl.Series]:
    """Return targets `(rows, targets)` as columns."""
    if targets.dtype.kind == "S":
        targets = np.char.decode(targets, "utf-8")
    names = ["target"] if targets.shape[1] == 1 else [f"target {i}" for i in range(targets.shape[1])]
    return [_column(name, values) for name, values in zip(names, targets.T, strict=True)]


def _column(name: str, values: np.ndarray) -> pl.Series:
    numbers = values.dtype.kind in "biuf" and values.dtype.itemsize <= 8  # polars has no longer ones
    return pl.Series(name, values.copy() if numbers else _texts(values.tolist()))


def _texts(values: list[Any]) -> list[Any]:
    return [value.decode("utf-8", "replace") if isinstance(value, bytes) else value for value in values]


def _is_one_hot(targets: np.ndarray) -> bool:
    if targets.dtype.kind not in "biuf":
        return False
    return bool(((targets == 0) | (targets == 1)).all() and (targets.sum(axis=1) == 1).all())


def _check_finite(values: np.ndarray, source: str) -> None:
    if values.dtype.kind != "f":
        return
    once = max(1, VALUES_AT_ONCE // max(1, values[0].size))
    for i in range(0, len(values), once):
        bad = ~np.isfinite(values[i : i + once]).all(axis=(1, 2, 3))
        if bad.any():
            row = i + int(bad.argmax())
            raise DataError(f"{source}: image {row + 1} holds NaN or infinite pixels; mend it or leave it out")
