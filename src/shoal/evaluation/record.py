"""Everything a finished run has to say, as plain data: the page, `metrics.json` and the log read only this."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from shoal.codec import stored
from shoal.data.units import labelled, squared
from shoal.evaluation.explanation.importance import ImportanceTable
from shoal.evaluation.overtraining import Overtraining
from shoal.evaluation.predicted_rows import PredictedRows
from shoal.evaluation.pulls.chi_square import MeasuredRecord
from shoal.evaluation.selection import Selection
from shoal.results import Interval, Status, Task
from shoal.search.results.importance import HyperparameterImportance
from shoal.search.results.optimism import Optimism
from shoal.search.results.pareto import ParetoFront, pareto_front
from shoal.search.results.ranking import rank_candidates
from shoal.statistics.metrics import METRICS

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
    units: Mapping[str, str] = field(default_factory=dict)

    def label(self, name: str) -> str:
        """Return the name of a column with its unit, as axes and tables have it: `E [GeV]`."""
        return labelled(name, self.units.get(name))

    def score_unit(self, metric: str) -> str:
        """Return the unit of a score: that of the target or its square, if all targets have the same; else nothing."""
        power = METRICS[metric].power if metric in METRICS else 0
        units = {self.units.get(name) for name in self.targets}
        unit = units.pop() if power and len(units) == 1 else None
        return "" if unit is None else unit if power == 1 else squared(unit)


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
    `coverage` is the share of test values inside their interval, of classes inside their set.
    Where each step of series has a target, rows are all their steps, and `series` holds the number of the test series
    of each.
    """

    truth: np.ndarray
    weights: np.ndarray | None = None
    probabilities: np.ndarray | None = None
    mean: np.ndarray | None = None
    std: np.ndarray | None = None
    low: np.ndarray | None = None
    high: np.ndarray | None = None
    coverage: Interval | None = None
    series: np.ndarray | None = None

    @property
    def unit(self) -> str:
        """What one entry is: a `row`, or a `step` of a series."""
        return "row" if self.series is None else "step"


@dataclass(frozen=True)
class ForecastRows:
    """The last test rows in time of windows that predict the next values, for the figure.

    `rows` are their places among the test rows, `times` numbers that order them, `last` `(rows,)` the last value that
    each window knew: the forecast of persistence. `target` is the number of the target that is shown.
    """

    rows: np.ndarray
    times: np.ndarray
    last: np.ndarray
    target: int = 0


@stored("step_examples")
@dataclass(frozen=True)
class StepExamples:
    """What was true and what was predicted at each step of a few test series, for the figure.

    All are `(few, time)`, NaN where there is no target or no step: class numbers, or values of the first target, with
    `low` and `high` of the interval. `scores` `(few,)` are the shares of right steps, or the RMSE.
    """

    truth: np.ndarray
    said: np.ndarray
    scores: np.ndarray
    low: np.ndarray | None = None
    high: np.ndarray | None = None


@dataclass(frozen=True)
class SignalRecord:
    """A few test images or series, and what the best network makes of them.

    Attributes:
        kind: `images` or `series`.
        channels: their names.
        shape: of one image or series.
        number_type: in which they are stored, e.g. `uint8`.
        rows: `(few,)` places among the test rows; those predicted well first.
        values: `(few, *shape)` as they were read.
        lengths: `(few,)` real steps of each series; None where all are.
        filters: `(filters, *size, channels)` of the first convolution, or None.
        maps: `(layer, (*places, channels))` of each convolution and pooling, for the first of the rows.
        saliency: `(few, *shape)`, how the score of the predicted class hangs on each number; or None.
        states: `(layer, (time, units))` of each recurrent layer, for the first of the rows.
        forecast: the last rows in time, where rows are windows that predict the next values.
        steps: truth and prediction of each step, where steps have targets.
    """

    kind: str
    channels: tuple[str, ...]
    shape: tuple[int, ...]
    number_type: str
    rows: np.ndarray
    values: np.ndarray
    lengths: np.ndarray | None = None
    filters: np.ndarray | None = None
    maps: tuple[tuple[str, np.ndarray], ...] = ()
    saliency: np.ndarray | None = None
    states: tuple[tuple[str, np.ndarray], ...] = ()
    forecast: ForecastRows | None = None
    steps: StepExamples | None = None


