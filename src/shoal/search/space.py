"""The space of candidates: a declared table of what is varied, between which limits."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from shoal.streams import Stream
from shoal.training.hyperparameters import Hyperparameters


@dataclass(frozen=True)
class Categorical:
    """One of several values, each as likely as the others; a value that stands twice is twice as likely."""

    values: tuple[Any, ...]

    def draw(self, stream: Stream) -> Any:
        """Return one value."""
        return self.values[stream.integer(len(self.values))]

    def __str__(self) -> str:
        counts = {_short(value): self.values.count(value) for value in self.values}
        if len(counts) == 1:
            return f"always {next(iter(counts))}"
        often = {count: f" ({count} of {len(self.values)} times)" for count in counts.values() if count > 1}
        return "one of " + ", ".join(f"{value}{often.get(count, '')}" for value, count in counts.items())


def _short(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


@dataclass(frozen=True)
class LogUniform:
    """A number whose logarithm is uniform between two limits."""

    low: float
    high: float

    def draw(self, stream: Stream) -> float:
        """Return one number, rounded to four digits so that it can be read and typed."""
        u = float(stream.uniform())
        value = math.exp(math.log(self.low) + u * math.log(self.high / self.low))
        return min(max(float(f"{value:.4g}"), self.low), self.high)

    def __str__(self) -> str:
        return f"{self.low:g} to {self.high:g}, even in the logarithm"


@dataclass(frozen=True)
class Widths:
    """Hidden layers: their number uniform, their widths even in the logarithm."""

    depths: tuple[int, int]
    units: tuple[int, int]

    def draw(self, stream: Stream) -> tuple[int, ...]:
        """Return the units of each hidden layer."""
        low, high = self.depths
        depth = low + stream.integer(high - low + 1)
        width = LogUniform(self.units[0], self.units[1] + 0.999)
        return tuple(min(int(width.draw(stream)), self.units[1]) for _ in range(depth))

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

    def __str__(self) -> str:
        shown = ", ".join(map(str, self.value)) or "none" if isinstance(self.value, tuple) else self.value
        return f"always {shown}"


@dataclass(frozen=True)
class Space:
    """What each hyperparameter may be, by name; those not named keep their defaults.

    Example:
        >>> space = Space({"learning_rate": LogUniform(1e-3, 1e-2), "optimizer": Fixed("adam")})
        >>> space.table()
        (('learning_rate', '0.001 to 0.01, even in the logarithm'), ('optimizer', 'always adam'))
    """

    parts: dict[str, Categorical | LogUniform | Widths | Fixed]

    def draw(self, stream: Stream) -> Hyperparameters:
        """Return one candidate; each hyperparameter has a stream of its own, so that fixing one moves no other."""
        names = list(Hyperparameters.model_fields)
        drawn = {name: part.draw(stream.child(names.index(name))) for name, part in self.parts.items()}
        return Hyperparameters.model_validate(drawn)

    def fixing(self, fixed: dict[str, Any]) -> Space:
        """Return the space with some hyperparameters fixed."""
        return Space({**self.parts, **{name: Fixed(value) for name, value in fixed.items()}})

    @property
    def varies(self) -> bool:
        """Whether anything is left to search."""
        return any(not isinstance(part, Fixed) for part in self.parts.values())

    def table(self) -> tuple[tuple[str, str], ...]:
        """Return the space as rows of name and range."""
        return tuple((name, str(part)) for name, part in self.parts.items())

    def __str__(self) -> str:
        width = max(len(name) for name in self.parts)
        return "\n".join(f"{name:<{width}}  {part}" for name, part in self.parts.items())
