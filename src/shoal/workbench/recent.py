"""What was made last, kept for pages and tabs that ask again."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class Recent(Generic[T]):
    """Things by their keys, those that were asked for last; two that ask for the same wait for one making.

    Args:
        most: how many are kept.

    Example:
        >>> squares = Recent[int](2)
        >>> [squares.get(number, lambda: 9) for number in (3, 3)]
        [9, 9]
    """

    def __init__(self, most: int) -> None:
        self._kept: OrderedDict[Hashable, T] = OrderedDict()
        self._most, self._mutex = most, threading.Lock()

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return what is kept under a key; else it is made, which may raise what it likes."""
        with self._mutex:
            if key not in self._kept:
                self._kept[key] = make()
                while len(self._kept) > self._most:
                    self._kept.popitem(last=False)
            self._kept.move_to_end(key)
            return self._kept[key]
