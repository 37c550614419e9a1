"""Putting together what a fit has made, once its networks are trained and chosen: all that there is to evaluate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from shoal.evaluation.baselines.series import Learned
from shoal.evaluation.fitted import Fitted
from shoal.evaluation.sealed import SealedRows
from shoal.prediction.error_bars import CalibrationRecord
from shoal.prediction.predictor import Predictor
from shoal.prediction.replicas import sound_replicas
from shoal.search.space import Space
from shoal.steps.choosing import Kept
from shoal.steps.ensemble import make_ensemble
from shoal.steps.posing import Posed
from shoal.steps.training import shuffle_labels
from shoal.training.member import TrainedMember
from shoal.training.trainer import Training


@dataclass(frozen=True)
class Trained:
    """What was to be learned, from which space, what training left, which networks are kept, and the test rows."""

    posed: Posed
    space: Space
    training: Training
    kept: Kept
    sealed: SealedRows


def assemble(trained: Trained, replicas: Sequence[TrainedMember], baselines: Learned) -> Fitted:
    """Return what a fit has made, with the ensemble of the kept networks and its error bars."""
    posed, kept = trained.posed, trained.kept
    ensemble = make_ensemble(posed, kept.members, sound_replicas(replicas), kept.folds)
    shuffled = None  # it is compared with the ensemble on the test rows
    if not trained.sealed.for_later:
        shuffled = shuffle_labels(posed.problem, kept.members[0].member, posed.settings)
    of_problem = {"problem": posed.problem, "metrics": posed.metrics, "class_weight": posed.class_weight}
    return put_together(trained, ensemble, replicas, baselines, shuffled=shuffled, **of_problem)


def put_together(
    trained: Trained,
    ensemble: tuple[Predictor, CalibrationRecord],
    replicas: Sequence[TrainedMember],
    baselines: Learned,
    **more: Any,
) -> Fitted:
    """Return what a fit has made, with an ensemble and what calibrating it found; `more` as `Fitted` has it."""
    posed, kept, (predictor, calibrated) = trained.posed, trained.kept, ensemble
    return Fitted(
        posed.dataset,
        posed.split,
        posed.settings,
        trained.space,
        trained.training.members,
        kept.places,
        predictor,
        calibrated,
        kept.folds,
        replicas,
        trained.sealed,
        baselines,
        **more,
    )
