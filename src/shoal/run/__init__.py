"""A finished run as its user holds it; `load` gives it from its folder."""

from __future__ import annotations

from pathlib import Path

from shoal.run.of_targets import RunOfTargets as RunOfTargets
from shoal.run.single import Run as Run
from shoal.runs.folder import RunFolder


def run_in(folder: RunFolder) -> Run:
    """Return the run in a folder."""
    return RunOfTargets(folder) if folder.targets else Run(folder)


def load(path: str | Path) -> Run:
    """Return a finished run from its folder; nothing in the folder is ever executed.

    Raises:
        RunError: the folder is missing, damaged (the file is named) or of a newer format, or the run is not finished.
    """
    folder = RunFolder.open(path)
    folder.check_finished()
    return run_in(folder)
