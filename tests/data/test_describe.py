from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from shoal.data import load_dataset
from shoal.data.describe import describe

RNG = np.random.default_rng(1)
ROWS = 200
X = RNG.standard_normal(ROWS)
Z = RNG.standard_normal(ROWS)
Y = np.sin(X) + 0.3 * RNG.standard_normal(ROWS)
CLASS = np.where(X + RNG.standard_normal(ROWS) > 0, "a", "b").tolist()


def warnings(data: Any, **options: Any) -> str:
    return "\n".join(describe(load_dataset(data, **options)).warnings)


def test_nothing_to_warn_of() -> None:
    assert warnings({"x": X, "z": Z, "y": Y}) == ""
    assert warnings({"x": X, "z": Z, "y": CLASS}) == ""


@pytest.mark.parametrize(
    ("data", "options", "message"),
    [
        ({"x": X[:50], "y": Y[:50]}, {}, "Only 50 rows"),
        ({**{f"x{i}": RNG.standard_normal(ROWS) for i in range(50)}, "y": Y}, {}, "200 rows for 50 features"),
        ({"x": [*X, X[3], X[4]], "y": [*Y, Y[3], Y[4]]}, {}, "2 rows repeat an earlier one"),
        ({"x": X, "z": Z, "c": 3 * Y + 1, "y": Y}, {}, "'c' alone is 'y' up to a factor"),
        ({"x": Z, "c": [f"level {v}" for v in CLASS], "y": CLASS}, {}, "'c' alone tells the classes apart"),
        ({"x": Z, "c": [v == "a" for v in CLASS], "y": CLASS}, {}, "'c' alone tells the classes apart"),
        (
            {"x": Z, "c": X, "y": np.where(X > 0.3, "a", "b").tolist()},
            {},
            "'c' alone tells the classes apart",
        ),
        ({"x": X, "y": ["a"] * 185 + ["b"] * 15}, {}, "out of balance: 15 rows of 'b' and 185 of 'a'"),
        ({"x": X, "y": ["a", "c", "d", "e"] * 48 + ["b"] * 8}, {}, "b has fewer than ten rows"),
        ({"x": X, "m": [1.0, None, None, 2.0, None] * 40, "y": Y}, {}, "m has no value in more than half"),
        ({"x": X, "w": np.exp(3 * Z), "y": Y}, {"weight": "w"}, "200 rows count as"),
        ({"x": X, "g": [0, 1, 2, 3] * 50, "y": Y}, {"group": "g"}, "Only 4 different groups"),
    ],
)
def test_warnings(data: Any, options: dict[str, Any], message: str) -> None:
    found = warnings(data, **options)
    assert message in found
    assert len(found.splitlines()) == 1


def test_a_feature_with_ties_across_classes_gives_nothing_away() -> None:
    whole = np.round(X)
    y = np.where(X > 0.1, "a", "b").tolist()
    assert "'c' alone" not in warnings({"x": Z, "c": whole, "y": y})


def test_as_dict_is_json() -> None:
    description = describe(load_dataset("iris"))
    d = json.loads(json.dumps(description.as_dict()))
    assert d["rows"] == 150
    assert d["task_name"] == "3-class classification"
    assert d["classes"] == {"setosa": 50, "versicolor": 50, "virginica": 50}
    assert d["columns"][0] == {
        "name": "sepal length (cm)",
        "kind": "number",
        "role": "feature",
        "reason": "",
        "missing": 0,
        "distinct": 35,
        "low": 4.3,
        "high": 7.9,
    }
    assert d["columns"][-1]["role"] == "target"


def test_lines_are_text() -> None:
    lines = describe(load_dataset({"x": X, "d": ["2024-01-01", "2024-06-01"] * 100, "y": 1e6 * Y})).lines()
    assert lines[1] == ("d", "date", "feature", "0", "2", "2024-01-01", "2024-06-01", "")
    assert all(isinstance(cell, str) for line in lines for cell in line)
