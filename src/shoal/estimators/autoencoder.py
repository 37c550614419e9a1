"""The autoencoder: a transformer to few numbers, which also tells unusual rows."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.base import ClassNamePrefixFeaturesOutMixin, OutlierMixin, TransformerMixin

from shoal.estimators.base import ShoalEstimator, checked_weights
from shoal.estimators.parameters import documented, initializer
from shoal.estimators.rows import features_of
from shoal.networks.bottleneck import code_size
from shoal.prediction.autoencoder import anomaly_scores, check_reconstructs, codes
from shoal.results import Task


class ShoalAutoencoder(ClassNamePrefixFeaturesOutMixin, TransformerMixin, OutlierMixin, ShoalEstimator):
    """Compress rows to a few numbers, and tell unusual rows, by autoencoders as `shoal.fit` trains and chooses them.

    `transform` gives the codes of rows in the best network. `score_samples` is minus the mean squared error of the
    reconstruction, in units of the scatter of the features, the mean over the networks; `predict` calls a row an
    anomaly, -1, where that error is larger than usual rows have, and 1 otherwise. Of new rows like those of the fit a
    share `false_alarm_rate` at most is called so, as validation rows tell.

    Parameters are those of `shoal.fit` under the same names and with the same defaults, but `random_state` for `seed`.

    Args:
        parameters: of `shoal.fit`.

    Attributes:
        n_features_in_, feature_names_in_: as everywhere in scikit-learn.
        offset_: `decision_function` is `score_samples` minus this, and negative for anomalies.
        verdict_: how good the best network is on validation rows, which flatter, and what training did.
        predictors_: the ensemble with its preparation, alone in a tuple.

    Example:
        >>> import shoal
        >>> from sklearn.datasets import load_iris
        >>> X, _ = load_iris(return_X_y=True)
        >>> model = shoal.ShoalAutoencoder(networks=1, bottleneck=2, epochs=2).fit(X)
        >>> model.transform(X).shape, model.predict(X).shape
        ((150, 2), (150,))
    """

    _task = Task.RECONSTRUCTION
    __init__ = initializer(Task.RECONSTRUCTION)
    offset_: float

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None, groups: Any = None, time: Any = None) -> Self:  # noqa: ARG002
        """Fit on rows; rows of weight k are the same as k equal rows.

        Args:
            X: `(rows, features)` data frame (pandas, polars, pyarrow) or array.
            y: not used.
            sample_weight: `(rows,)` weights of any sign.
            groups: `(rows,)`; rows with the same value stay on one side of the split.
            time: `(rows,)` numbers or dates; the latest rows validate.

        Raises:
            ValueError: data or parameters that cannot be used.
            TypeError: sparse data, or values of other types.
        """
        features = features_of(self, X, reset=True)
        if features.width == 1 and features.dtypes[0].is_numeric():
            raise ValueError("X has 1 feature(s) of numbers; an autoencoder needs 2 at least, since no code is shorter")
        self._fit(features, (), checked_weights(sample_weight, features), groups=groups, time=time)
        self.offset_ = -check_reconstructs(self.predictors_[0]).threshold
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Return the codes of rows, `(rows, bottleneck)`."""
        ((predictor, x),) = self._prepared(X)
        return codes(predictor, x)

    def score_samples(self, X: Any) -> np.ndarray:
        """Return how usual rows are, `(rows,)`: minus the mean squared error of their reconstruction."""
        ((predictor, x),) = self._prepared(X)
        return -anomaly_scores(predictor, x)

    def decision_function(self, X: Any) -> np.ndarray:
        """Return `score_samples - offset_`, `(rows,)`, negative for anomalies."""
        return np.asarray(self.score_samples(X) - self.offset_)

    def predict(self, X: Any) -> np.ndarray:
        """Return -1 for anomalies and 1 for usual rows, `(rows,)`."""
        return np.where(self.decision_function(X) < 0.0, -1, 1)

    @property
    def _n_features_out(self) -> int:
        return code_size(self.predictors_[0].members[0].network.layers) or 0


ShoalAutoencoder.__doc__ = documented(ShoalAutoencoder.__doc__, Task.RECONSTRUCTION)
