from __future__ import annotations

import dataclasses
import importlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from shoal import SettingError, fit, load
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
    assert "kept network has not learned: the training loss went from 0.8511 to 0.8502" in slow.sentence
    nothing = training_verdict(histories(falling(0.68), falling(0.69), half_nat=0.5), GUESSED)
    assert "learned nothing that holds for other rows, as far as 300 validation rows tell" in nothing.sentence
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


def test_who_knows_training_rows_by_heart_is_not_told_of_too_large_steps() -> None:
    by_heart = training_verdict(histories(falling(1e-6), falling(1.0), learning_rates=(0.01,)), GUESSED)
    assert by_heart.kind == "not learned"
    assert "has not learned" not in by_heart.sentence
    assert "too large" not in by_heart.advice


def test_a_rise_that_so_few_rows_cannot_show_is_told() -> None:
    few = training_verdict(histories(falling(0.05, 0.02), rising(60, 0.01), rows=8), LEARNED)
    many = training_verdict(histories(falling(0.05, 0.02), rising(60, 0.001), rows=5000), LEARNED)
    assert (few.kind, many.kind) == ("converged", "converged")
    assert "on 8 validation rows a rise by up to" in few.sentence
    assert "would not show" not in many.sentence


def test_losses_that_both_rise_far_but_noisily_are_unstable() -> None:
    random = np.random.default_rng(1)
    noisy = rising(20, 1.0) + np.where(EPOCHS > 20, 4.0 * random.random(100), 0.0)
    verdict = training_verdict(histories(noisy, noisy, rows=20), LEARNED)
    assert verdict.kind in ("unstable", "diverged")
    assert "converged" not in verdict.sentence


# counted against known truth


