"""A finished run on several targets of classes, each of which has a run of its own."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from shoal.data import ReadOptions
from shoal.data.new_rows import read_new
from shoal.data.raw import Raw
from shoal.errors import SettingError, ShoalWarning, counted, listing
from shoal.prediction.prediction import TargetPredictions
from shoal.prediction.predictor import Predictor
from shoal.results import Interval, Task
from shoal.run.single import Run

if TYPE_CHECKING:
    from shoal.data.preparation import Preparation


class RunOfTargets(Run):
    """A run on several targets of classes; `targets` are the runs of each, which answer what is asked of one.

    Example:
        >>> import shoal, tempfile
        >>> table = {"x": [0.1 * i for i in range(60)], "hot": [False, True, True] * 20, "wet": [True, False] * 30}
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     network = {"networks": 1, "hidden": (4,), "epochs": 2}
        ...     run = shoal.fit(table, target=["hot", "wet"], **network, out=folder + "/weather")
        ...     sorted(run.targets), run.predict(table)["wet"].probabilities.shape
        (['hot', 'wet'], (60, 2))
    """

    reconstructs = False

    @cached_property
    def targets(self) -> dict[str, Run]:
        """The run of each target, by its name."""
        return {name: Run(folder) for name, folder in self.folder.targets.items()}

    @property
    def predictor(self) -> Predictor:
        """None of all targets together.

        Raises:
            SettingError: always; the message names the runs that have one.
        """
        raise SettingError(
            f"{self.name} predicts {counted(len(self.targets), 'target')}, each of which has a run of its own for what "
            f"is asked of one: {listing(str(run.path) for run in self.targets.values())}"
        )

    @property
    def preparation(self) -> Preparation:
        """That of the first target; all read tables alike."""
        return next(iter(self.targets.values())).preparation

    def _ask_each(self, data: Any, options: ReadOptions | None, ask: Callable[[Run, Raw], Any]) -> dict[str, Any]:
        """Return what the run of each target answers of the same data; the first gives the warnings of all."""
        (name, first), *others = self.targets.items()
        uncut = read_new(data, first.predictor.preparation, options)
        answers = {name: ask(first, uncut)}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ShoalWarning)
            return answers | {name: ask(run, uncut) for name, run in others}

    def predict_read(self, uncut: Raw) -> tuple[pl.DataFrame, TargetPredictions, tuple[str, ...]]:  # type: ignore[override]
        """Return the rows beside what the ensemble says of each target of them; the first target gives the notes."""
        tables, predictions, notes = zip(*(run.predict_read(uncut) for run in self.targets.values()), strict=True)
        return tables[0], TargetPredictions(dict(zip(self.targets, predictions, strict=True))), notes[0]

    def evaluate(self, data: Any, options: ReadOptions | None = None) -> dict[str, Interval]:
        """Return every metric of all targets together, and of each target, as `accuracy of sex`, on labelled rows.

        See `Run.evaluate`.
        """
        from shoal.statistics.joint import joint_intervals

        answers = self._ask_each(data, options, lambda run, uncut: run._evaluated(uncut, None))
        seen = [
            run
            for run, (rows, guess, _) in zip(self.targets.values(), answers.values(), strict=True)
            if run._holds_test_rows(rows, guess)
        ]
        for run in seen:
            run.count_opening("evaluate")
        rows = next(iter(answers.values()))[0]
        if seen:
            warnings.warn(self._opened_again("evaluate") + self._flatters(rows), ShoalWarning, stacklevel=2)
        truth = np.stack([rows.y for rows, _, _ in answers.values()], axis=1)
        predicted = np.stack([guess.argmax(axis=1) for _, guess, _ in answers.values()], axis=1)
        drawing: dict[str, Any] = {"labels": "f1_macro" in self.metrics["test"], "seed": int(self.metrics["seed"])}
        scores, _ = joint_intervals(
            truth, predicted, rows.weights, groups=rows.scored(Task.CLASSIFICATION).groups, **drawing
        )
        for name, (_, _, of_target) in answers.items():
            scores |= {f"{metric} of {name}": score for metric, score in of_target.items()}
        return scores

    def unknown_categories(self, table: pl.DataFrame) -> dict[str, int]:
        """Return for each column the number of rows with a category that training did not see."""
        return next(iter(self.targets.values())).unknown_categories(table)
