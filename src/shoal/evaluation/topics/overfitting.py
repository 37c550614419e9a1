"""Whether the kept weights know their training rows better than new ones, and what to do about it.

Compared is what the kept weights predict, with nothing dropped or augmented: the cost of training rows and that of
validation rows, the log-loss or the squared error in units of the target's variance (`row_costs`), each with its
bootstrap interval over rows. With folds each row is predicted by networks that learned from it, and by networks that
did not. The gap, validation minus training, is

* strong: more than half of the validation cost, and clear of a tenth of it;
* mild: more than a tenth of it, and clear of zero;
* none: less;
* unclear: not clear of zero, though by its interval it may be more than half of the cost: there are too few rows.

A gap below one hundredth of the cost of guessing is none: 0.0001 against 0.001 is a tenfold ratio and no matter.

The training loss of an epoch is not used here: it is measured with dropout on and weights still moving. What training
did before and after the kept epoch is told apart (`training`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from shoal.evaluation.evaluation import Evaluation
from shoal.evaluation.guessing import cost_name, difference
from shoal.evaluation.record import Record
from shoal.evaluation.topics.base import Topic
from shoal.evaluation.topics.training import TrainingVerdict
from shoal.results import Interval, readable

MILD, STRONG, NEGLIGIBLE = 0.1, 0.5, 0.01


@dataclass(frozen=True)
class Overfitting:
    """The verdict on the kept weights.

    `kind` is `none`, `mild`, `strong`, `unclear` or `unknown`; `gap` is the cost of validation rows minus that of
    training rows; `advice` is what to do, after what training did, too.
    """

    kind: str
    sentence: str
    advice: str
    gap: Interval
    train_loss: float = float("nan")
    validation_loss: float = float("nan")


def overfitting_verdict(
    train: Interval,
    validation: Interval,
    guessing: float,
    *,
    rows: str = "validation rows",
    taught: str = "the training rows",
    cost: str = "loss",
) -> Overfitting:
    """Judge kept weights by what training and validation rows cost.

    Args:
        train: mean cost of training rows with its interval.
        validation: that of validation rows.
        guessing: what validation rows cost who guesses.
        rows: what the sentence calls the validation rows, with their number.
        taught: what it calls the training rows.
        cost: what it calls the cost.

    Example:
        >>> overfitting_verdict(Interval(0.1, 0.08, 0.12), Interval(0.5, 0.4, 0.6), 1.1).kind
        'strong'
    """
    gap = difference(validation, train)
    if not np.isfinite(gap.value):
        text = "Whether the kept weights are overfitted cannot be told: their loss is not a finite number."
        return Overfitting("unknown", text, "Look at the data and at the learning rates.", gap)
    known = bool(np.isfinite([gap.low, gap.high]).all())  # a few windows that overlap have no interval
    kind = _kind(gap, validation.value, guessing) if known else "unclear"
    interval = f"95 % interval {readable(gap.low, 2)} to {readable(gap.high, 2)}" if known else "without an interval"
    numbers = (
        f"their {cost} is {readable(validation.value)} on the {rows} and {readable(train.value)} on {taught} "
        f"(gap {readable(gap.value, 2)}, {interval})"
    )
    return Overfitting(kind, _SENTENCES[kind].format(numbers), _ADVICE[kind], gap, train.value, validation.value)


def _kind(gap: Interval, level: float, guessing: float) -> str:
    if gap.value > max(STRONG * level, NEGLIGIBLE * guessing) and gap.low > MILD * level:
        return "strong"
    if gap.value > max(MILD * level, NEGLIGIBLE * guessing) and gap.low > 0:
        return "mild"
    wide = gap.low <= 0 and gap.high > max(STRONG * level, 0.1 * guessing)
    return "unclear" if wide else "none"


_SENTENCES = {
    "strong": "The kept weights are strongly overfitted: {}; training rows are known far better than new ones.",
    "mild": "The kept weights are mildly overfitted: {}.",
    "none": "The kept weights show no sign of overfitting: {}.",
    "unclear": "These rows are too few to tell whether the kept weights are overfitted: {}.",
}
_ADVICE = {
    "strong": "In order of what helps most: more rows, stronger L2, dropout, smaller networks, fewer epochs "
    "or less patience. Trust the test scores, not the training scores.",
    "mild": "This is usual and needs no action; more rows, stronger L2 or some dropout would narrow the gap.",
    "none": "Against overfitting nothing needs to be done; larger networks may be worth a try.",
    "unclear": "More rows would tell whether the weights are overfitted.",
}


def advice_after(training: TrainingVerdict, overfitting: Overfitting) -> str:
    """Return what to do: against strongly overfitted weights first, else what training asks for.

    Example:
        >>> fine = overfitting_verdict(Interval(0.3, 0.2, 0.4), Interval(0.3, 0.2, 0.4), 1.1)
        >>> advice_after(TrainingVerdict("still improving", "", "Train longer."), fine)
        'Train longer.'
    """
    troubled = training.kind in ("not learned", "diverged", "unstable", "still improving")
    if overfitting.kind == "strong" and not troubled:
        return overfitting.advice
    return training.advice or overfitting.advice


def measure(evaluation: Evaluation) -> Overfitting:
    """Return the verdict on the kept weights."""
    (train, validation), asked = evaluation.costs, evaluation.asked
    unit = "row" if evaluation.fitted.dataset.step_targets is None else "step"
    rows = f"validation {unit}s" if evaluation.fitted.folds is None else f"{unit}s that they did not learn from"
    verdict = overfitting_verdict(
        train.mean,
        validation.mean,
        validation.mean_of_guess,
        rows=f"{len(validation.networks):,} {rows}",
        taught=f"{len(asked):,} of the training rows" if isinstance(asked, np.ndarray) else f"the training {unit}s",
        cost=cost_name(evaluation.task, evaluation.validation.rows.y),
    )
    return replace(verdict, advice=advice_after(evaluation[TrainingVerdict], verdict))


def numbers(record: Record) -> dict[str, Any]:
    """Return the verdict in words, and the gap."""
    overfitting = record[Overfitting]
    return {
        "verdict": {
            "overfitting": overfitting.kind,
            "overfitting_text": overfitting.sentence,
            "overfitting_advice": overfitting.advice,
            "gap": overfitting.gap.as_dict(),
        }
    }


TOPIC = Topic(80, Overfitting, measure, numbers, opens_test_rows=False)
