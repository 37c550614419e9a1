"""The estimators as their users hold them: data frames, labels of any type, weights, pickles, searches and errors."""

from __future__ import annotations

import copy
import datetime
import inspect
import pickle
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import StackingClassifier
from sklearn.exceptions import DataConversionWarning, NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import shoal
from shoal.errors import RunError, SettingError, ShoalWarning
from shoal.estimators.parameters import ELSEWHERE, NOT_RECONSTRUCTED, OF_TASK, names_of
from shoal.estimators.rows import joined_rows
from shoal.resources import available_cores
from shoal.results import Task
from shoal.runs.model_file import model_from_bytes, model_to_bytes
from shoal.settings import FitSettings

QUICK: dict[str, Any] = {"networks": 1, "epochs": 100, "hidden": (8,), "learning_rate": 0.03, "engine": "native"}
ROWS = 120


def numbers(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(ROWS, 3))
    return x, x[:, 0] - 2.0 * x[:, 1] + 0.1 * rng.normal(size=ROWS)


def mixed(seed: int = 0) -> tuple[dict[str, list[Any]], np.ndarray]:
    rng = np.random.default_rng(seed)
    colour = rng.choice(["red", "green", "blue"], ROWS)
    size = rng.normal(size=ROWS)
    y = np.where((colour == "red") ^ (size > 0), "yes", "no")
    sizes = [None if i % 17 == 0 else float(value) for i, value in enumerate(size)]
    return {"colour": colour.tolist(), "size": sizes, "big": (size > 1).tolist()}, y


@pytest.fixture(scope="module")
def classifier() -> Any:
    x, y = numbers()
    return shoal.ShoalClassifier(**QUICK).fit(x, np.where(y > 0, "up", "down"))


@pytest.fixture(scope="module")
def regressor() -> Any:
    return shoal.ShoalRegressor(**QUICK).fit(*numbers())


@pytest.mark.parametrize("task", list(Task))
def test_every_setting_is_a_parameter_or_left_out_for_a_reason(task: Task) -> None:
    left_out = {name for names in (*ELSEWHERE.values(), *OF_TASK.values(), NOT_RECONSTRUCTED) for name in names}
    assert left_out <= set(FitSettings.model_fields)
    assert set(FitSettings.model_fields) - set(names_of(task)) <= left_out


def test_parameters_are_in_signature_and_docstring() -> None:
    for estimator in (shoal.ShoalClassifier, shoal.ShoalRegressor, shoal.ShoalAutoencoder):
        names = list(inspect.signature(estimator).parameters)
        assert sorted(estimator().get_params()) == sorted(names)
        assert all(f"        {name}: " in str(estimator.__doc__) for name in names)


@pytest.mark.parametrize(
    "labels",
    [
        np.array([3, 8]),
        np.array([False, True]),
        np.array([1.0, 2.0]),
        np.array(["a b", "c,d=1"]),
        np.array(["", "no"], dtype=object),
        np.array([datetime.date(2025, 1, 1), datetime.date(2026, 1, 1)], dtype=object),
    ],
    ids=lambda labels: str(labels.dtype),
)
@pytest.mark.slow
def test_labels_come_back_as_they_went_in(labels: np.ndarray) -> None:
    x, y = numbers()
    truth = labels[(y > 0).astype(int)]
    model = shoal.ShoalClassifier(**QUICK).fit(x, truth)
    predicted = model.predict(x)
    assert predicted.dtype == labels.dtype
    assert model.classes_.tolist() == labels.tolist()
    assert (predicted == truth).mean() > 0.8


@pytest.mark.slow
def test_data_frames_of_both_libraries_say_the_same() -> None:
    columns, y = mixed()
    frames = pd.DataFrame(columns), pl.DataFrame(columns)
    models = [shoal.ShoalClassifier(**QUICK).fit(frame, y) for frame in frames]
    first, second = (model.predict_proba(frame) for model, frame in zip(models, frames, strict=True))
    np.testing.assert_array_equal(first, second)
    assert models[0].feature_names_in_.tolist() == ["colour", "size", "big"]
    assert models[1].score(frames[1], y) > 0.6
    with pytest.raises(ValueError, match="feature names should match"):
        models[0].predict(frames[0][["size", "colour", "big"]])
    with pytest.raises(ValueError, match="feature names should match"):
        models[1].predict(frames[1].rename({"size": "length"}))
    with pytest.warns(ShoalWarning, match="'colour': 120 rows with a category that the fit did not see"):
        models[0].predict(frames[0].assign(colour="pink"))


