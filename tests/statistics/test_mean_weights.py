"""Mean weights: those of rows that are alike, never negative, so that no weighted loss falls below its least value."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shoal.networks.namespace import numpy_namespace
from shoal.statistics.mean_weights import learn_mean_weights
from shoal.training.losses import binary_crossentropy_of_logits


def signed(rng: np.random.Generator, rows: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return x, class, weights, and the exact mean of the sign: 0.2 to 1 in class 0, 0.6 in class 1."""
    x, y = rng.uniform(-1.0, 1.0, (rows, 2)), rng.integers(0, 2, rows)[:, None].astype(float)
    mean = np.where(y[:, 0] == 0.0, 0.6 + 0.4 * x[:, 0], 0.6)
    sign = np.where(rng.uniform(size=rows) < (1.0 + mean) / 2.0, 1.0, -1.0)
    return x, y, sign * rng.lognormal(0.0, 0.5, rows), mean


@pytest.mark.slow
def test_the_mean_of_the_sign_is_learned_where_it_depends_on_the_row() -> None:
    rng = np.random.default_rng(0)
    x, y, w, _ = signed(rng, 8000)
    learned = learn_mean_weights(x, y, w, 0, classes=True)
    new_x, new_y, new_w, mean = signed(rng, 8000)
    off = learned(new_x, new_y, new_w) / np.abs(new_w) - mean
    assert np.sqrt(np.mean(off**2)) < 0.5 * mean.std()
    for k in (0, 1):  # the sum of a class is known to 0.014: 4,000 signs of deviation 0.8, their weights uneven
        assert abs(off[new_y[:, 0] == k].mean()) < 0.05
    # sums of new rows are those of the signs within their errors, at a fraction of the variance
    for function in (new_x[:, 0], new_x[:, 0] * new_y[:, 0], new_x[:, 1] ** 2):
        difference = (learned(new_x, new_y, new_w) - new_w) * function
        assert abs(difference.sum()) < 4.0 * np.sqrt((difference**2).sum())


@pytest.mark.slow
@settings(max_examples=15)
@given(seed=st.integers(0, 2**63 - 1), share=st.floats(0.01, 0.45), steepness=st.floats(0.0, 1e4))
def test_no_network_falls_below_the_floor(seed: int, share: float, steepness: float) -> None:
    """Not even the one that tells every row of negative weight from its neighbours, which no signed loss survives."""
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(80, 2)), np.arange(80)[:, None] % 2
    w = np.where(np.arange(80) < max(1.0, 80 * share), -1.0, 1.0) * rng.lognormal(0.0, 1.0, 80)
    mean = learn_mean_weights(x, y.astype(float), w, seed, classes=True)(x, y.astype(float), w)
    assert (mean >= 0.0).all()
    assert np.isfinite(mean).all()
    against = steepness * np.where(w < 0.0, 1 - 2 * y[:, 0], 2 * y[:, 0] - 1)[:, None]
    values: Any = binary_crossentropy_of_logits(numpy_namespace, y.astype(float), against, {})[:, 0]
    assert (mean * values).sum() >= 0.0
    if steepness > 100.0:
        assert (w * values).sum() < 0.0


@pytest.mark.parametrize("classes", [True, False])
def test_sums_of_weights_stay(classes: bool) -> None:
    rng = np.random.default_rng(1)
    x, y, w, _ = signed(rng, 200)
    mean = learn_mean_weights(x, y, w, 0, classes=classes)(x, y, w)
    for rows in (y[:, 0] == 0, y[:, 0] == 1) if classes else (np.ones(200, bool),):
        assert mean[rows].sum() == pytest.approx(w[rows].sum())


def test_a_class_that_did_not_train_and_one_without_weight_are_borne() -> None:
    rng = np.random.default_rng(2)
    x, y, w, _ = signed(rng, 100)
    w[y[:, 0] == 1] *= -1.0  # the sum of this class is negative
    learned = learn_mean_weights(x, y, w + 0.9, 0, classes=True)
    mean = learned(x, np.full((100, 1), 7.0), w)
    assert (mean >= 0.0).all()
    assert np.isfinite(mean).all()
