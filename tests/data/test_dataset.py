from __future__ import annotations

import numpy as np

from shoal.data import load_dataset

RNG = np.random.default_rng(0)
ROWS = 40
X = RNG.standard_normal(ROWS)
Y = X**2 + 0.1 * RNG.standard_normal(ROWS)


def test_y_of_classes_are_positions() -> None:
    dataset = load_dataset({"x": X, "y": ["b", "a"] * 20})
    assert dataset.y().dtype == np.int64
    assert dataset.y()[:3].tolist() == [1, 0, 1]
    assert dataset.task_name == "binary classification"


def test_errors_weights_groups_and_times() -> None:
    numbers = {"x": X, "y": Y, "z": Y, "s": np.full(ROWS, 0.5), "w": np.arange(ROWS)}
    data = {**numbers, "g": ["b", "a"] * 20, "t": ["2024-01-01", "2024-01-03"] * 20}
    dataset = load_dataset(data, target=["y", "z"], y_err="s", weight="w", group="g", time="t")
    assert [c.name for c in dataset.features] == ["x"]
    y_err, weights, groups, times = dataset.y_err(), dataset.weights(), dataset.groups(), dataset.times()
    assert y_err is not None
    assert weights is not None
    assert groups is not None
    assert times is not None
    assert y_err.shape == (ROWS, 2)
    assert weights.tolist() == list(range(ROWS))
    assert groups[:2].tolist() == [1, 0]
    assert times[1] - times[0] == 2.0
