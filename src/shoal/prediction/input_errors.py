"""Errors of the features, carried through the ensemble by redrawing what it predicts from."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import polars as pl

from shoal.data.conversion import to_numbers
from shoal.errors import DataError
from shoal.streams import Stream

DRAWS = 100  # know a standard deviation to 7 %
INPUTS = 7
_ROWS = 2048  # that are answered at once
_LARGEST = float(np.finfo(np.float64).max)


def input_spread(
    table: pl.DataFrame, errors: Mapping[str, str], answer: Callable[[pl.DataFrame], np.ndarray]
) -> np.ndarray:
    """Return the standard deviation of the answers over draws of the features within their errors, `(rows, targets)`.

    Features are redrawn about the values that were measured, each by a normal number of its own. The same table gives
    the same spread.

    Args:
        table: with the features and the columns of their errors.
        errors: the column of the errors of each feature that has one.
        answer: what the ensemble says of the rows of a table, `(rows, targets)`.

    Raises:
        DataError: an error is negative.
    """
    mean, squares = np.zeros(()), np.zeros(())
    together = max(1, _ROWS // max(1, table.height))  # an ensemble takes hardly longer for many rows than for one
    for first in range(0, DRAWS, together):
        draws = range(first, min(first + together, DRAWS))
        answers = answer(pl.concat([redrawn_features(table, errors, draw) for draw in draws]))
        for draw, values in zip(draws, np.split(answers, len(draws)), strict=True):
            step = values - mean  # Welford's sums: stable, and nothing is kept
            mean = mean + step / (draw + 1)
            squares = squares + step * (values - mean)
    return np.asarray(np.sqrt(squares / (DRAWS - 1)))


def redrawn_features(table: pl.DataFrame, errors: Mapping[str, str], draw: int) -> pl.DataFrame:
    """Return the table with features redrawn within their errors; a missing error counts as none."""
    columns = []
    for number, (feature, column) in enumerate(errors.items()):
        sizes = error_sizes(table, column)
        noise = Stream(draw, INPUTS, number).normal((table.height,))
        drawn = to_numbers(table.get_column(feature)) + sizes * pl.Series(noise)
        columns.append(drawn.clip(-_LARGEST, _LARGEST).alias(feature))  # finite errors leave values finite
    return table.with_columns(columns)


def error_sizes(table: pl.DataFrame, column: str) -> pl.Series:
    """Return the errors of a feature, 0 where they are missing.

    Raises:
        DataError: an error is negative or infinite.
    """
    sizes = to_numbers(table.get_column(column)).fill_null(0.0)
    if (sizes < 0.0).any():
        row = int((sizes < 0.0).arg_max() or 0)
        raise DataError(f"column {column!r}: an error cannot be negative, but row {row + 1} holds {sizes[row]:g}")
    if sizes.is_infinite().any():
        row = int(sizes.is_infinite().arg_max() or 0)
        raise DataError(f"column {column!r}: an error must be finite, but that of row {row + 1} is infinite")
    return sizes
