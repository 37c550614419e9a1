from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from shoal.evaluation.baselines import tabular as baselines
from shoal.evaluation.baselines.tabular import learn_baselines
from shoal.results import Task
from shoal.statistics.metrics import METRICS


@pytest.fixture(autouse=True)
def few_rounds(monkeypatch):
    monkeypatch.setattr(baselines, "ROUNDS", 20)


def rings(rows: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Two features; inside, between and outside of two circles: no line tells them apart."""
    x = np.random.default_rng(seed).normal(size=(rows, 2)).astype(np.float32)
    return x, np.digitize((x**2).sum(axis=1), [0.8, 2.5])


def test_classifiers_return_probabilities_of_every_class():
    x, y = rings(240)
    x_test, y_test = rings(150, seed=1)
    fits = learn_baselines(Task.CLASSIFICATION, x, y, None, 3, seed=0)(x_test)
    assert list(fits) == ["most_frequent", "logistic_regression", "gradient_boosting"]
    for p in fits.values():
        assert p.shape == (150, 3)
        assert p.dtype == np.float64
        np.testing.assert_allclose(p.sum(axis=1), 1.0)
    np.testing.assert_allclose(fits["most_frequent"][0], np.bincount(y) / len(y))
    scores = {name: METRICS["accuracy"](y_test, p) for name, p in fits.items()}
    assert scores["gradient_boosting"] > max(0.8, scores["logistic_regression"] + 0.2)


def test_logistic_regression_is_scikit_learns():
    x, y = rings(90)
    expected = LogisticRegression(max_iter=1000).fit(x.astype(float), y).predict_proba(x[:5].astype(float))
    fits = learn_baselines(Task.CLASSIFICATION, x, y, np.full(90, 7.0), 3, seed=0)(x[:5])
    np.testing.assert_allclose(fits["logistic_regression"], expected)


def test_a_class_without_training_rows_gets_no_probability_and_a_finite_loss():
    x, y = rings(80)
    y = np.where(y == 1, 3, y)  # classes 0, 2, 3 of 4
    fits = learn_baselines(Task.CLASSIFICATION, x, y, None, 4, seed=0)(x[:4])
    for p in fits.values():
        assert (p[:, 1] == 0).all()
        assert np.isfinite(METRICS["log_loss"](np.array([0, 1, 2, 3]), p))


def test_a_class_of_one_row_and_a_single_class_are_no_trouble():
    x = rings(40)[0]
    alone = np.zeros(40, int)
    alone[3] = 1
    for p in learn_baselines(Task.CLASSIFICATION, x, alone, None, 2, seed=0)(x[:3]).values():
        assert p.shape == (3, 2)
        np.testing.assert_allclose(p.sum(axis=1), 1.0)
    for p in learn_baselines(Task.CLASSIFICATION, x, 0 * alone, None, 2, seed=0)(x[:3]).values():
        np.testing.assert_allclose(p, [[1.0, 0.0]] * 3)


def test_regressors_fit_several_targets_in_their_units():
    random = np.random.default_rng(0)
    x, x_test = random.normal(size=(200, 3)), random.normal(size=(60, 3))

    def truth(x: np.ndarray) -> np.ndarray:
        return np.stack([1e6 + 1e5 * x[:, 0], 1e-3 * np.sign(x[:, 1])], axis=1)

    fits = learn_baselines(Task.REGRESSION, x, truth(x), None, 0, seed=0)(x_test)
    assert list(fits) == ["mean", "linear_regression", "gradient_boosting"]
    np.testing.assert_allclose(fits["mean"], np.tile(truth(x).mean(axis=0), (60, 1)))
    linear, boosted = (METRICS["r2"].per_target(truth(x_test), fits[n]) for n in list(fits)[1:])
    assert linear[0] > 0.999
    assert boosted[1] > max(0.8, linear[1])


@pytest.mark.slow
@pytest.mark.parametrize("task", [Task.CLASSIFICATION, Task.REGRESSION])
def test_weights_count_in_every_baseline_and_their_unit_does_not(task):
    random = np.random.default_rng(0)
    x = random.normal(size=(120, 2))
    flipped = np.arange(120) % 2 == 1  # two populations with opposite answers
    y = np.where((x[:, 0] > 0) ^ flipped, 1, 0)
    weights = np.where(flipped, 0.05, 1.0) * random.uniform(0.9, 1.1, 120)
    side = np.array([[2.0, 0.0]])
    first, scaled, other = (
        learn_baselines(task, x, y, w, 2, seed=0)(side) for w in (weights, 1e-5 * weights, weights[::-1])
    )
    for name in list(first)[1:]:
        np.testing.assert_allclose(first[name], scaled[name], rtol=1e-4)
        assert first[name][0, -1] > 0.7 > 0.4 > other[name][0, -1]
    name = next(iter(first))
    share = np.average(y, weights=weights)
    assert first[name][0, -1] == pytest.approx(share)


@pytest.mark.slow
def test_negative_weights_count_as_zero_in_training():
    x, y = rings(90)
    weights = np.where(np.arange(90) % 5 == 0, -2.0, 1.0)
    kept = weights > 0
    signed = learn_baselines(Task.CLASSIFICATION, x, y, weights, 3, seed=0)(x[:5])
    without = learn_baselines(Task.CLASSIFICATION, x[kept], y[kept], None, 3, seed=0)(x[:5])
    for name in ("most_frequent", "logistic_regression"):
        np.testing.assert_allclose(signed[name], without[name], rtol=1e-6)
    useless = learn_baselines(Task.CLASSIFICATION, x, y, -np.ones(90), 3, seed=0)(x[:5])
    np.testing.assert_allclose(useless["most_frequent"][0], np.bincount(y) / 90)


def test_bins_for_weighted_trees_keep_the_order_and_are_few():
    random = np.random.default_rng(0)
    train = np.stack([random.normal(size=3000), random.integers(0, 5, 3000)], axis=1)
    edges, _ = baselines._bins(train, random.uniform(size=3000))
    codes = baselines._coded(train, edges)
    tested = baselines._coded(np.array([[-99.0, -1.0], [99.0, 9.0], [0.0, 2.0]]), edges)
    assert len(np.unique(codes[:, 0])) == 255
    np.testing.assert_array_equal(codes[:, 1], train[:, 1])
    order = np.argsort(train[:, 0])
    assert (np.diff(codes[order, 0]) >= 0).all()
    np.testing.assert_array_equal(tested[:2, 0], [0, 254])
    np.testing.assert_array_equal(tested[:, 1], [0, 4, 2])


def test_the_number_of_rounds_is_chosen_on_rows_held_out():
    x, _ = rings(60)
    noise = np.random.default_rng(1).normal(size=(60, 1))
    boosted = learn_baselines(Task.REGRESSION, x, noise, None, 0, seed=0)(x)["gradient_boosting"]
    assert boosted.std() < 0.5 * noise.std()  # all rounds would follow the noise


@pytest.mark.slow
def test_equal_seeds_give_equal_predictions():
    x, y = rings(60)
    first, again = (learn_baselines(Task.CLASSIFICATION, x, y, None, 3, seed=4)(x[:9]) for _ in range(2))
    for name in first:
        np.testing.assert_array_equal(first[name], again[name])


def test_rounds_are_those_with_the_least_loss_over_the_folds():
    seen: list[np.ndarray] = []

    def fit(rows: np.ndarray, limit: int) -> int:
        seen.append(rows)
        return limit

    def losses(limit: int, rows: np.ndarray) -> list[float]:
        seen[-1] = np.concatenate([seen[-1], rows])
        return [abs(i - 6.0) + len(seen) * (i == 6) * 0.1 for i in range(limit)]

    assert baselines._best_rounds(fit, losses, 30, 20, seed=0, strata=np.arange(30) % 2) == 7
    assert len(seen) == 3
    assert all(sorted(rows) == list(range(30)) for rows in seen)  # each row is learned from or held out
    assert baselines._best_rounds(fit, losses, 6000, 20, seed=0) == 7
    assert len(seen) == 4
    assert baselines._best_rounds(fit, lambda *_: [], 30, 20, seed=0) == 20


def test_warnings_of_scikit_learn_stay_inside(monkeypatch, recwarn):
    import sklearn.linear_model

    monkeypatch.setattr(sklearn.linear_model, "LogisticRegression", lambda **_: LogisticRegression(max_iter=1))
    x, y = rings(60)
    with pytest.warns(ConvergenceWarning):
        LogisticRegression(max_iter=1).fit(x, y)
    learn_baselines(Task.CLASSIFICATION, x, y, None, 3, seed=0)(x)
    assert not recwarn.list


def test_of_many_rows_one_fit_stops_early(monkeypatch):
    rng = np.random.default_rng(3)
    x, y, x_test, y_test = rng.normal(size=(400, 6)), rng.normal(size=400), rng.normal(size=(2000, 6)), np.zeros(2000)
    monkeypatch.setattr(baselines, "ROUNDS", 100)
    monkeypatch.setattr(baselines, "_best_rounds", lambda *_, **__: 100)

    def error() -> float:
        fits = learn_baselines(Task.REGRESSION, x, y[:, None], None, 0, seed=0)(x_test)
        return float(np.mean((fits["gradient_boosting"][:, 0] - y_test) ** 2))

    of_all_rounds = error()
    monkeypatch.setattr(baselines, "MANY_ROWS", 400)
    assert error() < 0.6 * of_all_rounds  # of noise there is nothing to learn


def test_trees_and_products_are_kept_to_one_thread_where_scikit_learn_was_not_loaded_before():
    code = (
        "import json\n"
        "from shoal.evaluation.baselines.tabular import _quietly\n"
        "with _quietly(10, 3):\n"
        "    import sklearn.ensemble\n"
        "    from threadpoolctl import threadpool_info\n"
        "    print(json.dumps({each['user_api']: each['num_threads'] for each in threadpool_info()}))\n"
    )
    environment = {**os.environ, "OMP_NUM_THREADS": "2", "OPENBLAS_NUM_THREADS": "2"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert json.loads(done.stdout) == {"blas": 1, "openmp": 1}
