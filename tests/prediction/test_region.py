"""The region of the training rows: usual rows are inside but for the stated rate, far ones outside."""

from __future__ import annotations

import numpy as np
import pytest

from shoal.prediction.region import Region


def region(x: np.ndarray, **options: object) -> Region:
    found = Region.of(np.asarray(x, np.float32), 0, **options)  # type: ignore[arg-type]
    assert found is not None
    return found


@pytest.mark.slow
@pytest.mark.parametrize("features", [1, 4, 20])
@pytest.mark.parametrize("rate", [0.01, 0.05])
def test_usual_rows_are_outside_at_the_stated_rate(features: int, rate: float) -> None:
    rng, shares = np.random.default_rng(0), []
    for _ in range(20):
        found = region(rng.normal(size=(500, features)), rate=rate)
        shares.append(found.outside(rng.normal(size=(500, features)).astype(np.float32)).mean())
    assert np.mean(shares) == pytest.approx(rate, abs=0.006)


def test_far_rows_and_unusual_combinations_are_outside() -> None:
    rng = np.random.default_rng(1)
    a = rng.normal(size=2000)
    x = np.column_stack([a, a + 0.1 * rng.normal(size=2000)])
    found = region(x)
    assert found.outside(np.array([[6.0, 6.0], [1.5, -1.5], [0.0, 0.0]], np.float32)).tolist() == [True, True, False]
    assert found.distance(np.array([[0.0, 0.0]], np.float32))[0] < 1.0


def test_units_and_offsets_do_not_matter() -> None:
    rng = np.random.default_rng(2)
    x, new = rng.normal(size=(800, 3)), 2.0 * rng.normal(size=(300, 3))
    plain = region(x).outside(new.astype(np.float32))
    scaled = region(x * [1.0, 100.0, 0.01] + [0.0, 5e3, 0.0])
    other = scaled.outside((new * [1.0, 100.0, 0.01] + [0.0, 5e3, 0.0]).astype(np.float32))
    assert np.mean(plain != other) < 0.02


@pytest.mark.slow
def test_few_rows_of_many_are_kept() -> None:
    rng = np.random.default_rng(3)
    found = region(rng.normal(size=(10_000, 3)))
    assert found.rows.shape == (2000, 3)
    assert region(rng.normal(size=(3000, 2000))).rows.shape == (200, 2000)
    assert found.outside(rng.normal(size=(4000, 3)).astype(np.float32)).mean() < 0.03


def test_rows_of_the_same_group_are_no_neighbours() -> None:
    rng = np.random.default_rng(4)
    centres = rng.normal(size=(60, 5))
    groups = np.repeat(np.arange(60), 20)
    x = centres[groups] + 0.05 * rng.normal(size=(1200, 5))
    new = (rng.normal(size=(400, 5)) + 0.05 * rng.normal(size=(400, 5))).astype(np.float32)
    assert region(x, groups=groups).outside(new).mean() < 0.1
    assert region(x).outside(new).mean() > 0.5  # a new group would be far from all


def test_too_few_rows_have_no_region_or_a_wide_one() -> None:
    assert Region.of(np.zeros((1, 2), np.float32), 0) is None
    assert Region.of(np.zeros((5, 2), np.float32), 0, np.zeros(5, int)) is None
    few = region(np.arange(6.0)[:, None])
    assert few.outside(np.array([[2.5], [100.0]], np.float32)).tolist() == [False, True]


def test_equal_rows_are_inside() -> None:
    found = region(np.ones((50, 2)))
    assert found.outside(np.array([[1.0, 1.0], [1.5, 1.0]], np.float32)).tolist() == [False, True]


def test_it_survives_saving_and_the_same_seed_gives_the_same() -> None:
    x = np.random.default_rng(5).normal(size=(3000, 2))
    found, again = region(x), region(x)
    document, arrays = found.to_parts()
    back = Region.from_parts(document, arrays)
    new = np.random.default_rng(6).normal(size=(50, 2)).astype(np.float32)
    np.testing.assert_array_equal(back.distance(new), found.distance(new))
    assert again.to_parts()[0] == document
    np.testing.assert_array_equal(again.rows, found.rows)


@pytest.mark.parametrize("rows", [4, 40, 500])
def test_outside_are_the_rows_that_are_farther_than_the_threshold(rows: int) -> None:
    rng = np.random.default_rng(rows)
    region = Region.of(rng.normal(size=(rows, 3)).astype(np.float32), seed=1)
    assert region is not None
    asked = (2.0 * rng.normal(size=(300, 3))).astype(np.float32)
    np.testing.assert_array_equal(region.outside(asked), region.distance(asked) > 1.0)
    assert region.outside(asked[:0]).shape == (0,)
