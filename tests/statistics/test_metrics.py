"""Metrics equal scikit-learn's, with weights and ties, for one vector of weights and for many."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from shoal.results import Task
from shoal.statistics.metrics import METRICS, confusion_matrix, metrics_for, row_losses

CHECKED = settings(derandomize=True, deadline=None, max_examples=40)


def classification(seed: int, rows: int, classes: int, coarse: bool) -> tuple[np.ndarray, ...]:
    """Class numbers with every class present, probabilities (coarse: with many ties), weights."""
    random = np.random.default_rng(seed)
    truth = np.concatenate([np.arange(classes), random.integers(0, classes, rows)])
    p = random.dirichlet(np.ones(classes), len(truth))
    if coarse:
        p = np.floor(p * 4) + 0.5
        p /= p.sum(axis=1, keepdims=True)
        # sums over rows differ in the last digit, which would break ties between equal scores
        p = np.round(p, 12)
    return truth, p, random.uniform(0.1, 3.0, len(truth))


def reference(name: str, truth: np.ndarray, p: np.ndarray, weights: np.ndarray | None) -> float:
    classes = np.arange(p.shape[1])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if name == "accuracy":
            return float(sk.accuracy_score(truth, p.argmax(axis=1), sample_weight=weights))
        if name == "balanced_accuracy":
            return float(sk.balanced_accuracy_score(truth, p.argmax(axis=1), sample_weight=weights))
        if name == "log_loss":
            return float(sk.log_loss(truth, p, labels=classes, sample_weight=weights))
        if len(classes) == 2:
            return float(sk.roc_auc_score(truth, p[:, 1], sample_weight=weights))
        areas = [sk.roc_auc_score(truth == k, p[:, k], sample_weight=weights) for k in classes]
        return float(np.mean(areas))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["accuracy", "balanced_accuracy", "log_loss", "roc_auc"])
@given(
    seed=st.integers(0, 10**6),
    rows=st.integers(1, 60),
    classes=st.integers(2, 5),
    coarse=st.booleans(),
    weighted=st.booleans(),
)
@CHECKED
def test_classification_metrics_equal_scikit_learn(name, seed, rows, classes, coarse, weighted):
    truth, p, weights = classification(seed, rows, classes, coarse)
    used = weights if weighted else None
    assert METRICS[name](truth, p, used) == pytest.approx(reference(name, truth, p, used), rel=1e-9)


def test_macro_roc_auc_equals_scikit_learns_one_vs_rest():
    truth, p, _ = classification(3, 80, 4, coarse=False)
    assert METRICS["roc_auc"](truth, p) == pytest.approx(sk.roc_auc_score(truth, p, multi_class="ovr"))


@given(seed=st.integers(0, 10**6), rows=st.integers(2, 50), targets=st.integers(1, 3), weighted=st.booleans())
@CHECKED
def test_regression_metrics_equal_scikit_learn(seed, rows, targets, weighted):
    random = np.random.default_rng(seed)
    truth = random.normal(1e3, 5.0, (rows, targets))
    predicted = truth + random.normal(size=truth.shape)
    weights = random.uniform(0.1, 3.0, rows) if weighted else None
    assert METRICS["rmse"](truth, predicted, weights) == pytest.approx(
        sk.root_mean_squared_error(truth, predicted, sample_weight=weights)
    )
    assert METRICS["mae"](truth, predicted, weights) == pytest.approx(
        sk.mean_absolute_error(truth, predicted, sample_weight=weights)
    )
    assert METRICS["r2"](truth, predicted, weights) == pytest.approx(
        sk.r2_score(truth, predicted, sample_weight=weights), rel=1e-6, abs=1e-9
    )


@pytest.mark.parametrize("name", list(METRICS))
def test_many_weight_vectors_give_the_same_as_one_at_a_time(name):
    random = np.random.default_rng(0)
    if METRICS[name].task is Task.CLASSIFICATION:
        truth, prediction, _ = classification(1, 40, 3, coarse=True)
    else:
        truth, prediction = random.normal(size=(43, 2)), random.normal(size=(43, 2))
    weights = random.integers(0, 4, (7, len(truth))) * random.uniform(0.5, 2.0, len(truth))
    together = METRICS[name](truth, prediction, weights)
    assert together.shape == (7,)
    np.testing.assert_allclose(together, [METRICS[name](truth, prediction, w) for w in weights], rtol=1e-12)
    np.testing.assert_allclose(METRICS[name](truth, prediction, np.ones(len(truth))), METRICS[name](truth, prediction))


@pytest.mark.parametrize("name", list(METRICS))
def test_integer_weights_equal_repeated_rows(name):
    random = np.random.default_rng(5)
    if METRICS[name].task is Task.CLASSIFICATION:
        truth, prediction, _ = classification(2, 30, 2, coarse=True)
    else:
        truth, prediction = random.normal(size=32), random.normal(size=32)
    counts = random.integers(0, 3, len(truth))
    repeated = np.repeat(np.arange(len(truth)), counts)
    assert METRICS[name](truth, prediction, counts) == pytest.approx(
        METRICS[name](truth[repeated], prediction[repeated])
    )


def test_a_negative_weight_takes_a_row_away_again():
    truth, p, weights = classification(4, 30, 3, coarse=True)
    twice = np.concatenate([truth, truth[:1]]), np.concatenate([p, p[:1]])
    for metric in metrics_for(Task.CLASSIFICATION):
        signed = metric(*twice, np.concatenate([weights, -weights[:1]]))
        without = metric(truth[1:], p[1:], weights[1:])
        assert signed == pytest.approx(without), metric.name


def test_an_absent_class_is_left_out_and_a_single_class_has_no_roc_area():
    truth = np.array([0, 0, 1, 1])
    p = np.array([[0.7, 0.2, 0.1], [0.2, 0.6, 0.2], [0.1, 0.8, 0.1], [0.3, 0.5, 0.2]])
    assert METRICS["balanced_accuracy"](truth, p) == pytest.approx(0.75)
    assert METRICS["roc_auc"](truth, p) == pytest.approx(0.75)
    assert np.isnan(METRICS["roc_auc"](truth[:2], p[:2]))
    only_first = np.array([[1.0, 1.0, 0.0, 0.0], [1.0, 1.0, 1.0, 1.0]])
    areas = METRICS["roc_auc"](truth, p[:, :2], only_first)
    assert np.isnan(areas[0])
    assert np.isfinite(areas[1])


def test_nothing_to_average_and_constant_truth_give_nan_without_warnings():
    assert np.isnan(METRICS["rmse"]([1.0, 2.0], [1.0, 2.0], [0.0, 0.0]))
    assert np.isnan(METRICS["r2"]([0.1, 0.1, 0.1], [0.1, 0.2, 0.3]))
    truth = np.random.default_rng(0).normal(size=50)  # each alone: the variance is zero but for rounding
    assert np.isnan(METRICS["r2"](truth, truth + 1.0, 0.3 * np.eye(50))).all()
    assert np.isnan(METRICS["mae"]([1.0, 2.0], [np.nan, 2.0]))
    assert np.isnan(METRICS["roc_auc"]([0, 1], [[0.5, 0.5], [np.nan, np.nan]]))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_log_loss_clips_like_scikit_learn(dtype):
    truth, p = np.array([0, 1, 1]), np.array([[1, 0], [1, 0], [0, 1]], dtype)
    assert METRICS["log_loss"](truth, p) == pytest.approx(sk.log_loss(truth, p), rel=1e-5)
    assert np.isfinite(row_losses(Task.CLASSIFICATION, truth, p)).all()


def test_per_target_values_average_to_the_metric():
    truth, predicted = np.zeros((4, 2)), np.array([[1.0, 3.0]] * 4)
    np.testing.assert_allclose(METRICS["rmse"].per_target(truth, predicted), [1.0, 3.0])
    assert METRICS["rmse"](truth, predicted) == 2.0


@given(seed=st.integers(0, 10**6), classes=st.integers(2, 4), weighted=st.booleans())
@CHECKED
def test_confusion_matrix_equals_scikit_learn(seed, classes, weighted):
    truth, p, weights = classification(seed, 20, classes, coarse=True)
    used = weights if weighted else None
    expected = sk.confusion_matrix(truth, p.argmax(axis=1), labels=range(classes), sample_weight=used)
    np.testing.assert_allclose(confusion_matrix(truth, p, used), expected)


@pytest.mark.parametrize(
    ("name", "truth", "prediction", "weights", "message"),
    [
        ("accuracy", [0, 1], [[0.5, 0.5]], None, r"class numbers \(rows,\) and probabilities"),
        ("accuracy", [0, 2], [[0.5, 0.5]] * 2, None, "from 0 to 1, got 0 to 2"),
        ("rmse", [[1.0], [2.0]], [1.0, 2.0], None, "truth and prediction of one shape"),
        ("rmse", [1.0, 2.0], [1.0, 2.0], [1.0], r"expected weights \(2,\)"),
    ],
)
def test_shapes_that_do_not_agree_are_refused(name, truth, prediction, weights, message):
    with pytest.raises(ValueError, match=message):
        METRICS[name](truth, prediction, weights)
