"""Which part a row belongs to, told by a hash: a row stays where it is when others are added behind it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import polars as pl

from shoal.streams import hashed

TRAIN, VALIDATION, TEST = range(3)
PARTS = ("train", "validation", "test")


@dataclass(frozen=True)
class Dealing:
    """Deals rows to training, validation and test.

    Attributes:
        sizes: the shares of the parts.
        seed: names the hash.
        column: whose values are hashed, so that equal ones stay together: the group, or what identifies rows. None: the
            number of the row among all.

    Example:
        >>> Dealing((0.5, 0.25, 0.25), 0).parts(pl.DataFrame({"x": [1.0, 2.0, 3.0]}), 0).tolist()
        [1, 2, 2]
    """

    sizes: tuple[float, float, float]
    seed: int
    column: str | None = None

    def parts(self, table: pl.DataFrame, first: int) -> np.ndarray:
        """Return the part of each row, `(rows,)`, of which the first has this number among all."""
        numbers = np.arange(first, first + table.height, dtype=np.uint64)
        words = numbers if self.column is None else _words(table.get_column(self.column))
        share = _uniform(hashed(words, self.seed, 0))
        train, validation, _ = np.cumsum(self.sizes)
        return np.where(share < train, TRAIN, np.where(share < validation, VALIDATION, TEST))

    def chances(self, table: pl.DataFrame, first: int) -> np.ndarray:
        """Return a number in [0, 1) for each row, by which samples are drawn."""
        return _uniform(hashed(np.arange(first, first + table.height, dtype=np.uint64), self.seed, 1))


def _uniform(words: np.ndarray) -> np.ndarray:
    """Return float64 numbers in [0, 1) from the upper 53 bits."""
    return np.asarray((words >> np.uint64(11)) * 2.0**-53)


def _words(series: pl.Series) -> np.ndarray:
    """Return a uint64 word for each value; equal ones have the same, and whole numbers that of their text."""
    different = series.cast(pl.String).unique().sort()
    texts = (text or "" for text in different)
    words = [int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little") for text in texts]
    return series.cast(pl.String).replace_strict(different, pl.Series(words, dtype=pl.UInt64)).to_numpy()
