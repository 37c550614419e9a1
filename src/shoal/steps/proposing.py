"""How many candidates are tried, and from which space they are drawn."""

from __future__ import annotations

from shoal.results import Task
from shoal.search.members import members_of
from shoal.search.space import Space
from shoal.search.spaces import default_layers, default_space, reconstruction_space, single_space
from shoal.search.strategies.random import propose
from shoal.settings import FitSettings
from shoal.steps.posing import Posed
from shoal.steps.reading import kind_of
from shoal.training.member import Member

NETWORKS = 64
NETWORKS_ON_SIGNALS = 24  # which take far longer each
NETWORKS_IN_A_BUDGET = 1024  # with --minutes and no --networks: more than will be reached


def count_candidates(settings: FitSettings, kind: str = "table") -> int:
    """Return how many candidates to propose for data of a kind: table, images or series."""
    if settings.networks is not None:
        return settings.networks
    usual = NETWORKS if kind == "table" else NETWORKS_ON_SIGNALS
    return usual if settings.minutes is None else max(usual, NETWORKS_IN_A_BUDGET // networks_each(settings))


def networks_each(settings: FitSettings) -> int:
    """Return how many networks a candidate has: folds × repeats."""
    return (settings.cv or 1) * settings.repeats


def propose_members(posed: Posed) -> tuple[Space, list[Member]]:
    """Return what is searched, and the members that it proposes: each candidate in each repeat and fold."""
    split, dataset, problem, settings = posed.split, posed.dataset, posed.problem, posed.settings
    rows, shape = split.rows_of_a_network, problem.input_shape
    space = choose_space(rows, dataset.task, settings, shape, problem.per_step)
    candidates = propose(space, count_candidates(settings, kind_of(dataset)), settings.seed)
    return space, members_of(candidates, settings.cv, settings.repeats)


def choose_space(
    rows: int, task: Task, settings: FitSettings, shape: tuple[int, ...] = (1,), per_step: bool = False
) -> Space:
    """Return what is searched: the default space, or nothing for a single network; what the user fixed stays."""
    fixed = settings.fixed()
    if task is Task.RECONSTRUCTION:
        single = count_candidates(settings) == 1
        return reconstruction_space(shape, rows, fixed, settings.bottleneck, single=single)
    if count_candidates(settings) == 1:
        return single_space(fixed.get("epochs", 200), default_layers(shape, per_step)).fixing(fixed)
    return default_space(rows, task is Task.CLASSIFICATION, shape, per_step).fixing(fixed)
