"""What the best networks of a run say now: along a column or over two, while they train and when they are done.

A run that trains leaves a checkpoint now and then, which holds the weights of every network at its best epoch; its
data and settings are in `config.toml`. The best of them are put together as at the end of a fit, but nothing is known
of their errors yet beyond how far they disagree. This reads the data again, so that it is for a process of its own.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from shoal.errors import RunError, SettingError
from shoal.evaluation.explanation.subject import Subject
from shoal.prediction.error_bars import with_region
from shoal.prediction.predictor import Predictor
from shoal.report.across import decision_boundary_of, regression_curve_of
from shoal.results import Task
from shoal.run import run_in
from shoal.runs.folder import RunFolder
from shoal.search.members import members_of
from shoal.search.strategy import get_strategy
from shoal.settings import kept_settings
from shoal.steps.ensemble import alone
from shoal.steps.posing import Posed
from shoal.steps.proposing import pose_search
from shoal.steps.reading import read
from shoal.training.checkpointing import Checkpoint, checkpoint_from_parts
from shoal.training.engine_choice import choose_engine
from shoal.training.engines.base import seated_at_once
from shoal.training.member import Member, TrainedMember
from shoal.training.packing import member_network
from shoal.training.planner import find_budget
from shoal.workbench import plots

BEST = 8  # networks that are asked
_NATIVE = "native"  # whose states are read without compiling anything


class Preview(NamedTuple):
    """Two plots, the answer and the disagreement, of how many networks, over which columns, and what they are."""

    answer: plots.Plot
    disagreement: plots.Plot
    networks: int
    columns: tuple[str, ...]
    choices: tuple[str, ...]
    what: str


def preview(path: str | Path, columns: Sequence[str] = ()) -> Preview:
    """Return what the best networks of a run say now.

    Args:
        path: the run folder.
        columns: one column for numbers, two for classes; by default those that matter most, or the first.

    Raises:
        SettingError: the run does not predict from a table with numbers.
        RunError: there are no networks to ask yet, or the folder is gone.
    """
    folder = RunFolder.open(path)
    if folder.targets:
        raise SettingError("maps are drawn for one target; choose the run of one of the targets.")
    if folder.finished:
        predictor, what = run_in(folder).predictor, "the finished ensemble"
    else:
        predictor, what = so_far(folder), "the best networks at the last checkpoint"
    if predictor.preparation.task is Task.RECONSTRUCTION or predictor.preparation.signals is not None:
        raise SettingError("maps and curves are drawn for tables that predict; this run is of another kind.")
    choices = along(predictor)
    classes = bool(predictor.preparation.classes)
    needed = 2 if classes else 1
    asked = tuple(name for name in columns if name in choices)[:needed]
    names = (*asked, *[name for name in _important(folder, choices) if name not in asked])[:needed]
    if len(names) < needed:
        raise SettingError(f"a {'map needs two columns' if classes else 'curve needs a column'} of numbers.")
    if classes:
        answer, disagreement = plots.class_map(decision_boundary_of(predictor, (names[0], names[1]), None, None))
    else:
        answer, disagreement = plots.curve(regression_curve_of(predictor, names[0], None, None))
    return Preview(answer, disagreement, len(predictor.members), names, choices, what)


def along(predictor: Predictor) -> tuple[str, ...]:
    """Return the columns along which there is something to draw: numbers and dates."""
    subject = Subject(predictor, np.zeros((0, 0), np.float32))
    return tuple(column.name for column in subject.columns if column.kind in ("number", "date"))


def _important(folder: RunFolder, choices: tuple[str, ...]) -> list[str]:
    """Return the columns in the order of their importance, where a finished run knows it."""
    if not folder.finished:
        return list(choices)
    groups = folder.metrics().get("importance", {}).get("columns", [])
    ranked = [entry.get("column") for entry in groups if isinstance(entry, dict)]
    return [*[name for name in ranked if name in choices], *[name for name in choices if name not in ranked]]


def so_far(folder: RunFolder) -> Predictor:
    """Return the best networks of the last checkpoint of a run as an ensemble without error bars.

    Raises:
        RunError: there is no checkpoint yet.
    """
    posed, members = _posed(str(folder.path.resolve()), (folder.path / "config.toml").stat().st_mtime_ns)
    meta, arrays = folder.load_checkpoint()
    try:
        checkpoint = checkpoint_from_parts(meta, arrays, posed.problem, {member.id: member for member in members})
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise RunError("the checkpoint is of other networks, or was just replaced; it is tried again.") from error
    best = _best([*checkpoint.finished.values(), *_halfway(posed, members, checkpoint)])
    if not best:
        raise RunError("no network has an epoch to show yet.")
    predictor = alone(best, posed.preparation, posed.problem)
    return with_region(predictor, posed.preparation.transform(posed.dataset.inputs(posed.split.train)), 0)


@lru_cache(maxsize=2)
def _posed(path: str, _changed: int) -> tuple[Posed, list[Member]]:
    """Return the problem of a run once more, and the members that its search begins with."""
    folder = RunFolder(Path(path))
    config = folder.config
    if folder.source is None:
        raise RunError("the run was started from Python, which keeps its data to itself; wait for its end.")
    settings = kept_settings(config["settings"], config["data"].get("folds"))
    dataset, split = read(folder.source, settings)
    if dataset.sha256 != config["data"].get("sha256"):
        raise RunError("the data have changed since the run began; wait for its end.")
    posed = Posed.of(dataset, split, settings)
    search = pose_search(posed)
    proposed = get_strategy(posed.settings.strategy).propose(search, ())
    tried = [proposal.hyperparameters for proposal in proposed]
    return posed, members_of(tried, posed.settings.folds, posed.settings.repeats, rolling=posed.problem.rolling)


def _best(members: Sequence[TrainedMember]) -> list[TrainedMember]:
    known = [member for member in members if member.best_epoch > 0 and math.isfinite(_lowest(member.validation_loss))]
    return sorted(known, key=lambda member: _lowest(member.validation_loss))[:BEST]


def _lowest(losses: np.ndarray) -> float:
    return float(losses[np.isfinite(losses)].min(initial=np.inf))


def _halfway(posed: Posed, members: Sequence[Member], checkpoint: Checkpoint) -> list[TrainedMember]:
    """Return the best of those that were in training; none where the engine would have to compile for that."""
    if checkpoint.engine != _NATIVE or not checkpoint.halfway:
        return []
    choice = choose_engine(posed.problem, members, _NATIVE, find_budget(posed.settings.memory))
    engine = choice.make()
    blocks: dict[frozenset[int], Any] = {}
    for block in engine.plan(posed.problem, members):
        for part in seated_at_once(block):
            blocks[frozenset(member.id for member in part.members)] = part
        blocks[frozenset(member.id for member in block.members)] = block
    found: list[TrainedMember] = []
    for half in checkpoint.halfway.values():
        sitting = {place: seat.member for place, seat in half.seats.items()}
        ids = {member.id for member in sitting.values()}
        fitting = sorted((len(group), number) for number, group in enumerate(blocks) if ids <= group)
        if not fitting:
            continue
        block = list(blocks.values())[fitting[0][1]]
        curves = {place: seat.curves() for place, seat in half.seats.items()}
        ranked = sorted(sitting, key=lambda place: _lowest(curves[place][1]))[:BEST]
        state = engine.from_arrays(block, half.state, sitting)
        parameters = engine.read_out(block, state, {place: sitting[place] for place in ranked})
        for place in ranked:
            seat = half.seats[place]
            network = member_network(posed.problem, seat.member)
            encoding: list[dict[str, np.ndarray]] = [{}] * (len(network.layers) - len(parameters[place]))
            weights = [*encoding, *parameters[place]]
            found.append(TrainedMember(seat.member, network, weights, seat.status, seat.best_epoch, curves[place]))
    return found
