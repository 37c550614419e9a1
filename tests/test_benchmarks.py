"""The parts of `benchmarks/` that claims rest on: the tables and scikit-learn's side of the comparison."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from shoal.data import load_dataset, split_rows

FOLDER = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(FOLDER))
    yield importlib.import_module
    for name in ("tables", "opponents", "quality"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize(
    ("name", "rows", "columns", "missing"), [("titanic", 1309, 12, 1844), ("penguins", 344, 7, 19), ("cpu", 209, 8, 0)]
)
def test_a_shipped_table_has_its_known_size_and_missing_values(
    load: Any, name: str, rows: int, columns: int, missing: int
) -> None:
    table = load("tables").TABLES[name].load()
    assert table.shape == (rows, columns)
    assert sum(table.null_count().row(0)) == missing


def test_penguins_are_told_apart_by_columns_of_both_kinds(load: Any) -> None:
    dataset = load_dataset(load("tables").penguins(), target="species")
    assert dataset.task_name == "3-class classification"
    assert {str(column.kind) for column in dataset.features} == {"number", "category"}


def test_opponents_learn_from_categories_and_missing_values(load: Any) -> None:
    dataset = load_dataset(load("tables").penguins()[::3], target="species")
    scores = load("opponents").score_opponents(dataset, split_rows(dataset), seed=0)
    assert set(scores) == {"MLPClassifier, training rows", "MLPClassifier, training and validation rows"}
    assert all(each["accuracy"] > 0.8 for each in scores.values())


def test_opponents_with_measured_errors_have_a_weighted_variant(load: Any) -> None:
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, 60)
    data = {"x": x, "y": 3 * x, "y_err": rng.uniform(0.1, 1, 60)}
    dataset = load_dataset(data, target="y", y_err="y_err")
    scores = load("opponents").score_opponents(dataset, split_rows(dataset), seed=0)
    assert len(scores) == 8
    assert scores["MLPRegressor, target scaled, training rows, weighted"]["r2"] > 0.9


def test_the_table_of_scores_shows_the_strongest_opponent_and_the_sign_of_the_difference(load: Any) -> None:
    both = ("training rows", "training and validation rows")
    line = {
        "table": "t",
        "rows": 10,
        "task": "regression",
        "kind": "regression",
        "shoal": {"rmse": 1.0, "r2": 0.9},
        "opponents": {
            f"{name}, {rows}": {"rmse": rmse, "r2": 0.5} for name, rmse in (("a", 3.0), ("b", 2.0)) for rows in both
        },
    }
    text = load("quality").markdown([line, line])
    assert "| RMSE | 1 ± 0 | 2 ± 0 | +1 ± 0 | 2 ± 0 |" in text
