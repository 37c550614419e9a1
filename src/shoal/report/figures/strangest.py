"""The test images or series that are reconstructed worst."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.evaluation.record import Record
from shoal.report.figures.pairs import Pairs, draw_pairs, pairs_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def numbers(record: Record) -> Pairs | None:
    """Return the numbers of the figure, or None where nothing is reconstructed or rows are those of a table."""
    return pairs_of(record, "strangest", "The strangest test rows")


def draw(shown: Pairs) -> Figure:
    """Draw each row beside its reconstruction."""
    return draw_pairs(shown)
