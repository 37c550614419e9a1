"""Replicas: the ensemble trained anew on its answers redrawn within the errors, and how far it then lands from them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np

from shoal.results import Status
from shoal.training.resampling import correlated_noise

if TYPE_CHECKING:
    from shoal.data import Dataset, Split
    from shoal.prediction.ensemble import EnsembleMember
    from shoal.training.member import TrainedMember
    from shoal.training.problem import Problem

FEWEST = 2  # draws, of which a standard deviation can be taken
FAILED_SIGMAS, FAILED_FACTOR = 5.0, 1.25
"""A replica did not learn what its member had if its best validation loss lies so many robust deviations above the
median of the member's replicas, and above so many times the median."""


def with_redrawn_targets(problem: Problem, dataset: Dataset, split: Split, scale: np.ndarray, draws: int) -> Problem:
    """Return the problem that replicas learn: targets redrawn within their errors, in all rows but the test rows.

    Errors of rows that are independent are drawn where they are needed. Those that are correlated are drawn here, for
    all rows together, since a covariance of training and validation rows moves both.

    Args:
        problem: that the kept networks learned.
        dataset: with measured errors.
        split: its rows.
        scale: of the target, by which its errors are divided as well.
        draws: how many.
    """
    validation = split.validation if split.folds is None else split.train  # rolling folds say which of them validate
    if dataset.covariance is not None and dataset.covariance.correlated:
        noise = correlated_noise(problem.seed, draws, dataset.covariance.root(taught_rows(split)) / scale)
        first = len(noise) - len(validation)
        return replace(problem, y_noise=noise[: len(split.train)], validation_y_noise=noise[first:])
    errors = dataset.y_err()
    assert errors is not None
    scaled = np.zeros((len(errors), problem.y.shape[1]), np.float32)  # what is known of errors is not redrawn
    scaled[:, : problem.targets] = errors / scale
    return replace(problem, y_err=scaled[split.train], validation_y_err=scaled[validation])


def taught_rows(split: Split) -> np.ndarray:
    """Return the rows whose targets are redrawn, in the order of their numbers."""
    return split.train if split.folds is not None else np.concatenate([split.train, split.validation])


def sound_replicas(replicas: Sequence[TrainedMember]) -> list[TrainedMember]:
    """Return the replicas that are trained to their end and learned what their member had.

    Training fails now and then by bad luck. A kept network is one that did not fail, and how it might have is no effect
    of the measured errors; one failure among ten replicas would hide that effect. Fits of parton densities leave
    such replicas out as well (NNPDF, JHEP 04, 040, 2015).

    Returns:
        Those of members that have two at least, in the order in which they came.
    """
    losses: dict[int, list[float]] = {}
    ended = [r for r in replicas if r.status not in (Status.RUNNING, Status.DIVERGED) and r.best_epoch > 0]
    for replica in ended:
        losses.setdefault(replica.member.origin, []).append(_best_loss(replica))
    highest = {origin: _highest(np.asarray(each)) for origin, each in losses.items()}
    sound = [r for r in ended if _best_loss(r) <= highest[r.member.origin]]
    count = np.bincount([r.member.origin for r in sound], minlength=1)
    return [r for r in sound if count[r.member.origin] >= FEWEST]


def _best_loss(replica: TrainedMember) -> float:
    return float(replica.validation_loss[replica.best_epoch - 1])


def _highest(losses: np.ndarray) -> float:
    median = float(np.median(losses))
    deviation = 1.4826 * float(np.median(np.abs(losses - median)))
    return max(median + FAILED_SIGMAS * deviation, FAILED_FACTOR * median)


