from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from shoal.data import Roles, load_dataset, load_with_test
from shoal.errors import DataError, SettingError
from shoal.results import Task

RNG = np.random.default_rng(0)
ROWS = 40
X = RNG.standard_normal(ROWS)
Y = X**2 + 0.1 * RNG.standard_normal(ROWS)


def table(**more: Any) -> pl.DataFrame:
    return pl.DataFrame({"x": X, "y": Y, **more})


def with_value(name: str, row: int, value: Any) -> pl.DataFrame:
    """Return the table with one value changed in data row `row`, counted from 1."""
    values: list[Any] = table()[name].to_list()
    values[row - 1] = value
    return table().with_columns(pl.Series(name, values, strict=False))


@pytest.mark.slow
def test_importing_data_does_not_import_sklearn() -> None:
    code = "import sys, shoal.data; print({'sklearn', 'scipy', 'pandas', 'jax'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_a_table_of_python() -> None:
    dataset = load_dataset(table())
    assert (dataset.name, dataset.source, dataset.rows, dataset.task_name) == (
        "data",
        "python",
        ROWS,
        "regression",
    )
    assert dataset.targets == ("y",)
    assert [c.name for c in dataset.features] == ["x"]
    assert np.array_equal(dataset.y(), Y[:, None])
    assert dataset.weights() is dataset.y_err() is dataset.groups() is dataset.times() is None
    assert load_dataset(dataset).sha256 == dataset.sha256


def test_a_file(tmp_path: Path) -> None:
    path = tmp_path / "run.7.csv"
    table().write_csv(path)
    dataset = load_dataset(path, target="x")
    assert (dataset.name, dataset.source, dataset.targets) == ("run.7", str(path), ("x",))
    assert dataset.sha256 == load_dataset(str(path)).sha256


@pytest.mark.parametrize(
    ("names", "target"),
    [
        (["a", "Species", "b"], ["Species"]),
        (["x1", "y1", "y2"], ["y1", "y2"]),
        (["x", "z", "Y [GeV]"], ["Y [GeV]"]),
    ],
)
def test_default_target(names: list[str], target: list[str]) -> None:
    dataset = load_dataset({name: RNG.standard_normal(ROWS) for name in names})
    assert list(dataset.targets) == target
    assert any(target[0] in note for note in dataset.notes)


@pytest.mark.parametrize(
    ("columns", "options", "reason"),
    [
        ({"a": X, "kind": ["u", "v"] * 20}, {}, "the last column, and the only one of text"),
        ({"name": [f"n{i}" for i in range(40)], "a": X, "b": ["u", "v"] * 20}, {}, "the only one of text that repeats"),
        ({"a": X, "b": Y, "hit": [True, False] * 20}, {}, "the last column, and the only one of truth values"),
        ({"a": X, "b": Y, "w": np.ones(ROWS)}, {"features": ["a"], "weight": "w"}, "the only column that can be"),
    ],
)
def test_a_column_that_stands_out_is_taken_and_said(
    columns: dict[str, Any], options: dict[str, Any], reason: str
) -> None:
    dataset = load_dataset(columns, **options)
    assert dataset.targets == (list(columns)[1 if "w" in columns else -1],)
    assert dataset.choice.guessed
    assert reason in dataset.choice.reason
    assert any(f"No target was named; {dataset.targets[0]!r} is taken: " in note for note in dataset.notes)


@pytest.mark.parametrize(
    "columns",
    [
        {"a": X, "b": Y},  # numbers only
        {"y2k": X, "a": Y},
        {"sex": ["f", "m"] * 20, "length": X, "rings": Y},  # classes, but not last
        {"a": X, "site": ["p", "q"] * 20, "kind": ["u", "v"] * 20},  # two of text
        {"label": X, "target": Y, "b": X},
        {"x": X, "y": Y, "z": X, "q": Y},  # coordinates
        {"y1": X, "z1": Y, "q": X},
    ],
)
def test_where_no_column_stands_out_the_target_is_asked_for(columns: dict[str, Any]) -> None:
    with pytest.raises(DataError, match=r"--target .*target= in Python") as caught:
        load_dataset(columns)
    named = ["label", "target"] if "label" in columns else list(columns)
    assert ", ".join(named) in str(caught.value)
    assert load_dataset(columns, target="a" if "a" in columns else list(columns)[-1]).choice.guessed is False


def test_the_target_of_a_pair_of_arrays_is_the_one_that_they_name() -> None:
    dataset = load_dataset((np.stack([X, Y], axis=1), Y))
    assert (dataset.targets, dataset.choice.guessed) == (("y",), False)


