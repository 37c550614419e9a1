"""What is looked at when inputs are varied: numbers and histograms, each under many resamples of the rows at once.

An observable takes a sample and how often each of its rows counts, `(resamples, rows)`, and returns
`(resamples, numbers)`. Expected events are shares of a class times its yield, `N sum(w) / sum(w0)`: w0 are the weights
as they were before the variation, so that one which changes the sum of the weights changes the yield with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from shoal.results import Task
from shoal.statistics.bootstrap import wilson
from shoal.statistics.metrics import metrics_for
from shoal.statistics.significance import Yields
from shoal.statistics.weighted import effective_number


@dataclass(frozen=True)
class Sample:
    """Rows as one variation has them.

    Attributes:
        truth: class numbers `(rows,)`, or values `(rows, targets)`.
        guess: probabilities `(rows, classes)`, or values `(rows, targets)`.
        weights: `(rows,)`, any sign.
        before: `(rows,)`, the weights before the variation.
        placed: `(rows, targets)`, the predictions by which rows are put into the bins of a profile: those before the
            variation where the rows are the same.
    """

    truth: np.ndarray
    guess: np.ndarray
    weights: np.ndarray
    before: np.ndarray
    placed: np.ndarray


class Observable(Protocol):
    """Some numbers that are looked at, one for each of `names`."""

    @property
    def names(self) -> tuple[str, ...]:
        """What the numbers are called."""

    def __call__(self, sample: Sample, counts: np.ndarray) -> np.ndarray:
        """Return `(resamples, names)` for rows that count `(resamples, rows)` times."""

    def errors(self, sample: Sample) -> np.ndarray | None:
        """Return the statistical errors `(names,)`, NaN for those that the resamples tell; None: they tell all."""


@dataclass(frozen=True)
class Metrics:
    """The metrics of a task."""

    task: Task

    @property
    def names(self) -> tuple[str, ...]:
        """Their names."""
        return tuple(metric.name for metric in metrics_for(self.task))

    def __call__(self, sample: Sample, counts: np.ndarray) -> np.ndarray:
        """Return the metrics under many weights."""
        weights = counts * sample.weights
        return np.stack([np.atleast_1d(m(sample.truth, sample.guess, weights)) for m in metrics_for(self.task)], axis=1)

    def errors(self, sample: Sample) -> np.ndarray:
        """Return those of shares that are 0 or 1, of which resamples would claim to be certain."""
        values = self(sample, np.ones((1, len(sample.weights))))[0]
        rows = effective_number(sample.weights)
        shares = [metric.share for metric in metrics_for(self.task)]
        return np.array([_of_certainty(v, rows) if s else np.nan for v, s in zip(values, shares, strict=True)])


@dataclass(frozen=True)
class AtCut:
    """What a cut on the score keeps: efficiencies, and with yields events and significance."""

    cut: float
    signal: int
    yields: Yields | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Efficiencies, events of signal and background, and the Asimov significance."""
        events = () if self.yields is None else ("signal_events", "background_events", "significance")
        return ("signal_efficiency", "background_efficiency", *events)

    def __call__(self, sample: Sample, counts: np.ndarray) -> np.ndarray:
        """Return shares of the weights of each class, and shares of its yield."""
        passed = sample.guess[:, self.signal] >= self.cut
        shares, events = [], []
        for rows in (sample.truth == self.signal, sample.truth != self.signal):
            parts = sample.weights * passed * rows, sample.weights * rows, sample.before * rows
            kept, after, before = (counts @ np.stack(parts, axis=1)).T
            with np.errstate(invalid="ignore", divide="ignore"):
                shares.append(kept / after)
                events.append(kept / before)
        if self.yields is None:
            return np.stack(shares, axis=1)
        s, b = self.yields.signal * events[0], self.yields.background * events[1]
        return np.stack([*shares, s, b, self.yields.measure("asimov")(s, b)], axis=1)

    def errors(self, sample: Sample) -> np.ndarray:
        """Return those of efficiencies that are 0 or 1, of which resamples would claim to be certain."""
        values = self(sample, np.ones((1, len(sample.weights))))[0]
        errors = np.full(len(values), np.nan)
        for place, rows in enumerate((sample.truth == self.signal, sample.truth != self.signal)):
            errors[place] = _of_certainty(values[place], effective_number(sample.weights[rows]))
        if self.yields is not None:
            errors[2:4] = errors[:2] * np.array([self.yields.signal, self.yields.background])
        return errors


