"""hyperoptax: random search that vmaps a JAX training function over a population of hyperparameters."""

from __future__ import annotations

import time

from work import Work

from peers.base import Peer, Timing
from peers.jax_common import training


def train(work: Work, population: int) -> Timing:
    """Train a population together; only the learning rate differs, within a thousandth."""
    import jax
    from hyperoptax.random import RandomSearch
    from hyperoptax.spaces import LogSpace

    one = jax.jit(training(work))
    rate = work.learning_rate
    state, search = RandomSearch.init({"rate": LogSpace(rate, 1.001 * rate)}, n_parallel=population)

    def run() -> tuple[float, float]:
        began = time.perf_counter()
        outcome = search.optimize(state, jax.random.key(0), lambda key, given: one(key, given["rate"]), 1)
        losses = jax.block_until_ready(outcome[1][1][0])
        return time.perf_counter() - began, float(losses.mean())

    first, _ = run()
    seconds, loss = run()
    return Timing(seconds, max(0.0, first - seconds), loss)


HYPEROPTAX = Peer("hyperoptax", "hyperoptax", ("hyperoptax", "jax", "optax", "jaxtyping"), train, together=True)
