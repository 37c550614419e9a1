from __future__ import annotations

import numpy as np
import pytest

from shoal.evaluation.topics.overfitting import overfitting_verdict
from shoal.evaluation.topics.verdict import Sizes, conclude
from shoal.results import Interval, Task
from shoal.statistics.bootstrap import with_intervals

C, R = Task.CLASSIFICATION, Task.REGRESSION


def sure(truth: np.ndarray, p: float) -> np.ndarray:
    """Probabilities that give the true class p."""
    return np.where(np.eye(2)[truth] == 1, p, 1 - p)


TRUTH = np.arange(60) % 2


def fine():
    curve = np.full((3, 4), 0.3)
    return overfitting_verdict(curve, curve, [0, 1, 2], 50)


def test_the_opening_text_tells_score_baselines_and_overfitting_in_this_order():
    scores = with_intervals(C, TRUTH, sure(TRUTH, 0.9))
    text = conclude(C, scores, "Baselines.", fine(), Sizes(rows=60, kept=8, trained=64)).text
    assert text.startswith(
        "The ensemble of 8 of the 64 trained networks, scored on 60 untouched test "
        "rows, predicts 100 % of them correctly (95 % interval 94 to 100 %)"
    )
    assert text.index("correctly") < text.index("Baselines.") < text.index("No sign of overfitting")
    assert text.endswith(fine().advice)


@pytest.mark.parametrize(
    ("kept", "trained", "opening"),
    [(0, 0, "The ensemble, "), (1, 1, "The network, "), (1, 5, "The best of 5 trained networks, ")],
)
def test_the_opening_text_of_few_networks(kept, trained, opening):
    truth = np.linspace(0, 1, 20)[:, None]
    scores = with_intervals(R, truth, truth + 0.1)
    text = conclude(R, scores, "", fine(), Sizes(kept=kept, trained=trained)).text
    assert text.startswith(opening + "scored on untouched test rows, predicts them with an RMSE of 0.1 (")
    several = conclude(R, scores, "", fine(), Sizes(targets=2)).text
    assert "predicts the 2 targets with a mean R² of" in several


def test_conclude_fills_the_record():
    scores = with_intervals(C, TRUTH, sure(TRUTH, 0.9))
    verdict = conclude(C, scores, "They win.", fine(), Sizes(rows=60, kept=3, trained=3))
    assert verdict.text == f"{verdict.opening} They win. {fine().sentence} {fine().advice}".strip()


def test_one_test_row_has_a_score_but_neither_interval_nor_share() -> None:
    nothing = float("nan")
    scores = {"rmse": Interval(0.626, nothing, nothing), "r2": Interval(nothing, nothing, nothing)}
    opening = conclude(R, scores, "", fine(), Sizes(rows=1, kept=1, trained=2)).opening
    assert opening == (
        "The best of 2 trained networks, scored on 1 untouched test row, predicts it with an RMSE of 0.626 "
        "(too few rows for an interval)."
    )