@dataclass(frozen=True)
class Histogram:
    """The expected events of a class, or of all rows, in bins of one column of the predictions.

    Attributes:
        name: of the histogram.
        column: of the predictions: a class, or a target; None for the number of the most probable class.
        edges: `(bins + 1,)`; what lies outside counts in the outermost bins.
        total: events of all bins together, before any variation.
        of_class: the number of the class whose rows are counted; None for all.
    """

    name: str
    column: int | None
    edges: np.ndarray
    total: float
    of_class: int | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """One name for each bin."""
        return numbered(self.name, len(self.edges) - 1)

    def rows(self, sample: Sample) -> np.ndarray:
        """Return which rows are counted."""
        return np.ones(len(sample.guess), bool) if self.of_class is None else sample.truth == self.of_class

    def __call__(self, sample: Sample, counts: np.ndarray) -> np.ndarray:
        """Return the expected events in each bin."""
        rows = self.rows(sample)
        sums = binned_sums(counts, (sample.weights * rows)[:, None], self._bins(sample), len(self.edges) - 1)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(self.total * sums[0] / (counts @ (sample.before * rows))[:, None])

    def errors(self, sample: Sample) -> np.ndarray:
        """Return `sqrt(sum w²)` of each bin, scaled to the expected events."""
        rows = self.rows(sample)
        squares = np.bincount(self._bins(sample)[rows], sample.weights[rows] ** 2, len(self.edges) - 1)
        return np.asarray(self.total * np.sqrt(squares) / abs(sample.before[rows].sum()))

    def _bins(self, sample: Sample) -> np.ndarray:
        values = sample.guess.argmax(axis=1) if self.column is None else sample.guess[:, self.column]
        return places(values, self.edges)


@dataclass(frozen=True)
class Profile:
    """Mean prediction, bias and RMSE of a target in bins of its prediction."""

    name: str
    column: int
    edges: np.ndarray

    @property
    def names(self) -> tuple[str, ...]:
        """The means of all bins, then the biases, then the RMSE."""
        bins = len(self.edges) - 1
        return tuple(name for what in PROFILES for name in numbered(f"{what}{self.name}", bins))

    def __call__(self, sample: Sample, counts: np.ndarray) -> np.ndarray:
        """Return weighted means in each bin, NaN where it has no weight."""
        bins, count = places(sample.placed[:, self.column], self.edges), len(self.edges) - 1
        guess = sample.guess[:, self.column]
        missed = guess - sample.truth[:, self.column]
        values = np.stack([np.ones(len(guess)), guess, missed, missed**2], axis=1)
        total, *sums = binned_sums(counts, sample.weights[:, None] * values, bins, count)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.concatenate([sums[0] / total, sums[1] / total, np.sqrt(sums[2] / total)], axis=1)

    def errors(self, sample: Sample) -> None:
        """Leave the errors to the resamples."""


