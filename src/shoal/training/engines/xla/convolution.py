"""Convolutions on the CPU, forwards and backwards, as XLA computes them fastest for a block of members.

XLA's own convolution is slow inside a loop, and slower still with a kernel for each member. Patches and one matrix
product are fast, but patches are large: members take their turns, so that only those of one are in the caches. With
few channels there is little to multiply, and a sum over the elements of the kernel needs no patches at all.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax.custom_batching import sequential_vmap

from shoal.networks import Namespace
from shoal.training.engines.xla.settled import settled

FEW_CHANNELS = 2  # up to which a sum over the elements of the kernel is faster than patches

Steps = tuple[tuple[int, ...], tuple[int, ...]]  # strides and dilation


def correlate(xp: Namespace, x: Any, kernel: Any, strides: Sequence[int], dilation: Sequence[int]) -> Any:
    """Return `Namespace.correlate`, with gradients of its own."""
    return _correlate(xp, (tuple(strides), tuple(dilation)), x, kernel)


@partial(jax.custom_vjp, nondiff_argnums=(0, 1))
def _correlate(xp: Namespace, steps: Steps, x: Any, kernel: Any) -> Any:
    return _forward(xp, steps, x, kernel)[0]


def _forward(xp: Namespace, steps: Steps, x: Any, kernel: Any) -> tuple[Any, Any]:
    if x.shape[-1] <= FEW_CHANNELS:
        return settled(partial(_sum, xp, steps), x, kernel), (x, None, kernel)
    y, patches = sequential_vmap(partial(_multiply, _patches_of(xp, steps, kernel)))(x, kernel)
    return y, (x, patches, kernel)


def _backward(xp: Namespace, steps: Steps, kept: Any, slope: Any) -> tuple[Any, Any]:
    x, patches, kernel = kept
    patches_of = _patches_of(xp, steps, kernel)
    # two loops over the members: that of the first layer's x is left out by the compiler
    for_x = sequential_vmap(partial(_slope_of_x, patches_of))
    for_kernel = sequential_vmap(_slope_of_kernel)
    if patches is None:
        patches, for_kernel = patches_of(x), _slope_of_small_kernel
    return for_x(x, kernel, slope), for_kernel(kernel, patches, slope)


_correlate.defvjp(_forward, _backward)


def _patches_of(xp: Namespace, steps: Steps, kernel: Any) -> Callable[[Any], Any]:
    return lambda x: xp.patches(x, kernel.shape[:-2], *steps)


def _sum(xp: Namespace, steps: Steps, x: Any, kernel: Any) -> Any:
    """Return the sum over the elements of the kernel of what each sees, which XLA makes one loop."""
    *size, channels, filters = kernel.shape
    elements = kernel.reshape(math.prod(size), channels, filters)
    seen = enumerate(xp.windows(x, size, *steps))
    return sum(window[..., c : c + 1] * elements[i, c] for i, window in seen for c in range(channels))


def _multiply(patches_of: Callable[[Any], Any], x: Any, kernel: Any) -> tuple[Any, Any]:
    patches = patches_of(x)
    y = _rows(patches) @ _rows(kernel)
    return y.reshape(*patches.shape[:-1], kernel.shape[-1]), patches


def _slope_of_x(patches_of: Callable[[Any], Any], x: Any, kernel: Any, slope: Any) -> Any:
    slopes = _rows(slope) @ _rows(kernel).T
    patches_to_x = jax.linear_transpose(patches_of, x)
    (back,) = settled(patches_to_x, slopes.reshape(*slope.shape[:-1], -1))
    return back


def _slope_of_kernel(kernel: Any, patches: Any, slope: Any) -> Any:
    # the smaller array is the one that XLA turns; the barrier keeps it from changing their places
    return jax.lax.optimization_barrier(_rows(slope).T @ _rows(patches)).T.reshape(kernel.shape)


def _slope_of_small_kernel(kernel: Any, patches: Any, slope: Any) -> Any:
    return (_rows(patches).T @ _rows(slope)).reshape(kernel.shape)


def _rows(array: Any) -> Any:
    return jnp.reshape(array, (-1, array.shape[-1]))
