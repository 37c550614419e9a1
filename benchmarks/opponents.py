"""scikit-learn's networks, with the preparation that its guide recommends."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import polars as pl

from shoal.data import Dataset, Split
from shoal.results import Task
from shoal.statistics.metrics import metrics_for


def score_opponents(dataset: Dataset, split: Split, seed: int) -> dict[str, dict[str, float]]:
    """Return the test scores of each variant of scikit-learn's networks, by the name of the variant.

    Each variant learns once from the training rows and once from those and the validation rows together,
    because shoal sees the validation rows too. With weights or measured errors there is a variant that uses
    them and one that does not.
    """
    features = _features(dataset)
    weights = _weights(dataset)
    y = dataset.y()
    target = y.reshape(-1) if y.ndim == 2 and y.shape[1] == 1 else y
    scores = {}
    for rows_name, rows in {
        "training rows": split.train,
        "training and validation rows": np.concatenate([split.train, split.validation]),
    }.items():
        for name, model in _models(dataset.task, features, seed).items():
            for weighted in (False,) if weights is None else (False, True):
                taken = {} if not weighted or weights is None else {_weight_name(model): weights[rows]}
                _fit(model, features.iloc[rows], target[rows], taken)
                guess = _predict(model, dataset, features.iloc[split.test])
                label = ", ".join([name, rows_name, *(["weighted"] if weighted else [])])
                scores[label] = _scores(dataset, split, guess)
    return scores


def _features(dataset: Dataset) -> Any:
    """Return the same features as shoal has; a missing category is one of its own, dates are days."""
    columns = []
    for column in dataset.table.select([column.name for column in dataset.features]).get_columns():
        if column.dtype.is_temporal():
            column = column.cast(pl.Datetime).dt.epoch("d")
        text = column.dtype in (pl.String, pl.Categorical, pl.Enum)
        columns.append(column.cast(pl.String).fill_null("missing") if text else column.cast(pl.Float64))
    return pl.DataFrame(columns).to_pandas()


def _weights(dataset: Dataset) -> np.ndarray | None:
    """Return `weight / y_err²`, mean one; None without either, or with errors of several targets."""
    weights, errors = dataset.weights(), dataset.y_err()
    if errors is not None and errors.shape[1] == 1:
        weights = (1.0 if weights is None else weights) / errors[:, 0] ** 2
    return None if weights is None else weights / weights.mean()


def _models(task: Task, features: Any, seed: int) -> dict[str, Any]:
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    if task is Task.CLASSIFICATION:
        return {"MLPClassifier": make_pipeline(_preparation(features), MLPClassifier(max_iter=1000, random_state=seed))}
    plain = make_pipeline(_preparation(features), MLPRegressor(max_iter=1000, random_state=seed))
    scaled = TransformedTargetRegressor(
        make_pipeline(_preparation(features), MLPRegressor(max_iter=1000, random_state=seed)),
        transformer=StandardScaler(),
    )
    return {"MLPRegressor": plain, "MLPRegressor, target scaled": scaled}


def _preparation(features: Any) -> Any:
    from sklearn.compose import make_column_transformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    numbers = [name for name in features.columns if features[name].dtype.kind == "f"]
    texts = [name for name in features.columns if name not in numbers]
    return make_column_transformer(
        (make_pipeline(SimpleImputer(strategy="median", add_indicator=True), StandardScaler()), numbers),
        (OneHotEncoder(handle_unknown="ignore", sparse_output=False), texts),
    )


def _weight_name(model: Any) -> str:
    from sklearn.pipeline import Pipeline

    pipeline = model if isinstance(model, Pipeline) else model.regressor
    return f"{pipeline.steps[-1][0]}__sample_weight"


def _fit(model: Any, x: Any, y: np.ndarray, weights: dict[str, np.ndarray]) -> None:
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(x, y, **weights)


def _predict(model: Any, dataset: Dataset, x: Any) -> np.ndarray:
    """Return probabilities of all classes, or values `(rows, targets)`."""
    if dataset.task is Task.REGRESSION:
        return np.asarray(model.predict(x), np.float64).reshape(len(x), -1)
    known = model.classes_
    probabilities = np.zeros((len(x), len(dataset.classes)))
    probabilities[:, known] = model.predict_proba(x)
    return probabilities


def _scores(dataset: Dataset, split: Split, guess: np.ndarray) -> dict[str, float]:
    weights = dataset.weights()
    taken = None if weights is None else weights[split.test]
    return {m.name: m(dataset.y()[split.test], guess, taken) for m in metrics_for(dataset.task)}
