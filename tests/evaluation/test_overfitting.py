from __future__ import annotations

import numpy as np
import pytest

from shoal.evaluation.guessing import constant_guess, difference, row_costs
from shoal.evaluation.topics.overfitting import advice_after, overfitting_verdict
from shoal.evaluation.topics.training import TrainingVerdict
from shoal.results import Interval, Task


def around(value: float, half: float) -> Interval:
    return Interval(value, value - half, value + half)


@pytest.mark.parametrize(
    ("train", "validation", "half", "kind"),
    [
        (0.30, 0.31, 0.02, "none"),
        (0.30, 0.36, 0.02, "mild"),
        (0.30, 0.36, 0.10, "none"),  # a gap of 17 % is chance, and its interval ends below half of the loss
        (0.05, 0.50, 0.05, "strong"),
        (0.05, 0.50, 0.40, "mild"),  # clear of zero, but not of a tenth of the loss
        (0.30, 0.36, 0.50, "unclear"),
        (1e-7, 1e-4, 1e-6, "none"),  # a large ratio of losses that do not matter
        (0.50, 0.30, 0.02, "none"),
    ],
)
def test_kinds(train: float, validation: float, half: float, kind: str) -> None:
    verdict = overfitting_verdict(around(train, half / 10), around(validation, half), 0.7, rows="83 validation rows")
    assert verdict.kind == kind
    assert "83 validation rows" in verdict.sentence
    assert verdict.sentence.endswith(".")
    assert verdict.advice
    assert verdict.gap.value == pytest.approx(validation - train)


def test_overfitting_is_never_claimed_where_the_interval_holds_zero() -> None:
    random = np.random.default_rng(0)
    for train, validation, half in random.uniform(0.01, 1.0, (300, 3)):
        verdict = overfitting_verdict(around(train, half / 3), around(validation, half), 1.0)
        if verdict.kind in ("mild", "strong"):
            assert verdict.gap.low > 0


def test_a_loss_that_is_no_number_is_not_judged() -> None:
    verdict = overfitting_verdict(Interval(np.nan, np.nan, np.nan), around(0.3, 0.1), 1.0)
    assert verdict.kind == "unknown"


def test_training_that_went_wrong_is_mended_before_weights() -> None:
    strong = overfitting_verdict(around(0.05, 0.01), around(0.5, 0.05), 0.7)
    fine = overfitting_verdict(around(0.3, 0.01), around(0.3, 0.01), 0.7)
    lost, overfits = (TrainingVerdict(kind, "", f"Mend {kind}.") for kind in ("not learned", "overfits"))
    assert advice_after(lost, strong) == advice_after(lost, fine) == "Mend not learned."
    assert advice_after(overfits, strong) == strong.advice
    assert advice_after(overfits, fine) == "Mend overfits."
    assert "larger networks" in advice_after(TrainingVerdict("converged", ""), fine)


def test_costs_of_rows_and_of_guessing() -> None:
    truth = np.array([0, 0, 0, 1])
    shares = constant_guess(Task.CLASSIFICATION, truth, None, 2)
    assert shares.tolist() == [0.75, 0.25]
    entropy = -(0.75 * np.log(0.75) + 0.25 * np.log(0.25))
    assert row_costs(Task.CLASSIFICATION, truth, shares).mean() == pytest.approx(entropy)
    assert constant_guess(Task.CLASSIFICATION, truth, np.array([0, 1, 0, 3]), 2).tolist() == [0.25, 0.75]
    y = np.array([[1.0, 100.0], [3.0, 500.0]])
    means, variance = constant_guess(Task.REGRESSION, y, None, 0), y.var(axis=0)
    assert row_costs(Task.REGRESSION, y, means, variance).mean() == pytest.approx(1.0)


def test_the_error_of_a_difference_is_that_of_both() -> None:
    gap = difference(Interval(0.5, 0.2, 0.9), Interval(0.1, 0.06, 0.5))
    assert gap.value == pytest.approx(0.4)
    assert gap.low == pytest.approx(0.4 - 0.5)
    assert gap.high == pytest.approx(0.4 + np.hypot(0.4, 0.04))


def test_rows_too_few_for_an_interval_are_said_to_be_too_few() -> None:
    without = Interval(0.5, float("nan"), float("nan"))
    verdict = overfitting_verdict(Interval(0.1, 0.08, 0.12), without, 1.1)
    assert verdict.kind == "unclear"
    assert verdict.sentence.startswith("These rows are too few to tell")
    assert "(gap 0.4, without an interval)" in verdict.sentence
