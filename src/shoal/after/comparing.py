"""Finished runs beside each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from shoal.after.opening import as_run
from shoal.data.labels import label_names
from shoal.errors import RunError, listing
from shoal.evaluation.compare import Comparison, Contender, ScoresByFold, compare_contenders
from shoal.evaluation.predicted_rows import PredictedRows
from shoal.results import Task
from shoal.run import Run
from shoal.runs.looks import looks_at

# What decides which row is in which fold.
_DEALING = ("cv", "repeats", "seed", "group", "time", "test_size", "validation_size", "test")


def compare(*runs: Run | str | Path) -> Comparison:
    """Compare runs with the first of them on the test rows that they have in common.

    Args:
        runs: two or more runs or their folders, fitted on the same data with the same split.

    Raises:
        RunError: their test rows differ; the message says how to make them agree. Or those of a run are sealed.
    """
    opened = [as_run(run) for run in runs]
    comparison = compared(opened)
    opened[0].count_opening("compare", *opened[1:])
    return replace(comparison, looks=looks_at([run.folder for run in opened]))


def compared(runs: Sequence[Run]) -> Comparison:
    """Return the comparison of runs with the first of them, not counted as a look at their test rows.

    Raises:
        RunError: as for `compare`.
    """
    named = zip(runs, distinct_names(runs), strict=True)
    return compare_contenders([contender(run, name, run.folder.scored("test")) for run, name in named])


def distinct_names(runs: Sequence[Run]) -> list[str]:
    """Return by what to call runs: their names, or where two have the same their folders.

    Raises:
        RunError: a run is given more than once.
    """
    names = [run.name for run in runs]
    if len(set(names)) < len(names):
        names = [str(run.path) for run in runs]
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise RunError(f"{listing(repeated)} is given more than once; name different runs")
    return names


def contender(run: Run, name: str, test: PredictedRows) -> Contender:
    """Return what a run has to compare on its test rows."""
    metrics, config = run.metrics, run.folder.config
    settings = config["settings"]
    dealt = {key: settings.get(key) for key in _DEALING} | {"loss": settings.get("loss"), "cv": metrics["search"]["cv"]}
    return Contender(
        name,
        Task(metrics["task"]),
        str(config["data"].get("sha256")),
        tuple(metrics["target"]),
        label_names(metrics["data"]["classes"]),
        test,
        # rolling folds learn from ever more rows, which no resampling does that the corrected t test is made for
        _fold_scores(run) if metrics["search"]["cv"] and "rolling" not in metrics["search"] else None,
        dealt,
        run.folder.block_of(len(test.rows)),
    )


def _fold_scores(run: Run) -> ScoresByFold:
    """Return the scores of the networks of the best kept candidate by repeat and fold."""
    best = run.metrics["search"]["kept"][0]["candidate"]
    table = run.networks.filter(run.networks["candidate_id"] == best)
    places = zip(table["repeat"].to_list(), table["fold"].to_list(), strict=True)
    return dict(zip(places, table["score"].to_list(), strict=True))
