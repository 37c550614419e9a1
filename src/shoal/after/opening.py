"""The run that is meant."""

from __future__ import annotations

from pathlib import Path

from shoal.run import Run, load


def as_run(run: Run | str | Path) -> Run:
    """Return a run, opened if it is given by its folder."""
    return run if isinstance(run, Run) else load(run)
