"""The scores on each part of the data, in the section on the split."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from shoal.evaluation.record import Record, Scores
from shoal.evaluation.topics.candidates import Candidates
from shoal.evaluation.topics.data import DataRecord
from shoal.evaluation.topics.scores import PartScores
from shoal.evaluation.topics.split import SplitRecord
from shoal.report.blocks import Cell, Paragraph, ScoreTable, Section
from shoal.report.words import count, label

_ROLLING = (
    "Training: each row as predicted by the networks that learned from it. The next part: each row as predicted by the "
    "networks that learned from rows before its part only; they were stopped by it, though, and candidates were chosen "
    "by these scores, so only the test scores stand for new data. The first of these networks learned from fewer rows "
    "than those that make the ensemble. The preparation (means, scales, categories) was fitted on the rows of all "
    "parts together."
)
_FOLDS = (
    "Training: each row as predicted by the networks that learned from it. Out of fold: by those that neither learned "
    "from it nor were stopped by it, which are about half of those that did not learn; candidates were chosen by these "
    "scores, though, so only the test scores stand for new data. The preparation was fitted on the rows of all folds "
    "together."
)
_SINGLE = (
    "Networks were trained on the training rows and chosen by the validation rows, so only the test scores stand for "
    "new data."
)


def sections(record: Record) -> Iterator[Section]:
    """Give the table of scores with what they stand for."""
    split = record[SplitRecord]
    note = _ROLLING if split.rolling else _FOLDS if split.cv else _SINGLE
    notes = (note, *record[PartScores].notes)
    yield Section("split", 21, (parts_table(record), *(Paragraph(each, "note") for each in notes)))


def parts_table(record: Record) -> ScoreTable:
    """Return the scores on each part of the data."""
    scores, split = record[PartScores].parts, record[SplitRecord]
    names, sizes = {"train": "training", "validation": "validation", "test": "test"}, split.rows
    if split.cv:
        names, sizes = (
            names | {"validation": "out of fold"},
            sizes | {"validation": split.judging or sizes.get("train", 0)},
        )
    if split.rolling is not None:
        names, sizes = names | {"validation": "the next part"}, sizes | split.rolling
    rows = {f"{name} ({count(sizes.get(p, 0), split.unit)})": scores[p] for p, name in names.items() if scores.get(p)}
    scored = "The ensemble" if len(record[Candidates].kept) > 1 else "The network"
    scored = "The best network" if record[DataRecord].reconstructs else scored
    return score_table(record, f"{scored} on each part of the data", "rows", rows)


def score_table(
    record: Record, title: str, corner: str, rows: Mapping[str, Scores], best: Mapping[str, float | None] | None = None
) -> ScoreTable:
    """Return a table of all metrics that some rows have.

    Args:
        record: that knows the units.
        title: of the table.
        corner: what rows are.
        rows: name to scores.
        best: metric to the value that is marked.
    """
    metrics, marked = metrics_of(list(rows.values())), best or {}
    header = (corner, *(label(metric, record[DataRecord].score_unit(metric)) for metric in metrics))
    cells = ((name, [Cell.of(scores.get(m), marked.get(m)) for m in metrics]) for name, scores in rows.items())
    return ScoreTable(title, header, tuple(cells))


def metrics_of(several: Sequence[Scores]) -> list[str]:
    """Return the metrics that some scores have."""
    return list(dict.fromkeys(name for scores in several for name in scores))
