"""Targets redrawn with correlated errors: the draws, and what each engine makes of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from shoal.results import Task
from shoal.search.members import replicas_of
from shoal.training.engines.base import Engine
from shoal.training.engines.native import NativeEngine
from shoal.training.engines.native.library import kernels
from shoal.training.hyperparameters import Hyperparameters
from shoal.training.loss_choice import choose_loss
from shoal.training.member import Member
from shoal.training.problem import Problem, make_problem
from shoal.training.resampling import correlated_noise, independent_noise, resampling_numbers, target_noise
from shoal.training.trainer import train

ROWS, VALIDATION, DRAWS = 44, 17, 11  # draws are filled up to 12
RNG = np.random.default_rng(4)
X = RNG.normal(size=(ROWS + VALIDATION, 3)).astype(np.float32)
Y = (np.sin(X[:, :1]) + X[:, 1:2]).astype(np.float32)
SMALL = {"hidden": (5,), "activation": "tanh", "learning_rate": 0.02, "batch_size": 8, "epochs": 10}
ROOT = np.linalg.cholesky(0.09 * np.exp(-((X[:, :1] - X[:, 0]) ** 2)) + 0.02 * np.eye(ROWS + VALIDATION))
KINDS = [
    *(pytest.param(("xla", layout), id=f"xla-{layout}") for layout in ("first", "last")),
    *(pytest.param(("native", kernel), id=f"native-{kernel.name}") for kernel in kernels()),
]


@pytest.fixture(params=KINDS)
def engine(request: pytest.FixtureRequest, xla_of: Callable[..., Engine]) -> Engine:
    kind, choice = request.param
    return xla_of(choice) if kind == "xla" else NativeEngine(kernel=choice)


def posed(y: np.ndarray) -> Problem:
    loss = choose_loss(Task.REGRESSION, 0, "mse")
    return make_problem(Task.REGRESSION, loss, (X[:ROWS], y[:ROWS], None), (X[ROWS:], y[ROWS:], None), seed=3)


def test_draws_have_the_covariance_and_do_not_depend_on_how_many_there_are() -> None:
    noise = correlated_noise(3, 4000, ROOT)
    covariance = ROOT @ ROOT.T
    np.testing.assert_allclose(np.cov(noise), covariance, atol=5.0 * covariance.max() / np.sqrt(4000))
    np.testing.assert_array_equal(correlated_noise(3, 5, ROOT), noise[:, :5])
    assert (correlated_noise(4, 5, ROOT) != noise[:, :5]).all()


def test_without_correlations_they_are_those_of_independent_errors() -> None:
    sigma = np.linspace(0.1, 0.5, ROWS)
    noise = correlated_noise(3, DRAWS, np.diag(sigma))
    numbers = resampling_numbers(3, replicas_of([Member(0, Hyperparameters())], DRAWS))
    for draw in range(DRAWS):
        own = {name: array[draw] for name, array in numbers.items()}
        one = target_noise(np, np.arange(ROWS, dtype=np.uint32), np.zeros(1, np.uint32), own)
        np.testing.assert_allclose(noise[:, draw], sigma * one, rtol=1e-6)
    chosen = np.asarray([7, 2])
    np.testing.assert_array_equal(independent_noise(3, chosen, 5), independent_noise(3, np.arange(8), 5)[:, chosen])


@pytest.mark.slow
def test_a_replica_learns_from_the_draw_of_its_number(engine: Engine, assert_equal: Any) -> None:
    noise = correlated_noise(3, DRAWS, ROOT)
    task = replace(posed(Y), y_noise=noise[:ROWS], validation_y_noise=noise[ROWS:])
    plain = Member(0, Hyperparameters(**SMALL))
    members = [plain, *replicas_of([plain], DRAWS)]
    trained = train(task, members, engine).members
    for draw in (0, 6, DRAWS - 1):
        (expected,) = train(posed(Y + noise[:, draw : draw + 1]), [plain], engine).members
        assert_equal(replace(trained[1 + draw], member=plain), expected, rtol=1e-4, atol=1e-5)
    (ordinary,) = train(posed(Y), [plain], engine).members
    rounding = {} if isinstance(engine, NativeEngine) else {"rtol": 1e-5, "atol": 2e-6}
    assert_equal(trained[0], ordinary, **rounding)


@pytest.mark.slow
def test_a_replica_in_folds_sees_one_draw_in_both_parts(engine: Engine, assert_equal: Any) -> None:
    noise = correlated_noise(3, 2, ROOT[:ROWS, :ROWS])
    folds = (np.arange(ROWS) % 3)[:, None]
    half = {"validation_half": np.arange(ROWS) // 3 % 2}

    def folded(y: np.ndarray) -> Problem:
        rows = X[:ROWS], y, None
        made = make_problem(Task.REGRESSION, choose_loss(Task.REGRESSION, 0, "mse"), rows, rows, seed=3)
        return replace(made, folds=folds.astype(np.int32), **half)

    plain = Member(0, Hyperparameters(**SMALL), fold=1)
    task = replace(folded(Y[:ROWS]), y_noise=noise, validation_y_noise=noise)
    got = train(task, replicas_of([plain], 2), engine).members[1]
    (expected,) = train(folded(Y[:ROWS] + noise[:, 1:]), [plain], engine).members
    assert_equal(replace(got, member=plain), expected, rtol=1e-4, atol=1e-5)