@pytest.mark.slow
@pytest.mark.parametrize("whole", [True, False])
def test_weights_are_repeated_rows(whole: bool) -> None:
    x, y = numbers()
    counts = np.random.default_rng(1).integers(0, 4, ROWS)
    repeated = shoal.ShoalRegressor(**QUICK).fit(np.repeat(x, counts, axis=0), np.repeat(y, counts))
    order = np.random.default_rng(2).permutation(ROWS)
    if whole:
        weighted = shoal.ShoalRegressor(**QUICK).fit(x[order], y[order], sample_weight=counts[order])
        np.testing.assert_allclose(repeated.predict(x), weighted.predict(x), rtol=1e-12)
    else:  # a scale that is no whole number keeps each row once
        halves = [
            shoal.ShoalRegressor(**QUICK).fit(x[o], y[o], sample_weight=0.3 * counts[o]) for o in (order, order[::-1])
        ]
        np.testing.assert_array_equal(halves[0].predict(x), halves[1].predict(x))


def test_rows_are_joined_whatever_their_order() -> None:
    table = pl.DataFrame({"x": [1.0, None, 1.0, -0.0, 0.0], "w": [0.1, 1.0, 0.2, 1.0, 2.0]})
    joined = joined_rows(table, "w")
    assert joined.rows() == [(0.0, 3.0), (1.0, 0.1 + 0.2), (None, 1.0)]
    assert joined_rows(table.reverse(), "w").equals(joined)


@pytest.mark.slow
def test_several_targets() -> None:
    x, y = numbers()
    both = np.stack([y, x[:, 2]], axis=1)
    regressor = shoal.ShoalRegressor(**QUICK).fit(x, both)
    mean, std = regressor.predict(x, return_std=True)
    low, high = regressor.predict_interval(x)
    assert mean.shape == std.shape == low.shape == high.shape == (ROWS, 2)
    names = np.stack([np.where(y > 0, "up", "down"), np.where(x[:, 2] > 0, "right", "left")], axis=1)
    classifier = shoal.ShoalClassifier(**QUICK).fit(x, names)
    assert (classifier.predict(x) == names).mean() > 0.7
    assert [classes.tolist() for classes in classifier.classes_] == [["down", "up"], ["left", "right"]]
    assert [p.shape for p in classifier.predict_proba(x)] == [(ROWS, 2)] * 2


def test_pickles_and_copies_hold_bytes_and_predict_the_same(regressor: Any, classifier: Any) -> None:
    x, _ = numbers(3)
    for model in (regressor, classifier):
        state = model.__getstate__()
        assert [type(data) for data in state["_predictors"]] == [bytes]
        for other in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):
            np.testing.assert_array_equal(model.predict(x), other.predict(x))
        assert not hasattr(clone(model), "_predictors")


def test_damaged_bytes_are_refused(regressor: Any) -> None:
    data = model_to_bytes(regressor.predictors_[0])
    assert model_to_bytes(model_from_bytes(data)) == data
    for damaged in (b"", data[:50], data[:-3], data.replace(b'"format"', b'"formal"', 1), b"\xff" * 8 + data[8:]):
        with pytest.raises(RunError, match="model in memory"):
            model_from_bytes(damaged)


def test_random_state_repeats_a_fit(regressor: Any) -> None:
    x, y = numbers()
    np.testing.assert_array_equal(shoal.ShoalRegressor(**QUICK).fit(x, y).predict(x), regressor.predict(x))
    states = [np.random.RandomState(5), np.random.RandomState(5), 6]
    same, again, other = (shoal.ShoalRegressor(**QUICK, random_state=s).fit(x, y).predict(x) for s in states)
    np.testing.assert_array_equal(same, again)
    assert not np.array_equal(same, other)


