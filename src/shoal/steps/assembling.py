"""Putting together what a fit has made, once its networks are trained and chosen: all that there is to evaluate."""

from __future__ import annotations

from collections.abc import Sequence

from shoal.evaluation.baselines.series import Learned
from shoal.evaluation.fitted import Fitted
from shoal.evaluation.sealed import SealedRows
from shoal.prediction.replicas import sound_replicas
from shoal.search.space import Space
from shoal.steps.choosing import Kept
from shoal.steps.ensemble import make_ensemble
from shoal.steps.posing import Posed
from shoal.steps.training import shuffle_labels
from shoal.training.member import TrainedMember
from shoal.training.trainer import Training


def assemble(
    posed: Posed,
    space: Space,
    training: Training,
    kept: Kept,
    replicas: Sequence[TrainedMember],
    sealed: SealedRows,
    baselines: Learned,
) -> Fitted:
    """Return what a fit has made, with the ensemble of the kept networks and its error bars."""
    predictor, calibrated = make_ensemble(posed, kept.members, sound_replicas(replicas), kept.folds)
    shuffled = None  # it is compared with the ensemble on the test rows
    if not sealed.for_later:
        shuffled = shuffle_labels(posed.problem, kept.members[0].member, posed.settings)
    return Fitted(
        dataset=posed.dataset,
        split=posed.split,
        settings=posed.settings,
        space=space,
        problem=posed.problem,
        members=training.members,
        kept=kept.places,
        predictor=predictor,
        calibrated=calibrated,
        folds=kept.folds,
        replicas=replicas,
        sealed=sealed,
        baselines=baselines,
        shuffled=shuffled,
        metrics=posed.metrics,
        class_weight=posed.class_weight,
    )
