"""Negative weights: no network wins by them without end, in no engine, task or kind of data."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import shoal
from shoal.results import Task
from shoal.run import Run
from shoal.steps.weighting import mean_weights, teaching_weights
from shoal.training.engines.native.library import kernels

needs_kernel = pytest.mark.skipif(not kernels(), reason="the kernel was not built")
ENGINES = (pytest.param("native", marks=needs_kernel), pytest.param("xla", marks=pytest.mark.slow))
NETWORK: dict[str, Any] = {"hidden": (16,), "activation": "relu", "optimizer": "adam", "learning_rate": 0.1}
NETWORK |= {"batch_size": 64, "epochs": 60, "patience": 60, "l2": 0.0, "dropout": 0.0, "networks": 2, "keep": 1}


def islands(rows: int = 600) -> dict[str, np.ndarray]:
    """Return two classes far apart, and signal of negative weight on an island of its own, 12 % of all rows."""
    rng = np.random.default_rng(0)
    place = rng.choice([-3.0, 3.0, 0.0], rows, p=[0.44, 0.44, 0.12])
    x = place + 0.3 * rng.normal(size=rows)
    return {
        "x": x,
        "y": np.where(place < 0.0, "background", "signal"),
        "number": place + 0.1 * rng.normal(size=rows),
        "w": np.where(place == 0.0, -1.0, 1.0),
    }


def fitted(folder: Path, **settings: Any) -> Run:
    return shoal.fit(islands(), weight="w", page=False, out=str(folder / "run"), **{**NETWORK, **settings})


def least_losses(run: Run) -> tuple[float, float]:
    """Return the least training and validation loss of all networks in all epochs."""
    return tuple(float(run.curves[name].min()) for name in ("train_loss", "validation_loss"))  # type: ignore[return-value]


@pytest.mark.slow
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("more", [{}, {"cv": 2}, {"loss": "categorical_crossentropy"}], ids=["split", "cv", "softmax"])
def test_the_loss_of_probabilities_never_falls_below_zero(tmp_path: Path, engine: str, more: dict[str, Any]) -> None:
    run = fitted(tmp_path, target="y", ignore="number", engine=engine, **more)
    assert min(least_losses(run)) >= 0.0
    assert run.metrics["networks"]["diverged"] == 0
    assert run.metrics["test"]["accuracy"]["value"] > 0.95
    p = run.predict({"x": [-3.0, 3.0]}).probabilities
    assert min(p[0, 0], p[1, 1]) > 0.95
    assert any("mean weights" in warning for warning in run.metrics["data"]["warnings"])


@pytest.mark.slow
@pytest.mark.parametrize("engine", ENGINES)
def test_squared_errors_never_fall_below_zero(tmp_path: Path, engine: str) -> None:
    run = fitted(tmp_path, target="number", ignore="y", engine=engine)
    assert min(least_losses(run)) >= 0.0
    np.testing.assert_allclose(run.predict({"x": [-3.0, 3.0]}).mean[:, 0], [-3.0, 3.0], atol=0.5)


@pytest.mark.parametrize(
    ("shape", "task", "y"),
    [
        ((12, 2), Task.CLASSIFICATION, np.arange(90) % 2),
        ((6, 6, 1), Task.CLASSIFICATION, np.arange(90) % 3),
        ((12, 2), Task.CLASSIFICATION, np.tile(np.arange(12) % 2, (90, 1))),
        ((12, 2), Task.REGRESSION, np.ones((90, 12, 1))),
        ((3,), Task.REGRESSION, np.ones((90, 2))),
        ((3,), Task.RECONSTRUCTION, np.zeros((90, 0))),
    ],
    ids=["series", "images", "classes of steps", "numbers of steps", "two targets", "reconstruction"],
)
def test_rows_of_every_kind_get_mean_weights(shape: tuple[int, ...], task: Task, y: np.ndarray) -> None:
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=(90, *shape)).astype(np.float32), np.where(np.arange(90) % 7 == 0, -1.0, 1.0)
    dataset = SimpleNamespace(weights=lambda: w, inputs=lambda rows: x[rows], y=lambda: y, task=task)
    split = SimpleNamespace(train=np.arange(60), validation=np.arange(60, 75))
    like = SimpleNamespace(transform=lambda rows: rows)
    weights = teaching_weights(dataset, split, like, mean_weights(dataset, split, like, 0))  # type: ignore[arg-type]
    assert weights is not None
    assert (weights[:75] >= 0.0).all()
    assert weights[:60].sum() == pytest.approx(w[:60].sum())
    assert np.array_equal(weights[75:], w[75:])  # the test rows
    w[:75] = 1.0
    assert mean_weights(dataset, split, None, 0) is None  # type: ignore[arg-type]
    assert np.array_equal(teaching_weights(dataset, split, None, None), w)  # type: ignore[arg-type]