@dataclass(frozen=True)
class ReconstructedRows:
    """Some test rows beside their reconstruction.

    `rows` `(few,)` are their places among the test rows; `truth` and `guess` are `(few, columns)` in units of the
    inputs' scatter for tables, `(few, *shape)` in their own units for images and series.
    """

    rows: np.ndarray
    truth: np.ndarray
    guess: np.ndarray


@dataclass(frozen=True)
class ReconstructionRecord:
    """What autoencoders made of the test rows.

    Attributes:
        kind: `table`, `images` or `series`.
        names: of the inputs, or of the channels.
        bottleneck: numbers of a code.
        sizes: each bottleneck that was tried, with the best validation score of its candidates.
        codes: `(rows, bottleneck)`, of the best network.
        plane: `(rows, 2 or 1)`, the codes along the first two principal components of those of the training rows.
        plane_shares: the share of the codes' variance along each.
        label_name, labels: what is known of the rows, text or numbers `(rows,)`; None where nothing is.
        scores: `(rows,)` anomaly scores.
        threshold, false_alarm_rate: the score above which a row is an anomaly, as of so many usual rows.
        alarms: share of the test rows above the threshold.
        usual: rows spread evenly over the scores.
        strangest: the rows with the highest scores, first to last.
        row_numbers: `(rows,)`, where the test rows stand in the data, from 1.
        noise: `(numbers,)`, root mean squared error of each input on validation rows.
    """

    kind: str
    names: tuple[str, ...]
    bottleneck: int
    sizes: tuple[tuple[int, float], ...]
    codes: np.ndarray
    plane: np.ndarray
    plane_shares: tuple[float, ...]
    label_name: str
    labels: np.ndarray | None
    scores: np.ndarray
    threshold: float
    false_alarm_rate: float
    alarms: Interval
    usual: ReconstructedRows
    strangest: ReconstructedRows
    row_numbers: np.ndarray
    noise: np.ndarray


@dataclass(frozen=True)
class BeforeAfter:
    """A score before and after calibration."""

    before: Interval
    after: Interval


