"""Runs whose test rows stay sealed until they are opened, once for all of them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

import shoal
from shoal.cli.app import app
from shoal.evaluation.sealed import SealedRows
from shoal.runs.folder import RunFolder
from shoal.runs.looks import looks_at

TINY: dict[str, Any] = {"networks": 2, "hidden": (4,), "epochs": 6, "batch_size": 32, "page": False}
RNG = np.random.default_rng(1)
X, Z = RNG.normal(size=(2, 90))
NUMBERS = {"x": X, "z": Z, "y": np.sin(X) + 0.1 * Z, "s": np.full(90, 0.1), "w": RNG.uniform(0.5, 2.0, 90)}
CLASSES = {"x": X, "z": Z, "w": NUMBERS["w"], "k": np.where(X + 0.3 * Z > 0, "signal", "background")}
YIELDS = {"signal_yield": 10.0, "background_yield": 20.0}
CASES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "folds and replicas": (NUMBERS, {"target": "y", "y_err": "s", "weight": "w", "cv": 2, "replicas": 2}),
    "two classes": (CLASSES, {"target": "k", "weight": "w", **YIELDS}),
}


def invoke(*words: str) -> Any:
    return CliRunner().invoke(app, list(words), prog_name="shoal", env={"COLUMNS": "300", "NO_COLOR": "1"})


def same(run: shoal.Run) -> dict[str, Any]:
    """Return what must not differ between a run that was opened and one that was not sealed."""
    checksums = {name: sha for name, sha in run.metrics["checksums"].items() if name != "config.toml"}
    return {**run.metrics, "checksums": checksums, "seconds": None, "sha256": None}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("runs")
    table = pl.DataFrame({"x": X, "y": NUMBERS["y"]})
    table.write_csv(root / "table.csv")
    for name, more in {"a": {}, "b": {"learning_rate": 0.03}, "seed": {"seed": 1}}.items():
        shoal.fit(str(root / "table.csv"), target="y", seal_test=True, out=str(root / name), **TINY, **more)
    shoal.fit(str(root / "table.csv"), target="y", out=str(root / "plain"), **TINY)
    return root


@pytest.fixture
def root(made: Path, tmp_path: Path) -> Path:
    return shutil.copytree(made, tmp_path / "runs")


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_an_opened_run_is_the_run_that_was_not_sealed(case: str, tmp_path: Path) -> None:
    data, settings = CASES[case]
    sealed = shoal.fit(data, seal_test=True, out=str(tmp_path / "sealed"), **TINY, **settings)
    model = (sealed.path / "model" / "weights.safetensors").read_bytes()
    plain = shoal.fit(data, out=str(tmp_path / "plain"), **TINY, **settings)
    (opened,) = shoal.open_test(sealed, data=data).runs
    assert same(opened) == same(plain)
    assert (opened.path / "model" / "weights.safetensors").read_bytes() == model
    assert not opened.folder.test_sealed
    assert sorted(path.name for path in opened.path.iterdir()) == sorted(path.name for path in plain.path.iterdir())


@pytest.mark.slow
def test_a_sealed_fit_looks_at_no_test_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(self: SealedRows) -> Any:
        raise AssertionError("the test rows were opened")

    monkeypatch.setattr(SealedRows, "open", never)
    run = shoal.fit("iris", seal_test=True, out=str(tmp_path / "run"), **{**TINY, "page": True})
    assert run.metrics["test"] == {}
    assert run.metrics["test_openings"] == 0
    assert not run.folder.has_scored
    assert {"baselines", "coverage", "confusion_matrix"} & run.metrics.keys() == set()
    assert run.metrics["validation"]["accuracy"]["value"] > 0
    assert "24 validation rows" in run.summary()
    assert "The 30 test rows are sealed" in run.summary()
    page = run.report().read_text(encoding="utf-8")
    assert "The test rows are sealed" in page
    assert "opened once" not in page
    assert "Baselines." not in page
    assert 'id="networks"' in page
    assert "test rows sealed" in repr(run)
    assert "on the validation rows" in run._repr_html_()


def test_sealed_rows_do_not_open() -> None:
    rows = SealedRows(None, np.arange(3), for_later=True)  # type: ignore[arg-type]
    with pytest.raises(shoal.RunError, match="sealed"):
        rows.open()
    assert rows.openings == 0


@pytest.mark.slow
def test_every_command_that_would_look_says_that_the_test_is_sealed(root: Path, tmp_path: Path) -> None:
    run, data = str(root / "a"), str(root / "table.csv")
    shifts = tmp_path / "shifts.toml"
    shifts.write_text('[up]\ncolumns = ["x"]\nshift = 0.1\n')
    for words in (
        ("evaluate", run, data),
        ("compare", run, str(root / "plain")),
        ("compare", str(root / "plain"), run),
        ("systematics", run, str(shifts)),
        ("systematics", run, str(shifts), "--data", data),
        ("formula", run, "--test"),
    ):
        result = invoke(*words)
        assert result.exit_code == 2, words
        assert f"the test rows of {run!r} are sealed" in result.stderr, words
        assert f"shoal open {run}" in result.stderr, words
    figures = invoke("figures", run, "--only", "predicted_true")
    assert "those of test rows come with shoal open" in figures.stderr
    assert invoke("figures", run, "-o", str(tmp_path / "figures")).exit_code == 0
    assert invoke("explain", run, "--column", "x", "-q").exit_code == 0  # on validation rows
    assert invoke("predict", run, data, "-o", str(tmp_path / "p.csv"), "-q").exit_code == 0
    assert "nothing to go on with" in invoke("fit", "--resume", run).stderr
    assert "sealed" in invoke("runs", str(root)).stdout
    assert looks_at([shoal.load(root / "plain").folder]).runs == 1
    rows = json.loads(invoke("runs", str(root), "--where", "sealed", "--columns", "name,score", "--json").stdout)
    assert rows == [{"name": name, "score": None} for name in ("a", "b", "seed")]


@pytest.mark.slow
def test_several_runs_are_opened_and_compared_in_one_look(root: Path) -> None:
    result = invoke("open", str(root / "a"), str(root / "b"), "--json")
    assert result.exit_code == 0, result.stderr
    document = json.loads(result.stdout)
    runs = [shoal.load(root / name) for name in ("a", "b")]
    for run, of_run in zip(runs, document["runs"], strict=True):
        assert of_run["test"] == run.metrics["test"]
        assert run.metrics["test_openings"] == 1
        assert "test_looks" not in run.metrics
        assert run.looks.runs == 2  # the plain run is a once more, which is no other look
        assert run.looks.later == 0
    comparison = shoal.compare(*runs).as_dict()
    assert document["comparison"]["differences"] == comparison["differences"]
    assert document["comparison"]["verdict"] == comparison["verdict"]
    assert shoal.load(root / "a").looks.later == 1


@pytest.mark.slow
def test_what_cannot_be_opened_is_told_and_stays_sealed(root: Path) -> None:
    a, b, seed, plain = (str(root / name) for name in ("a", "b", "seed", "plain"))
    for words, reason in {
        (a, seed): "their test rows differ (18 and 18 rows",
        (a, plain): "has its test scores already, since it was not sealed",
        (a, a): "is given more than once",
        (a, str(root / "missing")): "there is no run folder",
        (a, "--data", str(root / "nothing.csv")): "cannot be read again",
    }.items():
        result = invoke("open", *words)
        assert result.exit_code == 2, words
        assert reason in result.stderr, words
    with pytest.raises(shoal.RunError, match="no run is named"):
        shoal.open_test()
    assert shoal.load(a).folder.test_sealed
    shutil.rmtree(root / "seed" / "sealed")
    assert "its folder 'sealed' is gone" in invoke("open", seed).stderr
    assert "are sealed" in invoke("evaluate", seed, str(root / "table.csv")).stderr
    source, moved = Path(str(shoal.load(a).folder.source)), root / "table.csv"
    source.rename(root / "hidden.csv")
    assert "Say where the data are now" in invoke("open", a).stderr
    (root / "hidden.csv").rename(source)
    shoal.open_test(a, data=str(moved))
    assert "its test rows were opened before" in invoke("open", a, b, "--data", str(moved)).stderr
    with moved.open("a") as file:
        file.write("0.5,0.5\n")
    assert "it stays sealed" in invoke("open", b, "--data", str(moved)).stderr
    assert shoal.load(b).folder.test_sealed


@pytest.mark.slow
def test_an_opening_that_was_killed_is_done_again(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = root / "a"
    with monkeypatch.context() as patched:
        patched.setattr("shoal.runs.folder.RunFolder.remove_sealed", lambda _: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            shoal.open_test(path)
    assert shoal.load(path).folder.test_sealed
    (opened,) = shoal.open_test(path).runs
    assert same(opened) == same(shoal.load(root / "plain"))


@pytest.mark.slow
def test_a_sealed_run_that_is_replaced_was_no_look(root: Path) -> None:
    run = shoal.fit(str(root / "table.csv"), target="y", out=str(root / "a"), force=True, **TINY)
    assert not (run.path / "looks.json").exists()
    assert not run.folder.test_sealed


@pytest.mark.slow
def test_a_sealed_run_that_diverged_has_nothing_to_open(tmp_path: Path) -> None:
    out, rate = str(tmp_path / "run"), {"learning_rate": 1e30, "optimizer": "sgd", "activation": "linear"}
    with pytest.raises(shoal.ShoalError, match="diverged"):
        shoal.fit({"x": X, "y": X}, target="y", seal_test=True, out=out, **TINY, **rate)
    assert "since its networks diverged" in invoke("open", out).stderr
    assert "are sealed" not in invoke("compare", out, str(tmp_path)).stderr
    assert not RunFolder(out).seal_lost


def test_functions_cannot_be_sealed() -> None:
    with pytest.raises(shoal.SettingError, match="no file keeps the functions of loss and penalties"):
        shoal.fit("iris", seal_test=True, loss=max, penalties=(min,))
