"""The engine's recurrent layers beside the plain form of the namespace, values and gradients."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from shoal.networks import GRU, LSTM, Bidirectional, Context, Layer, SimpleRNN, numpy_namespace
from shoal.streams import Streams
from shoal.training.engines.xla.lifts import FIRST, IN_TURN, Lifted
from shoal.training.engines.xla.recurrence import FEWEST_ROWS

QUICKLY = {"xla_backend_optimization_level": 0, "xla_llvm_disable_expensive_passes": True}

MEMBERS, ROWS, TIME, FEATURES = 3, FEWEST_ROWS + 1, 6, 2
PLAIN = Lifted(jnp, erf=jax.scipy.special.erf, scan=jax.lax.scan, stop_gradient=jax.lax.stop_gradient)
LAYERS = [
    LSTM(3),
    LSTM(4, "softsign", True, recurrent_activation="hard_sigmoid", use_bias=False),
    LSTM(2, return_sequences=True, go_backwards=True),
    GRU(3, bias_initializer="random_normal"),
    GRU(2, return_sequences=True, use_bias=False),
    GRU(3, reset_after=False, bias_initializer="ones"),
    SimpleRNN(4, bias_initializer="ones"),
    Bidirectional(LSTM(2, return_sequences=True)),
    Bidirectional(GRU(2), "sum"),
]


def _block(layer: Layer) -> tuple[Any, np.ndarray, np.ndarray]:
    """Return parameters of members, their rows, and which steps of the rows are real."""
    parameters = layer.initialize((TIME, FEATURES), Streams(0, (5,), np.arange(MEMBERS)))
    parameters = {n: np.broadcast_to(v, (MEMBERS, *s)) for (n, v), s in _shaped(layer, parameters)}
    rng = np.random.default_rng(0)
    mask = np.arange(TIME) < rng.integers(1, TIME + 1, (MEMBERS, ROWS, 1))
    return parameters, rng.standard_normal((MEMBERS, ROWS, TIME, FEATURES), np.float32), mask


def _shaped(layer: Layer, parameters: Any) -> Any:
    return zip(parameters.items(), layer.parameter_shapes((TIME, FEATURES)).values(), strict=True)


def _values_and_slopes(xp: Any, layer: Layer, masked: bool) -> Any:
    """Return a function of one member, which differentiates by its parameters and its rows."""

    def values(parameters: Any, x: Any, mask: Any) -> Any:
        y = layer.apply(xp, parameters, x, Context(mask=mask if masked else None))
        return jnp.sum(y * jnp.cos(jnp.arange(y.size).reshape(y.shape))), y

    return jax.value_and_grad(values, argnums=(0, 1), has_aux=True)


def _run(function: Any, *given: Any) -> Any:
    return jax.jit(function, compiler_options=QUICKLY)(*given)


def _check(found: Any, expected: Any) -> None:
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=2e-5, atol=2e-6), found, expected)


@pytest.mark.slow
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("layer", LAYERS, ids=repr)
def test_equals_the_plain_form(layer: Layer, masked: bool) -> None:
    one = jax.tree.map(lambda a: a[1], _block(layer))
    own, plain = (_run(_values_and_slopes(xp, layer, masked), *one) for xp in (FIRST.xp, PLAIN))
    _check(own, plain)
    exact = layer.apply(numpy_namespace, _float64(one[0]), _float64(one[1]), Context(mask=one[2] if masked else None))
    np.testing.assert_allclose(own[0][1], exact, rtol=2e-5, atol=2e-6)


def _float64(tree: Any) -> Any:
    return jax.tree.map(lambda a: np.asarray(a, np.float64), tree)


@pytest.mark.slow
@pytest.mark.parametrize("layer", LAYERS, ids=repr)
def test_a_member_in_a_block_equals_itself_alone(layer: Layer) -> None:
    block, member = _block(layer), _values_and_slopes(FIRST.xp, layer, masked=True)
    alone = _run(member, *jax.tree.map(lambda a: a[2], block))
    for lift in (jax.vmap(member), lambda *block: jax.lax.map(lambda own: member(*own), block)):
        _check(jax.tree.map(lambda a: a[2], _run(lift, *block)), alone)


@pytest.mark.slow
def test_whole_numbers_are_read() -> None:
    layer = SimpleRNN(2)
    (parameters, _, _), x = _block(layer), np.arange(6 * FEWEST_ROWS).reshape(FEWEST_ROWS, 3, 2) % 7
    parameters = jax.tree.map(lambda a: a[0], parameters)
    own, plain = (layer.apply(xp, parameters, x, Context()) for xp in (IN_TURN.xp, PLAIN))
    _check(own, plain)
