"""The head of the page: what was learnt, how well, and whether that is better than simple methods and overfitted."""

from __future__ import annotations

from collections.abc import Iterator

from markupsafe import Markup

from shoal.evaluation.record import Record
from shoal.evaluation.topics.baselines import BaselineScores
from shoal.evaluation.topics.candidates import Candidates
from shoal.evaluation.topics.data import DataRecord
from shoal.evaluation.topics.error_bars import level_of
from shoal.evaluation.topics.overfitting import Overfitting
from shoal.evaluation.topics.predictions import PredictedTestRows
from shoal.evaluation.topics.pulls import MeasuredRecord
from shoal.evaluation.topics.scores import PartScores
from shoal.evaluation.topics.split import SplitRecord
from shoal.evaluation.topics.training import TrainingVerdict
from shoal.evaluation.topics.verdict import Verdict
from shoal.report.blocks import Bullets, Heading, Headline, Inline, Paragraph, Section, Text
from shoal.report.topics.split import SEALED, looks, openings
from shoal.report.words import count, interval_range, interval_value, label, percent, sentence
from shoal.results import Task

HEADLINE = {
    Task.CLASSIFICATION: ("accuracy", "log_loss", "roc_auc"),
    Task.REGRESSION: ("rmse", "r2", "mae"),
    Task.RECONSTRUCTION: ("reconstruction_error", "explained_variance"),
}


def sections(record: Record) -> Iterator[Section]:
    """Give the head of the page."""
    data = record[DataRecord]
    targets = f" · {', '.join(data.targets)}" if data.targets else ""
    blocks = (
        Paragraph(f"{data.task_name}{targets}", "kicker"),
        Heading(data.name, 1),
        Paragraph(sentence(record[Verdict].opening), "lead"),
        Headline(headline(record)),
        Paragraph(_scored_rows(record), "note"),
        Bullets(tuple(_verdicts(record)), "verdicts"),
    )
    yield Section("verdict", 0, blocks, "Verdict")


def headline(record: Record) -> tuple[tuple[str, str, str], ...]:
    """Return the two or three scores that open the page: label, value, range."""
    data, rows = record[DataRecord], record.get(PredictedTestRows)
    scores = record[PartScores]
    shown_scores, names = scores.shown, list(dict.fromkeys((*scores.chosen, *HEADLINE[data.task])))
    units = {metric: data.score_unit(metric) for metric in scores.chosen if metric != "rmse"}
    shown = [
        (label(metric, units.get(metric, "")), shown_scores[metric]) for metric in names[:3] if metric in shown_scores
    ]
    if rows is not None and rows.coverage is not None and rows.mean is not None:
        shown = [*shown[:2], (f"of true values inside their {percent(level_of(record))} interval", rows.coverage)]
    rmse, with_unit = label("rmse"), label("rmse", data.score_unit("rmse"))
    if data.task is Task.REGRESSION and len(data.targets) == 1:
        with_unit = f"{rmse} of {data.label(data.targets[0])}"
    return tuple((with_unit if name == rmse else name, interval_value(s), interval_range(s)) for name, s in shown)


def _scored_rows(record: Record) -> Text:
    """Return what was scored on which rows, and how often these were opened."""
    kept, tried, split = len(record[Candidates].kept), len(record[Candidates].ranked), record[SplitRecord]
    scored = f"the ensemble of {count(kept, 'network')}" if kept > 1 else "the network"
    if record[DataRecord].reconstructs:
        scored = "the best network"
    if split.sealed:
        rows = f"out-of-fold {split.unit}s" if split.cv else f"validation {split.unit}s"
        return f"Scores of {scored} on {rows}, with ", Markup("95&nbsp;%"), f" intervals. {SEALED}"
    return (
        f"Scores of {scored} on {count(split.rows.get('test', 0), f'test {split.unit}')}, with ",
        Markup("95&nbsp;%"),
        " intervals. The test rows were opened ",
        openings(record),
        f", the first time after {count(tried, 'candidate')} had been looked at without them.",
        looks(),
    )


def _verdicts(record: Record) -> Iterator[Text]:
    overfitting, measured, baselines = record[Overfitting], record.get(MeasuredRecord), record.get(BaselineScores)
    if baselines is not None:
        yield Inline("strong", "Baselines."), f" {sentence(baselines.sentence)}"
    if measured is not None:
        yield Inline("strong", "Measured errors."), f" {sentence(measured.text)}"
    yield Inline("strong", "Training."), f" {sentence(record[TrainingVerdict].sentence)}"
    yield Inline("strong", "Overfitting."), f" {sentence(overfitting.sentence)}"
    if advice := record[Verdict].advice or overfitting.advice:
        yield Inline("strong", "What to do."), f" {sentence(advice)}"
