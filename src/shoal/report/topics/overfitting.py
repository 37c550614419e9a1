"""What the kept weights know of their training rows, and what to do; behind what training did."""

from __future__ import annotations

from collections.abc import Iterator

from shoal.evaluation.record import Record
from shoal.evaluation.topics.overfitting import Overfitting
from shoal.evaluation.topics.verdict import Verdict
from shoal.report.blocks import Inline, Paragraph, Section
from shoal.report.words import sentence


def sections(record: Record) -> Iterator[Section]:
    """Give what is added to the section on training."""
    blocks = [Paragraph((Inline("strong", "The kept weights."), f" {sentence(record[Overfitting].sentence)}"))]
    advice = record[Verdict].advice or record[Overfitting].advice
    if advice:
        blocks.append(Paragraph((Inline("strong", "What to do."), f" {sentence(advice)}")))
    yield Section("overfitting", 90, tuple(blocks))
