"""Ask and tell: for those who measure the fitness themselves, in a simulator, a laboratory, or on other machines."""

from __future__ import annotations

from typing import Any

import numpy as np

from shoal.errors import DataError, SettingError
from shoal.evolution.algorithms import Algorithm, algorithm_of
from shoal.evolution.algorithms.base import SearchState
from shoal.evolution.policy import Policies
from shoal.evolution.populations import check_memory, parameters_of, vector_of
from shoal.networks import Network

FULL = 200


class Evolution:
    """A population of networks of one shape that learns from the fitness it is told.

    Args:
        network: the shape, or its text.
        algorithm: `genetic` (default), `cma-es`, `openai-es`, or one of `shoal.evolution.algorithms` with options.
        population: members of a generation; default 64 for CMA-ES, 256 for the others.
        sigma: standard deviation of the first generation about the start; default 0.5, for `openai-es` 0.2.
        seed: names the start and all random numbers; default 0.
        start: parameters of a network to start from; default `network.initialize(seed)`.

    Attributes:
        best_fitness: the highest fitness that was told, of `best`, which flatters where fitness is noisy.

    Raises:
        SettingError: an option makes no sense, or the population does not fit into memory.
        NetworkError: the network cannot be read, or has nothing to learn.

    Example:
        >>> search = Evolution("2 3:tanh 1", population=16)
        >>> for _ in range(60):
        ...     parameters = search.ask()
        ...     search.tell(-(parameters**2).sum(axis=1))
        >>> bool(search.best_fitness > -0.01)
        True
    """

    def __init__(
        self,
        network: Network | str,
        *,
        algorithm: str | Algorithm = "genetic",
        population: int | None = None,
        sigma: float | None = None,
        seed: int = 0,
        start: Any = None,
    ) -> None:
        self.network = Network.parse(network) if isinstance(network, str) else network
        self.algorithm = algorithm_of(algorithm)
        members = self.algorithm.members if population is None else population
        if isinstance(members, bool) or not isinstance(members, int) or members < self.algorithm.fewest:
            raise SettingError(
                f"population must be a whole number of at least {self.algorithm.fewest}, got {population!r}"
            )
        sigma = self.algorithm.sigma if sigma is None else sigma
        if not (isinstance(sigma, (int, float)) and 0 < sigma < 1e6):
            raise SettingError(f"sigma must be a number above 0, got {sigma!r}")
        if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
            raise SettingError(f"seed must be a whole number of at least 0, got {seed!r}")
        count = self.network.parameter_count
        if count == 0:
            raise SettingError("the network has no parameters, so that there is nothing to learn. Add a Dense layer")
        check_memory(members, count, square=self.algorithm.name == "cma-es" and count < FULL)
        first = vector_of(self.network, self.network.initialize(seed) if start is None else start)
        self.state: SearchState = self.algorithm.begin(first, members, float(sigma), seed)
        self.best_vector: np.ndarray | None = None
        self.best_fitness = -np.inf
        self._candidates: np.ndarray | None = None

    @property
    def generation(self) -> int:
        """How many generations were told."""
        return self.state.generation

    def ask(self) -> np.ndarray:
        """Return the parameters of all members, `(members, parameters)` float32; the same until they are told."""
        if self._candidates is None:
            self._candidates = self.algorithm.ask(self.state)
        return self._candidates.astype(np.float32)

    def policies(self) -> Policies:
        """Return what the members would do, as a function of the observations of all at once."""
        return Policies(self.network, self.ask())

    def tell(self, fitness: Any) -> None:
        """Take the fitness `(members,)` of those that `ask` returned, the higher the better; NaN counts as the worst.

        Raises:
            DataError: it has another shape.
            SettingError: nothing was asked.
        """
        if self._candidates is None:
            raise SettingError("tell comes after ask: nothing was asked in this generation")
        values = np.asarray(fitness, np.float64)
        if values.shape != (len(self._candidates),):
            raise DataError(
                f"fitness must have shape ({len(self._candidates)},), one number for each member, got {values.shape}"
            )
        finite = np.where(np.isnan(values), -np.inf, values)
        place = int(finite.argmax())
        if finite[place] > self.best_fitness:
            self.best_vector, self.best_fitness = self._candidates[place].copy(), float(finite[place])
        self.state = self.algorithm.tell(self.state, self._candidates, values)
        self._candidates = None

    @property
    def best(self) -> list[dict[str, np.ndarray]] | None:
        """The parameters with the highest fitness."""
        return None if self.best_vector is None else parameters_of(self.network, self.best_vector)

    @property
    def mean(self) -> list[dict[str, np.ndarray]]:
        """The parameters that the algorithm takes for the best point."""
        return parameters_of(self.network, self.state.mean)
