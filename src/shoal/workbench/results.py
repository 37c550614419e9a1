"""A finished run as the page of results asks it: networks, and the rows behind a score; read once for all tabs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from shoal.after.rows_of_fit import Refusals, RowsOfFit, read_rows_of_fit
from shoal.data.labels import label_names
from shoal.errors import RunError
from shoal.evaluation.predicted_rows import PredictedRows
from shoal.results import readable
from shoal.run import Run, load
from shoal.workbench.recent import Recent
from shoal.workbench.whatif import WhatIf

MOST_ROWS = 50  # that are shown at a time
_REFUSALS = Refusals(
    not_kept="{run} was fitted on data from Python, which are not kept: only numbers of rows are known.",
    unreadable="the rows of {run} cannot be read again: {error}",
    changed="the data in {source!r} have changed since {run} was fitted, so that its rows are not known any more.",
)


@dataclass(eq=False)
class Result:
    """A finished run, and what was computed of it.

    Attributes:
        run: the run.
    """

    run: Run

    @cached_property
    def networks(self) -> pl.DataFrame:
        """The networks that were trained."""
        return self.run.networks

    @cached_property
    def candidates(self) -> pl.DataFrame:
        """The candidates with a column for each hyperparameter."""
        return self.run.candidates

    @cached_property
    def what_if(self) -> WhatIf:
        """One row made by hand.

        Raises:
            SettingError: the run is of images or series.
        """
        return WhatIf(self.run.predictor)

    @cached_property
    def rows_of_fit(self) -> RowsOfFit:
        """The rows of the fit, read again.

        Raises:
            RunError: they cannot be read again, or have changed.
        """
        return read_rows_of_fit(self.run, _REFUSALS)

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes, none for numbers."""
        return label_names(self.run.metrics["data"].get("classes") or ())

    def network(self, number: int) -> list[tuple[str, str]]:
        """Return what there is to say of a network: its scores and its hyperparameters, in words.

        Raises:
            RunError: there is no such network.
        """
        rows = self.networks.filter(pl.col("id") == number)
        if not len(rows):
            raise RunError(f"the run has no network {number}.")
        row = rows.row(0, named=True)
        told = [
            ("status", row["status"].replace("_", " ") + (", kept in the ensemble" if row["kept"] else "")),
            ("score (cross-fitted validation loss)", _shown(row["score"])),
            ("validation loss", _shown(row["validation_loss"])),
            ("training loss", _shown(row["train_loss"])),
            ("epochs", f"{row['epochs']}, the best was {row['best_epoch']}"),
            ("parameters", f"{row['parameters'] or 0:,}"),
        ]
        if row["fold"] is not None:
            told.append(("fold", f"{row['fold']}, repeat {row['repeat']} of candidate {row['candidate_id']}"))
        chosen = json.loads(row["candidate"])
        return [
            *told,
            *[(name.replace("_", " "), _shown(value)) for name, value in chosen.items() if value not in (None, "")],
        ]

    def scored(self, part: str) -> PredictedRows:
        """Return the `validation` or `test` rows with what was predicted for them.

        Raises:
            RunError: the test rows are sealed, or the run keeps none.
        """
        return self.run.folder.scored(part)

    def confusion(self, part: str) -> np.ndarray:
        """Return how many rows of each class, in rows, were taken for each class, in columns."""
        rows = self.scored(part)
        counts = np.zeros((len(self.classes),) * 2, np.int64)
        np.add.at(counts, (_numbers(rows.truth), rows.guess.argmax(axis=1)), 1)
        return counts

    def places_of_cell(self, part: str, true: int, taken: int) -> np.ndarray:
        """Return the places in the data of the rows in a cell of the confusion matrix, those that are surest first."""
        rows = self.scored(part)
        inside = (_numbers(rows.truth) == true) & (rows.guess.argmax(axis=1) == taken)
        sure = rows.guess.max(axis=1)
        return rows.rows[inside][np.argsort(-sure[inside], kind="stable")]

    def table(self, part: str, places: Sequence[int]) -> tuple[list[str], list[list[str]]]:
        """Return heads and texts of some rows: what they hold, and what was predicted for them, the first fifty.

        Raises:
            RunError: the rows cannot be read again.
        """
        rows = self.scored(part)
        where = {int(place): i for i, place in enumerate(rows.rows.tolist())}
        kept = [place for place in places if place in where][:MOST_ROWS]
        dataset = self.rows_of_fit.dataset
        frame = dataset.table[kept]
        names = [name for name in frame.columns][:24]
        heads, lines = ["row", *self._heads(), *names], []
        for place, row in zip(kept, frame.select(names).iter_rows(), strict=True):
            lines.append([str(int(dataset.kept[place]) + 1), *self._predicted(rows, where[place]), *map(_shown, row)])
        return heads, lines

    def _heads(self) -> list[str]:
        return ["true", "predicted", "probability"] if self.classes else ["true", "predicted"]

    def _predicted(self, rows: PredictedRows, i: int) -> list[str]:
        if self.classes:
            best = int(rows.guess[i].argmax())
            return [
                self.classes[int(_numbers(rows.truth)[i])],
                self.classes[best],
                readable(float(rows.guess[i, best])),
            ]
        return [", ".join(_shown(v) for v in np.atleast_1d(values[i]).tolist()) for values in (rows.truth, rows.guess)]


class Results:
    """The runs that were looked at last."""

    def __init__(self, most: int = 6) -> None:
        self._recent = Recent[Result](most)

    def result(self, path: Path) -> Result:
        """Return a finished run; it is read again when its numbers have changed.

        Raises:
            RunError: it is not there, not finished, or damaged.
        """
        try:
            changed = (path / "metrics.json").stat().st_mtime
        except OSError:
            changed = 0.0  # loading says why
        return self._recent.get((path, changed), lambda: Result(load(path)))


RESULTS = Results()


def _numbers(truth: np.ndarray) -> np.ndarray:
    """Return the class of each row, whether truth holds classes or the share of each."""
    return truth.astype(np.int64) if truth.ndim == 1 else truth.argmax(axis=1)


def _shown(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, float | np.floating):
        return readable(float(value), 4)
    if isinstance(value, list | tuple):
        return ", ".join(map(_shown, value))
    return str(value)
