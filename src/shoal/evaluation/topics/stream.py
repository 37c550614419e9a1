"""Rows that do not fit into memory: how many there are, how many stand for them, and what that costs in certainty."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shoal.data.stream.dealing import PARTS
from shoal.evaluation.evaluation import Evaluation
from shoal.evaluation.record import Record
from shoal.evaluation.topics.base import Topic


@dataclass(frozen=True)
class StreamRecord:
    """How a table was read in parts.

    Attributes:
        rows: of all files, for `train`, `validation` and `test`.
        drawn: how many of them are in memory.
        part: rows of an epoch.
        per_pass: epochs that are a pass over all training rows.
        most_passes: how often the kept network that trained longest has seen all rows.
        advice: what is to be said of the files, or empty.
    """

    rows: Mapping[str, int]
    drawn: Mapping[str, int]
    part: int
    per_pass: int
    most_passes: float
    advice: str = ""

    def sampling_error(self, part: str) -> float:
        """Return the largest standard error that a share, such as an accuracy, has since rows of a part were drawn.

        `0.5 sqrt((1 - n/N) / n)` for n of N rows; 0 where all were taken.
        """
        drawn, rows = self.drawn[part], self.rows[part]
        return 0.5 * math.sqrt(max(0.0, 1.0 - drawn / rows) / drawn)


def measure(evaluation: Evaluation) -> StreamRecord | None:
    """Return how the table was read; None where all rows were in memory."""
    fitted = evaluation.fitted
    stream, parts = fitted.dataset.stream, None if fitted.problem is None else fitted.problem.stream
    if stream is None or parts is None:
        return None
    epochs = max((len(fitted.members[place].train_loss) for place in fitted.kept), default=0)
    rows, drawn = dict(zip(PARTS, stream.counts, strict=True)), dict(zip(PARTS, stream.sampled, strict=True))
    return StreamRecord(rows, drawn, parts.size, parts.per_pass, epochs / parts.per_pass, stream.pieces.advice)


def numbers(record: Record) -> dict[str, Any]:
    """Return how many rows there are, how many were drawn, and the largest sampling error of a share."""
    stream = record[StreamRecord]
    return {
        "stream": {
            "rows": dict(stream.rows),
            "drawn": dict(stream.drawn),
            "sampling_error": {part: stream.sampling_error(part) for part in ("validation", "test")},
            "rows_of_an_epoch": stream.part,
            "epochs_of_a_pass": stream.per_pass,
            "passes": stream.most_passes,
        }
    }


TOPIC = Topic(21, StreamRecord, measure, numbers, opens_test_rows=False)