@pytest.mark.parametrize(
    ("values", "task", "classes"),
    [
        (["b", "a"] * 20, Task.CLASSIFICATION, ("a", "b")),
        ([True, False] * 20, Task.CLASSIFICATION, ("false", "true")),
        ([0, 1] * 20, Task.CLASSIFICATION, ("0", "1")),
        ([0.0, 1.0] * 20, Task.CLASSIFICATION, ("0", "1")),
        ([1, 2, 3, 4] * 10, Task.CLASSIFICATION, ("1", "2", "3", "4")),
        (["10", "9"] * 20, Task.CLASSIFICATION, ("9", "10")),
        ([3, 5, 8, 13] * 10, Task.REGRESSION, ()),
        (list(range(20)) * 2, Task.REGRESSION, ()),
        (np.linspace(0, 1, 40), Task.REGRESSION, ()),
    ],
)
def test_inferred_task(values: Any, task: Task, classes: tuple[str, ...]) -> None:
    dataset = load_dataset({"x": X, "y": values}, target="y")
    assert (dataset.task, dataset.classes) == (task, classes)
    assert any("'y' holds" in note for note in dataset.notes)


def test_the_task_can_be_set() -> None:
    data = {"x": X, "y": [0, 1] * 20}
    assert load_dataset(data, task="regression").task is Task.REGRESSION
    assert load_dataset(data, task="regression").y().dtype == np.float64
    assert load_dataset({"x": X, "y": [3, 5, 8, 13] * 10}, task="classification").classes == (
        "3",
        "5",
        "8",
        "13",
    )
    assert load_dataset({"x": X, "y": [True, False] * 20}, task="regression").y()[:2].tolist() == [
        [1.0],
        [0.0],
    ]
    with pytest.raises(
        SettingError, match=r"classification, multilabel or regression, got 'regresion'.*Did you mean 'regression'"
    ):
        load_dataset(data, task="regresion")


def test_a_target_with_errors_or_several_targets_is_a_regression() -> None:
    assert load_dataset({"x": X, "y": [0, 1] * 20, "s": np.ones(ROWS)}, y_err="s").task is Task.REGRESSION
    both = load_dataset({"x": X, "a": [0, 1] * 20, "b": Y}, target=["a", "b"])
    assert both.task_name == "regression, 2 targets"
    assert both.y().shape == (ROWS, 2)


def test_errors_are_found_by_name() -> None:
    dataset = load_dataset(table(y_err=np.ones(ROWS)))
    assert dataset.roles.y_err == ["y_err"]
    assert any("measured errors of 'y'" in note for note in dataset.notes)
    assert load_dataset(table(y_err=np.ones(ROWS) + X**2), features=["x", "y_err"]).roles.y_err == []


def test_roles_and_flags_together() -> None:
    data = table(a=X + Y, w=np.ones(ROWS) + X**2, v=np.ones(ROWS) + Y**2)
    dataset = load_dataset(data, roles=Roles(target="x", weight="w"), weight="v", ignore="a")
    assert dataset.roles == Roles(target="x", weight="v", ignored="a")
    assert [c.role for c in dataset.columns] == ["target", "feature", "ignored", "feature", "weight"]


def test_another_target_of_a_built_in_set() -> None:
    dataset = load_dataset("phase_transition", target="energy")
    assert dataset.roles.y_err == ["energy_err"]
    assert [c.name for c in dataset.features] == ["temperature", "field", "coupling"]
    flowers = load_dataset("iris", target="petal width (cm)")
    assert "species" in [c.name for c in flowers.features]
    background = load_dataset("signal_background", ignore="weight")
    assert background.weights() is None
    assert load_dataset("signal_background", roles=Roles(ignored=["delta eta"])).weights() is not None


def test_rows_without_target_are_left_out_and_errors_name_rows_of_the_file() -> None:
    dataset = load_dataset(with_value("y", 3, None))
    assert dataset.rows == ROWS - 1
    assert 2 not in dataset.kept
    assert "1 row without a target left out." in dataset.notes
    infinite = with_value("y", 3, None).with_columns(pl.Series("x", [*X[:9], np.inf, *X[10:]]))
    with pytest.raises(DataError, match="'x' is infinite in row 10"):
        load_dataset(infinite)


def test_notes_say_what_was_left_out() -> None:
    data = table(
        id=range(ROWS),
        empty=[None] * ROWS,
        one=[1] * ROWS,
        two=["a"] * ROWS,
        text=[f"t{i}" for i in range(ROWS)],
    )
    notes = " ".join(load_dataset(data, target="y").notes)
    assert "Left out id: it numbers or names the rows." in notes
    assert "Left out empty: it has no values." in notes
    assert "Left out one, two: they are the same in every row." in notes
    assert "Left out text: it is text with 40 different values in 40 rows." in notes


def test_many_categories_are_said() -> None:
    data = {"c": [f"k{i % 60}" for i in range(240)], "y": np.linspace(0, 1, 240)}
    assert any("'c' has 60 categories; the 50 most frequent" in note for note in load_dataset(data).notes)


