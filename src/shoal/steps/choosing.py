"""Choosing the networks that are kept."""

from __future__ import annotations

from dataclasses import dataclass

from shoal.errors import Diverged
from shoal.evaluation.topics.training import diverged_verdict
from shoal.networks.bottleneck import code_size
from shoal.prediction.out_of_fold import OutOfFold, answers
from shoal.results import Status
from shoal.runs.folder import RunFolder
from shoal.search.results.pareto import choose_small
from shoal.search.results.ranking import choose_bottleneck, choose_candidates, rank_candidates
from shoal.settings import FitSettings
from shoal.steps.posing import Posed
from shoal.steps.proposing import networks_each
from shoal.steps.session import interrupted
from shoal.steps.training import keep_training
from shoal.training.checkpointing import Checkpoint
from shoal.training.member import TrainedMember
from shoal.training.trainer import Training


@dataclass(frozen=True)
class Kept:
    """The networks that are kept.

    Attributes:
        places: positions among all that were trained of those that answer for new rows, the best candidate first.
        members: these networks.
        folds: the networks of the kept candidates in all folds; None without folds.
    """

    places: list[int]
    members: list[TrainedMember]
    folds: OutOfFold | None


def keep_best(training: Training, posed: Posed, folder: RunFolder) -> Kept:
    """Return the networks of the best candidates; of rolling folds those of the last answer for new rows."""
    judged = choose_kept(training, posed.settings, folder)
    members, problem = training.members, posed.problem
    folds = OutOfFold.of(problem, [members[place] for place in judged])
    places = [place for place in judged if answers(problem, members[place].member)]
    return Kept(places, [members[place] for place in places], folds)


def choose_kept(training: Training, settings: FitSettings, folder: RunFolder) -> list[int]:
    """Return the positions of the members of the best candidates, best candidate first.

    In a reconstruction they are those of the smallest bottleneck that is good enough; with `smallest` those that are
    no larger than the smallest candidate as good as the best, and not clearly worse.

    Raises:
        Diverged: of every candidate a network diverged.
        Interrupted: no candidate had all of its networks when the time was over; what is trained is kept.
    """
    members, each = training.members, networks_each(settings)
    ranked = rank_candidates([m.member.candidate for m in members], [m.score for m in members], each)
    if settings.reconstruct:
        ranked = choose_bottleneck(ranked, {m.member.candidate: code_size(m.network.layers) or 0 for m in members})
    if settings.smallest:
        ranked = choose_small(ranked, members)
    kept = choose_candidates(ranked, settings.keep)
    if kept:
        return [place for standing in kept for place in standing.members]
    if any(len(standing.members) < each for standing in ranked):
        # those that the end of the time cut short begin again
        trained = {k: m for k, m in training.checkpoint.finished.items() if m.status is not Status.RUNNING}
        keep_training(folder, Checkpoint(trained))
        done = f"no candidate has all of its {each} networks yet, {len(trained)} networks are trained and"
        raise interrupted(folder, done, by_user=False)
    verdict = diverged_verdict(members)
    raise Diverged(f"{verdict.sentence[0].lower()}{verdict.sentence[1:]} {verdict.advice}")
