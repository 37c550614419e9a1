"""An evaluation under way: what the ensemble says of each part of the rows, found when a topic first asks for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from shoal.data import Inputs
from shoal.evaluation.fitted import Fitted
from shoal.evaluation.guessing import Costs, constant_guess, row_costs, variances
from shoal.evaluation.record import TopicRecord
from shoal.evaluation.scoring import Rows, best_guess, drawing_of, prepared_rows, truth_of
from shoal.prediction.autoencoder import best_alone
from shoal.prediction.prediction import Prediction
from shoal.prediction.predictor import Predictor
from shoal.prediction.scored import Scored
from shoal.results import Task

Measure = Callable[["Evaluation"], Any]


@dataclass(frozen=True)
class PredictedPart:
    """Prepared rows of one part and what was predicted for them.

    Attributes:
        rows: prepared.
        prediction: what is scored says of them.
        guess: what metrics compare with the truth.
        input_spread: as `Predictor.input_spread` tells, where features have errors and it is asked for.
    """

    rows: Rows
    prediction: Prediction
    guess: np.ndarray
    input_spread: np.ndarray | None = None


@dataclass(frozen=True)
class OpenedRows:
    """The test rows, opened.

    Attributes:
        inputs: as they were read.
        x: prepared.
        truth, weights: as `Dataset.y` and `Dataset.weights` have them; in a reconstruction the scaled inputs.
        prediction: what is scored says of them.
        entries: truth and weights of all rows, or of all steps that have a target.
        guess: what was predicted for the entries.
        input_spread: as `Predictor.input_spread` tells, where features have errors.
    """

    inputs: Inputs
    x: np.ndarray
    truth: np.ndarray
    weights: np.ndarray | None
    prediction: Prediction
    entries: Scored
    guess: np.ndarray
    input_spread: np.ndarray | None = None


MOST_ASKED = 200_000
"""Training rows whose answers say what the networks know of them: of more some do."""


class Evaluation:
    """What a fit has made, with what its ensemble says of the training, the validation and the test rows.

    Topics ask it for rows and, by its class, for the record of another topic; each is made once.

    Args:
        fitted: what the fit has made.
        measures: class of a record to what measures it.
    """

    def __init__(self, fitted: Fitted, measures: Mapping[type, Measure]) -> None:
        self.fitted = fitted
        self.warnings: list[str] = []
        self._measures = measures
        self._records: dict[type, Any] = {}

    def record(self, kind: type[TopicRecord]) -> TopicRecord | None:
        """Return the record of a topic, measured now if it was not yet; None where it does not apply."""
        if kind not in self._records:
            self._records[kind] = self._measures[kind](self)
        measured: TopicRecord | None = self._records[kind]
        return measured

    def __getitem__(self, kind: type[TopicRecord]) -> TopicRecord:
        """Return the record of a topic that every run has."""
        measured = self.record(kind)
        if measured is None:
            raise KeyError(kind)
        return measured

    @property
    def task(self) -> Task:
        """What is learnt."""
        return self.fitted.dataset.task

    @property
    def seed(self) -> int:
        """Names the random numbers of intervals."""
        return self.fitted.settings.seed

    @cached_property
    def scored(self) -> Predictor:
        """Who is scored: the ensemble, or the best network, since a reconstruction goes through one code."""
        predictor = self.fitted.predictor
        return best_alone(predictor) if self.task is Task.RECONSTRUCTION else predictor

    @cached_property
    def judge(self) -> Predictor:
        """Who answers for training and validation rows: with folds the networks of all of them."""
        folds = self.fitted.folds
        return self.scored if folds is None else folds.judge(self.scored)

    @property
    def judged(self) -> np.ndarray | None:
        """`(members, validation rows)`, the members that a row neither taught nor stopped; None: it taught none."""
        return None if self.fitted.folds is None else self.fitted.folds.judged

    @cached_property
    def train(self) -> PredictedPart:
        """Rows that taught the networks, `asked`; with folds each as predicted by those that learned from it."""
        split, folds, asked = self.fitted.split, self.fitted.folds, self.asked
        rows = self._prepared((split.train if folds is None else split.train[folds.known])[asked])
        prediction = self.judge.predict_features(rows.x, None if folds is None else folds.learned[:, asked])
        return PredictedPart(rows, prediction, best_guess(prediction))

    @cached_property
    def asked(self) -> np.ndarray | slice:
        """Which of the rows that taught the networks are asked about: all, a slice, or of more than `MOST_ASKED` some.

        They are drawn by chance. Where rows follow each other in time, all are asked.
        """
        split, folds = self.fitted.split, self.fitted.folds
        rows = len(split.train) if folds is None else int(np.count_nonzero(folds.known))
        if rows <= MOST_ASKED or split.rolling is not None or self.fitted.predictor.preparation.recipe is not None:
            return slice(None)
        return np.sort(np.random.default_rng([self.seed, rows]).choice(rows, MOST_ASKED, replace=False))

    @cached_property
    def validation_rows(self) -> np.ndarray:
        """Positions of the validation rows; with folds of those that judged a network of the ensemble."""
        rows, folds = self.fitted.split.validation, self.fitted.folds
        return rows if folds is None else rows[folds.judging]

    @cached_property
    def validation(self) -> PredictedPart:
        """The validation rows; with folds each that judged a network, as predicted by those that it judged."""
        positions = self.validation_rows
        rows, moved = self._prepared(positions), self.judge.input_spread(self.fitted.dataset.inputs(positions))
        prediction = self.judge.predict_features(rows.x, self.judged, input_spread=moved)
        return PredictedPart(rows, prediction, best_guess(prediction), moved)

    def _prepared(self, rows: np.ndarray) -> Rows:
        dataset = self.fitted.dataset
        return prepared_rows(dataset, self.fitted.predictor.preparation, rows, dataset.weights())

    @cached_property
    def test(self) -> OpenedRows:
        """The test rows, which are opened when they are first asked for."""
        preparation = self.fitted.predictor.preparation
        inputs, truth, weights = self.fitted.sealed.open()
        x = preparation.transform(inputs)
        truth = truth_of(preparation, x, truth)
        groups, moved = self.scored.groups_of(inputs), self.scored.input_spread(inputs)
        prediction = self.scored.predict_features(x, groups=groups, input_spread=moved)
        of_data = self.fitted.dataset.groups()
        entries = Scored.of(self.task, truth, weights, None if of_data is None else of_data[self.fitted.split.test])
        guess = entries.taken(best_guess(prediction))
        return OpenedRows(inputs, x, truth, weights, prediction, entries, guess, moved)

    @property
    def drawing(self) -> dict[str, Any]:
        """How intervals of scores of the test rows draw them anew."""
        return drawing_of(self.fitted.predictor.preparation, self.test.entries, len(self.test.truth), self.seed)

    @cached_property
    def costs(self) -> tuple[Costs, Costs]:
        """The costs of the training rows and of the validation rows, or of their steps.

        Training rows are predicted by networks that learned from them, validation rows by networks that did not,
        calibrated by what other rows say. Who guesses knows the training rows. Where classes weighed in training, they
        do here: it is what the networks made small.
        """
        task, calibrated = self.task, self.fitted.calibrated.probabilities
        class_weight = self.fitted.class_weight
        train, validation = (part.rows.scored(task) for part in (self.train, self.validation))
        if class_weight is not None:
            train, validation = train.weighed_by_class(class_weight), validation.weighed_by_class(class_weight)
        constant = constant_guess(task, train.truth, train.weights, len(self.fitted.dataset.classes))
        variance = None if task is Task.CLASSIFICATION else variances(train.truth, train.weights)

        def costs(part: PredictedPart, scored: Scored, guess: np.ndarray) -> Costs:
            drawing = drawing_of(self.fitted.predictor.preparation, scored, len(part.rows.x), self.seed)
            networks, guessed = (row_costs(task, scored.truth, each, variance) for each in (guess, constant))
            return Costs(networks, guessed, scored.weights, drawing)

        answers = validation.taken(self.validation.guess) if calibrated is None else calibrated.after
        return (costs(self.train, train, train.taken(self.train.guess)), costs(self.validation, validation, answers))
