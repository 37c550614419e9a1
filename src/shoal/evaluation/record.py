"""Everything a finished run has to say, as plain data: the page, `metrics.json` and the log read only this."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from shoal.results import Interval, Task

Scores = dict[str, Interval]


@dataclass(frozen=True)
class ColumnRow:
    """One line of the table of columns."""

    name: str
    kind: str
    role: str
    missing: int
    distinct: int
    low: str
    high: str
    reason: str = ""


@dataclass(frozen=True)
class DataRecord:
    """What was read, and what was done to it before training."""

    name: str
    source: str
    sha256: str
    task: Task
    task_name: str
    targets: tuple[str, ...]
    classes: tuple[str, ...]
    feature_names: tuple[str, ...]
    columns: tuple[ColumnRow, ...]
    notes: tuple[str, ...]
    warnings: tuple[str, ...]
    rows: dict[str, int]
    split: str
    normalization: str


@dataclass(frozen=True)
class NetworkRow:
    """One member of the shoal: its candidate, how it stands, and its scores.

    `candidate` holds every hyperparameter by name, e.g. `{"hidden": [32, 16], "activation": "relu",
    "learning_rate": 1e-3, "l2": 1e-4, "dropout": 0.0, "batch_size": 32, "optimizer": "adam", ...}`.
    `score` is the cross-fitted validation loss by which members are chosen (lower is better).
    """

    id: int
    candidate: dict[str, Any]
    status: str
    parameters: int
    epochs: int
    best_epoch: int
    train_loss: float
    validation_loss: float
    validation_metric: float
    score: float
    kept: bool


@dataclass(frozen=True)
class Curves:
    """Learning curves, each `(networks, epochs)` and NaN after a network stopped.

    `metric_name` is `accuracy` or `rmse` (in units of the normalised target).
    """

    train_loss: np.ndarray
    validation_loss: np.ndarray
    validation_metric: np.ndarray
    metric_name: str


@dataclass(frozen=True)
class TestRows:
    """The test rows with their predictions, for the figures.

    Classification: `truth` (rows,) class numbers, `probabilities` (rows, classes).
    Regression: `truth`, `mean`, `std`, `low`, `high` (rows, targets) in the target's units;
    `coverage` is the share of test values inside their 95 % interval.
    """

    truth: np.ndarray
    weights: np.ndarray | None = None
    probabilities: np.ndarray | None = None
    mean: np.ndarray | None = None
    std: np.ndarray | None = None
    low: np.ndarray | None = None
    high: np.ndarray | None = None
    coverage: Interval | None = None


@dataclass(frozen=True)
class Verdict:
    """The conclusions in plain sentences; `text` is what the page opens with."""

    overfitting: str
    overfitting_text: str
    overfitting_advice: str
    beats_baselines: bool
    baselines_text: str
    text: str


@dataclass(frozen=True)
class Record:
    """A finished run.

    `scores` maps `train`, `validation` and `test` to metric name to interval; `baselines` maps a
    baseline's name to its test scores. `hyperparameters` lists (name, share of the score's variance, sentence),
    most important first. `best_network` and `best_parameters` are those of the best kept member.
    """

    data: DataRecord
    networks: tuple[NetworkRow, ...]
    curves: Curves
    scores: dict[str, Scores]
    baselines: dict[str, Scores]
    verdict: Verdict
    hyperparameters: tuple[tuple[str, float, str], ...]
    test_rows: TestRows
    best_network: Any
    best_parameters: list[dict[str, np.ndarray]]
    settings: dict[str, Any]
    command: str
    seed: int
    seconds: dict[str, float]
    versions: dict[str, str] = field(default_factory=dict)
    test_openings: int = 1
    search_space: tuple[tuple[str, str], ...] = ()

    @property
    def kept(self) -> tuple[NetworkRow, ...]:
        """The members of the ensemble, best first."""
        return tuple(sorted((n for n in self.networks if n.kept), key=lambda n: (n.score, n.id)))
