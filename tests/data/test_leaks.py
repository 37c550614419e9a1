from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from shoal.data import load_dataset, split_rows
from shoal.data.describe import describe
from shoal.data.leaks import find_leaks, from_the_future, giveaways, leaks_of_split, repeated_rows

RNG = np.random.default_rng(7)
ROWS = 200
X = RNG.standard_normal(ROWS)
Y = np.sin(X) + 0.3 * RNG.standard_normal(ROWS)
WALK = np.cumsum(RNG.standard_normal(ROWS))
TIME = np.arange(ROWS) * 1.0


def in_time(**columns: Any) -> Any:
    return load_dataset({"t": TIME, **columns, "y": WALK}, target="y", time="t")


def test_copies_on_both_sides_are_named_by_their_rows() -> None:
    clean = load_dataset({"x": X, "y": Y}, target="y")
    split = split_rows(clean)
    assert leaks_of_split(clean, split) == []
    test, train = int(split.test[0]), int(split.train[0])
    copied = load_dataset({"x": np.where(test == TIME, X[train], X), "y": np.where(test == TIME, Y[train], Y)})
    (warning,) = leaks_of_split(copied, split_rows(copied, test_rows=split.test))
    assert warning.startswith("1 of the test rows is a copy of rows that networks learned from")
    assert f"(row {test + 1} = {train + 1})" in warning
    assert warning in describe(copied, split_rows(copied, test_rows=split.test)).warnings


def test_rows_are_counted_as_in_the_file() -> None:
    x, y = [*X[:20], X[0]], [*Y[:19].tolist(), None, Y[0]]
    dataset = load_dataset({"x": x, "y": y}, target="y")
    (warning,) = leaks_of_split(dataset, split_rows(dataset, test_rows=np.array([19])))
    assert "(row 21 = 1)" in warning


def test_copies_on_one_side_are_no_leak() -> None:
    group = ["a"] * 4 + [str(i) for i in range(4, ROWS)]
    x, y = np.where(TIME < 4, X[0], X), np.where(TIME < 4, Y[0], Y)
    dataset = load_dataset({"x": x, "g": group, "y": y}, target="y", group="g")
    assert leaks_of_split(dataset, split_rows(dataset)) == []


def test_groups_are_never_divided_but_by_the_user() -> None:
    dataset = load_dataset({"x": X, "g": [f"g{i // 4}" for i in range(ROWS)], "y": Y}, target="y", group="g")
    for seed in range(5):
        assert leaks_of_split(dataset, split_rows(dataset, seed=seed)) == []
    (warning,) = leaks_of_split(dataset, split_rows(dataset, test_rows=np.array([1, 9, 12, 13, 14, 15])))
    assert warning.startswith("2 groups are both in the test rows that were given and in the others: g0, g2 (g)")


@pytest.mark.parametrize(
    ("feature", "how"),
    [
        (np.exp(Y), "a curve that only rises or only falls"),
        (-(Y**3), "a curve that only rises or only falls"),
        (2.0 * Y - 1.0, "up to a factor and an offset"),
    ],
    ids=["rises", "falls", "line"],
)
def test_a_monotone_function_of_the_target_gives_it_away(feature: np.ndarray, how: str) -> None:
    (warning,) = giveaways(load_dataset({"x": X, "c": feature, "y": Y}, target="y"))
    assert warning.startswith("'c' alone")
    assert how in warning


def test_a_code_of_the_target_gives_it_away() -> None:
    level = RNG.integers(0, 8, ROWS)
    y = np.array([3.0, 1.0, 4.0, 1.5, 9.0, 2.0, 6.0, 5.0])[level]
    for code in ([f"site {i}" for i in level], level * 1.0):
        (warning,) = giveaways(load_dataset({"x": X, "c": code, "y": y}, target="y", task="regression"))
        assert "'c' alone is one-to-one with 'y'" in warning
    assert list(giveaways(load_dataset({"x": X, "c": level * 1.0, "y": y + 0.1 * Y}, target="y"))) == []


def test_a_relation_with_noise_gives_nothing_away() -> None:
    noisy = np.exp(Y) * (1 + 0.05 * RNG.standard_normal(ROWS))
    assert list(giveaways(load_dataset({"x": X, "c": noisy, "y": Y}, target="y"))) == []


def test_few_different_targets_are_no_evidence() -> None:
    y = np.where(np.sort(X)[-1] <= X, 1.0, 0.0)  # one row of 200: any feature has it at an end with 1 %
    assert list(giveaways(load_dataset({"x": X, "z": Y, "y": y}, target="y", task="regression"))) == []


