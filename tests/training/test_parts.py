"""Rows in parts: each once in a pass, mixed, the same again from any part on."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from shoal.errors import DataError
from shoal.training.parts import Part, PartReader, RowsInParts

PIECES, ROWS = 10, 37  # of a piece


def read(order: np.ndarray) -> Iterator[Part]:
    """Give rows that tell their number, a piece at a time."""
    for number in order:
        x = np.arange(number * ROWS, (number + 1) * ROWS, dtype=np.float32)[:, None]
        yield Part(x, -x, np.ones_like(x))


def parts(size: int = 50, first: int = 0) -> Iterator[Part]:
    """Give parts without end."""
    return RowsInParts(read, PIECES, size, -(-PIECES * ROWS // size), 0).from_part(first)


@pytest.mark.parametrize("size", [20, 50, 185, 370])
def test_a_pass_has_every_row(size: int) -> None:
    """Once, but for those that fill up its last part; targets stay beside their rows."""
    count = -(-PIECES * ROWS // size)
    several = [part for part, _ in zip(parts(size), range(count), strict=False)]
    seen = np.concatenate([part.x[:, 0] for part in several])
    numbers, times = np.unique(seen, return_counts=True)
    assert len(numbers) == PIECES * ROWS
    assert times.max() <= 2
    assert len(seen) == count * size
    assert all(np.array_equal(part.x, -part.y) for part in several)


def test_rows_are_mixed_and_passes_differ() -> None:
    """Rows of one piece come in several parts."""
    given = [part.x[:, 0] for part, _ in zip(parts(), range(16), strict=False)]
    assert all(len(np.unique(part // ROWS)) > 2 for part in given[:6])
    assert not np.array_equal(given[0], given[8])


def test_parts_are_the_same_from_any_part_on() -> None:
    """Which is how an interrupted fit goes on."""
    whole = [part for part, _ in zip(parts(), range(20), strict=False)]
    for first in (3, 8, 11):
        later = [part for part, _ in zip(parts(first=first), range(4), strict=False)]
        assert all(np.array_equal(a.x, b.x) for a, b in zip(whole[first:], later, strict=False))


def take_all(reader: PartReader) -> None:
    """Take more parts than there are."""
    for _ in range(8):
        reader.take()


def test_what_fails_while_reading_is_raised_where_parts_are_taken() -> None:
    """And the thread ends."""

    def broken(order: np.ndarray) -> Iterator[Part]:
        yield from read(order[:6])
        raise DataError("the file has changed")

    reader = PartReader(RowsInParts(broken, PIECES, 50, 8, 0), 0)
    with pytest.raises(DataError, match="has changed"):
        take_all(reader)
    assert not reader._thread.is_alive()
