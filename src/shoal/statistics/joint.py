"""Scores of several targets of classes together, as of the labels of scikit-learn's multilabel metrics.

Truth and prediction are class numbers `(rows, targets)`. The subset accuracy is the share of rows of which all targets
are right, the Hamming loss the share of wrong targets. Of labels that say no (0) or yes (1), precision, recall and F1
are those of yes: `macro` is the mean over the labels, `micro` counts the rows of all labels together. A label for which
one of them is not defined is left out of its mean, where scikit-learn counts it as zero.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from shoal.results import Interval
from shoal.statistics.bootstrap import FEWEST, percentiles, resampled_weights, resamples_for, widened_percentile, wilson
from shoal.statistics.weighted import effective_number

Values = dict[str, np.ndarray]


def joint_metrics(truth: np.ndarray, predicted: np.ndarray, weights: Any = None, *, labels: bool = False) -> Values:
    """Return each score, `()`, or `(resamples,)` for weights `(resamples, rows)`; F1 of each label has an axis more.

    Example:
        >>> truth, predicted = np.array([[0, 1], [1, 1]]), np.array([[0, 1], [0, 1]])
        >>> {name: float(value) for name, value in joint_metrics(truth, predicted).items()}
        {'subset_accuracy': 0.5, 'hamming_loss': 0.25}
    """
    weights = np.ones(len(truth)) if weights is None else np.asarray(weights, np.float64)
    right = truth == predicted
    with np.errstate(invalid="ignore", divide="ignore"):
        total = weights.sum(axis=-1)
        scores = {
            "subset_accuracy": weights @ right.all(axis=1).astype(np.float64) / total,
            "hamming_loss": weights @ (1.0 - right.mean(axis=1)) / total,
        }
        return scores | (_of_labels(truth, predicted, weights) if labels else {})


def _of_labels(truth: np.ndarray, predicted: np.ndarray, weights: np.ndarray) -> Values:
    hits, called, are = (weights @ each.astype(np.float64) for each in (truth * predicted, predicted, truth))
    scores = {}
    for name, above, below in (("precision", hits, called), ("recall", hits, are), ("f1", 2.0 * hits, called + are)):
        each = above / below
        known = np.isfinite(each)
        scores[f"{name}_macro"] = np.where(known, each, 0.0).sum(axis=-1) / known.sum(axis=-1)
        scores[f"{name}_micro"] = above.sum(axis=-1) / below.sum(axis=-1)
        if name == "f1":
            scores["f1"] = each
    return scores


def joint_intervals(
    truth: np.ndarray,
    predicted: np.ndarray,
    weights: np.ndarray | None = None,
    *,
    labels: bool = False,
    seed: int = 0,
    groups: np.ndarray | None = None,
) -> tuple[dict[str, Interval], list[Interval]]:
    """Return each score with its 95 % interval by the bootstrap of the rows, and F1 of each label (or nothing).

    Where all resamples agree (every row is right, or none), the interval is Wilson's. Rows of one of the `groups`,
    `(rows,)` counted from 0, are drawn together, as by `with_intervals`.
    """
    values = joint_metrics(truth, predicted, weights, labels=labels)
    drawn = [
        joint_metrics(truth, predicted, chunk, labels=labels)
        for chunk in resampled_weights(len(truth), weights, resamples_for(len(truth)), seed, groups=groups)
    ]
    resampled = {name: np.concatenate([chunk[name] for chunk in drawn]) for name in values}
    ones = np.ones(len(truth)) if weights is None else weights
    units = effective_number(ones if groups is None else np.bincount(groups, ones))
    of_labels = values.pop("f1", np.empty(0))
    grouped = groups is not None
    scores = {name: _interval(float(value), resampled[name], units, grouped) for name, value in values.items()}
    each = [_interval(float(value), resampled["f1"][:, i], units, grouped) for i, value in enumerate(of_labels)]
    return scores, each


def _interval(value: float, drawn: np.ndarray, units: float, grouped: bool) -> Interval:
    low, high = percentiles(drawn)
    if value in (0.0, 1.0) and not high - low > 1e-12:
        return Interval(value, *wilson(value, units), "wilson")
    method = "bootstrap"
    if grouped:
        method = "cluster bootstrap"
        if units < FEWEST:
            return Interval(value, float("nan"), float("nan"), method)
        low, high = (widened_percentile(drawn, level, units) for level in (0.025, 0.975))
    return Interval(value, min(max(low, 0.0), value), max(min(high, 1.0), value), method)
