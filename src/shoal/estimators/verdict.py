"""What there is to say of a fit in memory: the score on validation rows, and what training did."""

from __future__ import annotations

from collections.abc import Sequence

from shoal.errors import counted
from shoal.evaluation.evaluation import Evaluation
from shoal.evaluation.fitted import Fitted
from shoal.evaluation.scoring import score_entries, score_guess
from shoal.evaluation.topics.curves import TOPIC as CURVES
from shoal.evaluation.topics.training import TOPIC as TRAINING
from shoal.evaluation.topics.training import TrainingVerdict
from shoal.evaluation.topics.verdict import Sizes, opening_on_validation


def verdict_of(fits: Sequence[Fitted]) -> str:
    """Return how good the ensemble is on validation rows, which flatter, and what training did.

    Args:
        fits: one, or one for each of several targets of classes.
    """
    evaluations = [Evaluation(fitted, {topic.record: topic.measure for topic in (CURVES, TRAINING)}) for fitted in fits]
    openings = [_opening(evaluation) for evaluation in evaluations]
    if len(fits) > 1:
        names = (fitted.dataset.targets[0] for fitted in fits)
        openings = [f"{name}: {opening}" for name, opening in zip(names, openings, strict=True)]
    training = evaluations[0][TrainingVerdict]
    return " ".join(part for part in (*openings, training.sentence, training.advice) if part)


def _opening(evaluation: Evaluation) -> str:
    fitted, validation = evaluation.fitted, evaluation.validation
    calibrated = fitted.calibrated.probabilities
    if calibrated is None:
        scores = score_guess(evaluation.scored, validation.rows, validation.guess, evaluation.seed)
    else:
        scores = score_entries(evaluation.scored, validation.rows, calibrated.after, evaluation.seed)
    kept, trained = len(evaluation.scored.members), len(fitted.members)
    kind = "validation row" if fitted.folds is None else "out-of-fold row"
    sizes = Sizes(kept=kept, trained=trained, targets=len(fitted.dataset.targets))
    return opening_on_validation(evaluation.task, scores, sizes, counted(len(validation.rows.x), kind))
