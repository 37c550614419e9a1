"""Measured errors from end to end: replicas of a run, what they refuse, that they repeat and go on."""

from __future__ import annotations

import importlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

import shoal
from shoal.cli.app import app
from shoal.prediction.absent_columns import absent_columns
from shoal.run import Run
from shoal.training import trainer
from shoal.training.progress import Silent

RNG = np.random.default_rng(5)
X, SIGMA = RNG.uniform(-2.0, 2.0, 90), RNG.uniform(0.05, 0.2, 90)
DATA = {"x": X, "y": np.sin(2.0 * X) + SIGMA * RNG.standard_normal(90), "sigma": SIGMA}
SETTINGS: dict[str, Any] = {"target": "y", "y_err": "sigma", "replicas": 4, "keep": 2, "seed": 3, "engine": "native"}


@pytest.fixture(autouse=True)
def no_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.import_module("shoal.steps.writing"), "write_report", lambda *_: None)


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
def test_replicas_give_a_column_of_their_own_and_repeat(fit: Any) -> None:
    run = fit("run")
    assert len(run.predictor.replicas) <= 8
    assert {m.origin for m in run.predictor.replicas} == {m.id for m in run.predictor.members}
    logged = run.replicas
    assert logged["draw"].to_list() == [0, 0, 1, 1, 2, 2, 3, 3]
    assert set(logged["network"]) == {m.id for m in run.predictor.members}
    assert logged.filter(logged["kept"])["id"].to_list() == [m.id for m in run.predictor.replicas]
    frame = run.predict({"x": [-1.0, 0.0, 1.0]}).frame()
    assert frame.columns[:6] == ["prediction", "std", "low", "high", "spread", "data_spread"]
    assert (frame["data_spread"] > 0.0).all()
    assert files(fit("again")) == files(run)
    plain = fit("plain", replicas=None)
    np.testing.assert_array_equal(plain.predict({"x": [0.5]}).mean, run.predict({"x": [0.5]}).mean)
    assert plain.predict({"x": [0.5]}).data_spread is None
    # a run with more replicas has the same ones first
    more = fit("more", replicas=5).predictor.replicas
    kernels = [{m.id: m.parameters[0]["kernel"] for m in each} for each in (run.predictor.replicas, more)]
    assert all((kernels[0][i] == kernels[1][i]).all() for i in kernels[0].keys() & kernels[1].keys())


