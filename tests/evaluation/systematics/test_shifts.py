"""Closure: where the response to a variation is known, shifts come out right and their errors are what they say."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.stats import norm

from shoal.evaluation.systematics.observables import Histogram, Means, Metrics, Observable, Sample
from shoal.evaluation.systematics.shifts import (
    ResampledValues,
    Shift,
    Systematics,
    VariationEffect,
    effect_of,
    errors_of,
    measure,
    shift_between,
    spread,
)
from shoal.evaluation.systematics.variations import Variation
from shoal.results import Task

EDGES = np.linspace(0.0, 1.0, 6)
BY_COLUMN = Variation(name="v", columns=("x",), shift=(1.0,))
REPETITIONS = 120


def score(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def sample_of(x: np.ndarray, weights: np.ndarray, before: np.ndarray | None = None) -> Sample:
    """Return rows of one class whose score is the logistic function of x."""
    guess = np.column_stack([1 - score(x), score(x)])
    return Sample(np.ones(len(x), np.int64), guess, weights, weights if before is None else before, guess)


def shares(mean: float, width: float = 1.0) -> np.ndarray:
    """Return the probability of each bin of the score for x of a normal distribution."""
    with np.errstate(divide="ignore"):
        ends = np.log(EDGES / (1 - EDGES))
    return np.diff(norm.cdf(ends, mean, width))


def histogram(total: float = 1000.0) -> tuple[Observable, ...]:
    return (Histogram("s", 1, EDGES, total, 1),)


def shift_of(nominal: Sample, varied: Sample, looked: tuple[Observable, ...], seed: int, *, paired: bool) -> Shift:
    known = measure(looked, nominal, seed)
    return shift_between(known, measure(looked, varied, seed if paired else seed + 1), paired=paired)


def check_pulls(pulls: np.ndarray) -> None:
    """Check that pulls, one row for each repetition, have mean 0 and width 1 within their errors."""
    assert np.abs(pulls.mean(axis=0)).max() < 3.5 / np.sqrt(len(pulls))
    assert np.mean(pulls.std(axis=0, ddof=1)) == pytest.approx(1.0, abs=0.12)
    assert np.mean(np.abs(pulls) < 1.96) > 0.91


@pytest.mark.slow
def test_shifts_of_a_known_shape_are_right_within_their_errors() -> None:
    """x -> x + 0.3 for standard normal x, weights of both signs that do not depend on x."""
    pulls, expected = [], 1000.0 * (shares(0.3) - shares(0.0))
    for seed in range(REPETITIONS):
        rng = np.random.default_rng(seed)
        x, w = rng.normal(size=500), np.where(rng.random(500) < 0.15, -1.0, 1.0)
        found = shift_of(sample_of(x, w), sample_of(x + 0.3, w), histogram(), seed, paired=True)
        pulls.append((found.shift - expected) / found.error)
    check_pulls(np.array(pulls))


@pytest.mark.slow
def test_noise_is_as_wide_as_its_smearing() -> None:
    pulls, expected = [], 1000.0 * (shares(0.0, np.hypot(1.0, 0.8)) - shares(0.0))
    for seed in range(REPETITIONS):
        rng = np.random.default_rng(seed)
        x, w = rng.normal(size=500), np.ones(500)
        found = shift_of(sample_of(x, w), sample_of(x + 0.8 * rng.normal(size=500), w), histogram(), seed, paired=True)
        pulls.append((found.shift - expected) / found.error)
    check_pulls(np.array(pulls))


@pytest.mark.slow
def test_weights_that_make_one_shape_of_another_do_so_within_their_errors() -> None:
    """The ratio of N(0.4, 1) to N(0, 1) as weights; shares of the weights before, so that their sum may fluctuate."""
    pulls, expected = [], 1000.0 * (shares(0.4) - shares(0.0))
    for seed in range(REPETITIONS):
        rng = np.random.default_rng(seed)
        x, w = rng.normal(size=500), np.ones(500)
        ratio = norm.pdf(x, 0.4) / norm.pdf(x)
        found = shift_of(sample_of(x, w), sample_of(x, ratio, w), histogram(), seed, paired=True)
        pulls.append((found.shift - expected) / found.error)
    check_pulls(np.array(pulls))


@pytest.mark.slow
def test_other_rows_of_another_shape_have_the_errors_of_both() -> None:
    pulls, expected = [], 1000.0 * (shares(0.4) - shares(0.0))
    for seed in range(REPETITIONS):
        rng = np.random.default_rng(seed)
        nominal = sample_of(rng.normal(size=400), np.ones(400))
        other = sample_of(rng.normal(0.4, size=600), np.full(600, 2.0))
        found = shift_of(nominal, other, histogram(), seed, paired=False)
        pulls.append((found.shift - expected) / found.error)
    check_pulls(np.array(pulls))


def test_whole_weights_shift_as_a_table_with_repeated_rows() -> None:
    rng = np.random.default_rng(1)
    x, counts = rng.normal(size=300), rng.integers(0, 4, 300)
    nominal = sample_of(x, np.ones(300))
    looked = (*histogram(), Metrics(Task.CLASSIFICATION))
    weighted = shift_of(nominal, sample_of(x, counts.astype(float)), looked, 0, paired=True)
    repeated = shift_of(nominal, sample_of(np.repeat(x, counts), np.ones(counts.sum())), looked, 0, paired=False)
    np.testing.assert_allclose(weighted.values, repeated.values, rtol=1e-12)
    np.testing.assert_allclose(weighted.shift, repeated.shift, atol=1e-9)


@pytest.mark.slow
def test_weights_agree_with_a_table_drawn_by_them() -> None:
    """A large table drawn with probabilities by the weights, against the weights themselves."""
    rng = np.random.default_rng(2)
    x = rng.normal(size=2000)
    ratio = norm.pdf(x, 0.3) / norm.pdf(x)
    drawn = x[rng.choice(2000, 40_000, p=ratio / ratio.sum())]
    nominal = sample_of(x, np.ones(2000), ratio)
    known, by_weights = (measure(histogram(), one, 0) for one in (nominal, sample_of(x, ratio)))
    by_drawing = measure(histogram(), sample_of(drawn, np.ones(len(drawn))), 1)
    apart = by_weights.values - by_drawing.values
    assert known.values.sum() > 0
    assert np.abs(apart / spread(by_drawing.resampled)).max() < 3.5


def test_a_linear_answer_shifts_by_its_slope_without_any_error() -> None:
    """f(x) = 2 x + 1: x -> x + 0.1 shifts prediction and bias by 0.2 in every row, so the error is zero."""
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=(300, 1)), rng.uniform(0.5, 1.5, 300)
    truth = 2 * x + 1 + 0.2 * rng.normal(size=x.shape)
    before, after = (Sample(truth, 2 * (x + d) + 1, w, w, 2 * x + 1) for d in (0.0, 0.1))
    found = shift_of(before, after, (Means(("y",)),), 0, paired=True)
    assert found.shift == pytest.approx([0.2, 0.2])
    assert found.error == pytest.approx([0.0, 0.0], abs=1e-12)
    assert not found.noise.any()
    scaled = shift_of(before, Sample(truth, 2 * (1.05 * x) + 1, w, w, 2 * x + 1), (Means(("y",)),), 0, paired=True)
    assert scaled.shift == pytest.approx(0.1 * np.average(x[:, 0], weights=w))
    assert scaled.error[0] == pytest.approx(0.1 / np.sqrt(300), rel=0.25)


@pytest.mark.slow
def test_a_shift_of_nothing_but_noise_is_marked_as_often_as_it_should_be() -> None:
    marked = []
    for seed in range(REPETITIONS):
        rng = np.random.default_rng(seed)
        nominal, other = (sample_of(rng.normal(size=300), np.ones(300)) for _ in range(2))
        marked.append(shift_of(nominal, other, histogram(), seed, paired=False).noise)
    assert np.mean(marked) == pytest.approx(0.954, abs=0.025)


def test_paired_errors_are_much_smaller_than_those_of_the_values() -> None:
    rng = np.random.default_rng(3)
    truth = np.arange(400) % 2
    z = 2 * (truth - 0.5) + rng.normal(size=400)

    def sample(values: np.ndarray) -> Sample:
        guess = np.column_stack([1 - score(values), score(values)])
        return Sample(truth, guess, np.ones(400), np.ones(400), guess)

    looked = (Metrics(Task.CLASSIFICATION),)
    found = shift_of(sample(z), sample(z + 0.05), looked, 0, paired=True)
    known = measure(looked, sample(z), 0)
    place = looked[0].names.index("log_loss")
    assert found.error[place] < 0.2 * errors_of(looked, sample(z), known)[place]


def effects(*shifts: tuple[float, float]) -> tuple[VariationEffect, ...]:
    nominal, both = ResampledValues(np.array([10.0, 0.0]), np.array([[10.0, 0.0]])), np.ones(2)
    found = []
    for number, (up, down) in enumerate(shifts):
        sides: Any = {side: Shift(nominal.values + s, s * both, 0.6 * both) for side, s in (("up", up), ("down", down))}
        variation = BY_COLUMN.model_copy(update={"name": f"v{number}"})
        found.append(effect_of(variation, nominal, sides, same_rows=True, changed=True))
    return tuple(found)


def together(*shifts: tuple[float, float], pruned: bool = False) -> Systematics:
    return Systematics(
        (Means(("y",)),),
        np.array([10.0, 0.0]),
        np.array([1.0, 0.1]),
        effects(*shifts),
        5,
        "rows",
        "bias",
        pruned=pruned,
    )


def test_variations_add_in_quadrature_upwards_and_downwards_each_for_itself() -> None:
    found = together((3.0, -1.0), (-4.0, 2.0))
    assert found.up[0] == pytest.approx(np.hypot(3.0, 2.0))
    assert found.down[0] == pytest.approx(np.hypot(1.0, 4.0))
    assert [effect.name for effect in found.sorted("mean prediction")] == ["v1", "v0"]


def test_of_two_shifts_the_same_way_the_larger_counts_and_the_other_side_gets_nothing() -> None:
    found = together((1.0, 3.0), (-2.0, -0.5))
    assert found.effects[0].same_sign.all()
    assert (found.up[0], found.down[0]) == (3.0, 2.0)


def test_a_side_that_is_not_given_is_mirrored() -> None:
    nominal = ResampledValues(np.array([10.0]), np.array([[10.0]]))
    only: Any = {"down": Shift(np.array([7.0]), np.array([-3.0]), np.array([0.5]))}
    found = effect_of(BY_COLUMN, nominal, only, same_rows=False, changed=True)
    assert found.mirrored == "up"
    assert (found.sides["up"].values, found.sides["up"].shift, found.sides["up"].error) == (13.0, 3.0, 0.5)


def test_what_is_noise_is_left_out_of_the_totals_only_if_asked() -> None:
    shifts = (3.0, -3.0), (1.0, -0.2)  # errors are 0.6
    assert together(*shifts).up[0] == pytest.approx(np.hypot(3.0, 1.0))
    assert together(*shifts, pruned=True).up[0] == 3.0


def test_the_frame_has_a_row_for_each_number_and_variation_and_the_total() -> None:
    frame = together((3.0, -1.0), (-4.0, 2.0)).frame.filter(quantity="mean prediction")
    assert frame["variation"].to_list() == ["v0", "v1", "total"]
    assert frame["shift_up"].to_list() == pytest.approx([3.0, -4.0, np.hypot(3.0, 2.0)])
    assert frame["up"].to_list()[:2] == [13.0, 6.0]
    assert frame["error_down"].to_list() == [0.6, 0.6, None]


def test_rounding_is_no_shift() -> None:
    nominal = ResampledValues(np.array([1.0]), np.array([[1.0], [1.1]]))
    found = shift_between(nominal, ResampledValues(nominal.values + 3e-16, nominal.resampled + 2e-16), paired=True)
    assert (found.shift, found.error) == (0.0, 0.0)
