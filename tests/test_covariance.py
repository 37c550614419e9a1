"""A covariance of the measured targets from end to end: the errors of the fit, what is written, what is refused."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import shoal
from shoal.cli import main
from shoal.data import Preparation
from shoal.prediction.replicas import sound_replicas, with_redrawn_targets
from shoal.run import Run
from shoal.search.members import members_of, replicas_of
from shoal.settings import check_settings
from shoal.steps.ensemble import make_ensemble
from shoal.steps.posing import Posed, pose
from shoal.steps.reading import read
from shoal.training import trainer
from shoal.training.engines.native import NativeEngine
from shoal.training.engines.native.library import best_kernel
from shoal.training.hyperparameters import Hyperparameters
from shoal.training.progress import Silent
from shoal.training.trainer import train

ROWS = 90
RNG = np.random.default_rng(5)
X, SIGMA = RNG.uniform(-2.0, 2.0, ROWS), RNG.uniform(0.05, 0.2, ROWS)
COVARIANCE = 0.15**2 + np.diag(SIGMA**2)
DATA = {"x": X, "y": np.sin(2.0 * X) + np.linalg.cholesky(COVARIANCE) @ RNG.standard_normal(ROWS)}
SETTINGS: dict[str, Any] = {"target": "y", "replicas": 6, "keep": 1, "seed": 3, "engine": "native", "page": False}


@pytest.fixture
def matrix(tmp_path: Path) -> str:
    path = tmp_path / "c.npy"
    np.save(path, COVARIANCE)
    return str(path)


@pytest.fixture
def fit(tiny: dict[str, Any], tmp_path: Path) -> Any:
    def fit(name: str, data: Any = DATA, **more: Any) -> Run:
        return shoal.fit(data, out=str(tmp_path / name), **{**tiny, **SETTINGS, **more})

    return fit


def files(run: Run) -> tuple[bytes, dict[str, Any]]:
    metrics = json.loads((run.path / "metrics.json").read_text(encoding="utf-8"))
    metrics.pop("seconds")
    return (run.path / "model" / "weights.safetensors").read_bytes(), metrics


@pytest.mark.slow
def test_a_covariance_is_carried_to_every_prediction_and_repeats(fit: Any, matrix: str) -> None:
    run = fit("run", y_cov=matrix)
    told = run.predict({"x": [-1.0, 0.0, 1.0]})
    assert (told.data_spread > 0.05).all()  # the offset alone is 0.15
    assert (told.total >= told.data_spread).all()
    assert files(fit("again", y_cov=matrix)) == files(run)
    config = run.folder.config
    assert config["settings"]["y_cov"] == matrix
    assert f"y_cov='{matrix}'" in config["command"]
    found = run.metrics["measured_errors"]
    assert (found["columns"], found["covariance"]) == ([], "c.npy")
    assert "The pulls are decorrelated by the covariance of the errors in c.npy." in found["text"]
    assert 0.8 < found["targets"]["y"]["test"]["expected"] < 1.4
    loaded = shoal.load(run.path).predict({"x": [0.5], "sigma": [0.1]})  # no column holds errors of new values
    np.testing.assert_array_equal(loaded.total, run.predict({"x": [0.5]}).total)


@pytest.mark.slow
def test_a_diagonal_covariance_is_what_the_standard_errors_are(fit: Any, matrix: str) -> None:
    np.save(matrix, np.diag(SIGMA**2))
    one, other = fit("matrix", y_cov=matrix), fit("column", {**DATA, "sigma": np.sqrt(SIGMA**2)}, y_err="sigma")
    assert files(one)[0] == files(other)[0]
    for part in ("test", "validation"):
        a, b = (run.metrics["measured_errors"]["targets"]["y"][part] for run in (one, other))
        assert a == b


@pytest.mark.slow
def test_the_diagonal_weighs_the_rows(fit: Any, matrix: str) -> None:
    options: dict[str, Any] = {"replicas": None, "networks": 1}
    with_all, with_diagonal = fit("all", y_cov=matrix, **options), None
    sigma = np.sqrt(np.diag(COVARIANCE))
    with_diagonal = fit("diagonal", {**DATA, "sigma": sigma}, y_err="sigma", **options)
    at = {"x": [-1.0, 0.3]}
    np.testing.assert_array_equal(with_all.predict(at).mean, with_diagonal.predict(at).mean)
    scatters = [r.metrics["measured_errors"]["targets"]["y"]["intrinsic_scatter"] for r in (with_all, with_diagonal)]
    assert scatters[0]["value"] > scatters[1]["value"]  # the networks have learned little, which the offset would hide


class CtrlC(Silent):
    """Presses Ctrl-C when the replicas train."""

    def training(self, *, total: int, **news: Any) -> None:
        if total == 6:
            raise KeyboardInterrupt


@pytest.mark.slow
def test_an_interrupted_run_goes_on_and_a_changed_covariance_is_noticed(
    fit: Any, matrix: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(trainer, "KEEP_SECONDS", 0.0)
    path = tmp_path / "data.csv"
    pl.DataFrame(DATA).write_csv(path)
    whole = fit("whole", str(path), y_cov=matrix)
    for name in ("stopped", "changed"):
        with pytest.raises(shoal.Interrupted, match="0 of 6 replicas are trained and kept"):
            fit(name, str(path), y_cov=matrix, progress=CtrlC())
    assert files(shoal.resume(tmp_path / "stopped")) == files(whole)
    np.save(matrix, 1.1 * COVARIANCE)
    with pytest.raises(shoal.RunError, match="have changed since the run began"):
        shoal.resume(tmp_path / "changed")


@pytest.mark.slow
def test_folds_weights_and_learned_scatter_go_with_it(fit: Any, matrix: str) -> None:
    run = fit("folds", y_cov=matrix, cv=2, replicas=3)
    assert (run.predict({"x": [0.0]}).data_spread > 0.0).all()
    rolled = fit("rolling", {**DATA, "t": np.arange(ROWS)}, y_cov=matrix, cv=2, replicas=3, time="t")
    assert {replica.fold for replica in rolled.predictor.replicas} == {1}
    weighted = fit("weights", {**DATA, "w": np.linspace(0.5, 2.0, ROWS)}, y_cov=matrix, weight="w", replicas=3)
    assert weighted.metrics["measured_errors"]["targets"]["y"]["test"]["ndf"] < 18
    learned = fit("scatter", y_cov=matrix, scatter="constant", engine="xla", replicas=3)
    assert (learned.predict({"x": [0.0]}).data_spread > 0.0).all()


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"y_err": "x"}, "y_cov and y_err both say how large the errors of the target are; leave one of them out"),
        ({"window": 5}, "y_cov is the covariance of rows, but with window rows are steps"),
        ({"reconstruct": True, "target": None, "replicas": None, "keep": None}, "cannot be combined with y_cov"),
        ({"loss": "pinball"}, "loss 'pinball' learns how targets are distributed, .* has no use for y_cov"),
    ],
)
def test_what_does_not_go_with_it_says_so(fit: Any, matrix: str, more: dict[str, Any], message: str) -> None:
    with pytest.raises(shoal.SettingError, match=message):
        fit("run", y_cov=matrix, **more)


@pytest.mark.slow
def test_the_command_line_tells_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pl.DataFrame(DATA).write_csv(tmp_path / "rows.csv")
    np.savetxt(tmp_path / "c.txt", COVARIANCE[:9, :9])
    out = ["-o", str(tmp_path / "run")]
    assert main(["fit", str(tmp_path / "rows.csv"), "--target", "y", "--y-cov", str(tmp_path / "c.txt"), *out]) != 0
    assert "is the covariance of 9 rows, but the data have 90" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
    assert main(["fit", "--help"]) == 0
    assert "--y-cov" in capsys.readouterr().out


@pytest.mark.slow
def test_the_page_tells_of_decorrelated_pulls(fit: Any, matrix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    records: list[Any] = []
    monkeypatch.setattr(
        importlib.import_module("shoal.steps.writing"), "write_report", lambda record, *_: records.append(record)
    )
    fit("run", y_cov=matrix, page=True)
    from shoal.report.page import page_html

    page = page_html(records[0], {})
    assert "With the covariance C, pulls are C^(−1/2) (true − predicted)." in page
    assert "The covariance of the measured errors of" in page
    assert "what rows share with those that taught the network" in page


# what the errors of the fit come to

GRID = np.asarray([0.5, 3.0, 5.0, 8.0, 9.5])
FIXED = np.random.default_rng(7)
PLACES, SIZES = FIXED.uniform(0.0, 10.0, 250), FIXED.uniform(0.15, 0.45, 250)
OFFSET = 0.1**2 + np.diag(SIZES**2)


def fitted(seed: int, errors: dict[str, Any], columns: dict[str, np.ndarray]) -> Any:
    """Return one straight line, fitted to the rows as measured once more, with its replicas."""
    y = 1.0 + 0.5 * PLACES + np.linalg.cholesky(OFFSET) @ np.random.default_rng(100 + seed).standard_normal(250)
    settings = check_settings({"target": "y", "seed": seed, "cv": "none", **errors})
    dataset, split = read({"x": PLACES, "y": y, **columns}, settings)
    preparation = Preparation.fit(dataset, split.train)
    problem = pose(dataset, split, preparation, settings)
    h = Hyperparameters(hidden=(), learning_rate=0.02, epochs=100, batch_size=64, patience=1000)
    members = members_of([h])
    trained = train(problem, members, NativeEngine()).members
    task = with_redrawn_targets(problem, dataset, split, preparation.target_scale, 12)
    replicas = sound_replicas(train(task, replicas_of(members, 12), NativeEngine()).members)
    predictor, _ = make_ensemble(Posed(dataset, split, preparation, problem, check_settings({})), trained, replicas)
    return predictor.predict(pl.DataFrame({"x": GRID}))


@pytest.mark.slow
@pytest.mark.skipif(best_kernel() is None, reason="hundreds of networks are quick in the native engine only")
def test_the_spread_of_replicas_holds_a_common_error_and_that_of_standard_errors_does_not(matrix: str) -> None:
    np.save(matrix, OFFSET)
    whole = [fitted(seed, {"y_cov": matrix}, {}) for seed in range(30)]
    true = np.sqrt(np.mean(np.square([a.mean[:, 0] - (1.0 + 0.5 * GRID) for a in whole])))
    told = np.sqrt(np.mean(np.square([a.data_spread for a in whole])))
    assert true > 0.08
    assert 0.75 < told / true < 1.33  # 30 offsets know their size to 13 %
    alone = [fitted(s, {"y_err": "sigma"}, {"sigma": np.sqrt(np.diag(OFFSET))}) for s in range(5)]
    assert np.sqrt(np.mean(np.square([a.data_spread for a in alone]))) < 0.5 * true
