"""One target for each step of a series: the cost by hand, curves, folds, and a member in a block as alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from shoal.data.signals import PADDED
from shoal.errors import DataError, NetworkError
from shoal.networks import Masking
from shoal.results import Task
from shoal.training.building import build_trunk
from shoal.training.engines.xla import XlaEngine
from shoal.training.grouping import group_members
from shoal.training.loss_choice import choose_loss
from shoal.training.member import Member, initial_parameters
from shoal.training.packing import batch_order, member_network
from shoal.training.problem import Problem, make_problem, steps_present
from shoal.training.trainer import train

TIME = 7
TRUNK = "bidirectional:gru:3:true conv1d:4:3:1:same"
POPULATION: tuple[dict[str, Any], ...] = (
    {"activation": "relu"},
    {"activation": "tanh", "hidden": (5,), "dropout": 0.3, "optimizer": "sgd", "learning_rate": 0.1},
    {"activation": "silu", "hidden": (11,), "l2": 0.5, "dropout": 0.1},
)


def labelled(rng: np.random.Generator, rows: int, classes: int = 3) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return series of 3 to 7 steps, padded, the class of each step, -1 where there is none, and weights."""
    x = rng.normal(size=(rows, TIME, 2)).astype(np.float32)
    y = np.where(x[:, :, 0] > 0.3, 2, (x[:, :, 1] + np.roll(x[:, :, 1], 1, axis=1) > 0).astype(int)) % classes
    ends = np.arange(TIME) >= rng.integers(3, TIME + 1, rows)[:, None]
    x[ends], y[ends] = PADDED, -1
    y[rng.random((rows, TIME)) < 0.1] = -1
    return x, y, rng.uniform(0.5, 2.0, rows)


@pytest.fixture(scope="module")
def problem() -> Problem:
    rng = np.random.default_rng(3)
    training, validation = labelled(rng, 44), labelled(rng, 17)
    loss = choose_loss(Task.CLASSIFICATION, 3, None)
    made = make_problem(Task.CLASSIFICATION, loss, training, validation, classes=3, seed=2)
    return replace(made, stem=(Masking(PADDED),))


@pytest.fixture(scope="module")
def population(members: Callable[..., list[Member]]) -> list[Member]:
    return members(*({"layers": TRUNK, "hidden": (6,), "epochs": 3, **h} for h in POPULATION))


def test_steps_without_a_target_have_no_weight(problem: Problem) -> None:
    assert problem.y.shape == (44, TIME, 3)
    assert problem.outputs == 3
    assert problem.weights.mean() == pytest.approx(1.0)
    assert (problem.weights[problem.y.sum(axis=-1) == 0] == 0).all()
    nothing = np.zeros((4, 5, 1)), np.full((4, 5), -1), None
    with pytest.raises(DataError, match="positive mean"):
        make_problem(Task.CLASSIFICATION, problem.loss, nothing, nothing, classes=3)


def test_numbers_are_missing_where_one_of_them_is() -> None:
    y = np.array([[[1.0, 2.0], [np.nan, 1.0]]])
    present = steps_present(Task.REGRESSION, y)
    assert present is not None
    assert present.tolist() == [[True, False]]
    assert steps_present(Task.REGRESSION, y[0]) is None


def by_hand(problem: Problem, member: Member, epochs: int) -> tuple[np.ndarray, np.ndarray]:
    """Return kernel and bias of a softmax at every step after gradient descent in float64."""
    (_, start) = initial_parameters(member_network(problem, member), problem.seed, member.id)
    kernel, bias = (np.asarray(start[name], np.float64) for name in ("kernel", "bias"))
    x = np.where(problem.x == PADDED, 0.0, problem.x.astype(np.float64))
    for epoch in batch_order(problem, 16, epochs):
        for rows in epoch:
            real = rows[rows >= 0]
            z = x[real] @ kernel + bias
            p = np.exp(z - z.max(axis=-1, keepdims=True))
            slope = p / p.sum(axis=-1, keepdims=True) - problem.y[real]
            slope = slope * problem.weights[real] / (TIME * len(real))
            kernel -= member.hyperparameters.learning_rate * np.einsum("rti,rto->io", x[real], slope)
            bias -= member.hyperparameters.learning_rate * slope.sum(axis=(0, 1))
    return kernel, bias


