"""What the measured errors of the targets turned out to be, gathered for the record."""

from __future__ import annotations

import numpy as np

from shoal.evaluation.pulls.chi_square import ChiSquare, MeasuredRecord, ReplicaCount, chi_square, errors_sentence
from shoal.prediction.correlated_errors import LearnedErrors
from shoal.prediction.intrinsic_scatter import error_of_fit, total_error
from shoal.prediction.prediction import NumberPrediction
from shoal.prediction.predictor import Predictor
from shoal.training.heads import VALUE


def of_targets(
    prediction: NumberPrediction,
    truth: np.ndarray,
    sigma: np.ndarray,
    weights: np.ndarray | None,
    covariance: np.ndarray | None = None,
    learned: LearnedErrors | None = None,
) -> dict[str, ChiSquare]:
    """Return chi-square and pulls of each target on rows that trained no weight, by their covariance if it is known."""
    residuals, fit = truth - prediction.mean, error_of_fit(prediction) if learned is None else prediction.spread
    sigma = total_error(sigma, prediction.input_spread)  # the effective variance (Orear, Am. J. Phys. 50, 912, 1982)
    return {
        name: chi_square(residuals[:, i], sigma[:, i], weights, fit[:, i], covariance, learned)
        for i, name in enumerate(prediction.targets)
    }


def measured_record(
    predictor: Predictor,
    test: dict[str, ChiSquare],
    validation: dict[str, ChiSquare],
    draws: int | None,
    covariance: str | None = None,
) -> MeasuredRecord:
    """Return what there is to say of the measured errors.

    Args:
        predictor: that knows them.
        test: chi-square of each target on the test rows.
        validation: the same on the validation rows.
        draws: how many of the target errors were asked for; None: no replicas.
        covariance: the file of the covariance of the errors, or None.
    """
    assert predictor.measured is not None
    scatter = dict(zip(test, predictor.measured.scatter, strict=True))
    text = " ".join(errors_sentence(name, found, scatter[name]) for name, found in test.items())
    if any(found.low > 0.0 for found in scatter.values()):
        text += (
            " Fit with scatter=constant, so that rows count with 1 / (σ² + s²) in training, too."
            if predictor.head == VALUE
            else " The networks have learned a scatter beside the errors, and predictions count it."
        )
    counts = None
    if draws is not None:
        trained, used = draws * len(predictor.members), {replica.draw for replica in predictor.replicas}
        counts = ReplicaCount(draws, len(used), trained, trained - len(predictor.replicas))
    parts = {"test": test, "validation": validation}
    if covariance is not None:
        text += f" The pulls are decorrelated by the covariance of the errors in {covariance}."
    return MeasuredRecord(predictor.measured.columns, parts, scatter, text, counts, covariance)
