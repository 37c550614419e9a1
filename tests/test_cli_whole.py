"""The commands on a real, tiny run."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from typer.testing import CliRunner

from shoal.cli.app import app

TINY = ("--networks", "2", "--hidden", "4", "--epochs", "2", "--batch-size", "32")


def invoke(*words: str) -> Any:
    return CliRunner().invoke(app, list(words), prog_name="shoal", env={"COLUMNS": "300", "NO_COLOR": "1"})


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("runs") / "iris-1"
    result = invoke("fit", "iris", *TINY, "--seed", "3", "--out", str(path))
    assert result.exit_code == 0, result.stderr
    assert str(path / "report.html") in result.stdout
    assert "logistic regression" in result.stdout
    assert "training" in result.stderr
    return path


@pytest.mark.slow
def test_fit_leaves_a_page_and_refuses_to_overwrite(run: Path) -> None:
    page = (run / "report.html").read_text(encoding="utf-8")
    assert "<html" in page
    result = invoke("fit", "iris", *TINY, "--out", str(run))
    assert result.exit_code == 2
    assert "--force" in result.stderr
    assert (run / "report.html").read_text(encoding="utf-8") == page


@pytest.mark.slow
def test_config_repeats_the_run(run: Path, tmp_path: Path) -> None:
    result = invoke("fit", "--config", str(run / "config.toml"), "--out", str(tmp_path / "again"), "--json")
    assert result.exit_code == 0, result.stderr
    again, first = json.loads(result.stdout), json.loads((run / "metrics.json").read_text())
    assert again.pop("path") == str(tmp_path / "again")
    assert again.pop("page") == str(tmp_path / "again" / "report.html")
    del again["seconds"], first["seconds"]
    assert again == first


@pytest.mark.slow
def test_predict_adds_columns_to_a_file(run: Path, tmp_path: Path) -> None:
    from shoal.data import load_dataset

    table = load_dataset("iris").table.drop("species").with_columns(note=pl.lit("kept"))
    table.write_csv(tmp_path / "new.csv")
    out = tmp_path / "predictions.parquet"
    result = invoke("predict", str(run), str(tmp_path / "new.csv"), "-o", str(out))
    assert result.exit_code == 0, result.stderr
    predicted = pl.read_parquet(out)
    assert predicted.columns[:5] == table.columns
    names = ["setosa", "versicolor", "virginica"]
    added = ["disagreement", "set", "outside"]
    assert predicted.columns[5:] == ["prediction", *(f"probability_{name}" for name in names), *added]
    assert set(predicted["prediction"]) <= set(names)
    assert predicted.height == 150


@pytest.mark.slow
def test_predict_names_the_missing_column(run: Path, tmp_path: Path) -> None:
    pl.DataFrame({"sepal length (cm)": [5.0], "sepal width (cm)": [3.0]}).write_csv(tmp_path / "new.csv")
    out = tmp_path / "p.csv"
    result = invoke("predict", str(run), str(tmp_path / "new.csv"), "-o", str(out))
    assert result.exit_code == 2
    assert "petal length (cm)" in result.stderr
    assert not out.exists()


@pytest.mark.slow
def test_evaluate_scores_other_rows(run: Path) -> None:
    scores = json.loads(invoke("evaluate", str(run), "iris", "--json").stdout)
    assert 0.0 <= scores["accuracy"]["low"] <= scores["accuracy"]["value"] <= scores["accuracy"]["high"] <= 1.0
    result = invoke("evaluate", str(run), "iris")
    assert "log-loss" in result.stdout
    assert "the data hold the test rows" in result.stderr
    assert "opened 3 times now" in result.stderr


@pytest.mark.slow
def test_report_and_runs_find_the_run(run: Path) -> None:
    assert invoke("report", str(run)).stdout == f"{run / 'report.html'}\n"
    (listed,) = json.loads(invoke("runs", str(run.parent), "--json").stdout)
    assert listed["name"] == "iris-1"
    assert listed["networks"] == 2
    assert str(run) in invoke("runs", str(run.parent)).stdout


@pytest.mark.slow
def test_a_finished_run_cannot_be_resumed(run: Path) -> None:
    result = invoke("fit", "--resume", str(run))
    assert result.exit_code == 2
    assert "finished" in result.stderr


@pytest.mark.slow
def test_a_damaged_run_names_the_file(run: Path, tmp_path: Path) -> None:
    import shutil

    copy = tmp_path / "damaged"
    shutil.copytree(run, copy)
    (weights,) = copy.glob("model/*.safetensors")
    weights.write_bytes(weights.read_bytes()[:-8])
    result = invoke("predict", str(copy), "iris")
    assert result.exit_code == 2
    assert os.fspath(weights) in result.stderr


@pytest.mark.slow
def test_a_run_without_a_page(tmp_path: Path) -> None:
    path = tmp_path / "plain"
    result = invoke("fit", "iris", *TINY, "--no-page", "--out", str(path))
    assert result.exit_code == 0, result.stderr
    assert "report.html" not in result.stdout
    assert not (path / "report.html").exists()
    assert (path / "metrics.json").is_file()
    report = invoke("report", str(path))
    assert report.exit_code == 2
    assert "--no-page" in report.stderr
