"""From the lines of the results to the numbers of the page: means over the repetitions, with their errors."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

Line = dict[str, Any]
Lines = dict[str, list[Line]]

WANTED = {"0.68": (0.66, 0.70), "0.95": (0.93, 0.97)}
"""The coverage that is asked of intervals, by their level."""
FEW = 2.0
"""Standard errors within which a mean agrees."""


@dataclass(frozen=True)
class Mean:
    """A mean over repetitions with its standard error."""

    value: float
    error: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Mean:
        """Return the mean of some values."""
        each = np.asarray(list(values), np.float64)
        error = float(each.std(ddof=1) / np.sqrt(len(each))) if len(each) > 1 else float("nan")
        return cls(float(each.mean()), error)

    def agrees(self, value: float) -> bool:
        """Return whether a value lies within two standard errors."""
        return abs(self.value - value) <= FEW * self.error

    def percent(self) -> str:
        """Return it in per cent."""
        return f"{100 * self.value:.1f} ± {100 * self.error:.1f}"

    def __str__(self) -> str:
        return f"{self.value:.3f} ± {self.error:.3f}"


def by_part(lines: list[Line]) -> Lines:
    """Return the lines of each part, in the order of their numbers."""
    found: Lines = defaultdict(list)
    for line in sorted(lines, key=lambda line: line["number"]):
        found[line["part"]].append(line)
    return dict(found)


def mean(lines: list[Line], get: Callable[[Line], float]) -> Mean:
    return Mean.of(get(line) for line in lines)


def held(lines: list[Line], what: str, level: str) -> Mean:
    """Return the coverage of one kind of interval: `new` measurements, `true` values or the `law`."""
    return mean(lines, lambda line: line[what][level])


def verdict(found: Mean, level: str) -> str:
    """Return whether a coverage lies where it should, or how far it lies off beyond its error."""
    low, high = WANTED[level]
    if low <= found.value <= high:
        return "yes"
    beyond = min(abs(found.value - low), abs(found.value - high))
    return "within its error" if beyond <= FEW * found.error else "**no**"


@dataclass(frozen=True)
class ErrorOfLaw:
    """What the error of the fit is made of, at places that are the same in every repetition, root mean squares.

    Attributes:
        whole: distance of the fit from the law.
        bias: distance of the mean over the repetitions from the law, with its own error taken off.
        deviation: standard deviation over the repetitions.
        told: `data_spread` and `spread` of the predictions.
    """

    whole: float
    bias: float
    deviation: float
    told: dict[str, float]

    @property
    def share(self) -> float:
        """The share of the bias in the mean square."""
        return self.bias**2 / self.whole**2


def error_of_law(lines: list[Line]) -> ErrorOfLaw:
    """Return what the error of the fit is made of."""
    off = np.asarray([line["fixed"]["off"] for line in lines])
    variance = off.var(axis=0, ddof=1)
    bias = np.mean(off.mean(axis=0) ** 2 - variance / len(off))
    names = [name for name in ("data_spread", "spread") if name in lines[0]["fixed"]]
    told = {name: float(np.sqrt(np.mean(np.square([line["fixed"][name] for line in lines])))) for name in names}
    return ErrorOfLaw(
        float(np.sqrt(np.mean(off**2))), float(np.sqrt(max(bias, 0.0))), float(np.sqrt(variance.mean())), told
    )


def difference(lines: list[Line], part: str, name: str) -> Mean:
    """Return the mean difference of two runs, first minus second."""
    return mean(lines, lambda line: line[part][name][0] - line[part][name][1])


def tables_of(parts: Lines) -> Lines:
    """Return the lines of the real tables by the name of the table."""
    return {name.removeprefix("table "): lines for name, lines in parts.items() if name.startswith("table ")}


def expected(level: float, rows: int) -> float:
    """Return the coverage that a quantile of so many rows has on average: `ceil((n + 1) level) / (n + 1)`."""
    return min(1.0, float(np.ceil((rows + 1) * level - 1e-9)) / (rows + 1))
