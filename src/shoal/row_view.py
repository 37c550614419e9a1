"""Some rows of a large array, taken when they are needed: images need not be in memory twice."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

ALIGNMENT = 64  # bytes; a device of jax uses an array of NumPy that is aligned so, and copies others


def aligned_empty(shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    """Return a new array whose memory a device can use as it is; its content is arbitrary.

    Example:
        >>> aligned_empty((3, 5), np.uint8).ctypes.data % ALIGNMENT
        0
    """
    size = math.prod(shape) * np.dtype(dtype).itemsize
    buffer = np.empty(size + ALIGNMENT, np.uint8)
    start = -buffer.ctypes.data % ALIGNMENT
    return buffer[start : start + size].view(dtype).reshape(shape)


def is_aligned(array: np.ndarray) -> bool:
    """Return whether a device can use the memory of an array as it is."""
    return array.flags.c_contiguous and array.ctypes.data % ALIGNMENT == 0


class TakenRows:
    """Rows of an array, by their positions; it behaves like the array of these rows, which it makes only in parts.

    Args:
        array: an array with at least one axis.
        rows: positions of the rows.

    Example:
        >>> some = TakenRows(np.arange(10.0)[:, None], np.array([7, 2, 5]))
        >>> len(some), some.shape, some[1:].tolist(), TakenRows.of(some, np.array([2])).rows.tolist()
        (3, (3, 1), [[2.0], [5.0]], [5])
    """

    def __init__(self, array: np.ndarray, rows: np.ndarray) -> None:
        self.array, self.rows = array, np.asarray(rows, np.int64)

    @classmethod
    def of(cls, values: Any, rows: np.ndarray) -> TakenRows:
        """Return some rows of an array, or of rows that were taken already."""
        if isinstance(values, TakenRows):
            return cls(values.array, values.rows[rows])
        return cls(values, np.arange(len(values))[rows])

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the rows together."""
        return (len(self.rows), *self.array.shape[1:])

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self.array.ndim

    @property
    def dtype(self) -> np.dtype[Any]:
        """The number type."""
        return self.array.dtype

    @property
    def size(self) -> int:
        """How many numbers there are."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """The memory that an array of the rows would take."""
        return self.size * self.array.itemsize

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, which: Any) -> np.ndarray:
        return np.asarray(self.array[self.rows[which]])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        del copy  # there is no array that could be shared
        return np.asarray(self.array[self.rows], dtype)


def joined(a: Any, b: Any) -> Any:
    """Return the rows of two arrays one after the other, not copied where both are taken from one."""
    if isinstance(a, TakenRows) and isinstance(b, TakenRows) and a.array is b.array:
        return TakenRows(a.array, np.concatenate([a.rows, b.rows]))
    return np.concatenate([np.asarray(a), np.asarray(b)])
