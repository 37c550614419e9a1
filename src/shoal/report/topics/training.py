"""What training did; of a run that kept nothing this is the head of the page."""

from __future__ import annotations

from collections.abc import Iterator

from shoal.evaluation.record import Record
from shoal.evaluation.topics.candidates import Candidates
from shoal.evaluation.topics.data import DataRecord
from shoal.evaluation.topics.training import TrainingVerdict
from shoal.report.blocks import Heading, Inline, PageBlock, Paragraph, Section
from shoal.report.words import sentence


def sections(record: Record) -> Iterator[Section]:
    """Give the first part of the section on overfitting, or the head of the page."""
    training = record[TrainingVerdict]
    if record[Candidates].kept:
        blocks = (Paragraph((Inline("strong", "What training did."), f" {sentence(training.sentence)}")),)
        yield Section("overfitting", 89, blocks, "Overfitting", "Overfitting")
        return
    data = record[DataRecord]
    head: tuple[PageBlock, ...] = (
        Paragraph(data.task_name, "kicker"),
        Heading(data.name, 1),
        Paragraph(f"{sentence(training.sentence)} No network is kept, and the test rows were not opened.", "lead"),
        Paragraph((Inline("strong", "What to do."), f" {sentence(training.advice)}")),
    )
    yield Section("verdict", 0, head, "Verdict")
