"""Whether the numbers of new rows look as if a column were in another unit than in training.

Only a clue, for columns whose units nobody states: most values lie outside the range of the training rows, and one
of a few usual conversions (powers of ten, degrees and radians, °C and K, a logarithm) brings nearly all of them back,
spread over a good part of it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np
import polars as pl

from shoal.data.conversion import tidy_column
from shoal.data.encoders import NumberEncoder
from shoal.data.preparation import Preparation

_LEAST_ROWS = 5
_OUTSIDE, _INSIDE = 0.5, 0.95
_SPREAD = 0.2
"""Of the range of the training rows, how much the converted values must span: otherwise anything near 0 would do."""


def _scaled(factor: float) -> Callable[[np.ndarray], np.ndarray]:
    return lambda values: values * factor


def _log(values: np.ndarray) -> np.ndarray:
    return np.log10(np.where(values > 0, values, np.nan))


def _power(values: np.ndarray) -> np.ndarray:
    return np.asarray(10.0 ** np.clip(values, -300.0, 300.0))


_CONVERSIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    **{f"divided by {n:,}": _scaled(1.0 / n) for n in (10, 100, 1000, 1_000_000)},
    **{f"times {n:,}": _scaled(n) for n in (10, 100, 1000, 1_000_000)},
    "from degrees to radians": np.radians,
    "from radians to degrees": np.degrees,
    "from °C to K": lambda values: values + 273.15,
    "from K to °C": lambda values: values - 273.15,
    "as logarithms to base 10": _log,
    "as powers of ten": _power,
}


def other_units(table: pl.DataFrame, preparation: Preparation) -> Iterator[str]:
    """Give a sentence for each column whose values look as if they were in another unit than in training.

    Args:
        table: new rows.
        preparation: of the fit.
    """
    if table.height < _LEAST_ROWS:
        return
    for encoder in preparation.encoders:
        if not isinstance(encoder, NumberEncoder) or encoder.dates or encoder.column not in table.columns:
            continue
        if encoder.low is not None and encoder.high is not None:
            series = tidy_column(table.get_column(encoder.column))
            numbers = preparation.reading.read(series) if series.dtype.is_numeric() else series.clear()
            yield from _clue(encoder, encoder.low, encoder.high, numbers.drop_nulls().cast(pl.Float64).to_numpy())


def _clue(encoder: NumberEncoder, low: float, high: float, values: np.ndarray) -> Iterator[str]:
    width = high - low
    outside = int(((values < low) | (values > high)).sum())
    if width <= 0 or len(values) < _LEAST_ROWS or outside <= _OUTSIDE * len(values):
        return
    distances = {}
    for name, convert in _CONVERSIONS.items():
        converted = convert(values)
        inside = (converted >= low) & (converted <= high)
        if inside.mean() >= _INSIDE and np.ptp(converted[inside]) >= _SPREAD * width:
            distances[name] = abs(math.fsum(converted[inside]) / int(inside.sum()) - encoder.fill)
    if distances:
        name = min(distances, key=lambda key: distances[key])
        yield (
            f"{encoder.column!r}: {outside:,} of {len(values):,} values lie outside the range of the training rows "
            f"({low:.4g} … {high:.4g}); {name}, at least {100 * _INSIDE:.0f} % lie within. Is it in another unit?"
        )