@pytest.mark.slow
def test_training_is_gradient_descent_on_all_real_steps_alike(problem: Problem, members: Any) -> None:
    settings = {"hidden": (), "optimizer": "sgd", "momentum": 0.0, "learning_rate": 0.3, "epochs": 3, "patience": 3}
    (member,) = members(settings)
    (trained,) = train(problem, [member], XlaEngine(1)).members
    assert trained.best_epoch == 3
    kernel, bias = by_hand(problem, member, 3)
    np.testing.assert_allclose(trained.parameters[-1]["kernel"], kernel, atol=2e-6)
    np.testing.assert_allclose(trained.parameters[-1]["bias"], bias, atol=2e-6)


@pytest.mark.slow
def test_curves_are_weighted_means_over_real_steps(problem: Problem, population: list[Member]) -> None:
    for member in train(problem, population, XlaEngine()).members:
        output = member.network.predict(member.parameters, problem.validation_x).astype(np.float64)
        weights = problem.validation_weights[:, :, 0].astype(np.float64)
        each = -(problem.validation_y * np.log(output)).sum(axis=-1)
        right = output.argmax(axis=-1) == problem.validation_y.argmax(axis=-1)
        at = member.best_epoch - 1
        assert member.validation_loss[at] == pytest.approx(np.average(each, weights=weights), rel=1e-4)
        assert member.validation_metric[at] == pytest.approx(np.average(right, weights=weights), rel=1e-5)
        for half in (0, 1):
            own = weights * (problem.validation_half == half)[:, None]
            assert member.half_losses[at, half] == pytest.approx(np.average(each, weights=own), rel=1e-4)


@pytest.mark.slow
def test_a_member_in_a_block_is_the_member_alone(problem: Problem, population: list[Member]) -> None:
    assert len(group_members(problem, population)) == 1
    both = [*population, *(replace(m, id=m.id + 3, bootstrap=True) for m in population)]
    together = train(problem, both, XlaEngine()).members
    for i in (1, 2, 4):
        alone = train(problem, [both[i]], XlaEngine(1)).members[0]
        assert alone.network == together[i].network
        for name in ("train_loss", "validation_loss", "half_losses"):
            np.testing.assert_allclose(getattr(alone, name), getattr(together[i], name), rtol=2e-3, atol=1e-5)
    assert not np.allclose(together[1].train_loss, together[4].train_loss)


@pytest.mark.slow
def test_padding_has_no_say(problem: Problem, population: list[Member]) -> None:
    other = problem.y.copy()
    other[problem.weights[:, :, 0] == 0] = 1.0
    changed = replace(problem, y=other)
    for a, b in zip(*(train(one, population[:1], XlaEngine(1)).members for one in (problem, changed)), strict=True):
        np.testing.assert_array_equal(a.train_loss, b.train_loss)


@pytest.mark.slow
def test_numbers_at_each_step_in_folds(members: Any) -> None:
    rng = np.random.default_rng(4)
    x = rng.normal(size=(30, TIME, 1)).astype(np.float32)
    y = np.concatenate([np.cumsum(x, axis=1), x], axis=2)
    y[rng.random((30, TIME)) < 0.2] = np.nan
    loss, folds = choose_loss(Task.REGRESSION, 0, "rmse"), np.arange(30)[:, None] % 3
    problem = make_problem(Task.REGRESSION, loss, (x, y, None), (x, y, None), folds=folds, seed=1)
    (plain,) = members({"layers": "lstm:6:true", "hidden": (4,), "epochs": 3})
    (trained,) = train(problem, [replace(plain, fold=1)], XlaEngine(1)).members
    held = folds[:, 0] == 1
    error = (trained.network.predict(trained.parameters, x[held]) - y[held]) ** 2
    at = trained.best_epoch - 1
    assert trained.validation_loss[at] == pytest.approx(np.sqrt(np.nanmean(error)), rel=1e-4)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("lstm:4", "'lstm' returns one output per series"),
        ("conv1d:4:3", "'conv1d' returns 5 steps for 7"),
        ("gru:4:true flatten", "'flatten' returns one output per series"),
    ],
)
def test_layers_that_lose_steps_are_named(text: str, named: str) -> None:
    with pytest.raises(NetworkError, match=named) as caught:
        build_trunk(text, (TIME, 2), (), True)
    assert "lstm:32:true" in str(caught.value)
    assert len(build_trunk("lstm:4:true", (TIME, 2), (), True)) == 1
