"""Small finished runs for the tests of this room."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from shoal.evaluation.record import Provenance, Record
from shoal.evaluation.topics.baselines import BaselineScores, Outcome
from shoal.evaluation.topics.candidates import Candidates, NetworkRow
from shoal.evaluation.topics.curves import Curves
from shoal.evaluation.topics.data import ColumnRow, DataRecord
from shoal.evaluation.topics.overfitting import Overfitting
from shoal.evaluation.topics.predictions import PredictedTestRows
from shoal.evaluation.topics.replicas import Replicas
from shoal.evaluation.topics.scores import PartScores
from shoal.evaluation.topics.split import SplitRecord
from shoal.evaluation.topics.verdict import Verdict
from shoal.results import Interval, Status, Task
from shoal.search.results.importance import HyperparameterImportance


class RecordMaker:
    """Makes records of any size; `changes` replace fields of their provenance."""

    def __call__(self, networks: int = 6, epochs: int = 5, **changes: Any) -> Record:
        provenance = Provenance(
            settings={"seed": 3, "out": "somewhere", "minutes": None},
            command="shoal fit pond.csv",
            seed=3,
            seconds={"train": 1.23456, "total": 2.0, "compile": 0.5, "report": 0.25},
            versions={"numpy": "2", "jax": "0"},
        )
        test = {
            "accuracy": Interval(0.75, 0.5, 1.0),
            "log_loss": Interval(0.3, 0.1, 0.5),
            "roc_auc": Interval(float("nan"), float("nan"), float("nan")),
        }
        train, validation = Interval(1.0, 1.0, 1.0, "wilson"), Interval(0.9, 0.8, 1.0)
        scores = {"train": {"accuracy": train}, "validation": {"accuracy": validation}, "test": test}
        baselines = ("most_frequent", "logistic_regression", "gradient_boosting")
        mattered = (
            HyperparameterImportance("learning_rate", 0.6, " near 0.01 was best."),
            HyperparameterImportance("l2", 0.1, " hardly mattered."),
        )
        space = (("learning_rate", "1e-4 to 1e-1, logarithmic"),)
        return Record(dataclasses.replace(provenance, **changes)).having(
            _data(),
            SplitRecord({"train": 12, "validation": 4, "test": 4}, "stratified by class"),
            Candidates(tuple(_network(i, epochs) for i in range(networks)), 1, mattered, space),
            _curves(networks, epochs),
            PartScores(scores),
            BaselineScores(
                {name: {"accuracy": Interval(0.5, 0.2, 0.8)} for name in baselines}, Outcome.BETTER, "It is better."
            ),
            Overfitting("mild", "It overfits a little.", "Use more rows.", Interval(0.1, 0.0, 0.2)),
            Verdict("All well.", "All well."),
            PredictedTestRows(
                truth=np.array([0, 1, 1, 0]),
                probabilities=np.array([[0.9, 0.1], [0.2, 0.8], [0.7, 0.3], [0.6, 0.4]]),
            ),
            Replicas(),
        )


def _data() -> DataRecord:
    return DataRecord(
        name="pond",
        source="pond.csv",
        sha256="ab" * 32,
        task=Task.CLASSIFICATION,
        task_name="binary classification",
        targets=("species",),
        classes=("carp", "pike"),
        feature_names=("length (cm)", "Größe"),
        columns=(ColumnRow("length (cm)", "number", "feature", 0, 4, "1", "2"),),
        notes=("One row had no target and was dropped.",),
        normalization="standard",
    )


def _network(i: int, epochs: int) -> NetworkRow:
    return NetworkRow(
        id=i,
        candidate={
            "hidden": (8, i + 1),
            "activation": "relu",
            "learning_rate": np.float32(0.5),
            "dropout": 0.0,
        },
        status=Status.DIVERGED if i == 1 else Status.STOPPED_EARLY,
        parameters=30 + i,
        epochs=epochs,
        best_epoch=max(epochs - 1, 1),
        train_loss=float("nan") if i == 1 else 0.5,
        validation_loss=0.6,
        validation_metric=0.7,
        score=1.0 / (i + 1),
        kept=i in (0, 2),
    )


def _curves(networks: int, epochs: int) -> Curves:
    loss = 1.0 / np.arange(1, epochs + 1) + np.arange(networks)[:, None]
    loss = loss.astype(np.float32)
    if networks > 2 and epochs > 2:
        loss[2, 2:] = np.nan  # network 2 stopped after two epochs
    return Curves(loss, loss + np.float32(0.5), loss / 10, "accuracy")


@pytest.fixture
def make_record() -> RecordMaker:
    return RecordMaker()
