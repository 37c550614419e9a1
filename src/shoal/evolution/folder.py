"""The folder of an evolution: `evolution.json`, `log.csv`, the champions, figures, page and animation."""

from __future__ import annotations

from dataclasses import asdict, fields, is_dataclass, replace
from pathlib import Path
from typing import Any

from shoal.errors import RunError
from shoal.evolution.environments import ENVIRONMENTS
from shoal.evolution.evolved import Champion, Evolved
from shoal.evolution.judging import Judged
from shoal.evolution.page import FIGURES, PAGE, write_page
from shoal.evolution.policy import MENDING, Policy
from shoal.evolution.tasks.environment import EnvironmentTask
from shoal.report.figures.export import csv_text
from shoal.runs.documents import json_text, read_json, sealed, shoal_version
from shoal.runs.new_folder import EVOLUTION, not_empty, remove
from shoal.runs.writing import is_part, write_atomically

FORMAT = 1
NAME, LOG, MODEL = EVOLUTION, "log.csv", "model"
MEAN, CHAMPIONS, ENSEMBLE = "mean", "champions", "ensemble"
ANIMATION = "champion.gif"
CONTENTS = (NAME, LOG, MODEL, MEAN, CHAMPIONS, ENSEMBLE, ANIMATION, FIGURES, PAGE)


def new_folder(path: Path, force: bool) -> Path:
    """Make the folder of a run where it is asked for, without the evolution that it replaces if it may.

    Raises:
        RunError: it is not empty, or holds something other than an evolution.
    """
    if path.exists() and not path.is_dir():
        raise RunError(f"{str(path)!r} is a file; expected a new folder for the run. Choose another with --out.")
    path.mkdir(parents=True, exist_ok=True)
    if not [entry for entry in path.iterdir() if not is_part(entry)]:
        return path
    if not force:
        raise not_empty(path)
    if not (path / NAME).is_file():
        raise RunError(
            f"{str(path)!r} holds no evolution ({NAME} is missing), so --force does not replace it. Choose another "
            f"folder with --out."
        )
    for part in CONTENTS:
        remove(path / part)
    return path


def write_run(run: Evolved, folder: Path) -> Evolved:
    """Write all files of a run, `evolution.json` last, and return it with its path.

    Raises:
        RunError: a file cannot be written.
    """
    write_atomically(folder / LOG, csv_text({name: run.log[name].to_list() for name in run.log.columns}))
    run.champion.save(folder / MODEL)
    run.mean.save(folder / MEAN)
    for each in run.champions:
        run.policy(each.learnt.champion).save(folder / CHAMPIONS / str(each.learnt.seed))
    if run.ensemble is not None:
        run.ensemble.save(folder / ENSEMBLE)
    write_page(run, folder)
    if isinstance(run.task, EnvironmentTask):
        run.animate(folder / ANIMATION)
    write_atomically(folder / NAME, json_text(sealed({"format": FORMAT, "shoal": shoal_version(), **document(run)})))
    return replace(run, path=folder)


def document(run: Evolved) -> dict[str, Any]:
    """Return the run as plain data: how it was learnt, what it cost and what came of it."""
    plan, together = run.plan, run.together
    options = vars(plan.algorithm)
    settings = {part.name: getattr(plan, part.name) for part in fields(plan) if part.name != "algorithm"}
    settings |= {"population": plan.population or plan.algorithm.members, "sigma": plan.sigma or plan.algorithm.sigma}
    settings |= {"seed": run.champions[0].learnt.seed, "seeds": len(run.champions)}
    return {
        "task": run.task.name,
        "environment": run.task.name
        if isinstance(run.task, EnvironmentTask) and run.task.name in ENVIRONMENTS
        else None,
        "network": run.network.to_dict(),
        "parameters": run.network.parameter_count,
        "algorithm": {"name": plan.algorithm.name, **options},
        "settings": settings,
        "best_seed": run.best.learnt.seed,
        "champions": [_champion(each) for each in run.champions],
        "together": {name: _plain(value) for name, value in vars(together).items()},
        "ensemble": None if run.averaged is None else _judged(run.averaged[2]),
    }


def _champion(each: Champion) -> dict[str, Any]:
    learnt = each.learnt
    cost = {name: getattr(learnt, name) for name in ("evaluations", "steps", "seconds", "ended", "failure")}
    failed = sum(one.failed for one in learnt.generations)
    return {
        "seed": learnt.seed,
        "generations": len(learnt.generations),
        **cost,
        "failed": failed,
        "selection_score": learnt.score,
        "test": _judged(each.test),
        "mean_test": _judged(each.mean_test),
    }


def _judged(judged: Judged) -> dict[str, Any]:
    return {"starts": judged.starts, "fitness": _plain(judged.fitness), "success": _plain(judged.success)}


def _plain(value: Any) -> Any:
    return asdict(value) if is_dataclass(value) and not isinstance(value, type) else value


def is_evolution(folder: str | Path) -> bool:
    """Return whether a folder holds a finished evolution."""
    return (Path(folder) / NAME).is_file()


def read_policy(folder: str | Path) -> tuple[Policy, dict[str, Any]]:
    """Return the champion of a folder, and its `evolution.json`.

    Raises:
        RunError: a file is missing, damaged or of a newer format.
    """
    said = read_json(Path(folder) / NAME, FORMAT, MENDING)
    return Policy.load(Path(folder) / MODEL), said
