"""Rolling folds in training: who learns from what, who is judged on it, and that the future changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from shoal.data.split.rolling import roll_folds
from shoal.errors import DataError
from shoal.networks import Network
from shoal.prediction.out_of_fold import OutOfFold, answers
from shoal.results import Status, Task
from shoal.search.members import members_of
from shoal.training.engines.base import Engine
from shoal.training.engines.native import NativeEngine
from shoal.training.engines.native.library import best_kernel
from shoal.training.engines.xla import XlaEngine
from shoal.training.hyperparameters import Hyperparameters
from shoal.training.loss_choice import choose_loss
from shoal.training.member import Member, TrainedMember
from shoal.training.problem import Problem, make_problem
from shoal.training.resampling import held_out, resampling_numbers, rows_of_fold
from shoal.training.trainer import train

FOLDS, REPEATS, ROWS = 3, 2, 48
SMALL = {"hidden": (5,), "activation": "tanh", "learning_rate": 0.02, "batch_size": 8, "epochs": 6}
NATIVE = pytest.param(NativeEngine, marks=pytest.mark.skipif(best_kernel() is None, reason="no kernel"), id="native")
ENGINES = [NATIVE, pytest.param(XlaEngine, id="xla")]
RNG = np.random.default_rng(3)
TIMES = RNG.permutation(ROWS).astype(float)
ROLLED = roll_folds(TIMES, FOLDS, until=TIMES + 2)  # a gap of two rows


@pytest.fixture(scope="module")
def rolling() -> Problem:
    """48 rows in three rolling folds, with weights, one target and its errors."""
    x = RNG.normal(size=(ROWS, 3)).astype(np.float32)
    y = (np.sin(x[:, :1]) + x[:, 1:2] * TIMES[:, None] / ROWS).astype(np.float32)
    rows = x, y, RNG.uniform(0.5, 2.0, ROWS)
    folds = {"folds": ROLLED.held_out, "validation_folds": ROLLED.judged}
    return make_problem(Task.REGRESSION, choose_loss(Task.REGRESSION, 0, "mse"), rows, rows, seed=3, **folds)


@pytest.fixture(scope="module")
def each() -> list[Member]:
    candidates = [Hyperparameters(**SMALL), Hyperparameters(**{**SMALL, "hidden": (4, 4)})]
    return members_of(candidates, FOLDS, REPEATS, rolling=True)


def test_rows_teach_and_judge_as_the_folds_say(rolling: Problem, each: list[Member]) -> None:
    assert rolling.rolling
    numbers = resampling_numbers(0, each, rolling=True)
    for i, member in enumerate(each):
        own = {name: array[i] for name, array in numbers.items()}
        teach, judge = rows_of_fold(rolling, member.fold or 0, member.repeat)
        np.testing.assert_array_equal(held_out(np, rolling.folds, own), ~teach)
        np.testing.assert_array_equal(held_out(np, rolling.validation_folds, own), judge)
        assert TIMES[teach].max() + 2 < TIMES[judge].min()
    assert not rows_of_fold(rolling, 0)[1][TIMES < ROWS // 4].any()


def test_each_part_is_dealt_to_both_halves(rolling: Problem) -> None:
    part = ROLLED.part
    assert np.bincount(2 * part[part >= 0] + rolling.validation_half[part >= 0]).tolist() == [6] * 6
    rows = np.zeros((6, 1)), np.zeros((6, 1)), None
    one = np.asarray([[-1, -1, 0, 0, 1, -1]]).T
    both = {"folds": one, "validation_folds": np.where(one == [[0, 1]], [[0, 1]], -1)}
    with pytest.raises(DataError, match="each of the 2 folds needs at least two rows"):
        make_problem(Task.REGRESSION, choose_loss(Task.REGRESSION, 0, None), rows, rows, **both)


@pytest.mark.slow
@pytest.mark.parametrize("engine", ENGINES)
def test_a_member_is_judged_on_its_part_and_equals_itself_alone(
    rolling: Problem, each: list[Member], engine: Callable[[], Engine], assert_equal: Any
) -> None:
    trained = train(rolling, each, engine()).members
    for member in trained:
        _, judge = rows_of_fold(rolling, member.member.fold or 0)
        output = member.network.predict(member.parameters, rolling.x[judge]).astype(np.float64)
        squares, weights = (rolling.y[judge] - output)[:, 0] ** 2, rolling.weights[judge, 0].astype(np.float64)
        at, half = member.best_epoch - 1, rolling.validation_half[judge]
        np.testing.assert_allclose(member.validation_loss[at], np.average(squares, weights=weights), rtol=1e-5)
        halves = [np.average(squares[half == k], weights=weights[half == k]) for k in (0, 1)]
        np.testing.assert_allclose(member.half_losses[at], halves, rtol=1e-5)
    rounding = {} if engine is NativeEngine else {"rtol": 1e-5, "atol": 2e-6}
    for place in (1, 5, 9):
        (alone,) = train(rolling, [each[place]], engine()).members
        assert_equal(alone, trained[place], **rounding)
    # repeats of a fold differ in their initial weights only
    a, b = trained[1], trained[1 + FOLDS]
    assert (a.member.fold, b.member.fold, b.member.repeat) == (1, 1, 1)
    assert (a.parameters[0]["kernel"] != b.parameters[0]["kernel"]).any()


@pytest.mark.slow
@pytest.mark.skipif(best_kernel() is None, reason="no kernel")
def test_both_engines_agree(rolling: Problem, each: list[Member]) -> None:
    redrawn = np.full((ROWS, 1), 0.1, np.float32)
    task = replace(rolling, y_err=redrawn, validation_y_err=redrawn)
    members = [replace(member, replica=member.id % 2 == 1) for member in each]
    ours, theirs = (train(task, members, engine()).members for engine in (NativeEngine, XlaEngine))
    for a, b in zip(ours, theirs, strict=True):
        for name in ("train_loss", "validation_loss", "half_losses", "validation_metric"):
            np.testing.assert_allclose(getattr(a, name), getattr(b, name), rtol=2e-4, atol=1e-5, err_msg=name)


@pytest.mark.slow
@pytest.mark.parametrize("engine", ENGINES)
def test_what_comes_later_has_no_influence(rolling: Problem, each: list[Member], engine: Callable[[], Engine]) -> None:
    # one epoch: which epoch is best is the only thing that the rows of its part may tell a network
    brief = Hyperparameters(**{**SMALL, "epochs": 1})
    members = [replace(member, hyperparameters=brief) for member in each[:FOLDS]]
    before = train(rolling, members, engine()).members
    for fold in range(FOLDS):
        first = TIMES[rows_of_fold(rolling, fold)[1]].min()
        late = (first <= TIMES + 2)[:, None]
        spoiled = {"x": np.where(late, 9.0 - rolling.x, rolling.x), "y": np.where(late, -50.0, rolling.y)}
        later = replace(rolling, **spoiled, validation_x=spoiled["x"], validation_y=spoiled["y"])
        after = train(later, members, engine()).members
        for a, b in zip(before, after, strict=True):
            same = np.array_equal(a.parameters[0]["kernel"], b.parameters[0]["kernel"])
            assert same == (a.member.fold <= fold)
            assert a.train_loss[0] == b.train_loss[0] or not same


def test_the_last_fold_answers_and_the_others_tell_how_well(rolling: Problem, each: list[Member]) -> None:
    assert [answers(rolling, member) for member in each[:4]] == [False, False, True, False]
    assert all(answers(replace(rolling, folds=None, validation_folds=None), member) for member in each)
    network = Network.parse("3 1")
    kept = [TrainedMember(m, network, [], Status.FINISHED, 1, np.zeros((5, 0))) for m in each]
    found = OutOfFold.of(rolling, kept)
    assert found is not None
    np.testing.assert_array_equal(found.known, TIMES + 2 < 36)
    assert found.judged.shape == (len(each), 36)
    assert (found.judged.sum(axis=0) == 2 * REPEATS).all()
    assert found.judged_last is not None
    assert found.judged_last.sum() == 12
    assert found.taught_last.all()
    np.testing.assert_array_equal(found.learned[0], TIMES[found.known] + 2 < 12)
    assert OutOfFold.of(replace(rolling, folds=None, validation_folds=None), kept) is None
