"""Metrics by name and functions of the user: equal to scikit-learn's, or refused with what is wrong."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import median_abs_deviation
from sklearn import metrics as sk

from shoal.errors import SettingError
from shoal.results import Task
from shoal.statistics.class_metrics import CLASS_METRICS
from shoal.statistics.metric_choice import ALIASES, REGISTRY, chosen_metrics, metric, named_metric
from shoal.statistics.number_metrics import NUMBER_METRICS

CHECKED = settings(derandomize=True, deadline=None, max_examples=25)


def label_reference(name: str) -> Callable[..., float]:
    function, _, average = name.partition("_")
    scores = {
        "f1": sk.f1_score,
        "precision": sk.precision_score,
        "recall": sk.recall_score,
        "jaccard": sk.jaccard_score,
    }
    if function in scores:
        return partial(scores[function], average=average or "binary", zero_division=0)
    return {"matthews_corrcoef": sk.matthews_corrcoef, "cohen_kappa": sk.cohen_kappa_score}[name]


def class_reference(name: str, truth: np.ndarray, p: np.ndarray, weights: np.ndarray | None) -> float:
    classes = p.shape[1]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if name == "average_precision":
            given = (truth, p[:, 1]) if classes == 2 else (np.eye(classes)[truth], p)
            return float(sk.average_precision_score(*given, sample_weight=weights))
        if name == "brier_score":
            rows = (p[:, 1] - truth) ** 2 if classes == 2 else ((p - np.eye(classes)[truth]) ** 2).sum(axis=1)
            return float(np.average(rows, weights=weights))
        if name.startswith("top_"):
            k = {"top_k_accuracy": 2, "top_5_accuracy": 5}[name]
            if k >= classes:
                return 1.0
            return float(sk.top_k_accuracy_score(truth, p, k=k, labels=np.arange(classes), sample_weight=weights))
        return float(label_reference(name)(truth, p.argmax(axis=1), sample_weight=weights))


def classes_and_probabilities(seed: int, rows: int, classes: int, coarse: bool) -> tuple[np.ndarray, ...]:
    random = np.random.default_rng(seed)
    truth = np.concatenate([np.arange(classes), random.integers(0, classes, rows)])
    p = random.dirichlet(np.ones(classes), len(truth))
    if coarse:
        p = np.floor(p * 4) + 0.5
        p = np.round(p / p.sum(axis=1, keepdims=True), 12)
    return truth, p, random.uniform(0.1, 3.0, len(truth))


@pytest.mark.parametrize("chosen", CLASS_METRICS, ids=lambda each: each.name)
@given(
    seed=st.integers(0, 10**6),
    rows=st.integers(1, 40),
    classes=st.integers(2, 7),
    coarse=st.booleans(),
    weighted=st.booleans(),
)
@CHECKED
def test_metrics_of_classes_equal_scikit_learns(chosen, seed, rows, classes, coarse, weighted):
    classes = 2 if chosen.two_classes else classes
    truth, p, weights = classes_and_probabilities(seed, rows, classes, coarse)
    used = weights if weighted else None
    expected = class_reference(chosen.name, truth, p, used)
    assert chosen(truth, p, used) == pytest.approx(expected, rel=1e-9, abs=1e-12, nan_ok=True)


def nmad_reference(truth: np.ndarray, predicted: np.ndarray, sample_weight: np.ndarray | None) -> float:
    counts = 1 if sample_weight is None else np.rint(2 * sample_weight).astype(int)
    errors = np.repeat((predicted - truth) / (1 + truth), counts, axis=0)
    return float(np.mean(median_abs_deviation(errors, scale=1 / 1.4826)))


def outlier_reference(truth: np.ndarray, predicted: np.ndarray, sample_weight: np.ndarray | None) -> float:
    wrong = np.abs((predicted - truth) / (1 + truth)) > 0.15
    return float(np.average(wrong, axis=0, weights=sample_weight).mean())


NUMBERS: dict[str, Callable[..., Any]] = {
    "mse": sk.mean_squared_error,
    "mean_squared_log_error": sk.mean_squared_log_error,
    "mean_absolute_percentage_error": sk.mean_absolute_percentage_error,
    "median_absolute_error": sk.median_absolute_error,
    "nmad": nmad_reference,
    "outlier_fraction": outlier_reference,
    "explained_variance": sk.explained_variance_score,
    "mean_pinball_loss": sk.mean_pinball_loss,
    "root_mean_squared_log_error": sk.root_mean_squared_log_error,
    "max_error": lambda y, p, **_: np.mean([sk.max_error(*both) for both in zip(y.T, p.T, strict=True)]),
    "mean_poisson_deviance": lambda y, p, **weights: np.mean(
        [sk.mean_poisson_deviance(*both, **weights) for both in zip(y.T, p.T, strict=True)]
    ),
    "mean_gamma_deviance": lambda y, p, **weights: np.mean(
        [sk.mean_gamma_deviance(*both, **weights) for both in zip(y.T, p.T, strict=True)]
    ),
}


@pytest.mark.parametrize("chosen", NUMBER_METRICS, ids=lambda each: each.name)
@given(seed=st.integers(0, 10**6), rows=st.integers(2, 50), targets=st.integers(1, 3), weighted=st.booleans())
@CHECKED
def test_metrics_of_numbers_equal_scikit_learns(chosen, seed, rows, targets, weighted):
    random = np.random.default_rng(seed)
    truth = random.gamma(2.0, 3.0, (rows, targets))
    predicted = truth * random.lognormal(0.0, 0.3, truth.shape)
    weights = random.integers(1, 4, rows) * 0.5 if weighted else None  # equal weights reach just half of their sum
    expected = NUMBERS[chosen.name](truth, predicted, sample_weight=weights)
    assert chosen(truth, predicted, weights) == pytest.approx(expected, rel=1e-8, abs=1e-10)


@pytest.mark.parametrize("chosen", [*CLASS_METRICS, *NUMBER_METRICS], ids=lambda each: f"{each.name}-{each.task}")
def test_many_weight_vectors_are_repeated_rows(chosen):
    random = np.random.default_rng(0)
    if chosen.task is Task.CLASSIFICATION:
        truth, prediction, _ = classes_and_probabilities(1, 40, 2 if chosen.two_classes else 3, coarse=True)
    else:
        truth = random.gamma(2.0, 3.0, (43, 2))
        prediction = truth * random.lognormal(0.0, 0.3, truth.shape)
    counts = random.integers(0, 3, (5, len(truth)))
    together = chosen(truth, prediction, counts)
    alone = [chosen(np.repeat(truth, c, axis=0), np.repeat(prediction, c, axis=0)) for c in counts]
    np.testing.assert_allclose(together, alone, rtol=1e-10)
    if chosen.rows is not None:
        values = chosen.rows(*chosen.checked(truth, prediction))
        assert np.average(values, axis=0, weights=counts[0]).mean() == pytest.approx(together[0])


def test_scores_of_redshifts_by_hand():
    """Errors (f - y) / (1 + y) of 0.01, 0.02, 0.04, 0.1 and 0.5: median 0.04, distances 0, 0.02, 0.03, 0.06, 0.46."""
    truth = np.array([0.0, 1.0, 3.0, 0.0, 1.0])
    predicted = truth + np.array([0.01, 0.04, 0.16, 0.1, 1.0])
    assert metric("nmad")(truth, predicted) == pytest.approx(1.4826 * 0.03)
    assert metric("nmad")(truth, predicted, [0, 0, 1, 1, 1]) == pytest.approx(1.4826 * 0.06)
    assert metric("outlier_fraction")(truth, predicted) == 0.2
    assert metric("outlier_fraction")(truth, predicted, [1, 1, 1, 1, 4]) == 0.5
    for name in ("nmad", "outlier_fraction"):
        assert np.isnan(metric(name)([-1.0, 0.5], [0.2, 0.5])), "no redshift of -1"
    assert np.isnan(metric("nmad")([1.0, 2.0], [1.0, 3.0], [1.0, -0.5]))


def test_a_negative_weight_takes_a_row_away_where_weights_may_have_signs():
    truth, p, weights = classes_and_probabilities(4, 30, 2, coarse=True)
    twice = np.concatenate([truth, truth[:1]]), np.concatenate([p, p[:1]])
    for chosen in CLASS_METRICS:
        signed = chosen(*twice, np.concatenate([weights, -weights[:1]]))
        assert signed == pytest.approx(chosen(truth[1:], p[1:], weights[1:])), chosen.name
    assert np.isnan(metric("median_absolute_error")([1.0, 2.0], [1.0, 3.0], [1.0, -0.5]))


def test_names_of_scikit_learn_and_keras_mean_metrics():
    assert set(ALIASES.values()) <= {each.name for each in REGISTRY}
    of_several_labels_or_no_truth = "samples|rand|mutual|homogen|complete|fowlkes|v_measure|likelihood|d2|ovo|ovr_w"
    for scorer in sk.get_scorer_names():
        if not re.search(of_several_labels_or_no_truth, scorer):
            assert metric(scorer).task is not None
    assert metric("MeanSquaredError").name == "mse"
    assert metric("explained_variance", Task.RECONSTRUCTION).task is Task.RECONSTRUCTION
    assert metric(sk.f1_score) is named_metric("f1")


def test_a_metric_takes_what_networks_and_libraries_give():
    accuracy, loss = metric("accuracy"), metric("log_loss")
    assert accuracy([0, 1, 1], [[0.2], [0.7], [0.4]]) == accuracy([[0], [1], [1]], [0, 1, 0]) == pytest.approx(2 / 3)
    assert accuracy(np.eye(3), np.eye(3)) == accuracy([2, 0, 1], [2, 0, 1]) == 1.0
    with pytest.raises(ValueError, match="needs probabilities"):
        loss([0, 2], [0, 1])
    with pytest.raises(ValueError, match="two classes"):
        metric("f1")([0, 1, 2], np.eye(3))


def test_functions_count_weights_where_they_take_them():
    def plain(y_true, y_pred):
        return np.mean(np.abs(y_true - y_pred))

    def weighing_loss(y_true, y_pred, sample_weight):
        return np.average(np.abs(y_true - y_pred), weights=sample_weight)

    y, p, w = np.array([1.0, 2.0]), np.array([[1.0], [4.0]]), np.array([3.0, 1.0])
    assert metric(plain)(y, p, w) == metric(weighing_loss)(y, p) == 1.0
    assert metric(weighing_loss)(y, p, w) == 0.5
    assert (metric(plain).greater_is_better, metric(weighing_loss).greater_is_better) == (None, False)
    np.testing.assert_array_equal(metric(plain)(y, p, np.array([[2, 0], [0, 1]])), [0.0, 2.0])


def broken(y_true, y_pred):
    return y_true[len(y_true)]


@pytest.mark.parametrize(
    ("choice", "task", "message"),
    [
        ("acuracy", None, "Did you mean 'accuracy'?"),
        ("f1", Task.REGRESSION, "is for classes, but this fit predicts numbers"),
        ("rmse", Task.CLASSIFICATION, "is for numbers, but this fit predicts classes"),
        (metric("mse"), Task.CLASSIFICATION, "is for numbers"),
        (sk.get_scorer("f1"), None, "must take (y_true, y_pred)"),
        (sk.fbeta_score, None, "got 'fbeta_score'"),
        (len, None, "must take (y_true, y_pred)"),
        (3, None, "expected a name or a function, got 3"),
    ],
)
def test_what_is_no_metric_is_refused(choice, task, message):
    with pytest.raises(SettingError) as caught:
        metric(choice, task)
    assert message in str(caught.value)


def test_a_fault_inside_shows_its_line():
    with pytest.raises(
        SettingError, match=r"broken failed in line \d+ of .*`return y_true\[len\(y_true\)\]`: IndexErr"
    ):
        metric(broken)([1.0, 2.0], [1.0, 2.0])
    with pytest.raises(SettingError, match=r"must return one number, got shape \(2,\)"):
        metric(np.subtract)([1.0, 2.0], [1.0, 2.0])
    assert np.isnan(metric(broken)([1.0], [1.0], np.ones((1, 1), int))).all()


@pytest.mark.parametrize("name", ["f1", "average_precision", "precision"])
def test_the_first_of_two_classes_is_judged_under_resamples_too(name: str) -> None:
    rng = np.random.default_rng(3)
    truth, second = rng.integers(0, 2, 80), rng.uniform(size=80)
    probabilities, weights = np.stack([1 - second, second], axis=1), rng.poisson(1.0, (5, 80)).astype(float)
    (judge,) = chosen_metrics((name,), Task.CLASSIFICATION, ("a", "b"), 0)
    expected = [judge(truth, probabilities, each) for each in weights]
    np.testing.assert_allclose(judge.of_weights(truth, probabilities)(weights), expected, rtol=1e-12)
    (other,) = chosen_metrics((name,), Task.CLASSIFICATION, ("a", "b"), 1)
    assert not np.allclose(other.of_weights(truth, probabilities)(weights), expected)