def data_spread(
    replicas: Sequence[EnsembleMember], answer: Callable[[EnsembleMember], np.ndarray], fit: np.ndarray | None = None
) -> np.ndarray:
    """Return how far the ensemble lands from itself when its own answers are measured anew.

    The replicas of one draw are the ensemble as another measurement of the same rows would have made it. The root mean
    square of their distance from the fit about which targets were redrawn is the error that the measured errors leave
    on the ensemble's answer, carried through training as a whole: standard deviation over the draws and bias together.
    For the deviation each answer is taken as its difference from the mean over the replicas of the same member, so that
    a replica that is missing shifts nothing.

    The targets of the rows that stop a network are redrawn like those that train it: left as they are, they would hold
    the replicas together, and the spread of a linear fit came out at 0.6 of its true error. But all draws share one
    split into both. A split of its own for each, as some fits have it, would add how much the answer changes with the
    choice of rows: with a share p of them in training, the variance of a linear fit becomes 2 / p - 1 times too large.

    Args:
        replicas: two at least of each member.
        answer: what one of them says of all rows, `(rows, targets)`.
        fit: what the ensemble says, `(rows, targets)`; None: the deviation alone.
    """
    spread = _Spread()
    for _, of_draw in groupby(sorted(replicas, key=_draw), key=_draw):
        spread.add({replica.origin: answer(replica) for replica in of_draw})
    return spread.result(fit)


def _draw(replica: EnsembleMember) -> int:
    return replica.draw or 0


class _Spread:
    """Sums over draws, from which `data_spread` follows whatever their number: no draw's answers are kept.

    With `b` the mean answer of a draw and `c` the mean over its members of each member's mean over all draws, the
    ensemble moved by `b - c`. `c` is known at the end only, but is the same for draws that lack the same members; so of
    those their number, `sum b` and `sum b²` are kept. Answers count from the first of their member, so that these are
    as small as the moves.
    """

    def __init__(self) -> None:
        self.firsts: dict[int | None, np.ndarray] = {}
        self.of_members: dict[int | None, tuple[int, np.ndarray]] = {}
        self.of_draws: dict[frozenset[int | None], tuple[int, np.ndarray, np.ndarray]] = {}

    def add(self, answers: dict[int | None, np.ndarray]) -> None:
        """Take the answers of a draw's replicas, by the members that they repeat."""
        self.firsts = answers | self.firsts
        answers = {origin: values - self.firsts[origin] for origin, values in answers.items()}
        for origin, values in answers.items():
            count, total = self.of_members.get(origin, (0, np.zeros_like(values)))
            self.of_members[origin] = count + 1, total + values
        mean, who = np.mean(list(answers.values()), axis=0), frozenset(answers)
        count, total, squares = self.of_draws.get(who, (0, np.zeros_like(mean), np.zeros_like(mean)))
        self.of_draws[who] = count + 1, total + mean, squares + np.square(mean)

    def result(self, fit: np.ndarray | None) -> np.ndarray:
        """Return the root mean square of the moves about `fit`, or their standard deviation."""
        means = {origin: total / count for origin, (count, total) in self.of_members.items()}
        shift = 0.0 if fit is None else np.mean([means[origin] + self.firsts[origin] for origin in means], axis=0) - fit
        draws, moved, squared = 0, 0.0, 0.0
        for who, (count, total, squares) in self.of_draws.items():
            from_here = shift - np.mean([means[origin] for origin in who], axis=0)
            draws += count
            moved = moved + total + count * from_here
            squared = squared + squares + 2.0 * from_here * total + count * np.square(from_here)
        if fit is None:
            return np.asarray(np.sqrt(np.maximum(squared - np.square(moved) / draws, 0.0) / (draws - 1)))
        return np.asarray(np.sqrt(np.maximum(squared, 0.0) / draws))


def moves(
    replicas: Sequence[EnsembleMember], answer: Callable[[EnsembleMember], np.ndarray]
) -> tuple[np.ndarray, list[np.ndarray]]:
    """Return the draws of the target errors `(draws,)`, and how far the ensemble's answers move with each."""
    answers = [answer(replica) for replica in replicas]
    origins = np.asarray([replica.origin for replica in replicas])
    draws = np.asarray([replica.draw for replica in replicas])
    for origin in np.unique(origins):
        places = np.flatnonzero(origins == origin)
        mean = np.mean([answers[i] for i in places], axis=0)
        for i in places:
            answers[i] = answers[i] - mean
    drawn = np.unique(draws)
    return drawn, [np.mean([answers[i] for i in np.flatnonzero(draws == draw)], axis=0) for draw in drawn]