class CtrlC(Silent):
    """Presses Ctrl-C when the replicas have trained for so many chunks."""

    def __init__(self, chunks: int) -> None:
        self.chunks, self.total = chunks, 0

    def training(self, *, total: int, **news: Any) -> None:
        self.chunks -= total == 8  # replicas; of candidates there are 4
        if self.chunks == 0:
            raise KeyboardInterrupt


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["native", "xla"])
def test_an_interrupted_run_goes_on_with_its_replicas(
    fit: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, engine: str
) -> None:
    monkeypatch.setattr(trainer, "KEEP_SECONDS", 0.0)
    path = tmp_path / "data.csv"
    lines = [
        "x,y,sigma",
        *(f"{x!r},{y!r},{s!r}" for x, y, s in zip(*map(np.ndarray.tolist, DATA.values()), strict=True)),
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    whole = fit("whole", str(path), engine=engine)
    with pytest.raises(shoal.Interrupted, match=r"0 of 8 replicas are trained and kept in .*stopped"):
        fit("stopped", str(path), engine=engine, progress=CtrlC(1))
    assert files(shoal.resume(tmp_path / "stopped")) == files(whole)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"y_err": None, "features": "x"}, r"no column holds the errors of 'y'; name it with y_err \(--y-err COLUMN\)"),
        ({"replicas": 1}, "replicas: expected 2 or more, got replicas=1"),
    ],
)
def test_replicas_need_measured_errors(fit: Any, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(shoal.SettingError, match=message):
        fit("run", **changes)


def test_classes_have_no_replicas(tiny: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(shoal.SettingError, match="replicas redraw measured numbers within their errors, but here"):
        shoal.fit("iris", replicas=3, out=str(tmp_path / "run"), **tiny)


def test_folds_have_replicas_too(fit: Any) -> None:
    run = fit("run", cv=2, keep=1, replicas=3)
    assert [m.fold for m in run.predictor.members] == [0, 1]
    assert {m.fold for m in run.predictor.replicas} == {0, 1}
    assert (run.predict({"x": [0.0]}).data_spread > 0.0).all()


NOISY = {**DATA, "x": X + 0.1 * RNG.standard_normal(90), "dx": np.full(90, 0.1)}


@pytest.mark.slow
def test_errors_of_features_are_carried_to_the_prediction(fit: Any) -> None:
    run = shoal.load(fit("run", NOISY, x_err="x=dx", replicas=None).path)
    assert run.predictor.preparation.input_columns == ("x",)
    rows = {"x": [-1.5, 0.0, 0.5], "dx": [0.1, 0.1, 0.0]}
    told = run.predict(rows)
    assert told.input_spread is not None
    assert (told.input_spread[:2] > 0.0).all()
    assert told.input_spread[2] == 0.0
    with pytest.warns(shoal.ShoalWarning, match="no column 'dx' with the errors of 'x': error bars count"):
        without = run.predict({"x": rows["x"]})
    assert without.input_spread is None
    # a row's own errors, or those of the rows of the fit: nothing is dropped
    noise = run.predictor.input_noise
    counted = np.sqrt(noise.share) * noise.typical
    assert (counted > 0.0).all()
    told_of = {"typical_input_spread": noise.typical[0], "share": noise.share[0], "learned_share": 1.0}
    assert run.metrics["input_errors"]["y"] == pytest.approx(told_of)
    exact = run.predict({"x": rows["x"], "dx": [0.0, 0.0, 0.0]})
    np.testing.assert_allclose(told.total, np.hypot(exact.total, told.input_spread))
    np.testing.assert_allclose(without.total, np.hypot(exact.total, counted))
    scale = 1.0 if run.predictor.scale is None else run.predictor.scale
    np.testing.assert_allclose(told.std, np.hypot(exact.std, scale * told.input_spread))
    np.testing.assert_allclose(told.high - told.mean, run.predictor.quantile * told.std)
    assert "input_spread" in told.frame().columns
    # a run of an earlier format counts them in the total alone
    before = replace(run.predictor, input_noise=None)
    old, table = before.predict(pl.DataFrame(rows)), pl.DataFrame(rows)
    np.testing.assert_array_equal(old.std, before.predict(table.drop("dx")).std)
    np.testing.assert_array_equal(old.input_spread, before.input_spread(table))
    np.testing.assert_allclose(old.total, np.hypot(before.predict(table.drop("dx")).total, old.input_spread))
    # the effective variance: beside errors of x the pulls are narrower
    plain = fit("ignored", NOISY, ignore="dx", replicas=None)
    widths = [r.metrics["measured_errors"]["targets"]["y"]["test"]["width"] for r in (run, plain)]
    assert widths[0] < widths[1]
    said = "The pulls count the errors of the features"
    assert [said in r.metrics["measured_errors"]["text"] for r in (run, plain)] == [True, False]


def test_what_new_rows_lack_is_said(fit: Any) -> None:
    run = fit("run", {**NOISY, "place": ["a", "b", "c"] * 30}, x_err="x=dx", replicas=None, group="place", epochs=2)
    rows = {"x": [-1.0, 0.5, 1.0], "dx": [0.1, None, 0.1], "sigma": [0.1, 0.1, None]}
    with pytest.warns(shoal.ShoalWarning) as said:
        prediction = run.predict(rows)
    texts = [str(each.message) for each in said]
    assert "column 'dx' holds no error in 1 row, the first of them row 2: counted as 0" in texts[0]
    assert "column 'sigma' holds no error in 1 row, the first of them row 3: there, total is empty" in texts[1]
    assert prediction.total_of_measurement
    assert np.isnan(prediction.total[:, 0]).tolist() == [False, False, True]
    full = {"x": [0.5], "dx": [0.1], "place": ["a"]}
    assert not run.predict(full).total_of_measurement  # pytest makes warnings errors
    # groups have intervals of their own only where each has rows enough
    known = replace(run.predictor.conformal, column="place", by_group={"a": np.ones(1)})
    lacking = absent_columns(replace(run.predictor, conformal=known), pl.DataFrame({"x": [0.5], "dx": [0.1]}))
    assert lacking == ["no column 'place': intervals are those for any group; add it for those of each row's own"]


def test_weights_that_are_not_there_are_said(fit: Any) -> None:
    run = fit("run", {**DATA, "w": np.full(90, 2.0)}, weight="w", replicas=None, epochs=2)
    with pytest.warns(shoal.ShoalWarning, match="no column 'w', by which the rows of the fit were weighted"):
        run.evaluate({"x": X[:20] + 0.01, "y": DATA["y"][:20]})


def cli(*words: str) -> Any:
    return CliRunner().invoke(app, list(words), prog_name="shoal", env={"COLUMNS": "300", "NO_COLOR": "1"})


def test_predict_says_which_error_is_to_be_quoted(fit: Any, tmp_path: Path) -> None:
    run, path = fit("run", NOISY, x_err="x=dx", replicas=None, epochs=2), tmp_path / "new.csv"
    for columns, said in (
        ("x,dx\n0.5,0.1\n", "total is the error of a true value; with 'sigma' in the table it would be that of a new"),
        ("x,dx,sigma\n0.5,0.1,0.1\n", "total is the error of these measurements"),
        ("x\n0.5\n", "no column 'dx' with the errors of 'x'"),
    ):
        path.write_text(columns, encoding="utf-8")
        ended = cli("predict", str(run.path), str(path))
        assert ended.exit_code == 0
        assert said in ended.stderr
    assert "`std`, the error to quote" in " ".join(cli("predict", "--help").stdout.split())


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("x", "x_err names a feature and the column of its errors, as FEATURE=COLUMN, got 'x'"),
        ("x=dx,x=sigma", "x_err names a feature twice"),
        ("X=dx", "x_err: 'X' is no numeric feature"),
    ],
)
def test_errors_of_features_name_both_columns(fit: Any, given: str, message: str) -> None:
    with pytest.raises(shoal.SettingError, match=message):
        fit("run", NOISY, x_err=given)


