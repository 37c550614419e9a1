"""The scores of two classes on training and test rows, in the section on overfitting."""

from __future__ import annotations

from collections.abc import Iterator

from shoal.evaluation.record import Record
from shoal.evaluation.topics.overtraining import Overtraining
from shoal.report.blocks import Facts, Figure, Group, Inline, Paragraph, PlainTable, Section
from shoal.report.figures.style import name_text
from shoal.report.words import integer, interval, number, sentence
from shoal.results import Interval


def sections(record: Record) -> Iterator[Section]:
    """Give what is added to the section on overfitting where rows are told apart into two classes."""
    overtraining = record.get(Overtraining)
    if overtraining is None:
        return
    tests, facts = tests_table(overtraining), Facts(_facts(overtraining), "lines")
    blocks = (
        Group((Figure("overtraining"), Group((tests, facts))), "pair"),
        Paragraph((Inline("strong", "What follows."), f" {sentence(overtraining.conclusion)}")),
        Paragraph(f"{overtraining.signal.difference.formula}.{_shuffling(overtraining)}", "note"),
    )
    yield Section("overfitting", 91, blocks)


def tests_table(overtraining: Overtraining) -> PlainTable:
    """Return the Kolmogorov-Smirnov test of each class."""
    header = ("class", "D", "p-value", "n training", "n test")
    rows = tuple(
        (
            name_text(scores.name),
            number(scores.difference.statistic),
            number(scores.difference.p, 2),
            integer(scores.difference.first),
            integer(scores.difference.second),
        )
        for scores in overtraining.classes
    )
    note = "n: effective numbers of rows." if overtraining.weighted else ""
    title = "Kolmogorov-Smirnov test, training against test rows"
    return PlainTable(title, header, rows, note, numeric=(1, 2, 3, 4))


def _facts(overtraining: Overtraining) -> tuple[tuple[str, str], ...]:
    past, shuffled = overtraining.past_best, overtraining.shuffled
    share = Interval(100 * past.value, 100 * past.low, 100 * past.high)
    facts = (
        ("validation minus training loss", interval(overtraining.gap)),
        ("kept networks past their best epoch, %", interval(share)),
    )
    if shuffled is None:
        return facts
    return (
        *facts,
        ("ROC AUC with shuffled labels, validation rows", interval(shuffled.validation)),
        ("the same on the training rows", interval(shuffled.train)),
    )


def _shuffling(overtraining: Overtraining) -> str:
    """Return how the label-shuffle baseline was made."""
    if overtraining.shuffled is None:
        return ""
    train, validation = (integer(rows) for rows in overtraining.shuffled.rows)
    return (
        f" Shuffled labels: the best candidate trained for {overtraining.shuffled.epochs} epochs on {train} training "
        f"rows whose labels were shuffled, scored on {validation} validation rows with shuffled labels that did not "
        "stop it: 0.5 is guessing. Networks past their best epoch do no harm: the weights of the best epoch are kept."
    )
