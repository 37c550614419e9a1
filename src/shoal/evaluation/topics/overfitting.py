"""Whether the kept networks learned their training rows better than the world, and what to do about it.

Compared are the losses at each kept network's best epoch. The gap, validation minus training loss, is judged
against two things: the level of the loss itself, and how far the validation loss can be off by chance,
taken as 1.2 times the loss over the square root of the validation rows (the losses of single rows scatter
about as much as their mean).

* strong: the gap is more than half of the validation loss and more than twice the chance;
* mild: more than a tenth of it and more than the chance;
* none: less. Gaps below one hundredth of the loss at the start of training are never more than that: 0.0001
  against 0.001 is a tenfold ratio and no matter.
* not yet converged: no strong gap, and most kept networks were still improving when training ended.

Training loss is measured during the epoch, with dropout on and weights still moving, so it is a little too
high and the gap a little too small; losses evaluated afterwards can be given instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from shoal.evaluation.evaluation import Evaluation
from shoal.evaluation.record import Record
from shoal.evaluation.topics.base import Topic
from shoal.evaluation.topics.candidates import Candidates
from shoal.evaluation.topics.curves import Curves
from shoal.results import Interval, readable

MILD, STRONG = 0.1, 0.5
LATE = 0.05
"""A best epoch in the last 5 % of a network's training counts as at its end."""


@dataclass(frozen=True)
class Overfitting:
    """The verdict on overfitting.

    `kind` is "none", "mild", "strong", "not yet converged" or "unknown"; `gap` is the mean of validation
    minus training loss over the kept networks.
    """

    kind: str
    sentence: str
    advice: str
    gap: Interval
    train_loss: float = float("nan")
    validation_loss: float = float("nan")


def overfitting_verdict(
    train_curves: Any,
    validation_curves: Any,
    kept: Any,
    validation_rows: int,
    *,
    best_epoch: Any = None,
    train_loss: Any = None,
    validation_loss: Any = None,
    judged_on: str = "validation rows",
) -> Overfitting:
    """Judge the kept networks by their losses at their best epoch and by their curves.

    Args:
        train_curves: training loss `(networks, epochs)`, NaN after a network stopped.
        validation_curves: validation loss, of the same shape.
        kept: numbers of the kept networks (rows of the curves), or a mask `(networks,)`.
        validation_rows: number of validation rows.
        best_epoch: `(networks,)`, columns of the curves, from 0 (-1: none); None for the lowest loss.
        train_loss: `(networks,)` training losses at the best epoch, if better known than from the curves.
        validation_loss: the same for validation.
        judged_on: what the sentence calls the validation rows.

    Returns:
        Kind, sentence with the numbers, advice, and the gap with its interval over the networks.

    Example:
        >>> curve = np.array([[1.0, 0.5, 0.2, 0.1]])
        >>> overfitting_verdict(curve, [[1.0, 0.9, 0.8, 1.2]], [0], 100).kind
        'strong'
    """
    train, validation = _curves(train_curves), _curves(validation_curves)
    rows = np.arange(len(validation))[np.asarray(kept)] if np.size(kept) else np.empty(0, np.int64)
    if best_epoch is None:
        best_epoch = np.where(np.isnan(validation), np.inf, validation).argmin(axis=1)
    best = np.asarray(best_epoch, np.int64)
    at_train, at_validation = (
        _at_best(curve, best) if given is None else np.asarray(given, np.float64)
        for curve, given in ((train, train_loss), (validation, validation_loss))
    )
    rows = rows[np.isfinite(at_train[rows]) & np.isfinite(at_validation[rows])]
    if not len(rows):
        return Overfitting(
            "unknown",
            "Overfitting cannot be judged: no kept network has a finite loss.",
            "Look at the data and at the learning rates.",
            Interval(np.nan, np.nan, np.nan, "none"),
        )
    low, high = float(at_train[rows].mean()), float(at_validation[rows].mean())
    chance = 1.2 * abs(high) / np.sqrt(max(validation_rows, 1))
    gap = _gap(at_validation[rows] - at_train[rows], chance)
    start = _start(validation[rows])
    kind = _kind(gap.value, high, chance, start)
    unfinished = _still_improving(validation[rows], best[rows], start)
    if kind != "strong" and unfinished > len(rows) / 2:
        kind = "not yet converged"
    sentence = _sentence(kind, low, high, gap, len(rows), f"{validation_rows} {judged_on}", unfinished)
    rise = _rise(validation[rows], at_validation[rows]) if validation_loss is None else 0.0
    return Overfitting(kind, sentence + _rise_sentence(rise), _ADVICE[kind], gap, low, high)


def _curves(values: Any) -> np.ndarray:
    curves = np.atleast_2d(np.asarray(values, np.float64))
    return np.where(np.isfinite(curves), curves, np.nan)


def _at_best(curves: np.ndarray, best: np.ndarray) -> np.ndarray:
    """Return each network's loss at its best epoch."""
    column = np.clip(best, 0, curves.shape[1] - 1)
    return np.where(best >= 0, curves[np.arange(len(curves)), column], np.nan)


