"""What policies can learn: an environment, a function, a table, or an environment of Gymnasium."""

from __future__ import annotations

from typing import Any

from shoal.errors import SettingError
from shoal.evolution.environments import Environment, environment_of
from shoal.evolution.tasks.base import FitnessTask as FitnessTask
from shoal.evolution.tasks.base import Measured as Measured
from shoal.evolution.tasks.base import Part as Part
from shoal.evolution.tasks.environment import EnvironmentTask
from shoal.evolution.tasks.function import FunctionTask
from shoal.evolution.tasks.gymnasium import GymnasiumTask, is_gymnasium
from shoal.evolution.tasks.table import TableTask
from shoal.networks import Network


def task_of(
    fitness: Any,
    network: Network | None,
    *,
    episodes: int = 8,
    limit: int | None = None,
    cores: int = 1,
    seed: int = 0,
    executor: Any = None,
) -> FitnessTask:
    """Return what a user means as a task.

    Raises:
        SettingError: it is none, or a function comes without a network.
    """
    if isinstance(fitness, FitnessTask):
        return fitness
    if is_gymnasium(fitness):
        return GymnasiumTask(fitness, episodes, limit)
    if isinstance(fitness, str):
        fitness = environment_of(fitness)
    if isinstance(fitness, Environment):
        return EnvironmentTask(fitness, episodes, limit, cores)
    if isinstance(fitness, tuple) and len(fitness) == 2:
        return TableTask(*fitness, seed)
    if callable(fitness):
        if network is None:
            raise SettingError("a fitness function needs a network: shoal.evolve(fitness, '4 16:tanh 1')")
        return FunctionTask(fitness, network, executor)
    raise SettingError(
        f"fitness must be the name of an environment, an environment, (x, y), or a function of the population's "
        f"parameters, got {type(fitness).__name__}"
    )
