"""What simple methods reach on the test rows, beside shoal."""

from __future__ import annotations

import math
from collections.abc import Iterator

from shoal.evaluation.record import Record, Scores
from shoal.evaluation.topics.baselines import BaselineScores
from shoal.evaluation.topics.scores import PartScores
from shoal.report.blocks import Paragraph, ScoreTable, Section, figures
from shoal.report.figures.baselines import scored_name
from shoal.report.topics.scores import metrics_of, score_table
from shoal.report.words import greater_is_better, label, sentence


def sections(record: Record) -> Iterator[Section]:
    """Give the section on baselines."""
    text = sentence(record[BaselineScores].sentence)
    if record[BaselineScores].learned is not None:
        text += f" They learned from {record[BaselineScores].learned:,} of the rows that networks saw, drawn by chance."
    blocks = Paragraph(text), models_table(record), figures("baselines")
    yield Section("baselines", 80, blocks, "Baselines", "Baselines")


def models_table(record: Record) -> ScoreTable:
    """Return the test scores of the ensemble and the baselines; the best of each column is marked."""
    models = {scored_name(record): record[PartScores].test}
    models |= {label(name): scores for name, scores in record[BaselineScores].scores.items()}
    everyone = list(models.values())
    best = {metric: _best(metric, everyone) for metric in metrics_of(everyone)}
    return score_table(record, "Scores on the test rows, the best of each column in bold", "model", models, best)


def _best(metric: str, several: list[Scores]) -> float | None:
    values = [s[metric].value for s in several if metric in s and math.isfinite(s[metric].value)]
    greater = greater_is_better(metric)
    return (max if greater else min)(values) if len(values) > 1 and greater is not None else None
