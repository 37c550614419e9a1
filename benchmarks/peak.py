"""The machine's best speed in a large float32 matrix product, by each library's own product."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

SIDE = 2048
NEEDS = {"numpy": ("numpy",), "jax": ("jax",), "torch": ("torch",)}


def measure(library: str, side: int = SIDE, seconds: float = 2.0) -> dict[str, float]:
    """Return the highest speed of a product in operations per second, over as many as fit in so many seconds."""
    product = {"numpy": _numpy, "jax": _jax, "torch": _torch}[library](side)
    product()
    best, end = float("inf"), time.perf_counter() + seconds
    while time.perf_counter() < end:
        began = time.perf_counter()
        product()
        best = min(best, time.perf_counter() - began)
    return {"flops_per_second": 2.0 * side**3 / best, "seconds": best}


def _numpy(side: int) -> Callable[[], Any]:
    import numpy as np

    a = np.random.default_rng(0).standard_normal((side, side), np.float32)
    return lambda: a @ a


def _jax(side: int) -> Callable[[], Any]:
    import jax
    import jax.numpy as jnp

    a = jax.random.normal(jax.random.key(0), (side, side))
    program = jax.jit(jnp.matmul)
    return lambda: program(a, a).block_until_ready()


def _torch(side: int) -> Callable[[], Any]:
    import torch

    a = torch.randn(side, side)
    return lambda: a @ a
