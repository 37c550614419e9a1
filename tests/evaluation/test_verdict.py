from __future__ import annotations

import numpy as np
import pytest

from shoal.evaluation.topics.guessing import against_guessing
from shoal.evaluation.topics.overfitting import overfitting_verdict
from shoal.evaluation.topics.training import TrainingVerdict
from shoal.evaluation.topics.verdict import Sizes, _score, conclude
from shoal.results import Interval, Task
from shoal.statistics.bootstrap import with_intervals

C, R = Task.CLASSIFICATION, Task.REGRESSION


def sure(truth: np.ndarray, p: float) -> np.ndarray:
    """Probabilities that give the true class p."""
    return np.where(np.eye(2)[truth] == 1, p, 1 - p)


TRUTH = np.arange(60) % 2


CONVERGED = TrainingVerdict("converged", "Training converged.")


def fine():
    loss = Interval(0.3, 0.28, 0.32)
    return overfitting_verdict(loss, loss, 0.69)


def test_the_opening_text_tells_score_baselines_and_overfitting_in_this_order():
    scores = with_intervals(C, TRUTH, sure(TRUTH, 0.9))
    text = conclude(C, scores, "Baselines.", CONVERGED, fine(), Sizes(rows=60, kept=8, trained=64)).text
    assert text.startswith(
        "The ensemble of 8 of the 64 trained networks, scored on 60 untouched test "
        "rows, predicts 100 % of them correctly (95 % interval 94 to 100 %)"
    )
    assert (
        text.index("correctly")
        < text.index("Baselines.")
        < text.index("Training converged.")
        < text.index("no sign of")
    )
    assert text.endswith(fine().advice)


@pytest.mark.parametrize(
    ("kept", "trained", "opening"),
    [(0, 0, "The ensemble, "), (1, 1, "The network, "), (1, 5, "The best of 5 trained networks, ")],
)
def test_the_opening_text_of_few_networks(kept, trained, opening):
    truth = np.linspace(0, 1, 20)[:, None]
    scores = with_intervals(R, truth, truth + 0.1)
    text = conclude(R, scores, "", CONVERGED, fine(), Sizes(kept=kept, trained=trained)).text
    assert text.startswith(opening + "scored on untouched test rows, predicts them with an RMSE of 0.1 (")
    several = conclude(R, scores, "", CONVERGED, fine(), Sizes(targets=2)).text
    assert "predicts the 2 targets with a mean R² of" in several


def test_conclude_fills_the_record():
    scores = with_intervals(C, TRUTH, sure(TRUTH, 0.9))
    verdict = conclude(C, scores, "They win.", CONVERGED, fine(), Sizes(rows=60, kept=3, trained=3))
    assert verdict.text == f"{verdict.opening} They win. Training converged. {fine().sentence} {fine().advice}"


def test_that_nothing_was_found_is_said_first_and_decides_what_to_do():
    even = {"most_frequent": sure(TRUTH, 0.5)}
    nothing = against_guessing(C, TRUTH, sure(TRUTH, 0.49), even)
    scores = with_intervals(C, TRUTH, sure(TRUTH, 0.49))
    verdict = conclude(C, scores, "They lose.", CONVERGED, fine(), Sizes(), nothing)
    assert verdict.opening.startswith("Nothing was found: on the 60 test rows the networks are")
    assert verdict.text.startswith(verdict.opening)
    assert "larger networks" not in verdict.text
    assert verdict.text.endswith(verdict.advice)
    assert verdict.advice == nothing.advice
    better = against_guessing(C, TRUTH, sure(TRUTH, 0.9), even)
    assert (better.better, better.sentence) == (True, "")
    assert "Nothing was found" not in conclude(C, scores, "", CONVERGED, fine(), Sizes(), better).text