def test_nothing_is_written(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shoal.ShoalRegressor(**QUICK).fit(*numbers())
    assert list(tmp_path.iterdir()) == []


def test_it_shows_itself_with_verdict_and_drawing(classifier: Any) -> None:
    page = classifier._repr_html_()
    assert "scored on 19 validation rows" in page
    assert "such scores flatter" in page
    assert "<svg" in page
    assert "<svg" in classifier._repr_mimebundle_()["text/html"]
    assert "such scores flatter" not in shoal.ShoalClassifier()._repr_html_()


@pytest.mark.slow
def test_groups_time_and_errors_are_routed() -> None:
    x, y = numbers()
    groups = np.arange(ROWS) // 6
    with sklearn.config_context(enable_metadata_routing=True):
        model = shoal.ShoalRegressor(**QUICK).set_fit_request(groups=True, y_err=True, time=False, sample_weight=False)
        params = {"groups": groups, "y_err": np.full(ROWS, 0.1)}
        scores = cross_val_score(model, x, y, cv=GroupKFold(3), params=params)
    assert (scores > 0.5).all()
    timed = shoal.ShoalRegressor(**QUICK).fit(x, y, time=np.arange(ROWS))
    assert np.isfinite(timed.predict(x)).all()


@pytest.mark.slow
def test_pipelines_searches_calibration_and_stacking() -> None:
    columns, y = mixed()
    frame = pd.DataFrame(columns)
    prepare = ColumnTransformer([("c", OneHotEncoder(), ["colour"]), ("n", StandardScaler(), ["size"])])
    pipeline = make_pipeline(prepare, shoal.ShoalClassifier(**QUICK))
    search = GridSearchCV(pipeline, {"shoalclassifier__hidden": [(4,), (8,)]}, cv=2, n_jobs=2).fit(frame, y)
    assert search.best_params_["shoalclassifier__hidden"] in {(4,), (8,)}
    model = shoal.ShoalClassifier(**QUICK)
    assert CalibratedClassifierCV(model, cv=2).fit(frame, y).predict_proba(frame).shape == (ROWS, 2)
    stacking = StackingClassifier([("shoal", model)], LogisticRegression(), cv=2).fit(frame, y)
    assert stacking.score(frame, y) > 0.6


def test_errors_are_in_scikit_learns_manner(regressor: Any, classifier: Any) -> None:
    x, y = numbers()
    with pytest.raises(NotFittedError, match="not fitted yet"):
        shoal.ShoalRegressor().predict(x)
    with pytest.raises(ValueError, match="expecting 3 features"):
        regressor.predict(x[:, :2])
    with pytest.raises(ValueError, match="Input y contains NaN"):
        shoal.ShoalRegressor(**QUICK).fit(x, np.where(y > 2, np.nan, y))
    with pytest.raises(ValueError, match="infinity"):
        shoal.ShoalRegressor(**QUICK).fit(np.where(x > 2, np.inf, x), y)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        shoal.ShoalRegressor(**QUICK).fit(x, y[:-1])
    with pytest.raises(ValueError, match="y_err must hold positive numbers, got -1 in row 0"):
        shoal.ShoalRegressor(**QUICK).fit(x, y, y_err=np.full(ROWS, -1.0))
    with pytest.raises(ValueError, match="1 class: 'a'"):
        shoal.ShoalClassifier(**QUICK).fit(x, ["a"] * ROWS)
    with pytest.raises(ValueError, match="of several types, int, str"):
        shoal.ShoalClassifier(**QUICK).fit(x, np.array([1, "a"] * 60, dtype=object))
    with pytest.warns(DataConversionWarning, match="column-vector"):
        shoal.ShoalRegressor(**QUICK).fit(x, y[:, None])


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"hidden": (0,)}, "hidden"),
        ({"random_state": -1}, "random_state"),
        ({"folds": 1}, "folds"),
        ({"n_jobs": 0}, "n_jobs: expected a whole number other than 0"),
    ],
)
def test_parameters_that_make_no_sense_are_refused_by_fit(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        shoal.ShoalRegressor(**{**QUICK, **parameters}).fit(*numbers())


def test_an_unknown_parameter_gets_a_suggestion() -> None:
    with pytest.raises(TypeError, match=r"no parameter 'lr'\. Did you mean 'learning_rate'"):
        shoal.ShoalRegressor(lr=0.1)


def test_numbers_that_a_search_draws_are_taken(regressor: Any) -> None:
    x, y = numbers()
    drawn = shoal.ShoalRegressor(**{**QUICK, "networks": np.int64(1), "epochs": np.int64(100)}).fit(x, y)
    np.testing.assert_array_equal(drawn.predict(x), regressor.predict(x))


@pytest.mark.slow
def test_workers_of_joblib_share_the_cores() -> None:
    import joblib

    workers = available_cores()
    cores = joblib.Parallel(n_jobs=workers)(joblib.delayed(available_cores)() for _ in range(workers))
    assert sum(cores) <= max(workers, available_cores())
