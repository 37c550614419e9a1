"""Missing values in series, filled in linearly between their neighbours in time."""

from __future__ import annotations

import numpy as np

from shoal.errors import DataError


def interpolate(values: np.ndarray, lengths: np.ndarray | None, channels: tuple[str, ...]) -> tuple[np.ndarray, int]:
    """Return series without missing values, and how many were filled in.

    Between two known values of a channel the line between them is taken, before the first and after the last known
    value that value.

    Args:
        values: `(rows, time, channels)`, NaN where a value is missing.
        lengths: `(rows,)` real steps of each series, or None where all are real.
        channels: their names, for messages.

    Raises:
        DataError: a channel of a series has no value at all, or an infinite one; the message names the series.

    Example:
        >>> values, count = interpolate(np.array([[[1.0], [np.nan], [3.0]]]), None, ("value",))
        >>> values.ravel().tolist(), count
        ([1.0, 2.0, 3.0], 1)
    """
    if not np.issubdtype(values.dtype, np.floating):
        return values, 0
    steps = values.shape[1]
    odd = ~np.isfinite(values)
    if lengths is not None:
        odd &= (np.arange(steps) < lengths[:, None])[:, :, None]
    if not odd.any():
        return values, 0
    values = values.copy()
    for row, channel in np.argwhere(odd.any(axis=1)):
        length = steps if lengths is None else int(lengths[row])
        line = values[row, :length, channel]  # a view: filled in place
        line[:] = _filled(line, f"series {row + 1}, channel {channels[channel]!r}")
    return values, int(odd.sum())


def _filled(line: np.ndarray, where: str) -> np.ndarray:
    if np.isinf(line).any():
        step = int(np.isinf(line).argmax()) + 1
        raise DataError(f"{where}: step {step} is infinite; give a finite number, or leave it out if it is not known")
    known = np.flatnonzero(~np.isnan(line))
    if not len(known):
        raise DataError(f"{where}: no value is known; leave the series or the channel out")
    return np.interp(np.arange(len(line)), known, line[known])


def fill_short_gaps(values: np.ndarray, most: int) -> np.ndarray:
    """Return one series `(time, channels)` with gaps of at most `most` steps filled in, NaN in longer ones.

    Nothing is filled in before the first and after the last known value of a channel.
    """
    values = values.copy()
    for line in values.T:
        known = np.flatnonzero(~np.isnan(line))
        if len(known) in (0, len(line)):
            continue
        missing = np.flatnonzero(np.isnan(line))
        after = np.searchsorted(known, missing)
        inside = (after > 0) & (after < len(known))
        missing, after = missing[inside], after[inside]
        short = known[after] - known[after - 1] - 1 <= most
        line[missing[short]] = np.interp(missing[short], known, line[known])
    return values
