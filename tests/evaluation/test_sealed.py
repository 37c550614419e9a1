"""Sealed rows: closed until they are opened, and every opening counts."""

from __future__ import annotations

import numpy as np

from shoal.data import load_dataset
from shoal.evaluation.sealed import SealedRows

ROWS = np.asarray([2, 5, 11])
TABLE = {"x": np.arange(12.0), "y": 10.0 * np.arange(12.0), "w": np.arange(1.0, 13.0)}


def test_opening_gives_the_rows_and_counts() -> None:
    sealed = SealedRows(load_dataset(TABLE, target="y", weight="w"), ROWS)
    assert len(sealed) == 3
    assert sealed.openings == 0
    table, truth, weights = sealed.open()
    assert table["x"].to_list() == [2.0, 5.0, 11.0]
    assert truth[:, 0].tolist() == [20.0, 50.0, 110.0]
    assert weights is not None
    assert weights.tolist() == [3.0, 6.0, 12.0]
    sealed.open()
    assert sealed.openings == 2


def test_without_weights() -> None:
    sealed = SealedRows(load_dataset(TABLE, target="y"), ROWS)
    assert sealed.open()[2] is None


def test_looking_at_their_number_opens_nothing() -> None:
    sealed = SealedRows(load_dataset(TABLE, target="y"), ROWS)
    assert len(sealed) == 3
    assert repr(sealed)
    assert sealed.openings == 0
