from __future__ import annotations

import dataclasses
import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from shoal.evaluation.topics.training import TrainingVerdict, learning_rates, training_verdict
from shoal.evaluation.training_course import Histories, at_end, course_of, known, smoothed, still_improving
from shoal.results import Interval

EPOCHS = np.arange(1, 101)
LEARNED, GUESSED = Interval(0.6, 0.4, 0.8), Interval(-0.02, -0.1, 0.03)


def histories(
    train: np.ndarray, validation: np.ndarray, rows: int = 300, networks: int = 1, **more: object
) -> Histories:
    """Curves of networks that differ a little, and so do the halves of their validation rows."""
    apart = 1 + 0.01 * np.arange(networks)[:, None]
    both = np.atleast_2d(validation) * apart
    halves = np.stack([0.97 * both, 1.03 * both], axis=-1)
    best = np.nanargmin(both, axis=1) + 1
    return Histories(np.atleast_2d(train) * apart, both, best, rows, halves, **more)


def falling(floor: float, rate: float = 0.1) -> np.ndarray:
    return floor + np.exp(-rate * EPOCHS)


def rising(epoch: int, by: float) -> np.ndarray:
    """Fall to 0.3 until an epoch, and rise then."""
    after = np.clip(EPOCHS - epoch, 0, None) / (100 - epoch)
    return np.where(epoch >= EPOCHS, 0.3 + 0.5 * (1 - EPOCHS / epoch), 0.3 + by * after)


@pytest.mark.parametrize("networks", [1, 6])
@pytest.mark.parametrize("epoch", [1, 20, 70])
def test_a_validation_loss_that_rises_while_training_improves_is_overfitting(epoch: int, networks: int) -> None:
    verdict = training_verdict(histories(falling(0.05, 0.02), rising(epoch, 0.5), networks=networks), LEARNED)
    assert verdict.kind == "overfits"
    assert abs(verdict.best_epoch - epoch) <= 1
    assert verdict.rise.low > 0
    assert verdict.sentence.startswith("Training overfits from epoch ")
    assert abs(int(verdict.sentence.split()[4]) - epoch) <= 3
    assert "training loss fell" in verdict.sentence
    assert f"weights that are kept are those of epoch {verdict.best_epoch}" in verdict.sentence
    assert "L2" in verdict.advice
    assert "larger networks" not in verdict.advice


def test_a_rise_that_few_rows_cannot_tell_from_chance_is_said_to_be_one() -> None:
    noisy = histories(falling(0.05, 0.02), rising(30, 0.12), rows=6)
    noisy.halves[..., 0] *= 0.5
    noisy.halves[..., 1] *= 1.5
    verdict = training_verdict(noisy, LEARNED)
    assert verdict.kind == "may overfit"
    assert verdict.rise.low <= 0
    assert "on 6 validation rows that can be chance" in verdict.sentence


def test_both_losses_rising_is_no_overfitting() -> None:
    unstable = training_verdict(histories(rising(40, 0.2), rising(40, 0.3), learning_rates=(0.3,)), LEARNED)
    assert (unstable.kind, "learning rate of 0.3 is likely too large" in unstable.advice) == ("unstable", True)
    diverged = training_verdict(histories(rising(40, 9.0), rising(40, 9.0)), LEARNED)
    assert diverged.kind == "diverged"
    assert "overfit" not in unstable.sentence + diverged.sentence


def test_who_still_improves_did_not_rise_again() -> None:
    verdict = training_verdict(histories(0.9 - 0.008 * EPOCHS, 1.0 - 0.008 * EPOCHS, networks=6), LEARNED)
    assert verdict.kind == "still improving"
    assert "the 6 kept networks were still improving" in verdict.sentence
    assert "rose" not in verdict.sentence
    assert "longer" in verdict.advice


def test_a_best_epoch_at_the_end_of_a_flat_curve_is_converged() -> None:
    flat = histories(falling(0.3), falling(0.31), networks=3)
    assert still_improving(flat, 0.3) == 0
    assert training_verdict(flat, LEARNED).kind == "converged"


def test_a_network_that_has_not_learned_is_called_so_with_the_cause() -> None:
    still = np.linspace(0.8511, 0.8502, 100)
    slow = training_verdict(histories(still, still + 0.01, rows=24, half_nat=0.5, learning_rates=(1e-6,)), GUESSED)
    assert slow.kind == "not learned"
    assert "learning rate of 1 × 10⁻⁶ is too small, or training stopped too early" in slow.advice
    early = training_verdict(histories(1.4 - 0.004 * EPOCHS, 1.5 - 0.004 * EPOCHS, half_nat=0.5), GUESSED)
    assert (early.kind, "stopped too early" in early.advice) == ("not learned", True)
    nothing = training_verdict(histories(falling(0.68), falling(0.69), half_nat=0.5), GUESSED)
    assert (nothing.kind, "columns may say nothing" in nothing.advice) == ("not learned", True)
    assert all("overfit" not in each.sentence for each in (slow, early, nothing))


