"""What the page says of anomalies: a sentence, and the strangest rows of a table."""

from __future__ import annotations

import numpy as np

from shoal.evaluation.record import Record
from shoal.evaluation.topics.reconstruction import ReconstructionRecord
from shoal.evaluation.topics.split import SplitRecord
from shoal.report.figures.style import name_text
from shoal.report.tables import Table
from shoal.report.words import count, number

MOST_ROWS, MOST_COLUMNS = 8, 3


def anomalies(record: Record) -> str:
    """Return what the threshold is and how many test rows lie above it; nothing where nothing is reconstructed."""
    found = record.get(ReconstructionRecord)
    if found is None:
        return ""
    rate, share = 100 * found.false_alarm_rate, found.alarms
    above = int((found.scores > found.threshold).sum())
    rows = record[SplitRecord].rows.get("validation", 0)
    doubts = ""
    if rows < 1.0 / found.false_alarm_rate - 1.0:
        doubts = (
            f" {count(rows, 'validation row')} are too few for so small a share: the threshold is 1.5 times their "
            "largest score, and how many usual rows lie above it is not known."
        )
    if share.low > found.false_alarm_rate:
        doubts += " That is more than was asked for: the test rows hold anomalies, or the threshold is too low."
    return (
        f"A row whose score lies above {number(found.threshold)} counts as an anomaly. The threshold was set on the "
        f"validation rows so that at most {number(rate, 2)} % of usual rows lie above it. Of the "
        f"{count(len(found.scores), 'test row')} {above:,} do: {number(100 * share.value, 2)} % "
        f"(95 % interval {number(100 * share.low, 2)} to {number(100 * share.high, 2)} %).{doubts}"
    )


def strangest_rows(record: Record) -> Table | None:
    """Return the strangest rows of a table with the columns that were reconstructed worst; None for images."""
    found = record.get(ReconstructionRecord)
    if found is None or found.kind != "table":
        return None
    labelled = found.labels is not None
    header = ("row of the data", "score", *([name_text(found.label_name)] if labelled else []), "reconstructed worst")
    rows = []
    for i, row in enumerate(found.strangest.rows[:MOST_ROWS]):
        truth, guess = found.strangest.truth[i], found.strangest.guess[i]
        label = [] if found.labels is None else [_label(found.labels[row])]
        score = number(float(found.scores[row]))
        rows.append((str(found.row_numbers[row]), score, *label, _worst(found.names, truth, guess)))
    note = (
        "Numbers are in units of each column's scatter about its mean: the input, and in brackets its reconstruction."
    )
    return Table(header, tuple(rows), note)


def _label(value: object) -> str:
    return number(float(value)) if isinstance(value, float) else str(value)


def _worst(names: tuple[str, ...], truth: np.ndarray, guess: np.ndarray) -> str:
    order = np.argsort(-np.abs(guess - truth), kind="stable")[:MOST_COLUMNS]
    return "; ".join(f"{name_text(names[i])} {number(truth[i], 2)} ({number(guess[i], 2)})" for i in order)