TEXT_Y = [f"t{i}" for i in range(ROWS)]
BAD = {
    "no such target": (table(), {"target": "z"}, "no column 'z' for the role target; the columns are: x, y"),
    "one column": ({"x": X}, {}, "only one column, 'x'"),
    "few rows": ({"x": X[:9], "y": Y[:9]}, {}, "has 9 rows; at least 10"),
    "few rows with a target": ({"x": X, "y": [*Y[:5], *[None] * 35]}, {}, "only 5 rows have a target"),
    "constant number": ({"x": X, "y": np.full(ROWS, 1.5)}, {}, "'y' is 1.5 in every row"),
    "constant class": ({"x": X, "y": ["a"] * ROWS}, {}, "'y' is 'a' in every row"),
    "empty target": ({"x": X, "y": [None] * ROWS}, {}, "'y' has no values"),
    "class of one row": (
        {"x": X, "y": ["a", "b"] * 19 + ["a", "c"]},
        {},
        "class 'c' of the target 'y' has one row",
    ),
    "too many classes": ({"x": X, "y": TEXT_Y}, {}, "40 different values in 40 rows, too many for classes"),
    "only constants": ({"x": np.ones(ROWS), "y": Y}, {}, "no column left to predict from .'x': it is 1.0 in"),
    "infinite feature": (with_value("x", 7, np.inf), {}, "'x' is infinite in row 7"),
    "infinite target": (with_value("y", 7, -np.inf), {}, "'y' is infinite in row 7"),
    "infinite class": (
        {"x": X, "y": [0.0, np.inf] * 20},
        {"task": "classification"},
        "'y' is infinite in row 2",
    ),
    "text in regression": (with_value("y", 4, "high"), {"task": "regression"}, "row 4 holds 'high'"),
    "dates as target": ({"x": X, "y": [f"2024-01-{i % 28 + 1:02d}" for i in range(ROWS)]}, {}, "holds dates"),
    "a target of text beside a number": (
        table(c=["a", "b"] * 20),
        {"target": ["y", "c"]},
        "'c' holds text, such as 'a', and 'y' holds numbers; networks predict classes or numbers",
    ),
    "two targets of which one is too varied for classes": (
        table(c=["a", "b"] * 20),
        {"target": ["y", "c"], "task": "classification"},
        "'y' has 40 different values in 40 rows, too many for classes",
    ),
    "zero error": (
        table(s=[1.0] * 5 + [0.0] * 35),
        {"y_err": "s"},
        "'s': a measured error must be a positive.*row 6",
    ),
    "no error": (table(s=[1.0] * 5 + [None] * 35), {"y_err": "s"}, "row 6 holds nothing"),
    "infinite error": (table(s=[1.0] * 5 + [np.inf] * 35), {"y_err": "s"}, "must be finite, but row 6"),
    "error of a class": (
        {"x": X, "y": ["a", "b"] * 20, "s": np.ones(ROWS)},
        {"y_err": "s", "task": "classification"},
        "classes have no measured errors",
    ),
    "negative weight": (
        table(w=[1.0] * 5 + [-1.0] * 35),
        {"weight": "w"},
        "add up to -30; negative ones are allowed, but",
    ),
    "class of no weight": (
        {"x": X, "y": ["a", "b"] * 20, "w": [3.0, -1.0] * 20},
        {"weight": "w"},
        "weights of the class 'b' add up to -20",
    ),
    "zero weights": (table(w=[0.0] * ROWS), {"weight": "w"}, "'w' are all zero"),
    "no group": (table(g=["a"] * 5 + [None] * 35), {"group": "g"}, "every row needs a group, but row 6"),
    "no time": (table(t=[1.0] * 5 + [None] * 35), {"time": "t"}, "every row needs a time.*row 6"),
    "time in words": (
        table(t=["now", "then"] * 20),
        {"time": "t"},
        "every row needs a time.*row 1 holds 'now'",
    ),
    "all used": (table(), {"features": ["x", "y"]}, "none is left as the target"),
}


@pytest.mark.parametrize(("data", "options", "message"), BAD.values(), ids=BAD)
def test_bad_data(data: Any, options: dict[str, Any], message: str) -> None:
    if isinstance(data, dict):
        data = pl.DataFrame(data, strict=False)
    with pytest.raises(DataError, match=message) as caught:
        load_dataset(data, **options)
    assert len(str(caught.value).splitlines()) == 1


def test_test_rows_of_their_own() -> None:
    data, test = table(), pl.DataFrame({"more": [0, 0], "y": [1, None], "x": [2.5, 3.5]})
    dataset, rows = load_with_test(data.with_columns(y=pl.Series([None, *Y[1:]])), test)
    assert rows.tolist() == [ROWS - 1]
    assert dataset.table["x"][int(rows[0])] == 2.5
    with pytest.raises(DataError, match="test rows have no column 'y'"):
        load_with_test(data, test.drop("y"))
    with pytest.raises(DataError, match="'x' holds float64 in the training data and string in the test rows"):
        load_with_test(data, test.with_columns(x=pl.Series(["a", "b"])))


def test_built_in_data_with_test_rows_keep_their_name_and_roles() -> None:
    test = load_dataset("damped_oscillation").table.head(3)
    dataset, rows = load_with_test("damped_oscillation", test)
    assert (dataset.name, dataset.source, dataset.roles.y_err) == (
        "damped_oscillation",
        "built in",
        ["y_err"],
    )
    assert rows.tolist() == [400, 401, 402]
