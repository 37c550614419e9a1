"""All looks at the same test rows in a folder of runs.

Whoever tries four learning rates, compares the four runs and takes the best has chosen by the test rows, though each
run opened them once. A fit is a look, since its scores are seen; so is whatever scores a finished run on its test rows
again: `compare`, `evaluate`, `select` (the cut is chosen on validation rows, but quoted on test rows), `systematics`
and `formula --test`. `explain` asks validation rows and `predict` sees no truth, so that they are none.

A look is known by what was seen, not by when or where: a fit by its scores, a later look by its command, the fits that
were looked at together, and how many looks they had before. So runs may be copied and moved, and nothing counts twice;
two copies that are looked at in the same way count as one. Runs whose folder was removed are not seen.

What other runs did enters the page of a run, in an element of its own, but neither `metrics.json` nor the model: the
same command still gives the same files, but for that sentence.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shoal.errors import RunError
from shoal.evaluation.looks import Looks, looks_of
from shoal.evaluation.sealed import checksum_of_rows
from shoal.results import Task
from shoal.runs import metrics_file, page_file
from shoal.runs.folder import RunFolder
from shoal.runs.lock import locked
from shoal.runs.looks_file import read_replaced


@dataclass(frozen=True)
class _Seen:
    """A run of a folder, what it was scored on, its own look and the later ones."""

    folder: RunFolder
    rows: str
    fit: str
    later: tuple[str, ...]
    task: Task


def checksum_of(folder: RunFolder, metrics: dict[str, Any]) -> str:
    """Return by what a run knows its test rows; empty where an earlier shoal did not keep enough to tell.

    Raises:
        RunError: a file of the run is damaged.
    """
    if "test_checksum" in metrics:
        return str(metrics["test_checksum"])
    if not folder.has_scored:
        return ""
    data, rows = str(folder.config["data"].get("sha256")), folder.scored("test").rows
    return checksum_of_rows(data, Task(metrics["task"]), metrics["target"], rows)


def looks_at(folders: Sequence[RunFolder]) -> Looks:
    """Return how often the test rows of some runs, which share them, were looked at in the folders that hold the runs.

    Args:
        folders: one run, or several with the same test rows.

    Raises:
        RunError: `metrics.json` of the first run is missing or damaged.
    """
    rows = checksum_of(folders[0], folders[0].metrics())
    roots = sorted({folder.path.resolve().parent for folder in folders})
    return _counted(rows, roots) if rows else Looks(1)


def looks_in(root: str | Path) -> dict[str, tuple[tuple[str, ...], Looks]]:
    """Return by test rows, those that several runs of a folder share, the names of these runs and their looks."""
    by_rows: dict[str, list[str]] = {}
    for seen in _seen(Path(root)):
        by_rows.setdefault(seen.rows, []).append(seen.folder.name)
    replaced = {rows for path in _folders(Path(root)) for rows in read_replaced(path)}
    several = {rows: tuple(names) for rows, names in by_rows.items() if len(names) > 1 or rows in replaced}
    shared = {rows: (names, _counted(rows, [Path(root)])) for rows, names in several.items() if rows}
    return {rows: (names, looks) for rows, (names, looks) in shared.items() if looks.runs > 1}


def count_look(by: str, folders: Sequence[RunFolder]) -> list[int]:
    """Count one look at the test rows of each run, together, in `metrics.json` and on the page.

    Returns:
        How often the test rows of each have been opened now.

    Raises:
        RunError: a file cannot be read or written.
    """
    with ExitStack() as locks:
        for path in sorted({folder.path.resolve() for folder in folders}):
            locks.enter_context(locked(path))
        metrics = [folder.metrics() for folder in folders]
        before = max(len(of_run.get("test_looks", [])) for of_run in metrics)
        fits = sorted(metrics_file.look_of_fit(of_run) for of_run in metrics)
        look = {"by": by, "id": metrics_file.checksum([by, fits, before])}
        openings = [metrics_file.count_opening(folder.path, look) for folder in folders]
        for folder, times in zip(folders, openings, strict=True):
            page_file.write_openings(folder.path, times)
        for folder in folders:
            write_looks(folder)
    return openings


def write_looks(folder: RunFolder) -> None:
    """Write into the page of a finished run how often its test rows were looked at by all runs beside it."""
    page_file.write_looks(folder.path, looks_at([folder]).sentence)


def _counted(rows: str, roots: Sequence[Path]) -> Looks:
    runs = [seen for root in roots for seen in _seen(root, rows)]
    fits = {seen.fit: seen for seen in runs}
    replaced = {look for root in roots for path in _folders(root) for look in read_replaced(path).get(rows, [])}
    later = {look for seen in runs for look in seen.later}
    kept = [seen.folder.scored("test") for seen in fits.values() if seen.folder.has_scored]
    gone = len(replaced - set(fits))
    if not runs:
        return Looks(1)
    block = runs[0].folder.block_of(len(kept[0].rows)) if kept else 1
    return looks_of(runs[0].task, kept, len(fits) + gone, gone, len(later), block)


def _seen(root: Path, rows: str | None = None) -> Iterator[_Seen]:
    """Give the finished runs of a folder, or those with these test rows; damaged ones are left out."""
    for path in _folders(root):
        folder = RunFolder(path)
        try:
            document = (path / metrics_file.NAME).read_bytes()
            if rows and b'"test_checksum"' in document and rows.encode() not in document:
                continue  # most runs of a folder need not be parsed
            metrics = folder.metrics()
            of_run = checksum_of(folder, metrics)
            later = tuple(str(look["id"]) for look in metrics.get("test_looks", []))
            opened = metrics.get("test_openings", 1) > 0  # never by a run that diverged
            if opened and rows in (None, of_run):
                yield _Seen(folder, of_run, metrics_file.look_of_fit(metrics), later, Task(metrics["task"]))
        except (OSError, RunError, KeyError, TypeError, ValueError):
            continue


def _folders(root: Path) -> list[Path]:
    try:
        return sorted(path for path in root.iterdir() if path.is_dir() and not path.name.startswith("."))
    except OSError:
        return []
