"""Whether anything was found: whether the networks are better than who guesses without looking at the columns.

Who guesses always says the shares of the classes, or the mean, of the training rows; in a forecast also the last value,
if that is the better guess. The networks found something if their cost of the test rows lies below that by a
paired difference clear of zero: in log-loss or in accuracy, in squared or in absolute error.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from shoal.errors import counted
from shoal.evaluation.baselines.labels import label_of
from shoal.evaluation.evaluation import Evaluation
from shoal.evaluation.guessing import cost_name, row_costs, variances
from shoal.evaluation.paired import paired_difference
from shoal.evaluation.record import Record
from shoal.evaluation.topics.base import Topic
from shoal.evaluation.topics.baselines import BaselineScores
from shoal.evaluation.topics.training import SKILL, TrainingVerdict
from shoal.results import Interval, Task, in_number, readable
from shoal.statistics.weighted import weighted_mean

TRIVIAL = ("most_frequent", "mean", "persistence")


@dataclass(frozen=True)
class Guessing:
    """Whether the networks are better than who guesses.

    Attributes:
        better: whether they are, clearly; None where the rows are too few to tell.
        difference: cost of guessing minus cost of the networks, paired over the test rows.
        sentence: that nothing was found, or that it cannot be told; empty where something was.
        advice: what to do then.
    """

    better: bool | None
    difference: Interval
    sentence: str = ""
    advice: str = ""


def against_guessing(
    task: Task,
    truth: np.ndarray,
    networks: np.ndarray,
    others: Mapping[str, np.ndarray],
    training_advice: str = "",
    weights: np.ndarray | None = None,
    unit: str = "row",
    **drawing: Any,
) -> Guessing | None:
    """Compare networks with guessing on test rows; None where nobody guesses.

    Args:
        task: what is learned.
        truth: class numbers `(entries,)` or values `(entries, targets)`.
        networks: what they predict.
        others: name of a simple method to what it predicts, those that guess (`TRIVIAL`) among them.
        training_advice: what to do after what training did, if it went wrong.
        weights: of the entries, or None.
        unit: what an entry is.
        drawing: `seed`, `block` and `groups`, as for `paired_difference`.

    Example:
        >>> truth = np.arange(40) % 2
        >>> even = {"most_frequent": np.full((40, 2), 0.5)}
        >>> against_guessing(Task.CLASSIFICATION, truth, np.full((40, 2), 0.5), even).better
        False
    """
    variance = None if task is Task.CLASSIFICATION else variances(truth, weights)
    costs = {name: row_costs(task, truth, other, variance) for name, other in others.items()}
    means = {name: float(weighted_mean(cost, weights)) for name, cost in costs.items()}
    finite = [name for name in TRIVIAL if np.isfinite(means.get(name, np.nan))]
    if not finite:
        return None
    name = min(finite, key=lambda trivial: means[trivial])
    own = row_costs(task, truth, networks, variance)
    difference = paired_difference(own, costs[name], weights, **drawing)
    second, of_guess = (second_costs(task, truth, each) for each in (networks, others[name]))
    if difference.low > 0 or paired_difference(second, of_guess, weights, **drawing).low > 0:
        return Guessing(True, difference)
    methods = [method for method in means if method not in TRIVIAL and np.isfinite(means[method])]
    best = min(methods, key=lambda method: means[method], default=None)
    finder = None
    if best is not None and paired_difference(costs[best], costs[name], weights, **drawing).low > 0:
        finder = label_of(best)
    ours = float(weighted_mean(own, weights))
    better = None if difference.value > SKILL * means[name] > 0 else False
    text = _sentence(better, f"{counted(len(truth), f'test {unit}')} the networks", label_of(name), difference)
    numbers = f"{cost_name(task, truth)} {readable(ours, 4)} against {readable(means[name], 4)}"
    return Guessing(better, difference, text.format(numbers), _advice(better, finder, training_advice))


def second_costs(task: Task, truth: np.ndarray, prediction: np.ndarray) -> np.ndarray:
    """Return another cost of each row: whether its class is wrong, or its absolute error in units of the spread."""
    if task is Task.CLASSIFICATION:
        return (np.asarray(prediction).argmax(axis=1) != truth).astype(np.float64)
    spread = np.std(truth, axis=0)
    return np.asarray((np.abs(prediction - truth) / np.where(spread > 0, spread, 1.0)).mean(axis=1))


def _sentence(better: bool | None, who: str, label: str, difference: Interval) -> str:
    """Return the finding, with a place for the numbers."""
    gain = "({})."
    if np.isfinite([difference.low, difference.high]).all():
        low, high = readable(difference.low, 2), readable(difference.high, 2)
        gain = f"({{}}, gain {readable(difference.value, 2)}, 95 % interval {low} to {high})."
    if better is None:
        return (
            f"The test rows are too few to tell whether anything was found: on the {who} are ahead of {label}, but "
            f"within the uncertainty of these rows {gain}"
        )
    verdict = "clearly worse than" if difference.high < 0 else "not clearly better than"
    return f"Nothing was found: on the {who} are {verdict} {label} {gain}"


def _advice(better: bool | None, finder: str | None, training_advice: str) -> str:
    if finder is not None:
        more = training_advice or "Try a wider search, other networks or more epochs."
        return f"There is something to find: {finder} is clearly better than guessing. {more}"
    if training_advice:
        return training_advice
    if better is None:
        return "More rows would tell."
    return (
        "The columns may say nothing about the target, or the rows are too few to show it: other columns or more rows "
        "would help most."
    )


def measure(evaluation: Evaluation) -> Guessing | None:
    """Return whether the networks are better than who guesses."""
    training, entries = evaluation[TrainingVerdict], evaluation.test.entries
    troubled = training.kind in ("not learned", "diverged", "unstable", "still improving")
    guessing = against_guessing(
        evaluation.task,
        entries.truth,
        evaluation.test.guess,
        evaluation[BaselineScores].predicted,
        training.advice if troubled else "",
        entries.weights,
        evaluation.fitted.dataset.unit if entries.series is None else "step",
        **evaluation.drawing,
    )
    if guessing is None:
        return None
    return replace(guessing, sentence=in_number(guessing.sentence, len(evaluation.scored.members)))


def numbers(record: Record) -> dict[str, Any]:
    """Return whether something was found, and by how much the networks are better than guessing."""
    guessing = record[Guessing]
    return {
        "verdict": {
            "better_than_guessing": guessing.better,
            "gain_on_guessing": guessing.difference.as_dict(),
            "guessing_text": guessing.sentence,
        }
    }


TOPIC = Topic(70, Guessing, measure, numbers)
