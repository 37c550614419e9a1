"""The test rows, closed until the end."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from shoal.data import Dataset, Inputs


@dataclass
class SealedRows:
    """Rows that nothing can look at before `open` is called; every opening is counted."""

    _dataset: Dataset
    _rows: np.ndarray
    openings: int = field(default=0, init=False)

    def __len__(self) -> int:
        return len(self._rows)

    def open(self) -> tuple[Inputs, np.ndarray, np.ndarray | None]:
        """Return what to predict from, the targets and the weights of the rows."""
        self.openings += 1
        weights = self._dataset.weights()
        taken = None if weights is None else weights[self._rows]
        return self._dataset.inputs(self._rows), self._dataset.y()[self._rows], taken
