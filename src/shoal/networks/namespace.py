"""The array namespace that layers are written against: NumPy, or an engine's array module."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

Affine = tuple[Any, Any]
"""A kernel and a bias, or None in its place."""
Cell = Callable[[Any, Any, tuple[Any, ...]], tuple[Any, ...]]
"""What a recurrent layer computes of the products of inputs and state and of its carry: the new carry."""


class Namespace:
    """An array module with the functions that NumPy and jax.numpy do not share.

    Every other attribute is the array module's own. `correlate` and `recur` are what convolutions and recurrent layers
    spend their time in: an engine may compute the same faster. `features` is the axis of an array `(rows, features)`
    that counts features, `total` sums all that belongs to one member, and `shared` makes an array that members share
    stand beside arrays of members: an engine that puts a member axis behind the others overrides all three.

    Args:
        module: the array module, e.g. `numpy` or `jax.numpy`.
        erf: the error function of an array.
        scan: `scan(f, init, xs)` with `f(carry, x) -> (carry, y)`; returns the last carry and the stacked y.
        stop_gradient: returns its argument, as a constant for derivatives.

    Example:
        >>> numpy_namespace.maximum(np.array([-1.0, 2.0]), 0.0).tolist()
        [0.0, 2.0]
        >>> carry, sums = numpy_namespace.scan(lambda c, x: (c + x, c + x), 0.0, np.array([1.0, 2.0]))
        >>> float(carry), sums.tolist()
        (3.0, [1.0, 3.0])
    """

    features = -1

    def __init__(
        self, module: Any, *, erf: Callable[[Any], Any], scan: Callable[..., Any], stop_gradient: Callable[[Any], Any]
    ) -> None:
        self.module = module
        self.erf = erf
        self.scan = scan
        self.stop_gradient = stop_gradient

    def total(self, array: Any) -> Any:
        """Return the sum of all numbers of one member."""
        return self.module.sum(array)

    def shared(self, array: Any) -> Any:
        """Return an array that all members share, ready to meet arrays of members."""
        return array

    def switch(self, index: Any, functions: Sequence[Callable[[Any], Any]], operand: Any) -> Any:
        """Return `functions[index](operand)`; an engine computes none of the others."""
        return functions[int(index)](operand)

    def correlate(self, x: Any, kernel: Any, strides: Sequence[int], dilation: Sequence[int]) -> Any:
        """Return the cross-correlation of images, series or volumes with a kernel, called convolution in the field.

        `y[n, i, o] = sum_{k, c} x[n, strides i + dilation k, c] kernel[k, c, o]`, with i and k running over one to
        three axes. The patches that the kernel sees are gathered, so that one matrix product does the rest.

        Args:
            x: `(rows, *space, channels)`, padded already.
            kernel: `(*size, channels, filters)`.
            strides: steps of the kernel along each axis of the space.
            dilation: steps between its elements.

        Returns:
            `(rows, *places, filters)` with `places = (space - dilation (size - 1) - 1) // strides + 1`.
        """
        *size, channels, filters = kernel.shape
        patches = self.patches(x, size, strides, dilation)
        flat = self.module.reshape(patches, (-1, math.prod(size) * channels))
        y = self.matmul(flat, self.module.reshape(kernel, (-1, filters)))
        return self.module.reshape(y, (*patches.shape[:-1], filters))

    def patches(self, x: Any, size: Sequence[int], strides: Sequence[int], dilation: Sequence[int]) -> Any:
        """Return what a window of some size sees at each place, `(rows, *places, prod(size) channels)`."""
        return self.module.concatenate(list(self.windows(x, size, strides, dilation)), axis=-1)

    def windows(self, x: Any, size: Sequence[int], strides: Sequence[int], dilation: Sequence[int]) -> Iterator[Any]:
        """Give, for each element of a window, what it sees at every place, `(rows, *places, channels)`."""
        space = x.shape[1:-1]
        spans = [d * (k - 1) for d, k in zip(dilation, size, strict=True)]
        stops = [(n - span - 1) // s * s + 1 for n, span, s in zip(space, spans, strides, strict=True)]
        for element in itertools.product(*map(range, size)):
            starts = [e * d for e, d in zip(element, dilation, strict=True)]
            ends = zip(starts, stops, strides, strict=True)
            yield x[(slice(None), *(slice(start, start + stop, step) for start, stop, step in ends))]

    def recur(
        self, cell: Cell, x: Any, of_inputs: Affine, of_state: Affine, states: int, mask: Any = None
    ) -> tuple[Any, Any]:
        """Return the hidden state of a recurrent cell after each step, and after the last.

        Args:
            cell: elementwise `(inputs, product, carry) -> carry`. `inputs` and `product` are what `of_inputs` makes of
                the inputs of a step and `of_state` of the hidden state `carry[0]`, the gates first; an engine may put
                rows and units either way round.
            x: `(rows, time, features)`.
            of_inputs: kernel `(features, gates units)`, and bias `(gates units,)` or None.
            of_state: kernel `(units, gates units)`, and bias `(gates units,)` or None.
            states: how many arrays `(rows, units)` the carry has, each zero before the first step.
            mask: `(rows, time)`, where false the carry stays as it is; None: true everywhere.

        Returns:
            The hidden state after each step, `(rows, time, units)`, and after the last, `(rows, units)`.
        """

        def parted(z: Any) -> Any:
            return self.module.moveaxis(self.module.reshape(z, (len(x), z.shape[-1] // units, units)), 1, 0)

        def step(carry: Any, now: Any) -> Any:
            inputs, real = now
            product = self.affine(carry[0], of_state)
            new = self.kept(real, cell(parted(inputs), parted(product), carry), carry)
            return new, new[0]

        units, inputs = len(of_state[0]), self.affine_at_steps(x, of_inputs)
        start = (self.module.zeros((len(x), units), inputs.dtype),) * states
        real = None if mask is None else self.module.swapaxes(mask, 0, 1)
        last, along = self.scan(step, start, (inputs, real))
        return self.module.swapaxes(along, 0, 1), last[0]

    def affine(self, x: Any, by: Affine) -> Any:
        """Return rows multiplied with a kernel, and a bias added to them unless it is None."""
        kernel, bias = by
        product = self.matmul(x, kernel)
        return product if bias is None else product + bias

    def affine_at_steps(self, x: Any, by: Affine) -> Any:
        """Return `affine` of each step of series, the time before the rows, by one product."""
        along = self.module.swapaxes(x, 0, 1)
        flat = self.affine(self.module.reshape(along, (-1, x.shape[-1])), by)
        return self.module.reshape(flat, (*along.shape[:2], flat.shape[-1]))

    def kept(self, real: Any, new: tuple[Any, ...], old: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return the new carry of the rows whose step is real, the old one of the others; None: all are."""
        if real is None:
            return new
        return tuple(self.module.where(real[:, None], a, b) for a, b in zip(new, old, strict=True))

    def __getattr__(self, name: str) -> Any:
        if name == "module":  # only while an object is being copied: there is nothing to delegate to yet
            raise AttributeError(name)
        return getattr(self.module, name)

    def __repr__(self) -> str:
        return f"Namespace({self.module.__name__})"


