"""The learning curves of all networks."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from shoal.evaluation.record import Record
from shoal.evaluation.topics.curves import Curves
from shoal.report.blocks import Paragraph, Section, figures


def sections(record: Record) -> Iterator[Section]:
    """Give the section with the learning curves, or say that no epoch ended with a finite loss."""
    if not np.isfinite(record[Curves].validation_loss).any():
        text = "In no epoch was a validation loss a finite number, so there is no curve to draw."
        yield Section("curves", 40, (Paragraph(text),), "Curves", "Learning curves")
        return
    shown = figures("learning_curves", "validation_metric")
    yield Section("curves", 40, (shown,), "Curves", "Learning curves")
