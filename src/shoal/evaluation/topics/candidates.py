"""Every network that was trained, the candidates that they belong to, and what mattered for their scores."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from shoal.evaluation.evaluation import Evaluation
from shoal.evaluation.fitted import Fitted
from shoal.evaluation.log_tables import CANDIDATE_COLUMNS, NETWORK_COLUMNS
from shoal.evaluation.record import Record
from shoal.evaluation.topics.base import LogTable, Topic
from shoal.networks.bottleneck import code_size
from shoal.results import Status
from shoal.search.results.importance import HyperparameterImportance, hyperparameter_importance
from shoal.search.results.ranking import rank_candidates
from shoal.search.strategy import size_of
from shoal.settings import NETWORKS
from shoal.training.member import TrainedMember


@dataclass(frozen=True)
class NetworkRow:
    """One member of the shoal: its candidate, how it stands, and its scores.

    `candidate` holds every hyperparameter by name, e.g. `{"hidden": [32, 16], "activation": "relu",
    "learning_rate": 1e-3, "l2": 1e-4, "dropout": 0.0, "batch_size": 32, "optimizer": "adam", ...}`.
    `score` is the cross-fitted validation loss by which members are chosen (lower is better). `candidate_id` is
    the number of its candidate, by default its own; `fold` is the fold that it did not learn from, if there are
    folds, and `repeat` the repeat in which.
    """

    id: int
    candidate: dict[str, Any]
    status: Status
    parameters: int
    epochs: int
    best_epoch: int
    train_loss: float
    validation_loss: float
    validation_metric: float
    score: float
    kept: bool
    candidate_id: int = -1
    fold: int | None = None
    repeat: int = 0

    def __post_init__(self) -> None:
        if self.candidate_id < 0:
            object.__setattr__(self, "candidate_id", self.id)


@dataclass(frozen=True)
class CandidateRow:
    """One candidate: its hyperparameters, and the mean score of its networks with its standard error.

    `score` is infinite where one of the networks diverged; `error` is NaN where there is one network only.
    """

    id: int
    candidate: dict[str, Any]
    networks: int
    parameters: int
    score: float
    error: float
    kept: bool


@dataclass(frozen=True)
class Candidates:
    """All networks and their candidates.

    Attributes:
        networks: every network that was trained.
        networks_each: how many a candidate has: folds × repeats.
        hyperparameters: how much each mattered for the scores, the most important first.
        space: what candidates were drawn from, as name and range.
        left_out: how many fewer were tried than usual, since they take long.
    """

    networks: tuple[NetworkRow, ...]
    networks_each: int = 1
    hyperparameters: tuple[HyperparameterImportance, ...] = ()
    space: tuple[tuple[str, str], ...] = ()
    left_out: int = 0

    @cached_property
    def ranked(self) -> tuple[CandidateRow, ...]:
        """The candidates, best first."""
        ids, scores = [n.candidate_id for n in self.networks], [n.score for n in self.networks]
        rows = []
        for standing in rank_candidates(ids, scores, self.networks_each):
            first = self.networks[standing.members[0]]
            counts = len(standing.members), first.parameters
            kept = any(self.networks[place].kept for place in standing.members)  # of rolling folds, those of the last
            row = CandidateRow(standing.candidate, first.candidate, *counts, standing.score, standing.error, kept)
            rows.append(row)
        return tuple(rows)

    @property
    def best_of_half(self) -> float:
        """The best score of the first half of the candidates: what twice as many brought."""
        half = len(self.ranked) // 2
        return min((row.score for row in self.ranked if row.id < half), default=float("nan"))

    @property
    def kept(self) -> tuple[NetworkRow, ...]:
        """The members of the ensemble, those of the best candidate first."""
        place = {candidate.id: i for i, candidate in enumerate(self.ranked)}
        return tuple(sorted((n for n in self.networks if n.kept), key=lambda n: (place[n.candidate_id], n.id)))


def measure(evaluation: Evaluation) -> Candidates:
    """Return all networks, and which hyperparameters mattered."""
    fitted = evaluation.fitted
    networks = tuple(network_row(member, i in fitted.kept) for i, member in enumerate(fitted.members))
    each = (fitted.split.folds or 1) * fitted.settings.repeats
    left_out = _left_out(fitted, len({network.candidate_id for network in networks}))
    return Candidates(networks, each, _importance(networks, each), fitted.space.table(), left_out)


def _left_out(fitted: Fitted, tried: int) -> int:
    """Return how many candidates fewer than usual were proposed for a table, where the user named no number."""
    settings = fitted.settings
    named = settings.networks or settings.minutes or size_of(settings.strategy, fitted.space) is not None
    return 0 if named or fitted.dataset.signals is not None else max(0, NETWORKS - tried)


def network_row(member: TrainedMember, kept: bool) -> NetworkRow:
    """Return what there is to say of one network."""
    candidate, size = member.member.hyperparameters.model_dump(mode="json"), code_size(member.network.layers)
    train, validation, metric = losses_at_best(member)
    return NetworkRow(
        id=member.member.id,
        candidate=candidate if size is None else {"bottleneck": size, **candidate},
        status=member.status,
        parameters=member.network.parameter_count,
        epochs=len(member.train_loss),
        best_epoch=member.best_epoch,
        train_loss=train,
        validation_loss=validation,
        validation_metric=metric,
        score=member.score,
        kept=kept,
        candidate_id=member.member.candidate,
        fold=member.member.fold,
        repeat=member.member.repeat,
    )


def losses_at_best(member: TrainedMember) -> tuple[float, float, float]:
    """Return training loss, validation loss and validation metric at the best epoch, NaN where there is none."""
    at, curves = member.best_epoch - 1, (member.train_loss, member.validation_loss, member.validation_metric)
    train, validation, metric = (float(curve[at]) if at >= 0 else float("nan") for curve in curves)
    return train, validation, metric


def _importance(networks: Sequence[NetworkRow], each: int) -> tuple[HyperparameterImportance, ...]:
    ranked = rank_candidates([n.candidate_id for n in networks], [n.score for n in networks], each)
    ranked.sort(key=lambda standing: standing.candidate)
    tried = [networks[standing.members[0]].candidate for standing in ranked]
    return tuple(hyperparameter_importance(tried, np.asarray([standing.score for standing in ranked])))


def numbers(record: Record) -> dict[str, Any]:
    """Return how many networks there are, which are kept, what mattered, and what was searched."""
    candidates = record[Candidates]
    ranked = candidates.ranked
    diverged = [n for n in candidates.networks if n.status is Status.DIVERGED]
    kept = [
        {"candidate": c.id, "networks": c.networks, "score": c.score, "standard_error": c.error}
        for c in ranked
        if c.kept
    ]
    return {
        "networks": {
            "trained": len(candidates.networks),
            "kept": len(candidates.kept),
            "diverged": len(diverged),
            "parameters": [c.parameters for c in ranked if c.kept],
        },
        "hyperparameters": [
            {"name": each.name, "share": each.share, "text": each.text} for each in candidates.hyperparameters
        ],
        "search": {
            "candidates_looked_at": len(ranked),
            "kept": kept,
            "space": dict(candidates.space),
            **_limited(candidates),
        },
    }


def _limited(candidates: Candidates) -> dict[str, Any]:
    """Return how many candidates were left out, and what half of the others would have reached; empty if none were."""
    return {"left_out": candidates.left_out, "best_of_half": candidates.best_of_half} if candidates.left_out else {}


def tables(record: Record) -> Iterator[LogTable]:
    """Give the candidates and the networks, a row each."""
    candidates = record[Candidates]
    yield LogTable("candidates", CANDIDATE_COLUMNS, _candidate_rows(candidates.ranked))
    yield LogTable("networks", NETWORK_COLUMNS, _network_rows(candidates.networks))


def _candidate_rows(candidates: Sequence[CandidateRow]) -> Iterator[tuple[Any, ...]]:
    for c in sorted(candidates, key=lambda c: c.id):
        yield (int(c.id), c.networks, int(c.parameters), float(c.score), float(c.error), int(c.kept), c.candidate)


def _network_rows(networks: Sequence[NetworkRow]) -> Iterator[tuple[Any, ...]]:
    for n in sorted(networks, key=lambda n: n.id):
        losses = (float(n.train_loss), float(n.validation_loss), float(n.validation_metric), float(n.score))
        counts = (int(n.parameters), int(n.epochs), int(n.best_epoch))
        yield (int(n.id), int(n.candidate_id), n.fold, n.repeat, n.status.code, *counts, *losses, int(n.kept))


TOPIC = Topic(30, Candidates, measure, numbers, tables, opens_test_rows=False, of_any_run=True)
