from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shoal.data import Dataset, Split, load_dataset, split_rows
from shoal.errors import DataError, SettingError


def regression(rows: int = 100, **more: Any) -> pl.DataFrame:
    x = np.random.default_rng(0).standard_normal((rows, 2))
    return pl.DataFrame({"x": x[:, 0], "y": x[:, 1], **more})


def check_partition(split: Split, dataset: Dataset) -> None:
    parts = (split.train, split.validation, split.test)
    assert all(part.dtype == np.int64 and np.array_equal(part, np.sort(part)) for part in parts)
    assert np.array_equal(np.sort(np.concatenate(parts)), np.arange(dataset.rows))


def test_iris_is_split_as_in_the_notes() -> None:
    dataset = load_dataset("iris")
    split = split_rows(dataset)
    check_partition(split, dataset)
    y = dataset.y()
    counts = [np.bincount(y[part]).tolist() for part in (split.train, split.validation, split.test)]
    assert counts == [[32] * 3, [8] * 3, [10] * 3]
    assert split.how.startswith("96 rows for training, 24 for validation and 30 for the test")


def test_the_seed_decides() -> None:
    for data in (load_dataset("iris"), load_dataset(regression())):
        first, same, other = split_rows(data, seed=3), split_rows(data, seed=3), split_rows(data, seed=4)
        assert np.array_equal(first.train, same.train)
        assert not np.array_equal(first.train, other.train)
        assert not np.array_equal(first.test, other.test)
        split_rows(data, seed=2**40)


@pytest.mark.slow
@settings(derandomize=True, deadline=None, max_examples=40)
@given(
    counts=st.lists(st.integers(2, 40), min_size=2, max_size=8).filter(
        lambda c: sum(c) >= 2 * len(c) + 6 and sum(c) > 9
    ),
    seed=st.integers(0, 5),
)
def test_any_classes_can_be_split_and_each_is_trained(counts: list[int], seed: int) -> None:
    y = np.repeat([f"c{i}" for i in range(len(counts))], counts)
    dataset = load_dataset({"x": np.random.default_rng(0).standard_normal(len(y)), "y": y.tolist()})
    split = split_rows(dataset, seed=seed)
    check_partition(split, dataset)
    assert len(split.test) == max(round(0.2 * len(y)), 1)
    assert len(split.validation) == max(round(0.16 * len(y)), 1)
    assert set(dataset.y()[split.train]) == set(range(len(counts)))
    for label, count in enumerate(counts):
        if count >= 20:
            share = (dataset.y()[split.test] == label).sum() / count
            assert abs(share - 0.2) <= 2 / count + 0.03


def test_sizes() -> None:
    split = split_rows(load_dataset(regression()), sizes=(0.5, 0.3, 0.2))
    assert (len(split.train), len(split.validation), len(split.test)) == (50, 30, 20)


@pytest.mark.parametrize("sizes", [(0.5, 0.5), (0.8, 0.1, 0.2), (0.8, 0.2, 0.0), (1.2, -0.1, -0.1), "abc", 3])
def test_sizes_that_make_no_sense(sizes: Any) -> None:
    with pytest.raises(SettingError, match="three positive shares"):
        split_rows(load_dataset(regression()), sizes=sizes)


def test_given_test_rows() -> None:
    dataset = load_dataset(regression())
    split = split_rows(dataset, test_rows=np.arange(90, 100))
    check_partition(split, dataset)
    assert split.test.tolist() == list(range(90, 100))
    assert (len(split.train), len(split.validation)) == (72, 18)
    assert "10 test rows as given" in split.how
    with pytest.raises(SettingError, match="positions from 0 to 99"):
        split_rows(dataset, test_rows=np.array([100]))
    with pytest.raises(DataError, match="4 rows are left"):
        split_rows(dataset, test_rows=np.arange(96))


def test_a_class_without_training_rows_is_said() -> None:
    dataset = load_dataset({"x": np.arange(60) % 7.5, "y": ["a", "b"] * 25 + ["c"] * 10})
    split = split_rows(dataset, test_rows=np.arange(50, 60))
    assert "No training row has the class 'c'." in split.how


def test_groups_stay_together() -> None:
    rng = np.random.default_rng(5)
    groups = rng.choice(30, 300, p=rng.dirichlet(np.ones(30)))
    for y in (rng.standard_normal(300), rng.choice(["a", "b"], 300)):
        table = regression(300, g=groups).with_columns(y=pl.Series(y))
        dataset = load_dataset(table, group="g")
        split = split_rows(dataset, seed=1)
        check_partition(split, dataset)
        parts = [set(groups[part]) for part in (split.train, split.validation, split.test)]
        assert sum(len(part) for part in parts) == len(set.union(*parts))
        assert 40 <= len(split.test) <= 80
        assert "'g' kept on one side" in split.how


def test_three_groups_are_enough_and_two_are_not() -> None:
    dataset = load_dataset(regression(g=np.arange(100) % 3), group="g")
    assert min(len(part) for part in (split_rows(dataset).train, split_rows(dataset).validation)) > 30
    with pytest.raises(DataError, match="'g' has too few different groups"):
        split_rows(load_dataset(regression(g=np.arange(100) % 2), group="g"))


def test_groups_in_given_test_rows_are_said() -> None:
    dataset = load_dataset(regression(g=np.arange(100) % 10), group="g")
    split = split_rows(dataset, test_rows=np.arange(80, 100))
    assert "10 groups are in the test rows and in the others." in split.how


def test_the_past_trains_and_the_future_tests() -> None:
    times = np.random.default_rng(2).permutation(100) // 2
    dataset = load_dataset(regression(t=times), time="t")
    split = split_rows(dataset)
    check_partition(split, dataset)
    assert times[split.train].max() < times[split.validation].min()
    assert times[split.validation].max() < times[split.test].min()
    assert (len(split.train), len(split.validation), len(split.test)) == (64, 16, 20)
    with pytest.raises(DataError, match="too few different times"):
        split_rows(load_dataset(regression(t=np.zeros(100)), time="t"))
