"""OpenAI's evolution strategy: a gradient of the fitness, estimated from mirrored steps and followed by Adam."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shoal.errors import SettingError
from shoal.evolution.algorithms.base import Algorithm, SearchState, centred_ranks


@dataclass(frozen=True)
class StrategyState(SearchState):
    """Adam's mean of the gradients and of their squares, `(parameters,)` each."""

    first: np.ndarray
    second: np.ndarray


@dataclass(frozen=True)
class OpenAiStrategy(Algorithm):
    """Candidates are `mean ± sigma ε`; the mean follows `Σ rank ε / (members sigma)`, ranks from −1/2 to 1/2.

    Args:
        learning_rate: of Adam; default 0.05.
        decay: of the mean toward zero, times the learning rate; default 0.005.

    References:
        Salimans et al., "Evolution strategies as a scalable alternative to reinforcement learning", arXiv:1703.03864
        (2017). Kingma and Ba, "Adam", ICLR 2015.
    """

    name = "openai-es"
    title = "OpenAI's evolution strategy"
    reference = "Salimans et al., arXiv:1703.03864 (2017)"
    members = 256
    sigma = 0.2

    learning_rate: float = 0.05
    decay: float = 0.005

    def __post_init__(self) -> None:
        if not self.learning_rate > 0 or not self.decay >= 0:
            raise SettingError(
                f"learning_rate must be above 0 and decay not below, got {self.learning_rate!r} and {self.decay!r}"
            )

    def begin(self, start: np.ndarray, members: int, sigma: float, seed: int) -> StrategyState:
        """Begin at the start, with an even number of members."""
        start = np.asarray(start, np.float64)
        return StrategyState(0, seed, members + members % 2, start, sigma, np.zeros(len(start)), np.zeros(len(start)))

    def ask(self, state: StrategyState) -> np.ndarray:
        """Return steps, then the same ones mirrored."""
        steps = state.sigma * state.random.standard_normal((state.members // 2, len(state.mean)))
        return np.concatenate([state.mean + steps, state.mean - steps])

    def tell(self, state: StrategyState, candidates: np.ndarray, fitness: np.ndarray) -> StrategyState:
        """Follow the gradient."""
        ranks, half, now = centred_ranks(fitness), state.members // 2, state.generation + 1
        steps = (candidates[:half] - state.mean) / state.sigma
        gradient = (ranks[:half] - ranks[half:]) @ steps / (state.members * state.sigma) - self.decay * state.mean
        first = 0.9 * state.first + 0.1 * gradient
        second = 0.999 * state.second + 0.001 * gradient**2
        rise = first / (1 - 0.9**now) / (np.sqrt(second / (1 - 0.999**now)) + 1e-8)
        mean = state.mean + self.learning_rate * rise
        return StrategyState(now, state.seed, state.members, mean, state.sigma, first, second)
