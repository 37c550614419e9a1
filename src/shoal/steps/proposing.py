"""How many candidates are tried, and from which space they are drawn."""

from __future__ import annotations

from shoal.results import Task
from shoal.search.space import Space
from shoal.search.spaces import default_layers, default_space, reconstruction_space, single_space
from shoal.settings import FitSettings

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
