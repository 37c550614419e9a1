"""What the record says of the data, of every network that was trained, and of their curves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from shoal.data import Dataset, Split, describe
from shoal.evaluation.record import (
    ColumnRow,
    Curves,
    DataRecord,
    NetworkRow,
    ReplicaRow,
)
from shoal.networks.bottleneck import code_size
from shoal.prediction.predictor import Predictor
from shoal.results import Task
from shoal.training.member import TrainedMember


def describe_data(dataset: Dataset, split: Split, predictor: Predictor, normalization: str) -> DataRecord:
    """Return what the page says of the data."""
    description = describe(dataset, split)
    preparation = predictor.preparation
    return DataRecord(
        name=dataset.name,
        source=dataset.source,
        sha256=dataset.sha256,
        task=dataset.task,
        task_name=dataset.task_name,
        targets=dataset.targets,
        classes=dataset.classes,
        feature_names=preparation.feature_names,
        columns=tuple(_column_row(column) for column in description.columns),
        notes=(*description.notes, *preparation.notes),
        warnings=description.warnings,
        rows=split.sizes,
        split=split.how,
        normalization=normalization,
        units=dict(dataset.units),
    )


def _column_row(column: Any) -> ColumnRow:
    from shoal.data.describe import shown

    return ColumnRow(
        column.name,
        str(column.kind),
        column.role,
        column.missing,
        column.distinct,
        shown(column.low),
        shown(column.high),
        column.reason,
    )


def describe_networks(members: Sequence[TrainedMember], kept: Sequence[int]) -> tuple[NetworkRow, ...]:
    """Return one row for each network; `kept` holds positions in `members`."""
    return tuple(_network_row(member, i in kept) for i, member in enumerate(members))


def _network_row(member: TrainedMember, kept: bool) -> NetworkRow:
    at = member.best_epoch - 1
    known = at >= 0
    candidate, size = member.member.hyperparameters.model_dump(mode="json"), code_size(member.network.layers)
    return NetworkRow(
        id=member.member.id,
        candidate=candidate if size is None else {"bottleneck": size, **candidate},
        status=member.status,
        parameters=member.network.parameter_count,
        epochs=len(member.train_loss),
        best_epoch=member.best_epoch,
        train_loss=float(member.train_loss[at]) if known else float("nan"),
        validation_loss=float(member.validation_loss[at]) if known else float("nan"),
        validation_metric=float(member.validation_metric[at]) if known else float("nan"),
        score=member.score,
        kept=kept,
        candidate_id=member.member.candidate,
        fold=member.member.fold,
        repeat=member.member.repeat,
    )


def describe_replicas(replicas: Sequence[TrainedMember], predictor: Predictor) -> tuple[ReplicaRow, ...]:
    """Return one row for each replica that was trained; those of the predictor are kept."""
    kept = {replica.id for replica in predictor.replicas}
    return tuple(_replica_row(replica, replica.member.id in kept) for replica in replicas)


def _replica_row(replica: TrainedMember, kept: bool) -> ReplicaRow:
    at, member = replica.best_epoch - 1, replica.member
    return ReplicaRow(
        id=member.id,
        network=member.origin,
        draw=member.draw,
        status=replica.status,
        epochs=len(replica.train_loss),
        best_epoch=replica.best_epoch,
        train_loss=float(replica.train_loss[at]) if at >= 0 else float("nan"),
        validation_loss=float(replica.validation_loss[at]) if at >= 0 else float("nan"),
        kept=kept,
    )


def gather_curves(members: Sequence[TrainedMember], task: Task) -> Curves:
    """Return all learning curves as arrays, NaN behind the end of each."""
    epochs = max(len(member.train_loss) for member in members)

    def padded(name: str) -> np.ndarray:
        table = np.full((len(members), epochs), np.nan, np.float32)
        for i, member in enumerate(members):
            curve = getattr(member, name)
            table[i, : len(curve)] = curve
        return table

    metric = "accuracy" if task is Task.CLASSIFICATION else "rmse"
    return Curves(padded("train_loss"), padded("validation_loss"), padded("validation_metric"), metric)
