"""Half of the validation rows stop a member, and the other half tells of new rows without flattery."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from shoal.data import assign_folds
from shoal.prediction.out_of_fold import OutOfFold
from shoal.results import Status, Task
from shoal.search.members import members_of
from shoal.training.engines.base import Engine
from shoal.training.engines.native import NativeEngine
from shoal.training.engines.native.library import best_kernel
from shoal.training.engines.xla import XlaEngine
from shoal.training.forward import predict
from shoal.training.hyperparameters import Hyperparameters
from shoal.training.loss_choice import choose_loss
from shoal.training.member import Member
from shoal.training.problem import Problem, deal_halves, make_problem
from shoal.training.resampling import judging_rows, rows_of_fold
from shoal.training.trainer import train

needs_kernel = pytest.mark.skipif(best_kernel() is None, reason="no kernel")
ENGINES = [pytest.param(NativeEngine, marks=needs_kernel, id="native"), pytest.param(XlaEngine, id="xla")]
ROWS, FOLDS = 80, 4


def noise(seed: int, rows: int = ROWS) -> tuple[np.ndarray, np.ndarray]:
    """Return five features and a target that has nothing to do with them."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=(rows, 5)).astype(np.float32), rng.normal(size=(rows, 1)).astype(np.float32)


def folded(seed: int) -> Problem:
    x, y = noise(seed)
    folds = assign_folds(deal_halves(Task.REGRESSION, y, seed), FOLDS, 1, seed)
    rows = x, y, None
    return make_problem(Task.REGRESSION, choose_loss(Task.REGRESSION, 0, "mse"), rows, rows, seed=seed, folds=folds)


@pytest.mark.parametrize("engine", ENGINES)
def test_the_best_epoch_and_the_stop_are_those_of_the_half(engine: Callable[[], Engine]) -> None:
    h = Hyperparameters(hidden=(16,), learning_rate=0.03, batch_size=16, epochs=40, patience=12)
    still = h.model_copy(update={"learning_rate": 1e-30})  # all epochs are equally good: the first is the best
    members = [Member(i, h, fold=0, half=half) for i, half in enumerate((-1, 0, 1, -1, 0, 1))]
    members += [Member(6 + i, still, fold=0, half=half) for i, half in enumerate((-1, 0, 1))]
    for trained in train(folded(0), members, engine()).members:
        half = trained.member.half
        watched = trained.validation_loss if half < 0 else trained.half_losses[:, half]
        assert trained.best_epoch == 1 + int(watched.argmin())
        stopped = len(watched) - trained.best_epoch >= 12
        assert trained.status == (Status.STOPPED_EARLY if stopped else Status.FINISHED)


@needs_kernel
def test_a_row_judges_no_member_that_it_taught_or_stopped() -> None:
    problem = folded(1)
    members = members_of([Hyperparameters(hidden=(2,), epochs=1)] * 3, FOLDS)
    assert {(m.fold, m.half) for m in members} == {(fold, half) for fold in range(FOLDS) for half in (0, 1)}
    for member in members:
        learned, validated = rows_of_fold(problem, member.fold or 0)
        judging = judging_rows(problem, member)
        assert not (judging & learned).any()
        assert (problem.validation_half[judging] == 1 - member.half).all()
        assert judging.sum() == validated.sum() / 2
        assert (judging_rows(problem, replace(member, half=-1)) == validated).all()
    trained = train(problem, members, NativeEngine()).members
    alone = OutOfFold.of(problem, trained[:FOLDS])
    several = OutOfFold.of(problem, trained)
    assert alone is not None
    assert several is not None
    assert alone.judging.sum() == ROWS / 2
    assert several.judging.all()
    assert (alone.judged.sum(axis=0) == 1).all()


@needs_kernel
def test_what_is_measured_out_of_fold_is_no_better_than_on_new_rows() -> None:
    """The squared error of networks that learned noise; rows that stopped them make it a quarter too small."""
    h = Hyperparameters(hidden=(32,), learning_rate=0.03, batch_size=16, epochs=60, patience=60)
    ratios: dict[bool, list[float]] = {True: [], False: []}
    for seed in range(8):
        problem, (x, y) = folded(seed), noise(100 + seed, 2000)
        for halves in (True, False):
            each = [m if halves else replace(m, half=-1) for m in members_of([h, h], FOLDS)]
            for trained in train(problem, each, NativeEngine()).members:
                rows = np.flatnonzero(judging_rows(problem, trained.member))
                seen = [np.mean((predict(trained.network, trained.parameters, a) - b) ** 2) for a, b in
                        ((problem.x[rows], problem.y[rows]), (x, y))]  # fmt: skip
                ratios[halves].append(float(seen[0] / seen[1]))
    honest, flattered = (np.asarray(ratios[halves]).reshape(8, -1).mean(axis=1) for halves in (True, False))
    assert abs(honest.mean() - 1.0) < 2.0 * _error(honest)
    assert (honest - flattered).mean() > 3.0 * _error(honest - flattered)
    assert flattered.mean() < 0.9


def _error(values: np.ndarray) -> float:
    return float(values.std(ddof=1) / np.sqrt(len(values)))
