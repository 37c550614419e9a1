"""The classifier."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_array, check_consistent_length, column_or_1d

from shoal.data.labels import label_names
from shoal.errors import listing
from shoal.estimators.base import ShoalEstimator, check_y_given, checked_weights
from shoal.estimators.parameters import documented, initializer
from shoal.estimators.rows import features_of
from shoal.prediction.prediction import ClassPrediction
from shoal.results import Task

PLAIN = {str, int, float, bool}


class ShoalClassifier(ClassifierMixin, ShoalEstimator):
    """Classify rows by an ensemble of small networks, as `shoal.fit` trains, chooses and calibrates it.

    A share `validation_size` of the rows (or each fold of `folds`) stops and chooses networks, calibrates probabilities
    and measures the sets; no row is kept for a test, no file is written, and no simple methods are fitted beside.
    Numbers may be missing (NaN, null); columns of data frames may hold text, truth values and dates as well.

    Parameters are those of `shoal.fit` under the same names and with the same defaults, but `random_state` for `seed`
    and `folds` for `cv`.

    Args:
        parameters: of `shoal.fit`.

    Attributes:
        classes_: the labels, `(classes,)`, as they came; a list of these for several targets, and for several labels of
            0 and 1 their numbers, as in `MLPClassifier`.
        n_features_in_, feature_names_in_: as everywhere in scikit-learn.
        verdict_: how good the ensemble is on validation rows, which flatter, and what training did.
        predictors_: the ensemble with its preparation; one for each of several targets.

    Example:
        >>> import shoal
        >>> from sklearn.datasets import load_iris
        >>> X, y = load_iris(return_X_y=True)
        >>> model = shoal.ShoalClassifier(networks=2, hidden=(4,), epochs=2).fit(X, y)
        >>> model.predict_proba(X).shape
        (150, 3)
    """

    _task = Task.CLASSIFICATION
    __init__ = initializer(Task.CLASSIFICATION)
    classes_: Any

    def fit(self, X: Any, y: Any, sample_weight: Any = None, groups: Any = None, time: Any = None) -> Self:
        """Fit on labelled rows; rows of weight k are the same as k equal rows.

        Args:
            X: `(rows, features)` data frame (pandas, polars, pyarrow) or array.
            y: `(rows,)` labels of any type, or `(rows, targets)`.
            sample_weight: `(rows,)` weights of any sign.
            groups: `(rows,)`; rows with the same value stay on one side of the split.
            time: `(rows,)` numbers or dates; the latest rows validate.

        Raises:
            ValueError: data or parameters that cannot be used.
            TypeError: sparse data, or values of other types.
        """
        check_y_given(self, y)
        features = features_of(self, X, reset=True)
        labels = checked_labels(y)
        check_consistent_length(features, labels)
        weights = checked_weights(sample_weight, features)
        present = np.ones(len(labels), bool) if weights is None else weights != 0
        known = [np.unique(column) for column in labels[present].T] if present.any() else []
        for classes in known:
            if len(classes) < 2:
                raise ValueError(
                    f"{type(self).__name__} needs samples of at least 2 classes, got 1 class: {classes.tolist()[0]!r}"
                )
        names = [class_names(classes) for classes in known]
        targets = [
            np.asarray(of_target, object)[np.searchsorted(classes, column).clip(0, len(classes) - 1)]
            for of_target, classes, column in zip(names, known, labels.T, strict=False)
        ]
        self._fit(features, targets, weights, groups=groups, time=time, labels=names)
        self._classes = known
        self.classes_ = np.arange(len(known)) if self._is_multilabel else known if len(known) > 1 else known[0]
        return self

    @property
    def _is_multilabel(self) -> bool:
        """Whether there are several targets of 0 and 1."""
        of_labels = (classes.dtype.kind in "biuf" and classes.tolist() == [0, 1] for classes in self._classes)
        return len(self._classes) > 1 and all(of_labels)

    def predict(self, X: Any) -> np.ndarray:
        """Return the most probable label of each row, `(rows,)` or `(rows, targets)`, as it went in."""
        pairs = zip(self._predictions(X), self._classes, strict=True)
        columns = [classes[prediction.probabilities.argmax(axis=1)] for prediction, classes in pairs]
        return columns[0] if len(columns) == 1 else np.stack(columns, axis=1)

    def predict_proba(self, X: Any) -> np.ndarray | list[np.ndarray]:
        """Return calibrated probabilities `(rows, classes)`, in the order of `classes_`.

        For several labels of 0 and 1 it is the probability of each to be 1, `(rows, labels)`; for several other targets
        a list.
        """
        each = [prediction.probabilities for prediction in self._predictions(X)]
        return np.stack([p[:, 1] for p in each], axis=1) if self._is_multilabel else _alone(each)

    def decision_function(self, X: Any) -> np.ndarray | list[np.ndarray]:
        """Return log-odds of the second of two classes, `(rows,)`, or log-probabilities `(rows, classes)`.

        For several labels of 0 and 1 they are the log-odds of each, `(rows, labels)`; for several other targets a list.
        """
        each = [log_odds(prediction.probabilities) for prediction in self._predictions(X)]
        return np.stack(each, axis=1) if self._is_multilabel else _alone(each)

    def predict_log_proba(self, X: Any) -> np.ndarray | list[np.ndarray]:
        """Return the logarithms of `predict_proba`."""
        probabilities = self.predict_proba(X)
        with np.errstate(divide="ignore"):
            return [np.log(p) for p in probabilities] if isinstance(probabilities, list) else np.log(probabilities)

    def predict_set(self, X: Any) -> np.ndarray | list[np.ndarray]:
        """Return which classes may be the true one, `(rows, classes)` bool: sets that hold it with share `coverage`."""
        return _alone([np.asarray(prediction.sets) for prediction in self._predictions(X)])

    def _predictions(self, X: Any) -> list[ClassPrediction]:
        return [predictor.predict_classes(x) for predictor, x in self._prepared(X)]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        tags.target_tags.multi_output = True
        return tags


ShoalClassifier.__doc__ = documented(ShoalClassifier.__doc__, Task.CLASSIFICATION)


def log_odds(probabilities: np.ndarray) -> np.ndarray:
    """Return log-odds of the second of two classes, or the logarithms of the probabilities of more.

    Example:
        >>> log_odds(np.array([[0.5, 0.5]])).tolist()
        [0.0]
    """
    logarithms = np.log(np.maximum(probabilities, np.finfo(np.float64).tiny))
    return np.asarray(logarithms[:, 1] - logarithms[:, 0] if logarithms.shape[1] == 2 else logarithms)


def _alone(each: list[np.ndarray]) -> np.ndarray | list[np.ndarray]:
    return each[0] if len(each) == 1 else each


def checked_labels(y: Any) -> np.ndarray:
    """Return labels `(rows, targets)` in their own type.

    Raises:
        ValueError: missing labels, numbers that are no classes, or labels of several types.
    """
    y = check_array(y, ensure_2d=False, dtype=None, input_name="y", ensure_min_samples=0, ensure_min_features=0)
    if y.ndim == 2 and y.shape[1] == 1:
        y = column_or_1d(y, warn=True)
    if y.dtype == object:
        kinds = {type(label) for label in y.flat}
        if type(None) in kinds:
            raise ValueError("Input y contains missing labels (None).")
        if len(kinds) > 1:
            names = listing(sorted(kind.__name__ for kind in kinds))
            raise ValueError(f"Unknown label type: the labels in y are of several types, {names}; use one")
        if kinds <= PLAIN:
            check_classification_targets(np.asarray(y.tolist()))
    else:
        check_classification_targets(y)
    return y.reshape(len(y), -1)


def class_names(classes: np.ndarray) -> tuple[str, ...]:
    """Return a text for each label; their numbers where texts are empty or alike.

    Example:
        >>> class_names(np.array([1.0, 2.0])), class_names(np.array(["a", " b"]))
        (('1', '2'), ('a', ' b'))
    """
    labels = classes.tolist()
    names = label_names(labels) if {type(label) for label in labels} <= PLAIN else tuple(map(str, labels))
    return names if len({*names} - {""}) == len(names) else tuple(map(str, range(len(names))))
