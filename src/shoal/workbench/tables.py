"""What is in the data that are chosen, read once for all pages and tabs."""

from __future__ import annotations

import threading
import warnings
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from shoal.data import Dataset, load_dataset
from shoal.data.describe import Description, describe
from shoal.data.target_choice import TargetMissing
from shoal.errors import ShoalWarning
from shoal.steps.reading import loading_options
from shoal.workbench.state import State

_MOST_KEPT = 4
_FOR_TARGETS = ("task", "y_err", "y_cov", "window", "series", "season", "horizon", "per_step")


@dataclass(frozen=True, eq=False)
class Look:
    """Data as they are read with the settings of a state.

    Attributes:
        dataset: the rows and columns.
        description: what a careful person would want to know.
        headline: what is predicted, or why nothing is yet.
    """

    dataset: Dataset
    description: Description
    headline: str


class Looks:
    """The data that were looked at last, so that pages and tabs need not read them again."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Any, Look] = OrderedDict()
        self._mutex = threading.Lock()

    def look(self, state: State, folder: Path) -> Look:
        """Read and describe the data of a state; this may take a while.

        Raises:
            DataError: they cannot be used as they are.
            SettingError: a setting makes no sense.
        """
        source, options = state.source(folder), loading_options(state.checked(folder))
        key = (source, _stamp(source), repr(options))
        with self._mutex:  # two tabs that ask for the same wait for one reading
            if key not in self._kept:
                self._kept[key] = _read(source, options)
                while len(self._kept) > _MOST_KEPT:
                    self._kept.popitem(last=False)
            self._kept.move_to_end(key)
            return self._kept[key]


LOOKS = Looks()


def _stamp(source: str) -> tuple[int, int] | None:
    try:
        status = Path(source).stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size


def _read(source: str, options: Mapping[str, Any]) -> Look:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ShoalWarning)
        try:
            dataset = load_dataset(source, **options)
            return Look(dataset, describe(dataset), dataset.announcement())
        except TargetMissing as missing:  # the columns are shown all the same: one looks at them to choose
            plain = {name: value for name, value in options.items() if name not in _FOR_TARGETS}
            dataset = load_dataset(source, **plain, reconstruct=True)
            described = replace(describe(dataset), task_name="no target named")
            return Look(dataset, described, f"predicting nothing yet: {missing}")
