"""The folder of a new run: what shoal puts into it, its name, and what it may replace."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable
from pathlib import Path

from shoal.errors import RunError
from shoal.runs import (
    checkpoint,
    config_file,
    live_file,
    lock,
    log,
    looks_file,
    metrics_file,
    model_file,
    page_file,
    scored_file,
)
from shoal.runs.lock import locked
from shoal.runs.writing import is_part

MODEL, FIGURES, FORMULA, SYSTEMATICS, EXPLANATION = "model", "figures", "formula", "systematics", "explanation"
TRACKING = "tracking"
EVOLUTION = "evolution.json"  # of a run of `shoal evolve`, which has none of the files of a fit
TARGETS = "targets"  # of classes, where there are several: a run of each
# All that shoal itself puts into a run folder; nothing else is ever removed.
CONTENTS = (
    config_file.NAME,
    log.NAME,
    metrics_file.NAME,
    scored_file.NAME,
    page_file.NAME,
    MODEL,
    FIGURES,
    SYSTEMATICS,
    EXPLANATION,
    FORMULA,
    TRACKING,
    TARGETS,
    live_file.NAME,
    checkpoint.FOLDER,
    checkpoint.SEALED,
)
ESSENTIAL = (metrics_file.NAME, f"{MODEL}/{model_file.DOCUMENT}")
FOLDERS = (MODEL, FIGURES, SYSTEMATICS, EXPLANATION, FORMULA, checkpoint.FOLDER, checkpoint.SEALED)


def folders_of_targets(names: Iterable[str]) -> list[str]:
    """Return where in the folder of a run those of its targets lie.

    Example:
        >>> folders_of_targets(["sex", "Sex", "age in years"])
        ['targets/1-sex', 'targets/2-Sex', 'targets/age-in-years']
    """
    slugs = [slug(name) for name in names]
    alike = [sum(other.lower() == each.lower() for other in slugs) > 1 for each in slugs]
    return [f"{TARGETS}/{f'{i}-' * same}{each}" for i, (each, same) in enumerate(zip(slugs, alike, strict=True), 1)]


def slug(name: str) -> str:
    """Return a file name made of the name of the data.

    Example:
        >>> slug("data/Über messungen 3.csv.gz"), slug("iris")
        ('Über-messungen-3', 'iris')
    """
    stem = Path(str(name)).name
    stem = re.sub(r"(\.[A-Za-z][A-Za-z0-9]{0,7}){1,2}$", "", stem) or stem
    return re.sub(r"[^\w.+-]+", "-", stem).strip("-.")[:80] or "run"


def numbered(root: Path, name: str) -> Path:
    """Make the folder `root/name-number` with the next free number and return it."""
    root.mkdir(parents=True, exist_ok=True)
    pattern = re.compile(re.escape(name) + r"-(\d+)")
    taken = [int(match[1]) for entry in root.iterdir() if (match := pattern.fullmatch(entry.name))]
    number = max(taken, default=0) + 1
    while True:
        # mkdir decides who gets a number when two runs start at once.
        try:
            (root / f"{name}-{number}").mkdir()
        except FileExistsError:
            number += 1
        else:
            return root / f"{name}-{number}"


def exact(path: Path, force: bool) -> Path:
    """Make the folder of a new run where it is asked for and return it, without the run that it replaces if it may.

    Raises:
        RunError: it is not empty, holds something other than a run, or is being written by another process.
    """
    if path.exists() and not path.is_dir():
        raise RunError(f"{str(path)!r} is a file; expected a new folder for the run. Choose another with --out.")
    path.mkdir(parents=True, exist_ok=True)
    who = lock.writer(path)
    if who is not None:
        raise lock.busy(path, who)
    if not _content(path):
        return path
    if not force:
        raise not_empty(path)
    if not (path / config_file.NAME).is_file():
        raise RunError(
            f"{str(path)!r} holds no run ({config_file.NAME} is missing), so --force does not replace it. "
            "Choose another folder with --out."
        )
    with locked(path):
        looks_file.keep_look(path)
        for part in (checkpoint.FOLDER, *CONTENTS):  # a run that is half removed is not to look finished
            remove(path / part)
    return path


def _content(path: Path) -> list[Path]:
    """Return what is in a folder, but for what a killed process leaves."""
    return [entry for entry in path.iterdir() if entry.name != lock.NAME and not is_part(entry)]


def not_empty(path: Path) -> RunError:
    """Return that a folder is taken."""
    return RunError(
        f"the folder {str(path)!r} exists and is not empty. Choose another with --out, or replace "
        "the run in it with --force."
    )


def remove(path: Path) -> None:
    """Remove a file or a folder, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
