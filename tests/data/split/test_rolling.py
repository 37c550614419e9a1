"""Rolling folds: those of scikit-learn, and what must hold of every data set: the future never teaches the past."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn.model_selection import TimeSeriesSplit

from shoal.data import load_dataset, split_rows
from shoal.data.dataset import Dataset
from shoal.data.split.rolling import RollingFolds, roll_folds
from shoal.errors import SettingError

RNG = np.random.default_rng(0)


def table(rows: int, **more: object) -> pl.DataFrame:
    return pl.DataFrame({"x": RNG.normal(size=rows), "y": RNG.normal(size=rows), **more})


def learned(rolled: RollingFolds, fold: int) -> np.ndarray:
    return np.flatnonzero(rolled.held_out[:, fold] != fold)


def judged(rolled: RollingFolds, fold: int) -> np.ndarray:
    return np.flatnonzero(rolled.judged[:, fold] == fold)


@given(rows=st.integers(6, 80), folds=st.integers(2, 5), seed=st.integers(0, 3))
def test_they_are_those_of_scikit_learn_where_times_differ(rows: int, folds: int, seed: int) -> None:
    order = np.random.default_rng(seed).permutation(rows)
    times = np.empty(rows)
    times[order] = np.sort(np.random.default_rng(seed).normal(size=rows))
    rolled = roll_folds(times, folds)
    for fold, (train, test) in enumerate(TimeSeriesSplit(folds).split(order)):
        np.testing.assert_array_equal(learned(rolled, fold), np.sort(order[train]))
        np.testing.assert_array_equal(judged(rolled, fold), np.sort(order[test]))


@pytest.mark.slow
@given(
    steps=st.lists(st.integers(0, 2), min_size=4, max_size=60),
    reach=st.integers(0, 3),
    grouped=st.booleans(),
    folds=st.integers(2, 4),
    seed=st.integers(0, 20),
)
def test_no_row_teaches_those_who_are_judged_on_an_earlier_one(
    steps: list[int], reach: int, grouped: bool, folds: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    times = rng.permutation(np.cumsum(steps)).astype(float)
    groups = rng.integers(0, max(2, len(steps) // 3), len(steps)) if grouped else None
    first = times if groups is None else np.asarray([times[groups == g].min() for g in groups])
    assume(len(np.unique(first)) > folds)
    rolled = roll_folds(times, folds, groups, times + reach)
    seen = np.zeros(len(steps), int)
    for fold in range(folds):
        train, test = learned(rolled, fold), judged(rolled, fold)
        assert len(test) > 0
        seen[test] += 1
        assert not len(train) or times[train].max() + reach < times[test].min()
        if groups is not None:
            assert not np.intersect1d(groups[train], groups[test]).size
        others = np.setdiff1d(np.arange(len(steps)), test)
        if groups is None:  # equal times are not divided
            assert not np.intersect1d(times[others], times[test]).size
            if reach == 0:  # nothing that is earlier is left out
                np.testing.assert_array_equal(train, np.flatnonzero(times < times[test].min()))
    assert seen.max() == 1  # nobody is judged twice, those of the first part never
    np.testing.assert_array_equal(rolled.validated, seen == 1)
    np.testing.assert_array_equal(rolled.part >= 0, seen == 1)


def test_many_rows_of_one_time_leave_a_cut_for_each_fold() -> None:
    times = np.repeat([0.0, 1.0, 2.0, 3.0], [90, 2, 2, 2])
    rolled = roll_folds(times, 3)
    assert [np.unique(times[judged(rolled, k)]).tolist() for k in range(3)] == [[1.0], [2.0], [3.0]]


def split(dataset: Dataset, folds: int, **more: Any) -> tuple[Any, RollingFolds]:
    found = split_rows(dataset, folds=folds, **more)
    assert found.rolling is not None
    return found, found.rolling


def test_the_split_of_rows_in_time_has_rolling_folds_before_the_test_rows() -> None:
    times = RNG.permutation(120) // 2
    dataset = load_dataset(table(120, t=times), time="t")
    found, rolled = split(dataset, 4)
    plain = split_rows(dataset)
    np.testing.assert_array_equal(found.test, plain.test)
    np.testing.assert_array_equal(found.train, np.union1d(plain.train, plain.validation))
    np.testing.assert_array_equal(found.validation, found.train[rolled.validated])
    assert found.sizes == {"train": 96, "validation": 0, "test": 24}
    assert found.rows_of_a_network == 77
    assert "96 rows for training in 4 rolling folds and 24 for the test, split in the order of 't'" in found.how
    assert "Fold k is judged on part k + 1 of 5 in the order of 't' (18 to 20 rows each)" in found.how
    again = split(dataset, 4, seed=7, repeats=3)[1]
    np.testing.assert_array_equal(again.judged, rolled.judged)


def test_test_rows_that_were_given_stay_out() -> None:
    dataset = load_dataset(table(60, t=np.arange(60)), time="t")
    found, rolled = split(dataset, 3, test_rows=np.arange(10, 20))
    assert not np.intersect1d(found.train, found.test).size
    assert [found.train[judged(rolled, k)].min() for k in range(3)] == [24, 36, 48]


def test_windows_keep_a_gap_of_their_horizon() -> None:
    rows = pl.DataFrame({"y": np.sin(np.arange(90) / 5.0), "t": np.arange(90.0)})
    for horizon in (1, 4):
        dataset = load_dataset(rows, target="y", time="t", window=6, horizon=horizon)
        found, rolled = split(dataset, 3)
        expected = TimeSeriesSplit(3, gap=horizon - 1).split(found.train)
        for fold, (train, test) in enumerate(expected):
            np.testing.assert_array_equal(learned(rolled, fold), train)
            np.testing.assert_array_equal(judged(rolled, fold), test)
        assert dataset.cut is not None
        assert dataset.cut.until[found.train].max() < dataset.cut.since[found.test].min()
        assert ("Up to 3 windows that predict values" in found.how) == (horizon == 4)


def test_groups_stay_whole_and_late_rows_of_early_ones_are_left_out() -> None:
    groups = np.repeat(np.arange(20), 6)
    times = groups * 1.0 + np.tile([0.0, 0.1, 0.2, 0.3, 0.4, 2.5], 20)
    dataset = load_dataset(table(120, t=times, g=[f"g{i}" for i in groups]), time="t", group="g")
    found, rolled = split(dataset, 3)
    own = groups[found.train]
    assert not np.intersect1d(own, groups[found.test]).size
    assert (
        "rows that are later than the first row that judges, though their 'g' began earlier, were left out" in found.how
    )
    for fold in range(3):
        assert not np.intersect1d(own[learned(rolled, fold)], own[judged(rolled, fold)]).size
        assert times[found.train][learned(rolled, fold)].max() < times[found.train][judged(rolled, fold)].min()


def test_a_class_that_comes_late_is_told() -> None:
    label = np.where(np.arange(100) < 50, np.arange(100) % 2, np.arange(100) % 3).astype(str)
    dataset = load_dataset(table(100, t=np.arange(100)).with_columns(c=pl.Series(label)), time="t", target="c")
    assert "The first fold learns from no row of '2'." in split(dataset, 4)[0].how


@pytest.mark.parametrize(
    ("data", "folds", "message"),
    [
        (
            {"t": np.arange(60) // 12},
            4,
            r"cv: 4 rolling folds need at least 5 different times; in 't' outside the test rows there are 4\. "
            r"Choose --cv 3 or less, or leave it out\.",
        ),
        ({"t": np.arange(60) // 30}, 2, r"need at least 3 different times; .* there are 1\. Leave out --cv\."),
        (
            {"t": np.arange(60)},
            24,
            r"cv: 24 rolling folds need at least 50 rows; there are 48 outside .*--cv 23 or less",
        ),
        (
            {"t": np.concatenate([np.zeros(20), [1, 2], np.full(26, 3), np.arange(4, 16)])},
            3,
            r"cv: many rows have the same 't', so that only 1 is left to judge fold 1 of 3",
        ),
        (
            {"t": np.arange(60), "g": np.arange(60) % 4},
            2,
            r"cv: only 1 of the rows lie before those that judge fold 1 of 2; others are later than the first row of a "
            r"'g' that does; leave out either 'g' or 't'",
        ),
        ({"t": np.arange(60), "g": np.arange(60) % 3}, 2, r"3 different times at which a 'g' begins; in 't' .* are 2"),
    ],
)
def test_what_cannot_be_rolled_says_why(data: dict[str, Any], folds: int, message: str) -> None:
    dataset = load_dataset(table(60, **data), time="t", group="g" if "g" in data else None)
    with pytest.raises(SettingError, match=message):
        split_rows(dataset, folds=folds)


def test_windows_that_reach_too_far_say_so() -> None:
    rows = pl.DataFrame({"y": np.sin(np.arange(60) / 5.0), "t": np.arange(60.0)})
    dataset = load_dataset(rows, target="y", time="t", window=4, horizon=12)
    with pytest.raises(
        SettingError, match=r"lie before those that judge fold 1 of 3; others predict values that the wi"
    ):
        split_rows(dataset, folds=3)
