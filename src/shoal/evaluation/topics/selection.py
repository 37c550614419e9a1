"""The cut on the score that expected yields call for, chosen on validation rows and quoted on test rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shoal.errors import DataError
from shoal.evaluation.cuts import Events, Selection, select, yields_of
from shoal.evaluation.evaluation import Evaluation
from shoal.evaluation.predicted_rows import PredictedRows
from shoal.evaluation.record import Record
from shoal.evaluation.signal import signal_class
from shoal.evaluation.topics.base import Topic
from shoal.evaluation.topics.scored_rows import ScoredRows


def measure(evaluation: Evaluation) -> Selection | None:
    """Return the selection for the yields that the fit was told; why there is none becomes a warning."""
    fitted, parts = evaluation.fitted, evaluation[ScoredRows].parts
    selection, without = selection_of(parts, fitted.settings.given(), fitted.dataset.classes, evaluation.seed)
    if without:
        evaluation.warnings.append(without)
    return selection


def selection_of(
    predicted: Mapping[str, PredictedRows], settings: Mapping[str, Any], classes: tuple[str, ...], seed: int
) -> tuple[Selection | None, str]:
    """Return the selection for the yields that a fit was told, and why there is none where it could not be made.

    Args:
        predicted: the `validation` and `test` rows with their predictions.
        settings: of the fit.
        classes: of the target.
        seed: of the resamples.
    """
    yields = yields_of(settings)
    if yields is None:
        return None, ""
    signal = signal_class(classes, settings.get("signal"))
    try:
        choosing, quoting = (Events.of(predicted[part], signal) for part in ("validation", "test"))
        return select(choosing, quoting, yields, seed=seed), ""
    except DataError as error:  # all else of the run is of use without a cut
        return None, f"No cut was chosen for the expected yields: {error}"


def numbers(record: Record) -> dict[str, Any]:
    """Return the cut and what it gives."""
    return {"selection": record[Selection].as_dict()}


TOPIC = Topic(120, Selection, measure, numbers)
