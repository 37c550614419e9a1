"""The methods beside which shoal is ranked, each with the preparation that its own guide recommends, on one core."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from typing import Any

import numpy as np
from opponents import _features, _fit, _models, _predict, _preparation

from shoal.data import Dataset
from shoal.results import Task

MLPS, MOST_CATEGORIES = 5, 255
SEARCHED, KERAS_EPOCHS = 32, 27
TORCH = ("RealMLP", "TabM")
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


def tabm(task: Task, _: Any, seed: int) -> Any:
    """Return TabM by its defaults, of pytabkit."""
    from pytabkit import TabM_D_Classifier, TabM_D_Regressor

    kind = TabM_D_Classifier if task is Task.CLASSIFICATION else TabM_D_Regressor
    return kind(device="cpu", random_state=seed, n_threads=1, verbosity=0)


def searched_perceptrons(task: Task, features: Any, seed: int) -> Any:
    """Return the best of `SEARCHED` of scikit-learn's networks by three folds, refitted, as a search by hand would."""
    from scipy.stats import loguniform
    from sklearn.model_selection import RandomizedSearchCV

    made = _models(task, features, seed)
    model = made["MLPClassifier" if task is Task.CLASSIFICATION else "MLPRegressor, target scaled"]
    network = model if task is Task.CLASSIFICATION else model.regressor
    network[-1].set_params(early_stopping=True, max_iter=200)
    step = f"{'' if task is Task.CLASSIFICATION else 'regressor__'}{network.steps[-1][0]}__"
    space = {
        "hidden_layer_sizes": [(width,) * depth for width in (16, 32, 64, 128) for depth in (1, 2, 3)],
        "activation": ["relu", "tanh"],
        "learning_rate_init": loguniform(3e-4, 3e-2),
        "alpha": loguniform(1e-6, 1.0),
        "batch_size": [32, 64, 128],
    }
    scoring = "neg_log_loss" if task is Task.CLASSIFICATION else "neg_mean_squared_error"
    named = {step + name: values for name, values in space.items()}
    return RandomizedSearchCV(model, named, n_iter=SEARCHED, cv=3, scoring=scoring, random_state=seed)


class TunedKeras:
    """The best of a Hyperband search of KerasTuner over dense networks, prepared as scikit-learn's."""

    def __init__(self, task: Task, features: Any, seed: int) -> None:
        self.task, self.seed, self.prepared = task, seed, _preparation(features)

    def fit(self, features: Any, y: np.ndarray) -> TunedKeras:
        """Search on four fifths of the rows by the loss on the others."""
        import keras
        import keras_tuner

        keras.utils.set_random_seed(self.seed)
        chosen = np.random.default_rng(self.seed).permutation(len(y))
        fit, judge = chosen[len(y) // 5 :], chosen[: len(y) // 5]
        x = np.asarray(self.prepared.fit(features.iloc[fit]).transform(features), np.float32)
        classes = self.task is Task.CLASSIFICATION
        self.classes_ = np.unique(y) if classes else None
        self.mean, self.scale = (0.0, 1.0) if classes else (y[fit].mean(), y[fit].std())
        target = np.searchsorted(self.classes_, y) if classes else (y - self.mean) / self.scale

        def build(knobs: Any) -> Any:
            model = keras.Sequential([keras.Input(x.shape[1:])])
            for i in range(knobs.Int("layers", 1, 3)):
                units = knobs.Choice(f"units_{i}", [16, 32, 64, 128])
                model.add(keras.layers.Dense(units, knobs.Choice("activation", ["relu", "tanh"])))
                model.add(keras.layers.Dropout(knobs.Choice("dropout", [0.0, 0.1, 0.25])))
            model.add(keras.layers.Dense(len(self.classes_) if classes else 1, "softmax" if classes else None))
            rate = knobs.Float("learning_rate", 3e-4, 3e-2, sampling="log")
            loss = "sparse_categorical_crossentropy" if classes else "mse"
            model.compile(keras.optimizers.Adam(rate), loss)
            return model

        with tempfile.TemporaryDirectory() as folder:
            tuner = keras_tuner.Hyperband(
                build, "val_loss", max_epochs=KERAS_EPOCHS, seed=self.seed, directory=folder, project_name="t"
            )
            stop = keras.callbacks.EarlyStopping(patience=8, restore_best_weights=True)
            held = (x[judge], target[judge])
            tuner.search(x[fit], target[fit], validation_data=held, batch_size=64, verbose=0, callbacks=[stop])
            self.model = tuner.get_best_models(1)[0]
        return self

    def predict(self, features: Any) -> np.ndarray:
        """Return values in the units of the target."""
        return self.predict_proba(features)[:, 0] * self.scale + self.mean

    def predict_proba(self, features: Any) -> np.ndarray:
        """Return the probabilities of the classes."""
        return np.asarray(self.model.predict(np.asarray(self.prepared.transform(features), np.float32), verbose=0))


LEARNERS: dict[str, Made] = {
    "CatBoost": catboost,
    "LightGBM": lightgbm,
    "HistGradientBoosting": gradient_boosting,
    "five MLPs": perceptrons,
    "RealMLP": realmlp,
    "TabM": tabm,
    "search over MLPs": searched_perceptrons,
    "KerasTuner Hyperband": TunedKeras,
}


def predict_by(name: str, dataset: Dataset, rows: np.ndarray, test: np.ndarray, seed: int) -> np.ndarray:
    """Return what a method says of the test rows that learned from others: probabilities, or values `(rows, 1)`."""
    features = _features(dataset)
    if name in ("LightGBM", "HistGradientBoosting", *TORCH):
        features = features.astype({column: "category" for column in _texts(features)})
    if name == "HistGradientBoosting":  # which takes no more categories; their numbers are in no order
        features = features.assign(
            **{c: features[c].cat.codes for c in _texts(features) if features[c].nunique() > MOST_CATEGORIES}
        )
    if name in TORCH:  # which take no missing number
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
