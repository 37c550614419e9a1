"""A genetic algorithm on real numbers: selection, crossover, and mutation whose strength is inherited, too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from shoal.errors import SettingError
from shoal.evolution.algorithms.base import Algorithm, SearchState, order_of

SMALLEST, LARGEST = 1e-6, 10.0


@dataclass(frozen=True)
class GeneticState(SearchState):
    """The population that comes next, `(members, parameters)`, and the strength of each member's mutations."""

    population: np.ndarray
    strengths: np.ndarray


@dataclass(frozen=True)
class Genetic(Algorithm):
    """Parents are the best, or the best of a few drawn at random; children mix two of them, or copy one, and mutate.

    A child's strength is that of its parent times `exp(τ z)` with a standard normal z and τ = 1/√n, n the number of
    parameters but at most 100 (self-adaptation); then `sigma` times normal numbers is added to all parameters. The best
    survive as they are, and are tried anew, since fitness may be noisy. What it takes for the best point is its best
    member.

    Args:
        selection: `truncation` (parents are the best `share`) or `tournament` (each the best of `size`).
        share: of the members that may be parents; default 0.2.
        size: of a tournament; default 3.
        crossover: probability that a child has two parents, each parameter from either; default 0.5.
        elites: members that survive; default 2.

    References:
        Beyer and Schwefel, "Evolution strategies", Natural Computing 1, 3 (2002). Such et al., "Deep neuroevolution",
        arXiv:1712.06567 (2017).
    """

    name = "genetic"
    title = "genetic algorithm"
    reference = "Beyer and Schwefel, Natural Computing 1, 3 (2002)"
    members = 256
    sigma = 0.5

    selection: Literal["truncation", "tournament"] = "truncation"
    share: float = 0.2
    size: int = 3
    crossover: float = 0.5
    elites: int = 2

    def __post_init__(self) -> None:
        if self.selection not in ("truncation", "tournament"):
            raise SettingError(f"selection must be 'truncation' or 'tournament', got {self.selection!r}")
        for name, low, high in (("share", 0.0, 1.0), ("crossover", 0.0, 1.0), ("size", 1, 1000), ("elites", 0, 1000)):
            value = getattr(self, name)
            if not low <= value <= high:
                raise SettingError(f"{name} must lie between {low:g} and {high:g}, got {value!r}")

    def begin(self, start: np.ndarray, members: int, sigma: float, seed: int) -> GeneticState:
        """Scatter members about the start."""
        start = np.asarray(start, np.float64)
        random = np.random.default_rng([seed, 0, 1])
        population = start + sigma * random.standard_normal((members, len(start)))
        return GeneticState(0, seed, members, start, sigma, population, np.full(members, sigma))

    def ask(self, state: GeneticState) -> np.ndarray:
        """Return the population."""
        return state.population

    def tell(self, state: GeneticState, candidates: np.ndarray, fitness: np.ndarray) -> GeneticState:
        """Select, cross and mutate."""
        random, order = state.random, order_of(fitness)
        survive = order[: min(self.elites, state.members - 1)]
        children = state.members - len(survive)
        first, second = (self._parents(random, order, children) for _ in range(2))
        pick = (random.random((children, 1)) < self.crossover) & (random.random((children, len(state.mean))) < 0.5)
        mixed = np.where(pick, candidates[second], candidates[first])
        turn = np.exp(random.standard_normal(children) / np.sqrt(min(len(state.mean), 100)))
        strengths = np.clip(state.strengths[first] * turn, SMALLEST, LARGEST)
        born = mixed + strengths[:, None] * random.standard_normal(mixed.shape)
        strengths = np.concatenate([state.strengths[survive], strengths])
        population = np.concatenate([candidates[survive], born])
        best, sigma = candidates[order[0]].copy(), float(np.median(strengths))
        return GeneticState(state.generation + 1, state.seed, state.members, best, sigma, population, strengths)

    def _parents(self, random: np.random.Generator, order: np.ndarray, count: int) -> np.ndarray:
        if self.selection == "truncation":
            return np.asarray(order[random.integers(max(1, round(self.share * len(order))), size=count)])
        return np.asarray(order[random.integers(len(order), size=(count, self.size)).min(axis=1)])
