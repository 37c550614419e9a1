"""CMA-ES: candidates from a normal distribution whose covariance is learnt from the steps that succeeded."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from shoal.evolution.algorithms.base import Algorithm, SearchState, centred_ranks, order_of

FULL_BELOW = 200
"""Parameters from which on only the diagonal of the covariance is learnt."""
SMALLEST, LARGEST = 1e-300, 1e12


class Rates(NamedTuple):
    """The constants of Hansen's tutorial, table 1: weights of all members, and rates."""

    weights: np.ndarray
    mu: int
    effective: float
    c_sigma: float
    d_sigma: float
    c_c: float
    c_1: float
    c_mu: float
    expected: float


@lru_cache(maxsize=64)
def rates(n: int, members: int, *, diagonal: bool) -> Rates:
    """Return the constants for `n` parameters; with a diagonal, `(n + 2) / 3` times as fast (Ros and Hansen, 2008)."""
    raw = np.log((members + 1) / 2) - np.log(np.arange(1, members + 1))
    mu = members // 2
    effective = raw[:mu].sum() ** 2 / (raw[:mu] ** 2).sum()
    negative = raw[mu:].sum() ** 2 / (raw[mu:] ** 2).sum()
    faster = (n + 2) / 3 if diagonal else 1.0
    c_1 = min(0.5, faster * 2 / ((n + 1.3) ** 2 + effective))
    c_mu = min(1 - c_1, faster * 2 * (0.25 + effective - 2 + 1 / effective) / ((n + 2) ** 2 + effective))
    most = min(1 + c_1 / c_mu, 1 + 2 * negative / (effective + 2), (1 - c_1 - c_mu) / (n * c_mu))
    weights = np.where(raw >= 0, raw / raw[raw >= 0].sum(), most * raw / -raw[raw < 0].sum())
    c_sigma = (effective + 2) / (n + effective + 5)
    d_sigma = 1 + 2 * max(0.0, np.sqrt((effective - 1) / (n + 1)) - 1) + c_sigma
    c_c = (4 + effective / n) / (n + 4 + 2 * effective / n)
    expected = np.sqrt(n) * (1 - 1 / (4 * n) + 1 / (21 * n**2))
    return Rates(weights, mu, effective, c_sigma, d_sigma, c_c, c_1, c_mu, expected)


@dataclass(frozen=True)
class CmaState(SearchState):
    """The covariance and what it was when it was last taken apart.

    Attributes:
        path_sigma, path: the evolution paths, `(parameters,)`.
        covariance: `(parameters, parameters)`, or the diagonal `(parameters,)`.
        axes: eigenvectors in columns; None of a diagonal.
        lengths: square roots of the eigenvalues, `(parameters,)`.
        apart: the generation in which it was taken apart.
    """

    path_sigma: np.ndarray
    path: np.ndarray
    covariance: np.ndarray
    axes: np.ndarray | None
    lengths: np.ndarray
    apart: int = 0


