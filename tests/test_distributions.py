"""Distributions from end to end: what predictions hold, that they survive the file, what is refused."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import shoal
from shoal.errors import DataError, SettingError
from shoal.run import Run
from shoal.training.heads import GaussianHead

RNG = np.random.default_rng(2)
X = RNG.uniform(0.0, 1.0, 150)
NOISE = 0.1 + 0.4 * X
A, B = RNG.standard_normal((2, 150))
DATA: dict[str, Any] = {
    "x": X,
    "y": np.sin(4.0 * X) + NOISE * A,
    "z": X + NOISE * (0.8 * A + 0.6 * B),
    "hits": RNG.poisson(np.exp(1.0 + X)),
    "sigma": RNG.uniform(0.05, 0.1, 150),
}
WAYS: dict[str, dict[str, Any]] = {
    "gaussian": {"target": "y", "loss": "gaussian_nll", "ignore": ["z", "hits", "sigma"]},
    "quantiles": {"target": "y", "loss": "pinball", "coverage": 0.8, "ignore": ["z", "hits", "sigma"]},
    "counts": {"target": "hits", "task": "regression", "loss": "poisson", "ignore": ["y", "z", "sigma"]},
    "covariance": {"target": ["y", "z"], "loss": "multivariate_gaussian_nll", "ignore": ["hits", "sigma"]},
    "scatter": {"target": "y", "y_err": "sigma", "scatter": "constant", "ignore": ["z", "hits"]},
}


@pytest.fixture(autouse=True)
def no_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.import_module("shoal.steps.writing"), "write_report", lambda *_: None)


@pytest.fixture
def fit(tiny: dict[str, Any], tmp_path: Path) -> Any:
    def fit(way: str, **more: Any) -> Run:
        return shoal.fit(DATA, out=str(tmp_path / way), **{**tiny, **WAYS[way], **more})

    return fit


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_predictions_hold_the_distribution_and_survive_the_file(way: str, fit: Any) -> None:
    run = fit(way)
    said = run.predict(DATA)
    again = shoal.load(run.path).predict(DATA)
    assert said.frame().equals(again.frame())
    assert (said.std_below > 0.0).all()
    assert (said.low < said.high).all()
    columns = said.frame().columns
    expected = {
        "gaussian": ["noise"],
        "quantiles": ["noise", "quantile_0.1", "quantile_0.159", "quantile_0.5", "quantile_0.841", "quantile_0.9"],
        "counts": ["noise"],
        "covariance": ["noise_y", "noise_z", "correlation_y_z"],
        "scatter": ["scatter", "total"],
    }[way]
    assert [name for name in columns if name in expected] == expected
    assert np.isfinite(run.metrics["negative_log_likelihood"]["value"])
    if way == "quantiles":
        assert run.metrics["quantiles"][0]["level"] == pytest.approx(0.1)
        np.testing.assert_array_equal(said.mean, said.quantiles[:, :, 2])
        reach = said.high - said.mean, said.mean - said.low
        assert not np.allclose(*reach)
    if way == "counts":
        np.testing.assert_allclose(said.noise**2, said.mean)
        assert (said.low >= 0.0).all()
    if way == "covariance":
        sizes = np.sqrt(np.diagonal(said.covariance, axis1=1, axis2=2))
        np.testing.assert_allclose(sizes, said.std, rtol=1e-6)
        assert (np.abs(said.frame()["correlation_y_z"].to_numpy()) < 1.0).all()
    if way == "scatter":
        assert said.noise is None
        assert run.metrics["measured_errors"]["text"].endswith(
            "have learned a scatter beside the errors, and predictions count it."
        )
        assert np.unique(said.scatter.round(9)).size == 1
        squares = said.spread**2 + said.scatter**2 + DATA["sigma"][:, None] ** 2
        np.testing.assert_allclose(said.total**2, squares)


def test_the_ensemble_averages_what_its_members_say(fit: Any) -> None:
    predictor = fit("gaussian", keep=2).predictor
    assert predictor.head == GaussianHead()
    x = predictor.preparation.transform(__import__("polars").DataFrame({"x": [0.2, 0.8]}))
    outputs = [member.network.predict(member.parameters, x).astype(np.float64) for member in predictor.members]
    scale, mean = predictor.preparation.target_scale, predictor.preparation.target_mean
    said = predictor.predict_features(x)
    means = np.stack([mean + scale * output[:, :1] for output in outputs])
    variance = np.mean([scale**2 * (np.exp(2 * output[:, 1:]) + 1e-6) for output in outputs], axis=0)
    np.testing.assert_allclose(said.mean, means.mean(axis=0))
    np.testing.assert_allclose(said.noise, np.sqrt(variance))
    factor = 1.0 if predictor.scale is None else predictor.scale
    np.testing.assert_allclose(said.std, factor * np.sqrt(means.var(axis=0) + variance))


@pytest.mark.slow
def test_folds_and_replicas_go_with_a_head(fit: Any) -> None:
    said = fit("gaussian", cv=2).predict(DATA)
    assert (said.low < said.mean).all()
    run = fit("scatter", replicas=3, keep=1)
    assert (run.predict(DATA).data_spread > 0.0).all()


def test_what_makes_no_sense_is_refused(fit: Any) -> None:
    with pytest.raises(SettingError, match="has no use for y_err"):
        fit("quantiles", y_err="sigma", ignore=["z", "hits"])
    with pytest.raises(SettingError, match="engine native cannot train these networks"):
        fit("covariance", engine="native")
    with pytest.raises(DataError, match=r"column 'y': counts cannot be negative, but row \d+ holds -"):
        fit("counts", target="y", ignore=["z", "hits", "sigma"])
    with pytest.raises(SettingError, match="does not suit classification"):
        shoal.fit("iris", loss="poisson")
