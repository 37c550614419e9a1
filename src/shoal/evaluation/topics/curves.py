"""The learning curves of every network."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from shoal.evaluation.evaluation import Evaluation
from shoal.evaluation.log_tables import CURVE_COLUMNS
from shoal.evaluation.record import Record
from shoal.evaluation.topics.base import LogTable, Topic
from shoal.evaluation.topics.candidates import Candidates
from shoal.results import Task


@dataclass(frozen=True)
class Curves:
    """Learning curves, each `(networks, epochs)` and NaN after a network stopped.

    `metric_name` is `accuracy` (`mean_accuracy` of several targets) or `rmse` (in units of the normalised target).
    """

    train_loss: np.ndarray
    validation_loss: np.ndarray
    validation_metric: np.ndarray
    metric_name: str


def measure(evaluation: Evaluation) -> Curves:
    """Return all learning curves as arrays, NaN behind the end of each."""
    members = evaluation.fitted.members
    epochs = max(len(member.train_loss) for member in members)

    def padded(name: str) -> np.ndarray:
        table = np.full((len(members), epochs), np.nan, np.float32)
        for i, member in enumerate(members):
            curve = getattr(member, name)
            table[i, : len(curve)] = curve
        return table

    dataset = evaluation.fitted.dataset
    metric = "accuracy" if evaluation.task is Task.CLASSIFICATION else "rmse"
    metric = "mean_accuracy" if dataset.classes_by_target or dataset.beside else metric
    return Curves(padded("train_loss"), padded("validation_loss"), padded("validation_metric"), metric)


def tables(record: Record) -> Iterator[LogTable]:
    """Give one row for each network and epoch, up to the epoch at which it stopped."""
    yield LogTable("curves", CURVE_COLUMNS, _rows(record), key="network, epoch")


def _rows(record: Record) -> Iterator[tuple[Any, ...]]:
    curves, networks = record[Curves], record[Candidates].networks
    each = curves.train_loss, curves.validation_loss, curves.validation_metric
    for place in np.argsort([n.id for n in networks], kind="stable"):
        # An epoch in which nothing at all was measured lies after the network stopped.
        values = np.stack([table[place] for table in each], axis=-1)
        epochs = np.flatnonzero(~np.isnan(values).all(axis=-1))
        measured = values[epochs].astype(np.float64).tolist()
        network = int(networks[place].id)
        for epoch, (train, validation, metric) in zip((epochs + 1).tolist(), measured, strict=True):
            yield network, epoch, train, validation, metric


TOPIC = Topic(40, Curves, measure, tables=tables, opens_test_rows=False, of_any_run=True)
