"""The methods beside which shoal is ranked, each with the preparation that its own guide recommends, on one core."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from opponents import _features, _fit, _models, _predict

from shoal.data import Dataset
from shoal.results import Task

MLPS, MOST_CATEGORIES = 5, 255
Made = Callable[[Task, Any, int], Any]


def catboost(task: Task, features: Any, seed: int) -> Any:
    """Return CatBoost by its defaults, told which columns are categories."""
    import catboost

    kind = catboost.CatBoostClassifier if task is Task.CLASSIFICATION else catboost.CatBoostRegressor
    chosen = {"thread_count": 1, "verbose": False, "allow_writing_files": False, "random_seed": seed}
    return kind(cat_features=_texts(features), **chosen)


def lightgbm(task: Task, _: Any, seed: int) -> Any:
    """Return LightGBM by its defaults; pandas' categories are its categories."""
    import lightgbm

    kind = lightgbm.LGBMClassifier if task is Task.CLASSIFICATION else lightgbm.LGBMRegressor
    return kind(n_jobs=1, random_state=seed, verbose=-1)


def gradient_boosting(task: Task, _: Any, seed: int) -> Any:
    """Return scikit-learn's HistGradientBoosting by its defaults; pandas' categories are its categories."""
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    kind = HistGradientBoostingClassifier if task is Task.CLASSIFICATION else HistGradientBoostingRegressor
    return kind(random_state=seed, categorical_features="from_dtype")


def perceptrons(task: Task, features: Any, seed: int) -> Any:
    """Return five of scikit-learn's networks with early stopping, which answer by their mean."""
    from sklearn.ensemble import VotingClassifier, VotingRegressor

    each = []
    for i in range(MLPS):
        made = _models(task, features, MLPS * seed + i)
        model = made["MLPClassifier" if task is Task.CLASSIFICATION else "MLPRegressor, target scaled"]
        (model if task is Task.CLASSIFICATION else model.regressor)[-1].set_params(early_stopping=True)
        each.append((str(i), model))
    return VotingClassifier(each, voting="soft") if task is Task.CLASSIFICATION else VotingRegressor(each)


def realmlp(task: Task, _: Any, seed: int) -> Any:
    """Return RealMLP by its tuned defaults, of pytabkit."""
    from pytabkit import RealMLP_TD_Classifier, RealMLP_TD_Regressor

    kind = RealMLP_TD_Classifier if task is Task.CLASSIFICATION else RealMLP_TD_Regressor
    return kind(device="cpu", random_state=seed, n_threads=1, verbosity=0)


LEARNERS: dict[str, Made] = {
    "CatBoost": catboost,
    "LightGBM": lightgbm,
    "HistGradientBoosting": gradient_boosting,
    "five MLPs": perceptrons,
    "RealMLP": realmlp,
}


def predict_by(name: str, dataset: Dataset, rows: np.ndarray, test: np.ndarray, seed: int) -> np.ndarray:
    """Return what a method says of the test rows that learned from others: probabilities, or values `(rows, 1)`."""
    features = _features(dataset)
    if name in ("LightGBM", "HistGradientBoosting", "RealMLP"):
        features = features.astype({column: "category" for column in _texts(features)})
    if name == "HistGradientBoosting":  # which takes no more categories; their numbers are in no order
        features = features.assign(
            **{c: features[c].cat.codes for c in _texts(features) if features[c].nunique() > MOST_CATEGORIES}
        )
    if name == "RealMLP":  # which takes no missing number
        features = _without_gaps(features, rows)
    model = LEARNERS[name](dataset.task, features, seed)
    y = dataset.y().reshape(-1) if dataset.task is Task.REGRESSION else dataset.y()
    _fit(model, features.iloc[rows], y[rows], {})
    return _predict(model, dataset, features.iloc[test])


def _texts(features: Any) -> list[str]:
    return [name for name in features.columns if features[name].dtype.kind not in "fiu"]


def _without_gaps(features: Any, rows: np.ndarray) -> Any:
    """Return the features with the median in place of missing numbers, and a column that says where."""
    features = features.copy()
    for name in [name for name in features.columns if features[name].dtype.kind == "f"]:
        absent = features[name].isna()
        if absent.any():
            features[f"{name} is missing"] = absent.astype("float64")
            features[name] = features[name].fillna(features[name].iloc[rows].median())
    return features
