"""Folds: even, stratified, groups whole, the same for the same seed; scikit-learn's own folds are no better."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import GroupKFold, StratifiedGroupKFold, StratifiedKFold

from shoal.data import assign_folds, load_dataset, split_rows
from shoal.errors import SettingError

RNG = np.random.default_rng(0)


def table(rows: int, **more: object) -> pl.DataFrame:
    return pl.DataFrame({"x": RNG.normal(size=rows), "y": RNG.normal(size=rows), **more})


def counts(fold: np.ndarray, strata: np.ndarray, folds: int) -> np.ndarray:
    return np.stack([np.bincount(strata[fold == k], minlength=strata.max() + 1) for k in range(folds)])


@given(
    sizes=st.lists(st.integers(1, 30), min_size=1, max_size=6),
    folds=st.integers(2, 7),
    repeats=st.integers(1, 3),
    seed=st.integers(0, 3),
)
def test_folds_and_strata_in_them_differ_by_one_row_at_most(
    sizes: list[int], folds: int, repeats: int, seed: int
) -> None:
    strata = np.random.default_rng(seed).permutation(np.repeat(range(len(sizes)), sizes))
    dealt = assign_folds(strata, folds, repeats, seed)
    assert dealt.shape == (len(strata), repeats)
    for fold in dealt.T:
        assert set(fold) <= set(range(folds))
        assert np.ptp(np.bincount(fold, minlength=folds)) <= 1
        assert np.ptp(counts(fold, strata, folds), axis=0).max() <= 1
        # classes stay in proportion when each class is two strata, one for each half
        assert np.ptp(counts(fold, strata // 2, folds), axis=0).max() <= 1


def test_sizes_and_classes_are_those_of_stratified_k_fold() -> None:
    y = RNG.permutation(np.repeat([0, 1, 2], [71, 23, 9]))
    ours = counts(assign_folds(y, 5, 1, seed=1)[:, 0], y, 5)
    theirs = [np.bincount(y[held], minlength=3) for _, held in StratifiedKFold(5, shuffle=True).split(y, y)]
    assert sorted(ours.sum(axis=1)) == sorted(np.sum(theirs, axis=1))
    np.testing.assert_array_equal(np.sort(ours, axis=0), np.sort(theirs, axis=0))


def test_the_seed_and_the_repeat_decide() -> None:
    strata = np.zeros(60, np.int64)
    three = assign_folds(strata, 4, 3, seed=1)
    assert np.array_equal(three[:, :2], assign_folds(strata, 4, 2, seed=1))
    assert not np.array_equal(three[:, 0], three[:, 1])
    assert not np.array_equal(three, assign_folds(strata, 4, 3, seed=2))


def test_every_row_is_as_likely_in_every_fold() -> None:
    dealt = assign_folds(np.zeros(10, np.int64), 5, 2000, seed=0)
    shares = np.stack([(dealt == k).mean(axis=1) for k in range(5)])
    np.testing.assert_allclose(shares, 0.2, atol=4 * np.sqrt(0.2 * 0.8 / 2000))


@pytest.mark.parametrize("classes", [1, 3])
def test_groups_stay_whole_and_folds_even(classes: int) -> None:
    groups = RNG.choice(40, 600, p=RNG.dirichlet(np.ones(40)))
    y = RNG.integers(classes, size=600)
    largest = np.bincount(groups).max()
    dealt = assign_folds(y, 5, 4, seed=0, groups=groups)
    for fold in dealt.T:
        assert all(len(np.unique(fold[groups == g])) == 1 for g in np.unique(groups))
        assert np.ptp(np.bincount(fold, minlength=5)) <= largest
    assert len({tuple(fold) for fold in dealt.T}) == 4
    splits = GroupKFold(5) if classes == 1 else StratifiedGroupKFold(5, shuffle=True, random_state=0)
    theirs = np.stack([np.bincount(y[held], minlength=classes) for _, held in splits.split(y, y, groups)])
    ours = np.mean([counts(fold, y, 5).std(axis=0).sum() for fold in dealt.T])
    assert ours <= theirs.std(axis=0).sum() + 0.02 * len(y)


def test_as_many_groups_as_folds_leave_one_out_each() -> None:
    groups = np.repeat([3, 7, 1], [50, 2, 9])
    fold = assign_folds(np.zeros(61, np.int64), 3, 1, seed=0, groups=groups)[:, 0]
    assert len({(g, k) for g, k in zip(groups, fold, strict=True)}) == len(set(fold)) == 3


def test_many_groups_take_no_long_time() -> None:
    fold = assign_folds(np.arange(20_000) % 6, 5, 1, seed=0, groups=np.arange(20_000) // 2)[:, 0]
    assert np.ptp(np.bincount(fold)) <= 2


# the split


def test_with_folds_the_validation_rows_join_and_the_test_rows_stay() -> None:
    dataset = load_dataset("iris")
    plain, folded = split_rows(dataset, seed=3), split_rows(dataset, seed=3, folds=5, repeats=2)
    assert np.array_equal(folded.test, plain.test)
    assert np.array_equal(folded.train, np.sort(np.concatenate([plain.train, plain.validation])))
    assert np.array_equal(folded.train, folded.validation)
    assert folded.sizes == {"train": 120, "validation": 0, "test": 30}
    assert folded.rows_of_a_network == 96
    assert folded.how.startswith(
        "120 rows for training in 5 folds (dealt anew in each of 2 repeats) and 30 for the test"
    )
    assert plain.sizes == {"train": 96, "validation": 24, "test": 30}
    assert plain.rows_of_a_network == 96


def test_more_folds_than_rows_of_a_class_are_refused() -> None:
    y = ["a"] * 40 + ["b"] * 40 + ["c"] * 5
    dataset = load_dataset({"x": RNG.normal(size=85), "y": y})
    message = r"cv: 6 folds need at least 6 rows of each class; .* 'c' has 4\. Choose --cv 4 or less"
    with pytest.raises(SettingError, match=message):
        split_rows(dataset, folds=6)
    assert split_rows(dataset, folds=4).folds == 4


def test_a_class_of_one_row_cannot_be_folded() -> None:
    dataset = load_dataset({"x": RNG.normal(size=42), "y": ["a"] * 40 + ["b"] * 2})
    with pytest.raises(SettingError, match=r"'b' has 1\. Leave out --cv\."):
        split_rows(dataset, folds=2, test_rows=np.array([40]))


def test_more_folds_than_groups_are_refused() -> None:
    dataset = load_dataset(table(90, g=np.arange(90) % 6), group="g")
    with pytest.raises(
        SettingError, match=r"cv: 8 folds need at least 8 groups; in 'g' .* there are 4\. Choose --cv 4"
    ):
        split_rows(dataset, folds=8)


def test_more_folds_than_pairs_of_rows_are_refused() -> None:
    with pytest.raises(
        SettingError, match=r"cv: 20 folds need at least 40 rows; there are 24 .*Choose --cv 12 or less"
    ):
        split_rows(load_dataset(table(30)), folds=20)
