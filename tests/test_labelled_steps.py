"""A label or a number for each step of series, from fit to predictions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

import shoal
from shoal.cli.app import app
from shoal.errors import NetworkError
from shoal.prediction.predictor import Prediction

TINY = {"networks": 2, "layers": "conv1d:8:3:1:same", "hidden": (4,), "epochs": 15, "learning_rate": 0.02}


def table(rows: int = 30) -> pl.DataFrame:
    """Return steps of series of 6 to 9 steps in no order; each state is that of the value before."""
    rng, parts = np.random.default_rng(1), []
    for i in range(rows):
        v = rng.normal(size=6 + i % 4)
        before = np.concatenate([[0.0], v[:-1]])
        state = np.where(before > 0, "up", "down")
        steps = {"id": [f"s{i}"] * len(v), "t": np.arange(len(v)), "v": v, "state": state, "sum": before + v}
        parts.append(pl.DataFrame(steps))
    return pl.concat(parts).sample(fraction=1.0, shuffle=True, seed=3)


@pytest.fixture(scope="module")
def states(tmp_path_factory: pytest.TempPathFactory) -> shoal.Run:
    folder = tmp_path_factory.mktemp("steps")
    table().write_csv(folder / "steps.csv")
    roles = {"series": "id", "time": "t", "target": "state", "ignore": "sum", "per_step": True}
    return shoal.fit(folder / "steps.csv", **roles, **TINY, out=str(folder / "run"))


@pytest.mark.slow
def test_the_run_tells_of_steps(states: shoal.Run) -> None:
    metrics = states.metrics
    assert metrics["steps"] == np.sum(metrics["confusion_matrix"]["rows_are_true"])
    assert metrics["test"]["accuracy"]["value"] > 0.8
    assert metrics["test"]["log_loss"]["method"] == "cluster bootstrap"
    assert "logistic_regression_on_neighbours" in metrics["baselines"]
    assert f"test series with {metrics['steps']} steps" in states.summary()
    page = states.report().read_text(encoding="utf-8")
    assert "from well to badly predicted" in page
    assert "the steps of one are much alike" in page


@pytest.mark.slow
def test_predictions_come_back_the_same(states: shoal.Run) -> None:
    steps = table().drop("state", "sum")
    prediction = shoal.load(states.path).predict(steps)
    assert prediction.probabilities is not None
    assert prediction.probabilities.shape == (30, 9, 2)
    assert prediction.lengths is not None
    assert np.isfinite(prediction.probabilities[..., 0]).sum() == steps.height == prediction.frame().height
    shuffled = shoal.load(states.path).predict_table(steps.sort("t"))
    assert shuffled[0].columns == ["id", "t", "v"]
    first = {tuple(row[:2]): row[-1] for row in _rows(*states.predict_table(steps))}
    assert first == pytest.approx({tuple(row[:2]): row[-1] for row in _rows(*shuffled)})


def _rows(steps: pl.DataFrame, prediction: Prediction) -> list[tuple[object, ...]]:
    return steps.hstack(prediction.frame().get_columns()).rows()


@pytest.mark.slow
def test_steps_are_evaluated(states: shoal.Run) -> None:
    with pytest.warns(shoal.ShoalWarning, match="the data hold the test rows"):
        scores = states.evaluate(table())
    assert scores["accuracy"].value > 0.8
    assert scores["accuracy"].method == "cluster bootstrap"
    with pytest.raises(NetworkError, match="at each step"):
        states.saliency(table())


@pytest.mark.slow
def test_the_command_writes_a_long_table(states: shoal.Run, tmp_path: Path) -> None:
    table().write_csv(tmp_path / "new.csv")
    out = tmp_path / "out.csv"
    result = CliRunner().invoke(app, ["predict", str(states.path), str(tmp_path / "new.csv"), "-o", str(out)])
    assert result.exit_code == 0, result.output
    written = pl.read_csv(out)
    assert written.columns[:6] == ["id", "t", "v", "state", "sum", "step"]
    assert written.height == table().height
    assert (written["step"] == written["t"] + 1).all()
    assert (written["prediction"] == written["state"]).mean() > 0.8


@pytest.mark.slow
def test_numbers_in_folds_have_error_bars(tmp_path: Path) -> None:
    x = np.random.default_rng(2).normal(size=(36, 8, 1))
    y = x + np.roll(x, 1, axis=1)
    y[4, 2:5] = np.nan
    run = shoal.fit((x, y), **{**TINY, "networks": 1}, cv=2, out=str(tmp_path / "run"))
    prediction = run.predict(x[:, :, :])
    assert prediction.mean is not None
    assert prediction.low is not None
    assert prediction.mean.shape == (36, 8, 1)
    assert (prediction.low < prediction.mean).all()
    assert run.metrics["coverage"]["value"] > 0.5
    assert run.metrics["test"]["rmse"]["value"] < run.metrics["baselines"]["mean"]["rmse"]["value"]
    with pytest.warns(shoal.ShoalWarning, match="the data hold the test rows"):
        assert run.evaluate((x, y))["rmse"].value < 1.2


def test_layers_that_lose_steps_are_refused(tmp_path: Path) -> None:
    x = np.random.default_rng(2).normal(size=(36, 8, 1))
    with pytest.raises(NetworkError, match="lstm:32:true"):
        shoal.fit((x, x), networks=1, layers="lstm:4", epochs=1, out=str(tmp_path / "run"))
    assert not (tmp_path / "run").exists()
