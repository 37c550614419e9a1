"""Which rows trained, validated and tested."""

from __future__ import annotations

from collections.abc import Iterator

from shoal.evaluation.record import Record
from shoal.evaluation.topics.data import DataRecord
from shoal.evaluation.topics.split import SplitRecord
from shoal.report.blocks import Inline, Paragraph, Section
from shoal.report.words import sentence
from shoal.runs.page_file import times

SEALED = (
    "The test rows are sealed: nothing was predicted for them, and there are no baselines, which are scored on them. "
    "shoal open RUN opens them, once for all runs that are named."
)
_CHOSEN = (
    "There are folds since the table is small: each row then teaches most of the networks and judges the others, and "
    "none is set apart for validation, which --cv none would do. "
)


def sections(record: Record) -> Iterator[Section]:
    """Give the section on the split, to which the scores of each part are joined."""
    inputs = "Features" if record[SplitRecord].unit == "row" else "Channels"
    text = (
        f"{sentence(record[SplitRecord].how)} {_CHOSEN if record[SplitRecord].chosen else ''}{inputs} were scaled by "
        f"the normalisation “{record[DataRecord].normalization}”, fitted on the training rows only."
    )
    yield Section("split", 20, (Paragraph(text),), "Split", "Split")


def looks() -> Inline:
    """Return the element in which `runs.page_file` writes how often all runs of the folder used the test rows."""
    return Inline("span", "", "looks")


def openings(record: Record) -> Inline:
    """Return how often the test rows were opened, in the element that `runs.page_file` rewrites."""
    return Inline("span", times(record[SplitRecord].test_openings), "openings")
