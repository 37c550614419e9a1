"""What in the columns of a table may mislead networks: values that mean "missing", and numbers of rows.

*Sentinels*: numbers that are written for "no value" (-999, 9999, 99, 1e20, …; never 0, 1 or -1). One is told where it
is the lowest or the highest value of a column, stands there at least twice, and lies further from all other values than
these are from each other. *Numbers of rows*: whole numbers that are all different and leave hardly a gap, as the number
of a row does in any order, but that no name tells (see `shoal.data.columns` for those that are left out).
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator

import numpy as np
import polars as pl

from shoal.data.columns import MEANINGFUL_COUNT, is_identifier
from shoal.data.conversion import is_integer
from shoal.data.roles import Roles
from shoal.data.signals import Signals

_NINES = [float("9" * digits) for digits in range(2, 8)]
_WITH_DECIMALS = [99.9, 99.99, 999.9, 999.99, 9999.9, 9999.99, 999.25]
_LARGE = [1e10, 1e20, 1e30, 1e33, 1e34, 1e35, 1e36, 1e37, 1e38, 9.969209968386869e36]
_INTEGERS = [32767.0, -32768.0, 65535.0, 2147483647.0, -2147483648.0, 4294967295.0, -9223372036854775808.0]
_KNOWN = [s * v for v in (*_NINES, *_WITH_DECIMALS, *_LARGE, 888.0, 8888.0, 777.0, 7777.0) for s in (1.0, -1.0)]
SENTINELS = np.array(sorted({*_KNOWN, *_INTEGERS}))
_REPEATED, _OTHERS = 2, 2
"""Rows that hold the sentinel, and different values beside sentinels, at least."""
_RELATIVE = 1e-6
"""Files hold 1e20 and 9.96921e36 in single precision and few digits."""
_DENSE = 0.9
_MANY = 20


def cautions(table: pl.DataFrame, roles: Roles, signals: Signals | None = None) -> list[str]:
    """Return sentences on what may mislead in the columns of a tidied table, or in the channels of series.

    Args:
        table: with all its rows.
        roles: of the columns.
        signals: what is predicted from instead of the columns.
    """
    pairs = list(roles.pairs())
    numbers = [name for role, name in pairs if role in ("target", "y_err", "weight")]
    others = {name for _, name in pairs}
    wanted = table.columns if roles.features is None else roles.features
    features = [name for name in table.columns if name in wanted and name not in others]
    names = [name for name in table.columns if name in features or name in numbers]
    found = [sentence for name in names for sentence in _sentinels(table[name])]
    if signals is None:
        return [*found, *_row_numbers(table.select(features))]
    return [*found, *(sentence for channel in _steps(signals) for sentence in _sentinels(channel, "steps"))]


def _steps(signals: Signals) -> Iterator[pl.Series]:
    """Give the real steps of each channel of series; of images nothing is told."""
    if signals.kind == "series":
        for i, name in enumerate(signals.channels):
            yield pl.Series(name, signals.real_values()[:, i].astype(np.float64)).fill_nan(None)


def _sentinels(series: pl.Series, rows_name: str = "rows") -> Iterator[str]:
    if not series.dtype.is_numeric() or series.null_count() == len(series):
        return
    ends = np.array([series.min(), series.max()], np.float64)
    if not _known(ends).any():  # most columns need no closer look
        return
    values, counts = np.unique(series.drop_nulls().cast(pl.Float64).to_numpy(), return_counts=True)
    for value, rows, low, high in far_sentinels(values, counts):
        share = 100.0 * rows / len(series)
        yield (
            f"{series.name!r} holds {value:.10g} in {rows:,} {rows_name} ({share:.2g} %), far from its other values "
            f"({low:.4g} … {high:.4g}), as if it meant that there is no value; it is taken as a number. If it means "
            f"missing, add --missing {shlex.quote(f'{series.name}={value:.10g}')}."
        )


def far_sentinels(values: np.ndarray, counts: np.ndarray) -> Iterator[tuple[float, int, float, float]]:
    """Give each value that stands for "missing", how often it occurs, and the range of the other values.

    Args:
        values: `(values,)` the different values, rising.
        counts: `(values,)` how often each occurs.
    """
    finite = np.isfinite(values)
    values, counts = values[finite], counts[finite]
    known = _known(values) & (counts >= _REPEATED)
    # only those at the ends: the lowest ones and the highest ones in a row
    ends = np.cumprod(known) + np.cumprod(known[::-1])[::-1] > 0
    while ends.any() and (~ends).sum() >= _OTHERS:
        rest = values[~ends]
        low, high = float(rest.min()), float(rest.max())
        near = ends & (np.maximum(low - values, values - high) <= high - low)
        if not near.any():
            for value, rows in zip(values[ends].tolist(), counts[ends].tolist(), strict=True):
                yield value, rows, low, high
            return
        ends &= ~near


def _known(values: np.ndarray) -> np.ndarray:
    """Return whether values are sentinels, `(values,)`, but for the last digits."""
    place = np.clip(np.searchsorted(SENTINELS, values), 1, len(SENTINELS) - 1)
    nearest = np.minimum(np.abs(values - SENTINELS[place - 1]), np.abs(values - SENTINELS[place]))
    return np.asarray(nearest <= _RELATIVE * np.abs(values)) & (values != 0)


def _row_numbers(features: pl.DataFrame) -> Iterator[str]:
    if features.width < 2 or features.height < _MANY:
        return
    for series in features.get_columns():
        if series.null_count() or not series.dtype.is_numeric() or MEANINGFUL_COUNT.search(series.name):
            continue
        low, high, rows = float(series.min()), float(series.max()), len(series)  # type: ignore[arg-type]
        if not rows - 1 <= high - low <= rows / _DENSE - 1 or not is_integer(series):
            continue
        if series.n_unique() == len(series) and not is_identifier(series, len(series)):
            rising = bool((series.diff().drop_nulls() > 0).all())
            order = "in the order of the rows" if rising else "in some other order"
            yield (
                f"{series.name!r} holds {len(series):,} different numbers from {low:,.0f} to {high:,.0f}, {order}, as "
                "a number of the rows would; networks learn from it. If it measures nothing, leave it out: "
                f"--ignore {shlex.quote(series.name)}."
            )
