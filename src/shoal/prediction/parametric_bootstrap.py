"""The parametric bootstrap: the fit measured anew, so that replicas show how far a fit lands from its law."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from shoal.prediction.intrinsic_scatter import intrinsic_scatter, total_error
from shoal.training.problem import Problem


def about_the_fit(
    problem: Problem,
    fit: Callable[[Any], np.ndarray],
    weights: np.ndarray | None = None,
    errors: np.ndarray | None = None,
) -> Problem:
    """Return the problem whose replicas measure the fit anew, with errors as large as rows scatter about it.

    Redrawn about what was measured, targets would hold the error of the measurement twice, and refits would lie about
    the fit wherever that lies. Redrawn about the fit (the parametric bootstrap; Efron and Tibshirani 1993, section
    6.5), they also tell how far a fit lands from the law that it learns from, on average: its bias. Rows scatter by
    their errors and by the intrinsic scatter of the validation rows, which with folds comes out a little small, since
    the ensemble has learned from them.

    Args:
        problem: with `y_err` and `validation_y_err`, or with noise that is drawn.
        fit: what the ensemble says of prepared rows, in units of `problem.y`, `(rows, targets)`.
        weights: of the validation rows, or None.
        errors: standard errors of the validation rows in these units, `(rows, targets)`; None: those of the problem.
    """
    on_validation = fit(problem.validation_x)
    count = on_validation.shape[-1]
    residuals = problem.validation_y[..., :count] - on_validation
    if errors is None:
        assert problem.validation_y_err is not None
        errors = problem.validation_y_err[..., :count]
    scatter = [intrinsic_scatter(residuals[..., i], errors[..., i] ** 2, weights).value for i in range(count)]
    size = np.zeros(problem.y.shape[-1])
    size[:count] = scatter
    ones, validation_ones = np.ones_like(problem.y), np.ones_like(problem.validation_y)
    return replace(
        problem,
        y=_with_first(problem.y, fit(problem.x)),
        validation_y=_with_first(problem.validation_y, on_validation),
        y_err=np.asarray(total_error(problem.y_err, size * ones), np.float32),
        validation_y_err=np.asarray(total_error(problem.validation_y_err, size * validation_ones), np.float32),
    )


def _with_first(y: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Return targets with others in their place; what stands behind them, such as known errors, stays."""
    return np.concatenate([targets, y[..., targets.shape[-1] :]], axis=-1).astype(np.float32)
