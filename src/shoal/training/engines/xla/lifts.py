"""How the program of one member becomes the program of a block.

Layers, losses and optimizers are written for one member. A block is made of them in one of two layouts: `FIRST`
puts the member axis before all others, by `jax.vmap`, so that products become batched products; `LAST` puts it
behind all others, so that every operation runs along the members, which suits networks too small for a product.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from shoal.networks import Namespace
from shoal.networks.namespace import Affine, Cell
from shoal.training.engines.xla import convolution, recurrence, windows


class Lifted(Namespace):
    """jax.numpy with a switch that computes one branch only, forwards and backwards."""

    def switch(self, index: Any, functions: Sequence[Callable[[Any], Any]], operand: Any) -> Any:
        """Return `functions[index](operand)` of elementwise functions."""
        return _switch(tuple(functions), index, operand)


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def _switch(functions: tuple[Callable[[Any], Any], ...], index: Any, operand: Any) -> Any:
    return jax.lax.switch(index, functions, operand)


def _switch_forward(functions: tuple[Any, ...], index: Any, operand: Any) -> tuple[Any, Any]:
    return jax.lax.switch(index, functions, operand), (index, operand)


def _switch_backward(functions: tuple[Any, ...], kept: Any, slope: Any) -> tuple[None, Any]:
    # by itself, the gradient of a switch would carry what every branch has to keep
    def chain(function: Callable[[Any], Any]) -> Callable[[Any, Any], Any]:
        return lambda operand, slope: jax.vjp(function, operand)[1](slope)[0]

    index, operand = kept
    return None, jax.lax.switch(index, [chain(function) for function in functions], operand, slope)


_switch.defvjp(_switch_forward, _switch_backward)


class MembersFirst(Lifted):
    """jax.numpy for one member, to be lifted by `jax.vmap`."""

    def matmul(self, x: Any, kernel: Any) -> Any:
        """Return `x @ kernel`, with gradients of the shape that XLA's fast batched product takes."""
        if x.ndim == 3 and kernel.ndim == 2:  # all steps of all rows in one product
            return _product(x.reshape(-1, x.shape[-1]), kernel).reshape(*x.shape[:-1], -1)
        return _product(x, kernel) if x.ndim == 2 else jnp.matmul(x, kernel)

    def max(self, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        """Return the largest numbers, with a gradient that is fast where they are those of small windows."""
        few = isinstance(axis, tuple) and math.prod(x.shape[a] for a in axis) <= windows.MOST_PLACES
        return windows.largest(x, axis) if few and not keepdims else jnp.max(x, axis=axis, keepdims=keepdims)

    def correlate(self, x: Any, kernel: Any, strides: Sequence[int], dilation: Sequence[int]) -> Any:
        """Return the cross-correlation, on the CPU by what is fastest there."""
        if jax.default_backend() == "cpu":
            return convolution.correlate(self, x, kernel, strides, dilation)
        return super().correlate(x, kernel, strides, dilation)

    def recur(
        self, cell: Cell, x: Any, of_inputs: Affine, of_state: Affine, states: int, mask: Any = None
    ) -> tuple[Any, Any]:
        """Return the hidden states of a recurrent cell, on the CPU by what is fastest there."""
        if jax.default_backend() == "cpu" and len(x) >= recurrence.FEWEST_ROWS:
            return recurrence.recur(cell, x, of_inputs, of_state, states, mask)
        return super().recur(cell, x, of_inputs, of_state, states, mask)


@jax.custom_vjp
def _product(x: Any, kernel: Any) -> Any:
    return x @ kernel


def _product_forward(x: Any, kernel: Any) -> tuple[Any, Any]:
    return x @ kernel, (x, kernel)


def _product_backward(kept: Any, slope: Any) -> tuple[Any, Any]:
    x, kernel = kept
    # the barrier keeps XLA from folding the transpose into a product that it computes by its slow loop
    return slope @ kernel.T, jax.lax.optimization_barrier(x.T) @ slope


_product.defvjp(_product_forward, _product_backward)


class MembersLast(Lifted):
    """jax.numpy for arrays with a member axis behind all others; arrays without it are shared by the members."""

    features = -2

    def matmul(self, x: Any, kernel: Any) -> Any:
        """Return `x @ kernel` of every member, `(rows, units, members)`."""
        if x.ndim == 2:  # rows that all members share: one wide product
            inputs, units, members = kernel.shape
            return (x @ kernel.reshape(inputs, units * members)).reshape(len(x), units, members)
        return jnp.sum(x[:, :, None, :] * kernel, axis=1)

    def total(self, array: Any) -> Any:
        """Return the sum of all numbers of each member."""
        return jnp.sum(array, axis=tuple(range(array.ndim - 1)))

    def shared(self, array: Any) -> Any:
        """Return an array that all members share with an axis for them."""
        return array[..., None]


def _namespace(kind: type[Namespace]) -> Any:
    return kind(jnp, erf=jax.scipy.special.erf, scan=jax.lax.scan, stop_gradient=jax.lax.stop_gradient)


@dataclass(frozen=True)
class Lift:
    """One of the two layouts.

    Attributes:
        axis: where the member axis is.
        xp: the array namespace in which one member's program is written.
        in_turn: whether a device trains its members one after the other. Their products are large enough by
            themselves, and what one member works on stays in the caches.
    """

    axis: int
    xp: Any
    in_turn: bool = False

    def block(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function of `(state, numbers, ...)` of one member for a block of members."""
        if self.axis == -1:
            return function  # the namespace has lifted every operation already
        if self.in_turn:
            return lambda state, numbers, *shared: jax.lax.map(lambda pair: function(*pair, *shared), (state, numbers))
        return jax.vmap(function, in_axes=(0, 0, None, None, None, None, None))


xp = _namespace(MembersFirst)
FIRST, IN_TURN, LAST = Lift(0, xp), Lift(0, xp, in_turn=True), Lift(-1, _namespace(MembersLast))
LIFTS = {"first": FIRST, "last": LAST}