def _gap(gaps: np.ndarray, chance: float) -> Interval:
    """Return the mean gap with a t interval over networks; of one network, with the chance of its rows."""
    mean = float(gaps.mean())
    if len(gaps) == 1:
        return Interval(mean, mean - 1.96 * chance, mean + 1.96 * chance, "validation rows")
    from scipy.special import stdtrit

    half = float(stdtrit(len(gaps) - 1, 0.975) * gaps.std(ddof=1) / np.sqrt(len(gaps)))
    return Interval(mean, mean - half, mean + half, "t over networks")


def _start(curves: np.ndarray) -> float:
    """Return the typical validation loss of the first epoch, the measure of what a small loss is."""
    first = curves[:, 0][np.isfinite(curves[:, 0])]
    return float(np.abs(np.median(first))) if len(first) else 0.0


def _kind(gap: float, level: float, chance: float, start: float) -> str:
    if gap <= max(0.01 * start, 1e-12):
        return "none"
    if gap > STRONG * abs(level) and gap > 2 * chance:
        return "strong"
    return "mild" if gap > MILD * abs(level) and gap > chance else "none"


def _still_improving(curves: np.ndarray, best: np.ndarray, start: float) -> int:
    """Count networks whose best epoch is at the end of their training, and clearly below a little earlier."""
    count = 0
    for curve, column in zip(curves, best, strict=True):
        known = np.flatnonzero(np.isfinite(curve))
        if len(known) < 2:
            continue
        last = int(known[-1])
        window = max(1, round(0.1 * last))
        earlier = curve[max(0, last - 2 * window) : last - window + 1]
        falling = np.nanmean(earlier) - curve[last - window + 1 : last + 1].min() if len(earlier) else 0.0
        enough = max(0.01 * abs(curve[min(column, last)]), 0.001 * start)
        count += bool(column >= last - LATE * last and falling > enough)
    return count


def _rise(curves: np.ndarray, best: np.ndarray) -> float:
    """Return how much the validation loss of a typical network rose after its best epoch, as a share."""
    ends = np.array([curve[np.isfinite(curve)][-1] for curve in curves if np.isfinite(curve).any()])
    if len(ends) != len(best) or not (best > 0).all():
        return 0.0
    return float(np.median(ends / best - 1))


def _rise_sentence(rise: float) -> str:
    if not rise > 0.1:
        return ""
    return (
        " After its best epoch a typical network's validation loss rose again, by "
        f"{100 * rise:.0f} % until it stopped; the weights of the best epoch are the ones that are kept."
    )


def _sentence(kind: str, low: float, high: float, gap: Interval, networks: int, rows: str, unfinished: int) -> str:
    """Return the finding with its numbers."""
    who = "the kept network" if networks == 1 else f"the {networks} kept networks"
    mean = "the" if networks == 1 else "the mean"
    numbers = (
        f"at the best epoch of {who} {mean} loss is {readable(high)} on the {rows} and "
        f"{readable(low)} on the training rows (gap {readable(gap.value, 2)}, 95 % interval {readable(gap.low, 2)} to "
        f"{readable(gap.high, 2)})"
    )
    if kind == "strong":
        return f"Strong overfitting: {numbers}; training rows are known far better than new ones."
    if kind == "mild":
        return f"Mild overfitting: {numbers}."
    if kind == "none":
        return f"No sign of overfitting: {numbers}."
    count = "it was" if networks == 1 else f"{unfinished} of the {networks} kept networks were"
    return f"Not yet converged: {count} still improving when training ended; {numbers}."


_ADVICE = {
    "none": "Nothing needs to be done; larger networks may be worth a try.",
    "mild": "This is usual and needs no action; more rows, stronger L2 or some dropout would narrow the gap.",
    "strong": "In order of what helps most: more rows, stronger L2, dropout, smaller networks, fewer epochs "
    "or less patience. Trust the test scores, not the training scores.",
    "not yet converged": "Train longer (more epochs) or with a larger learning rate.",
}


def measure(evaluation: Evaluation) -> Overfitting:
    """Return the verdict on the losses of the kept networks."""
    curves, folds = evaluation[Curves], evaluation.fitted.folds
    return overfitting_verdict(
        curves.train_loss,
        curves.validation_loss,
        list(evaluation.fitted.kept),
        len(evaluation.fitted.split.validation) if folds is None else folds.judging,
        best_epoch=np.asarray([row.best_epoch - 1 for row in evaluation[Candidates].networks]),
        judged_on="validation rows" if folds is None else "rows that they did not learn from",
    )


def numbers(record: Record) -> dict[str, Any]:
    """Return the verdict in words."""
    overfitting = record[Overfitting]
    return {
        "verdict": {
            "overfitting": overfitting.kind,
            "overfitting_text": overfitting.sentence,
            "overfitting_advice": overfitting.advice,
        }
    }


TOPIC = Topic(80, Overfitting, measure, numbers, opens_test_rows=False)
