"""Counter-based random streams: the same numbers for the same identity, whoever asks, in any order.

A stream is named by a seed and a path of integers (run, member, layer, ...). Its numbers depend on
nothing else: not on how many other members there are, nor on the engine that trains them. The generator
is Threefry-2x32 with 20 rounds (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011),
written against an array module, so that a compiled program draws the same bits as NumPy does.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

_ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))
_PARITY = 0x1BD11BDA
_WORD = 0xFFFFFFFF
FEW = 6  # streams that are named quicker by plain integers than by arrays


def threefry(key: tuple[Any, Any], counter: tuple[Any, Any], rounds: int = 20) -> tuple[Any, Any]:
    """Return two uint32 arrays of random bits for each counter.

    Args:
        key: two uint32 scalars or arrays.
        counter: two uint32 arrays that broadcast together.
        rounds: 20 by default; 13 already passes the BigCrush battery.

    Example:
        >>> zero = np.zeros(1, np.uint32)
        >>> [hex(int(word[0])) for word in threefry((zero, zero), (zero, zero))]
        ['0x6b200159', '0x99ba4efe']
    """
    keys = (key[0], key[1], key[0] ^ key[1] ^ np.uint32(_PARITY))
    a, b = counter[0] + keys[0], counter[1] + keys[1]
    for i in range(rounds):
        rotation = _ROTATIONS[(i // 4) % 2][i % 4]
        a = a + b
        b = ((b << np.uint32(rotation)) | (b >> np.uint32(32 - rotation))) ^ a
        if i % 4 == 3:
            step = i // 4 + 1
            a = a + keys[step % 3]
            b = b + keys[(step + 1) % 3] + np.uint32(step)
    return a, b


def _threefry_words(key: tuple[int, int], counter: tuple[int, int]) -> tuple[int, int]:
    """Return what `threefry` returns, for single numbers, without the cost of small arrays."""
    keys = (key[0], key[1], key[0] ^ key[1] ^ _PARITY)
    a, b = (counter[0] + keys[0]) & _WORD, (counter[1] + keys[1]) & _WORD
    for i in range(20):
        rotation = _ROTATIONS[(i // 4) % 2][i % 4]
        a = (a + b) & _WORD
        b = (((b << rotation) | (b >> (32 - rotation))) & _WORD) ^ a
        if i % 4 == 3:
            step = i // 4 + 1
            a = (a + keys[step % 3]) & _WORD
            b = (b + keys[(step + 1) % 3] + step) & _WORD
    return a, b


def to_uniform(xp: Any, bits: Any) -> Any:
    """Return float32 numbers in [0, 1) made of the upper 24 of 32 random bits."""
    return (bits >> np.uint32(8)).astype(xp.float32) * np.float32(2.0**-24)


def hashed(words: np.ndarray, *path: int) -> np.ndarray:
    """Return a uint64 hash of each uint64 word, another for each path of integers: far quicker than a stream.

    SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).

    Example:
        >>> hashed(np.arange(2, dtype=np.uint64)).tolist() == hashed(np.arange(2, dtype=np.uint64), 1).tolist()
        False
    """
    key = 0
    for step in path:
        key = ((key ^ step) * 0xD1B54A32D192ED03 + 0x9E3779B97F4A7C15) % 2**64
    z = words + np.uint64(key)
    shifted = np.empty_like(z)  # arrays made anew at each step would cost more than the arithmetic
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)) * 2:
        z ^= np.right_shift(z, np.uint64(shift), out=shifted)
        z *= np.uint64(factor)
    z ^= np.right_shift(z, np.uint64(31), out=shifted)
    return z


class Stream:
    """A stream of random numbers named by a seed and a path of non-negative integers.

    Args:
        seed: any integer ≥ 0 below 2**64.
        path: identity of the stream, e.g. `(member, layer)`.

    Example:
        >>> Stream(0, 3).uniform((2,)).tolist() == Stream(0).child(3).uniform((2,)).tolist()
        True
    """

    def __init__(self, seed: int, *path: int) -> None:
        self.seed = int(seed)
        self.path: tuple[int, ...] = ()
        self._words = self.seed & _WORD, self.seed >> 32
        self._drawn = 0
        self._follow(path)

    @property
    def key(self) -> tuple[np.ndarray, np.ndarray]:
        """The two words that name this stream, each uint32 of shape (1,)."""
        return np.asarray(self._words[:1], np.uint32), np.asarray(self._words[1:], np.uint32)

    def child(self, *path: int) -> Stream:
        """Return the stream whose path continues this one's."""
        child = Stream.__new__(Stream)
        child.seed, child.path, child._words, child._drawn = self.seed, self.path, self._words, 0
        child._follow(path)
        return child

    def _follow(self, path: tuple[int, ...]) -> None:
        for step in map(int, path):
            # the + 1 keeps a child's key apart from the parent's own numbers
            self._words = _threefry_words(self._words, (step & _WORD, (step >> 32) + 1))
            self.path = (*self.path, step)

    def bits(self, count: int) -> np.ndarray:
        """Return the next `count` uint32 numbers."""
        pairs = (count + 1) // 2
        start, self._drawn = self._drawn, self._drawn + pairs
        if pairs == 1:
            return np.asarray(_threefry_words(self._words, (start, 0)), np.uint32)[:count]
        index = np.arange(start, start + pairs, dtype=np.uint32)
        return np.stack(threefry(self.key, (index, np.zeros_like(index))), axis=1).ravel()[:count]

    def uniform(self, shape: tuple[int, ...] = (), low: float = 0.0, high: float = 1.0) -> np.ndarray:
        """Return float32 numbers, uniform in [low, high)."""
        return _between(self.bits(math.prod(shape)), low, high).reshape(shape)

    def normal(self, shape: tuple[int, ...] = ()) -> np.ndarray:
        """Return float32 standard normal numbers (Box and Muller's transform)."""
        count = math.prod(shape)
        return _normal(self.bits(2 * count).reshape(2, count)).reshape(shape)

    def permutation(self, n: int) -> np.ndarray:
        """Return the numbers 0 … n-1 in random order."""
        words = self.bits(2 * n).astype(np.uint64)
        return np.argsort((words[:n] << np.uint64(32)) | words[n:], kind="stable")

    def integer(self, n: int) -> int:
        """Return one integer in 0 … n-1."""
        return int(self.bits(1)[0]) * n >> 32


