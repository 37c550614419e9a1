"""The test images or series that are reconstructed worst."""

from __future__ import annotations

from shoal.evaluation.record import Record
from shoal.report.figures.pairs import Pairs, pairs_of

PLACE = 190


def numbers(record: Record) -> Pairs | None:
    """Return the numbers of the figure, or None where nothing is reconstructed or rows are those of a table."""
    return pairs_of(record, "strangest", "The strangest test rows")
