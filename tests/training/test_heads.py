"""Heads and their losses: equal to the densities that they stand for, found from samples, the same in any block."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.metrics import mean_pinball_loss

from shoal.errors import SettingError
from shoal.networks import numpy_namespace
from shoal.results import Task
from shoal.training.engine_choice import choose_engine
from shoal.training.engines.native.library import best_kernel
from shoal.training.engines.xla import XlaEngine
from shoal.training.heads import (
    HEADS,
    MOST_TARGETS,
    GaussianHead,
    Head,
    MultivariateGaussianHead,
    PoissonHead,
    QuantileHead,
    head_from_dict,
)
from shoal.training.loss_choice import choose_loss, with_learned_scatter, with_levels
from shoal.training.losses import Loss, get_loss
from shoal.training.planner import Budget
from shoal.training.problem import Problem, make_problem
from shoal.training.trainer import train

RNG = np.random.default_rng(3)
ROWS, TARGETS = 6, 3
Y = RNG.normal(size=(ROWS, TARGETS))
MEAN, SCALE = np.asarray([1.0, -2.0, 0.5]), np.asarray([2.0, 0.5, 1.0])
REGRESSION = ("gaussian_nll", "multivariate_gaussian_nll", "pinball", "poisson")


def values(loss: Loss, y: NDArray[Any], output: NDArray[Any]) -> NDArray[np.float64]:
    return np.asarray(loss.values(numpy_namespace, y, output, {}))


def output_of(head: Head, targets: int = TARGETS) -> NDArray[np.float64]:
    drawn = 0.5 * RNG.normal(size=(ROWS, head.outputs(targets)))
    return np.exp(drawn) if head.activation == "exponential" else drawn


# losses are densities


@pytest.mark.parametrize("known", [False, True])
def test_the_gaussian_loss_is_twice_the_log_likelihood(known: bool) -> None:
    head, sigma = GaussianHead(), RNG.uniform(0.1, 1.0, Y.shape)
    output = output_of(head)
    got = values(get_loss("gaussian_nll"), np.concatenate([Y, sigma], axis=1) if known else Y, output)
    width = np.sqrt(np.exp(2 * output[:, TARGETS:]) + 1e-6 + (sigma**2 if known else 0.0))
    expected = -2.0 * scipy.stats.norm.logpdf(Y, output[:, :TARGETS], width) - np.log(2 * np.pi)
    np.testing.assert_allclose(got, expected, rtol=1e-9)


def test_without_scatter_it_is_the_chi_square() -> None:
    sigma, guess = RNG.uniform(0.5, 1.0, Y.shape), Y + RNG.normal(size=Y.shape)
    none = np.full(Y.shape, -20.0)
    got = values(get_loss("gaussian_nll"), np.concatenate([Y, sigma], axis=1), np.concatenate([guess, none], axis=1))
    np.testing.assert_allclose(got - np.log(sigma**2), (Y - guess) ** 2 / sigma**2, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("targets", [1, 2, 3])
def test_the_multivariate_loss_is_twice_the_log_likelihood(targets: int) -> None:
    loss, y = get_loss("multivariate_gaussian_nll"), Y[:, :targets]
    output = output_of(loss.head, targets)
    said = loss.head.describe(output, np.zeros(targets), np.ones(targets))
    assert said.covariance is not None
    expected = [
        -2.0 * scipy.stats.multivariate_normal.logpdf(row, mean, covariance) - targets * np.log(2 * np.pi)
        for row, mean, covariance in zip(y, said.mean, said.covariance, strict=True)
    ]
    np.testing.assert_allclose(values(loss, y, output)[:, 0], expected, rtol=1e-9)


def test_the_pinball_loss_is_that_of_scikit_learn() -> None:
    loss = with_levels(get_loss("pinball"), 0.9)
    assert isinstance(loss.head, QuantileHead)
    output = output_of(loss.head)
    got = values(loss, Y, output)
    each = output.reshape(ROWS, len(loss.head.levels), TARGETS)
    for i in range(TARGETS):
        pairs = enumerate(loss.head.levels)
        expected = np.mean([mean_pinball_loss(Y[:, i], each[:, k, i], alpha=level) for k, level in pairs])
        assert got[:, i].mean() == pytest.approx(expected)


def test_the_poisson_loss_is_that_of_keras_and_its_fused_form_exact() -> None:
    import keras

    loss, counts, z = get_loss("poisson"), RNG.poisson(2.0, Y.shape).astype(np.float64), RNG.normal(size=Y.shape)
    expected = np.asarray(keras.losses.poisson(counts, np.exp(z)))
    np.testing.assert_allclose(values(loss, counts, np.exp(z)).mean(axis=1), expected, rtol=1e-6)
    assert loss.values_of_logits is not None
    fused = loss.values_of_logits(numpy_namespace, counts, z, {})
    np.testing.assert_allclose(fused, values(loss, counts, np.exp(z)), rtol=1e-5, atol=1e-5)


# what outputs say


@pytest.mark.parametrize("name", REGRESSION)
def test_the_point_is_the_described_mean_in_scaled_units(name: str) -> None:
    head = get_loss(name).head
    output, mean = output_of(head), 0.0 * MEAN if head.counts else MEAN
    if isinstance(head, QuantileHead):  # without crossings; those are put in order
        output = np.sort(output.reshape(ROWS, -1, TARGETS), axis=1).reshape(ROWS, -1)
    said = head.describe(output, mean, SCALE)
    np.testing.assert_allclose(said.mean, mean + SCALE * head.point(np, output))
    assert len(head.output_names(("a", "b", "c"))) == head.outputs(TARGETS)
    assert said.variance is not None
    assert (said.variance > 0.0).all()


def test_described_moments_are_those_of_samples() -> None:
    head = MultivariateGaussianHead()
    output = output_of(head)[:1]
    said = head.describe(output, MEAN, SCALE)
    assert said.covariance is not None
    factor = np.zeros((TARGETS, TARGETS))
    factor[np.arange(3), np.arange(3)] = np.exp(output[0, 3:6])
    factor[1, 0], factor[2, 0], factor[2, 1] = output[0, 6:]
    draws = RNG.normal(size=(200_000, TARGETS)) @ np.linalg.inv(factor)  # covariance (L Lᵀ)⁻¹
    np.testing.assert_allclose(np.cov(draws * SCALE, rowvar=False), said.covariance[0], rtol=0.05, atol=0.02)


@given(st.lists(st.floats(-5.0, 5.0), min_size=5, max_size=5))
def test_quantiles_never_cross(outputs: list[float]) -> None:
    said = QuantileHead().describe(np.asarray([outputs]), np.zeros(1), np.ones(1))
    assert said.quantiles is not None
    assert (np.diff(said.quantiles) >= 0.0).all()
    assert said.quantiles[0, 0, 0] <= said.mean[0, 0] <= said.quantiles[0, 0, -1]


@pytest.mark.parametrize("head", [kind() for kind in HEADS.values()] + [GaussianHead("constant")])
def test_a_head_survives_a_file(head: Head) -> None:
    import json

    assert head_from_dict(json.loads(json.dumps(head.to_dict()))) == head


def test_levels_that_make_no_sense_are_refused() -> None:
    for levels in ((0.1, 0.9), (0.5, 0.1), (0.0, 0.5), (0.5, 0.5)):
        with pytest.raises(SettingError, match=r"must rise between 0 and 1 and hold 0\.5"):
            QuantileHead(levels)


def test_too_many_targets_for_a_covariance_are_refused() -> None:
    with pytest.raises(SettingError, match="gaussian_nll, which has no correlations"):
        MultivariateGaussianHead().outputs(MOST_TARGETS + 1)


# the choice of a loss


def test_a_scatter_chooses_the_loss() -> None:
    assert choose_loss(Task.REGRESSION, 0, None, "constant").head == GaussianHead("constant")
    assert choose_loss(Task.REGRESSION, 0, "gaussian_nll").head == GaussianHead("function")
    assert choose_loss(Task.REGRESSION, 0, None, "zero").name == "mse"
    assert choose_loss(Task.REGRESSION, 0, "quantile", coverage=0.8).head == QuantileHead.covering(0.8)
    for loss, scatter, message in (
        ("mse", "constant", "is learned by the loss gaussian_nll, not by mse"),
        ("gaussian_nll", "zero", "learns a scatter"),
    ):
        with pytest.raises(SettingError, match=message):
            choose_loss(Task.REGRESSION, 0, loss, scatter)
    with pytest.raises(SettingError, match="does not suit classification"):
        choose_loss(Task.CLASSIFICATION, 2, None, "function")


def problem_with(loss: Loss, rows: int = 90, targets: int = 2) -> Problem:
    rng = np.random.default_rng(8)
    x = rng.normal(size=(rows, 3)).astype(np.float32)
    y = np.stack([np.sin(x[:, i % 3]) for i in range(targets)], axis=1) + 0.3 * rng.normal(size=(rows, targets))
    known = loss.name == "gaussian_nll" and isinstance(loss.head, GaussianHead) and loss.head.scatter == "constant"
    y = rng.poisson(np.exp(y)).astype(np.float64) if loss.name == "poisson" else y
    y = np.concatenate([y, rng.uniform(0.1, 0.2, y.shape)], axis=1) if known else y
    parts = (x[:60], y[:60], None), (x[60:], y[60:], None)
    return replace(make_problem(Task.REGRESSION, loss, *parts), known_errors=known)


LOSSES_WITH_HEADS = [
    *(get_loss(name) for name in REGRESSION),
    with_learned_scatter(get_loss("gaussian_nll"), "constant"),
]


@pytest.mark.slow
@pytest.mark.parametrize("loss", LOSSES_WITH_HEADS, ids=[*REGRESSION, "constant"])
def test_a_member_of_a_block_equals_the_member_alone_in_both_layouts(
    loss: Loss, members: Callable[..., Any], xla_of: Callable[[str], XlaEngine], assert_equal: Any
) -> None:
    problem = problem_with(loss)
    several = members(
        {"hidden": (5,), "epochs": 4, "learning_rate": 0.02, "l2": 0.5},
        {"hidden": (8, 4), "activation": "tanh", "epochs": 6, "learning_rate": 0.01, "dropout": 0.1},
    )
    first = train(problem, several, xla_of("first")).members
    for one, alone in zip(first, (train(problem, [m], xla_of("last")).members[0] for m in several), strict=True):
        assert_equal(one, alone, rtol=1e-4, atol=1e-5)
        assert one.network.output_shape == (loss.head.outputs(2),)
        output = one.network.predict(one.parameters, problem.validation_x)
        point = loss.head.point(np, output.astype(np.float64))
        rmse = np.sqrt(np.mean((problem.validation_y[:, :2] - point) ** 2))
        assert one.validation_metric[one.best_epoch - 1] == pytest.approx(rmse, rel=1e-4)


@pytest.mark.slow
@pytest.mark.skipif(best_kernel() is None, reason="the native engine's kernel was not built")
@pytest.mark.parametrize("loss", LOSSES_WITH_HEADS, ids=[*REGRESSION, "constant"])
def test_the_native_engine_gives_the_same(
    loss: Loss, members: Callable[..., Any], xla_of: Callable[[str], XlaEngine], assert_equal: Any
) -> None:
    problem, budget = problem_with(loss), Budget(cores=1, bytes=10**9)
    several = members(
        {"hidden": (5,), "epochs": 4, "learning_rate": 0.02, "l2": 0.5},
        {"hidden": (8, 4), "activation": "tanh", "epochs": 6, "optimizer": "adamw", "dropout": 0.1},
    )
    choice = choose_engine(problem, several, "auto", budget)
    if loss.name == "multivariate_gaussian_nll":
        assert choice.reason.endswith("it has no loss 'multivariate_gaussian_nll'")
        return
    assert choice.name == "native"
    pairs = zip(
        train(problem, several, choice.make()).members, train(problem, several, xla_of("first")).members, strict=True
    )
    for native, xla in pairs:
        assert_equal(native, xla, rtol=1e-4, atol=1e-5)


def test_a_constant_is_no_weight(members: Callable[..., Any]) -> None:
    from shoal.training.packing import member_scalars

    loss = with_learned_scatter(get_loss("gaussian_nll"), "constant")
    scalars = member_scalars(problem_with(loss), 32, members({"hidden": (4,)}))
    assert scalars["weights"].tolist() == [3 * 4 + 4 * 2]


@pytest.mark.slow
def test_the_heads_find_the_truth(members: Callable[..., Any], xla_of: Callable[[str], XlaEngine]) -> None:
    """Samples of known distributions: noise that grows with x, quantiles of an exponential, correlated targets."""
    rng = np.random.default_rng(0)
    x = rng.uniform(0.0, 1.0, (1500, 1)).astype(np.float32)
    noise = 0.1 + 0.5 * x
    skewed = rng.exponential(1.0, (1500, 1)) * noise
    two = rng.multivariate_normal([0.0, 0.0], [[1.0, 0.8], [0.8, 1.0]], 1500)
    settings = {"hidden": (8,), "activation": "tanh", "epochs": 60, "learning_rate": 0.02, "batch_size": 64}

    def said(loss: Loss, y: NDArray[Any], known: bool = False) -> Any:
        parts = (x[:1000], y[:1000], None), (x[1000:], y[1000:], None)
        problem = replace(make_problem(Task.REGRESSION, loss, *parts), known_errors=known)
        (member,) = train(problem, members(settings), xla_of("first")).members
        output = member.network.predict(member.parameters, x).astype(np.float64)
        targets = problem.targets
        return loss.head.describe(output, np.zeros(targets), np.ones(targets))

    normal = noise * rng.normal(size=x.shape)
    found = said(get_loss("gaussian_nll"), normal)
    np.testing.assert_allclose(np.sqrt(found.variance), noise, atol=0.1)
    sigma = np.full(x.shape, 0.3)
    found = said(
        with_learned_scatter(get_loss("gaussian_nll"), "constant"),
        np.concatenate([0.4 * rng.normal(size=x.shape) + sigma * rng.normal(size=x.shape), sigma], axis=1),
        known=True,
    )
    np.testing.assert_allclose(np.sqrt(found.variance), 0.4, atol=0.06)
    found = said(with_levels(get_loss("pinball"), 0.9), skewed)
    below = (skewed[:, :, None] <= found.quantiles).mean(axis=(0, 1))
    np.testing.assert_allclose(below, [0.05, 0.159, 0.5, 0.841, 0.95], atol=0.06)
    found = said(get_loss("multivariate_gaussian_nll"), two)
    np.testing.assert_allclose(found.covariance.mean(axis=0), [[1.0, 0.8], [0.8, 1.0]], atol=0.15)
    expected = np.exp(1.0 + x)
    counts = rng.poisson(expected).astype(np.float64)
    loss = get_loss("poisson")
    assert isinstance(loss.head, PoissonHead)
    found = said(replace(loss), counts / counts.mean())
    np.testing.assert_allclose(found.mean * counts.mean(), expected, rtol=0.15)
