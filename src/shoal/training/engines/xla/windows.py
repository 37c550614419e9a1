"""The largest numbers of small windows, forwards and backwards."""

from __future__ import annotations

import itertools
import math
from functools import partial, reduce
from typing import Any

import jax
import jax.numpy as jnp

from shoal.training.engines.xla.settled import settled

MOST_PLACES = 9  # of a window: each is compared by itself


@partial(jax.custom_vjp, nondiff_argnums=(1,))
def largest(x: Any, axes: tuple[int, ...]) -> Any:
    """Return the largest numbers over some axes; of equal ones, the first has the slope."""
    return settled(lambda x: reduce(jnp.maximum, _places(x, axes)), x)


def _forward(x: Any, axes: tuple[int, ...]) -> tuple[Any, Any]:
    y, which = settled(partial(_largest_and_its_place, axes=axes), x)
    return y, (which, x)


def _largest_and_its_place(x: Any, axes: tuple[int, ...]) -> tuple[Any, Any]:
    places = _places(x, axes)
    y = reduce(jnp.maximum, places)
    which = jnp.full(y.shape, len(places) - 1, x.dtype)
    for i, place in reversed(list(enumerate(places[:-1]))):
        which = jnp.where(place == y, jnp.asarray(i, x.dtype), which)
    return y, which


def _backward(axes: tuple[int, ...], kept: Any, slope: Any) -> tuple[Any]:
    # the number of the place is all that is kept: the full size is only written, not read
    which, x = kept
    sizes = [x.shape[axis] for axis in axes]
    which, slope = jnp.expand_dims(which, axes), jnp.expand_dims(slope, axes)
    shape = [1] * which.ndim
    for axis, size in zip(axes, sizes, strict=True):
        shape[axis] = size
    numbers = jnp.arange(math.prod(sizes), dtype=which.dtype).reshape(shape)
    return (jnp.where(which == numbers, slope, 0.0),)


largest.defvjp(_forward, _backward)


def _places(x: Any, axes: tuple[int, ...]) -> list[Any]:
    """Return what stands at each place of the windows, the last axis running fastest."""
    last = jnp.moveaxis(x, axes, range(x.ndim - len(axes), x.ndim))
    return [last[(..., *place)] for place in itertools.product(*(range(x.shape[axis]) for axis in axes))]
