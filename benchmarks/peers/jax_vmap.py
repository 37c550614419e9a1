"""JAX and optax by hand: the whole training in one program, vmapped over the population."""

from __future__ import annotations

import time

from work import Work

from peers.base import Peer, Timing
from peers.jax_common import training


def train(work: Work, population: int) -> Timing:
    """Train a population together."""
    import jax
    import jax.numpy as jnp

    keys, rates = jax.random.split(jax.random.key(0), population), jnp.full(population, work.learning_rate)
    began = time.perf_counter()
    program = jax.jit(jax.vmap(training(work))).lower(keys, rates).compile()
    compiling = time.perf_counter() - began
    began = time.perf_counter()
    losses = program(keys, rates).block_until_ready()
    return Timing(time.perf_counter() - began, compiling, float(losses.mean()))


VMAP = Peer("jax_vmap", "JAX and optax, vmap", ("jax", "optax"), train, together=True)