def test_a_negative_error_of_a_feature_is_refused_before_training(fit: Any) -> None:
    with pytest.raises(shoal.DataError, match=r"column 'dx': an error .* but row 3 holds -0\.1"):
        fit("run", {**NOISY, "dx": np.where(np.arange(90) == 2, -0.1, 0.1)}, x_err="x=dx", epochs=100_000)


@pytest.mark.slow
def test_the_page_and_the_numbers_tell_of_halved_errors(fit: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(8)
    x = rng.uniform(-2.0, 2.0, 600)
    data = {"x": x, "y": 3.0 * x + 0.2 * rng.standard_normal(600), "sigma": np.full(600, 0.1)}
    records: list[Any] = []
    monkeypatch.setattr(
        importlib.import_module("shoal.steps.writing"), "write_report", lambda record, *_: records.append(record)
    )
    line: dict[str, Any] = {"hidden": (), "activation": "relu", "learning_rate": 0.05, "epochs": 60, "networks": 2}
    run = fit("run", data, **line, replicas=2)
    found = run.metrics["measured_errors"]
    assert 1.7 < found["targets"]["y"]["test"]["width"] < 2.3
    assert "times too small" in found["text"]
    assert "intrinsic scatter of about 0.1" in found["text"]  # sqrt(0.2² - 0.1²) = 0.17
    assert found["replicas"]["draws"] == 2
    from shoal.report.page import page_html

    page = page_html(records[0], {})
    assert "times too small" in page
    assert "The ensemble was trained 2 times more" in page
