"""The head of the page of several targets of classes, with the scores of each; each target has a page of its own."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

from markupsafe import Markup

from shoal.evaluation.record import Record
from shoal.evaluation.topics.baselines import BaselineScores
from shoal.evaluation.topics.data import DataRecord
from shoal.evaluation.topics.error_bars import ErrorBars
from shoal.evaluation.topics.predictions import PredictedTestRows
from shoal.evaluation.topics.scores import PartScores
from shoal.evaluation.topics.targets import TargetScores
from shoal.evaluation.topics.verdict import Verdict
from shoal.report.blocks import Bullets, Heading, Headline, Inline, PageBlock, Paragraph, ScoreTable, Section, Text
from shoal.report.topics.scores import score_table
from shoal.report.topics.split import looks, openings
from shoal.report.words import count, interval, interval_range, interval_value, label, percent, sentence
from shoal.runs.new_folder import folders_of_targets

OF_ANY_RUN = True


def sections(record: Record) -> Iterator[Section]:
    """Give the head of the page, where several targets are classes."""
    several = record.get(TargetScores)
    if several is None:
        return
    data, test = record[DataRecord], several.parts["test"]
    shown = [name for name in ("subset_accuracy", "hamming_loss", "f1_macro") if name in test]
    headline = tuple((label(name), interval_value(test[name]), interval_range(test[name])) for name in shown)
    blocks: tuple[PageBlock, ...] = (
        Paragraph(f"{data.task_name} · {', '.join(data.targets)}", "kicker"),
        Heading(data.name, 1),
        Paragraph(several.opening, "lead"),
        Headline(headline),
        Paragraph(("Scores on the test rows, which were opened ", openings(record), ".", looks()), "note"),
        *([_table_of_all(record, several)] if len(shown) > 2 else []),
        scores_of_each(several),
        Bullets(tuple(_of_each(several)), "verdicts"),
    )
    yield Section("verdict", 0, blocks, "Verdict")


def _table_of_all(record: Record, several: TargetScores) -> ScoreTable:
    rows = {f"{name} rows": scores for name, scores in several.parts.items()}
    return score_table(record, "All labels together", "rows", rows)


def scores_of_each(several: TargetScores) -> ScoreTable:
    """Return the scores of each target on the test rows."""
    rows = {}
    for name, record in several.records.items():
        rows[f"{name} ({count(len(record[DataRecord].classes), 'class', 'classes')})"] = dict(record[PartScores].test)
    for scores, f1 in zip(rows.values(), several.f1, strict=False):
        scores["f1"] = f1
    first = next(iter(several.records.values()))
    return score_table(first, "Each target on the test rows", "target", rows)


def _of_each(several: TargetScores) -> Iterator[Text]:
    """Give what is said of each target, with the way to its page."""
    for (name, record), folder in zip(several.records.items(), folders_of_targets(several.records), strict=True):
        page = Markup(' <a href="{}/report.html">Its own page</a> has the rest.').format(quote(folder))
        coverage, bars, held = record[PredictedTestRows].coverage, record.get(ErrorBars), ""
        if coverage is not None and bars is not None:
            held = f" {percent(bars.level)} sets hold {interval(coverage)} of the true classes."
        text = f" {sentence(record[Verdict].opening)} {sentence(record[BaselineScores].sentence)}{held}"
        yield Inline("strong", f"{name}."), text, page
