"""What a fit has made once its networks are trained: all that there is to evaluate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from shoal.data import Dataset, Split
from shoal.evaluation.baselines.label_shuffle import Shuffled
from shoal.evaluation.baselines.series import Learned
from shoal.evaluation.record import Record
from shoal.evaluation.sealed import SealedRows
from shoal.prediction.error_bars import CalibrationRecord
from shoal.prediction.out_of_fold import OutOfFold
from shoal.prediction.predictor import Predictor
from shoal.search.space import Space
from shoal.settings import FitSettings
from shoal.statistics.metrics import Metric
from shoal.training.member import TrainedMember
from shoal.training.problem import Problem


@dataclass(frozen=True)
class Fitted:
    """What a fit has made.

    Attributes:
        dataset, split, settings: what it was made from.
        space: what candidates were drawn from.
        members: all networks that were trained.
        kept: positions in `members` of those that make the ensemble, the best candidate first.
        predictor: the ensemble with its error bars.
        calibrated: what calibrating it found on validation rows.
        folds: who learned from which row; None without folds.
        replicas: all that were trained.
        sealed: the test rows.
        baselines: simple methods that have learned already.
        shuffled: the label-shuffle baseline, of two classes.
        metrics: that are wanted beside the usual ones.
        class_weight: how much each class counted in training, `(classes,)`; None: all alike.
        problem: what the networks learned.
        targets: of several targets of classes, the finished run of each by its name; what is predicted is said there.
    """

    dataset: Dataset
    split: Split
    settings: FitSettings
    space: Space
    members: Sequence[TrainedMember]
    kept: Sequence[int]
    predictor: Predictor
    calibrated: CalibrationRecord
    folds: OutOfFold | None
    replicas: Sequence[TrainedMember]
    sealed: SealedRows
    baselines: Learned
    shuffled: Shuffled | None = None
    metrics: tuple[Metric, ...] = ()
    class_weight: np.ndarray | None = None
    problem: Problem | None = None
    targets: Mapping[str, Record] = field(default_factory=dict)
