"""The learning curves of all networks."""

from __future__ import annotations

from collections.abc import Iterator

from shoal.evaluation.record import Record
from shoal.report.blocks import Section, figures

OF_ANY_RUN = True


def sections(record: Record) -> Iterator[Section]:  # noqa: ARG001
    """Give the section with the learning curves."""
    shown = figures("learning_curves", "validation_metric")
    yield Section("curves", 40, (shown,), "Curves", "Learning curves")
