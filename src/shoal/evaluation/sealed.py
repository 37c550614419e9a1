"""The test rows, closed until the end."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from shoal.data import Dataset, Inputs
from shoal.errors import RunError
from shoal.results import Task


@dataclass
class SealedRows:
    """Rows that nothing can look at before `open` is called; every opening is counted.

    Those that are `for_later` stay closed while the run is fitted: `shoal open` reads them again.
    """

    _dataset: Dataset
    _rows: np.ndarray
    for_later: bool = False
    openings: int = field(default=0, init=False)

    def __len__(self) -> int:
        return len(self._rows)

    @cached_property
    def opened(self) -> tuple[Inputs, np.ndarray, np.ndarray | None]:
        """What `open` returns, opened once."""
        return self.open()

    def open(self) -> tuple[Inputs, np.ndarray, np.ndarray | None]:
        """Return what to predict from, the targets and the weights of the rows.

        Raises:
            RunError: they are kept for later.
        """
        if self.for_later:
            raise RunError("the test rows of this run are sealed; `shoal open` opens them")
        self.openings += 1
        weights = self._dataset.weights()
        taken = None if weights is None else weights[self._rows]
        return self._dataset.inputs(self._rows), self._dataset.y()[self._rows], taken


class SealedTarget(SealedRows):
    """The same rows with one of several targets; who first opens one of them opens all."""

    def __init__(self, rows: SealedRows, number: int) -> None:
        super().__init__(rows._dataset, rows._rows)
        self._all, self._number = rows, number

    def open(self) -> tuple[Inputs, np.ndarray, np.ndarray | None]:
        """Return what to predict from, the one target and the weights of the rows."""
        self.openings += 1
        inputs, y, weights = self._all.opened
        return inputs, y[:, self._number], weights


def checksum_of_rows(data: str, task: Task, targets: Sequence[str], rows: np.ndarray) -> str:
    """Return by what runs know that they were tested on the same rows: SHA-256 of data, task, targets and places.

    Args:
        data: the checksum of the data, see `Dataset.sha256`.
        task: what is learnt.
        targets: names of what is predicted.
        rows: `(rows,)` places of the test rows in the data.

    Example:
        >>> checksum_of_rows("ab", Task.REGRESSION, ["y"], np.array([1, 5]))[:8]
        '316e460c'
    """
    digest = hashlib.sha256("\0".join([data, Task(task).value, *targets, ""]).encode())
    digest.update(np.asarray(rows, "<i8").tobytes())
    return digest.hexdigest()
