"""Training the members and their replicas, so that an interruption loses nothing."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import partial

import numpy as np

from shoal.data import (
    Dataset,
    Preparation,
    Split,
)
from shoal.errors import Interrupted
from shoal.evaluation.baselines.label_shuffle import Shuffled, train_shuffled
from shoal.helper_process import HelperProcess
from shoal.prediction.parametric_bootstrap import about_the_fit
from shoal.prediction.replicas import redrawn
from shoal.repeating import import_meanwhile
from shoal.results import Task
from shoal.runs.folder import RunFolder
from shoal.search.members import replicas_of
from shoal.settings import FitSettings
from shoal.steps.beside import LIBRARIES
from shoal.steps.ensemble import alone
from shoal.training.checkpointing import Checkpoint, checkpoint_from_parts, checkpoint_to_parts
from shoal.training.engine_choice import choose_engine
from shoal.training.member import Member, TrainedMember
from shoal.training.planner import find_budget
from shoal.training.problem import Problem
from shoal.training.progress import Progress
from shoal.training.trainer import Stopped, Training, train

SECONDS_TO_FINISH = 6.0  # kept back from a time budget for evaluation and page
SHARE_OF_SEARCH = 0.5  # of a time budget, where replicas need the rest


def train_members(
    problem: Problem,
    members: list[Member],
    settings: FitSettings,
    progress: Progress,
    folder: RunFolder,
    began: float,
    helper: HelperProcess,
    search: Training | None = None,
) -> Training:
    """Train, with a checkpoint in the folder now and then; on Ctrl-C keep what is done and say how to go on.

    The members may be the replicas of those that a `search` found, which is then kept in the same checkpoint.
    """
    choice = choose_engine(problem, members, settings.engine, find_budget(settings.memory))
    progress.stage(choice.stage)
    engine = choice.make()
    import_meanwhile(*(LIBRARIES[-2:] if helper.running else LIBRARIES))
    by_id = {member.id: member for member in members}
    checkpoint = None
    if folder.has_checkpoint:
        checkpoint = checkpoint_from_parts(*folder.load_checkpoint(), problem, by_id)
    seconds = None
    if settings.minutes is not None:
        seconds = max(1.0, 60.0 * settings.minutes - (time.perf_counter() - began) - SECONDS_TO_FINISH)
        seconds *= SHARE_OF_SEARCH if settings.replicas and search is None else 1.0

    save = partial(keep_training, folder, search=search)
    if search is not None:
        save(checkpoint or Checkpoint(engine=engine.name))
    try:
        training = train(problem, members, engine, seconds=seconds, progress=progress, checkpoint=checkpoint, save=save)
        return replace(training, reason=choice.reason)
    except Stopped as stopped:
        save(stopped.checkpoint)
        done = f"{len(stopped.checkpoint.finished)} of {len(members)}"
        raise interrupted(folder, f"{done} networks are" if search is None else f"{done} replicas are") from None


def train_replicas(
    problem: Problem,
    kept: list[TrainedMember],
    dataset: Dataset,
    split: Split,
    preparation: Preparation,
    settings: FitSettings,
    progress: Progress,
    folder: RunFolder,
    began: float,
    helper: HelperProcess,
    search: Training,
) -> list[TrainedMember]:
    """Train the kept members anew on their answers redrawn within the errors, as often as the settings say.

    What is trained is kept in the folder: what follows may be interrupted, too.

    Args:
        problem: that the kept members learned.
        kept: the ensemble.
        dataset: with the measured errors.
        split: its rows.
        preparation: whose scale of the target is that of its errors, too.
        settings: `replicas` of which is None where there are to be none.
        progress: as for `train_members`, and so are the next three.
        folder: of the run.
        began: when the run did.
        helper: the second process.
        search: how the kept members were trained.

    Returns:
        All replicas, with those that failed or that the time did not reach.
    """
    if settings.replicas is None or dataset.y_err() is None:
        keep_training(folder, search.checkpoint)
        return []
    members = replicas_of([trained.member for trained in kept], settings.replicas)
    posed = redrawn(problem, dataset, split, preparation.target_scale, settings.replicas)
    ensemble, weights = alone(kept, preparation, problem), dataset.weights()
    rows = split.validation if split.folds is None else split.train
    errors = np.asarray(dataset.y_err())[rows] / preparation.target_scale
    own = None if weights is None else weights[rows]
    posed = about_the_fit(posed, lambda x: preparation.scale_target(ensemble.mean(x)), own, errors)
    training = train_members(posed, members, settings, progress, folder, began, helper, search)
    keep_training(folder, training.checkpoint, search)
    return training.members


def shuffle_labels(problem: Problem, best: Member, settings: FitSettings) -> Shuffled | None:
    """Train the best candidate on shuffled labels, by the engine that is soonest done; None but for two classes."""
    two = problem.y.shape[1] == 1 or (problem.loss.name == "categorical_crossentropy" and problem.y.shape[1] == 2)
    if problem.task is not Task.CLASSIFICATION or problem.per_step or len(problem.input_shape) > 1 or not two:
        return None
    engine = choose_engine(problem, [best], settings.engine, find_budget(settings.memory)).make()
    return train_shuffled(problem, best, engine)


def interrupted(folder: RunFolder, kept: str) -> Interrupted:
    """Return the error that says what is kept and how to go on."""
    where = folder.path
    return Interrupted(f"stopped; {kept} trained and kept in {where}. Go on with: shoal fit --resume {where}")


def keep_training(folder: RunFolder, checkpoint: Checkpoint, search: Training | None = None) -> None:
    """Keep what is trained in the run folder until the run is written: the replicas beside what a search found."""
    if search is not None:
        checkpoint = replace(checkpoint, finished={**search.checkpoint.finished, **checkpoint.finished})
    folder.save_checkpoint(*checkpoint_to_parts(checkpoint))
