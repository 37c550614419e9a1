"""Conformal intervals and sets: they hold what they promise, with folds, groups and weights."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shoal.prediction.conformal import (
    Conformal,
    alike,
    conformal_quantile,
    coverage,
    fewest_rows,
    prediction_sets,
)


@given(st.integers(1, 200), st.floats(0.5, 0.99), st.integers(0, 1000))
def test_without_weights_it_is_the_order_statistic(rows: int, level: float, seed: int) -> None:
    scores = np.random.default_rng(seed).exponential(size=(rows, 1))
    rank = int(np.ceil((rows + 1) * level - 1e-9))
    expected = np.sort(scores[:, 0])[rank - 1] if rank <= rows else 1.5 * scores.max()
    assert conformal_quantile(scores, level)[0] == expected


@given(st.integers(2, 60), st.integers(0, 1000))
def test_equal_weights_change_nothing(rows: int, seed: int) -> None:
    scores = np.random.default_rng(seed).exponential(size=(rows, 2))
    same = conformal_quantile(scores, 0.9, np.full(rows, 2.5))
    np.testing.assert_array_equal(same, conformal_quantile(scores, 0.9))


@given(st.integers(20, 80), st.integers(0, 1000))
def test_a_higher_level_reaches_further_even_with_negative_weights(rows: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores, weights = rng.exponential(size=(rows, 1)), rng.normal(1.0, 0.8, rows)
    if weights.sum() <= 1.0:
        return
    found = [conformal_quantile(scores, level, weights, 0.0)[0] for level in (0.5, 0.8, 0.95)]
    assert found == sorted(found)


def test_negative_weights_give_the_quantile_of_what_is_left() -> None:
    rng = np.random.default_rng(0)
    own, foreign = rng.exponential(size=4000), 3.0 + rng.exponential(size=1000)
    scores = np.concatenate([own, foreign, foreign + 1e-9])
    weights = np.repeat([1.0, 1.0, -1.0], [4000, 1000, 1000])
    assert conformal_quantile(scores[:, None], 0.9, weights)[0] == pytest.approx(-np.log(0.1), rel=0.08)


@pytest.mark.parametrize("level", [0.68, 0.95])
def test_split_conformal_covers_what_it_promises(level: float) -> None:
    """Over repetitions the mean coverage of new rows is `ceil((n + 1) level) / (n + 1)`, within two standard errors."""
    rng, held = np.random.default_rng(1), []
    for _ in range(400):
        scores = np.abs(rng.standard_t(3, (100, 1)))
        held.append(np.mean(np.abs(rng.standard_t(3, 400)) <= conformal_quantile(scores, level)[0]))
    expected = np.ceil(101 * level) / 101
    assert np.mean(held) == pytest.approx(expected, abs=2.5 * np.std(held) / 20)


def test_mapies_formula_for_classes() -> None:
    """MAPIE's `LACConformityScore`: `np.quantile(1 - p_true, (n + 1) level / n, method="higher")`."""
    rng = np.random.default_rng(2)
    p = rng.dirichlet(np.ones(4), 250)
    y = (p.cumsum(axis=1) > rng.uniform(size=(250, 1))).argmax(axis=1)
    scores = 1.0 - p[np.arange(250), y]
    theirs = np.quantile(scores, 251 * 0.9 / 250, method="higher")
    assert conformal_quantile(scores[:, None], 0.9)[0] == theirs


def test_sets_hold_the_class_as_often_as_promised() -> None:
    rng, held, sizes = np.random.default_rng(3), [], []
    for _ in range(100):
        p = rng.dirichlet(np.ones(4) / 2, 700)
        y = (p.cumsum(axis=1) > rng.uniform(size=(700, 1))).argmax(axis=1)
        wrong = p**2 / (p**2).sum(axis=1, keepdims=True)  # too sure of itself
        found = Conformal.of(1.0 - wrong[np.arange(200), y[:200]][:, None], 0.9)
        sets = prediction_sets(wrong[200:], found.quantile)
        held.append(sets[np.arange(500), y[200:]].mean())
        sizes.append(sets.sum(axis=1).mean())
    assert np.mean(held) == pytest.approx(0.9, abs=0.01)
    assert np.mean(sizes) < 2.5


def cv_plus_by_hand(means: np.ndarray, stds: np.ndarray, scores: list[np.ndarray], level: float) -> tuple[float, float]:
    """Barber et al. 2021, section 3: order statistics of `mean ± score · std` over all rows."""
    upper = np.sort(np.concatenate([m + s * r for m, s, r in zip(means, stds, scores, strict=True)]))
    lower = np.sort(np.concatenate([m - s * r for m, s, r in zip(means, stds, scores, strict=True)]))
    n = len(upper)
    rank = int(np.ceil((n + 1) * level))
    return lower[n - rank], upper[rank - 1]


