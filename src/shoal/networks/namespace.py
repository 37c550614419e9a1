"""The array namespace that layers are written against: NumPy, or an engine's array module."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np


class Namespace:
    """An array module with the three functions that NumPy and jax.numpy do not share.

    Every other attribute is the array module's own.

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
