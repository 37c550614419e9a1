"""The table of curves against plain arrays."""

from __future__ import annotations

import numpy as np
import pytest

from shoal.notebook.curve_table import MOST_CURVES, MOST_NUMBERS, MOST_POINTS, CurveTable


def filled(curves: np.ndarray, chunk: int, numbers: np.ndarray) -> CurveTable:
    table = CurveTable()
    for first in range(0, curves.shape[1], chunk):
        for number, curve in zip(numbers, curves, strict=True):
            table.add(int(number), first, curve[first : first + chunk])
    return table


@pytest.mark.parametrize(
    ("count", "epochs", "chunk"), [(1, 1, 1), (5, 7, 3), (90, 200, 64), (1500, 3, 2), (3, 5000, 999)]
)
def test_a_picture_is_the_curves_or_some_of_them(count: int, epochs: int, chunk: int) -> None:
    rng = np.random.default_rng(count)
    curves = rng.random((count, epochs))
    numbers = rng.permutation(10 * count)[:count]
    table = filled(curves, chunk, numbers)
    picture = table.picture()
    assert len(table) == count
    assert picture.reached == epochs
    assert picture.losses.shape[0] <= MOST_CURVES + 1
    assert picture.losses.shape[1] == len(picture.epochs) <= MOST_POINTS + 1
    assert picture.losses.size <= 2 * MOST_NUMBERS
    row, epoch = np.unravel_index(curves.argmin(), curves.shape)
    assert picture.best is not None
    assert picture.best[:3] == (numbers[row], epoch + 1, curves.min())
    np.testing.assert_array_equal(
        picture.losses[picture.best.curve], curves[row, picture.epochs - 1].astype(np.float32)
    )
    if count <= MOST_CURVES:
        np.testing.assert_array_equal(picture.losses, curves[:, picture.epochs - 1].astype(np.float32))
    if epochs <= 64:
        assert picture.epochs.tolist() == list(range(1, epochs + 1))


def test_what_diverged_or_has_not_come_is_no_number_and_never_the_best() -> None:
    table = CurveTable()
    assert table.picture().best is None
    table.add(0, 0, np.array([np.nan, np.inf, -np.inf]))
    assert table.picture().best is None
    table.add(1, 0, np.array([0.5]))
    picture = table.picture()
    assert picture.best is not None
    assert (picture.best.network, picture.best.curve) == (1, 1)
    assert np.isnan(picture.losses[1, 1:]).all()