@pytest.mark.parametrize("level", [0.7, 0.9])
def test_cv_plus_equals_its_formula(level: float) -> None:
    rng = np.random.default_rng(4)
    scores = [rng.exponential(size=(20 + k, 1)) for k in range(4)]
    found = Conformal.of(np.concatenate(scores), level)
    found = found.with_folds([(k, 0, part, None) for k, part in enumerate(scores)])
    means, stds = rng.normal(size=(4, 30, 1)), rng.uniform(0.5, 2.0, (4, 30, 1))
    low, high = found.cross(means, stds)
    for i in range(30):
        expected = cv_plus_by_hand(means[:, i, 0], stds[:, i, 0], [part[:, 0] for part in scores], level)
        assert (low[i, 0], high[i, 0]) == pytest.approx(expected, abs=1e-6)
    document, arrays = found.to_parts()
    back = Conformal.from_parts(document, arrays, found.quantile)
    np.testing.assert_array_equal(back.cross(means, stds), (low, high))


def test_cv_plus_of_equal_folds_is_the_usual_interval() -> None:
    rng = np.random.default_rng(5)
    scores = rng.exponential(size=(60, 2))
    found = Conformal.of(scores, 0.9).with_folds([(0, 0, scores[:30], None), (1, 0, scores[30:], None)])
    same = np.zeros((2, 5, 2))
    low, high = found.cross(same, same + 1.0)
    np.testing.assert_allclose(high, np.broadcast_to(found.quantile, (5, 2)))
    np.testing.assert_allclose(low, -high)


def test_cv_plus_bears_many_rows() -> None:
    rng = np.random.default_rng(6)
    scores = rng.exponential(size=(20_000, 1))
    found = Conformal.of(scores, 0.95).with_folds([(k, 0, scores[k::2], None) for k in range(2)])
    assert sum(len(part.scores) for part in found.folds) <= 2000
    _, high = found.cross(np.zeros((2, 1, 1)), np.ones((2, 1, 1)))
    assert high[0, 0] == pytest.approx(found.quantile[0], rel=0.02)
    assert high[0, 0] >= found.quantile[0]


@pytest.mark.slow
def test_new_groups_are_held_as_promised_where_each_group_counts_alike() -> None:
    """Groups have noise of their own size: rows taken for independent would promise too much."""
    rng, held, naive = np.random.default_rng(7), [], []
    for _ in range(300):
        size = rng.lognormal(0.0, 1.0, 40)
        rows = rng.integers(1, 30, 40)
        group = np.repeat(np.arange(40), rows)
        scores = np.abs(size[group] * rng.standard_normal(len(group)))[:, None]
        found = Conformal.of(scores, 0.9, None, group)
        new = np.abs(rng.lognormal(0.0, 1.0, 200) * rng.standard_normal(200))
        held.append(np.mean(new <= found.quantile[0]))
        naive.append(np.mean(new <= conformal_quantile(scores, 0.9)[0]))
    assert np.mean(held) == pytest.approx(0.91, abs=0.015)
    assert np.mean(naive) < np.mean(held)


def test_too_few_groups_promise_nothing() -> None:
    found = Conformal.of(np.ones((50, 1)), 0.95, None, np.repeat(np.arange(5), 10))
    assert not found.promised
    assert "at least 19 groups" in found.how
    assert fewest_rows(0.95) == 19
    assert found.quantile[0] == 1.0


def test_groups_count_alike_with_weights_too() -> None:
    shares = alike(np.array([0, 0, 1]), np.array([1.0, 3.0, 7.0]))
    assert shares.tolist() == [0.25, 0.75, 1.0]
    assert alike(np.array([0, 0, 1]), np.array([1.0, -1.0, 7.0])).tolist() == [0.0, 0.0, 1.0]


def test_coverage_has_an_error_of_its_own() -> None:
    inside = np.arange(200) % 10 > 0
    found = coverage(inside)
    assert found.value == pytest.approx(0.9)
    assert (found.low, found.high) == pytest.approx((0.8506, 0.9343), abs=1e-3)
    double = coverage(inside, np.repeat([1.0, 0.0], 100))
    assert double.high - double.low > found.high - found.low
    together = coverage(np.repeat(inside, 5), None, np.repeat(np.arange(200), 5))
    assert (together.low, together.high) == pytest.approx((found.low, found.high), abs=1e-3)
    signed = coverage(inside, np.where(np.arange(200) % 3 == 0, -0.5, 1.0))
    assert 0.0 <= signed.low <= signed.value <= signed.high <= 1.0


def test_wilsons_interval_of_the_coverage_covers() -> None:
    rng = np.random.default_rng(8)
    found = [coverage(rng.uniform(size=300) < 0.95) for _ in range(400)]
    assert 0.92 < np.mean([one.low <= 0.95 <= one.high for one in found]) < 0.98
