"""Baselines for series: kernels against a plain loop, ridge against scikit-learn, forecasts by hand."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from sklearn.linear_model import Ridge as PlainRidge

from shoal.data import Preparation, load_dataset, split_rows
from shoal.data.signals import PADDED
from shoal.evaluation.baselines.minirocket import PLACES, SHARING, Kernels
from shoal.evaluation.baselines.ridge import PENALTIES, Ridge
from shoal.evaluation.baselines.series import (
    Forecast,
    find_season,
    forecast_of,
    learn_series_baselines,
    split_padding,
)
from shoal.evaluation.baselines.tabular import learn_baselines
from shoal.results import Task


def plain_share(
    series: np.ndarray, length: int, place: tuple[int, ...], dilation: int, bias: float, inside: bool
) -> float:
    """Return one feature of one series `(time,)`, tap by tap."""
    edge = 4 * dilation
    narrow = inside and length > 2 * edge
    steps = range(edge, length - edge) if narrow else range(length)
    above = 0
    for t in steps:
        total = 0.0
        for tap in range(9):
            at = t + (tap - 4) * dilation
            if 0 <= at < len(series):
                total += (2.0 if tap in place else -1.0) * series[at]
        above += total > bias
    return above / len(steps)


@pytest.mark.parametrize("channels", [1, 3])
def test_features_are_those_of_a_plain_loop(channels: int) -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((6, 40, channels)).astype(np.float32)
    lengths = np.array([40, 40, 31, 20, 9, 40])
    x[np.arange(40) >= lengths[:, None]] = 0.0
    kernels = Kernels.fit(x, lengths, seed=1)
    features = kernels.transform(x, lengths).reshape(6, *kernels.biases.shape)
    for _ in range(60):
        row, d, k, b = (int(rng.integers(n)) for n in features.shape)
        chosen = [0] if kernels.channels is None else kernels.channels[d][k // SHARING]
        series = x[row][:, chosen].sum(axis=1)
        share = plain_share(
            series,
            lengths[row],
            PLACES[kernels.places[k]],
            kernels.dilations[d],
            kernels.biases[d, k, b],
            (k + d) % 2 == 1,
        )
        assert features[row, d, k, b] == pytest.approx(share, abs=1.5 / lengths[row])  # sums in another order


def test_padding_changes_nothing() -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((40, 30, 2)).astype(np.float32)
    x[20:] += np.sin(np.arange(30))[:, None]
    y = np.repeat([0, 1], 20)
    longer = np.full((40, 45, 2), PADDED, np.float32)
    longer[:, :30] = x
    values, lengths = split_padding(longer)
    assert (lengths == 30).all()
    assert (values[:, 30:] == 0).all()
    short = learn_series_baselines(Task.CLASSIFICATION, x, y, None, 2, 0)(x)["random_kernels"]
    long = learn_series_baselines(Task.CLASSIFICATION, longer, y, None, 2, 0)(longer)["random_kernels"]
    np.testing.assert_allclose(short, long, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("shape", [(30, 5), (20, 50)])
def test_ridge_predicts_each_row_as_a_fit_without_it(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_normal(shape)
    y = x[:, :1] - 2 * x[:, 1:2] + rng.standard_normal((shape[0], 2))
    ridge = Ridge.fit(x, y, np.ones(len(x)))
    scaled = (x - x.mean(axis=0)) / x.std(axis=0)
    errors, without = [], []
    for penalty in PENALTIES * len(x):
        left = np.empty_like(y)
        for i in range(len(x)):
            others = np.delete(np.arange(len(x)), i)
            left[i] = PlainRidge(penalty).fit(scaled[others], y[others]).predict(scaled[i : i + 1])
        errors.append((((left - y) / y.std(axis=0)) ** 2).sum())
        without.append(left)
    best = int(np.argmin(errors))
    np.testing.assert_allclose(ridge.left_out, without[best], rtol=1e-6, atol=1e-6)
    whole = PlainRidge(PENALTIES[best] * len(x)).fit(scaled, y)
    np.testing.assert_allclose(ridge.predict(x), whole.predict(scaled), rtol=1e-6, atol=1e-6)


def test_weights_count_as_repeated_rows_do() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((40, 3)), rng.standard_normal((40, 1))
    weights = rng.integers(0, 3, 40)
    some = Ridge.fit(x, x[:, :1] + 0.01 * y, weights.astype(float))
    rows = np.repeat(np.arange(40), weights)
    repeated = Ridge.fit(x[rows], x[rows, :1] + 0.01 * y[rows], np.ones(len(rows)))
    np.testing.assert_allclose(some.predict(x), repeated.predict(x), atol=0.02)


@pytest.mark.slow
def test_bursts_are_told_apart() -> None:
    dataset = load_dataset("chirps")
    split = split_rows(dataset)
    preparation = Preparation.fit(dataset, split.train)
    x, y = preparation.transform(dataset.inputs(split.train)), dataset.y()
    learned = learn_baselines(dataset.task, x, y[split.train], None, 3, 0, forecast_of(preparation))
    predicted = pickle.loads(pickle.dumps(learned))(preparation.transform(dataset.inputs(split.test)))
    assert list(predicted) == ["most_frequent", "random_kernels"]
    probabilities = predicted["random_kernels"]
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0)
    assert (probabilities.argmax(axis=1) == y[split.test]).mean() > 0.85
    log_loss = -np.log(probabilities[np.arange(len(split.test)), y[split.test]]).mean()
    assert log_loss < 0.5


@pytest.mark.slow
def test_a_measured_target_of_whole_series() -> None:
    rng = np.random.default_rng(0)
    frequency = rng.uniform(0.2, 1.5, (200, 1))
    x = np.sin(frequency * np.arange(50) + rng.uniform(0, 6, (200, 1)))[:, :, None]
    predicted = learn_series_baselines(Task.REGRESSION, x[:150], frequency[:150], None, 0, 0)(x[150:])
    assert list(predicted) == ["mean", "random_kernels"]
    rms = {name: float(np.sqrt(((values - frequency[150:]) ** 2).mean())) for name, values in predicted.items()}
    assert rms["random_kernels"] < 0.1 < rms["mean"]


def test_classes_that_training_did_not_see() -> None:
    x = np.random.default_rng(0).standard_normal((20, 12, 1))
    predicted = learn_series_baselines(Task.CLASSIFICATION, x, [0, 2] * 10, None, 3, 0)(x)
    assert (predicted["random_kernels"][:, 1] == 0).all()
    alone = learn_series_baselines(Task.CLASSIFICATION, x, [1] * 20, None, 3, 0)(x)
    assert alone["random_kernels"].tolist() == [[0.0, 1.0, 0.0]] * 20


def test_forecasts_by_hand() -> None:
    steps = np.arange(200.0)
    values = np.sin(2 * np.pi * steps / 10) + 0.3 * np.sin(2 * np.pi * steps / 5)
    window, horizon = 25, 12
    starts = np.arange(200 - window - horizon)
    x = np.stack([values[s : s + window] for s in starts])[:, :, None]
    y = np.stack([values[s + window : s + window + horizon] for s in starts])
    scaled = np.concatenate([np.zeros_like(x), (x - 2.0) / 3.0], axis=2).astype(np.float32)
    forecast = Forecast((1,), (2.0,), (3.0,), horizon)
    learned = pickle.loads(pickle.dumps(learn_series_baselines(Task.REGRESSION, scaled, y, None, 0, 0, forecast)))
    assert learned.season == 10
    predicted = learned(scaled)
    np.testing.assert_allclose(predicted["persistence"], np.repeat(x[:, -1], horizon, axis=1), atol=1e-5)
    np.testing.assert_allclose(predicted["seasonal_naive"], y, atol=1e-5)
    np.testing.assert_allclose(predicted["ridge_on_window"], y, atol=0.05)


def test_the_season_that_the_user_gives_counts() -> None:
    dataset = load_dataset("driven_pendulum", window=30, horizon=2, season=7)
    preparation = Preparation.fit(dataset, np.arange(1000))
    forecast = forecast_of(preparation)
    assert forecast is not None
    assert forecast.season == 7
    x = preparation.transform(dataset.inputs(np.arange(50)))
    predicted = learn_series_baselines(Task.REGRESSION, x, dataset.y()[:50], None, 0, 0, forecast)(x)
    assert dataset.signals is not None
    np.testing.assert_allclose(predicted["seasonal_naive"], dataset.signals.values[:50, 23:25, 0], atol=1e-5)
    np.testing.assert_allclose(predicted["persistence"][:, 0], dataset.signals.values[:50, -1, 0], atol=1e-5)


def test_noise_and_trends_have_no_season() -> None:
    rng = np.random.default_rng(0)
    for series in (rng.standard_normal(600), np.cumsum(rng.standard_normal(600)), np.arange(600.0)):
        windows = np.lib.stride_tricks.sliding_window_view(series, 40)[:, :, None]
        assert find_season(windows) is None
