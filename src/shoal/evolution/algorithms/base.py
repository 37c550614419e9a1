"""What an algorithm is: it asks for the fitness of candidates, is told it, and asks again."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np


@dataclass(frozen=True)
class SearchState:
    """Where a search stands; algorithms add what they know.

    Attributes:
        generation: how many were told.
        seed: names all random numbers, together with the generation.
        members: candidates of a generation.
        mean: what the search takes for the best point, `(parameters,)` float64.
        sigma: how far candidates lie from it, in each parameter.
    """

    generation: int
    seed: int
    members: int
    mean: np.ndarray
    sigma: float

    @property
    def random(self) -> np.random.Generator:
        """The random numbers of this generation, the same each time."""
        return np.random.default_rng([self.seed, self.generation])


class Algorithm(ABC):
    """A way of learning from fitness alone. It keeps nothing: all that it knows is in the state, which never changes.

    Attributes:
        name: by which it is asked for.
        title: what it is, in words.
        reference: the paper.
        members: candidates of a generation, by default.
        sigma: of the first generation, by default.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    reference: ClassVar[str]
    members: ClassVar[int]
    sigma: ClassVar[float]

    @abstractmethod
    def begin(self, start: np.ndarray, members: int, sigma: float, seed: int) -> SearchState:
        """Return the state before the first generation.

        Args:
            start: about which the first candidates lie, `(parameters,)`.
            members: candidates of a generation, at least `fewest`.
            sigma: their standard deviation, above 0.
            seed: names the random numbers.
        """

    @abstractmethod
    def ask(self, state: Any) -> np.ndarray:
        """Return the candidates of this generation, `(members, parameters)` float64."""

    @abstractmethod
    def tell(self, state: Any, candidates: np.ndarray, fitness: np.ndarray) -> SearchState:
        """Return the state of the next generation.

        Args:
            state: of this one.
            candidates: what `ask` returned.
            fitness: `(members,)`, the higher the better; those that are NaN count as the worst.
        """

    fewest: ClassVar[int] = 4


def order_of(fitness: np.ndarray) -> np.ndarray:
    """Return the places of the candidates from the best to the worst; NaN is worst, equal ones keep their order.

    Example:
        >>> order_of(np.array([1.0, np.nan, 3.0])).tolist()
        [2, 0, 1]
    """
    return np.argsort(-np.where(np.isnan(fitness), -np.inf, fitness), kind="stable")


def centred_ranks(fitness: np.ndarray) -> np.ndarray:
    """Return ranks from −1/2 (worst) to 1/2 (best), equal ones their mean; zeros where all are equal.

    Example:
        >>> centred_ranks(np.array([3.0, 1.0, np.nan, 1.0])).tolist()
        [0.5, 0.0, -0.5, 0.0]
    """
    _, place, counts = np.unique(np.where(np.isnan(fitness), -np.inf, fitness), return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    ranks = (ends - (counts + 1) / 2.0)[place]
    return np.asarray(ranks / max(len(fitness) - 1, 1) - 0.5)
