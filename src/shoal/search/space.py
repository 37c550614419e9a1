"""The space of candidates: a declared table of what is varied, between which limits."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from shoal.streams import Stream
from shoal.training.hyperparameters import Hyperparameters


@dataclass(frozen=True)
class Choice:
    """One of several values, each as likely as the others; a value that stands twice is twice as likely."""

    values: tuple[Any, ...]

    def draw(self, stream: Stream) -> Any:
        """Return one value."""
        return self.values[stream.integer(len(self.values))]

    def __str__(self) -> str:
        counts = {value: self.values.count(value) for value in self.values}
        often = {count: f" ({count} of {len(self.values)} times)" for count in counts.values() if count > 1}
        return "one of " + ", ".join(f"{value}{often.get(count, '')}" for value, count in counts.items())


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
        return f"{self.depths[0]} to {self.depths[1]} layers of {self.units[0]} to {self.units[1]} units"


@dataclass(frozen=True)
class Fixed:
    """A value that does not vary."""

    value: Any

    def draw(self, stream: Stream) -> Any:  # noqa: ARG002 - a fixed value draws nothing
        """Return the value."""
        return self.value

    def __str__(self) -> str:
        shown = ", ".join(map(str, self.value)) if isinstance(self.value, tuple) else self.value
        return f"always {shown}"


@dataclass(frozen=True)
class Space:
    """What each hyperparameter may be, by name; those not named keep their defaults.

    Example:
        >>> space = Space({"learning_rate": LogUniform(1e-3, 1e-2), "optimizer": Fixed("adam")})
        >>> space.table()
        (('learning_rate', '0.001 to 0.01, even in the logarithm'), ('optimizer', 'always adam'))
    """

    parts: dict[str, Choice | LogUniform | Widths | Fixed]

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


def default_space(rows: int, classification: bool) -> Space:
    """Return the default space for dense networks on so many training rows.

    Few rows get small networks and small batches: more units would only learn the noise, and a batch should leave
    several steps to an epoch. A regression gets deeper networks, more epochs and less dropout than a
    classification: a smooth function has to be followed closely (`benchmarks/quality.py` compares).
    """
    sizes = _sizes(rows, classification)
    return Space(
        {
            "hidden": Widths(sizes.depths, sizes.units),
            "activation": Choice(("relu", "tanh", "silu")),
            "optimizer": Choice(("adam", "adamw", "nadam")),
            "learning_rate": LogUniform(1e-3, 3e-2),
            "schedule": Choice(("constant", "cosine")),
            "l2": Choice((0.0, 0.001, 0.01, 0.1, 1.0)),
            "dropout": Choice((0.0, 0.0, 0.1, 0.25) if classification else (0.0, 0.0, 0.0, 0.1)),
            "batch_size": Choice(sizes.batches),
            "epochs": Fixed(sizes.epochs),
            "patience": Fixed(max(10, sizes.epochs // 6)),
        }
    )


def single_space(epochs: int = 200) -> Space:
    """Return the space of a single network: nothing varies, and it trains to its end.

    A user who asks for one network wants the network that was described, with nothing drawn at random beside it:
    no dropout, no smoothing, a constant learning rate, no early stopping.

    Example:
        >>> single_space().varies
        False
    """
    plain = {"hidden": (32,), "activation": "relu", "optimizer": "adam", "learning_rate": 0.001, "batch_size": 32}
    parts = {name: Fixed(value) for name, value in {**plain, "epochs": epochs, "patience": epochs}.items()}
    return Space(parts)  # type: ignore[arg-type]


@dataclass(frozen=True)
class _Sizes:
    depths: tuple[int, int]
    units: tuple[int, int]
    batches: tuple[int, ...]
    epochs: int


def _sizes(rows: int, classification: bool) -> _Sizes:
    if rows < 500:
        if classification:
            return _Sizes((1, 2), (4, 32), (16, 32), 200)
        return _Sizes((1, 3), (8, 64), (16, 32), 600)
    if rows < 5_000:
        return _Sizes((1, 2), (16, 128), (32, 64), 100) if classification else _Sizes((1, 3), (8, 64), (32, 64), 300)
    if rows < 50_000:
        return _Sizes((1, 3), (16, 128), (128, 256), 80)
    return _Sizes((1, 3), (32, 256), (512, 1024), 40)
