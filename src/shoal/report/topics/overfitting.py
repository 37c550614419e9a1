"""Whether the networks know their training rows better than new ones, and what to do."""

from __future__ import annotations

from collections.abc import Iterator

from shoal.evaluation.record import Record
from shoal.evaluation.topics.overfitting import Overfitting
from shoal.report.blocks import Inline, Paragraph, Section
from shoal.report.words import sentence


def sections(record: Record) -> Iterator[Section]:
    """Give the section on overfitting."""
    overfitting = record[Overfitting]
    blocks = [Paragraph(sentence(overfitting.sentence))]
    if overfitting.advice:
        blocks.append(Paragraph((Inline("strong", "What to do."), f" {sentence(overfitting.advice)}")))
    yield Section("overfitting", 90, tuple(blocks), "Overfitting", "Overfitting")
