"""The space of candidates: a declared table of what is varied, between which limits."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

from shoal.streams import Stream
from shoal.training.hyperparameters import Hyperparameters

Point = Sequence[float]
"""Numbers in [0, 1) that place a value, as many as its `dimensions`."""

CANDIDATE, NAMED = 3, 41  # the paths of the streams that draw candidates, and that shuffle what the user named
ZERO_SHARE, ZERO_REACH = 0.2, 1e-3
"""Of limits from zero: the share that is zero itself, and where the rest begins, as a share of the upper limit."""
SPREAD = 5  # values that stand for limits where each is tried


@dataclass(frozen=True)
class Categorical:
    """One of several values, each as likely as the others; a value that stands twice is twice as likely."""

    values: tuple[Any, ...]
    dimensions: ClassVar[int] = 1

    def draw(self, stream: Stream) -> Any:
        """Return one value."""
        return self.values[stream.integer(len(self.values))]

    def at(self, point: Point) -> Any:
        """Return the value at a point in [0, 1)."""
        return self.values[min(int(point[0] * len(self.values)), len(self.values) - 1)]

    def near(self, value: Any, reach: float, point: Point) -> Any:  # noqa: ARG002 - values have no distance
        """Return another value than this one."""
        others = [each for each in dict.fromkeys(self.values) if each != value]
        return Categorical(tuple(others) or (value,)).at(point)

    @property
    def spread(self) -> tuple[Any, ...]:
        """All values."""
        return tuple(dict.fromkeys(self.values))

    @property
    def middle(self) -> Any:
        """The first value."""
        return self.values[0]

    def __str__(self) -> str:
        counts = {_short(value): self.values.count(value) for value in self.values}
        if len(counts) == 1:
            return f"always {next(iter(counts))}"
        often = {count: f" ({count} of {len(self.values)} times)" for count in counts.values() if count > 1}
        between = "; " if any(isinstance(value, tuple) for value in self.values) else ", "
        return "one of " + between.join(f"{value}{often.get(count, '')}" for value, count in counts.items())


def _short(value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "none"
    return f"{value:g}" if isinstance(value, float) else str(value)


@dataclass(frozen=True)
class Limits:
    """A number between two limits, both included, or a number between two limits for each hidden layer.

    Whole limits hold whole numbers. Where the upper limit is ten times the lower one or more, the logarithm is even,
    else the number. Limits from zero of a strength (`zero`) hold zero itself in a fifth of the draws; the others are
    even in the logarithm over the three decades below the upper limit.
    """

    low: Any
    high: Any
    zero: bool = False

    @property
    def dimensions(self) -> int:
        """How many numbers place a value: one, or one for each layer."""
        return len(self.low) if isinstance(self.low, tuple) else 1

    @property
    def logarithmic(self) -> bool:
        """Whether the logarithm is even."""
        return bool(0 < 10 * self.low <= self.high)

    def draw(self, stream: Stream) -> Any:
        """Return one value."""
        return self.at([float(u) for u in stream.uniform((self.dimensions,))])

    def at(self, point: Point) -> Any:
        """Return the value at a point in [0, 1], numbers rounded to four digits so that they can be read and typed."""
        if isinstance(self.low, tuple):
            return tuple(layer.at((u,)) for layer, u in zip(self._layers, point, strict=True))
        u = point[0]
        if self.zero:
            return 0.0 if u < ZERO_SHARE else self._above_zero.at(((u - ZERO_SHARE) / (1.0 - ZERO_SHARE),))
        if self.logarithmic:
            value = math.exp(math.log(self.low) + u * math.log(self._end / self.low))
        else:
            value = self.low + u * (self._end - self.low)
        if isinstance(self.low, int) and isinstance(self.high, int):
            return min(max(int(value), self.low), self.high)
        return min(max(float(f"{value:.4g}"), self.low), self.high)

    def near(self, value: Any, reach: float, point: Point) -> Any:
        """Return a value within a share `reach` of the limits about another one."""
        if isinstance(self.low, tuple):
            each = zip(self._layers, value, point, strict=True)
            return tuple(layer.near(of_layer, reach, (u,)) for layer, of_layer, u in each)
        return self.at((min(max(self._place(value) + reach * (2.0 * point[0] - 1.0), 0.0), 1.0),))

    def _place(self, value: float) -> float:
        """Return the point in [0, 1] at which a value lies."""
        if self.zero:
            return 0.0 if value <= 0.0 else ZERO_SHARE + (1.0 - ZERO_SHARE) * self._above_zero._place(value)
        low, end, value = (math.log(n) if self.logarithmic else n for n in (self.low, self._end, value))
        return min(max((value - low) / (end - low), 0.0), 1.0)

    @property
    def _end(self) -> float:
        return self.high + 1 if isinstance(self.low, int) and isinstance(self.high, int) else self.high

    @property
    def _layers(self) -> list[Limits]:
        return [Limits(low, high) for low, high in zip(self.low, self.high, strict=True)]

    @property
    def _above_zero(self) -> Limits:
        return Limits(ZERO_REACH * self.high, self.high)

    @property
    def spread(self) -> tuple[Any, ...]:
        """Five values, or fewer whole ones, from limit to limit; two digits suffice where the logarithm is even."""
        if self.zero:
            above = self._above_zero
            return (0.0, *(_two_digits(above.at((i / (SPREAD - 2),))) for i in range(SPREAD - 2)), self.high)
        steps = [i / (SPREAD - 1) for i in range(SPREAD)]
        values = [self.at((step,) * self.dimensions) for step in steps]
        if isinstance(self.low, float) and self.logarithmic:
            values = [self.low, *map(_two_digits, values[1:-1]), self.high]
        return tuple(dict.fromkeys(values))

    @property
    def middle(self) -> Any:
        """The value in the middle of them."""
        return self.spread[len(self.spread) // 2]

    def __str__(self) -> str:
        if isinstance(self.low, tuple):
            layers = "layer" if self.dimensions == 1 else "layers"
            units = ", ".join(_span(layer.low, layer.high) for layer in self._layers)
            return f"{self.dimensions} {layers} of {units} units"
        if self.zero:
            return f"0 or {ZERO_REACH * self.high:g} to {self.high:g}, even in the logarithm"
        return f"{self.low:g} to {self.high:g}{', even in the logarithm' if self.logarithmic else ''}"


def _two_digits(value: float) -> float:
    return float(f"{value:.2g}")


@dataclass(frozen=True)
class LogUniform(Limits):
    """A number whose logarithm is uniform between two limits, however near they are."""

    logarithmic: ClassVar[bool] = True


@dataclass(frozen=True)
class Widths:
    """Hidden layers: their number uniform, their widths even in the logarithm."""

    depths: tuple[int, int]
    units: tuple[int, int]
    dimensions: ClassVar[int] = 2

    def draw(self, stream: Stream) -> tuple[int, ...]:
        """Return the units of each hidden layer."""
        low, high = self.depths
        depth = low + stream.integer(high - low + 1)
        width = LogUniform(self.units[0], self.units[1] + 0.999)
        return tuple(min(int(width.draw(stream)), self.units[1]) for _ in range(depth))

    def near(self, value: tuple[int, ...], reach: float, point: Point) -> tuple[int, ...]:
        """Return layers of other widths, a share `reach` of the limits away at most, and at times one more or less."""
        depth = min(max(len(value) + int(3 * point[0]) - 1, self.depths[0]), self.depths[1])
        factor = (self.units[1] / self.units[0]) ** (reach * (2.0 * point[1] - 1.0))
        widths = (*value, *value[-1:])[:depth] if value else (self._middle_width,) * depth
        return tuple(min(max(round(width * factor), self.units[0]), self.units[1]) for width in widths)

    @property
    def middle(self) -> tuple[int, ...]:
        """As few layers as there may be, of the middle width."""
        return (self._middle_width,) * self.depths[0]

    @property
    def _middle_width(self) -> int:
        return round(math.sqrt(self.units[0] * self.units[1]))

    def __str__(self) -> str:
        depths, units = _span(*self.depths), _span(*self.units)
        return f"{depths} {'layer' if depths == '1' else 'layers'} of {units} units"


def _span(low: int, high: int) -> str:
    return str(low) if low == high else f"{low} to {high}"


@dataclass(frozen=True)
class Fixed:
    """A value that does not vary."""

    value: Any

    def draw(self, stream: Stream) -> Any:  # noqa: ARG002 - a fixed value draws nothing
        """Return the value."""
        return self.value

    @property
    def middle(self) -> Any:
        """The value."""
        return self.value

    def __str__(self) -> str:
        shown = ", ".join(map(str, self.value)) or "none" if isinstance(self.value, tuple) else self.value
        return f"always {shown}"


@dataclass(frozen=True)
class Space:
    """What each hyperparameter may be, by name; those not named keep their defaults.

    Attributes:
        parts: what each may be.
        named: those whose alternatives or limits the user named.

    Example:
        >>> space = Space({"learning_rate": LogUniform(1e-3, 1e-2), "optimizer": Fixed("adam")})
        >>> space.table()
        (('learning_rate', '0.001 to 0.01, even in the logarithm'), ('optimizer', 'always adam'))
    """

    parts: dict[str, Categorical | Limits | Widths | Fixed]
    named: tuple[str, ...] = ()

    def draw(self, stream: Stream) -> Hyperparameters:
        """Return one candidate; each hyperparameter has a stream of its own, so that fixing one moves no other."""
        names = list(Hyperparameters.model_fields)
        drawn = {name: part.draw(stream.child(names.index(name))) for name, part in self.parts.items()}
        return Hyperparameters.model_validate(drawn)

    def candidate(self, seed: int, number: int) -> Hyperparameters:
        """Return the candidate of a number, which depends on the seed and the number alone.

        What the user named is drawn quasi-randomly, so that a few candidates already stand evenly within the limits;
        all else independently, as ever.
        """
        drawn = self.draw(Stream(seed, CANDIDATE, number))
        first, changed = 0, {}
        for name, part in self.named_parts.items():
            last = first + part.dimensions
            changed[name] = part.at([halton(seed, axis, number) for axis in range(first, last)])
            first = last
        return changing(drawn, changed)

    def fixing(self, fixed: dict[str, Any]) -> Space:
        """Return the space with some hyperparameters fixed."""
        return Space({**self.parts, **{name: Fixed(value) for name, value in fixed.items()}}, self.named)

    def without(self, name: str) -> Space:
        """Return the space in which a hyperparameter keeps its default, unnamed."""
        return Space({key: part for key, part in self.parts.items() if key != name}, self.named)

    def naming(self, named: Mapping[str, Categorical | Limits]) -> Space:
        """Return the space with what the user named for some hyperparameters."""
        return Space({**self.parts, **named}, tuple(named))

    def around_middle(self) -> Space:
        """Return the space in which all that the user did not name stays at its middle."""
        unnamed = {name: part.middle for name, part in self.parts.items() if name not in self.named}
        return self.fixing(unnamed)

    def middle(self) -> Hyperparameters:
        """Return the candidate in the middle: the first of alternatives, the middle of limits."""
        return Hyperparameters.model_validate({name: part.middle for name, part in self.parts.items()})

    @property
    def named_parts(self) -> dict[str, Categorical | Limits]:
        """What the user named, by name."""
        parts = {name: self.parts[name] for name in self.named}
        return {name: part for name, part in parts.items() if isinstance(part, Categorical | Limits)}

    @property
    def varied(self) -> dict[str, Categorical | Limits | Widths]:
        """What varies, by name."""
        return {name: part for name, part in self.parts.items() if not isinstance(part, Fixed)}

    @property
    def varies(self) -> bool:
        """Whether anything is left to search."""
        return bool(self.varied)

    def table(self) -> tuple[tuple[str, str], ...]:
        """Return the space as rows of name and range."""
        return tuple((name, str(part)) for name, part in self.parts.items())

    def __str__(self) -> str:
        width = max(len(name) for name in self.parts)
        return "\n".join(f"{name:<{width}}  {part}" for name, part in self.parts.items())


def changing(candidate: Hyperparameters, values: Mapping[str, Any]) -> Hyperparameters:
    """Return a candidate with other values of some hyperparameters."""
    return Hyperparameters.model_validate({**candidate.model_dump(), **values}) if values else candidate


PRIMES = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97)


def halton(seed: int, axis: int, number: int) -> float:
    """Return a coordinate of a point of the randomized Halton sequence, in [0, 1) (Owen, arXiv:1706.02808, 2017).

    It is the number's digits in a prime base behind the point, the first digit last, each digit shuffled by a
    permutation of its own. Of any b^k points that follow each other one lies in each of b^k intervals.

    Args:
        seed: names the permutations.
        axis: of the point; each has its own base, and beyond 25 axes the bases come round with other permutations.
        number: of the point.

    Example:
        >>> sorted(int(4 * halton(0, 0, number)) for number in range(4))
        [0, 1, 2, 3]
    """
    base, value, scale = PRIMES[axis % len(PRIMES)], 0.0, 1.0
    for place in range(math.ceil(20 / math.log2(base))):
        scale /= base
        number, digit = divmod(number, base)
        value += scale * _shuffled(seed, axis, place, base)[digit]
    return min(value, 1.0 - 1e-9)


@lru_cache(maxsize=4096)
def _shuffled(seed: int, axis: int, place: int, base: int) -> list[int]:
    digits: list[int] = Stream(seed, NAMED, axis, place).permutation(base).tolist()
    return digits
