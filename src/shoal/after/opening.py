"""The run that is meant."""

from __future__ import annotations

from pathlib import Path

from shoal.run import Run, RunOfTargets, load


def as_run(run: Run | str | Path) -> Run:
    """Return a run, opened if it is given by its folder.

    Raises:
        SettingError: it has several targets of classes, each of which has a run of its own.
    """
    opened = run if isinstance(run, Run) else load(run)
    if isinstance(opened, RunOfTargets):
        _ = opened.predictor
    return opened
