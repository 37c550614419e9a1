"""Labels come back in the type in which they came, and one-hot targets are classes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest

from shoal.data import Preparation, load_dataset
from shoal.data.describe import describe
from shoal.data.labels import label_names, labels_of
from shoal.data.new_rows import cut_as_fitted, read_new
from shoal.errors import DataError
from shoal.prediction.prediction import ClassPrediction
from shoal.results import Task

RNG = np.random.default_rng(2)
ROWS = 60
X = RNG.standard_normal((ROWS, 2))
PLACES = np.arange(ROWS) % 3
ONE_HOT = np.eye(3)[PLACES]


@pytest.mark.parametrize(
    ("labels", "options", "classes"),
    [
        (PLACES, {}, (0, 1, 2)),
        (PLACES.astype(np.uint8) + 7, {"task": "classification"}, (7, 8, 9)),
        (PLACES.astype(np.float32), {}, (0.0, 1.0, 2.0)),
        (PLACES * 0.5, {"task": "classification"}, (0.0, 0.5, 1.0)),
        (PLACES > 0, {}, (False, True)),
        (np.array(["a", "b", "10"])[PLACES], {}, ("10", "a", "b")),
        (PLACES.astype(str), {}, ("0", "1", "2")),
        ([None if i == 5 else int(k) for i, k in enumerate(PLACES)], {}, (0, 1, 2)),
    ],
)
def test_labels_keep_their_type_and_survive_saving(labels: Any, options: dict[str, Any], classes: tuple) -> None:
    dataset = load_dataset((X, labels), **options)
    saved = Preparation.from_dict(Preparation.fit(dataset, np.arange(dataset.rows)).to_dict())
    given = labels_of(saved.classes, saved.label_type)
    assert given == classes
    assert list(map(type, given)) == list(map(type, classes))
    assert label_names(given) == dataset.classes
    np.testing.assert_array_equal(saved.target_values(dataset.table), dataset.y())


def test_labels_of_an_old_model_are_text_as_they_were() -> None:
    dataset = load_dataset((X, PLACES))
    document = Preparation.fit(dataset, np.arange(ROWS)).to_dict()
    del document["label_type"]
    assert Preparation.from_dict(document).label_type == "str"


@pytest.mark.parametrize(
    ("classes", "kind", "column"),
    [((0, 1, 2), "i", pl.Int64), ((0.0, 1.0, 2.5), "f", pl.Float64), ((False, True), "b", pl.Boolean)],
)
def test_predicted_labels_and_their_column_have_the_type_of_the_classes(classes: tuple, kind: str, column: Any) -> None:
    k = len(classes)
    sure = np.eye(k)
    arrays = {"probability_std": sure, "averaged": sure, "disagreement": np.zeros(k), "sets": sure > 0}
    prediction = ClassPrediction(("state",), classes, sure, **arrays)
    assert prediction.labels.dtype.kind == kind
    assert prediction.labels.tolist() == list(classes)
    frame = prediction.frame()
    assert frame.schema["prediction"] == column
    assert frame["set"].to_list() == list(label_names(classes))
    assert f"probability_{label_names(classes)[1]}" in frame.columns
    behind = replace(prediction, probabilities=np.where(np.arange(k)[:, None] == 1, np.nan, sure))
    assert behind.labels.tolist() == [classes[0], None, *classes[2:]]


@pytest.mark.parametrize("targets", [ONE_HOT, ONE_HOT.astype(int), ONE_HOT > 0])
def test_one_hot_targets_are_classes_and_said(targets: np.ndarray) -> None:
    dataset = load_dataset((X, targets))
    assert (dataset.task, dataset.targets, dataset.classes) == (Task.CLASSIFICATION, ("y",), ("0", "1", "2"))
    assert dataset.label_type == "int"
    np.testing.assert_array_equal(dataset.y(), PLACES)
    assert "exactly one 1 in each row" in dataset.choice.task_reason
    assert "--task regression" in dataset.choice.task_reason
    preparation = Preparation.fit(dataset, np.arange(ROWS))
    other = load_dataset((X, targets), task="regression").table  # y1, y2, y3
    np.testing.assert_array_equal(preparation.target_values(other), PLACES)


def test_a_row_without_its_one_hot_target_is_left_out() -> None:
    targets = ONE_HOT.copy()
    targets[4] = np.nan
    dataset = load_dataset((X, targets))
    assert (dataset.task, dataset.rows) == (Task.CLASSIFICATION, ROWS - 1)


def test_one_hot_columns_that_are_named_give_their_names_to_the_classes() -> None:
    table = pl.DataFrame({"x": X[:, 0], **{f"kind_{c}": ONE_HOT[:, i] for i, c in enumerate("uvw")}})
    names = ["kind_u", "kind_v", "kind_w"]
    dataset = load_dataset(table, target=names)
    assert (dataset.targets, dataset.classes) == (("kind",), tuple(names))
    assert [column.name for column in dataset.features] == ["x"]
    np.testing.assert_array_equal(Preparation.fit(dataset, np.arange(ROWS)).target_values(table), PLACES)


def test_one_hot_targets_are_numbers_if_the_task_says_so() -> None:
    for data in ((X, ONE_HOT), (RNG.standard_normal((ROWS, 8, 8)), ONE_HOT)):
        dataset = load_dataset(data, task="regression")
        assert (dataset.task, len(dataset.targets)) == (Task.REGRESSION, 3)
        assert "fitted as 3 numbers, as the task says" in dataset.choice.task_reason
    steps = load_dataset(
        (RNG.standard_normal((ROWS, 4, 1)), np.eye(3)[RNG.integers(0, 3, (ROWS, 4))]), task="regression"
    )
    assert (steps.task, len(steps.targets)) == (Task.REGRESSION, 3)


def test_one_hot_targets_of_steps_are_classes() -> None:
    places = RNG.integers(0, 3, (ROWS, 4))
    dataset = load_dataset((RNG.standard_normal((ROWS, 4, 1)), np.eye(3)[places]))
    assert (dataset.task, dataset.label_type) == (Task.CLASSIFICATION, "int")
    np.testing.assert_array_equal(dataset.y(), places)


def test_several_labels_a_row_are_classes_unless_the_task_says_otherwise() -> None:
    data = X, (RNG.random((ROWS, 3)) > 0.5).astype(int)
    dataset = load_dataset(data)
    assert (dataset.task, dataset.task_name) == (Task.CLASSIFICATION, "multilabel classification, 3 labels")
    np.testing.assert_array_equal(dataset.y(), data[1])
    numbers = load_dataset(data, task="regression")
    assert (numbers.task, len(numbers.targets)) == (Task.REGRESSION, 3)
    assert all("several labels a row" in each.choice.task_reason for each in (dataset, numbers))


@pytest.mark.parametrize(
    ("y", "task", "reason"),
    [
        (PLACES, Task.CLASSIFICATION, "3 different whole numbers, so they are taken as classes"),
        (np.tile([3, 5, 8, 13], 15), Task.REGRESSION, "4 different whole numbers in 60 rows, so they are taken as mea"),
        (np.tile([0.0, 1.0], 30), Task.CLASSIFICATION, "2 different whole numbers"),
        (np.linspace(0.0, 1.0, ROWS), Task.REGRESSION, ""),
        (np.tile([True, False], 30), Task.CLASSIFICATION, ""),
    ],
)
def test_whole_numbers_that_may_be_either_are_said(y: Any, task: Task, reason: str) -> None:
    dataset = load_dataset((X, y))
    assert dataset.task is task
    assert reason in dataset.choice.task_reason
    assert bool(reason) == bool(dataset.choice.task_reason)


def test_labels_that_are_alike_or_say_nothing_are_warned_of() -> None:
    spaces = "\n".join(describe(load_dataset((X, ["a", "a ", "b"] * 20))).warnings)
    assert "'a', 'a ' differ only by spaces or case" in spaces
    missing = "\n".join(describe(load_dataset((X, np.array(["a", "b", np.nan] * 20)))).warnings)
    assert "'nan' is a class here" in missing
    assert not [w for w in describe(load_dataset((X, PLACES))).warnings if "class" in w]
    assert load_dataset((X, ["a", "b", float("nan")] * 20)).classes == ("a", "b")


def test_a_label_that_is_not_known_is_still_refused() -> None:
    preparation = Preparation.fit(load_dataset((X, PLACES)), np.arange(ROWS))
    with pytest.raises(DataError, match="has the class '7'"):
        preparation.target_values(pl.DataFrame({"y": [0, 7]}))


def test_one_hot_targets_of_long_tables_are_classes() -> None:
    steps = [
        (f"s{k}", t, np.sin((k % 2 + 1) * t / 3) + k / 100, int(k % 2 == 0), int(k % 2 == 1))
        for k in range(12)
        for t in range(6)
    ]
    columns = dict(zip(("night", "t", "v", "is_rem", "is_deep"), zip(*steps, strict=True), strict=True))
    table = {name: list(values) for name, values in columns.items()}
    dataset = load_dataset(table, target=["is_rem", "is_deep"], time="t", series="night")
    assert dataset.task is Task.CLASSIFICATION
    assert dataset.classes == ("is_deep", "is_rem")
    assert dataset.rows == 12
    preparation = Preparation.fit(dataset, np.arange(12))
    again = cut_as_fitted(read_new(table, preparation), preparation, known=True)
    assert preparation.target_values(again.table).tolist() == dataset.y().tolist()
