"""Environments of Gymnasium as tasks; the package is an extra and is imported when one is asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from shoal.errors import SettingError
from shoal.evolution.populations import outputs
from shoal.evolution.tasks.base import FitnessTask, Measured, Part
from shoal.networks import Network

PREFIX = "gymnasium:"
LIMIT = 1000
EPISODES = {Part.SELECTION: 10, Part.TEST: 100}


class GymnasiumTask(FitnessTask):
    """The return of an episode, from the resets that the seed names.

    Outputs become actions so: of a `Discrete` space of two one output, positive for 1; of more the largest of as many;
    of a `Box` each output, drawn in to −1 … 1, from its lowest to its highest.

    Args:
        environment: `gymnasium:NAME`, a single environment, or a vector environment, whose places members then share.
        episodes: of each member and generation in training.
        limit: steps after which an episode ends; None: 1000, unless the environment ends it before.

    Raises:
        SettingError: Gymnasium is missing, knows no such environment, or it has other spaces than these.
    """

    def __init__(self, environment: Any, episodes: int, limit: int | None) -> None:
        self.episodes, self.limit = episodes, LIMIT if limit is None else limit
        self.made: Callable[[int], Any] | None = None
        self.vector: Any = None
        if isinstance(environment, str):
            name = environment.removeprefix(PREFIX)
            gym = package()
            try:
                gym.spec(name)
            except gym.error.Error as error:
                raise SettingError(f"Gymnasium has no environment {name!r}: {error}") from None
            self.made, self.name = lambda count: _vector(gym, name, count), name
            environment = _vector(gym, name, 1)
        elif hasattr(environment, "num_envs"):
            self.vector, self.name = environment, type(environment.unwrapped).__name__
        else:
            self.single, self.name = environment, type(environment.unwrapped).__name__
        seen = getattr(environment, "single_observation_space", environment.observation_space)
        space = getattr(environment, "single_action_space", environment.action_space)
        self.title = f"The environment {self.name} of Gymnasium."
        if seen.shape is None or len(seen.shape) != 1 or not np.issubdtype(seen.dtype, np.floating):
            raise SettingError(
                f"{self.name} is observed as {seen}; expected a Box of one axis. Wrap it in gymnasium.wrappers."
                f"FlattenObservation"
            )
        self.observations = tuple(f"observation {i}" for i in range(1, seen.shape[0] + 1))
        self.act, count = actions_of(space, self.name)
        self.actions = tuple(f"action {i}" for i in range(1, count + 1))

    def measure(self, network: Network, population: np.ndarray, part: Part, seed: int, generation: int = 0) -> Measured:
        """Run every member's episodes."""
        episodes = EPISODES.get(part, self.episodes)
        named = np.random.SeedSequence([seed, int(part), generation if part is Part.TRAINING else 0])
        seeds = [int(number) for number in named.generate_state(episodes)]
        columns = [self._episode(network, np.asarray(population, np.float32), each) for each in seeds]
        fitness = np.stack([returned for returned, _ in columns], axis=1)
        fitness = np.where(np.isfinite(fitness), fitness, np.nan)
        failure = "its return is not a finite number" if np.isnan(fitness).any() else None
        return Measured(fitness, None, sum(steps for _, steps in columns), failure)

    def _episode(self, network: Network, population: np.ndarray, seed: int) -> tuple[np.ndarray, int]:
        """Return the return of each member in one episode, and the steps of all."""
        if self.made is not None and (self.vector is None or self.vector.num_envs != len(population)):
            self.vector = self.made(len(population))
        if self.vector is None:
            alone = [self._alone(network, member[None], seed) for member in population]
            return np.array([returned for returned, _ in alone]), sum(steps for _, steps in alone)
        places = self.vector.num_envs
        done = [self._together(network, population[i : i + places], seed) for i in range(0, len(population), places)]
        return np.concatenate([returned for returned, _ in done]), sum(steps for _, steps in done)

    def _alone(self, network: Network, member: np.ndarray, seed: int) -> tuple[float, int]:
        observed, _ = self.single.reset(seed=seed)
        total, steps = 0.0, 0
        for _ in range(self.limit):
            action = self.act(outputs(network, member, np.asarray(observed)[None, None])[0])[0]
            observed, reward, terminated, truncated, _ = self.single.step(action)
            total, steps = total + float(reward), steps + 1
            if terminated or truncated:
                break
        return total, steps

    def _together(self, network: Network, members: np.ndarray, seed: int) -> tuple[np.ndarray, int]:
        """Run one episode of members in a vector environment; where it can, each begins with the same seed."""
        places, count = self.vector.num_envs, len(members)
        members = members[np.arange(places) % count]
        one_each = hasattr(self.vector, "env_fns")  # those that are written as one take one seed, and differ by place
        observed, _ = self.vector.reset(seed=[seed] * places if one_each else seed)
        total, running, steps = np.zeros(places), np.ones(places, bool), 0
        for _ in range(self.limit):
            action = self.act(outputs(network, members, np.asarray(observed)[:, None])[:, 0])
            observed, reward, terminated, truncated, _ = self.vector.step(action)
            total += np.where(running, reward, 0.0)
            steps += int(running[:count].sum())
            running &= ~(np.asarray(terminated) | np.asarray(truncated))
            if not running[:count].any():
                break
        return total[:count], steps


def package() -> Any:
    """Return the package.

    Raises:
        SettingError: it is not installed.
    """
    try:
        import gymnasium
    except ImportError:
        raise SettingError("environments of Gymnasium need it: pip install 'shoal[gymnasium]'") from None
    return gymnasium


def _vector(gym: Any, name: str, count: int) -> Any:
    return gym.make_vec(name, num_envs=count, vectorization_mode="sync")


def is_gymnasium(value: Any) -> bool:
    """Return whether something is an environment of Gymnasium, or names one."""
    if isinstance(value, str):
        return value.startswith(PREFIX)
    return all(hasattr(value, name) for name in ("reset", "step", "observation_space", "action_space"))


def actions_of(space: Any, name: str) -> tuple[Callable[[np.ndarray], np.ndarray], int]:
    """Return what makes actions `(members, ...)` of outputs `(members, outputs)`, and how many outputs it needs.

    Raises:
        SettingError: actions of another kind.
    """
    kind = type(space).__name__
    if kind == "Discrete":
        first, count = int(space.start), int(space.n)
        if count == 2:
            return lambda said: first + (said[:, 0] > 0).astype(np.int64), 1
        return lambda said: first + said.argmax(axis=1), count
    if kind == "Box" and len(space.shape) == 1:
        low, high = np.asarray(space.low, np.float32), np.asarray(space.high, np.float32)
        if np.isfinite(low).all() and np.isfinite(high).all():
            return lambda said: low + (np.clip(said, -1, 1) + 1) / 2 * (high - low), len(low)
        return lambda said: said.astype(np.float32), len(low)
    raise SettingError(f"{name} takes actions of {space}; expected Discrete, or a Box of one axis")
