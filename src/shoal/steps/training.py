"""Training the members and their replicas, so that an interruption loses nothing."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from shoal.errors import RunError
from shoal.evaluation.baselines.label_shuffle import Shuffled, train_shuffled
from shoal.prediction.parametric_bootstrap import about_the_fit
from shoal.prediction.replicas import with_redrawn_targets
from shoal.repeating import import_meanwhile
from shoal.results import Task
from shoal.runs.folder import RunFolder
from shoal.search.members import members_of, replicas_of
from shoal.search.results.ranking import MOST_KEPT, rank_candidates
from shoal.search.strategy import Outcome, Proposal, Search, get_strategy
from shoal.settings import FitSettings
from shoal.steps.beside import LIBRARIES
from shoal.steps.ensemble import alone
from shoal.steps.finishing_time import Speed
from shoal.steps.posing import Posed
from shoal.steps.proposing import networks_each
from shoal.steps.session import Session, interrupted
from shoal.steps.until import Goal
from shoal.training.checkpointing import Checkpoint, checkpoint_from_parts, checkpoint_to_parts
from shoal.training.engine_choice import choose_engine
from shoal.training.engines.base import Engine
from shoal.training.engines.streamed import StreamedEngine
from shoal.training.kept_rows import KeptRows
from shoal.training.member import Member, TrainedMember
from shoal.training.planner import find_budget
from shoal.training.problem import Problem
from shoal.training.trainer import Saving, Stopped, Training

MOST_TO_FINISH = 0.8  # of a time budget that is kept back for evaluation and page; networks need some, too
SHARE_OF_SEARCH = 0.5  # of a time budget, where replicas need the rest


def train_candidates(posed: Posed, search: Search, session: Session) -> Training:
    """Train what the strategy proposes, round after round, until it proposes nothing or the time is over.

    What it is told of a round depends on the networks of the earlier ones alone, so that an interrupted search proposes
    the same once more, and finds in the checkpoint what is trained.
    """
    settings, strategy = posed.settings, get_strategy(posed.settings.strategy)
    proposed = more = strategy.propose(search, ())
    goal, training = Goal.of(posed, networks_each(settings)), None
    while True:
        tried = [proposal.hyperparameters for proposal in proposed]
        members = members_of(tried, settings.folds, settings.repeats, rolling=posed.problem.rolling)
        new = members[len(training.members) :] if training else members
        of_round = train_members(posed.problem, new, settings, session, training, rungs=more[0].rungs, goal=goal)
        training = of_round if training is None else joined_trainings(training, of_round)
        if training.stopped:
            return training
        more = strategy.propose(search, outcomes_of(proposed, training, networks_each(settings)))
        if not more:
            return training
        proposed = [*proposed, *more]


def outcomes_of(proposed: Sequence[Proposal], training: Training, each: int) -> list[Outcome]:
    """Return what came of each proposal, each with so many networks."""
    members = training.members
    ranked = rank_candidates([m.member.candidate for m in members], [m.score for m in members], each)
    ranked.sort(key=lambda standing: standing.candidate)
    return [Outcome(s.candidate, proposed[s.candidate], s.score, s.error) for s in ranked]


def joined_trainings(earlier: Training, later: Training) -> Training:
    """Return two rounds of a search as one training."""
    checkpoint = replace(later.checkpoint, finished={**earlier.checkpoint.finished, **later.checkpoint.finished})
    return replace(
        earlier,
        members=[*earlier.members, *later.members],
        compile_seconds=earlier.compile_seconds + later.compile_seconds,
        train_seconds=earlier.train_seconds + later.train_seconds,
        checkpoint=checkpoint,
        stopped=later.stopped,
        programs=earlier.programs + later.programs,
    )


def train_members(
    problem: Problem,
    members: list[Member],
    settings: FitSettings,
    session: Session,
    before: Training | None = None,
    *,
    replicas: bool = False,
    rungs: Sequence[int] = (),
    goal: Goal | None = None,
) -> Training:
    """Train, with a checkpoint in the folder now and then; on Ctrl-C keep what is done and say how to go on.

    What was trained `before`, earlier rounds of the search or all of it, is kept in the same checkpoint.
    """
    choice = choose_engine(problem, members, settings.engine, find_budget(settings.memory, session.most_cores))
    folder, progress = session.folder, session.progress
    progress.stage(choice.stage)
    streamed = None
    if problem.stream is not None:
        kept = KeptRows(problem.stream, folder.path, progress.note)
        streamed = StreamedEngine(choice.make(), problem.stream, kept)
    engine: Engine = streamed or choice.make()
    if session.writes_page:
        import_meanwhile(*(LIBRARIES[-2:] if session.helper.running else LIBRARIES))
    checkpoint = load_training(folder, problem, members)
    seconds = seconds_left(problem, members, settings, session, searching=not replicas)
    if before is not None and (checkpoint is None or len(checkpoint.finished) < len(members)):
        keep_training(folder, checkpoint or Checkpoint(engine=engine.name), before)
    saving = Saving(KeptOrWarned(session, before), settings.checkpoint_every)
    try:
        training = session.executor.train(
            problem,
            members,
            engine,
            seconds=seconds,
            progress=progress,
            checkpoint=checkpoint,
            saving=saving,
            rungs=rungs,
            enough=goal,
        )
        return replace(training, reason=choice.reason)
    except Stopped as stopped:
        keep_training(folder, stopped.checkpoint, before)
        done, what = len(stopped.checkpoint.finished), "replicas" if replicas else "networks"
        raise interrupted(folder, f"{done} of {len(members)} {what} are trained and") from None
    finally:
        if streamed is not None:
            streamed.close()


def load_training(folder: RunFolder, problem: Problem, members: list[Member]) -> Checkpoint | None:
    """Return what is trained so far, or None.

    Raises:
        RunError: the checkpoint is damaged, or of other networks.
    """
    if not folder.has_checkpoint and not folder.test_sealed:
        return None
    meta, arrays = folder.load_checkpoint()
    try:
        return checkpoint_from_parts(meta, arrays, problem, {m.id: m for m in members})
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise RunError(
            f"the checkpoint in {str(folder.path)!r} is not of the networks that config.toml describes "
            f"({type(error).__name__}: {error}); delete its checkpoint folder and start the run again."
        ) from error


@dataclass
class KeptOrWarned:
    """Keeps what is trained; where that fails, on a full disk for one, training goes on and a warning is given once."""

    session: Session
    search: Training | None
    warned: bool = False

    def __call__(self, checkpoint: Checkpoint) -> None:
        """Keep what is trained in the run folder."""
        try:
            keep_training(self.session.folder, checkpoint, self.search)
        except RunError as error:
            if not self.warned:
                self.session.progress.warn(f"training goes on, but what it has reached is not kept: {error}")
            self.warned = True


def seconds_left(
    problem: Problem, members: Sequence[Member], settings: FitSettings, session: Session, *, searching: bool
) -> float | None:
    """Return how long training may take, or None without a time budget; a search leaves half of it to replicas."""
    if settings.minutes is None:
        return None
    spent = time.perf_counter() - session.timing.began
    budget, ends = 60.0 * settings.minutes, MOST_KEPT if settings.keep is None else settings.keep
    rows = len(problem.y) + (0 if problem.folds is not None else len(problem.validation_y))
    rows = round(rows / (1.0 - settings.test_size)) if settings.test is None else rows
    kept = min(ends, len(members)) * networks_each(settings)
    needed = Speed.measured(problem, members[len(members) // 2]).finishing_seconds(rows, kept)
    left = max(1.0, budget - spent - min(needed, MOST_TO_FINISH * budget))
    return left * SHARE_OF_SEARCH if settings.replicas and searching else left


def train_replicas(posed: Posed, kept: list[TrainedMember], session: Session, search: Training) -> list[TrainedMember]:
    """Train the kept members anew on their answers redrawn within the errors, as often as the settings say.

    What is trained is kept in the folder: what follows may be interrupted, too.

    Args:
        posed: what the kept members learned; without `replicas` in its settings there are none.
        kept: the ensemble.
        session: where they are kept.
        search: how the kept members were trained.

    Returns:
        All replicas, with those that failed or that the time did not reach.
    """
    settings, dataset, split, preparation = posed.settings, posed.dataset, posed.split, posed.preparation
    if settings.replicas is None or dataset.y_err() is None:
        keep_training(session.folder, search.checkpoint)
        return []
    members = replicas_of([trained.member for trained in kept], settings.replicas)
    problem = with_redrawn_targets(posed.problem, dataset, split, preparation.target_scale, settings.replicas)
    ensemble, weights = alone(kept, preparation, posed.problem), posed.weights
    rows = split.validation if split.folds is None else split.train
    errors = np.asarray(dataset.y_err())[rows] / preparation.target_scale
    row_weights = None if weights is None else weights[rows]
    problem = about_the_fit(problem, lambda x: preparation.scale_target(ensemble.mean(x)), row_weights, errors)
    training = train_members(problem, members, settings, session, search, replicas=True)
    keep_training(session.folder, training.checkpoint, search)
    return training.members


def shuffle_labels(problem: Problem, best: Member, settings: FitSettings) -> Shuffled | None:
    """Train the best candidate on shuffled labels, by the engine that is soonest done; None but for two classes."""
    two = problem.y.shape[1] == 1 or (problem.loss.name == "categorical_crossentropy" and problem.y.shape[1] == 2)
    if problem.task is not Task.CLASSIFICATION or problem.per_step or len(problem.input_shape) > 1 or not two:
        return None
    engine = choose_engine(problem, [best], settings.engine, find_budget(settings.memory)).make()
    return train_shuffled(problem, best, engine)


def keep_training(folder: RunFolder, checkpoint: Checkpoint, search: Training | None = None) -> None:
    """Keep what is trained in the run folder until the run is written: the replicas beside what a search found."""
    if search is not None:
        checkpoint = replace(checkpoint, finished={**search.checkpoint.finished, **checkpoint.finished})
    folder.save_checkpoint(*checkpoint_to_parts(checkpoint))
