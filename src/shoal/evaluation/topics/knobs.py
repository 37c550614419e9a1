"""The hyperparameters of which the user named alternatives or limits: score against value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from shoal.evaluation.evaluation import Evaluation
from shoal.evaluation.record import Record
from shoal.evaluation.scoring import block_of
from shoal.evaluation.topics.base import Topic
from shoal.evaluation.topics.candidates import Candidates
from shoal.evaluation.validation_losses import row_losses, validating_rows
from shoal.search.results.knob import Judged, Rows, error_of, worse_than_best
from shoal.training.member import TrainedMember
from shoal.training.problem import Problem

MOST_ROWS = 1_000  # of which the scatter from row to row is known well enough


@dataclass(frozen=True)
class TriedValue:
    """A value of a hyperparameter, with the candidate that had it.

    Attributes:
        value: as plain data.
        candidate: its number.
        score: mean over its networks; infinite where one of them diverged.
        error: its standard error, of seeds, folds and validation rows; NaN where a network diverged.
        worse: than the best value by more than chance.
    """

    value: Any
    candidate: int
    score: float
    error: float
    worse: bool = False


@dataclass(frozen=True)
class TriedKnob:
    """A hyperparameter and its values.

    Attributes:
        name: of the hyperparameter.
        tried: a value for each candidate; of one that moved alone the base is the first.
        alone: whether nothing else differs between them.
    """

    name: str
    tried: tuple[TriedValue, ...]
    alone: bool


@dataclass(frozen=True)
class Knobs:
    """All hyperparameters that the user named, and how many networks a candidate has."""

    knobs: tuple[TriedKnob, ...]
    networks_each: int
    folds: bool = False


def measure(evaluation: Evaluation) -> Knobs | None:
    """Return the named hyperparameters with their scores; None where none is named, or none has two values."""
    fitted, candidates = evaluation.fitted, evaluation[Candidates]
    named = fitted.space.named
    if not named or fitted.problem is None:
        return None
    rows = _rows(evaluation, fitted.problem)
    judged = {row.id: _judged(fitted.problem, _of(fitted.members, row.id), *rows) for row in _sound(candidates)}
    knobs = [_knob(name, candidates, judged, rows[1]) for name in named]
    knobs = [knob for knob in knobs if len({repr(tried.value) for tried in knob.tried}) > 1]
    return Knobs(tuple(knobs), candidates.networks_each, fitted.problem.folds is not None) if knobs else None


def _sound(candidates: Candidates) -> list[Any]:
    return [row for row in candidates.ranked if np.isfinite(row.score)]


def _of(members: Sequence[TrainedMember], candidate: int) -> list[TrainedMember]:
    return [trained for trained in members if trained.member.candidate == candidate]


def _knob(name: str, candidates: Candidates, judged: dict[int, Judged], rows: Rows) -> TriedKnob:
    ordered = sorted(candidates.ranked, key=lambda row: row.id)
    base = ordered[0].candidate
    moved = [row for row in ordered if row.candidate[name] != base[name]]
    followers = {name: base[name], "bottleneck": base.get("bottleneck")}  # layers have their bottleneck
    alone = all({**row.candidate, **followers} == {**base, **followers} for row in moved)
    shown = [ordered[0], *moved] if alone else ordered
    tried = []
    for row in shown:
        error = error_of(judged[row.id], rows) if row.id in judged else float("nan")
        tried.append(TriedValue(row.candidate[name], row.id, row.score, error))
    known = [value for value in tried if value.candidate in judged]
    if alone and len(known) > 1:
        worse = worse_than_best([judged[value.candidate] for value in known], rows)
        called = {value.candidate for value, is_worse in zip(known, worse, strict=True) if is_worse}
        tried = [replace(value, worse=value.candidate in called) for value in tried]
    return TriedKnob(name, tuple(tried), alone)


def _rows(evaluation: Evaluation, problem: Problem) -> tuple[np.ndarray, Rows]:
    """Return the validation rows that are looked at, at most about a thousand, with what belongs together."""
    fitted, count = evaluation.fitted, len(problem.validation_y)
    split, groups = fitted.split, fitted.dataset.groups()
    block = block_of(fitted.predictor.preparation, count)
    clusters = np.arange(count) // block
    if groups is not None:
        of_rows = groups[split.validation if problem.folds is None else split.train]
        clusters = np.unique(of_rows, return_inverse=True)[1].ravel()
    taken = np.flatnonzero(clusters % -(-count // MOST_ROWS) == 0)
    weights = problem.validation_weights[taken].reshape(len(taken), -1).mean(axis=1).astype(np.float64)
    return taken, Rows(weights, np.unique(clusters[taken], return_inverse=True)[1].ravel(), len(taken) / count)


def _judged(problem: Problem, members: list[TrainedMember], taken: np.ndarray, rows: Rows) -> Judged:
    """Return how a candidate's networks did on the rows."""
    total, times, within = np.zeros(len(taken)), np.zeros(len(taken)), []
    for trained in members:
        judging = validating_rows(problem, trained)[taken]
        losses, weights = row_losses(problem, trained, taken[judging])
        if problem.loss.root:  # the score is the root of the mean: its slope there
            losses = losses / (2.0 * np.sqrt(np.average(losses, weights=weights)) + 1e-300)
        total[judging] += losses
        times[judging] += 1
        of_network = Rows(rows.weights[judging], np.unique(rows.clusters[judging], return_inverse=True)[1], rows.share)
        within.append(0.0 if problem.folds is None else of_network.variance(losses)[0])
    scores = np.asarray([trained.score for trained in members])
    mean = total / np.maximum(times, 1)
    seen = times > 0
    mean[~seen] = np.average(mean[seen], weights=rows.weights[seen])  # rolling folds judge no row before the first
    return Judged(scores, mean, np.nan_to_num(np.asarray(within)))


def numbers(record: Record) -> dict[str, Any]:
    """Return value, score and error of each named hyperparameter."""
    return {"search": {"knobs": {knob.name: _told(knob) for knob in record[Knobs].knobs}}}


def _told(knob: TriedKnob) -> dict[str, Any]:
    tried = [
        {
            "value": each.value,
            "candidate": each.candidate,
            "score": each.score,
            "standard_error": each.error,
            "worse_than_best": each.worse if knob.alone else None,
        }
        for each in knob.tried
    ]
    return {"alone": knob.alone, "tried": tried}


TOPIC = Topic(31, Knobs, measure, numbers, absent={"search": {"knobs": None}}, opens_test_rows=False)
