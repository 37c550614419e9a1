"""The overtraining part of the page: tests, honest numbers and what follows, as text."""

from __future__ import annotations

from dataclasses import dataclass

from shoal.evaluation.record import Record
from shoal.evaluation.topics.overtraining import Overtraining
from shoal.report.figures.style import name_text
from shoal.report.tables import Table
from shoal.report.words import integer, interval, number
from shoal.results import Interval


@dataclass(frozen=True)
class OvertrainingText:
    """What the page says: a table of tests, facts as label and value, the conclusion, and how it was made."""

    tests: Table
    facts: tuple[tuple[str, str], ...]
    conclusion: str
    formula: str
    shuffling: str


def overtraining_of(record: Record) -> OvertrainingText | None:
    """Return the text, or None where rows are not told apart into two classes."""
    found = record.get(Overtraining)
    if found is None:
        return None
    header = ("class", "D", "p-value", "n training", "n test")
    rows = tuple(
        (
            name_text(one.name),
            number(one.difference.statistic),
            number(one.difference.p, 2),
            integer(one.difference.first),
            integer(one.difference.second),
        )
        for one in found.classes
    )
    note = "n: effective numbers of rows." if found.weighted else ""
    return OvertrainingText(
        Table(header, rows, note), _facts(found), found.conclusion, f"{found.signal.difference.formula}.", _how(found)
    )


def _facts(found: Overtraining) -> tuple[tuple[str, str], ...]:
    past = found.past_best
    share = Interval(100 * past.value, 100 * past.low, 100 * past.high)
    facts = [
        ("validation minus training loss", interval(found.gap)),
        ("kept networks past their best epoch, %", interval(share)),
    ]
    if found.shuffled is not None:
        facts += [
            ("ROC AUC with shuffled labels, validation rows", interval(found.shuffled.validation)),
            ("the same on the training rows", interval(found.shuffled.train)),
        ]
    return tuple(facts)


def _how(found: Overtraining) -> str:
    """Return how the label-shuffle baseline was made."""
    if found.shuffled is None:
        return ""
    train, validation = (integer(rows) for rows in found.shuffled.rows)
    return (
        f"Shuffled labels: the best candidate trained for {found.shuffled.epochs} epochs on {train} training rows "
        f"whose "
        f"labels were shuffled, scored on {validation} validation rows with shuffled labels that did not stop it: 0.5 "
        f"is "
        "guessing. "
        "Networks past their best epoch do no harm: the weights of the best epoch are kept."
    )