@dataclass(frozen=True)
class CmaEs(Algorithm):
    """Candidates are `mean + sigma N(0, C)`; mean, C and sigma follow the ranks of the candidates.

    With negative weights for the worse half (active CMA). Below 200 parameters C is full, from there on its diagonal
    (separable). Ranks alone count, so that it is the same for any rising function of the fitness.

    References:
        Hansen, "The CMA evolution strategy: a tutorial", arXiv:1604.00772 (2016). Ros and Hansen, "A simple
        modification in CMA-ES achieving linear time and space complexity", PPSN X (2008).
    """

    name = "cma-es"
    title = "CMA-ES"
    reference = "Hansen, arXiv:1604.00772 (2016)"
    members = 64
    sigma = 0.5

    def begin(self, start: np.ndarray, members: int, sigma: float, seed: int) -> CmaState:
        """Begin with a sphere about the start."""
        start = np.asarray(start, np.float64)
        n = len(start)
        zeros, ones = np.zeros(n), np.ones(n)
        full = n < FULL_BELOW
        covariance, axes = (np.eye(n), np.eye(n)) if full else (ones, None)
        return CmaState(0, seed, members, start, sigma, zeros, zeros, covariance, axes, ones)

    def ask(self, state: CmaState) -> np.ndarray:
        """Draw candidates."""
        steps = state.lengths * state.random.standard_normal((state.members, len(state.mean)))
        return np.asarray(state.mean + state.sigma * (steps if state.axes is None else steps @ state.axes.T))

    def tell(self, state: CmaState, candidates: np.ndarray, fitness: np.ndarray) -> CmaState:
        """Move the mean, both paths, the covariance and sigma."""
        n = len(state.mean)
        if not (centred_ranks(fitness) != 0).any():  # equal ones tell nothing
            return replace(state, generation=state.generation + 1)
        r = rates(n, state.members, diagonal=state.axes is None)
        steps = (candidates[order_of(fitness)] - state.mean) / state.sigma
        shift = r.weights[: r.mu] @ steps[: r.mu]
        mean, now = state.mean + state.sigma * shift, state.generation + 1
        white = _whitened(state, np.vstack([shift[None], steps[r.mu :]]))
        path_sigma = (1 - r.c_sigma) * state.path_sigma
        path_sigma = path_sigma + np.sqrt(r.c_sigma * (2 - r.c_sigma) * r.effective) * white[0]
        size = float(np.linalg.norm(path_sigma))
        rising = size / np.sqrt(1 - (1 - r.c_sigma) ** (2 * now)) < (1.4 + 2 / (n + 1)) * r.expected
        path = (1 - r.c_c) * state.path + rising * np.sqrt(r.c_c * (2 - r.c_c) * r.effective) * shift
        weights = r.weights.copy()
        weights[r.mu :] *= np.where(weights[r.mu :] < 0, n / np.maximum((white[1:] ** 2).sum(axis=1), 1e-300), 1.0)
        kept = 1 + (0 if rising else r.c_1 * r.c_c * (2 - r.c_c)) - r.c_1 - r.c_mu * r.weights.sum()
        if state.axes is None:
            covariance = kept * state.covariance + r.c_1 * path**2 + r.c_mu * (weights @ steps**2)
        else:
            covariance = kept * state.covariance + r.c_1 * np.outer(path, path) + r.c_mu * (steps.T * weights) @ steps
        sigma = state.sigma * np.exp(min(1.0, r.c_sigma / r.d_sigma * (size / r.expected - 1)))
        sigma = float(np.clip(sigma, SMALLEST, LARGEST))
        moved = replace(state, generation=now, mean=mean, sigma=sigma, path_sigma=path_sigma, path=path)
        return _taken_apart(replace(moved, covariance=covariance), r)


def _whitened(state: CmaState, steps: np.ndarray) -> np.ndarray:
    """Return C^(−1/2) times steps."""
    if state.axes is None:
        return np.asarray(steps / state.lengths)
    return np.asarray((steps @ state.axes / state.lengths) @ state.axes.T)


def _taken_apart(state: CmaState, r: Rates) -> CmaState:
    """Return the state with the axes of its covariance, found anew as often as it has changed enough."""
    if state.axes is None:
        covariance = np.maximum(state.covariance, 1e-20 * state.covariance.max())
        return replace(state, covariance=covariance, lengths=np.sqrt(covariance), apart=state.generation)
    if state.generation - state.apart < 1 / (10 * len(state.mean) * (r.c_1 + r.c_mu)):
        return state
    covariance = (state.covariance + state.covariance.T) / 2
    values, axes = np.linalg.eigh(covariance)
    values = np.maximum(values, 1e-20 * values[-1])
    return replace(state, covariance=covariance, axes=axes, lengths=np.sqrt(values), apart=state.generation)