@pytest.mark.parametrize("shift", [1, 3])
def test_the_target_of_a_later_row_comes_from_the_future(shift: int) -> None:
    ahead = np.concatenate([WALK[shift:], np.full(shift, WALK[-1])]) * 3.0 + 1.0
    ahead[-shift:] = np.nan
    (warning,) = from_the_future(in_time(x=X, c=ahead))
    assert warning.startswith("'c' holds the target of the row " + ("next" if shift == 1 else "3 rows"))


def test_the_target_of_an_earlier_row_does_not() -> None:
    assert list(from_the_future(in_time(x=X, before=np.concatenate([[0.0], WALK[:-1]])))) == []
    smooth = np.sin(TIME / 40)
    dataset = load_dataset({"t": TIME, "c": np.roll(smooth, 1), "y": smooth}, target="y", time="t")
    assert [w for w in from_the_future(dataset) if "future" in w] == []


def test_groups_are_looked_at_one_by_one() -> None:
    group = np.repeat(["a", "b"], ROWS // 2)
    ahead = np.where(TIME % 100 == 99, np.nan, np.roll(WALK, -1))
    data = {"t": TIME % 100, "g": group, "x": X, "c": ahead, "y": WALK}
    (warning,) = from_the_future(load_dataset(data, target="y", time="t", group="g"))
    assert "'c' holds the target of the row next after it" in warning


def test_a_clock_is_named() -> None:
    (warning,) = from_the_future(in_time(x=X, run=TIME**2 + 5))
    assert warning.startswith("'run' only rises or only falls with 't': a clock")
    assert list(from_the_future(in_time(x=X, run=np.where(TIME == 7, 0.0, TIME)))) == []


def test_dates_after_the_row_are_named() -> None:
    days = [f"2024-{1 + i // 28:02d}-{1 + i % 28:02d}" for i in range(ROWS)]
    paid = [*days[:5], "2025-12-31", *days[6:]]
    data = {"day": days, "x": X, "paid": paid, "y": Y}
    (warning,) = from_the_future(load_dataset(data, target="y", time="day"))
    assert "'paid' holds dates after the row's own 'day' in 1 row, first in row 6" in warning


def test_without_a_time_there_is_no_future() -> None:
    dataset = load_dataset({"t": TIME, "x": X, "y": WALK}, target="y")
    assert list(from_the_future(dataset)) == []
    assert find_leaks(dataset, split_rows(dataset)) == []


@pytest.mark.parametrize("rows", [10_000, 12_000])
def test_one_late_row_of_many_contradicts_a_giveaway(rows: int) -> None:
    """The first 10,000 rows only rule out; what they leave open all rows decide."""
    y = np.sort(np.random.default_rng(1).standard_normal(rows))
    late = y.copy()
    late[-1] = y[-3]
    for feature, found in ((np.exp(y), 1), (np.exp(late), 0)):
        assert len(list(giveaways(load_dataset({"x": y[::-1].copy() % 1, "c": feature, "y": y}, target="y")))) == found


def test_late_rows_of_many_decide_what_is_from_the_future_and_what_is_a_clock() -> None:
    rows = 12_000
    times, walk = np.arange(rows) * 1.0, np.cumsum(np.random.default_rng(2).standard_normal(rows))
    ahead, clock = np.append(walk[1:], 0.0), times**1.5
    for last, found in ((slice(0), {"a", "c"}), (slice(-9, None), set())):
        a, c = ahead.copy(), clock.copy()
        a[last] = c[last] = -1e3
        data = load_dataset({"t": times, "a": a, "c": c, "y": walk}, target="y", time="t")
        assert {warning.split("'")[1] for warning in from_the_future(data)} == found


def test_copies_are_found_in_text_nulls_and_zeros_of_either_sign() -> None:
    x, name = [0.0, 1.0, -0.0, None, 1.0, None, 2.0], ["a", None, "a", "b", "b", "b", "c"]
    once = [3.0, 4.0, 5.0, 6.0]
    y = [1.0, 2.0, 1.0, 3.0, 3.0, 3.0, 4.0, *once]
    data = load_dataset({"x": x + once, "name": [*name, *"aaab"], "y": y}, target="y")
    (warning,) = repeated_rows(data)
    assert warning.startswith("2 rows repeat an earlier one")
