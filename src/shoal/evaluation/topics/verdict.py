"""The conclusions in plain sentences: whether anything was found, how good, whether better than simple methods, what
training did, and whether the kept weights are overfitted.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

from shoal.errors import counted
from shoal.evaluation.evaluation import Evaluation
from shoal.evaluation.record import Record, Scores
from shoal.evaluation.topics.base import Topic
from shoal.evaluation.topics.baselines import BaselineScores
from shoal.evaluation.topics.guessing import Guessing
from shoal.evaluation.topics.overfitting import Overfitting
from shoal.evaluation.topics.scores import PartScores
from shoal.evaluation.topics.training import TrainingVerdict
from shoal.results import Interval, Task, readable
from shoal.statistics.metric_choice import named_metric

USUAL = {
    Task.CLASSIFICATION: ("accuracy", "log_loss"),
    Task.REGRESSION: ("rmse", "r2"),
    Task.RECONSTRUCTION: ("explained_variance", "reconstruction_error"),
}
"""Scores of which the opening always tells."""


@dataclass(frozen=True)
class Verdict:
    """The conclusions in plain sentences: what the page opens with.

    `opening` says who predicts how well, and before that if nothing was found; `text` all of it, with the baselines,
    training and overfitting. `advice` is what to do.
    """

    opening: str
    text: str
    advice: str = ""


@dataclass(frozen=True)
class Sizes:
    """How many test `rows` there are (0 to leave it unsaid), networks in the ensemble (`kept`, 0 to leave it unsaid),
    networks `trained`, `targets`, `steps` in the test rows, where each has a target, and what a row is (`unit`);
    `error_unit` is what a reconstruction error counts in.
    """

    rows: int = 0
    kept: int = 0
    trained: int = 0
    targets: int = 1
    steps: int = 0
    error_unit: str = "in units of the inputs' variance"
    unit: str = "row"


def conclude(
    task: Task,
    scores: Scores,
    baselines: str,
    training: TrainingVerdict,
    overfitting: Overfitting,
    sizes: Sizes,
    guessing: Guessing | None = None,
) -> Verdict:
    """Return the text that opens the page: the score with its interval, the baselines, training and overfitting.

    Args:
        task: classification, regression or reconstruction.
        scores: of the test rows, by metric.
        baselines: the sentence on the baselines.
        training: what training did.
        overfitting: the verdict on the kept weights.
        sizes: of what is told.
        guessing: whether anything was found; that nothing was is said first, and decides what to do.
    """
    score, untouched = _score(Task(task), scores, sizes), f"untouched test {sizes.unit}"
    what = counted(sizes.rows, untouched) if sizes.rows else untouched + "s"
    if sizes.steps:
        what += f" with {counted(sizes.steps, 'step')}"
    elif sizes.rows == 1:
        score = score.replace("them", "it", 1)
    opening = f"{_who(sizes.kept, sizes.trained)}, scored on {what}, {score}."
    advice = overfitting.advice
    if guessing is not None and not guessing.better:
        opening, advice = f"{guessing.sentence} {opening}", guessing.advice
    parts = (opening, baselines, training.sentence, overfitting.sentence, advice)
    return Verdict(opening, " ".join(part for part in parts if part), advice)


def conclude_sealed(
    task: Task, scores: Scores, training: TrainingVerdict, overfitting: Overfitting, sizes: Sizes, judging: str
) -> Verdict:
    """Return the text that opens the page of a run whose test rows are sealed: the score on validation rows.

    Args:
        task: classification, regression or reconstruction.
        scores: of the validation rows, by metric.
        training: what training did.
        overfitting: the verdict on the kept weights.
        sizes: of what is told; `rows` counts the test rows.
        judging: the rows of `scores`, in words.
    """
    rows = counted(sizes.rows, f"test {sizes.unit}")
    opening = (
        f"{opening_on_validation(task, scores, sizes, judging)} The {rows} {'is' if sizes.rows == 1 else 'are'} "
        "sealed: nothing was predicted for them. `shoal open` opens them, once for all runs that are to be compared."
    )
    parts = (opening, training.sentence, overfitting.sentence, overfitting.advice)
    return Verdict(opening, " ".join(part for part in parts if part), overfitting.advice)


def opening_on_validation(task: Task, scores: Scores, sizes: Sizes, judging: str) -> str:
    """Return the score on the rows that chose the networks, which are called `judging`, and that it flatters."""
    did = "stopped and chose the networks" if sizes.trained > 1 else "stopped its training"
    return (
        f"{_who(sizes.kept, sizes.trained)}, scored on {judging}, {_score(Task(task), scores, sizes)}. These rows "
        f"{did}, so that such scores flatter."
    )


def _who(kept: int, trained: int) -> str:
    if not kept:
        return "The ensemble"
    if kept > 1:
        return f"The ensemble of {kept} of the {trained} trained networks"
    return f"The best of {trained} trained networks" if trained > 1 else "The network"


def _score(task: Task, scores: Scores, sizes: Sizes) -> str:
    """Return e.g. `predicts 97 % of them correctly (95 % interval 90 to 100 %)`, after a metric that comes first."""
    first, usual = next(iter(scores)), _usual_score(task, scores, sizes)
    if first in USUAL[task] or not math.isfinite(scores[first].value):
        return usual
    metric = named_metric(first)
    value = _with_interval(scores[first]) if metric is None or metric.bounded else readable(scores[first].value)
    return f"scores {value} in {metric.label if metric else first.replace('_', ' ')}, and {usual}"


def _usual_score(task: Task, scores: Scores, sizes: Sizes) -> str:
    if task is Task.CLASSIFICATION:
        right = scores["accuracy"]
        value, low, high = (readable(100 * x, _digits(x)) for x in (right.value, right.low, right.high))
        loss = scores["log_loss"]
        return (
            f"predicts {value} % of them correctly (95 % interval {low} to {high} %), with a log-loss of "
            f"{_with_interval(loss)}"
        )
    if task is Task.RECONSTRUCTION:
        share, error = (_with_interval(scores[name]) for name in ("explained_variance", "reconstruction_error"))
        return (
            f"reconstructs them with a mean squared error of {error} {sizes.error_unit}, and explains {share} of their "
            "variance"
        )
    r2, rmse = scores["r2"], scores["rmse"]
    share, error = f"R² of {_with_interval(r2)}", f"RMSE of {_with_interval(rmse)}"
    if sizes.targets > 1:
        return f"predicts the {sizes.targets} targets with a mean {share} and a mean {error}"
    known = f" and an {share}" if math.isfinite(r2.value) else ""  # one row has no variance to explain
    return f"predicts them with an {error}{known}"


def _with_interval(score: Interval) -> str:
    value, low, high = (readable(x, _digits(x)) for x in (score.value, score.low, score.high))
    if not math.isfinite(score.low) or not math.isfinite(score.high):
        return f"{value} (too few rows for an interval)"
    return f"{value} ({low} to {high})"


def _digits(share: float) -> int:
    """Return with how many digits a number is not rounded to 1."""
    return 1 - math.floor(math.log10(1.0 - share)) if 0.9995 <= share < 1.0 else 3


def measure(evaluation: Evaluation) -> Verdict:
    """Return the conclusions."""
    fitted, series = evaluation.fitted, None
    if not fitted.sealed.for_later:
        series = evaluation.test.entries.series
    sizes = Sizes(
        rows=len(fitted.sealed),
        kept=len(evaluation.scored.members),
        trained=len(fitted.members),
        targets=len(fitted.dataset.targets),
        steps=0 if series is None else len(series),
        unit=fitted.dataset.unit,
    )
    if (normalization := fitted.predictor.preparation.normalization) != "standard":
        sizes = replace(sizes, error_unit=f"of the inputs as they were scaled (normalization {normalization})")
    if fitted.sealed.for_later:
        kind = "validation" if fitted.folds is None else "out-of-fold"
        judging = counted(len(evaluation.validation.rows.x), f"{kind} {sizes.unit}")
        training, overfitting = evaluation[TrainingVerdict], evaluation[Overfitting]
        return conclude_sealed(evaluation.task, evaluation[PartScores].shown, training, overfitting, sizes, judging)
    return conclude(
        evaluation.task,
        evaluation[PartScores].test,
        evaluation[BaselineScores].sentence,
        evaluation[TrainingVerdict],
        evaluation[Overfitting],
        sizes,
        evaluation.record(Guessing),
    )


def numbers(record: Record) -> dict[str, Any]:
    """Return the text that the page opens with."""
    verdict = record[Verdict]
    return {"verdict": {"text": verdict.text, "advice": verdict.advice}}


TOPIC = Topic(90, Verdict, measure, numbers, of_sealed_run=True)