@pytest.fixture
def known_truths(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Import what keeps and counts the histories, as `python -m benchmarks.histories` does."""
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2]))
    yield importlib.import_module("benchmarks.histories")
    for name in [name for name in sys.modules if name.split(".")[0] == "benchmarks"]:
        sys.modules.pop(name)


def test_verdicts_on_histories_of_known_truth(known_truths: Any) -> None:
    """Those of odd seeds set no threshold; `docs/explanation/reliability.md` has their counts."""
    everything = [each for each in known_truths.kept() if each.name not in known_truths.HELD_BACK]
    held_back = [each for each in everything if each.seed % 2]
    assert len(everything) >= 60
    assert {each.truth for each in everything} == set(known_truths.RIGHT) - {"unstable"}
    for part in (everything, held_back):
        outcomes = [known_truths.outcome(each) for each in part]
        assert outcomes.count("right") >= 0.75 * len(part)
        assert outcomes.count("wrong") <= 0.15 * len(part)


def test_verdicts_on_histories_of_other_kinds(known_truths: Any) -> None:
    """No threshold was set on them or on others of their kinds; what is wrong is that a rise is not seen."""
    other = [each for each in known_truths.kept() if each.name in known_truths.HELD_BACK]
    outcomes = [known_truths.outcome(each) for each in other]
    assert len({each.name for each in other}) >= 20
    assert outcomes.count("right") >= 0.7 * len(other)
    missed = [each for each in other if known_truths.outcome(each) == "wrong" and each.truth == "overfits"]
    assert outcomes.count("wrong") <= len(missed) + 1


def test_the_interval_of_a_rise_holds_the_true_rise(known_truths: Any) -> None:
    finite = [each for each in known_truths.kept() if not each.diverged]
    rises = [(known_truths.judge(each).rise, each.true_rise) for each in finite]
    assert np.mean([rise.low <= truth <= rise.high for rise, truth in rises]) >= 0.92
    assert np.mean([truth > rise.high for rise, truth in rises]) <= 0.06


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


# real fits


def verdict_of(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "metrics.json").read_text("utf-8"))["verdict"]


@pytest.mark.slow
def test_sixty_noisy_points_and_a_large_network_overfit(tmp_path: Path) -> None:
    """The validation loss rises to three times its lowest while the training loss falls."""
    random = np.random.default_rng(0)
    x = random.uniform(-1.7, 1.7, (60, 2))
    y = np.sin(2.5 * x[:, 0]) + 0.5 * random.normal(size=60)
    settings = {"hidden": (64, 64), "activation": "tanh", "optimizer": "adam", "learning_rate": 0.01, "batch_size": 8}
    more = {"networks": 1, "l2": 0, "dropout": 0, "epochs": 400, "patience": 400, "engine": "native"}
    run = fit({"a": x[:, 0], "b": x[:, 1], "y": y}, target="y", out=str(tmp_path / "run"), **settings, **more)
    verdict, curves = verdict_of(tmp_path / "run"), run.curves
    validation, train = (smoothed(curves[name].to_numpy()) for name in ("validation_loss", "train_loss"))
    place = int(validation.argmin())
    assert validation[-1] > 2.8 * validation[place]
    assert train[-1] < 0.7 * train[place]
    assert verdict["training"] == "overfits"
    assert verdict["training_text"].startswith(f"Training overfits from epoch {place + 1} on: ")
    assert verdict["rise"]["low"] > 0
    assert "larger networks may" not in verdict["text"]


@pytest.mark.slow
def test_networks_that_diverged_beside_sound_ones_are_told(tmp_path: Path) -> None:
    random = np.random.default_rng(3)
    x = 30 * random.normal(size=(150, 4))
    y = x[:, 0] / 30 + 0.4 * random.normal(size=150)
    table = {**{f"x{i}": x[:, i] for i in range(4)}, "y": y}
    more = {"networks": 8, "epochs": 15, "normalization": "none", "engine": "native", "feature_encoding": "plain"}
    fit(table, target="y", optimizer="sgd", out=str(tmp_path / "run"), **more)
    diverged = json.loads((tmp_path / "run" / "metrics.json").read_text("utf-8"))["networks"]["diverged"]
    assert 0 < diverged < 8
    assert f" {diverged} of the 8 trained networks diverged in epoch" in verdict_of(tmp_path / "run")["training_text"]


@pytest.mark.slow
def test_of_coins_nothing_was_found_and_tiny_steps_are_told(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    x = random.normal(size=(160, 3))
    coins = np.where(random.integers(2, size=160), "heads", "tails")
    columns = {f"x{i}": x[:, i] for i in range(3)}
    more = {"networks": 2, "epochs": 20, "hidden": 8, "engine": "native", "feature_encoding": "plain"}
    fit({**columns, "side": coins}, target="side", out=str(tmp_path / "coins"), **more)
    assert verdict_of(tmp_path / "coins")["text"].startswith("Nothing was found: ")
    fit({**columns, "y": x[:, 0]}, target="y", optimizer="sgd", learning_rate=1e-7, out=str(tmp_path / "slow"), **more)
    assert verdict_of(tmp_path / "slow")["advice"].startswith("Try a larger learning rate: ")
    slow = verdict_of(tmp_path / "slow")["training_text"]  # whose first weights happen to be better than guessing
    assert slow.startswith("After the first epoch training changed little: ")
    assert "learning rate of 1 × 10⁻⁷ is too small" in slow


@pytest.mark.slow
def test_where_no_epoch_ended_no_curves_are_promised(tmp_path: Path) -> None:
    x = np.random.default_rng(0).normal(size=(80, 2))
    settings = {"networks": 1, "optimizer": "sgd", "learning_rate": 1e9, "epochs": 5, "engine": "native"}
    out = str(tmp_path / "run")
    with pytest.raises(SettingError, match="No epoch ended with a finite loss; what was tried is kept: "):
        fit({"a": x[:, 0], "b": x[:, 1], "y": x.sum(axis=1)}, target="y", out=out, **settings)
    assert "there is no curve to draw" in load(out).report().read_text("utf-8")
    with pytest.raises(SettingError, match="there are no figures: all networks diverged"):
        load(out).figures("png")


def test_a_loss_that_still_jumps_about_is_unstable() -> None:
    """As with a learning rate of 30 on iris, where the loss ended below what was called its lowest."""
    drawn = np.random.default_rng(0)
    train, validation = (np.exp(drawn.normal(0.0, 1.0, (1, 60))) for _ in range(2))
    verdict = training_verdict(Histories(train, validation, np.array([30]), 24, learning_rates=(30.0,)), LEARNED)
    assert verdict.kind == "unstable"
    assert "did not settle" in verdict.sentence
    assert "learning rate of 30 is likely too large" in verdict.advice
