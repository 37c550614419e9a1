"""Every replica that was trained: which network it repeats, on which draw of the target errors, and how it stands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from shoal.evaluation.evaluation import Evaluation
from shoal.evaluation.log_tables import REPLICA_COLUMNS
from shoal.evaluation.record import Record
from shoal.evaluation.topics.base import LogTable, Topic
from shoal.evaluation.topics.candidates import losses_at_best
from shoal.results import Status
from shoal.training.member import TrainedMember


@dataclass(frozen=True)
class ReplicaRow:
    """One replica: the network that it repeats, the draw of the targets that it learned from, and how it stands.

    `kept` says whether its answers count: it was trained to its end and learned what its network had. Its losses
    are those at its best epoch, on targets that were redrawn.
    """

    id: int
    network: int
    draw: int
    status: Status
    epochs: int
    best_epoch: int
    train_loss: float
    validation_loss: float
    kept: bool


@dataclass(frozen=True)
class Replicas:
    """All replicas that were trained, kept ones and failed ones; of most runs none."""

    rows: tuple[ReplicaRow, ...] = ()


def measure(evaluation: Evaluation) -> Replicas:
    """Return one row for each replica; those of the predictor are kept."""
    kept = {replica.id for replica in evaluation.fitted.predictor.replicas}
    return Replicas(tuple(_row(replica, replica.member.id in kept) for replica in evaluation.fitted.replicas))


def _row(replica: TrainedMember, kept: bool) -> ReplicaRow:
    member, (train, validation, _) = replica.member, losses_at_best(replica)
    return ReplicaRow(
        id=member.id,
        network=member.origin,
        draw=member.draw,
        status=replica.status,
        epochs=len(replica.train_loss),
        best_epoch=replica.best_epoch,
        train_loss=train,
        validation_loss=validation,
        kept=kept,
    )


def tables(record: Record) -> Iterator[LogTable]:
    """Give the replicas, a row each."""
    yield LogTable("replicas", REPLICA_COLUMNS, _rows(record[Replicas]))


def _rows(replicas: Replicas) -> Iterator[tuple[Any, ...]]:
    for r in sorted(replicas.rows, key=lambda r: r.id):
        losses = float(r.train_loss), float(r.validation_loss)
        yield (int(r.id), int(r.network), int(r.draw), r.status.code, r.epochs, int(r.best_epoch), *losses, int(r.kept))


TOPIC = Topic(35, Replicas, measure, tables=tables, opens_test_rows=False, of_any_run=True)
