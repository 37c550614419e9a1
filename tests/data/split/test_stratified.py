"""The stratified division against scikit-learn's."""

from __future__ import annotations

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn.model_selection import train_test_split

from shoal.data.split.stratified import divide_stratified


@given(st.lists(st.integers(2, 40), min_size=1, max_size=6), st.integers(1, 200), st.integers(0, 2**32 - 1))
def test_the_rows_are_those_of_scikit_learn(sizes: list[int], count: int, seed: int) -> None:
    strata = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(sizes)) * 3 - 1, sizes))
    assume(len(sizes) <= count <= len(strata) - len(sizes))
    rows = np.arange(len(strata)) * 7
    expected = train_test_split(rows, test_size=count, stratify=strata, random_state=seed)
    for ours, theirs in zip(divide_stratified(rows, strata, count, seed), expected, strict=True):
        np.testing.assert_array_equal(ours, theirs)