@dataclass(frozen=True)
class ErrorBars:
    """How error bars were made, and what they are worth on the test rows.

    Attributes:
        level: share of new values that intervals or sets are to hold.
        how: how intervals or sets were made, a clause.
        promised: whether there were rows enough to promise the level.
        calibration: `none`, `temperature` or `isotonic` for classes, `none` or `scaling` for numbers.
        parameters: T, or the factor of each target's standard deviation; empty where there are none.
        reason: why it was calibrated so, a sentence.
        scores: name of a score to part of the data to its value before and after: `calibration_error` and `log_loss` on
            `validation` (cross-fitted) and `test`.
        set_size: mean number of classes in a set.
        disagreement: share of the mean entropy of the test rows that comes from disagreement between members.
        levels, before, after: of numbers, other levels and the coverage on the test rows of normal intervals from
            uncalibrated standard deviations, and of conformal intervals.
        raw: `(entries, classes)` probabilities of the test rows before calibration.
        nll: mean negative log-likelihood of the test rows in the units of the targets, of all targets of a row
            together: of the normal distribution with the predicted mean and standard deviation (or covariance), of
            counts that of Poisson's.
        quantile_levels, quantile_shares: of networks that predict quantiles, the share of the test values below each.
        outside: share of the test rows that lie outside the training region, and how many.
        outside_rows: their number.
        outside_rate: the share expected of rows like those of training.
        groups_known: groups with intervals of their own.
    """

    level: float
    how: str
    promised: bool
    calibration: str
    parameters: tuple[float, ...]
    reason: str
    scores: dict[str, dict[str, BeforeAfter]] = field(default_factory=dict)
    set_size: float | None = None
    disagreement: float | None = None
    levels: tuple[float, ...] = ()
    before: tuple[Interval, ...] = ()
    after: tuple[Interval, ...] = ()
    raw: np.ndarray | None = None
    nll: Interval | None = None
    quantile_levels: tuple[float, ...] = ()
    quantile_shares: tuple[Interval, ...] = ()
    outside: Interval | None = None
    outside_rows: int = 0
    outside_rate: float = 0.0
    groups_known: int = 0


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
    baseline's name to its test scores. `hyperparameters` says how much each of them mattered,
    most important first. `best_network` and `best_parameters` are those of the first kept member. Each candidate
    was trained `repeats` times, on each of `cv` folds if there are any. `rolling` is there if these
    are rolling: how many rows taught a network (`train`) and judged one (`validation`). `signals` is there for images
    and series that are predicted from, `predicted` keeps the validation and test rows with their predictions, `counts`
    says how much the best of the candidates flatters, `reconstruction` for autoencoders, `overtraining` where rows of
    two classes are told apart, `measured` for targets with measured errors, `selection` for yields that the user
    expects. `outputs` names the outputs of a network that predicts numbers, `importance` is that of the columns of a
    table where it is cheap. `replicas` are those of the kept networks.
    """

    data: DataRecord
    networks: tuple[NetworkRow, ...]
    curves: Curves
    scores: dict[str, Scores]
    baselines: dict[str, Scores]
    verdict: Verdict
    hyperparameters: tuple[HyperparameterImportance, ...]
    test_rows: TestRows
    best_network: Any
    best_parameters: list[dict[str, np.ndarray]]
    settings: dict[str, Any]
    command: str
    seed: int
    seconds: dict[str, float]
    versions: dict[str, str] = field(default_factory=dict)
    engine: dict[str, Any] = field(default_factory=dict)
    test_openings: int = 1
    search_space: tuple[tuple[str, str], ...] = ()
    cv: int | None = None
    repeats: int = 1
    rolling: dict[str, int] | None = None
    signals: SignalRecord | None = None
    reconstruction: ReconstructionRecord | None = None
    measured: MeasuredRecord | None = None
    overtraining: Overtraining | None = None
    predicted: dict[str, PredictedRows] = field(default_factory=dict)
    counts: Optimism | None = None
    error_bars: ErrorBars | None = None
    outputs: tuple[str, ...] = ()
    selection: Selection | None = None
    importance: ImportanceTable | None = None
    replicas: tuple[ReplicaRow, ...] = ()

    @property
    def level(self) -> float:
        """The share of new values that intervals are to hold."""
        return 0.95 if self.error_bars is None else self.error_bars.level

    @property
    def networks_each(self) -> int:
        """How many networks a candidate has: folds × repeats."""
        return (self.cv or 1) * self.repeats

    @cached_property
    def candidates(self) -> tuple[CandidateRow, ...]:
        """The candidates, best first."""
        ids, scores = [n.candidate_id for n in self.networks], [n.score for n in self.networks]
        rows = []
        for s in rank_candidates(ids, scores, self.networks_each):
            first = self.networks[s.members[0]]
            counts = len(s.members), first.parameters
            kept = any(self.networks[place].kept for place in s.members)  # of rolling folds, those of the last
            rows.append(CandidateRow(s.candidate, first.candidate, *counts, s.score, s.error, kept))
        return tuple(rows)

    @cached_property
    def front(self) -> ParetoFront | None:
        """Score against number of parameters; None where candidates cannot be compared, or widths of codes differ."""
        if self.counts is None or self.reconstruction is not None:
            return None
        tried = self.candidates
        sizes, scores = [c.parameters for c in tried], [c.score for c in tried]
        return pareto_front([c.id for c in tried], sizes, scores, self.counts.noise)

    @property
    def kept(self) -> tuple[NetworkRow, ...]:
        """The members of the ensemble, those of the best candidate first."""
        place = {candidate.id: i for i, candidate in enumerate(self.candidates)}
        return tuple(sorted((n for n in self.networks if n.kept), key=lambda n: (place[n.candidate_id], n.id)))
