"""The rows of the fit of a finished run, read again from where the fit read them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from shoal.data import Dataset, Split
from shoal.data.conversion import tidy
from shoal.data.hashing import content_hash
from shoal.errors import DataError, RunError
from shoal.prediction.out_of_fold import rows_to_ask
from shoal.prediction.predictor import Predictor
from shoal.run import Run
from shoal.settings import kept_settings
from shoal.steps.posing import deal_folds
from shoal.steps.reading import read


@dataclass(frozen=True)
class Refusals:
    """What is said where the rows of a fit cannot be had; `{run}`, `{source}` and `{error}` are filled in.

    Attributes:
        not_kept: the fit was on data from Python.
        unreadable: the data are gone, or cannot be read any more.
        changed: the data are not those of the fit.
    """

    not_kept: str
    unreadable: str
    changed: str


@dataclass(frozen=True)
class RowsOfFit:
    """What a fit read, and how it divided the rows.

    Attributes:
        dataset: all rows.
        split: those for training, validation and test.
        folds: `(training rows, repeats)`, the fold of each training row; None without folds.
    """

    dataset: Dataset
    split: Split
    folds: np.ndarray | None

    def validation(self, predictor: Predictor) -> tuple[np.ndarray, np.ndarray | None]:
        """Return the validation rows, and which members of the ensemble answer for each, as `rows_to_ask` has them."""
        return rows_to_ask(predictor, self.split, self.folds)

    def weights(self, rows: np.ndarray) -> np.ndarray | None:
        """Return the weights of some rows, or None."""
        weights = self.dataset.weights()
        return None if weights is None else weights[rows]

    def groups(self, rows: np.ndarray) -> np.ndarray | None:
        """Return the number of the group of each of some rows, counted from 0, or None."""
        groups = self.dataset.groups()
        return None if groups is None else np.unique(groups[rows], return_inverse=True)[1]


def read_rows_of_fit(run: Run, refusals: Refusals, data: Any = None) -> RowsOfFit:
    """Return the rows of the fit of a run.

    Args:
        run: the run.
        refusals: what is said where they cannot be had.
        data: where they are now; by default where the fit read them.

    Raises:
        RunError: they cannot be read again, or are no longer the same.
    """
    data = run.folder.source if data is None else data
    if data is None:
        raise RunError(refusals.not_kept.format(run=run.name))
    config = run.folder.config
    settings = kept_settings(config["settings"], config["data"].get("folds"))
    if settings.task is None and len(run.metrics["target"]) > 1:  # an earlier shoal took labels as numbers
        settings = settings.model_copy(update={"task": "regression"})
    try:
        dataset, split = read(data, settings)
    except DataError as error:
        raise RunError(refusals.unreadable.format(run=run.name, error=error)) from error
    if dataset.sha256 != _checksum_of(run):
        raise RunError(refusals.changed.format(run=run.name, source=dataset.source))
    folds, target = deal_folds(dataset, split, settings), run.folder.config["data"].get("target")
    return RowsOfFit(dataset if target is None else dataset.of_target(target), split, folds)


def holds_rows_of_fit(run: Run, table: pl.DataFrame) -> bool:
    """Return whether a table holds the data of the fit of a run."""
    table = table.drop(list(run.preparation.rules.definitions), strict=False)
    return content_hash(tidy(table)) == _checksum_of(run)


def _checksum_of(run: Run) -> Any:
    return run.folder.config["data"]["sha256"]