def _erf(x: Any) -> Any:
    from scipy.special import erf

    return erf(x)


def _tree(function: Callable[..., Any], *trees: Any) -> Any:
    """Apply a function to the arrays of nested tuples, lists and dicts."""
    first = trees[0]
    if isinstance(first, dict):
        return {key: _tree(function, *(t[key] for t in trees)) for key in first}
    if isinstance(first, (tuple, list)):
        return type(first)(_tree(function, *parts) for parts in zip(*trees, strict=True))
    return None if first is None else function(*trees)


def _length(tree: Any) -> int:
    while isinstance(tree, (dict, tuple, list)):
        tree = next(iter(tree.values() if isinstance(tree, dict) else tree))
    return len(tree)


def _scan(f: Callable[[Any, Any], tuple[Any, Any]], init: Any, xs: Any) -> tuple[Any, Any]:
    carry, outputs = init, []
    for i in range(_length(xs)):
        carry, y = f(carry, _tree(lambda a, i=i: a[i], xs))
        outputs.append(y)
    return carry, _tree(lambda *parts: np.stack(parts), *outputs) if outputs else None


numpy_namespace = Namespace(np, erf=_erf, scan=_scan, stop_gradient=lambda x: x)
"""NumPy, with which a saved network predicts and which serves as the reference of the tests."""
