"""Negative weights: no network wins by them without end, in no engine, task or kind of data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import shoal
from shoal.run import Run
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
