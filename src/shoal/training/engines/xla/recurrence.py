"""Recurrent layers on the CPU, forwards and backwards, as XLA computes them fastest.

Rows stand last, so that gates lie one behind the other in memory. XLA joins what a loop takes out of an array of all
steps with all that reads it, and a gate that is cut out of it there is computed number by number. So each step
multiplies its own inputs, and the way back computes the gates anew: that costs less than to write and read them.
"""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from shoal.networks.namespace import Affine, Cell

FEWEST_ROWS = 16  # below which products are too narrow with rows last, and the plain form is faster


class Weights(NamedTuple):
    """The kernels `(features, gates units)` and `(units, gates units)`, and the bias of the state or None."""

    of_inputs: Any
    of_state: Any
    bias: Any

    def turned(self) -> Weights:
        """Return them with transposed kernels."""
        return Weights(self.of_inputs.T, self.of_state.T, self.bias)


def recur(cell: Cell, x: Any, of_inputs: Affine, of_state: Affine, states: int, mask: Any = None) -> tuple[Any, Any]:
    """Return `Namespace.recur`, with gradients of its own."""
    (kernel, bias), (state_kernel, state_bias) = of_inputs, of_state
    x = jnp.transpose(x, (1, 2, 0)).astype(kernel.dtype)
    time, _, rows = x.shape
    if bias is not None:  # the weight of an input that is always one
        x, kernel = jnp.concatenate([x, jnp.ones((time, 1, rows), x.dtype)], axis=1), jnp.vstack([kernel, bias])
    wide = None if state_bias is None else jnp.broadcast_to(state_bias[:, None], (len(state_bias), rows))
    real = None if mask is None else mask.T
    along, last = _recur(cell, states, x, real, Weights(kernel, state_kernel, wide))
    return jnp.transpose(along, (2, 0, 1)), last.T


@partial(jax.custom_vjp, nondiff_argnums=(0, 1))
def _recur(cell: Cell, states: int, x: Any, real: Any, weights: Weights) -> tuple[Any, Any]:
    """Return the states after each step `(time, units, rows)` and after the last, of x `(time, features, rows)`."""
    return _forward(cell, states, x, real, weights)[0]


def _forward(cell: Cell, states: int, x: Any, real: Any, weights: Weights) -> tuple[Any, Any]:
    turned = _ready(weights.turned())

    def step(carry: Any, now: Any) -> Any:
        x_t, real_t = now
        new = _step(cell, real_t, *_products(turned, x_t, carry[0]), carry)
        return new, (new[0], carry)

    start = (jnp.zeros((len(weights.of_state), x.shape[2]), x.dtype),) * states
    last, (along, before) = jax.lax.scan(step, start, (x, real))
    return (along, last[0]), (x, real, weights, before)


def _backward(cell: Cell, states: int, kept: Any, slopes: Any) -> tuple[Any, None, Weights]:
    x, real, weights, before = kept
    turned = _ready(weights.turned())

    def step(carry: Any, now: Any) -> Any:
        (slope, *others), sums = carry
        slope_t, x_t, real_t, old = now
        _, back = jax.vjp(partial(_step, cell, real_t), *_products(turned, x_t, old[0]), old)
        of_inputs, of_product, (slope, *others) = back((slope + slope_t, *others))
        slope = slope + weights.of_state @ of_product
        more = Weights(of_inputs @ x_t.T, of_product @ old[0].T, None if weights.bias is None else of_product)
        return ((slope, *others), jax.tree.map(jnp.add, sums, more)), weights.of_inputs @ of_inputs

    along, last = slopes
    start = (last, *(jnp.zeros_like(last),) * (states - 1)), jax.tree.map(jnp.zeros_like, turned)
    (_, sums), of_x = jax.lax.scan(step, start, (along, x, real, before), reverse=True)
    return of_x, None, sums.turned()


_recur.defvjp(_forward, _backward)


def _ready(weights: Weights) -> Weights:
    # the barrier keeps XLA from folding a transpose into each of the products, which are slow then
    kernel, state_kernel = jax.lax.optimization_barrier((weights.of_inputs, weights.of_state))
    return Weights(kernel, state_kernel, weights.bias)


def _products(weights: Weights, x: Any, state: Any) -> tuple[Any, Any]:
    product = weights.of_state @ state
    return weights.of_inputs @ x, product if weights.bias is None else product + weights.bias


def _step(cell: Cell, real: Any, inputs: Any, product: Any, carry: tuple[Any, ...]) -> tuple[Any, ...]:
    by_gate = (-1, *carry[0].shape)
    new = cell(inputs.reshape(by_gate), product.reshape(by_gate), carry)
    return new if real is None else tuple(jnp.where(real, a, b) for a, b in zip(new, carry, strict=True))
