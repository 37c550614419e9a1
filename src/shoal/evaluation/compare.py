"""Two or more runs on the same test rows, compared in pairs.

Scores of two runs on the same rows rise and fall together, so that their own intervals say little about their
difference. Compared are the differences on the same resampled rows (the paired bootstrap; Efron and Tibshirani 1993).
It holds the networks fixed. Which run is better is decided by the losses of rows as beside baselines (`paired`), at a
level that all comparisons with the first run share (Bonferroni): of runs that are equally good, one in twenty times
some is called better or worse. Where both runs were cross-validated on the same folds, the corrected resampled t test
(Nadeau and Bengio, Machine Learning 52, 239, 2003) also counts how training on other rows changes the result: with J =
folds × repeats differences of mean d and variance v, `t = d / sqrt((1/J + 1/(folds - 1)) v)`, J - 1 degrees of freedom.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from shoal.errors import RunError
from shoal.evaluation.looks import Looks
from shoal.evaluation.paired import paired_difference, unit_sums
from shoal.evaluation.predicted_rows import PredictedRows
from shoal.evaluation.topics.baselines import Outcome, deciding_losses, main_metric
from shoal.results import Interval, Task
from shoal.short_repr import ShortRepr
from shoal.statistics.bootstrap import resampled_weights, resamples_for, widened_percentile, with_intervals
from shoal.statistics.metrics import METRICS, Metric, metrics_for
from shoal.statistics.weighted import effective_number

ScoresByFold = Mapping[tuple[int, int], float]
"""Validation loss of the best candidate by repeat and fold."""


@dataclass(frozen=True)
class Contender:
    """A run that is compared: what it predicted for its test rows, and what makes rows the same.

    `data` is the checksum of the data, `dealt` whatever decides which rows are in which fold (None without folds),
    `block` how many neighbouring rows count as one.
    """

    name: str
    task: Task
    data: str
    targets: tuple[str, ...]
    classes: tuple[str, ...]
    test: PredictedRows
    folds: ScoresByFold | None = None
    dealt: Any = None
    block: int = 1


@dataclass(frozen=True)
class FoldTest:
    """The corrected resampled t test: mean difference of the validation losses with its interval, t and p."""

    difference: Interval
    t: float
    p: float
    folds: int
    repeats: int


@dataclass(frozen=True)
class RunDifference:
    """How a run differs from the first one: by each metric, run minus first; and over folds where both have them.

    `gain` is the loss that decides of the first run minus that of this one, its interval at the level shared by all.
    """

    name: str
    differences: dict[str, Interval]
    gain: Interval
    folds: FoldTest | None = None


@dataclass(frozen=True, repr=False)
class Comparison(ShortRepr):
    """The scores of each run on the common test rows, the differences from the first, and how often rows were used."""

    rows: int
    scores: dict[str, dict[str, Interval]]
    pairs: tuple[RunDifference, ...]
    looks: Looks | None = None

    @property
    def sentences(self) -> tuple[str, ...]:
        """For each other run, whether it differs from the first by more than chance, by the metric that decides."""
        return tuple(_sentence(next(iter(self.scores)), pair, len(self.pairs)) for pair in self.pairs)

    def as_dict(self) -> dict[str, Any]:
        """Return the numbers as plain data for JSON."""
        return {
            "rows": self.rows,
            "scores": {n: {m: s.as_dict() for m, s in scores.items()} for n, scores in self.scores.items()},
            "differences": [
                {
                    "run": pair.name,
                    "metrics": {name: value.as_dict() for name, value in pair.differences.items()},
                    "gain": pair.gain.as_dict(),
                    "folds": None if pair.folds is None else asdict(pair.folds),
                }
                for pair in self.pairs
            ],
            "verdict": list(self.sentences),
            "test_looks": None if self.looks is None else self.looks.as_dict(),
        }


def _sentence(first: str, pair: RunDifference, pairs: int) -> str:
    label = METRICS[pair.gain.method].label
    level = f" (at a level of 5 % for all {pairs} comparisons together)" if pairs > 1 else ""
    outcome = Outcome.of(pair.gain)
    if outcome is Outcome.UNCLEAR:
        return f"{pair.name} and {first} cannot be told apart by their {label} on these rows{level}."
    return f"{pair.name} is {outcome.value} than {first} by its {label}, by more than chance{level}."


def compare_contenders(contenders: Sequence[Contender]) -> Comparison:
    """Compare runs with the first of them on their common test rows.

    Args:
        contenders: two runs at least.

    Raises:
        RunError: fewer than two, or runs whose task or test rows differ.
    """
    if len(contenders) < 2:
        raise RunError(f"a comparison needs at least two runs, got {len(contenders)}")
    first, *others = contenders
    for other in others:
        check_same(first, other)
    scores = {c.name: _scores(c) for c in contenders}
    level = 1.0 - 0.05 / len(others)
    pairs = tuple(
        RunDifference(o.name, _differences(first, o), _gain(first, o, level), fold_test(first, o)) for o in others
    )
    return Comparison(len(first.test.rows), scores, pairs)


def check_same(first: Contender, other: Contender) -> None:
    """Refuse two runs that were not tested on the same rows.

    Raises:
        RunError: says what differs and how to make it agree.
    """
    both = f"{first.name} and {other.name} cannot be compared"
    if first.task is not other.task or first.targets != other.targets or first.classes != other.classes:
        raise RunError(
            f"{both}: one predicts {_what(first)}, the other {_what(other)}; compare runs with one target and one task"
        )
    if first.data != other.data:
        raise RunError(f"{both}: they were fitted on different data (their checksums differ); fit both on one file")
    a, b = first.test.rows, other.test.rows
    if not np.array_equal(a, b):
        common = len(np.intersect1d(a, b))
        raise RunError(
            f"{both}: their test rows differ ({len(a)} and {len(b)} rows, {common} of them in both); fit both with the "
            "same --seed, --test-size, --group and --time, or with the same --test file"
        )
    mine, theirs = first.test.weights, other.test.weights
    same = mine is theirs if mine is None or theirs is None else np.array_equal(mine, theirs)
    if not same:
        raise RunError(f"{both}: their test rows have different weights; fit both with the same --weight")
    if not np.array_equal(first.test.truth, other.test.truth):
        raise RunError(f"{both}: the targets of their test rows differ; fit both on one file")


def _what(contender: Contender) -> str:
    classes = f" ({len(contender.classes)} classes)" if contender.classes else ""
    return f"{', '.join(contender.targets)}{classes}"


def _scores(contender: Contender) -> dict[str, Interval]:
    test = contender.test
    drawing: dict[str, Any] = {"weights": test.weights, "block": contender.block, "groups": test.groups}
    return with_intervals(contender.task, test.truth, test.guess, **drawing)


def _gain(first: Contender, other: Contender, level: float) -> Interval:
    """Return the mean loss of the first minus that of the other; its method is the name of the metric that decides."""
    test = first.test
    before, after = (deciding_losses(c.task, test.truth, c.test.guess, test.weights) for c in (first, other))
    gain = paired_difference(after, before, test.weights, block=first.block, groups=test.groups, level=level)
    return replace(gain, method=main_metric(first.task, len(first.targets)))


def _differences(first: Contender, other: Contender) -> dict[str, Interval]:
    """Return other minus first by each metric, on the same resampled rows."""
    test, rows = first.test, len(first.test.truth)
    metrics = metrics_for(first.task)

    def difference(metric: Metric, weights: np.ndarray | None) -> Any:
        return metric(test.truth, other.test.guess, weights) - metric(test.truth, test.guess, weights)

    resampled: dict[str, list[np.ndarray]] = {metric.name: [] for metric in metrics}
    for weights in resampled_weights(rows, test.weights, resamples_for(rows), 0, first.block, test.groups):
        for metric in metrics:
            resampled[metric.name].append(difference(metric, weights))
    units = effective_number(unit_sums(np.ones((1, rows)), test.weights, first.block, test.groups)[1])
    differences = {}
    for metric in metrics:
        value, drawn = difference(metric, test.weights), np.concatenate(resampled[metric.name])
        low, high = (widened_percentile(drawn, level, max(units, 2.0)) for level in (0.025, 0.975))
        differences[metric.name] = Interval(float(value), min(low, value), max(high, value), "paired bootstrap")
    return differences


def fold_test(first: Contender, other: Contender) -> FoldTest | None:
    """Return the corrected resampled t test, or None where the runs were not judged on the same folds."""
    if not first.folds or not other.folds or first.dealt != other.dealt or set(first.folds) != set(other.folds):
        return None
    places = sorted(first.folds)
    difference = np.array([other.folds[place] - first.folds[place] for place in places])
    folds, repeats = (len({place[axis] for place in places}) for axis in (1, 0))
    if len(difference) < 2 or not np.isfinite(difference).all():
        return None
    return corrected_t(difference, folds, repeats)


def corrected_t(difference: np.ndarray, folds: int, repeats: int = 1) -> FoldTest:
    """Return the corrected resampled t test of differences, one for each fold and repeat.

    Example:
        >>> round(corrected_t(np.array([1.0, 2.0, 3.0]), 3).t, 4)
        2.1909
    """
    from scipy.special import stdtr, stdtrit

    count = len(difference)
    mean, error = float(difference.mean()), float(np.sqrt((1 / count + 1 / (folds - 1)) * difference.var(ddof=1)))
    t = mean / error if error > 0 else float("nan")
    p = float(2 * stdtr(count - 1, -abs(t)))
    half = float(stdtrit(count - 1, 0.975)) * error
    return FoldTest(Interval(mean, mean - half, mean + half, "corrected resampled t"), t, p, folds, repeats)
