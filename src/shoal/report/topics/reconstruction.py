"""What autoencoders made of the test rows: their reconstruction, their codes, and which rows are anomalies."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from shoal.evaluation.record import Record
from shoal.evaluation.topics.candidates import Candidates
from shoal.evaluation.topics.reconstruction import ReconstructionRecord
from shoal.evaluation.topics.split import SplitRecord
from shoal.report.blocks import Figure, Paragraph, PlainTable, Section, figures
from shoal.report.figures.style import name_text
from shoal.report.words import count, number

MOST_ROWS, MOST_COLUMNS = 8, 3


def sections(record: Record) -> Iterator[Section]:
    """Give the sections on reconstruction, codes and anomalies."""
    reconstruction = record.get(ReconstructionRecord)
    if reconstruction is None:
        return
    size = reconstruction.bottleneck
    text = (
        f"Each row goes through a bottleneck of {size} {'number' if size == 1 else 'numbers'}, its code, and is "
        "reconstructed from it by the best network. Errors are mean squares in units of the inputs’ variance over the "
        "training rows. The baseline of principal components has codes of the same size."
    )
    shown = figures(Figure("reconstructed", "wide"), Figure("reconstructed_columns", "wide"), "bottlenecks")
    yield Section("reconstruction", 52, (Paragraph(text), shown), "Reconstruction", "Reconstruction")
    yield Section("codes", 53, (figures(Figure("codes_plane", "wide")),), "Codes", "Codes")
    kept = len(record[Candidates].kept)
    mean = f" The score is the mean over the {kept} kept networks." if kept > 1 else ""
    text = f"{anomalies(reconstruction, record[SplitRecord])}{mean}"
    shown = figures("anomaly_scores", Figure("strangest", "wide"))
    table = [strangest_rows(reconstruction)] if reconstruction.kind == "table" else []
    yield Section("anomalies", 54, (Paragraph(text), shown, *table), "Anomalies", "Anomalies")


def anomalies(reconstruction: ReconstructionRecord, split: SplitRecord) -> str:
    """Return what the threshold is and how many test rows lie above it."""
    expected, share = reconstruction.false_alarm_rate, reconstruction.alarms
    above = int((reconstruction.scores > reconstruction.threshold).sum())
    rows = split.rows.get("validation", 0)
    doubts = ""
    if rows < 1.0 / expected - 1.0:
        doubts = (
            f" {count(rows, 'validation row')} are too few for so small a share: the threshold is 1.5 times their "
            "largest score, and how many usual rows lie above it is not known."
        )
    if share.low > expected:
        doubts += " That is more than was asked for: the test rows hold anomalies, or the threshold is too low."
    return (
        f"A row whose score lies above {number(reconstruction.threshold)} counts as an anomaly. The threshold was set "
        f"on the validation rows so that at most {number(100 * expected, 2)} % of usual rows lie above it. Of the "
        f"{count(len(reconstruction.scores), 'test row')} {above:,} {'does' if above == 1 else 'do'}: "
        f"{number(100 * share.value, 2)} % (95 % interval {number(100 * share.low, 2)} to "
        f"{number(100 * share.high, 2)} %).{doubts}"
    )


def strangest_rows(reconstruction: ReconstructionRecord) -> PlainTable:
    """Return the strangest rows of a table with the columns that were reconstructed worst."""
    labels, strangest = reconstruction.labels, reconstruction.strangest
    label_name = [] if labels is None else [name_text(reconstruction.label_name)]
    rows = []
    for i, row in enumerate(strangest.rows[:MOST_ROWS]):
        label = [] if labels is None else [_label(labels[row])]
        score = number(float(reconstruction.scores[row]))
        worst = _worst(reconstruction.names, strangest.truth[i], strangest.guess[i])
        rows.append((str(reconstruction.row_numbers[row]), score, *label, worst))
    note = (
        "Numbers are in units of each column's scatter about its mean: the input, and in brackets its reconstruction."
    )
    header = ("row of the data", "score", *label_name, "reconstructed worst")
    return PlainTable("The strangest test rows", header, tuple(rows), note, numeric=(1,))


def _label(value: object) -> str:
    return number(float(value)) if isinstance(value, float) else str(value)


def _worst(names: tuple[str, ...], truth: np.ndarray, guess: np.ndarray) -> str:
    order = np.argsort(-np.abs(guess - truth), kind="stable")[:MOST_COLUMNS]
    return "; ".join(f"{name_text(names[i])} {number(truth[i], 2)} ({number(guess[i], 2)})" for i in order)
