"""The candidates of a run as a table, and the flags with which tables are listed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

import shoal
from shoal.cli.app import app
from shoal.cli.table_options import arranged, selected
from shoal.errors import SettingError
from shoal.evaluation.compare import corrected_t
from shoal.runs.candidate_table import MEASURED, score_interval
from shoal.training.hyperparameters import Hyperparameters


def invoke(*words: str) -> Any:
    return CliRunner().invoke(app, list(words), prog_name="shoal", env={"COLUMNS": "400", "NO_COLOR": "1"})


def test_the_interval_of_folds_is_that_of_the_corrected_t_test() -> None:
    scores = [0.3, 0.5, 0.4, 0.6, 0.2, 0.7]
    expected = corrected_t(np.array(scores), 3, 2).difference
    assert score_interval(scores, 3) == pytest.approx((expected.low, expected.high))
    for nothing in (score_interval(scores, 3, rolling=True), score_interval([0.1, None], 0)):
        assert nothing == (None, None)


def test_the_interval_of_repeats_holds_the_mean_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    intervals = [score_interval(rng.normal(2.0, 0.5, 4).tolist(), 0) for _ in range(4000)]
    held = np.mean([low is not None and high is not None and low < 2.0 < high for low, high in intervals])
    assert abs(held - 0.95) < 0.015


def test_missing_values_stand_last_in_any_order() -> None:
    table = pl.DataFrame({"a": [2.0, float("nan"), None, 1.0], "b": ["x", "y", "x", "y"]})
    assert arranged(table, None, "a")["a"].to_list()[:2] == [1.0, 2.0]
    assert arranged(table, None, "-a")["a"].to_list()[:2] == [2.0, 1.0]
    assert arranged(table, "a > 0", "b,-a")["a"].to_list() == [2.0, 1.0]
    assert arranged(table, None, None).equals(table)
    assert selected(table, " b , a,b").columns == ["b", "a"]
    for wrong in (lambda: arranged(table, None, "c"), lambda: selected(table, "a,c")):
        with pytest.raises(SettingError, match="there is no column 'c'; there are a, b"):
            wrong()


@pytest.mark.slow
def test_candidates_have_a_column_for_each_choice(iris_run: shoal.Run, tmp_path: Path) -> None:
    table = iris_run.candidates
    assert set(MEASURED) | set(Hyperparameters.model_fields) == set(table.columns)
    assert all(not str(value).startswith(("{", "[")) for row in table.rows() for value in row)
    assert not any(kind in (pl.List, pl.Null, pl.Object) for kind in table.dtypes)
    for row, text in zip(table.iter_rows(named=True), iris_run.networks["candidate"], strict=True):
        for name, value in json.loads(text).items():
            assert row[name] == (",".join(map(str, value)) if isinstance(value, list) else value), name
    assert table["kept"].sum() == iris_run.metrics["networks"]["kept"]
    assert table["status"].to_list() == iris_run.networks["status"].to_list()
    assert table["epochs_trained"].to_list() == iris_run.networks["epochs"].to_list()
    for ending, read in ((".csv", pl.read_csv), (".parquet", pl.read_parquet), (".jsonl", pl.read_ndjson)):
        path = tmp_path / f"table{ending}"
        result = invoke("candidates", str(iris_run.path), "-o", str(path))
        assert result.exit_code == 0, result.stderr
        assert "4 rows written to" in result.stderr
        assert read(path)["score"].to_list() == sorted(table["score"])  # the best first
        assert "exists" in invoke("candidates", str(iris_run.path), "-o", str(path)).stderr


@pytest.mark.slow
def test_candidates_are_filtered_sorted_and_printed(iris_run: shoal.Run) -> None:
    path, scores = str(iris_run.path), iris_run.candidates["score"]
    best = json.loads(invoke("candidates", path, "--where", f"score <= {scores.min()!r}", "--json").stdout)
    assert [row["score"] for row in best] == [scores.min()]
    rows = json.loads(invoke("candidates", path, "--sort", "-score", "--columns", "id,score", "--json").stdout)
    assert [row["score"] for row in rows] == sorted(scores, reverse=True)
    assert set(rows[0]) == {"id", "score"}
    shown = invoke("candidates", path).stdout
    assert "learning_rate" in shown
    assert "kernel_initializer" not in shown  # the same in all
    assert "None of the 4 candidates fulfils 'score < 0'." in invoke("candidates", path, "--where", "score < 0").stdout
    for words in (("--where", "scor < 1"), ("--sort", "scor"), ("--columns", "scor")):
        result = invoke("candidates", path, *words)
        assert result.exit_code == 2
        assert "there is no column 'scor'" in result.stderr
        assert "Did you mean 'score'" in result.stderr


@pytest.mark.slow
def test_runs_are_filtered_sorted_and_written(iris_run: shoal.Run, tmp_path: Path) -> None:
    root, score = str(iris_run.path.parent), iris_run.metrics["test"]["accuracy"]["value"]
    assert [run["name"] for run in json.loads(invoke("runs", root, "--where", "score >= 0", "--json").stdout)] == [
        "run"
    ]
    assert "None of the 1 runs fulfils" in invoke("runs", root, "--where", "sealed").stdout
    (row,) = json.loads(invoke("runs", root, "--columns", "name,score,data", "--json").stdout)
    assert row == {"name": "run", "score": score, "data": "iris"}
    assert invoke("runs", root, "-o", str(tmp_path / "runs.parquet")).exit_code == 0
    table = pl.read_parquet(tmp_path / "runs.parquet")
    assert table["validation_score"].to_list() == [iris_run.metrics["validation"]["accuracy"]["value"]]
    assert table["when"][0] == iris_run.folder.config["created"]
