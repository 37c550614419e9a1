"""Heads: what the outputs of a network say of its targets, from a plain value to a whole distribution.

A head is part of a loss (:mod:`shoal.training.losses`). Networks and losses see targets that are scaled,
`y' = (y - mean) / scale`; `describe` returns to the targets' own units.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from shoal.codec import PlainRecord
from shoal.errors import SettingError

FLOOR = 1e-6  # of a variance that is learned, in units of that of the targets (Lakshminarayanan et al. 2017)
NORMAL_LEVELS = (0.15865525393145707, 0.8413447460685429)  # one standard deviation about the mean, if it were normal
MOST_TARGETS = 12  # with a covariance, of which each pair needs an output


@dataclass(frozen=True)
class Described:
    """What networks say of rows, in the units of the targets.

    Attributes:
        mean: `(..., targets)`, the best guess.
        variance: `(..., targets)`, of the data about it; None where the head says nothing of it.
        quantiles: `(..., targets, levels)`, rising; or None.
        covariance: `(..., targets, targets)`, or None.
    """

    mean: np.ndarray
    variance: np.ndarray | None = None
    quantiles: np.ndarray | None = None
    covariance: np.ndarray | None = None


@dataclass(frozen=True)
class Head(PlainRecord):
    """Outputs that are the values themselves, one for each target."""

    tag: ClassVar[str] = "name"
    name: ClassVar[str] = "value"
    activation: ClassVar[str] = "linear"
    counts: ClassVar[bool] = False
    """Whether targets are counts: scaled by their mean alone, so that zero stays zero."""
    half_nat: ClassVar[float | None] = None
    """What half a nat is in the loss, where that is a negative log-likelihood or twice that; its zero means nothing."""

    def outputs(self, targets: int) -> int:
        """Return how many outputs a network has for so many targets."""
        return targets

    def output_names(self, targets: tuple[str, ...]) -> tuple[str, ...]:
        """Return what each output is called, in the order of the outputs."""
        return targets

    def constants(self, targets: int) -> int:  # noqa: ARG002
        """Return how many of the outputs, the last, are the same for every row."""
        return 0

    def point(self, xp: Any, output: Any) -> Any:  # noqa: ARG002
        """Return the best guess of each target from outputs, in scaled units."""
        return output

    def describe(self, output: np.ndarray, mean: np.ndarray, scale: np.ndarray) -> Described:
        """Return what outputs `(..., outputs)` say, in the units of the targets.

        Args:
            output: of a network.
            mean: which was subtracted from each target, `(targets,)`.
            scale: by which it was divided then, `(targets,)`.
        """
        return Described(mean + scale * self.point(np, output))


@dataclass(frozen=True)
class GaussianHead(Head):
    """A mean and the logarithm of a standard deviation for each target: first all means, then all logarithms.

    Args:
        scatter: `function`, the standard deviation is a function of the inputs (Nix and Weigend, ICNN 1994, 55);
            `constant`, it is the same for every row.
    """

    name: ClassVar[str] = "gaussian"
    half_nat: ClassVar[float | None] = 1.0
    scatter: str = "function"

    def outputs(self, targets: int) -> int:
        """Return two for each target."""
        return 2 * targets

    def output_names(self, targets: tuple[str, ...]) -> tuple[str, ...]:
        """Return the targets, then the logarithm of the deviation of each."""
        return (*targets, *(f"log s of {name}" for name in targets))

    def constants(self, targets: int) -> int:
        """Return the number of targets if the scatter is a constant."""
        return targets if self.scatter == "constant" else 0

    def point(self, xp: Any, output: Any) -> Any:
        """Return the means."""
        return columns(xp, output, 0, output.shape[_axis(xp)] // 2)

    def describe(self, output: np.ndarray, mean: np.ndarray, scale: np.ndarray) -> Described:
        """Return mean and variance; with measured errors, the variance is that of the intrinsic scatter."""
        targets = output.shape[-1] // 2
        variance = scale**2 * (np.exp(2.0 * output[..., targets:]) + FLOOR)
        return Described(mean + scale * output[..., :targets], variance)


@dataclass(frozen=True)
class QuantileHead(Head):
    """Quantiles of each target: all targets at the first level, then at the next.

    Averages of quantiles, and quantiles of one network, may cross; they are put in order (Chernozhukov, Fernández-Val
    and Galichon, Econometrica 78, 1093, 2010). The best guess is the median.

    Args:
        levels: rising, between 0 and 1, with 0.5 among them.
    """

    name: ClassVar[str] = "quantiles"
    levels: tuple[float, ...] = (0.025, NORMAL_LEVELS[0], 0.5, NORMAL_LEVELS[1], 0.975)

    def __post_init__(self) -> None:
        levels = tuple(float(level) for level in self.levels)
        object.__setattr__(self, "levels", levels)
        if 0.5 not in levels or list(levels) != sorted(set(levels)) or not 0.0 < levels[0] < levels[-1] < 1.0:
            raise SettingError(f"levels of quantiles must rise between 0 and 1 and hold 0.5, got {levels}")

    @classmethod
    def covering(cls, coverage: float) -> QuantileHead:
        """Return the head whose outermost quantiles leave so much between them.

        Example:
            >>> [round(level, 3) for level in QuantileHead.covering(0.9).levels]
            [0.05, 0.159, 0.5, 0.841, 0.95]
        """
        tail = round((1.0 - coverage) / 2.0, 12)
        return cls(tuple(sorted({tail, *NORMAL_LEVELS, 0.5, 1.0 - tail})))

    def outputs(self, targets: int) -> int:
        """Return one for each target and level."""
        return targets * len(self.levels)

    def output_names(self, targets: tuple[str, ...]) -> tuple[str, ...]:
        """Return each target at each level."""
        return tuple(f"{name}, {100 * level:.3g} %" for level in self.levels for name in targets)

    def point(self, xp: Any, output: Any) -> Any:
        """Return the medians."""
        targets = output.shape[_axis(xp)] // len(self.levels)
        first = self.levels.index(0.5) * targets
        return columns(xp, output, first, first + targets)

    def describe(self, output: np.ndarray, mean: np.ndarray, scale: np.ndarray) -> Described:
        """Return median, quantiles, and as the variance the square of half the distance between 16 and 84 %."""
        each = output.reshape(*output.shape[:-1], len(self.levels), -1)
        quantiles = np.sort(mean[:, None] + scale[:, None] * np.swapaxes(each, -1, -2), axis=-1)
        low, high = (quantiles[..., self.levels.index(level)] for level in NORMAL_LEVELS)
        return Described(quantiles[..., self.levels.index(0.5)], ((high - low) / 2.0) ** 2, quantiles)


@dataclass(frozen=True)
class PoissonHead(Head):
    """The expected number of counts of each target, the exponential of what the last layer adds up."""

    name: ClassVar[str] = "poisson"
    half_nat: ClassVar[float | None] = 0.5
    activation: ClassVar[str] = "exponential"
    counts: ClassVar[bool] = True

    def describe(self, output: np.ndarray, mean: np.ndarray, scale: np.ndarray) -> Described:
        """Return the expected number, which is the variance, too."""
        expected = mean + scale * output
        return Described(expected, np.maximum(expected, 0.0))


@dataclass(frozen=True)
class MultivariateGaussianHead(Head):
    """Means, and the Cholesky factor L of the inverse covariance `P = L Lᵀ` of all targets of a row.

    First all means, then the logarithms of the diagonal of L, then what is below it, column by column (Williams, Neural
    Comput. 8, 843, 1996).
    """

    name: ClassVar[str] = "multivariate_gaussian"
    half_nat: ClassVar[float | None] = 1.0

    def outputs(self, targets: int) -> int:
        """Return the number of means and of elements of L."""
        if targets > MOST_TARGETS:
            raise SettingError(
                f"a covariance of {targets} targets would need {targets * (targets + 1) // 2} outputs more; "
                f"at most {MOST_TARGETS} targets are possible. Use gaussian_nll, which has no correlations"
            )
        return targets + targets * (targets + 1) // 2

    def output_names(self, targets: tuple[str, ...]) -> tuple[str, ...]:
        """Return the targets, then the elements of L."""
        places = [(i, i) for i in range(len(targets))]
        places += [(i, j) for j in range(len(targets)) for i in range(j + 1, len(targets))]
        return (*targets, *(f"{'log ' if i == j else ''}L{i + 1}{j + 1}" for i, j in places))

    @staticmethod
    def targets(outputs: int) -> int:
        """Return the number of targets that so many outputs describe.

        Example:
            >>> MultivariateGaussianHead.targets(9)
            3
        """
        return round((np.sqrt(9.0 + 8.0 * outputs) - 3.0) / 2.0)

    def point(self, xp: Any, output: Any) -> Any:
        """Return the means."""
        return columns(xp, output, 0, self.targets(output.shape[_axis(xp)]))

    def describe(self, output: np.ndarray, mean: np.ndarray, scale: np.ndarray) -> Described:
        """Return mean, covariance and its diagonal."""
        count = self.targets(output.shape[-1])
        factor = np.zeros((*output.shape[:-1], count, count))
        diagonal = np.arange(count)
        factor[..., diagonal, diagonal] = np.exp(output[..., count : 2 * count])
        below, of_column = np.triu_indices(count, 1)[::-1]
        factor[..., below, of_column] = output[..., 2 * count :]
        precision = factor @ np.swapaxes(factor, -1, -2)
        covariance = scale[:, None] * scale * np.linalg.inv(precision)
        variance = np.diagonal(covariance, axis1=-2, axis2=-1)
        return Described(mean + scale * output[..., :count], variance, covariance=covariance)


@dataclass(frozen=True)
class ClassesHead(Head):
    """The classes of several targets: of each a group of outputs, before the sigmoid or the softmax of the group.

    Args:
        counts_of_classes: how many classes each target has; two have one output, more have one each.
    """

    name: ClassVar[str] = "classes"
    counts_of_classes: tuple[int, ...] = ()

    @property
    def groups(self) -> tuple[slice, ...]:
        """The outputs of each target.

        Example:
            >>> ClassesHead((3, 2)).groups
            (slice(0, 3, None), slice(3, 4, None))
        """
        ends = np.cumsum([0, *(1 if count == 2 else count for count in self.counts_of_classes)]).tolist()
        return tuple(slice(start, stop) for start, stop in itertools.pairwise(ends))

    @property
    def class_counts(self) -> np.ndarray:
        """How many classes the target of each output has, `(outputs,)` int32."""
        return np.repeat(self.counts_of_classes, [group.stop - group.start for group in self.groups]).astype(np.int32)


VALUE = Head()
HEADS: dict[str, type[Head]] = {
    head.name: head for head in (Head, GaussianHead, QuantileHead, PoissonHead, MultivariateGaussianHead, ClassesHead)
}


def head_from_dict(data: dict[str, Any]) -> Head:
    """Return the head that `Head.to_dict` described."""
    return HEADS[str(data["name"])].from_dict(data)


def columns(xp: Any, array: Any, start: int, stop: int) -> Any:
    """Return the numbers from `start` to `stop` along the axis of features."""
    axis = _axis(xp)
    at = [slice(None)] * len(array.shape)
    at[axis] = slice(start, stop)
    return array[tuple(at)]


def _axis(xp: Any) -> int:
    return getattr(xp, "features", -1)
