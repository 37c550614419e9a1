"""Calibration: known temperatures are found, known miscalibration is mended, and nothing is made worse."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shoal.prediction.calibration import (
    Calibration,
    choose_calibration,
    choose_scale,
    cross_fitted,
    deal_parts,
    disagreement,
    entropy,
    fit_isotonic,
    fit_temperature,
    mean_and_error,
    pool_adjacent,
)
from shoal.prediction.calibration_error import calibration_error, groups_of_equal_size
from shoal.statistics.metrics import METRICS


def drawn(
    rng: np.random.Generator, rows: int, classes: int = 3, temperature: float = 1.0
) -> tuple[np.ndarray, np.ndarray]:
    """Return probabilities that need a temperature to be true, and class numbers drawn from the true ones."""
    logits = 1.5 * rng.normal(size=(rows, classes))
    true = Calibration("temperature", 1.0)(softmax(logits))
    truth = (true.cumsum(axis=1) > rng.uniform(size=(rows, 1))).argmax(axis=1)
    return softmax(temperature * logits), truth


def softmax(logits: np.ndarray) -> np.ndarray:
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    return raised / raised.sum(axis=1, keepdims=True)


@pytest.mark.slow
@pytest.mark.parametrize("classes", [2, 5])
@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_a_known_temperature_is_recovered(temperature: float, classes: int) -> None:
    p, y = drawn(np.random.default_rng(0), 20_000, classes, temperature)
    assert fit_temperature(p, y).temperature == pytest.approx(temperature, rel=0.05)


def test_the_temperature_has_the_least_log_loss() -> None:
    p, y = drawn(np.random.default_rng(1), 2000, 3, 2.0)
    fitted = fit_temperature(p, y).temperature
    losses = [METRICS["log_loss"](y, Calibration("temperature", t)(p)) for t in (0.97 * fitted, fitted, 1.03 * fitted)]
    assert losses[1] == min(losses)


def test_scikit_learn_finds_the_same_temperature() -> None:
    from sklearn.base import BaseEstimator, ClassifierMixin
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.frozen import FrozenEstimator

    class Known(ClassifierMixin, BaseEstimator):
        """Says what it is given as features."""

        def fit(self, x: np.ndarray, y: np.ndarray) -> Known:
            self.classes_ = np.unique(y)
            return self

        def predict_proba(self, x: np.ndarray) -> np.ndarray:
            return softmax(x)

        def predict(self, x: np.ndarray) -> np.ndarray:
            return x.argmax(axis=1)

        def decision_function(self, x: np.ndarray) -> np.ndarray:
            return x

    p, y = drawn(np.random.default_rng(2), 3000, 3, 2.0)
    x = np.log(p)
    known = FrozenEstimator(Known().fit(x, y))
    try:
        theirs = CalibratedClassifierCV(known, method="temperature").fit(x, y).predict_proba(x)
    except ValueError:  # before 1.8
        pytest.skip("this scikit-learn has no temperature scaling")
    np.testing.assert_allclose(fit_temperature(p, y)(p), theirs, atol=5e-3)
    theirs = CalibratedClassifierCV(known, method="isotonic").fit(x, y).predict_proba(x)
    ours = fit_isotonic(np.asarray(x), y)(np.asarray(x))  # theirs is fitted on the scores
    np.testing.assert_allclose(ours, theirs, atol=0.02)  # ours stops short of 0 and 1


@given(st.lists(st.tuples(st.floats(-5, 5), st.floats(0.1, 3.0)), min_size=1, max_size=40))
def test_pooling_equals_scikit_learn(points: list[tuple[float, float]]) -> None:
    from sklearn.isotonic import isotonic_regression

    values, weights = np.asarray(points).T
    starts, means, masses = pool_adjacent(values, weights)
    ours = np.repeat(means, np.diff(np.append(starts, len(values))))
    np.testing.assert_allclose(ours, isotonic_regression(values, sample_weight=weights), atol=1e-9)
    assert masses.sum() == pytest.approx(weights.sum())
    assert (np.diff(means) > 0).all()


@pytest.mark.slow
@given(st.integers(0, 2**32), st.sampled_from([2, 4]), st.floats(0.2, 5.0))
def test_calibrated_probabilities_are_probabilities(seed: int, classes: int, temperature: float) -> None:
    p, y = drawn(np.random.default_rng(seed), 60, classes, temperature)
    for calibration in (fit_temperature(p, y), fit_isotonic(p, y), Calibration()):
        after = calibration(p)
        assert after.shape == p.shape
        assert (after >= 0).all()
        np.testing.assert_allclose(after.sum(axis=1), 1.0)
        back = Calibration.from_parts(*calibration.to_parts())
        np.testing.assert_array_equal(back(p), after)
    assert (fit_temperature(p, y)(p).argmax(axis=1) == p.argmax(axis=1)).all()


def test_weights_count_as_repeated_rows() -> None:
    p, y = drawn(np.random.default_rng(3), 300, 3, 2.0)
    counts = np.random.default_rng(0).integers(1, 4, 300)
    often = np.repeat(np.arange(300), counts)
    weighted = calibration_error(p, y, counts.astype(float)).value
    place = groups_of_equal_size(p.max(axis=1))
    off = np.abs(np.bincount(place[often], (p.argmax(1) == y)[often] - p.max(1)[often])).sum() / len(often)
    assert weighted == pytest.approx(off)
    ours = fit_isotonic(p, y, counts.astype(float))(p)
    assert np.abs(ours - fit_isotonic(p[often], y[often])(p)).mean() < 0.02  # at the ends the number of rows counts
    assert fit_temperature(p, y, counts.astype(float)).temperature == pytest.approx(
        fit_temperature(p[often], y[often]).temperature, rel=0.03
    )


def test_negative_weights_take_rows_away() -> None:
    rng = np.random.default_rng(4)
    p, y = drawn(rng, 4000, 3, 2.0)
    foreign, labels = softmax(rng.normal(size=(1000, 3))), rng.integers(0, 3, 1000)
    both, truth = np.concatenate([p, foreign, foreign]), np.concatenate([y, labels, labels])
    weights = np.repeat([1.0, 1.0, -1.0], [4000, 1000, 1000])
    assert fit_temperature(both, truth, weights).temperature == pytest.approx(
        fit_temperature(p, y).temperature, rel=0.02
    )
    choice = choose_calibration(both, truth, weights)
    assert choice.calibration.method != "isotonic"
    assert "negative" in choice.reason


@pytest.mark.slow
@pytest.mark.parametrize("temperature", [0.4, 3.0])
def test_miscalibrated_probabilities_get_mended(temperature: float) -> None:
    rng = np.random.default_rng(5)
    p, y = drawn(rng, 1500, 3, temperature)
    choice = choose_calibration(p, y, seed=1)
    assert choice.calibration.method == "temperature"
    new, truth = drawn(rng, 5000, 3, temperature)
    before, after = (calibration_error(q, truth) for q in (new, choice.calibration(new)))
    assert before.value > 0.08
    assert after.value < 0.03
    crossed = calibration_error(choice.probabilities, y)
    assert crossed.value < 0.05


def test_what_no_temperature_mends_isotonic_does() -> None:
    rng = np.random.default_rng(6)
    true = rng.uniform(size=4000)
    y = (rng.uniform(size=4000) < true).astype(int)
    said = true**3  # bent, not stretched
    choice = choose_calibration(np.column_stack([1 - said, said]), y)
    assert choice.calibration.method == "isotonic"
    after = choice.calibration(np.column_stack([1 - said, said]))[:, 1]
    assert np.abs(after - true).mean() < 0.03


@pytest.mark.slow
def test_right_probabilities_stay_mostly_and_never_get_worse_beyond_noise() -> None:
    rng, methods, worse = np.random.default_rng(7), [], []
    for seed in range(40):
        p, y = drawn(rng, 150)
        choice = choose_calibration(p, y, seed=seed)
        methods.append(choice.calibration.method)
        new, truth = drawn(rng, 4000)
        after = METRICS["log_loss"](truth, choice.calibration(new))
        worse.append(after - METRICS["log_loss"](truth, new))
    assert methods.count("none") >= 28
    assert np.mean(worse) < 0.005
    assert max(worse) < 0.05


def test_few_rows_change_nothing() -> None:
    p, y = drawn(np.random.default_rng(0), 12, 3, 5.0)
    choice = choose_calibration(p, y)
    assert choice.calibration.method == "none"
    assert "12 rows" in choice.reason


def test_rows_that_are_all_right_do_not_ask_for_certainty() -> None:
    p, y = np.tile([0.9, 0.1], (50, 1)), np.zeros(50, int)
    after = fit_temperature(p, y)(p)
    assert 0.95 < after[0, 0] < 1 - 1e-3
    assert fit_isotonic(p, y)(p)[0, 0] == pytest.approx(1 - 1 / 52, abs=1e-3)


def test_cross_fitting_shows_a_row_nothing_of_itself() -> None:
    p, y = drawn(np.random.default_rng(8), 100)
    parts = deal_parts(100, None, 0)
    crossed = cross_fitted(fit_isotonic, p, y, None, parts)
    other = y.copy()
    other[parts == 2] = (other[parts == 2] + 1) % 3
    again = cross_fitted(fit_isotonic, p, other, None, parts)
    assert crossed is not None
    assert again is not None
    np.testing.assert_array_equal(crossed[parts == 2], again[parts == 2])
    assert (crossed[parts != 2] != again[parts != 2]).any()


def test_many_rows_are_fitted_on_some(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shoal.prediction.calibration.MOST_ROWS", 500)
    p, y = drawn(np.random.default_rng(9), 3000, 3, 3.0)
    choice = choose_calibration(p, y, groups=np.arange(3000) // 3)
    assert choice.calibration.temperature == pytest.approx(3.0, rel=0.3)
    assert choice.probabilities.shape == p.shape
    assert calibration_error(choice.probabilities, y).value < 0.06


def test_the_same_seed_gives_the_same() -> None:
    p, y = drawn(np.random.default_rng(10), 200, 3, 2.0)
    one, two = choose_calibration(p, y, seed=3), choose_calibration(p, y, seed=3)
    assert one.reason == two.reason
    np.testing.assert_array_equal(one.probabilities, two.probabilities)


def test_the_calibration_error_agrees_with_scikit_learns_curve() -> None:
    from sklearn.calibration import calibration_curve

    rng = np.random.default_rng(11)
    said = rng.uniform(0.5, 1.0, 600)
    right = rng.uniform(size=600) < said**2
    truth = np.where(right, 1, 0)
    place = groups_of_equal_size(said)
    share, mean = calibration_curve(right, said, n_bins=15, strategy="quantile")
    expected = (np.abs(share - mean) * np.bincount(place) / 600).sum()
    ours = calibration_error(np.column_stack([1 - said, said]), truth).value
    assert len(share) == place.max() + 1 == 15
    assert ours == pytest.approx(expected, rel=0.05)


@pytest.mark.slow
def test_the_interval_of_the_calibration_error_holds_the_error_of_many_rows() -> None:
    rng, held = np.random.default_rng(12), []
    p, y = drawn(rng, 200_000, 3, 2.0)
    true = calibration_error(p[:50_000], y[:50_000]).value
    for start in range(50_000, 100_000, 1000):
        found = calibration_error(p[start : start + 1000], y[start : start + 1000])
        assert found.low <= found.value <= found.high
        held.append(found.low <= true <= found.high)
    assert np.mean(held) >= 0.84


def test_disagreement_of_equal_members_is_zero_and_of_opposite_ones_all() -> None:
    sure = np.array([[1.0, 0.0], [0.0, 1.0]])
    mean = sure.mean(axis=0)
    assert disagreement(mean, entropy(sure).mean()) == pytest.approx(np.log(2))
    assert disagreement(mean, entropy(mean)) == 0.0


def test_standard_deviations_of_half_the_size_are_doubled() -> None:
    rng = np.random.default_rng(13)
    residuals = rng.normal(size=(400, 2))
    factors = choose_scale(residuals, np.column_stack([np.full(400, 0.5), np.ones(400)]))
    assert factors[0] == pytest.approx(2.0, rel=0.1)
    assert factors[1] == 1.0
    assert choose_scale(residuals[:10], np.full((10, 2), 0.5)).tolist() == [1.0, 1.0]


def test_rows_of_a_group_count_as_one() -> None:
    values = np.random.default_rng(14).normal(size=50)
    repeated, groups = np.repeat(values, 4), np.repeat(np.arange(50), 4)
    assert mean_and_error(repeated, None, groups) == pytest.approx(mean_and_error(values, None))
