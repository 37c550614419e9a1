from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from shoal.evaluation.baselines.label_shuffle import Shuffled, shuffled_problem, train_shuffled
from shoal.evaluation.signal import signal_class
from shoal.evaluation.topics.overfitting import overfitting_verdict
from shoal.evaluation.topics.overtraining import Overtraining, overtraining
from shoal.results import Interval, Task
from shoal.statistics.weighted import kolmogorov_smirnov
from shoal.training.engine_choice import choose_engine
from shoal.training.engines.native.library import best_kernel
from shoal.training.hyperparameters import Hyperparameters
from shoal.training.loss_choice import choose_loss
from shoal.training.member import Member
from shoal.training.planner import find_budget
from shoal.training.problem import Problem, make_problem

RNG = np.random.default_rng(11)


def scored(rows: int, sharpness: float, weights: np.ndarray | None = None) -> tuple:
    truth = np.arange(rows) % 2
    z = sharpness * (2 * truth - 1) + RNG.normal(size=rows)
    p = 1 / (1 + np.exp(-z))
    return truth, np.column_stack([1 - p, p]), weights


def picture(train: float, test: float, gap: float = 0.0, **options) -> Overtraining:
    costs = (Interval(loss, loss - 0.02, loss + 0.02) for loss in (0.3 - gap, 0.3))
    verdict = overfitting_verdict(*costs, 0.69)
    epochs = np.array([2]), np.array([4])
    return overtraining(("b", "s"), scored(2000, train), scored(1000, test), verdict, epochs, **options)


def test_the_same_scores_are_seen_to_agree() -> None:
    found = picture(1.0, 1.0)
    assert found.signal.name == "s"
    assert found.signal.difference.p > 0.01
    assert found.conclusion.startswith("These rows show no difference between training and test scores")
    assert "no gap is seen between the losses" in found.conclusion
    width = np.diff(found.edges)
    for one in found.classes:
        assert (one.train * width).sum() == pytest.approx(1.0)
        assert (one.test * width).sum() == pytest.approx(1.0)
        np.testing.assert_array_equal(one.test_error > 0, one.test > 0)
    assert found.past_best.value == 1.0


def test_training_scores_that_are_too_good_are_seen_and_explained() -> None:
    found = picture(2.0, 1.0)
    assert found.signal.difference.p < 1e-6
    assert "do not train less for the sake of the picture" in found.conclusion
    assert "know their training rows far better" in picture(2.0, 1.0, gap=0.25).conclusion


def test_whole_weights_are_repeated_rows() -> None:
    truth, guess, _ = scored(200, 1.0)
    weights = RNG.integers(1, 4, 200)
    verdict = overfitting_verdict(Interval(0.4, 0.3, 0.5), Interval(0.4, 0.3, 0.5), 0.69)
    epochs = np.array([2]), np.array([2])
    repeated = np.repeat(truth, weights), np.repeat(guess, weights, axis=0), None
    one = overtraining(("b", "s"), (truth, guess, weights * 1.0), scored(50, 1.0), verdict, epochs)
    other = overtraining(("b", "s"), repeated, scored(50, 1.0), verdict, epochs)
    np.testing.assert_allclose(one.edges[0], one.edges[0])
    assert (one.signal.train[0] * np.diff(one.edges)[0]) >= 0
    assert one.weighted is True
    assert other.weighted is False


def test_shuffled_labels_that_are_told_apart_are_a_leak() -> None:
    leak = Shuffled(Interval(0.7, 0.65, 0.75), Interval(0.8, 0.7, 0.9), (10, 10), 5)
    chance = dataclasses.replace(leak, validation=Interval(0.54, 0.505, 0.57))
    assert "trust no score" in picture(1.0, 1.0, shuffled=leak).conclusion
    assert "trust no score" not in picture(1.0, 1.0, shuffled=chance).conclusion
    assert picture(1.0, 1.0, shuffled=leak).as_dict()["shuffled_labels"]["validation_roc_auc"]["value"] == 0.7


def test_the_signal_is_found_by_its_name() -> None:
    assert signal_class(("signal", "sideband")) == 0
    assert signal_class(("0", "1")) == 1
    assert signal_class(("apples", "pears")) == 1


def problem(rows: int = 600, folds: np.ndarray | None = None) -> Problem:
    y = np.arange(rows) % 2
    x = RNG.normal(size=(rows, 3)) + 3.0 * y[:, None]
    weights = np.where(y == 1, 0.1, 2.0)
    part = x, y, weights
    loss = choose_loss(Task.CLASSIFICATION, 2, None)
    return make_problem(Task.CLASSIFICATION, loss, part, part, classes=2, folds=folds)


def test_targets_and_weights_are_shuffled_together_and_features_stay() -> None:
    whole = problem()
    shuffled, (x, y, _) = shuffled_problem(whole, None, 0)
    np.testing.assert_array_equal(shuffled.x, whole.x)
    assert (shuffled.y != whole.y).mean() > 0.4
    assert shuffled.y.sum() == whole.y.sum()
    np.testing.assert_array_equal(shuffled.weights > 1, shuffled.y == 0)
    assert len(x) + len(shuffled.validation_x) == 600
    assert len(y) == 300


def test_with_folds_the_member_s_own_fold_judges() -> None:
    fold = (np.arange(600) % 3)[:, None].astype(np.int32)
    shuffled, (x, _, _) = shuffled_problem(problem(folds=fold), 1, 0)
    assert shuffled.folds is None
    assert (len(shuffled.x), len(shuffled.validation_x), len(x)) == (400, 100, 100)


@pytest.mark.skipif(best_kernel() is None, reason="the native engine is not built here")
def test_nothing_is_learned_from_shuffled_labels() -> None:
    member = Member(0, Hyperparameters(hidden=(8,), epochs=20))
    engine = choose_engine(problem(), [member], "native", find_budget(None)).make()
    found = train_shuffled(problem(), member, engine)
    assert found is not None
    assert not found.suspicious
    assert found.validation.low < 0.5 < found.validation.high
    assert found.rows == (600, 300)


def test_agreement_is_claimed_only_of_what_was_tested() -> None:
    """A class without rows has no p-value, and losses with a gap were said to agree as well."""
    empty = np.zeros(1000)
    cannot = picture(1.0, 1.0)
    of_nothing = dataclasses.replace(cannot.signal, difference=kolmogorov_smirnov(empty, empty, empty, empty))
    assert dataclasses.replace(cannot, signal=of_nothing).conclusion.startswith("The picture cannot be tested")
    apart = dataclasses.replace(cannot, gap=Interval(0.02, 0.01, 0.03)).conclusion
    assert "while the validation loss lies 0.02 above the training loss" in apart
    assert "no gap" not in apart
