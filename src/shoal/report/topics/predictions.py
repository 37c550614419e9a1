"""What was predicted for the test rows."""

from __future__ import annotations

from collections.abc import Iterator

from shoal.evaluation.record import Record
from shoal.evaluation.topics.data import DataRecord
from shoal.evaluation.topics.error_bars import ErrorBars
from shoal.evaluation.topics.reconstruction import ReconstructionRecord
from shoal.report.blocks import Figure, Section, figures

MOST_BESIDE = 12
"""Classes of a confusion matrix that has another figure beside it."""


def sections(record: Record) -> Iterator[Section]:
    """Give the section on predictions; none where rows are reconstructed."""
    if record.get(ReconstructionRecord) is not None:
        return
    classes = record[DataRecord].classes
    shown = figures(
        Figure("confusion_matrix", "wide" if len(classes) > MOST_BESIDE else ""),
        *(["calibration"] if record.get(ErrorBars) is None else []),
        "predicted_true",
        "residuals",
        "pulls",
        style="figures" if classes else "figures three",
    )
    title, heading = ("Classes", "Test rows by class") if classes else ("Predictions", "Predicted and true")
    yield Section("predictions", 50, (shown,), title, heading)
