"""The array namespaces on which every layer and activation is tried."""

from __future__ import annotations

import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import pytest

from shoal.networks import Namespace


@pytest.fixture(scope="session")
def jax_namespace() -> Namespace:
    import jax
    import jax.numpy as jnp

    return Namespace(jnp, erf=jax.lax.erf, scan=jax.lax.scan, stop_gradient=jax.lax.stop_gradient)
