"""A user's function as a task: of the parameters of a population, or of its policies."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from shoal.errors import SettingError
from shoal.evolution.policy import Policies
from shoal.evolution.tasks.base import FitnessTask, Measured, Part
from shoal.networks import Network
from shoal.resources import available_cores
from shoal.user_function import called, name_of

REPEATS = {Part.TRAINING: 1, Part.SELECTION: 8, Part.TEST: 32}
"""How often a function that takes a seed is called."""


class FunctionTask(FitnessTask):
    """What a function returns for each member, the higher the better.

    A function whose first argument is called `policy` gets `Policies`, any other the parameters `(members,
    parameters)`.
    One with an argument `seed` is noisy: it gets another whole number in each generation, and others for judging.

    Args:
        function: of the user's.
        network: whose inputs and outputs are counted.
        executor: with `submit`, as those of `concurrent.futures` and Dask, to share the members; None: this process.
    """

    def __init__(self, function: Callable[..., Any], network: Network, executor: Any = None) -> None:
        self.function, self.executor = function, executor
        self.of_policies, self.takes_seed = _arguments(function)
        self.raised: SettingError | None = None
        self.name, self.title = name_of(function).strip("<>"), f"The function {name_of(function)!r}."
        self.observations = tuple(f"input {i}" for i in range(1, network.input_shape[-1] + 1))
        self.actions = tuple(f"output {i}" for i in range(1, network.output_shape[-1] + 1))
        self.episode = "seed" if self.takes_seed else ""

    def measure(self, network: Network, population: np.ndarray, part: Part, seed: int, generation: int = 0) -> Measured:
        """Call the function, for each member alone where it fails for all together."""
        population = np.asarray(population, np.float32)
        repeats = REPEATS[part] if self.takes_seed else 1
        columns, failure = [], None
        for repeat in range(repeats):
            named = _number(part, seed, generation, repeat)
            fitness, wrong = self._shared(network, population, named)
            columns.append(fitness)
            failure = failure or wrong
        fitness = np.stack(columns, axis=1)
        if failure is None and np.isnan(fitness).any():
            failure = "its fitness is not a finite number"
        if generation == 1 and np.isnan(fitness).all():
            raise self.raised or SettingError(
                f"the fitness {self.name!r} has no finite number for any member of generation 1: {failure}"
            )
        return Measured(fitness, None, 0, failure)

    def _shared(self, network: Network, population: np.ndarray, seed: int) -> tuple[np.ndarray, str | None]:
        """Return the fitness of all, by the executor where there is one."""
        if self.executor is None:
            return self._guarded(network, population, seed, None)
        workers = getattr(self.executor, "_max_workers", None) or available_cores()
        pieces = np.array_split(population, min(len(population), workers))
        waiting = [self.executor.submit(self.function, *self._given(network, piece, seed)) for piece in pieces]
        pairs = zip(pieces, waiting, strict=True)
        done = [self._guarded(network, piece, seed, future) for piece, future in pairs]
        return np.concatenate([fitness for fitness, _ in done]), next((why for _, why in done if why), None)

    def _guarded(
        self, network: Network, population: np.ndarray, seed: int, future: Any
    ) -> tuple[np.ndarray, str | None]:
        """Return the fitness of some members; those for which the function raises have NaN."""
        run = self.function if future is None else lambda *_: future.result()
        try:
            said = run(*self._given(network, population, seed))
        except Exception:
            return self._one_by_one(network, population, seed)
        return _checked(self.name, said, len(population)), None

    def _one_by_one(self, network: Network, population: np.ndarray, seed: int) -> tuple[np.ndarray, str | None]:
        fitness, failure = np.full(len(population), np.nan), None
        for i in range(len(population)):
            try:
                said = called(self.function, "fitness", *self._given(network, population[i : i + 1], seed))
                fitness[i] = _checked(self.name, said, 1)[0]
            except SettingError as error:
                self.raised = self.raised or error
                failure = failure or str(error)
        return fitness, failure

    def _given(self, network: Network, population: np.ndarray, seed: int) -> tuple[Any, ...]:
        first = Policies(network, population) if self.of_policies else population
        return (first, seed) if self.takes_seed else (first,)


def _arguments(function: Callable[..., Any]) -> tuple[bool, bool]:
    """Return whether a function takes policies, and whether it takes a seed.

    Raises:
        SettingError: it takes neither one argument nor two of which the second is `seed`.
    """
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return False, False
    needed = [p for p in parameters if p.default is p.empty and p.kind <= p.POSITIONAL_OR_KEYWORD]
    seed = len(parameters) > 1 and parameters[1].name == "seed"
    if not parameters or len(needed) > 1 + seed:
        raise SettingError(
            f"the fitness {name_of(function)!r} must take (parameters), (policy), (parameters, seed) or (policy, "
            f"seed), but it takes {inspect.signature(function)}"
        )
    return parameters[0].name == "policy", seed


def _checked(name: str, said: Any, members: int) -> np.ndarray:
    """Return a fitness as `(members,)` float64, NaN where it is not finite.

    Raises:
        SettingError: it has another shape, or is no array of numbers.
    """
    try:
        fitness = np.asarray(said, np.float64)
    except (TypeError, ValueError):
        raise SettingError(
            f"the fitness {name!r} must return {members} numbers, one for each member, got {type(said).__name__}"
        ) from None
    if fitness.shape == (members, 1):
        fitness = fitness[:, 0]
    if fitness.shape != (members,):
        raise SettingError(
            f"the fitness {name!r} must return an array of shape ({members},), one number for each member of the "
            f"population, got shape {fitness.shape}"
        )
    return np.where(np.isfinite(fitness), fitness, np.nan)


def _number(part: Part, seed: int, generation: int, repeat: int) -> int:
    """Return a seed for the function, another for each part, generation and repeat."""
    training = part is Part.TRAINING
    return int(np.random.SeedSequence([seed, int(part), generation if training else 0, repeat]).generate_state(1)[0])
