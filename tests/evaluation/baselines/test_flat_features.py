from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shoal.evaluation.baselines import flat_features
from shoal.evaluation.baselines import tabular as baselines
from shoal.evaluation.baselines.flat_features import block_means
from shoal.evaluation.baselines.tabular import learn_baselines
from shoal.results import Task


def bars(rows: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Colour images with a bright bar in the upper or the lower half."""
    rng = np.random.default_rng(seed)
    x, y = rng.integers(0, 60, (rows, 24, 20, 3)).astype(np.uint8), rng.integers(0, 2, rows)
    for image, below in zip(x, y, strict=True):
        at = rng.integers(2, 10) + 10 * below
        image[at : at + 2] += 60
    return x, y


@settings(max_examples=30, deadline=None)
@given(st.tuples(*[st.integers(1, 9)] * 3, st.integers(1, 3)), st.integers(1, 10))
def test_block_means_are_means_of_blocks(shape: tuple[int, ...], block: int) -> None:
    images = np.random.default_rng(0).random(shape)
    found = block_means(images, block)
    corners = [(i, j) for i in range(0, shape[1], block) for j in range(0, shape[2], block)]
    expected = [images[:, i : i + block, j : j + block].mean(axis=(1, 2)) for i, j in corners]
    np.testing.assert_allclose(found, np.concatenate(expected, axis=1))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("side", [1, 8, 17, 64, 300])
def test_images_become_few_scaled_numbers(dtype: type, side: int) -> None:
    x = np.random.default_rng(0).integers(0, 255, (4, side, side, 3)).astype(dtype)
    flat = flat_features.flat_features(x)(x)
    assert flat.shape[1] <= flat_features.MOST_NUMBERS
    np.testing.assert_allclose(flat.mean(axis=0), 0.0, atol=1e-9)
    assert np.isfinite(flat_features.flat_features(0 * x)(x)).all()


def test_many_images_get_fewer_numbers_each(monkeypatch: pytest.MonkeyPatch) -> None:
    x = np.zeros((100, 16, 16, 1), np.uint8)
    assert flat_features.flat_features(x)(x).shape == (100, 256)
    monkeypatch.setattr(flat_features, "MOST_IN_ALL", 10_000)
    assert flat_features.flat_features(x)(x).shape == (100, 64)


def test_tables_stay_as_they_are() -> None:
    x = np.ones((3, 2), np.float32)
    np.testing.assert_array_equal(flat_features.flat_features(x)(x), x)


@pytest.mark.slow
def test_baselines_learn_from_images(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(baselines, "ROUNDS", 10)
    (x, y), (x_test, y_test) = bars(300), bars(100, 1)
    fits = learn_baselines(Task.CLASSIFICATION, x, y, None, 2, seed=0)(x_test)
    for name in ("logistic_regression", "gradient_boosting"):
        assert (fits[name].argmax(axis=1) == y_test).mean() > 0.9
    targets = x.mean(axis=(1, 2, 3))[:, None]
    values = learn_baselines(Task.REGRESSION, x, targets, None, 0, seed=0)(x_test)
    assert np.corrcoef(values["linear_regression"][:, 0], x_test.mean(axis=(1, 2, 3)))[0, 1] > 0.99