def test_losses_below_zero_and_near_it() -> None:
    likelihood = histories(falling(-3.0, 0.02), rising(30, 0.6) - 0.3 - 1.0, half_nat=1.0)
    by_sign = dataclasses.replace(likelihood, half_nat=None)
    for each in (likelihood, by_sign):
        verdict = training_verdict(each, LEARNED)
        assert verdict.kind == "overfits"
        assert "%, 0." not in verdict.sentence  # no share of a loss whose zero means nothing
    tiny = histories(1e-4 * falling(0.05), np.where(EPOCHS == 1, 1.0, 1e-4 * rising(20, 0.3)))
    assert training_verdict(tiny, LEARNED).kind == "converged"


def test_noise_is_no_rise() -> None:
    random = np.random.default_rng(0)
    kinds = []
    for _ in range(40):
        level = falling(0.3) + 0.03 * random.normal(size=100)
        noisy = histories(falling(0.25), level, rows=100)
        noisy = dataclasses.replace(noisy, halves=level[None, :, None] + 0.03 * random.normal(size=(1, 1, 2)))
        kinds.append(training_verdict(noisy, LEARNED).kind)
    assert "overfits" not in kinds


def test_what_is_not_finite_is_left_out() -> None:
    good = histories(falling(0.3), falling(0.31), networks=3)
    good.validation[0], good.train[1, 50:], good.validation[1, 50:] = np.nan, np.nan, np.inf
    assert training_verdict(good, LEARNED).kind == "converged"
    assert "2 kept networks" in training_verdict(good, LEARNED).sentence
    nothing = Histories(np.full((2, 3), np.nan), np.full((2, 3), np.nan), np.array([0, 0]), 9)
    assert training_verdict(nothing).kind == "unknown"


@pytest.mark.parametrize("epochs", [1, 2, 3, 9])
def test_few_epochs_are_survived(epochs: int) -> None:
    short = np.linspace(1.0, 0.5, epochs)
    verdict = training_verdict(histories(short, short), LEARNED)
    assert isinstance(verdict, TrainingVerdict)
    assert np.isfinite([verdict.rise.value, verdict.rise.low, verdict.rise.high]).all()


def test_without_skill_nothing_is_said_of_guessing() -> None:
    assert training_verdict(histories(falling(0.3), falling(0.31))).kind == "converged"


def test_the_course_follows_the_middle_of_noisy_curves() -> None:
    curve = falling(0.2)
    curve[50] = -5.0  # one lucky epoch
    assert smoothed(curve)[50] == pytest.approx(falling(0.2)[50], rel=0.02)
    assert at_end(np.r_[np.ones(90), np.full(9, 2.0), 99.0]) == 2.0
    assert len(known(np.array([1.0, np.nan, 2.0, np.nan]))) == 3
    assert course_of(histories(falling(0.1), rising(25, 0.4))).epoch == pytest.approx(25, abs=2)
    assert learning_rates([]) == ""


# counted against known truth


@pytest.fixture
def known_truths(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Import what keeps and counts the histories, as `python -m benchmarks.histories` does."""
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2]))
    yield importlib.import_module("benchmarks.histories")
    for name in [name for name in sys.modules if name.split(".")[0] == "benchmarks"]:
        sys.modules.pop(name)


def test_verdicts_on_histories_of_known_truth(known_truths: Any) -> None:
    """Those of odd seeds set no threshold; `docs/reliability.md` has their counts."""
    everything = known_truths.kept()
    held_back = [each for each in everything if each.seed % 2]
    assert len(everything) >= 60
    assert {each.truth for each in everything} == set(known_truths.RIGHT)
    for part in (everything, held_back):
        outcomes = [known_truths.outcome(each) for each in part]
        assert outcomes.count("right") >= 0.75 * len(part)
        assert outcomes.count("wrong") <= 0.15 * len(part)


def test_nothing_is_claimed_that_is_not_true(known_truths: Any) -> None:
    """A verdict may be undecided; overfitting is claimed only where the population's loss rose."""
    for each in known_truths.kept():
        verdict = known_truths.judge(each)
        if verdict.kind == "overfits":
            assert each.true_rise > 0.02 * each.true_scale, each.name
            assert verdict.rise.low > 0
        if verdict.kind == "not learned":
            assert each.truth in ("not learned", "overfits"), each.name
        assert (verdict.kind == "diverged") <= (each.truth == "diverged"), each.name


def test_one_epoch_tells_nothing() -> None:
    curve = np.array([[0.7]])
    verdict = training_verdict(Histories(curve, curve, np.array([1]), 100))
    assert verdict.kind == "unknown"
    assert verdict.sentence == "Training ended after one epoch, too early to tell what it did."