def test_nothing_is_found_where_labels_are_drawn_at_random():
    random, claimed = np.random.default_rng(0), 0
    for _ in range(60):
        truth = random.integers(2, size=80)
        p = np.clip(0.5 + 0.1 * random.normal(size=80), 0.01, 0.99)
        verdict = against_guessing(C, truth, np.column_stack([1 - p, p]), {"most_frequent": np.full((80, 2), 0.5)})
        claimed += bool(verdict.better)
    assert claimed <= 6  # 2.5 % of each of two tests


def test_an_accuracy_that_is_clearly_better_is_something():
    """Networks that are far too sure have a bad log-loss, and may know a lot."""
    random = np.random.default_rng(1)
    truth = random.integers(2, size=200)
    said = np.where(random.random(200) < 0.8, truth, 1 - truth)
    verdict = against_guessing(C, truth, sure(said, 1 - 1e-6), {"most_frequent": np.full((200, 2), 0.5)})
    assert verdict.difference.high < 0
    assert verdict.better is True


def test_too_few_rows_are_not_nothing():
    random = np.random.default_rng(2)
    truth = random.normal(size=(8, 1))
    near = {"mean": np.zeros((8, 1))}
    verdict = against_guessing(R, truth, 0.35 * truth + 0.6 * random.normal(size=(8, 1)), near)
    assert verdict.better is None
    assert verdict.sentence.startswith("The test rows are too few to tell whether anything was found")
    assert verdict.advice == "More rows would tell."


def test_a_simple_method_that_finds_something_is_named():
    even = np.full((60, 2), 0.5)
    others = {"most_frequent": even, "logistic_regression": sure(TRUTH, 0.9)}
    verdict = against_guessing(C, TRUTH, even, others, "Try a larger learning rate.")
    assert verdict.better is False
    assert verdict.advice.startswith("There is something to find: logistic regression is clearly better than guessing.")
    assert verdict.advice.endswith("Try a larger learning rate.")


def test_a_forecast_must_beat_the_last_value_too():
    steps = np.cumsum(np.random.default_rng(0).normal(size=300))[:, None]
    others = {"mean": np.zeros((299, 1)), "persistence": steps[:-1]}
    noisy = steps[:-1] + np.random.default_rng(1).normal(size=(299, 1))
    verdict = against_guessing(R, steps[1:], noisy, others)
    assert verdict.better is False
    assert "repeating the last value" in verdict.sentence
    assert against_guessing(R, steps[1:], steps[1:], others).better is True
    assert against_guessing(R, steps[1:], noisy, {}) is None


def test_one_test_row_has_a_score_but_neither_interval_nor_share() -> None:
    nothing = float("nan")
    scores = {"rmse": Interval(0.626, nothing, nothing), "r2": Interval(nothing, nothing, nothing)}
    opening = conclude(R, scores, "", CONVERGED, fine(), Sizes(rows=1, kept=1, trained=2)).opening
    assert opening == (
        "The best of 2 trained networks, scored on 1 untouched test row, predicts it with an RMSE of 0.626 "
        "(too few rows for an interval)."
    )


def test_shares_that_are_nearly_one_are_not_called_one() -> None:
    scores = {"accuracy": Interval(0.99996, 0.9998, 1.0), "log_loss": Interval(0.001, 0.0005, 0.002)}
    assert "predicts 99.996 % of them correctly (95 % interval 99.98 to 100 %)" in _score(C, scores, Sizes())
    scores = {"explained_variance": Interval(0.99996, 0.9999, 0.99999), "reconstruction_error": Interval(0.1, 0.0, 0.2)}
    assert "explains 0.99996 (0.9999 to 0.99999) of their variance" in _score(Task.RECONSTRUCTION, scores, Sizes())


def test_one_test_row_has_no_interval() -> None:
    verdict = against_guessing(C, TRUTH[:1], sure(TRUTH[:1], 0.9), {"most_frequent": np.full((1, 2), 0.5)})
    assert verdict is not None
    assert "on the 1 test row the networks are ahead" in verdict.sentence
    assert "interval" not in verdict.sentence
    assert "nan" not in verdict.sentence