@dataclass(frozen=True)
class Means:
    """Mean prediction and mean of prediction less truth of each target."""

    targets: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The means of each target, then the biases."""
        kinds = ("mean prediction", "bias")
        return kinds if len(self.targets) == 1 else tuple(f"{kind} of {t}" for kind in kinds for t in self.targets)

    def __call__(self, sample: Sample, counts: np.ndarray) -> np.ndarray:
        """Return the weighted means."""
        values = np.concatenate([sample.guess, sample.guess - sample.truth], axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(counts @ (sample.weights[:, None] * values) / (counts @ sample.weights)[:, None])

    def errors(self, sample: Sample) -> None:
        """Leave the errors to the resamples."""


def _of_certainty(share: float, rows: float) -> float:
    """Return the error of a share that is 0 or 1, the length of Wilson's 68 % interval; NaN for other shares."""
    if min(abs(share), abs(1.0 - share)) > 1e-12:
        return float("nan")
    low, high = wilson(round(share), rows, level=0.6827)
    return high - low


PROFILES = ("mean", "bias", "rmse")


def numbered(name: str, count: int) -> tuple[str, ...]:
    """Return names for the bins of a histogram, counted from 1."""
    return tuple(f"{name}[{number}]" for number in range(1, count + 1))


def places(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Return the bin of each value, counted from 0; values outside go to the outermost bins.

    Example:
        >>> places(np.array([-1.0, 0.0, 0.5, 2.0]), np.array([0.0, 0.5, 1.0])).tolist()
        [0, 0, 1, 1]
    """
    return np.clip(np.searchsorted(edges, values, side="right") - 1, 0, len(edges) - 2)


def binned_sums(counts: np.ndarray, values: np.ndarray, bins: np.ndarray, count: int) -> np.ndarray:
    """Return the sum of several values `(rows, values)` in each bin, `(values, resamples, bins)`.

    Args:
        counts: how often each row counts, `(resamples, rows)`.
        values: what is added.
        bins: the bin of each row.
        count: of the bins.
    """
    rows = [np.flatnonzero(bins == number) for number in range(count)]
    return np.stack([counts[:, some] @ values[some] for some in rows], axis=1).transpose(2, 0, 1)


def edges_between(values: np.ndarray, bins: int, tails: float = 0.0) -> np.ndarray:
    """Return the edges of bins of equal width over the values, without a share `tails` at both ends."""
    low, high = np.quantile(values, [tails, 1.0 - tails])
    return np.linspace(low, high if high > low else low + 1e-6 * max(1.0, abs(low)), bins + 1)


def two_classes(
    sample: Sample,
    classes: Sequence[str],
    signal: int,
    bins: int,
    cut: float | None = None,
    yields: Yields | None = None,
) -> tuple[Observable, ...]:
    """Return what is looked at where signal is told from background; without yields bins hold sums of weights."""
    edges = edges_between(sample.guess[:, signal], bins)
    of_signal = sample.truth == signal
    totals = [float(sample.weights[rows].sum()) for rows in (of_signal, ~of_signal)]
    if yields is not None:
        totals = [yields.signal, yields.background]
    numbers = (signal, 1 - signal)
    scores = [Histogram(classes[k], signal, edges, total, k) for k, total in zip(numbers, totals, strict=True)]
    at_cut = () if cut is None else (AtCut(cut, signal, yields),)
    return Metrics(Task.CLASSIFICATION), *at_cut, *scores


def several_classes(sample: Sample, classes: Sequence[str]) -> tuple[Observable, ...]:
    """Return what is looked at where several classes are told apart: how many rows are taken for each."""
    edges = np.arange(len(classes) + 1) - 0.5
    return Metrics(Task.CLASSIFICATION), Histogram("predicted class", None, edges, float(sample.weights.sum()))


def of_numbers(sample: Sample, targets: Sequence[str], bins: int) -> tuple[Observable, ...]:
    """Return what is looked at where numbers are predicted: scores, means, and what bins of the prediction hold."""
    binned: list[Observable] = []
    for k, name in enumerate(targets):
        edges = edges_between(sample.guess[:, k], bins, 0.005)
        binned.append(Histogram(name, k, edges, float(sample.weights.sum())))
        binned.append(Profile(f" of {name}", k, edges))
    return Metrics(Task.REGRESSION), Means(tuple(targets)), *binned
