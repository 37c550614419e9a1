"""The runs of a folder at a glance."""

from __future__ import annotations

import datetime
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shoal.errors import RunError, ShoalWarning, listing
from shoal.results import Interval, Task
from shoal.runs import config_file
from shoal.runs.documents import plain
from shoal.runs.folder import START_AGAIN, RunFolder
from shoal.runs.new_folder import EVOLUTION

if TYPE_CHECKING:
    import polars as pl

# The score that stands for a run, by task.
MAIN_SCORE = {Task.CLASSIFICATION: "accuracy", Task.REGRESSION: "rmse", Task.RECONSTRUCTION: "explained_variance"}


@dataclass(frozen=True)
class RunSummary:
    """One finished run in a line.

    `score` is the main score on the test rows (`score_name`, in `unit`), with its 95 % interval, None while they are
    `sealed`, and `validation` the same on validation rows; `seconds` is what the run took, `networks` counts the
    trained ones and `kept` those of the ensemble; `when` is when the run began.
    """

    name: str
    path: Path
    data: str
    task: str
    target: tuple[str, ...]
    score_name: str
    score: Interval | None
    unit: str
    networks: int
    kept: int
    when: datetime.datetime
    sealed: bool = False
    validation: Interval | None = None
    seconds: float | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the summary as plain data for JSON."""
        return dict(plain(asdict(self)))


def runs_table(summaries: Sequence[RunSummary], looks: Mapping[str, int]) -> pl.DataFrame:
    """Return runs as a table, a row each.

    Args:
        summaries: the runs.
        looks: how often the test rows of some runs were looked at, by their names.

    Returns:
        `name`, `path`, `data`, `task`, `target` (several with commas), `score_name`, `score`, `score_low` and
        `score_high` (of the test rows), `validation_score`, `unit`, `networks`, `kept`, `seconds`, `when` (UTC),
        `sealed` and `test_looks`.
    """
    import polars as pl

    number, text, count = pl.Float64, pl.String, pl.Int64
    schema: dict[str, Any] = {
        **dict.fromkeys(("name", "path", "data", "task", "target", "score_name"), text),
        **dict.fromkeys(("score", "score_low", "score_high", "validation_score"), number),
        **{"unit": text, "networks": count, "kept": count, "seconds": number, "when": pl.Datetime("us", "UTC")},
        **{"sealed": pl.Boolean, "test_looks": count},
    }
    rows = []
    for run in summaries:
        score = (None,) * 3 if run.score is None else (run.score.value, run.score.low, run.score.high)
        validation = None if run.validation is None else run.validation.value
        words = run.name, str(run.path), run.data, run.task, ", ".join(run.target), run.score_name
        counts = run.networks, run.kept, run.seconds, run.when.astimezone(datetime.UTC), run.sealed, looks.get(run.name)
        rows.append((*words, *score, validation, run.unit, *counts))
    return pl.DataFrame(rows, schema=schema, orient="row")


def list_runs(root: str | Path = "runs") -> list[RunSummary]:
    """Return the finished runs of a folder, oldest first.

    A run that is damaged or not finished is left out, with a ShoalWarning that says which and why.

    Args:
        root: folder of runs; if there is no such folder, there are no runs.

    Example:
        >>> list_runs("a folder that does not exist")
        []
    """
    summaries, notes = survey(root)
    for note in notes:
        warnings.warn(note, ShoalWarning, stacklevel=2)
    return summaries


def survey(root: str | Path = "runs") -> tuple[list[RunSummary], list[str]]:
    """Return the finished runs of a folder, oldest first, and a note on each folder that was left out.

    Raises:
        RunError: `root` is a file or cannot be read.
    """
    root = Path(root)
    if not root.exists():
        return [], []
    try:
        folders = sorted(entry for entry in root.iterdir() if entry.is_dir() and not entry.name.startswith("."))
    except OSError as error:
        raise RunError(f"cannot list the runs in {str(root)!r}: {error.strerror or error}.") from error
    summaries, notes = [], []
    others = [folder.name for folder in folders if not RunFolder(folder).holds_anything]
    if others:
        notes.append(f"{listing(map(repr, others))} in {str(root)!r}: no {'run' if len(others) == 1 else 'runs'}.")
    for folder in folders:
        if folder.name in others:
            continue
        if (folder / EVOLUTION).is_file():
            notes.append(f"{str(folder)!r} is of `shoal evolve`; its report.html tells what came of it.")
            continue
        try:
            run = RunFolder.open(folder)
            if run.finished:
                summaries.append(summary(run))
            else:
                notes.append(f"{str(folder)!r} is left out: {_why(run)}.")
        except RunError as error:
            notes.append(f"{str(folder)!r} is left out: {error}")
    return sorted(summaries, key=lambda run: (run.when, run.name)), notes


def summary(run: RunFolder) -> RunSummary:
    """Return a finished run in a line.

    Raises:
        RunError: `config.toml` or `metrics.json` is damaged or of a newer format.
    """
    metrics, config = run.metrics(), run.config
    try:
        task = Task(metrics["task"])
        name = "subset_accuracy" if "targets" in metrics else MAIN_SCORE[task]
        if "metrics" in metrics:
            name = str(metrics["metrics"]["chosen"][0])
        score, validation = metrics["test"].get(name), metrics.get("validation", {}).get(name)
        return RunSummary(
            name=run.name,
            path=run.path,
            data=str(metrics["data"]["name"]),
            task=str(metrics["data"]["task"]),
            target=tuple(str(target) for target in metrics["target"]),
            score_name=name,
            score=None if score is None else Interval.of(score),
            networks=int(metrics["networks"]["trained"]),
            kept=int(metrics["networks"]["kept"]),
            when=_moment(run, config.get("created")),
            sealed=run.test_sealed,
            validation=None if validation is None else Interval.of(validation),
            seconds=metrics.get("seconds", {}).get("total"),
            unit=str(metrics.get("units", {}).get("scores", {}).get(name, "")),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise RunError(f"{str(run.path / 'metrics.json')!r} is damaged: it lacks {error}.") from error


def _why(run: RunFolder) -> str:
    """Return why a run that is not finished is none of the list."""
    if run.diverged:
        return f"its networks diverged. {START_AGAIN.rstrip('.')}"
    deleted = "" if run.has_checkpoint or len(run.missing) != 1 else f", or its {run.missing[0]} was deleted"
    return f"the run was not finished{deleted}; {run.how_to_go_on}"


def _moment(run: RunFolder, created: Any) -> datetime.datetime:
    if not isinstance(created, datetime.datetime):
        seconds = (run.path / config_file.NAME).stat().st_mtime
        return datetime.datetime.fromtimestamp(seconds, datetime.UTC)
    return created if created.tzinfo else created.replace(tzinfo=datetime.UTC)
