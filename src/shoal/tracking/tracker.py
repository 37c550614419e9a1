"""What a tracker is, and how a finished run is told to one without being lost where that fails."""

from __future__ import annotations

import importlib.util
import warnings
from importlib import import_module
from textwrap import shorten
from typing import Protocol, cast

from shoal.errors import SettingError, ShoalWarning
from shoal.runs.folder import RunFolder
from shoal.runs.new_folder import TRACKING
from shoal.tracking import trackers
from shoal.tracking.finished import FinishedRun, read_finished

LONGEST = 200  # letters of what a tracker says of its failure


class Tracker(Protocol):
    """A module of `shoal.tracking.trackers`, known by its file name, which is also the extra that brings its package.

    Attributes:
        PACKAGE: as it is imported.
    """

    PACKAGE: str

    def write(self, run: FinishedRun, folder: str) -> None:
        """Tell a tracker of a run.

        Args:
            run: what there is to tell.
            folder: where the tracker writes, unless the user has named a place of their own for it.

        Raises:
            Exception: whatever stands in its way.
        """


def get_tracker(name: str) -> Tracker:
    """Return the tracker of this name."""
    return cast(Tracker, import_module(f"{trackers.__name__}.{name}"))


def check_tracker(name: str | None) -> None:
    """Raise SettingError with the line that installs the package of a tracker, if it is missing; None needs none."""
    if name is not None and importlib.util.find_spec(get_tracker(name).PACKAGE) is None:
        raise SettingError(f"track={name!r} needs an extra package. Install it with: pip install 'shoal[{name}]'")


def track(name: str | None, folder: RunFolder) -> None:
    """Tell a tracker of the run in a folder, None: nobody; what stands in its way becomes a ShoalWarning.

    Args:
        name: of the tracker.
        folder: of a finished run; what is written beside it lies in `tracking/<name>`.
    """
    if name is None:
        return
    try:
        get_tracker(name).write(read_finished(folder), str(folder.path.resolve() / TRACKING / name))
    except Exception as error:  # the run is finished, and nothing of a tracker's may lose it
        what = shorten(str(error), LONGEST, placeholder=" …") or "no message"
        text = f"{name} was not told of the whole run ({type(error).__name__}: {what}); the run itself is kept"
        warnings.warn(f"{text} in {folder.path}", ShoalWarning, stacklevel=3)
