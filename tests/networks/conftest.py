"""The array namespaces on which every layer and activation is tried."""

from __future__ import annotations

import os
from collections.abc import Iterator

os.environ.setdefault("KERAS_BACKEND", "jax")

import pytest

from shoal.networks import Namespace


@pytest.fixture(scope="session")
def jax_namespace() -> Namespace:
    import jax
    import jax.numpy as jnp

    return Namespace(jnp, erf=jax.lax.erf, scan=jax.lax.scan, stop_gradient=jax.lax.stop_gradient)


@pytest.fixture(scope="module", autouse=True)
def forget_programs() -> Iterator[None]:
    """Let JAX forget what a file compiled: a gigabyte, in the large ones, that no other file uses."""
    yield
    import jax

    jax.clear_caches()
