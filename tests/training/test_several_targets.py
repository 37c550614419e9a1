"""Networks with the classes of several targets: the sum of cross-entropies, the same on both engines and alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.special import expit, softmax
from sklearn.metrics import log_loss

from shoal.errors import SettingError
from shoal.networks import numpy_namespace
from shoal.results import Task
from shoal.steps.finishing import with_outputs
from shoal.training.engine_choice import choose_engine
from shoal.training.engines.native.library import best_kernel
from shoal.training.engines.xla import XlaEngine
from shoal.training.heads import ClassesHead
from shoal.training.loss_choice import choose_joint_loss, choose_loss
from shoal.training.planner import Budget
from shoal.training.problem import Problem, make_problem
from shoal.training.trainer import train

RNG = np.random.default_rng(5)
COUNTS = (3, 2, 4)
native = pytest.mark.skipif(best_kernel() is None, reason="the native engine's kernel was not built")


def problem_with(counts: tuple[int, ...] = COUNTS, rows: int = 90) -> Problem:
    rng = np.random.default_rng(8)
    x = rng.normal(size=(rows, 3)).astype(np.float32)
    y = np.stack([np.digitize(x[:, i % 3] + 0.4 * rng.normal(size=rows), np.arange(n - 1) - 0.5 * (n - 2)) for i, n in
                  enumerate(counts)], axis=1)  # fmt: skip
    weights = rng.uniform(0.5, 1.5, rows)
    parts = (x[:60], y[:60], weights[:60]), (x[60:], y[60:], weights[60:])
    return make_problem(Task.CLASSIFICATION, choose_joint_loss(counts, None), *parts)


def test_the_loss_is_the_sum_of_the_cross_entropies() -> None:
    y, z = np.array([[2, 1, 0], [0, 0, 3]]), RNG.normal(size=(2, 8))
    loss = choose_joint_loss(COUNTS, "binary_crossentropy")
    head = loss.head
    assert isinstance(head, ClassesHead)
    one_hot = np.zeros((2, 8))
    one_hot[[0, 1], [2, 0]] = one_hot[[0, 1], [4, 7]] = 1.0
    one_hot[0, 3] = 1.0
    got = loss.values(numpy_namespace, one_hot, z, {})[:, 0]
    a, b, c = (z[:, group] for group in head.groups)
    for row in range(2):
        wanted = log_loss([y[row, 0]], softmax(a, axis=1)[[row]], labels=range(3))
        wanted += log_loss([y[row, 1]], expit(b)[row], labels=[0, 1])
        wanted += log_loss([y[row, 2]], softmax(c, axis=1)[[row]], labels=range(4))
        assert got[row] == pytest.approx(wanted)


def test_no_other_loss_suits_several_targets() -> None:
    with pytest.raises(SettingError, match="sum of their cross-entropies, not by mse"):
        choose_joint_loss(COUNTS, "mse")


@native
@pytest.mark.parametrize("count", [2, 3])
def test_of_one_target_it_is_the_usual_training(count: int, members: Callable[..., Any]) -> None:
    problem = problem_with((count,))
    usual = replace(problem, loss=choose_loss(Task.CLASSIFICATION, count, None))
    several = members({"hidden": (5,), "epochs": 4, "label_smoothing": 0.1}, {"hidden": (8, 4), "activation": "tanh"})
    make = choose_engine(problem, several, "native", Budget(cores=1, bytes=10**9)).make
    for one, other in zip(*(train(each, several, make()).members for each in (problem, usual)), strict=True):
        for name in ("train_loss", "validation_loss", "validation_metric"):
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
        whole = with_outputs(one, slice(0, problem.outputs))
        np.testing.assert_array_equal(whole.network.predict(whole.parameters, problem.x), other.network.predict(
            other.parameters, problem.x))  # fmt: skip


@native
@pytest.mark.slow
def test_both_engines_agree_and_a_member_equals_itself_alone(
    members: Callable[..., Any], xla_of: Callable[[str], XlaEngine], assert_equal: Any
) -> None:
    problem, budget = problem_with(), Budget(cores=1, bytes=10**9)
    several = members(
        {"hidden": (5,), "epochs": 4, "learning_rate": 0.02, "l2": 0.5, "label_smoothing": 0.2},
        {"hidden": (8, 4), "activation": "tanh", "epochs": 6, "optimizer": "adamw", "dropout": 0.1},
    )
    make = choose_engine(problem, several, "native", budget).make
    trained = train(problem, several, make()).members
    for layout in ("first", "last"):
        for one, other in zip(trained, train(problem, several, xla_of(layout)).members, strict=True):
            assert_equal(one, other, rtol=2e-3, atol=1e-4)
    for member, one in zip(several, trained, strict=True):
        alone = train(problem, [member], make()).members[0]
        np.testing.assert_array_equal(alone.parameters[-1]["kernel"], one.parameters[-1]["kernel"])
        z = one.network.predict(one.parameters, problem.validation_x)
        right = [np.argmax(z[:, :3], 1) == problem.validation_y[:, :3].argmax(1)]
        right += [(z[:, 3] > 0) == (problem.validation_y[:, 3] > 0.5)]
        right += [np.argmax(z[:, 4:], 1) == problem.validation_y[:, 4:].argmax(1)]
        hits = np.average(np.mean(right, axis=0), weights=problem.validation_weights[:, 0])
        assert one.validation_metric[one.best_epoch - 1] == pytest.approx(hits, rel=1e-5)


def test_a_network_of_one_target_gives_the_probabilities_of_its_group(members: Callable[..., Any]) -> None:
    problem, several = problem_with(), members({"hidden": (5,), "epochs": 1})
    head = problem.loss.head
    assert isinstance(head, ClassesHead)
    (one,) = train(
        problem, several, choose_engine(problem, several, "auto", Budget(cores=1, bytes=10**9)).make()
    ).members
    z = one.network.predict(one.parameters, problem.x)
    for group in head.groups:
        part = with_outputs(one, group)
        wanted = expit(z[:, group]) if group.stop - group.start == 1 else softmax(z[:, group], axis=1)
        np.testing.assert_allclose(part.network.predict(part.parameters, problem.x), wanted, rtol=1e-5, atol=1e-6)
