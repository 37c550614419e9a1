from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from shoal.evaluation.topics.overfitting import Overfitting, overfitting_verdict

EPOCHS = np.arange(1, 101)


def falling(floor: float, rate: float = 0.1) -> np.ndarray:
    return floor + np.exp(-rate * EPOCHS)


def population(train: float, validation: float, networks: int = 8, rise: float = 0.0) -> tuple[np.ndarray, ...]:
    """Curves that fall to their floors; the validation curve rises again after epoch 60."""
    scatter = 1 + 0.02 * np.arange(networks)[:, None] / networks
    t = falling(train) * scatter
    v = falling(validation) * scatter + rise * np.clip(EPOCHS - 60, 0, None)
    return t, v, np.argmin(v, axis=1)


def judged(train, validation, best, kept, rows: int, **given) -> Overfitting:
    return overfitting_verdict(train, validation, kept, rows, best_epoch=best, **given)


@pytest.mark.parametrize(
    ("train", "validation", "rows", "kind"),
    [
        (0.30, 0.31, 100, "none"),
        (0.30, 0.36, 10_000, "mild"),
        (0.30, 0.36, 20, "none"),  # a gap of 17 % is chance on 20 rows
        (0.05, 0.50, 100, "strong"),
        (0.05, 0.50, 4, "mild"),  # the same gap on four rows is no proof
        (1e-7, 1e-4, 1000, "none"),  # a large ratio of losses that do not matter
        (0.50, 0.30, 1000, "none"),  # training loss is measured with dropout on
    ],
)
def test_kinds(train, validation, rows, kind):
    verdict = judged(*population(train, validation), range(8), rows)
    assert verdict.kind == kind
    assert str(rows) in verdict.sentence
    assert verdict.sentence.endswith(".")
    assert verdict.advice


def test_strong_overfitting_names_numbers_and_remedies():
    verdict = judged(*population(0.05, 0.50, rise=0.02), range(8), 200)
    assert verdict.sentence.startswith("Strong overfitting")
    assert f"{verdict.validation_loss:.3g}" in verdict.sentence
    assert f"{verdict.train_loss:.3g}" in verdict.sentence
    assert "rose again" in verdict.sentence
    assert all(word in verdict.advice for word in ("more rows", "L2", "dropout", "smaller networks"))


def test_networks_that_still_improve_are_not_converged():
    v = 1.0 - 0.008 * EPOCHS + np.zeros((6, 1))
    verdict = judged(v - 0.01, v, np.full(6, 99), range(6), 100)
    assert verdict.kind == "not yet converged"
    assert "6 of the 6" in verdict.sentence
    assert "longer" in verdict.advice
    # only two of six: a minority does not decide
    v[2:] = 0.3
    best = np.array([99, 99, 4, 4, 4, 4])
    assert judged(v, v, best, range(6), 100).kind == "none"


def test_a_best_epoch_at_the_end_of_a_flat_curve_is_converged():
    v = falling(0.3)[None] * np.ones((3, 1))
    verdict = judged(v, v, np.full(3, 99), range(3), 100)
    assert verdict.kind == "none"


def test_only_kept_networks_count_given_as_numbers_or_mask():
    t, v, best = population(0.3, 0.31, networks=4)
    v[3], t[3] = 5.0, 0.01
    by_number = judged(t, v, best, [0, 1, 2], 100)
    by_mask = judged(t, v, best, np.array([True, True, True, False]), 100)
    assert by_number == by_mask
    assert by_number.kind == "none"
    assert judged(t, v, best, [3], 100).kind == "strong"


def test_best_epochs_are_columns_of_the_curves():
    t, v = np.array([[1.0, 0.2, 0.1]]), np.array([[1.0, 0.3, 0.9]])
    verdict = overfitting_verdict(t, v, [0], 1000, best_epoch=[1])
    assert verdict.validation_loss == 0.3
    assert verdict.train_loss == 0.2
    assert overfitting_verdict(t, v, [0], 1000) == verdict
    assert overfitting_verdict(t, v, [0], 1000, best_epoch=[-1]).kind == "unknown"


def test_the_gap_has_a_t_interval_over_networks():
    v = np.array([[0.5], [0.6], [0.9]])
    gap = judged(np.full((3, 1), 0.4), v, [0, 0, 0], range(3), 50).gap
    expected = stats.ttest_1samp(v[:, 0] - 0.4, 0).confidence_interval()
    assert (gap.low, gap.high) == pytest.approx((expected.low, expected.high))
    assert gap.value == pytest.approx(0.8 / 3)


def test_a_single_network_has_an_interval_from_its_rows():
    gap = judged([[0.2]], [[0.3]], [0], [0], 100).gap
    assert gap.method == "validation rows"
    assert gap.low < gap.value < gap.high
    assert np.isfinite([gap.low, gap.high]).all()


def test_nan_inf_and_zero_losses_are_survived():
    t, v, best = population(0.3, 0.31)
    v[2], t[3, 50:], v[3, 50:] = np.nan, np.nan, np.inf
    best[3] = 49
    verdict = judged(t, v, best, range(8), 100)
    assert verdict.kind == "none"
    assert "7 kept" in verdict.sentence
    nothing = np.full((2, 3), np.nan)
    assert judged(nothing, nothing, [0, 0], [0, 1], 9).kind == "unknown"
    assert judged(t, v, best, [], 100).kind == "unknown"
    zero = judged(np.zeros((2, 5)), np.zeros((2, 5)), [0, 0], [0, 1], 9)
    assert zero.kind == "none"


def test_losses_that_were_evaluated_afterwards_replace_the_curves():
    t, v, best = population(0.30, 0.31)
    verdict = judged(t, v, best, range(8), 1000, train_loss=np.full(8, 0.02), validation_loss=np.full(8, 0.31))
    assert verdict.kind == "strong"
    assert verdict.train_loss == pytest.approx(0.02)
