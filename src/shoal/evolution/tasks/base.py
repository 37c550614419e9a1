"""What a task is: it measures the fitness of policies, each time on starts of one of three kinds."""

from __future__ import annotations

import enum
from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from shoal.networks import Network


class Part(enum.IntEnum):
    """What starts are for: those of training differ in each generation, those of the others stay."""

    TRAINING = 1
    SELECTION = 2
    TEST = 3


@dataclass(frozen=True)
class Measured:
    """What came of some members.

    Attributes:
        fitness: `(members, episodes)` float64, the higher the better; NaN of a member that failed.
        success: whether each episode succeeded, the same shape; None where success has no meaning.
        steps: how many steps were made in all.
        failure: what went wrong with the first member that failed, in words; None where none failed.
    """

    fitness: np.ndarray
    success: np.ndarray | None = None
    steps: int = 0
    failure: str | None = None

    @property
    def mean(self) -> np.ndarray:
        """The fitness of each member, `(members,)`."""
        return np.asarray(self.fitness.mean(axis=1))

    @property
    def rate(self) -> np.ndarray | None:
        """The share of each member's episodes that succeeded, `(members,)`, or None."""
        return None if self.success is None else np.asarray(self.success.mean(axis=1))

    @property
    def failed(self) -> int:
        """How many members have no fitness."""
        return int(np.isnan(self.mean).sum())


class FitnessTask(ABC):
    """Something to be learnt from fitness alone.

    Attributes:
        name: for folders and pages.
        title: what is to be learnt, a sentence.
        observations, actions: names of what policies see and do.
        episode: what an episode is called, `start` or `row`, or "" where the same is measured each time.
        success: when an episode succeeds, as a sentence goes on; "" where success has no meaning.
    """

    name: str
    title: str
    observations: tuple[str, ...]
    actions: tuple[str, ...]
    episode: str = "start"
    success: str = ""

    def check(self, network: Network) -> None:
        """Check that a network suits the task.

        Raises:
            NetworkError: it does not.
        """
        from shoal.evolution.populations import check_policy

        check_policy(network, len(self.observations), len(self.actions), f"the task {self.name!r}")

    def default_network(self) -> Network:
        """Return 16 tanh neurons between the observations and the actions."""
        return Network.parse(f"{len(self.observations)} 16:tanh {len(self.actions)}:tanh")

    @abstractmethod
    def measure(self, network: Network, population: np.ndarray, part: Part, seed: int, generation: int = 0) -> Measured:
        """Return what came of the members of a population.

        Args:
            network: the shape of all.
            population: `(members, parameters)`.
            part: what the starts are for.
            seed: names the starts.
            generation: names them, too, in training.
        """
