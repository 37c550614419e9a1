"""The array namespace that layers are written against: NumPy, or an engine's array module."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np


class Namespace:
    """An array module with the three functions that NumPy and jax.numpy do not share.

    Every other attribute is the array module's own. `features` is the axis of an array `(rows, features)` that
    counts features, `total` sums all that belongs to one member, and `shared` makes an array that members share
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
        self,
        module: Any,
        *,
        erf: Callable[[Any], Any],
        scan: Callable[..., Any],
        stop_gradient: Callable[[Any], Any],
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
