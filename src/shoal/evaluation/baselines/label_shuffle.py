"""The label-shuffle baseline: what the best candidate learns where there is nothing to learn.

Targets and their weights are shuffled against the features, in the training and the validation rows alike, and the best
candidate is trained on them. One half of the validation rows stops it; on the other its score must be that of guessing,
and if it is better by more than three standard errors, something leaks. How well it knows its training rows tells how
much such a network can learn by heart. To cost little, at most 5,000 rows of each part and 60 epochs are used.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from shoal.prediction.predictor import to_probabilities
from shoal.results import Interval, Task
from shoal.statistics.bootstrap import with_intervals
from shoal.streams import Stream
from shoal.training.engines.base import Engine
from shoal.training.forward import predict
from shoal.training.member import Member
from shoal.training.problem import Problem
from shoal.training.resampling import rows_of_fold
from shoal.training.trainer import train

SHUFFLE = 21  # the path of the streams that shuffle targets
ROWS, EPOCHS = 5_000, 60


Judging = tuple[Any, np.ndarray, np.ndarray]
"""Features, targets and weights of rows that judge."""


@dataclass(frozen=True)
class Shuffled:
    """How the best candidate did on shuffled targets.

    `validation` and `train` are its ROC areas with their intervals, `rows` how many rows of each lie behind them, and
    `epochs` how long it trained.
    """

    validation: Interval
    train: Interval
    rows: tuple[int, int]
    epochs: int

    @property
    def suspicious(self) -> bool:
        """Whether validation rows with shuffled targets are told apart better than by chance."""
        error = (self.validation.value - self.validation.low) / 1.96
        return self.validation.value - 0.5 > 3.0 * error


def shuffled_problem(problem: Problem, fold: int | None, repeat: int) -> tuple[Problem, Judging]:
    """Return the problem with targets and weights shuffled, in few rows and without folds, and rows that judge.

    Args:
        problem: of the run, two classes.
        fold: the fold that stands for the validation rows, where there are folds.
        repeat: in which repeat.
    """
    train, validation = np.arange(len(problem.y)), np.arange(len(problem.validation_y))
    if problem.folds is not None and fold is not None:
        train, validation = map(np.flatnonzero, rows_of_fold(problem, fold, repeat))
    parts = []
    for number, (rows, y, weights) in enumerate(
        ((train, problem.y, problem.weights), (validation, problem.validation_y, problem.validation_weights))
    ):
        chosen = np.sort(rows[Stream(problem.seed, SHUFFLE, number).permutation(len(rows))[:ROWS]])
        shuffled = chosen[Stream(problem.seed, SHUFFLE, number, 1).permutation(len(chosen))]
        parts.append((chosen, y[shuffled], weights[shuffled]))
    (rows, y, weights), (others, other_y, other_weights) = parts
    x = problem.validation_x[others]
    stopping = replace(
        problem,
        x=problem.x[rows],
        y=y,
        weights=weights,
        validation_x=x[::2],
        validation_y=other_y[::2],
        validation_weights=other_weights[::2],
        validation_half=np.arange(len(x[::2])) % 2,
        folds=None,
        validation_folds=None,
        y_err=None,
    )
    return stopping, (x[1::2], other_y[1::2], other_weights[1::2])


def train_shuffled(problem: Problem, member: Member, engine: Engine) -> Shuffled | None:
    """Train a candidate on shuffled targets and return its scores; None where it diverged.

    Args:
        problem: of the run: a table with two classes.
        member: one of the best candidate.
        engine: what trains.
    """
    shuffled, judging = shuffled_problem(problem, member.fold, member.repeat)
    if len(shuffled.validation_y) < 2:
        return None
    changed = {"epochs": min(member.hyperparameters.epochs, EPOCHS)}
    candidate = member.hyperparameters.model_copy(update=changed)
    alone = Member(member.id, candidate)
    (trained,) = train(shuffled, [alone], engine).members
    if not np.isfinite(trained.score):
        return None

    def area(x: Any, y: np.ndarray, weights: np.ndarray) -> Interval:
        guess = to_probabilities(predict(trained.network, trained.parameters, x).astype(np.float64))
        truth = (y[:, 0] if y.shape[1] == 1 else y.argmax(axis=1)).astype(np.int64)
        drawing: dict[str, Any] = {"seed": problem.seed, "resamples": 500, "only": ("roc_auc",)}
        return with_intervals(Task.CLASSIFICATION, truth, guess, weights=weights[:, 0], **drawing)["roc_auc"]

    return Shuffled(
        validation=area(*judging),
        train=area(shuffled.x, shuffled.y, shuffled.weights),
        rows=(len(shuffled.y), len(judging[1])),
        epochs=len(trained.train_loss),
    )