class Streams:
    """Many streams at once: those of one path that differ in its last step, each as `Stream` would draw it.

    Args:
        seed: as for `Stream`.
        path: what their paths begin with.
        last: the last step of each path, `(streams,)` non-negative integers below 2**32.

    Example:
        >>> both = Streams(0, (3,), np.array([7, 8]))
        >>> both.child(1).uniform((2,))[1].tolist() == Stream(0, 3, 8, 1).uniform((2,)).tolist()
        True
    """

    def __init__(self, seed: int, path: tuple[int, ...], last: np.ndarray) -> None:
        start = Stream(seed, *path).key
        steps = np.asarray(last, np.uint32)
        self._words = threefry(start, (steps, np.ones_like(steps)))

    @property
    def keys(self) -> np.ndarray:
        """The two words that name each stream, uint32 `(streams, 2)`."""
        return np.stack(self._words, axis=1)

    def child(self, *path: int) -> Streams:
        """Return the streams whose paths continue these."""
        child = Streams.__new__(Streams)
        child._words = self._words
        for step in path:
            child._words = _followed(child._words, (step & _WORD, (step >> 32) + 1))
        return child

    def _bits(self, count: int) -> np.ndarray:
        index = np.arange((count + 1) // 2, dtype=np.uint32)
        a, b = (word[:, None] for word in self._words)
        words = np.stack(threefry((a, b), (index, np.zeros_like(index))), axis=2)
        return words.reshape(len(a), -1)[:, :count]

    def uniform(self, shape: tuple[int, ...] = (), low: float = 0.0, high: float = 1.0) -> np.ndarray:
        """Return the first numbers of each stream, `(streams, *shape)` float32, uniform in [low, high)."""
        return _between(self._bits(math.prod(shape)), low, high).reshape(-1, *shape)

    def normal(self, shape: tuple[int, ...] = ()) -> np.ndarray:
        """Return the first standard normal numbers of each stream, `(streams, *shape)` float32."""
        count = math.prod(shape)
        return _normal(self._bits(2 * count).reshape(-1, 2, count)).reshape(-1, *shape)


def _followed(words: tuple[Any, Any], counter: tuple[int, int]) -> tuple[Any, Any]:
    """Return the words that name the next step of many paths; a few are quicker one by one."""
    a, b = words
    if len(a) > FEW:
        return threefry(words, (np.full(1, counter[0], np.uint32), np.full(1, counter[1], np.uint32)))
    each = [_threefry_words((int(x), int(y)), counter) for x, y in zip(a, b, strict=True)]
    return np.asarray([x for x, _ in each], np.uint32), np.asarray([y for _, y in each], np.uint32)


def _between(bits: np.ndarray, low: float, high: float) -> np.ndarray:
    """Return float32 numbers, uniform in [low, high), made of random bits."""
    numbers = (np.float32(low) + to_uniform(np, bits) * np.float32(high - low)).astype(np.float32)
    return np.minimum(numbers, np.nextafter(np.float32(high), np.float32(low)))  # rounding may reach the end


def _normal(bits: np.ndarray) -> np.ndarray:
    """Return standard normal numbers by Box and Muller's transform of pairs of random bits, `(..., 2, count)`."""
    u = to_uniform(np, bits).astype(np.float64)
    return (np.sqrt(-2.0 * np.log1p(-u[..., 0, :])) * np.cos(2.0 * np.pi * u[..., 1, :])).astype(np.float32)
