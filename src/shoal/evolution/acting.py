"""Policies act in an environment: by the kernel where it has both, else by NumPy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from shoal.evolution.environments import Environment
from shoal.evolution.populations import outputs
from shoal.networks import Network
from shoal.training.engines.native.library import best_kernel
from shoal.training.engines.native.rollouts import can_roll_out, roll_out


@dataclass(frozen=True)
class Rollout:
    """What came of the episodes of some members.

    Attributes:
        fitness: the sum of the rewards, `(members, episodes)` float32; NaN where a number left the range of floats.
        success: whether the episode succeeded, the same shape; None where success has no meaning.
        steps: how many steps each episode had.
    """

    fitness: np.ndarray
    success: np.ndarray | None
    steps: np.ndarray

    @property
    def mean(self) -> np.ndarray:
        """The fitness of each member, the mean over its episodes, `(members,)` float64."""
        return np.asarray(self.fitness.mean(axis=1, dtype=np.float64))


def act(
    environment: Environment,
    network: Network,
    population: np.ndarray,
    starts: np.ndarray,
    *,
    limit: int | None = None,
    cores: int = 1,
    engine: str = "auto",
) -> Rollout:
    """Return what each policy achieves from each start.

    By the kernel a member's numbers are the same bits whatever the members beside it and on any number of cores; they
    are those of NumPy within rounding, which grows in motions that are chaotic.

    Args:
        environment: the world.
        network: the shape of all policies.
        population: `(members, parameters)`.
        starts: `(states, episodes)`, the same for all members.
        limit: steps after which an episode ends; default the environment's.
        cores: threads of the kernel.
        engine: native, numpy, or auto: native where the kernel has the environment and the layers.

    Example:
        >>> from shoal.evolution.environments import environment_of
        >>> from shoal.streams import Stream
        >>> cart_pole, network = environment_of("cart-pole"), Network.parse("4 1")
        >>> still = np.zeros((1, 5))
        >>> act(cart_pole, network, still, cart_pole.starts(3, Stream(0))).steps.shape
        (1, 3)
    """
    limit = environment.limit if limit is None else limit
    kernel = best_kernel() if engine != "numpy" and native(environment, network) else None
    if kernel is not None and environment.number is not None:
        said = roll_out(kernel, network, environment.number, limit, population, starts.T, cores)
        return Rollout(said.fitness, said.good >= min(environment.hold, limit), said.steps)
    return _by_numpy(environment, network, population, starts, limit)


def native(environment: Environment, network: Network) -> bool:
    """Return whether the kernel has an environment and the layers of a network."""
    return environment.number is not None and best_kernel() is not None and can_roll_out(network)


def _by_numpy(
    environment: Environment, network: Network, population: np.ndarray, starts: np.ndarray, limit: int
) -> Rollout:
    """Let every member act from every start, all of them side by side."""
    members, episodes = len(population), starts.shape[1]
    each = np.repeat(np.asarray(population, np.float32), episodes, axis=0)
    state = np.tile(np.asarray(starts, np.float32), (1, members))
    fitness, steps, good = np.zeros(len(each), np.float32), np.zeros(len(each), int), np.zeros(len(each), int)
    acting = np.arange(len(each))
    for _ in range(limit):
        with np.errstate(invalid="ignore", over="ignore"):
            said = outputs(network, each[acting], environment.observe(state).T[:, None])
            moment = environment.step(state, said[:, 0].T)
        fitness[acting] += moment.reward
        steps[acting] += 1
        good[acting] = np.where(moment.good, good[acting] + 1, 0)
        on = ~moment.ended
        acting, state = acting[on], moment.state[:, on]
        if not len(acting):
            break
    shape = (members, episodes)
    success = (good >= min(environment.hold, limit)).reshape(shape)
    return Rollout(fitness.reshape(shape), success, steps.reshape(shape))


def trajectory(
    environment: Environment, policy: Callable[[np.ndarray], np.ndarray], start: np.ndarray, limit: int | None = None
) -> Iterator[tuple[np.ndarray, np.ndarray, float]]:
    """Give state `(states,)`, outputs and reward of each step of one episode.

    Args:
        environment: the world.
        policy: from observations `(1, observations)` to outputs `(1, actions)`.
        start: `(states,)`.
        limit: steps after which the episode ends; default the environment's.
    """
    state = np.asarray(start, np.float32)[:, None]
    for _ in range(environment.limit if limit is None else limit):
        action = np.asarray(policy(environment.observe(state).T)).T
        moment = environment.step(state, action)
        yield state[:, 0], action[:, 0], float(moment.reward[0])
        if moment.ended[0]:
            return
        state = moment.state
