"""What error bars are worth on the test rows: coverage, calibration before and after, rows outside the region."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from shoal.evaluation.evaluation import Evaluation
from shoal.evaluation.paired import paired_difference
from shoal.evaluation.record import Record
from shoal.evaluation.topics.base import Topic
from shoal.evaluation.topics.data import DataRecord
from shoal.evaluation.topics.predictions import PredictedTestRows
from shoal.prediction.calibration import entropy
from shoal.prediction.calibration_error import ECE, calibration_error
from shoal.prediction.conformal import Conformal, coverage
from shoal.prediction.distribution import distribution_of
from shoal.prediction.input_noise import InputNoise
from shoal.prediction.likelihood import negative_log_likelihood
from shoal.prediction.prediction import ClassPrediction, NumberPrediction
from shoal.prediction.scored import Scored
from shoal.results import Interval, Task
from shoal.statistics.bootstrap import normal_quantile, with_intervals
from shoal.statistics.weighted import weighted_mean


@dataclass(frozen=True)
class BeforeAfter:
    """A score before and after calibration."""

    before: Interval
    after: Interval


@dataclass(frozen=True)
class ErrorBars:
    """How error bars were made, and what they are worth on the test rows.

    Attributes:
        level: share of new values that intervals or sets are to hold.
        how: how intervals or sets were made, a clause.
        promised: whether there were rows enough to promise the level.
        calibration: `none`, `temperature` or `isotonic` for classes, `none` or `scaling` for numbers.
        parameters: T, or the factor of each target's standard deviation; empty where there are none.
        reason: why it was calibrated so, a sentence.
        scores: name of a score to part of the data to its value before and after: `calibration_error` and `log_loss` on
            `validation` (cross-fitted) and `test`.
        set_size: mean number of classes in a set.
        disagreement: share of the mean entropy of the test rows that comes from disagreement between members.
        levels, before, after: of numbers, other levels and the coverage on the test rows of normal intervals from
            uncalibrated standard deviations, and of conformal intervals.
        raw: `(entries, classes)` probabilities of the test rows before calibration.
        nll: mean negative log-likelihood of the test rows in the units of the targets, of all targets of a row
            together: of the normal distribution with the predicted mean and standard deviation (or covariance), of
            counts that of Poisson's.
        crps: of each target, the mean continuous ranked probability score of the test rows, in its unit.
        pit: of each target, the probabilities that the predicted distribution gave to smaller values than the test
            values, `(entries, targets)`; None of classes and counts, as `crps` is empty.
        quantile_levels, quantile_shares: of networks that predict quantiles, the share of the test values below each.
        outside: share of the test rows that lie outside the training region, and how many.
        outside_rows: their number.
        outside_rate: the share expected of rows like those of training.
        groups_known: groups with intervals of their own.
        input_noise: how much the errors of features count, where they have any.
        class_weight: how much each class counted in training, and does in `scores`, by name; empty where all alike.
    """

    level: float
    how: str
    promised: bool
    calibration: str
    parameters: tuple[float, ...]
    reason: str
    scores: dict[str, dict[str, BeforeAfter]] = field(default_factory=dict)
    set_size: float | None = None
    disagreement: float | None = None
    levels: tuple[float, ...] = ()
    before: tuple[Interval, ...] = ()
    after: tuple[Interval, ...] = ()
    raw: np.ndarray | None = None
    nll: Interval | None = None
    crps: dict[str, Interval] = field(default_factory=dict)
    pit: np.ndarray | None = None
    quantile_levels: tuple[float, ...] = ()
    quantile_shares: tuple[Interval, ...] = ()
    outside: Interval | None = None
    outside_rows: int = 0
    outside_rate: float = 0.0
    groups_known: int = 0
    input_noise: InputNoise | None = None
    class_weight: dict[str, float] = field(default_factory=dict)


def level_of(record: Record) -> float:
    """Return the share of new values that intervals of a run are to hold."""
    bars = record.get(ErrorBars)
    return 0.95 if bars is None else bars.level


def measure(evaluation: Evaluation) -> ErrorBars | None:
    """Return how error bars were made and what they are worth; None of a reconstruction, or where nothing is known."""
    predictor, test = evaluation.fitted.predictor, evaluation.test
    conformal, region = predictor.conformal, predictor.region
    if evaluation.task is Task.RECONSTRUCTION or conformal is None:
        return None
    present = test.entries.present
    prediction = test.prediction if present is None else test.prediction.at(present)
    if isinstance(prediction, ClassPrediction):
        of_task = _of_classes(evaluation, prediction)
    else:
        of_task = _of_numbers(evaluation, conformal, prediction) | _of_distribution(evaluation, prediction)
    outside = None if region is None else region.outside(test.x)
    of_rows = test.entries.groups if present is None else None
    return ErrorBars(
        level=conformal.level,
        how=conformal.how,
        promised=conformal.promised,
        reason=evaluation.fitted.calibrated.reason,
        outside=None if outside is None else coverage(outside, test.weights, of_rows),
        outside_rows=0 if outside is None else int(outside.sum()),
        outside_rate=0.0 if region is None else region.rate,
        groups_known=len(conformal.by_group),
        input_noise=predictor.input_noise,
        **of_task,
    )


def _of_classes(evaluation: Evaluation, prediction: ClassPrediction) -> dict[str, Any]:
    rows, test, raw = evaluation.validation.rows, evaluation.test.entries, prediction.averaged
    calibration, held_out = evaluation.fitted.predictor.calibration, evaluation.fitted.calibrated.probabilities
    scores: dict[str, dict[str, BeforeAfter]] = {"calibration_error": {}, "log_loss": {}}
    class_weight = evaluation.fitted.class_weight
    parts = {"test": (test, raw, prediction.probabilities)}
    if held_out is not None:
        parts = {"validation": (rows.scored(evaluation.task), held_out.before, held_out.after), **parts}
    for part, (scored, before, after) in parts.items():
        scored = scored if class_weight is None else scored.weighed_by_class(class_weight)
        known = scored.truth, scored.weights, evaluation.seed, scored.groups
        both = [calibration_error(p, *known) for p in (before, after)]
        scores["calibration_error"][part] = BeforeAfter(*both)
        both = [_log_loss(p, scored, evaluation.seed) for p in (before, after)]
        scores["log_loss"][part] = BeforeAfter(*both)
    size = None if prediction.sets is None else float(weighted_mean(prediction.sets.sum(axis=1), test.weights))
    total = float(weighted_mean(entropy(raw), test.weights))
    apart = float(weighted_mean(prediction.disagreement, test.weights))
    return {
        "calibration": calibration.method,
        "parameters": (calibration.temperature,) if calibration.method == "temperature" else (),
        "scores": scores,
        "set_size": size,
        "disagreement": apart / total if total > 0 else None,
        "raw": raw,
        "class_weight": {}
        if class_weight is None
        else dict(zip(evaluation.fitted.dataset.classes, class_weight.tolist(), strict=True)),
    }


def _log_loss(probabilities: np.ndarray, scored: Scored, seed: int) -> Interval:
    truth, weights = scored.truth, scored.weights
    drawing: dict[str, Any] = {"weights": weights, "seed": seed, "groups": scored.groups}
    return with_intervals(Task.CLASSIFICATION, truth, probabilities, only=("log_loss",), **drawing)["log_loss"]


def _of_numbers(evaluation: Evaluation, conformal: Conformal, prediction: NumberPrediction) -> dict[str, Any]:
    predictor, test = evaluation.fitted.predictor, evaluation.test.entries
    groups = test.groups
    away = test.truth - prediction.mean
    off, std = np.abs(away), np.where(away < 0.0, prediction.std_below, prediction.std_above)
    scale = np.ones(off.shape[1]) if predictor.scale is None else predictor.scale
    before, after = [], []
    for level, quantile in zip(conformal.levels, conformal.curve, strict=True):
        before.append(coverage(off <= normal_quantile(level) * std / scale, test.weights, groups))
        after.append(coverage(off <= quantile * std, test.weights, groups))
    scaled = bool((scale != 1.0).any())
    distribution = prediction.mean, prediction.std, prediction.covariance
    losses = negative_log_likelihood(test.truth, *distribution, counts=predictor.head.counts)
    quantiles = () if prediction.quantiles is None else np.moveaxis(prediction.quantiles, -1, 0)
    shares = [coverage(test.truth <= quantile, test.weights, groups) for quantile in quantiles]
    return {
        "nll": paired_difference(np.zeros(len(losses)), losses, test.weights, seed=evaluation.seed, groups=groups),
        "quantile_levels": prediction.levels if shares else (),
        "quantile_shares": tuple(shares),
        "calibration": "scaling" if scaled else "none",
        "parameters": tuple(float(factor) for factor in scale) if scaled else (),
        "levels": conformal.levels,
        "before": tuple(before),
        "after": tuple(after),
    }


def _of_distribution(evaluation: Evaluation, prediction: NumberPrediction) -> dict[str, Any]:
    """Return CRPS and PIT of the test rows, or nothing of counts, which have no density."""
    predictor, test = evaluation.fitted.predictor, evaluation.test
    if predictor.head.counts:
        return {}
    entries, whole = test.entries, test.prediction
    assert isinstance(whole, NumberPrediction)
    law = distribution_of(predictor, test.x, whole)
    law = law if entries.present is None else law.at(entries.present)
    scores = law.crps(entries.truth)
    drawing: dict[str, Any] = {"seed": evaluation.seed, "groups": entries.groups}
    of_targets = [paired_difference(np.zeros(len(each)), each, entries.weights, **drawing) for each in scores.T]
    return {"crps": dict(zip(prediction.targets, of_targets, strict=True)), "pit": law.cdf(entries.truth)}


def numbers(record: Record) -> dict[str, Any]:
    """Return how intervals and sets were made, the calibration, and what lies outside the region."""
    bars = record[ErrorBars]
    document: dict[str, Any] = {"calibration": _calibration_numbers(bars)}
    if record[PredictedTestRows].coverage is not None:
        made = {"level": bars.level, "made": bars.how, "promised": bars.promised}
        document["coverage"] = made if bars.set_size is None else {**made, "mean_classes_in_a_set": bars.set_size}
    if bars.class_weight:
        document["calibration"]["class_weight"] = bars.class_weight
    if bars.nll is not None:
        document["negative_log_likelihood"] = bars.nll.as_dict()
    if bars.crps:
        document["crps"] = {target: score.as_dict() for target, score in bars.crps.items()}
    if bars.input_noise is not None:
        document["input_errors"] = _by_target(record, bars.input_noise)
    if bars.quantile_levels:
        pairs = zip(bars.quantile_levels, bars.quantile_shares, strict=True)
        document["quantiles"] = [{"level": level, "below": share.as_dict()} for level, share in pairs]
    if bars.outside is not None:
        region = {"rate": bars.outside_rate, "rows": bars.outside_rows, "test": bars.outside.as_dict()}
        document["outside"] = region
    return document


def _by_target(record: Record, noise: InputNoise) -> dict[str, dict[str, float]]:
    """Return how much the errors of features count in that of each target."""
    shares = zip(record[DataRecord].targets, noise.typical, noise.share, noise.learned_share, strict=True)
    names = ("typical_input_spread", "share", "learned_share")
    return {target: dict(zip(names, values, strict=True)) for target, *values in shares}


def _calibration_numbers(bars: ErrorBars) -> dict[str, Any]:
    """Return how predictions were calibrated, and the scores before and after."""
    document: dict[str, Any] = {"method": bars.calibration, "parameters": list(bars.parameters), "reason": bars.reason}
    for score, parts in bars.scores.items():
        document[score] = {
            part: {"before": both.before.as_dict(), "after": both.after.as_dict()} for part, both in parts.items()
        }
    if bars.scores:
        document["definition"] = ECE
    if bars.disagreement is not None:
        document["share_of_disagreement"] = bars.disagreement
    if bars.levels:
        document["coverage_by_level"] = [
            {"level": level, "before": before.as_dict(), "after": after.as_dict()}
            for level, before, after in zip(bars.levels, bars.before, bars.after, strict=True)
        ]
    return document


TOPIC = Topic(140, ErrorBars, measure, numbers)
