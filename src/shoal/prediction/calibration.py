"""Calibration: probabilities that come true as often as they say, standard deviations as wide as the residuals.

The predictions of the members are averaged first; what is calibrated is their mean (Rahaman and Thiery, NeurIPS 2021;
Wu and Gales, arXiv:2101.05397: members calibrated one by one make an ensemble that is not). Three ways:

* **temperature** (Guo, Pleiss, Sun and Weinberger, ICML 2017): `softmax(log p / T)`. T above 1 draws probabilities
  together, below 1 apart; which class is the most probable does not change.
* **isotonic** (Zadrozny and Elkan, KDD 2002): each class against the rest gets a rising function of its probability, by
  pooling adjacent violators; then the classes are brought to sum one. It bends more freely, and so needs more rows.
* **variance scaling** (Laves et al., MIDL 2020; Levi et al., Sensors 22, 5540, 2022): standard deviations times one
  number for each target, so that pulls have mean square one.

Each is judged by cross-fitting: rows are dealt to five parts, and each part is calibrated by what the others say.
A way is taken only where its cross-fitted loss is lower than that of the simpler one by more than one standard error of
the difference (Breiman et al. 1984, section 3.4.3); else predictions stay as they are. So calibrating never makes the
loss worse by more than noise.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from shoal.codec import ArrayRecord
from shoal.results import Task
from shoal.statistics.metrics import row_losses
from shoal.statistics.minimum import minimum
from shoal.streams import Stream

PARTS = 5
DEALING = 9
"""The path of the stream that deals rows to parts."""
COLDEST, HOTTEST = 0.1, 10.0
TINY = 1e-12
MOST_ROWS = 20_000
"""Rows that calibrations of classes are fitted on, at most; the others gain nothing but time."""
FEWEST = 20
"""Rows below which nothing is fitted: their own scatter would be all that it learns."""


@dataclass(frozen=True)
class Calibration(ArrayRecord):
    """What is done to averaged probabilities.

    Attributes:
        method: `none`, `temperature` or `isotonic`.
        temperature: T, 1 where the method is another.
        curves: of each class the points `(points, 2)` of its rising function: probability, and what it becomes.
    """

    method: str = "none"
    temperature: float = 1.0
    curves: tuple[np.ndarray, ...] = ()

    def __call__(self, probabilities: np.ndarray) -> np.ndarray:
        """Return calibrated probabilities `(..., classes)` that sum to one.

        Example:
            >>> Calibration("temperature", 0.5)(np.array([[0.8, 0.2]])).round(3).tolist()
            [[0.941, 0.059]]
        """
        if self.method == "temperature":
            return _tempered(probabilities, 1.0 / self.temperature)
        if self.method == "isotonic":
            each = [np.interp(probabilities[..., k], *curve.T) for k, curve in enumerate(self.curves)]
            risen = np.maximum(np.stack(each, axis=-1), TINY)
            return np.asarray(risen / risen.sum(axis=-1, keepdims=True))
        return probabilities


def _tempered(probabilities: np.ndarray, power: float) -> np.ndarray:
    logits = power * np.log(np.maximum(probabilities, TINY))
    raised = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=-1, keepdims=True))


def fit_temperature(probabilities: np.ndarray, truth: np.ndarray, weights: np.ndarray | None = None) -> Calibration:
    """Return the temperature whose probabilities have the least log-loss.

    The log-loss is convex in `1 / T` where no weight is negative; the least value is found on a grid and then by
    golden section, which bears negative weights, too. As in Platt (1999) the true class of n rows counts as
    `(n + 1) / (n + 2)`: rows that are all right would otherwise ask for T = 0, and the first wrong one pay for it.

    Args:
        probabilities: `(rows, classes)`, averaged over the members.
        truth: class numbers `(rows,)`.
        weights: of the rows, or None.
    """
    weights = np.ones(len(truth)) if weights is None else weights
    logits = np.log(np.maximum(probabilities, TINY))
    of_truth = logits[np.arange(len(truth)), truth]
    of_others = (logits.sum(axis=1) - of_truth) / max(logits.shape[1] - 1, 1)
    doubt = 1.0 / (len(truth) + 2.0)
    pull = (1.0 - doubt) * of_truth + doubt * of_others

    def loss(log_power: float) -> float:
        raised = np.exp(log_power) * logits
        most = raised.max(axis=1)
        normalisation = most + np.log(np.exp(raised - most[:, None]).sum(axis=1))
        return float(weights @ (normalisation - np.exp(log_power) * pull))

    grid = np.linspace(-np.log(HOTTEST), -np.log(COLDEST), 25)
    return Calibration("temperature", float(np.exp(-minimum(loss, grid))))


def fit_isotonic(probabilities: np.ndarray, truth: np.ndarray, weights: np.ndarray | None = None) -> Calibration:
    """Return a rising function for each class, which no weighted sum of squares beats.

    Where all rows of the lowest or highest group agree, the function stops short of 0 and 1 by one row in the rows of
    the group and two (Laplace's rule), so that no new row has infinite loss.

    Args:
        probabilities: `(rows, classes)`, averaged over the members.
        truth: class numbers `(rows,)`.
        weights: of the rows, none negative: means of pooled rows would otherwise be no shares; None for ones.
    """
    weights = np.ones(len(truth)) if weights is None else np.asarray(weights, np.float64)
    weights = weights * len(weights) / weights.sum()
    columns = range(probabilities.shape[1])
    return Calibration("isotonic", 1.0, tuple(_rising(probabilities[:, k], truth == k, weights) for k in columns))


def _rising(x: np.ndarray, came: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the corners `(points, 2)` of the rising function of x nearest to what came true."""
    known = weights > 0
    points, place = np.unique(x[known], return_inverse=True)
    mass = np.bincount(place, weights[known])
    means = np.bincount(place, weights[known] * came[known]) / mass
    starts, values, masses = pool_adjacent(means, mass)
    if len(values) == 1:
        values = (values * masses + 1.0) / (masses + 2.0)
    else:  # no further than the step beside it
        first, last = 1.0 / (masses[0] + 2.0), 1.0 - 1.0 / (masses[-1] + 2.0)
        values[0] = min(first, values[1]) if values[0] <= 0.0 else values[0]
        values[-1] = max(last, values[-2]) if values[-1] >= 1.0 else values[-1]
    ends = np.append(starts[1:], len(points)) - 1
    corners = np.concatenate([np.column_stack([points[starts], values]), np.column_stack([points[ends], values])])
    return np.unique(corners, axis=0)


def pool_adjacent(values: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the rising steps nearest to values, by pooling adjacent violators (Ayer et al. 1955).

    Own code, since scikit-learn's `IsotonicRegression`, which the tests hold it equal to, takes a second to import.

    Args:
        values: `(points,)`, in the order of what they are to rise with.
        weights: `(points,)`, positive.

    Returns:
        Where each step starts, its value and its weight.

    Example:
        >>> [part.tolist() for part in pool_adjacent(np.array([1.0, 3.0, 2.0, 4.0]), np.ones(4))]
        [[0, 1, 3], [1.0, 2.5, 4.0], [1.0, 2.0, 1.0]]
    """
    starts: list[int] = []
    means: list[float] = []
    masses: list[float] = []
    for i, (mean, mass) in enumerate(zip(values.tolist(), weights.tolist(), strict=True)):
        start = i
        while means and means[-1] >= mean:
            start, other = starts.pop(), masses.pop()
            mean = (means.pop() * other + mean * mass) / (other + mass)
            mass += other
        starts.append(start)
        means.append(mean)
        masses.append(mass)
    return np.asarray(starts), np.asarray(means), np.asarray(masses)


WAYS: dict[str, Callable[..., Calibration]] = {"temperature": fit_temperature, "isotonic": fit_isotonic}


@dataclass(frozen=True)
class ChosenCalibration:
    """The calibration that was chosen, why, and what it makes of the rows that it was fitted on when cross-fitted.

    Attributes:
        calibration: fitted on all rows.
        reason: a sentence.
        probabilities: `(rows, classes)`, each row as calibrated by what the rows of other parts say.
    """

    calibration: Calibration
    reason: str
    probabilities: np.ndarray


def choose_calibration(
    probabilities: np.ndarray,
    truth: np.ndarray,
    weights: np.ndarray | None = None,
    groups: np.ndarray | None = None,
    seed: int = 0,
) -> ChosenCalibration:
    """Return the calibration whose cross-fitted log-loss is the least beyond noise, the simplest where none is.

    Args:
        probabilities: `(rows, classes)` of rows that trained no weight, averaged over the members.
        truth: class numbers `(rows,)`.
        weights: of the rows, any sign, or None.
        groups: `(rows,)` numbers of what stays in one part and counts as one in the standard error; None: each row.
        seed: names the random numbers that deal rows to parts.
    """
    count = len(truth) if groups is None else len(np.unique(groups))
    if count < FEWEST:
        reason = f"with {count} rows to learn from, fewer than {FEWEST}, probabilities stay as the ensemble has them"
        return ChosenCalibration(Calibration(), reason, probabilities)
    negative = weights is not None and bool((np.asarray(weights) < 0).any())
    best, crossed, remarks = Calibration(), probabilities, []
    sampled = _sampled(groups if groups is not None else np.arange(len(truth)), seed)
    everything = probabilities
    if sampled is not None:
        probabilities, truth, crossed = probabilities[sampled], truth[sampled], probabilities[sampled]
        weights, groups = (None if of is None else of[sampled] for of in (weights, groups))
    parts = deal_parts(len(truth), groups, seed)
    for name, fit in WAYS.items():
        if name == "isotonic" and negative:
            remarks.append("isotonic was not tried, since weights are negative")
            continue
        tried = cross_fitted(fit, probabilities, truth, weights, parts)
        if tried is None:
            continue
        gain, error = _gain(crossed, tried, truth, weights, groups)
        remarks.append(f"{name} {'lowers' if gain >= 0 else 'raises'} it by {abs(gain):.2g} ± {error:.2g}")
        if gain > error:
            best, crossed = fit(probabilities, truth, weights), tried
    judgement = "; ".join(remarks) or "no way could be cross-fitted"
    reason = f"judged by the cross-fitted log-loss of {len(truth):,} predictions, {judgement}"
    if sampled is not None:  # the other rows were not fitted on, and so need no crossing
        crossed, fitted = best(everything), crossed
        crossed[sampled] = fitted
    return ChosenCalibration(best, reason, crossed)


def _sampled(groups: np.ndarray, seed: int) -> np.ndarray | None:
    """Return the places of whole groups of rows, about as many as are worth fitting on; None where all are."""
    if len(groups) <= MOST_ROWS:
        return None
    group = np.unique(groups, return_inverse=True)[1]
    order = Stream(seed, DEALING, 1).permutation(int(group.max()) + 1)
    taken = np.zeros(len(order), bool)
    taken[order[np.cumsum(np.bincount(group)[order]) <= MOST_ROWS]] = True
    return np.flatnonzero(taken[group]) if taken.any() else None


def deal_parts(rows: int, groups: np.ndarray | None, seed: int) -> np.ndarray:
    """Return the part of each row, `(rows,)`; rows of one group stay together.

    Example:
        >>> np.bincount(deal_parts(12, None, 0)).tolist()
        [3, 3, 2, 2, 2]
    """
    group = np.arange(rows) if groups is None else np.unique(groups, return_inverse=True)[1]
    order = Stream(seed, DEALING).permutation(int(group.max()) + 1)
    part = np.empty(len(order), np.int64)
    part[order] = np.arange(len(order)) % PARTS
    return np.asarray(part[group])


def cross_fitted(
    fit: Callable[..., Calibration],
    probabilities: np.ndarray,
    truth: np.ndarray,
    weights: np.ndarray | None,
    parts: np.ndarray,
) -> np.ndarray | None:
    """Return each part as calibrated by what the rows of the others say, `(rows, classes)`; None where none do."""
    out = np.empty_like(probabilities, np.float64)
    for part in np.unique(parts):
        inside = parts == part
        taken = None if weights is None else weights[~inside]
        if inside.all() or (taken is not None and not taken.sum() > 0):
            return None
        out[inside] = fit(probabilities[~inside], truth[~inside], taken)(probabilities[inside])
    return out


def _gain(
    before: np.ndarray, after: np.ndarray, truth: np.ndarray, weights: np.ndarray | None, groups: np.ndarray | None
) -> tuple[float, float]:
    """Return by how much the log-loss falls, and the standard error of that."""
    losses = [row_losses(Task.CLASSIFICATION, truth, p) for p in (before, after)]
    return mean_and_error(losses[0] - losses[1], weights, groups)


def mean_and_error(
    values: np.ndarray, weights: np.ndarray | None, groups: np.ndarray | None = None
) -> tuple[float, float]:
    """Return the weighted mean of values `(rows,)` and its standard error; rows of one group count as one.

    Example:
        >>> mean_and_error(np.array([1.0, 3.0]), None)
        (2.0, 1.0)
    """
    weights = np.ones(len(values)) if weights is None else np.asarray(weights, np.float64)
    shares = weights / weights.sum()
    mean = float(shares @ values)
    off = shares * (values - mean)
    sums = off if groups is None else np.bincount(np.unique(groups, return_inverse=True)[1], off)
    return mean, float(np.sqrt((sums**2).sum() * len(sums) / max(len(sums) - 1, 1)))


def disagreement(mean: np.ndarray, mean_entropy: np.ndarray) -> np.ndarray:
    """Return the part of the uncertainty that comes from disagreement between members, in nats, `(...,)`.

    The entropy of the mean less the mean entropy: the mutual information between class and member (Houlsby et al.,
    arXiv:1112.5745; Depeweg et al., ICML 2018). What is left, the mean entropy, is what the members agree on not
    knowing.

    Args:
        mean: `(..., classes)`, the mean over the members.
        mean_entropy: `(...,)`, the mean over the members of each one's entropy.
    """
    return np.asarray(np.maximum(entropy(mean) - mean_entropy, 0.0))


def entropy(probabilities: np.ndarray) -> np.ndarray:
    """Return `-sum p log p` over the classes, in nats.

    Example:
        >>> entropy(np.array([[0.5, 0.5], [1.0, 0.0]])).round(3).tolist()
        [0.693, 0.0]
    """
    return np.asarray(0.0 - (probabilities * np.log(np.maximum(probabilities, TINY))).sum(axis=-1))


def choose_scale(
    residuals: np.ndarray,
    stds: np.ndarray,
    weights: np.ndarray | None = None,
    groups: np.ndarray | None = None,
    seed: int = 0,
) -> np.ndarray:
    """Return the factor of the standard deviations of each target, `(targets,)`; 1 where it helps no more than noise.

    The factor `sqrt(mean of (residual / std)²)` is the one of the greatest normal likelihood. It is taken where its
    cross-fitted `log std + (residual / std)² / 2` is lower by more than one standard error.

    Args:
        residuals: `(rows, targets)` of rows that trained no weight.
        stds: `(rows, targets)`.
        weights: of the rows, any sign, or None.
        groups: `(rows,)` numbers of what stays in one part, or None.
        seed: names the random numbers that deal rows to parts.
    """
    factors = np.ones(residuals.shape[1])
    if (len(residuals) if groups is None else len(np.unique(groups))) < FEWEST:
        return factors
    parts = deal_parts(len(residuals), groups, seed)
    for k, pulls in enumerate((residuals / stds).T):
        crossed = np.empty(len(pulls))
        for part in np.unique(parts):
            crossed[parts == part] = _factor(pulls, weights, parts != part)
        gain = pulls**2 / 2 - pulls**2 / (2 * crossed**2) - np.log(crossed)
        mean, error = mean_and_error(gain, weights, groups)
        if mean > error:
            factors[k] = _factor(pulls, weights, np.ones(len(pulls), bool))
    return factors


def _factor(pulls: np.ndarray, weights: np.ndarray | None, rows: np.ndarray) -> float:
    taken = np.ones(int(rows.sum())) if weights is None else weights[rows]
    total = float(taken.sum())
    square = float(taken @ pulls[rows] ** 2) / total if total > 0 else 1.0
    return float(np.sqrt(square)) if square > 1e-12 else 1.0
