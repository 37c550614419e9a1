"""What stands beside an example: the truth, what was predicted, and whether it was right."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shoal.codec import stored
from shoal.evaluation.record import Record
from shoal.evaluation.topics.data import DataRecord
from shoal.evaluation.topics.predictions import PredictedTestRows
from shoal.report.figures.style import BLUE, INK, VERMILION, name_text
from shoal.report.words import number


@stored("label")
@dataclass(frozen=True)
class Label:
    """The truth and the prediction of one test row as text; `right` is None for numbers.

    In `said`, a tab stands between the name of a class and its probability.
    """

    true: str
    said: str
    right: bool | None = None

    @property
    def colour(self) -> str:
        """Blue for right classes, vermilion for wrong ones."""
        return INK if self.right is None else BLUE if self.right else VERMILION

    @property
    def text(self) -> str:
        """Truth and prediction, e.g. for the head of a column."""
        said = " ".join(self.said.split("\t"))
        return f"true {self.true}, predicted {said}" if self.true else f"predicted {said}"

    def said_within(self, most: int) -> str:
        """Return the prediction with a cross where it is wrong, the name at most so many letters long."""
        name, tab, end = self.said.rpartition("\t")
        return f"{'✗ ' if self.right is False else ''}{name_text(name, most)}{' · ' if tab else ''}{end}"


def labels(record: Record, rows: np.ndarray) -> tuple[Label, ...]:
    """Return a label for each of some test rows; of several targets the first counts."""
    return tuple(_label(record, int(row)) for row in rows)


def _label(record: Record, row: int) -> Label:
    rows, classes = record[PredictedTestRows], record[DataRecord].classes
    if rows.probabilities is not None:
        predicted = int(rows.probabilities[row].argmax())
        true = int(rows.truth[row])
        return Label(classes[true], label_of(classes[predicted], rows.probabilities[row, predicted]), predicted == true)
    assert rows.mean is not None
    error = "" if rows.std is None else f" ± {number(rows.std[row, 0], 2)}"
    return Label(number(rows.truth[row, 0]), f"{number(rows.mean[row, 0])}{error}")


def label_of(name: str, share: float | None = None) -> str:
    """Return a prediction as `Label.said` holds it: a name, and behind a tab its probability."""
    return name if share is None else f"{name}\t{probability_text(share)}"


def probability_text(share: float) -> str:
    """Return a probability; only what is certain is 100 %.

    >>> probability_text(0.987), probability_text(0.9999)
    ('99 %', '> 99 %')
    """
    return "> 99 %" if 0.995 <= share < 1.0 else f"{100 * share:.0f} %"


def meaning(record: Record, above: str = "Above", below: str = "below") -> str:
    """Return what the texts beside an example are."""
    if record[DataRecord].classes:
        return f"{above}: the true class; {below}: the predicted one with its probability, wrong ones with a cross."
    of = f" of {record[DataRecord].targets[0]}" if len(record[DataRecord].targets) > 1 else ""
    return f"{above}: the true value{of}; {below}: the prediction with its standard deviation."


def wrong_ones(shown: tuple[Label, ...]) -> str:
    """Return how many were predicted wrongly, as a clause; nothing if none."""
    wrong = sum(label.right is False for label in shown)
    return f", {wrong} of them predicted wrongly" if wrong else ""


def order_of(shown: tuple[Label, ...], what: str, missed: str) -> str:
    """Return in which order examples come, in a sentence; `missed` tells of those that are numbers."""
    if wrong_ones(shown):
        return f"{what}, the last of them those where the ensemble was surest of a wrong class."
    return f"{what}{', of all classes in turn' if shown[0].right else missed}."


def right_and_wrong(shown: tuple[Label, ...], most: int) -> np.ndarray:
    """Return the places of so many examples, half of them bad ones where there are as many; good ones first."""
    wrong = [i for i, label in enumerate(shown) if label.right is False][: most // 2]
    right = [i for i, label in enumerate(shown) if label.right is not False][: most - len(wrong)]
    return np.asarray(right + wrong, int)
