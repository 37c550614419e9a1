"""The regressor."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils.validation import check_consistent_length

from shoal.estimators.base import ShoalEstimator, check_y_given, checked_weights
from shoal.estimators.parameters import documented, initializer
from shoal.estimators.rows import checked_errors, checked_numbers, features_of
from shoal.prediction.prediction import NumberPrediction
from shoal.results import Task


class ShoalRegressor(RegressorMixin, ShoalEstimator):
    """Predict numbers with error bars by an ensemble of small networks, as `shoal.fit` trains and chooses it.

    A share `validation_size` of the rows (or each fold of `folds`) stops and chooses networks and measures error bars
    and intervals; no row is kept for a test, no file is written, and no simple methods are fitted beside. Numbers may
    be missing (NaN, null); columns of data frames may hold text, truth values and dates as well.

    Parameters are those of `shoal.fit` under the same names and with the same defaults, but `random_state` for `seed`
    and `folds` for `cv`.

    Args:
        parameters: of `shoal.fit`.

    Attributes:
        n_features_in_, feature_names_in_: as everywhere in scikit-learn.
        verdict_: how good the ensemble is on validation rows, which flatter, and what training did.
        predictors_: the ensemble with its preparation, alone in a tuple.

    Example:
        >>> import shoal
        >>> from sklearn.datasets import load_diabetes
        >>> X, y = load_diabetes(return_X_y=True)
        >>> model = shoal.ShoalRegressor(networks=2, hidden=(4,), epochs=2).fit(X, y)
        >>> mean, std = model.predict(X, return_std=True)
        >>> low, high = model.predict_interval(X)
        >>> mean.shape, bool((low < mean).all()), bool((std > 0).all())
        ((442,), True, True)
    """

    _task = Task.REGRESSION
    __init__ = initializer(Task.REGRESSION)

    def fit(
        self, X: Any, y: Any, sample_weight: Any = None, groups: Any = None, time: Any = None, y_err: Any = None
    ) -> Self:
        """Fit on rows with known targets; rows of weight k are the same as k equal rows.

        Args:
            X: `(rows, features)` data frame (pandas, polars, pyarrow) or array.
            y: `(rows,)` or `(rows, targets)` numbers.
            sample_weight: `(rows,)` weights of any sign.
            groups: `(rows,)`; rows with the same value stay on one side of the split.
            time: `(rows,)` numbers or dates; the latest rows validate.
            y_err: standard errors of y, in its shape.

        Raises:
            ValueError: data or parameters that cannot be used.
            TypeError: sparse data, or values of other types.
        """
        check_y_given(self, y)
        features = features_of(self, X, reset=True)
        values = checked_numbers(y, "y", self)
        check_consistent_length(features, values)
        errors = None if y_err is None else checked_errors(y_err, values.shape, self)
        self._fit(features, values.T, checked_weights(sample_weight, features), groups=groups, time=time, y_err=errors)
        return self

    def predict(self, X: Any, return_std: bool = False) -> np.ndarray | tuple[np.ndarray, np.ndarray]:
        """Return the mean over the networks, `(rows,)` or `(rows, targets)`.

        Args:
            X: rows as in the fit.
            return_std: also return the standard deviation of new values about it, in the same shape.
        """
        prediction = self._prediction(X)
        mean = self._shaped(prediction.mean)
        return (mean, self._shaped(prediction.std)) if return_std else mean

    def predict_interval(self, X: Any) -> tuple[np.ndarray, np.ndarray]:
        """Return both ends of the interval that holds new values with share `coverage`, each shaped as `predict`."""
        prediction = self._prediction(X)
        return self._shaped(prediction.low), self._shaped(prediction.high)

    def _prediction(self, X: Any) -> NumberPrediction:
        ((predictor, x),) = self._prepared(X)
        return predictor.predict_numbers(x)

    @staticmethod
    def _shaped(values: np.ndarray) -> np.ndarray:
        return values[:, 0] if values.shape[1] == 1 else values

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags


ShoalRegressor.__doc__ = documented(ShoalRegressor.__doc__, Task.REGRESSION)
