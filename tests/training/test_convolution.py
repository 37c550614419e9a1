"""The engine's convolution beside the plain form of the namespace, values and gradients."""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from shoal.networks import Namespace, numpy_namespace
from shoal.training.engines.xla.lifts import FIRST
from shoal.training.engines.xla.settled import settled

QUICKLY = {"xla_backend_optimization_level": 0, "xla_llvm_disable_expensive_passes": True}

CASES = [
    # space, size, channels, filters, strides, dilation
    ((9,), (3,), 1, 4, (1,), (1,)),
    ((11,), (4,), 5, 3, (2,), (2,)),
    ((8, 7), (3, 2), 1, 4, (1, 1), (1, 1)),
    ((8, 7), (3, 2), 2, 4, (2, 3), (1, 2)),
    ((9, 10), (3, 3), 6, 5, (1, 1), (1, 1)),
    ((9, 10), (2, 3), 3, 5, (3, 2), (2, 1)),
    ((5, 6, 7), (2, 3, 2), 1, 3, (1, 2, 1), (1, 1, 1)),
    ((5, 6, 7), (2, 3, 2), 4, 3, (2, 1, 3), (2, 1, 1)),
]


def _arrays(case: Any, members: int = 3) -> tuple[Any, Any, Any]:
    space, size, channels, filters, strides, dilation = case
    rng = np.random.default_rng(1)
    x = rng.standard_normal((members, 4, *space, channels), np.float32)
    kernel = rng.standard_normal((members, *size, channels, filters), np.float32)
    y = numpy_namespace.correlate(x[0], kernel[0], strides, dilation)
    return x, kernel, rng.standard_normal((members, *y.shape), np.float32)


def _value_and_slopes(correlate: Any, x: Any, kernel: Any, slope: Any) -> Any:
    y, back = jax.vjp(correlate, x, kernel)
    return y, *back(slope)


def _run(function: Any, *given: Any) -> Any:
    return jax.jit(function, compiler_options=QUICKLY)(*given)


def _check(own: Any, plain: Any) -> None:
    for a, b in zip(own, plain, strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-5, atol=2e-5)


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_equals_the_plain_form(case: Any) -> None:
    x, kernel, slope = (array[0] for array in _arrays(case))
    own, plain = (
        _run(partial(_value_and_slopes, lambda x, k, f=f: f(x, k, *case[4:])), x, kernel, slope)
        for f in (FIRST.xp.correlate, partial(Namespace.correlate, FIRST.xp))
    )
    _check(own, plain)
    np.testing.assert_allclose(own[0], numpy_namespace.correlate(x, kernel, *case[4:]), rtol=2e-5, atol=2e-5)


@pytest.mark.slow
@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("case", CASES)
def test_members_together_equal_each_alone(case: Any, shared: bool) -> None:
    x, kernel, slope = _arrays(case)
    one = partial(_value_and_slopes, lambda x, k: FIRST.xp.correlate(x, k, *case[4:]))
    axes = (None if shared else 0, 0, 0)
    together = _run(jax.vmap(one, in_axes=axes), x[0] if shared else x, kernel, slope)
    for i in range(len(kernel)):
        _check([part[i] for part in together], _run(one, x[0] if shared else x[i], kernel[i], slope[i]))


def test_learns_inside_a_loop_without_the_slope_of_x() -> None:
    x, kernel, slope = _arrays(CASES[4])

    def train(kernel: Any, correlate: Any) -> Any:
        def step(_: Any, kernel: Any) -> Any:
            return kernel - 0.01 * jax.grad(lambda k: jnp.sum(correlate(x[0], k, (1, 1), (1, 1)) * slope[0]))(kernel)

        return jax.lax.fori_loop(0, 3, step, kernel)

    own, plain = (
        jax.jit(jax.vmap(partial(train, correlate=f)))(kernel)
        for f in (FIRST.xp.correlate, partial(Namespace.correlate, FIRST.xp))
    )
    np.testing.assert_allclose(own, plain, rtol=1e-4, atol=1e-4)


@pytest.mark.slow
def test_what_is_settled_stands_in_memory_and_is_unknown_where_its_first_number_is() -> None:
    x = jnp.array([[1.0, 4.0], [jnp.nan, 2.0]])
    y = jax.vmap(lambda row: settled(jnp.square, row))(x)
    assert np.array_equal(y, [[1.0, 16.0], [np.nan, np.nan]], equal_nan=True)
    assert "conditional(" in jax.jit(lambda row: settled(jnp.square, row)).lower(x[0]).compile().as_text()
