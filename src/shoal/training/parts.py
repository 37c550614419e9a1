"""Rows that do not fit into memory, in parts of equal size: read in random order, mixed in a buffer, ahead of use."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, Full, Queue
from typing import NamedTuple

import numpy as np

from shoal.streams import Stream, hashed
from shoal.training.purposes import MIXING, READING

POOL = 2
"""Parts that the buffer holds when one is drawn from it: a row waits there for two of them in the mean."""


class Part(NamedTuple):
    """Prepared rows as `Problem` has them: features, targets and weights, each `(rows, ...)` float32."""

    x: np.ndarray
    y: np.ndarray
    weights: np.ndarray


@dataclass(frozen=True)
class RowsInParts:
    """All training rows of a table that does not fit into memory, of which a problem holds one part at a time.

    Attributes:
        read: gives the prepared rows in the order of pieces that it is handed, few at a time.
        pieces: how many there are.
        size: rows of a part.
        per_pass: parts until all rows were seen; the last of them is filled up with rows of the beginning.
        seed: names the random numbers.
        check: raises DataError where what is read has changed.
    """

    read: Callable[[np.ndarray], Iterator[Part]]
    pieces: int
    size: int
    per_pass: int
    seed: int
    check: Callable[[], None] = lambda: None

    def from_part(self, number: int) -> Iterator[Part]:
        """Give the parts from this one on, without end; those of its pass that come before it are read and dropped.

        Raises:
            DataError: rows cannot be read any more.
        """
        of_pass, dropped = divmod(number, self.per_pass)
        while True:
            for at, part in enumerate(self._pass(of_pass)):
                if at >= dropped:
                    yield part
            of_pass, dropped = of_pass + 1, 0

    def _pass(self, number: int) -> Iterator[Part]:
        pool = _Pool((POOL + 1) * self.size, self.size)
        order = Stream(self.seed, READING, number).permutation(self.pieces)
        given, rows = 0, self._slices(order)
        for few in rows:
            pool.add(few)
            if pool.held >= POOL * self.size:
                yield pool.draw((self.seed, MIXING, number, given), pool.held)
                given += 1
                if given == self.per_pass:
                    return
        rows = self._slices(order)
        while given < self.per_pass:
            whole = pool.held >= self.size
            while pool.held < self.size:  # the last part is filled up
                pool.add(next(rows))
            yield pool.draw((self.seed, MIXING, number, given), pool.held if whole else self.size)
            given += 1

    def _slices(self, order: np.ndarray) -> Iterator[Part]:
        """Give the rows in this order of the pieces, never more than a part."""
        for rows in self.read(order):
            for at in range(0, len(rows.x), self.size):
                yield Part(*(array[at : at + self.size] for array in rows))


class _Pool:
    """Rows that wait; those that are drawn leave, and the last ones take their places."""

    def __init__(self, room: int, size: int) -> None:
        self.room, self.size, self.held = room, size, 0
        self._arrays: tuple[np.ndarray, ...] = ()

    def add(self, rows: Part) -> None:
        if not self._arrays:
            self._arrays = tuple(np.empty((self.room, *array.shape[1:]), np.float32) for array in rows)
        for held, array in zip(self._arrays, rows, strict=True):
            held[self.held : self.held + len(array)] = array
        self.held += len(rows.x)

    def draw(self, key: tuple[int, ...], among: int) -> Part:
        """Return a part, drawn among so many of the rows, those that wait longest; their order does not matter."""
        draws = hashed(np.arange(among, dtype=np.uint64), *key)
        last = np.partition(draws, self.size - 1)[self.size - 1]
        chosen = np.zeros(self.held, bool)
        chosen[:among] = draws <= last
        places, left = np.flatnonzero(chosen), self.held - self.size
        part = Part(*(array.take(places, axis=0) for array in self._arrays))
        holes, movers = np.flatnonzero(chosen[:left]), left + np.flatnonzero(~chosen[left:])
        for array in self._arrays:
            array[holes] = array.take(movers, axis=0)
        self.held = left
        return part


class PartReader:
    """Reads parts in a thread, one ahead of who takes them."""

    def __init__(self, rows: RowsInParts, number: int) -> None:
        self.next = number
        self._queue: Queue[Part | BaseException] = Queue(1)
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._read, args=(rows.from_part(number),), daemon=True)
        self._thread.start()

    def take(self) -> Part:
        """Return the next part.

        Raises:
            DataError: rows cannot be read any more.
        """
        while True:
            with suppress(Empty):  # now and then, so that Ctrl-C is heard
                part = self._queue.get(timeout=0.2)
                break
        if isinstance(part, BaseException):
            self.close()
            raise part
        self.next += 1
        return part

    def close(self) -> None:
        """End the thread."""
        self._closed.set()
        self._thread.join()

    def _read(self, parts: Iterator[Part]) -> None:
        try:
            for part in parts:
                if not self._put(part):
                    return
        except BaseException as error:  # raised again by who takes
            self._put(error)

    def _put(self, part: Part | BaseException) -> bool:
        while not self._closed.is_set():
            with suppress(Full):
                self._queue.put(part, timeout=0.05)
                return True
        return False
