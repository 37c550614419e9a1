"""The picture of overtraining that physicists look for, and the honest verdict beside it.

The picture: the scores of signal and background on the training rows and on the test rows, with the weighted
Kolmogorov-Smirnov test of each class. Training and test scores always differ where there are rows enough to see it,
since a network knows the rows that it learned from; less training would make the picture nicer and the predictions
worse. What decides is the validation loss: whether it rose again, how far it lies above the training loss, and whether
shuffled labels can be told apart.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from shoal.codec import stored
from shoal.evaluation.baselines.label_shuffle import Shuffled
from shoal.evaluation.evaluation import Evaluation
from shoal.evaluation.record import Record
from shoal.evaluation.signal import signal_class
from shoal.evaluation.topics.base import Topic
from shoal.evaluation.topics.candidates import Candidates
from shoal.evaluation.topics.overfitting import Overfitting
from shoal.evaluation.topics.training import TrainingVerdict
from shoal.evaluation.training_course import LATE
from shoal.results import Interval, readable
from shoal.statistics.bootstrap import wilson
from shoal.statistics.weighted import KolmogorovSmirnov, histogram, kolmogorov_smirnov

BINS = 30
VISIBLE = 0.01
"""A p-value below it counts as a difference that can be seen."""


@stored("class_scores")
@dataclass(frozen=True)
class ClassScores:
    """The scores of one class: densities per bin on training and test rows with errors `sqrt(sum w²)`, and the test."""

    name: str
    train: np.ndarray
    train_error: np.ndarray
    test: np.ndarray
    test_error: np.ndarray
    difference: KolmogorovSmirnov


@dataclass(frozen=True)
class Overtraining:
    """What the page says of overtraining.

    Attributes:
        signal, background: the two classes.
        edges: `(bins + 1,)` of the score, the probability of signal.
        gap: validation minus training loss of the kept networks at their best epoch.
        past_best: share of the kept networks that trained on past their best epoch, which is what was kept.
        kind: of overfitting, see `overfitting_verdict`.
        unfinished: whether the kept networks were still improving when training ended.
        shuffled: the label-shuffle baseline, or None where it was not trained.
        weighted: whether rows have weights.
    """

    signal: ClassScores
    background: ClassScores
    edges: np.ndarray
    gap: Interval
    past_best: Interval
    kind: str
    shuffled: Shuffled | None = None
    weighted: bool = False
    unfinished: bool = False

    @property
    def classes(self) -> tuple[ClassScores, ClassScores]:
        """Signal and background."""
        return self.signal, self.background

    @property
    def conclusion(self) -> str:
        """What follows, in one sentence."""
        visible = [scores.name for scores in self.classes if scores.difference.p < VISIBLE]
        if self.shuffled is not None and self.shuffled.suspicious:
            return (
                "Shuffled labels can be told apart on validation rows, which is impossible without a leak: trust no "
                "score until it is found."
            )
        if self.kind == "strong":
            return (
                "The networks know their training rows far better than new ones: trust the test scores only, and give "
                "them more rows or stronger regularisation."
            )
        if self.unfinished:
            return "The networks were still improving: train longer; the picture says nothing against it."
        if not all(np.isfinite(scores.difference.p) for scores in self.classes):
            return (
                "The picture cannot be tested: of a class there are no rows, or their weights do not add up to more "
                "than zero. The test scores stand by themselves."
            )
        if visible:
            return (
                f"Training and test scores of {' and '.join(visible)} differ visibly, as they do for every network "
                f"that has learned its rows, {self._losses('but')}: take the test scores at their word, and do not "
                "train less for the sake of the picture."
            )
        return (
            f"These rows show no difference between training and test scores (at a level of {100 * VISIBLE:.0f} % for "
            f"each class), {self._losses('and')}: the test scores can be taken at their word."
        )

    def _losses(self, word: str) -> str:
        """Return what the interval of the gap says of the losses."""
        if self.gap.low > 0.0:
            return f"while the validation loss lies {readable(self.gap.value, 2)} above the training loss"
        return f"{word} no gap is seen between the losses"

    def as_dict(self) -> dict[str, Any]:
        """Return the numbers as plain data for JSON."""
        document: dict[str, Any] = {
            "kolmogorov_smirnov": {scores.name: _ks_dict(scores.difference) for scores in self.classes},
            "gap": self.gap.as_dict(),
            "past_best_epoch": self.past_best.as_dict(),
            "conclusion": self.conclusion,
        }
        if self.shuffled is not None:
            document["shuffled_labels"] = {
                "validation_roc_auc": self.shuffled.validation.as_dict(),
                "train_roc_auc": self.shuffled.train.as_dict(),
                "rows": list(self.shuffled.rows),
                "epochs": self.shuffled.epochs,
            }
        return document


def _ks_dict(test: KolmogorovSmirnov) -> dict[str, float]:
    return {"statistic": test.statistic, "p": test.p, "n_train": test.first, "n_test": test.second}


def overtraining(
    classes: tuple[str, ...],
    train: tuple[np.ndarray, np.ndarray, np.ndarray | None],
    test: tuple[np.ndarray, np.ndarray, np.ndarray | None],
    overfitting: Overfitting,
    epochs: tuple[np.ndarray, np.ndarray],
    shuffled: Shuffled | None = None,
    signal: str | None = None,
) -> Overtraining:
    """Return the picture and the verdict.

    Args:
        classes: names of the two classes.
        train: class numbers `(rows,)`, probabilities `(rows, 2)` and weights or None of the training rows.
        test: the same for the test rows.
        overfitting: the verdict on the losses.
        epochs: of each kept network the best epoch and how many it trained, counted from 1.
        shuffled: the label-shuffle baseline.
        signal: the class that is the signal; by default the one named so, or the second.
    """
    of_signal = signal_class(classes, signal)
    scores = [part[1][:, of_signal] for part in (train, test)]
    everything = np.concatenate(scores)
    low, high = float(everything.min()), float(everything.max())
    edges = np.linspace(low, high if high > low else low + 1e-6, BINS + 1)

    def class_scores(number: int) -> ClassScores:
        parts = []
        for (truth, _, weights), score in zip((train, test), scores, strict=True):
            rows = truth == number
            parts.append((score[rows], np.ones(rows.sum()) if weights is None else weights[rows]))
        densities = [_density(score, edges, weights) for score, weights in parts]
        (a, w), (b, v) = parts
        return ClassScores(classes[number], *densities[0], *densities[1], kolmogorov_smirnov(a, b, w, v))

    best, trained = (np.asarray(each) for each in epochs)
    late = float(np.mean(best < (1.0 - LATE) * trained))
    past = Interval(late, *wilson(late, len(best)), "wilson")
    both = class_scores(of_signal), class_scores(1 - of_signal)
    return Overtraining(*both, edges, overfitting.gap, past, overfitting.kind, shuffled, train[2] is not None)


def _density(scores: np.ndarray, edges: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return weighted counts and their errors, scaled to an area of one."""
    sums, errors = histogram(scores, edges, weights)
    total = weights.sum()
    scale = 1.0 / (total * (edges[1] - edges[0])) if total > 0 else np.nan
    return sums * scale, errors * abs(scale)


def measure(evaluation: Evaluation) -> Overtraining | None:
    """Return the picture and the verdict where rows are told apart into two classes."""
    classes, test = evaluation.fitted.dataset.classes, evaluation.test
    if len(classes) != 2 or test.entries.series is not None:
        return None
    kept = [evaluation[Candidates].networks[place] for place in evaluation.fitted.kept]
    epochs = np.asarray([row.best_epoch for row in kept]), np.asarray([row.epochs for row in kept])
    train = evaluation.train
    picture = overtraining(
        classes,
        (train.rows.y, train.guess, train.rows.weights),
        (test.truth, test.guess, test.weights),
        evaluation[Overfitting],
        epochs,
        evaluation.fitted.shuffled,
        evaluation.fitted.settings.signal,
    )
    return replace(picture, unfinished=evaluation[TrainingVerdict].kind == "still improving")


def numbers(record: Record) -> dict[str, Any]:
    """Return the picture in numbers."""
    return {"overtraining": record[Overtraining].as_dict()}


TOPIC = Topic(110, Overtraining, measure, numbers)
