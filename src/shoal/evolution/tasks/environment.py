"""An environment of shoal as a task."""

from __future__ import annotations

import numpy as np

from shoal.evolution.acting import act
from shoal.evolution.environments import Environment
from shoal.evolution.tasks.base import FitnessTask, Measured, Part
from shoal.networks import Network
from shoal.streams import Stream

NATIVE = {Part.SELECTION: 100, Part.TEST: 1000}
"""Starts of a part that does not train."""


class EnvironmentTask(FitnessTask):
    """The sum of the rewards of an episode, from starts that the seed names.

    Args:
        environment: the world.
        episodes: of each member and generation in training.
        limit: steps after which an episode ends; None: the environment's.
        cores: threads.
    """

    def __init__(self, environment: Environment, episodes: int, limit: int | None, cores: int) -> None:
        self.environment, self.episodes, self.limit, self.cores = environment, episodes, limit, cores
        self.name, self.title, self.success = environment.name, environment.title, environment.success
        self.observations, self.actions = environment.observations, environment.actions

    def starts(self, part: Part, seed: int, generation: int = 0) -> np.ndarray:
        """Return the starts `(states, episodes)` of a part."""
        return self.environment.starts(NATIVE.get(part, self.episodes), Stream(seed, int(part), generation))

    def measure(self, network: Network, population: np.ndarray, part: Part, seed: int, generation: int = 0) -> Measured:
        """Let all members act from the same starts."""
        starts = self.starts(part, seed, generation if part is Part.TRAINING else 0)
        done = act(self.environment, network, population, starts, limit=self.limit, cores=self.cores)
        fitness = np.where(np.isfinite(done.fitness), done.fitness, np.nan).astype(np.float64)
        failure = "a number of its motion left the range of floats" if np.isnan(fitness).any() else None
        return Measured(fitness, done.success, int(done.steps.sum()), failure)
