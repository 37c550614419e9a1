from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from shoal.errors import RunError
from shoal.evaluation.topics.candidates import Candidates
from shoal.evaluation.topics.data import DataRecord
from shoal.evaluation.topics.predictions import PredictedTestRows
from shoal.evaluation.topics.split import SplitRecord
from shoal.results import Interval, Task
from shoal.runs.metrics_file import metrics_dict, read_metrics, write_metrics


def test_the_promised_shape(make_record: Any) -> None:
    metrics = metrics_dict(make_record())
    promised = "format task target seed rows networks test validation train baselines verdict"
    assert list(metrics)[:11] == promised.split()
    assert metrics["format"] == 1
    assert metrics["task"] == "classification"
    assert metrics["target"] == ["species"]
    assert metrics["rows"] == {"train": 12, "validation": 4, "test": 4}
    assert metrics["test"]["accuracy"] == {"value": 0.75, "low": 0.5, "high": 1.0, "method": "bootstrap"}
    assert list(metrics["baselines"]) == ["most_frequent", "logistic_regression", "gradient_boosting"]
    assert metrics["verdict"]["overfitting"] == "mild"
    assert metrics["verdict"]["beats_baselines"] is True
    assert metrics["verdict"]["text"] == "All well."
    assert metrics["test_openings"] == 1
    assert metrics["search"] == {
        "knobs": None,
        "candidates_looked_at": 6,
        "best_of_n_bias": None,
        "cv": None,
        "repeats": 1,
        "kept": [
            {"candidate": 2, "networks": 1, "score": 1.0 / 3.0, "standard_error": None},
            {"candidate": 0, "networks": 1, "score": 1.0, "standard_error": None},
        ],
        "front": None,
        "space": {"learning_rate": "1e-4 to 1e-1, logarithmic"},
    }
    assert metrics["hyperparameters"][0]["name"] == "learning_rate"


def test_kept_networks_are_counted_best_first(make_record: Any) -> None:
    # Network 2 scores better (lower) than network 0.
    expected = {"trained": 6, "kept": 2, "diverged": 1, "parameters": [32, 30]}
    assert metrics_dict(make_record())["networks"] == expected


def test_folds_and_repeats_are_counted_apart_from_candidates(make_record: Any) -> None:
    plain = make_record()
    networks = tuple(
        dataclasses.replace(n, candidate_id=n.id // 2, repeat=n.id % 2, kept=n.id < 2, score=float(n.id))
        for n in plain[Candidates].networks
    )
    metrics = metrics_dict(plain.having(Candidates(networks, 2), dataclasses.replace(plain[SplitRecord], repeats=2)))
    assert metrics["networks"] == {"trained": 6, "kept": 2, "diverged": 1, "parameters": [30]}
    search = metrics["search"]
    assert (search["candidates_looked_at"], search["cv"], search["repeats"]) == (3, None, 2)
    assert search["kept"] == [{"candidate": 0, "networks": 2, "score": 0.5, "standard_error": pytest.approx(0.5)}]


def test_the_confusion_matrix_counts_the_test_rows(make_record: Any) -> None:
    matrix = metrics_dict(make_record())["confusion_matrix"]
    assert matrix == {"classes": ["carp", "pike"], "rows_are_true": [[2, 0], [1, 1]]}


def test_regression_has_its_coverage(make_record: Any) -> None:
    record = make_record()
    data = dataclasses.replace(record[DataRecord], task=Task.REGRESSION, classes=(), targets=("y",))
    rows = PredictedTestRows(
        truth=np.zeros((2, 1)), mean=np.zeros((2, 1)), coverage=Interval(0.94, 0.9, 0.97, "wilson")
    )
    metrics = metrics_dict(record.having(data, rows))
    assert metrics["coverage"]["value"] == 0.94
    assert "confusion_matrix" not in metrics
    assert metrics["task"] == "regression"


def test_what_is_no_number_is_null_and_the_file_strict_json(tmp_path: Path, make_record: Any) -> None:
    path = write_metrics(tmp_path, make_record())

    def refuse(constant: str) -> None:
        pytest.fail(f"{constant} is not JSON")

    metrics = json.loads(path.read_text(encoding="utf-8"), parse_constant=refuse)
    assert metrics["test"]["roc_auc"] == {"value": None, "low": None, "high": None, "method": "bootstrap"}
    assert metrics["data"]["features"] == ["length (cm)", "Größe"]
    assert read_metrics(tmp_path) == metrics


def test_only_seconds_differ_between_two_runs_of_the_same_seed(tmp_path: Path, make_record: Any) -> None:
    first = write_metrics(tmp_path / "a", make_record())
    later = make_record(
        seconds={"total": 9.0, "train": 8.0}, command="shoal fit pond.csv --out b", settings={"out": "b"},
        versions={"jax": "0", "numpy": "2"},
    )  # fmt: skip
    a, b = first.read_text(), write_metrics(tmp_path / "b", later).read_text()
    cut = a.index('"seconds"')
    assert a[:cut] == b[:cut]
    assert json.loads(a)["seconds"] == {"total": 2.0, "compile": 0.5, "train": 1.235, "report": 0.25}
    assert json.loads(b)["seconds"] == {"total": 9.0, "compile": None, "train": 8.0}


def test_damage_is_named(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"metrics\.json' is missing"):
        read_metrics(tmp_path)
    (tmp_path / "metrics.json").write_text('{"format": 1, ')
    with pytest.raises(RunError, match=r"metrics\.json' is damaged"):
        read_metrics(tmp_path)
