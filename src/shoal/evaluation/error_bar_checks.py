"""What error bars are worth on the test rows: coverage, calibration before and after, rows outside the region."""

from __future__ import annotations

from typing import Any

import numpy as np

from shoal.evaluation.record import BeforeAfter, ErrorBars
from shoal.evaluation.verdict import paired_difference
from shoal.prediction.calibration import Calibration, calibration_error, entropy
from shoal.prediction.conformal import Conformal, coverage
from shoal.prediction.error_bars import CalibrationRecord, HeldOutProbabilities
from shoal.prediction.likelihood import negative_log_likelihood
from shoal.prediction.prediction import ClassPrediction, NumberPrediction, Prediction
from shoal.prediction.predictor import Predictor
from shoal.prediction.scored import Scored
from shoal.results import Interval, Task
from shoal.statistics.bootstrap import normal_quantile, with_intervals


def error_bars_record(
    predictor: Predictor,
    measured: CalibrationRecord,
    held: Scored,
    prediction: Prediction,
    test: Scored,
    outside: np.ndarray | None,
    groups: np.ndarray | None,
    seed: int,
) -> ErrorBars | None:
    """Return how error bars were made and what they are worth; None where nothing is known of them.

    Args:
        predictor: the ensemble with its error bars.
        measured: what calibrating it did.
        held: truth and weights of the rows that it was calibrated on.
        prediction: of the test rows.
        test: their truth and weights.
        outside: `(rows,)`, which of them lie outside the training region, or None.
        groups: `(entries,)`, to what the test entries belong, counted from 0; None where each stands for itself.
        seed: of resamples.
    """
    conformal = predictor.conformal
    if conformal is None:
        return None
    if test.present is not None:
        prediction = prediction.at(test.present)
    if isinstance(prediction, ClassPrediction):
        of_task = _of_classes(predictor.calibration, measured.probabilities, held, prediction, test, groups, seed)
    else:
        of_task = _of_numbers(predictor, conformal, prediction, test, groups, seed)
    region = predictor.region
    return ErrorBars(
        level=conformal.level,
        how=conformal.how,
        promised=conformal.promised,
        reason=measured.reason,
        outside=None if outside is None else coverage(outside, test.weights),
        outside_rows=0 if outside is None else int(outside.sum()),
        outside_rate=0.0 if region is None else region.rate,
        groups_known=len(conformal.by_group),
        **of_task,
    )


def _of_classes(
    calibration: Calibration,
    validation: HeldOutProbabilities | None,
    held: Scored,
    prediction: ClassPrediction,
    test: Scored,
    groups: np.ndarray | None,
    seed: int,
) -> dict[str, Any]:
    raw = prediction.averaged
    scores: dict[str, dict[str, BeforeAfter]] = {"calibration_error": {}, "log_loss": {}}
    parts = {} if validation is None else {"validation": (held, validation.before, validation.after)}
    parts["test"] = test, raw, prediction.probabilities
    for part, (scored, before, after) in parts.items():
        own = groups if part == "test" else scored.series
        both = [calibration_error(p, scored.truth, scored.weights, seed, own) for p in (before, after)]
        scores["calibration_error"][part] = BeforeAfter(*both)
        both = [_log_loss(p, scored, seed, own) for p in (before, after)]
        scores["log_loss"][part] = BeforeAfter(*both)
    size = None if prediction.sets is None else _mean(prediction.sets.sum(axis=1), test.weights)
    total = _mean(entropy(raw), test.weights)
    apart = _mean(prediction.disagreement, test.weights)
    return {
        "calibration": calibration.method,
        "parameters": (calibration.temperature,) if calibration.method == "temperature" else (),
        "scores": scores,
        "set_size": size,
        "disagreement": apart / total if total > 0 else None,
        "raw": raw,
    }


def _log_loss(probabilities: np.ndarray, scored: Scored, seed: int, groups: np.ndarray | None) -> Interval:
    truth, weights = scored.truth, scored.weights
    return with_intervals(Task.CLASSIFICATION, truth, probabilities, weights=weights, seed=seed, groups=groups)[
        "log_loss"
    ]


def _of_numbers(
    predictor: Predictor,
    conformal: Conformal,
    prediction: NumberPrediction,
    test: Scored,
    groups: np.ndarray | None,
    seed: int,
) -> dict[str, Any]:
    away = test.truth - prediction.mean
    off, own = np.abs(away), np.where(away < 0.0, prediction.std_below, prediction.std_above)
    scale = np.ones(off.shape[1]) if predictor.scale is None else predictor.scale
    before, after = [], []
    for level, quantile in zip(conformal.levels, conformal.curve, strict=True):
        before.append(coverage(off <= normal_quantile(level) * own / scale, test.weights, groups))
        after.append(coverage(off <= quantile * own, test.weights, groups))
    scaled = bool((scale != 1.0).any())
    distribution = prediction.mean, prediction.std, prediction.covariance
    losses = negative_log_likelihood(test.truth, *distribution, counts=predictor.head.counts)
    quantiles = () if prediction.quantiles is None else np.moveaxis(prediction.quantiles, -1, 0)
    shares = [coverage(test.truth <= quantile, test.weights, groups) for quantile in quantiles]
    return {
        "nll": paired_difference(np.zeros(len(losses)), losses, test.weights, seed=seed, groups=groups),
        "quantile_levels": prediction.levels if shares else (),
        "quantile_shares": tuple(shares),
        "calibration": "scaling" if scaled else "none",
        "parameters": tuple(float(factor) for factor in scale) if scaled else (),
        "levels": conformal.levels,
        "before": tuple(before),
        "after": tuple(after),
    }


def _mean(values: np.ndarray, weights: np.ndarray | None) -> float:
    return float(values.mean() if weights is None else np.average(values, weights=weights))
