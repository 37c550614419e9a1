from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest

from shoal.results import Task
from shoal.statistics.bootstrap import (
    block_length,
    percentiles,
    resampled_weights,
    resamples_for,
    wilson,
    with_intervals,
)
from shoal.statistics.metrics import METRICS


def noisy_classes(seed: int, rows: int, classes: int = 2) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    truth = random.integers(0, classes, rows)
    logits = random.normal(size=(rows, classes)) + 1.5 * np.eye(classes)[truth]
    p = np.exp(logits)
    return truth, p / p.sum(axis=1, keepdims=True)


@pytest.mark.slow
def test_the_interval_covers_the_true_score_about_as_often_as_it_says():
    """Closure: 150 simulated tables, and the scores of a table a thousand times larger as truth."""
    large = noisy_classes(10**6, 100_000)
    true = {name: METRICS[name](*large) for name in ("accuracy", "balanced_accuracy", "log_loss", "roc_auc")}
    covered = dict.fromkeys(true, 0)
    repeats = 150
    for seed in range(repeats):
        scores = with_intervals(Task.CLASSIFICATION, *noisy_classes(seed, 100), resamples=300)
        for name in true:
            covered[name] += scores[name].low <= true[name] <= scores[name].high
    for name, count in covered.items():  # 0.95 within 3 standard deviations, less a little for 100 rows
        assert 0.88 <= count / repeats <= 0.995, (name, count)


def test_the_interval_of_a_mean_error_covers_too():
    covered = 0
    for seed in range(150):
        random = np.random.default_rng(seed)
        truth = random.normal(size=(80, 1))
        score = with_intervals(Task.REGRESSION, truth, truth + random.normal(size=truth.shape), resamples=300)
        covered += score["mae"].low <= np.sqrt(2 / np.pi) <= score["mae"].high
    assert 0.88 <= covered / 150 <= 0.995


def test_equal_seeds_give_equal_intervals_and_others_differ():
    table = noisy_classes(0, 60, 3)
    first, again, other = (with_intervals(Task.CLASSIFICATION, *table, seed=seed, resamples=200) for seed in (1, 1, 2))
    assert first == again
    assert first["log_loss"] != other["log_loss"]
    assert first["log_loss"].value == other["log_loss"].value


def test_perfect_and_hopeless_predictions_get_wilsons_interval():
    truth = np.arange(30) % 3
    perfect = with_intervals(Task.CLASSIFICATION, truth, np.eye(3)[truth])
    expected = binomtest(30, 30).proportion_ci(method="wilson")
    assert perfect["accuracy"].method == "wilson"
    assert perfect["accuracy"].low == pytest.approx(expected.low)
    assert perfect["accuracy"].high == 1.0
    assert perfect["balanced_accuracy"].low == pytest.approx(expected.low)  # the classes are of equal size
    assert perfect["roc_auc"].low == pytest.approx(wilson(1.0, 10)[0])  # ten rows of each class
    wrong = with_intervals(Task.CLASSIFICATION, truth, np.eye(3)[(truth + 1) % 3])
    assert wrong["accuracy"].low == 0.0
    assert wrong["accuracy"].high == pytest.approx(binomtest(0, 30).proportion_ci(method="wilson").high)


def test_wilson_of_weighted_rows_is_wider_than_of_as_many_equal_ones():
    truth = np.arange(40) % 2
    weights = np.where(np.arange(40) < 4, 10.0, 0.1)
    equal, uneven = (
        with_intervals(Task.CLASSIFICATION, truth, np.eye(2)[truth], weights=w)["accuracy"] for w in (None, weights)
    )
    assert uneven.low < equal.low


def test_wilson_agrees_with_scipy():
    for right, rows in ((0, 7), (3, 7), (7, 7), (95, 100)):
        expected = binomtest(right, rows).proportion_ci(method="wilson")
        assert wilson(right / rows, rows) == pytest.approx((expected.low, expected.high), abs=1e-9)
    assert wilson(1.0, 0.0) == (0.0, 1.0)


def test_weights_move_the_score_and_their_size_does_not_matter():
    truth, p = noisy_classes(3, 80)
    weights = np.random.default_rng(0).uniform(0.1, 5.0, 80)
    small, large = (with_intervals(Task.CLASSIFICATION, truth, p, weights=unit * weights) for unit in (1.0, 1e3))
    assert small["log_loss"].value == pytest.approx(METRICS["log_loss"](truth, p, weights))
    for name in small:
        assert small[name].low == pytest.approx(large[name].low)
    negative = np.where(np.arange(80) % 9 == 0, -weights, weights)
    signed = with_intervals(Task.CLASSIFICATION, truth, p, weights=negative)["log_loss"]
    assert signed.value == pytest.approx(METRICS["log_loss"](truth, p, negative))
    assert signed.low <= signed.value <= signed.high


def test_resamples_without_a_class_are_ignored():
    truth, p = noisy_classes(1, 40)
    truth = np.where(np.arange(40) == 7, 1, 0)  # about a third of the resamples lack the only row of class 1
    score = with_intervals(Task.CLASSIFICATION, truth, p)["roc_auc"]
    assert np.isfinite([score.value, score.low, score.high]).all()
    single = with_intervals(Task.CLASSIFICATION, np.zeros(40, int), p)["roc_auc"]
    assert np.isnan([single.value, single.low, single.high]).all()


def test_one_row_has_scores_but_no_interval():
    score = with_intervals(Task.REGRESSION, [[1.0]], [[3.0]])["rmse"]
    assert score.value == 2.0
    assert np.isnan(score.low)
    assert np.isnan(score.high)


