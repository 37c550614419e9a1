"""The scores of several targets together equal scikit-learn's multilabel metrics."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as sk

from shoal.statistics.joint import joint_intervals, joint_metrics

RNG = np.random.default_rng(2)
TRUTH, PREDICTED = RNG.integers(0, 2, (80, 4)), RNG.integers(0, 2, (80, 4))
WEIGHTS = RNG.uniform(0.2, 2.0, 80)


@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_labels_are_scored_as_by_scikit_learn(weights: np.ndarray | None) -> None:
    ours, given = joint_metrics(TRUTH, PREDICTED, weights, labels=True), {"sample_weight": weights}
    assert ours["subset_accuracy"] == pytest.approx(sk.accuracy_score(TRUTH, PREDICTED, **given))
    assert ours["hamming_loss"] == pytest.approx(sk.hamming_loss(TRUTH, PREDICTED, **given))
    for score in ("precision", "recall", "f1"):
        function = getattr(sk, f"{score}_score")
        for mean in ("macro", "micro"):
            assert ours[f"{score}_{mean}"] == pytest.approx(function(TRUTH, PREDICTED, average=mean, **given))
    np.testing.assert_allclose(ours["f1"], sk.f1_score(TRUTH, PREDICTED, average=None, **given))


def test_of_several_classes_each_target_counts_alike() -> None:
    truth, predicted = RNG.integers(0, 3, (50, 2)), RNG.integers(0, 3, (50, 2))
    ours = joint_metrics(truth, predicted)
    assert set(ours) == {"subset_accuracy", "hamming_loss"}
    each = [sk.accuracy_score(truth[:, i], predicted[:, i]) for i in range(2)]
    assert ours["hamming_loss"] == pytest.approx(1.0 - np.mean(each))


def test_many_weights_at_once_are_as_one_at_a_time() -> None:
    several = joint_metrics(TRUTH, PREDICTED, np.stack([np.ones(80), WEIGHTS]), labels=True)
    alone = joint_metrics(TRUTH, PREDICTED, WEIGHTS, labels=True)
    for name, values in several.items():
        np.testing.assert_allclose(values[1], alone[name])


def test_intervals_hold_the_value_and_perfection_is_not_certain() -> None:
    scores, f1 = joint_intervals(TRUTH, PREDICTED, labels=True)
    assert len(f1) == 4
    for score in (*scores.values(), *f1):
        assert score.low <= score.value <= score.high
    perfect, _ = joint_intervals(TRUTH, TRUTH)
    assert (perfect["subset_accuracy"].value, perfect["subset_accuracy"].method) == (1.0, "wilson")
    assert perfect["subset_accuracy"].low < 0.97
    assert 0.0 < perfect["hamming_loss"].high < 0.05


def test_a_label_that_nobody_has_is_left_out_of_the_mean() -> None:
    truth, predicted = TRUTH.copy(), PREDICTED.copy()
    truth[:, 3] = predicted[:, 3] = 0
    ours = joint_metrics(truth, predicted, labels=True)
    assert ours["f1_macro"] == pytest.approx(sk.f1_score(truth[:, :3], predicted[:, :3], average="macro"))
    assert np.isnan(ours["f1"][3])


def test_rows_of_one_group_are_drawn_together() -> None:
    truth, predicted, groups = (np.repeat(each, 6, axis=0) for each in (TRUTH[:20], PREDICTED[:20], np.arange(20)))
    by_row, _ = joint_intervals(truth, predicted)
    by_group, _ = joint_intervals(truth, predicted, groups=groups)
    rows, grouped = by_row["hamming_loss"], by_group["hamming_loss"]
    assert (rows.method, grouped.method) == ("bootstrap", "cluster bootstrap")
    assert grouped.value == rows.value
    assert grouped.high - grouped.low > 2.0 * (rows.high - rows.low)
    few, _ = joint_intervals(truth[:30], predicted[:30], groups=groups[:30])
    assert np.isnan([few["hamming_loss"].low, few["hamming_loss"].high]).all()