@pytest.mark.parametrize("rows", [2, 60])
def test_resampled_weights_count_rows(rows):
    drawn = np.concatenate(list(resampled_weights(rows, None, 500, seed=0)))
    assert drawn.shape == (500, rows)
    assert (drawn.sum(axis=1) == rows).all()
    assert drawn.var() == pytest.approx(1 - 1 / rows, abs=0.05)  # of a multinomial count
    np.testing.assert_allclose(drawn.mean(axis=0), 1.0, atol=0.25)


def test_chunks_hold_no_more_than_they_should(monkeypatch):
    import shoal.statistics.bootstrap as module

    table = noisy_classes(0, 50)
    whole = with_intervals(Task.CLASSIFICATION, *table, resamples=100)
    monkeypatch.setattr(module, "CHUNK", 350)
    sizes = [chunk.size for chunk in resampled_weights(50, None, 100, seed=0)]
    assert max(sizes) <= 350
    assert sum(sizes) == 5000
    for name, score in with_intervals(Task.CLASSIFICATION, *table, resamples=100).items():
        assert score.low == pytest.approx(whole[name].low)


def test_many_rows_get_fewer_resamples_and_a_normal_interval(monkeypatch):
    import shoal.statistics.bootstrap as module

    counts = [resamples_for(rows) for rows in (10, 5000, 20_000, 100_000, 10**7)]
    assert counts == [2000, 2000, 500, 100, 50]
    monkeypatch.setattr(module, "DRAWS", 500_000)
    truth, p = noisy_classes(0, 3000, 3)
    scores = [with_intervals(Task.CLASSIFICATION, truth, p, seed=seed)["accuracy"] for seed in range(5)]
    value = scores[0].value
    assert {score.method for score in scores} == {"bootstrap, normal"}
    assert np.mean([score.high - value for score in scores]) == pytest.approx(
        1.96 * np.sqrt(value * (1 - value) / 3000), rel=0.15
    )
    assert scores[0].value - scores[0].low == pytest.approx(scores[0].high - value)


def test_the_width_of_a_weighted_interval_is_that_of_the_weighted_mean():
    truth, p = noisy_classes(5, 400)
    weights = np.random.default_rng(0).exponential(size=400) ** 2
    loss = with_intervals(Task.CLASSIFICATION, truth, p, weights=weights)["log_loss"]
    off = -np.log(p[np.arange(400), truth]) - loss.value
    error = np.sqrt((weights**2 * off**2).sum()) / weights.sum()
    assert (loss.high - loss.low) / (2 * 1.96) == pytest.approx(error, rel=0.1)


def test_percentiles_are_the_middle_of_what_is_finite():
    assert percentiles(np.append(np.arange(101.0), np.nan), 0.9) == pytest.approx((5.0, 95.0))
    assert percentiles(np.array([np.nan, 1.0, np.inf]), 0.5) == (1.0, 1.0)
    assert np.isnan(percentiles(np.array([np.nan]))).all()


def test_blocks_widen_the_interval_of_a_series() -> None:
    rng = np.random.default_rng(0)
    noise = np.convolve(rng.normal(size=620), np.ones(20) / np.sqrt(20), "valid")[:600]
    truth, guess = np.zeros((600, 1)), noise[:, None]
    alone, together = (
        with_intervals(Task.REGRESSION, truth, guess, seed=1, block=block)["rmse"]
        for block in (1, block_length(600, 40))
    )
    assert together.value == alone.value
    assert together.high - together.low > 2.0 * (alone.high - alone.low)
    assert together.method == "block bootstrap"


def test_blocks_draw_every_row_alike() -> None:
    drawn = np.concatenate(list(resampled_weights(50, None, 2000, seed=0, block=7)))
    assert (drawn.sum(axis=1) == 50).all()
    np.testing.assert_allclose(drawn.mean(axis=0), 1.0, atol=0.15)


def grouped(seed: int, groups: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Targets, what is predicted and groups of six rows whose errors are alike."""
    random = np.random.default_rng(seed)
    group = np.repeat(np.arange(groups), 6)
    error = random.normal(size=groups)[group] + 0.5 * random.normal(size=len(group))
    return np.zeros((len(group), 1)), error[:, None], group


@pytest.mark.parametrize("groups", [6, 20])
def test_intervals_of_few_groups_hold_the_true_score(groups: int) -> None:
    true, held, by_row = np.sqrt(1.25 * 2 / np.pi), 0, 0
    for seed in range(150):
        y, guess, group = grouped(seed, groups)
        score = with_intervals(Task.REGRESSION, y, guess, resamples=400, groups=group)["mae"]
        alone = with_intervals(Task.REGRESSION, y, guess, resamples=400)["mae"]
        held, by_row = held + (score.low <= true <= score.high), by_row + (alone.low <= true <= alone.high)
    assert 0.88 <= held / 150 <= 0.995
    assert by_row / 150 < 0.8


def test_five_groups_give_no_interval() -> None:
    y, guess, group = grouped(0, 5)
    score = with_intervals(Task.REGRESSION, y, guess, groups=group)["mae"]
    assert np.isfinite(score.value)
    assert np.isnan([score.low, score.high]).all()


def test_intervals_end_where_a_score_must_though_negative_weights_scatter() -> None:
    truth, p = noisy_classes(3, 60)
    weights = np.where(np.random.default_rng(0).random(60) < 0.3, -1.0, 1.0)
    for name, score in with_intervals(Task.CLASSIFICATION, truth, p, weights=weights).items():
        assert score.low <= score.value <= score.high
        if name != "log_loss":
            assert score.high <= max(1.0, score.value)
            assert score.low >= min(0.0, score.value)
