"""How a network's output changes with its input, by NumPy alone: for looking inside a few rows, not for training.

Layers are run once with variables in place of arrays, which write down how to come back from each result to what it
was made of (reverse accumulation; Griewank and Walther, "Evaluating derivatives", 2008). Whatever only moves numbers is
done to an array of places, too, by which gradients find back.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from shoal.networks.namespace import Namespace, numpy_namespace
from shoal.networks.network import Network

Back = Callable[[np.ndarray], np.ndarray]
MOVES = (
    "reshape",
    "transpose",
    "swapaxes",
    "moveaxis",
    "flip",
    "repeat",
    "broadcast_to",
    "expand_dims",
    "squeeze",
    "take",
)
CONSTANT = ("sign", "isnan", "less", "less_equal", "greater", "greater_equal", "equal", "not_equal", "logical_and",
            "logical_or", "logical_not", "zeros_like", "ones_like")  # fmt: skip
"""Functions that do not change with small steps of what goes in."""


def input_gradients(
    network: Network, parameters: Sequence[Mapping[str, Any]], x: np.ndarray, output: np.ndarray
) -> np.ndarray:
    """Return the gradient of one output with respect to the input, for each row.

    The output is taken before the last activation, as in Simonyan et al. (2014): behind a softmax, a class also
    gains when others lose.

    Args:
        network: the network.
        parameters: one dict of arrays per layer.
        x: `(rows, *input_shape)`, of any number type.
        output: `(rows,)`, the number of the output that is asked about in each row.

    Returns:
        `(rows, *input_shape)` float32.

    Example:
        >>> network = Network.parse("2 1")
        >>> parameters = [{"kernel": np.array([[3.0], [-1.0]], np.float32), "bias": np.zeros(1, np.float32)}]
        >>> input_gradients(network, parameters, np.ones((1, 2), np.float32), np.zeros(1, int)).tolist()
        [[3.0, -1.0]]
    """
    rows = Variable(np.asarray(x, np.float32))
    scores = network.apply(parameters, rows, xp=differentiating, logits=True)
    if not isinstance(scores, Variable):
        return np.zeros(rows.shape, np.float32)
    slopes = np.zeros((len(rows), math.prod(scores.shape[1:])), np.float32)
    slopes[np.arange(len(rows)), output] = 1.0
    return gradient_of(scores, slopes.reshape(scores.shape), rows)


def _operator(function: np.ufunc, *, turned: bool = False) -> Any:
    def operate(self: Variable, other: Any) -> Variable:
        return _elementwise(function, other, self) if turned else _elementwise(function, self, other)

    return operate


def _comparison(function: np.ufunc) -> Any:
    return lambda self, other: function(self.value, _value(other))


class Variable:
    """An array that depends on the input: its numbers, and how gradients come back to what it was made of."""

    __array_ufunc__ = None  # NumPy's arrays leave operators to the variable

    def __init__(self, value: np.ndarray, sources: Sequence[tuple[Variable, Back]] = ()) -> None:
        self.value, self.sources = value, tuple(sources)

    @property
    def shape(self) -> tuple[int, ...]:
        """As of an array."""
        return self.value.shape

    @property
    def ndim(self) -> int:
        """As of an array."""
        return self.value.ndim

    @property
    def dtype(self) -> np.dtype[Any]:
        """As of an array."""
        return self.value.dtype

    def __len__(self) -> int:
        return len(self.value)

    def __getitem__(self, places: Any) -> Variable:
        return _moved(self, lambda array: array[places])

    def __iter__(self) -> Any:
        return (self[i] for i in range(len(self)))

    def astype(self, dtype: Any) -> Variable:  # noqa: ARG002
        """Return the same: gradients are taken of float32."""
        return self

    __add__: Any = _operator(np.add)
    __sub__: Any = _operator(np.subtract)
    __mul__: Any = _operator(np.multiply)
    __truediv__: Any = _operator(np.divide)
    __pow__: Any = _operator(np.power)
    __radd__: Any = _operator(np.add, turned=True)
    __rsub__: Any = _operator(np.subtract, turned=True)
    __rmul__: Any = _operator(np.multiply, turned=True)
    __rtruediv__: Any = _operator(np.divide, turned=True)
    __lt__: Any = _comparison(np.less)
    __le__: Any = _comparison(np.less_equal)
    __gt__: Any = _comparison(np.greater)
    __ge__: Any = _comparison(np.greater_equal)
    __eq__: Any = _comparison(np.equal)
    __ne__: Any = _comparison(np.not_equal)
    __hash__ = object.__hash__

    def __neg__(self) -> Variable:
        return _elementwise(np.negative, self)


def gradient_of(result: Variable, slopes: np.ndarray, wanted: Variable) -> np.ndarray:
    """Return how much `sum(slopes * result)` changes with each number of a variable."""
    so_far: dict[int, np.ndarray] = {id(result): slopes}
    for variable in reversed(_in_order(result)):
        if variable is wanted or id(variable) not in so_far:
            continue
        here = so_far.pop(id(variable))
        for source, back in variable.sources:
            part = back(here)
            so_far[id(source)] = so_far[id(source)] + part if id(source) in so_far else part
    return np.asarray(so_far.get(id(wanted), np.zeros(wanted.shape)), np.float32)


def _in_order(result: Variable) -> list[Variable]:
    """Return all that a variable was made of, what was made first in front."""
    order: list[Variable] = []
    seen: set[int] = set()
    waiting: list[tuple[Variable, bool]] = [(result, False)]
    while waiting:
        variable, done = waiting.pop()
        if done:
            order.append(variable)
        elif id(variable) not in seen:
            seen.add(id(variable))
            waiting += [(variable, True), *((source, False) for source, _ in variable.sources)]
    return order


def _value(array: Any) -> Any:
    return array.value if isinstance(array, Variable) else array


SLOPES: dict[Any, Callable[..., tuple[Any, ...]]] = {
    np.add: lambda y, a, b: (1.0, 1.0),
    np.subtract: lambda y, a, b: (1.0, -1.0),
    np.multiply: lambda y, a, b: (b, a),
    np.divide: lambda y, a, b: (1.0 / b, -y / b),
    np.power: lambda y, a, b: (b * np.power(a, b - 1), None),
    np.maximum: lambda y, a, b: (_share(a, b), _share(b, a)),
    np.minimum: lambda y, a, b: (_share(b, a), _share(a, b)),
    np.negative: lambda y, a: (-1.0,),
    np.exp: lambda y, a: (y,),
    np.expm1: lambda y, a: (y + 1.0,),
    np.log: lambda y, a: (1.0 / a,),
    np.log1p: lambda y, a: (1.0 / (1.0 + a),),
    np.tanh: lambda y, a: (1.0 - y * y,),
    np.sqrt: lambda y, a: (0.5 / y,),
    np.abs: lambda y, a: (np.sign(a),),
    np.cos: lambda y, a: (-np.sin(a),),
    np.sin: lambda y, a: (np.cos(a),),
    numpy_namespace.erf: lambda y, a: (2.0 / math.sqrt(math.pi) * np.exp(-a * a),),
}  # fmt: skip
"""The slopes of each function in its arguments, from its result and them."""


def _share(larger: Any, smaller: Any) -> np.ndarray:
    """Return 1 where the first is larger, and a half where both are equal."""
    return np.where(larger == smaller, 0.5, np.greater(larger, smaller))


def _elementwise(function: Any, *arguments: Any) -> Variable:
    values = [_value(argument) for argument in arguments]
    with np.errstate(all="ignore"):
        result = np.asarray(function(*values), np.float32)
        slopes = SLOPES[function](result, *values)
    sources = [
        (argument, lambda g, slope=slope, shape=argument.shape: _summed(g * slope, shape))
        for argument, slope in zip(arguments, slopes, strict=True)
        if isinstance(argument, Variable)
    ]
    return Variable(result, sources)


def _summed(gradient: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return a gradient in the shape of an argument that was broadcast."""
    gradient = gradient.sum(axis=tuple(range(gradient.ndim - len(shape))))
    widened = tuple(i for i, n in enumerate(shape) if n == 1 and gradient.shape[i] != 1)
    return gradient.sum(axis=widened, keepdims=True) if widened else gradient


def _moved(x: Variable, move: Callable[[np.ndarray], np.ndarray]) -> Variable:
    """Return the numbers of a variable in other places."""
    places = move(np.arange(x.value.size).reshape(x.shape))

    def back(gradient: np.ndarray) -> np.ndarray:
        summed = np.bincount(np.ravel(places), np.ravel(gradient), minlength=x.value.size)
        return summed.reshape(x.shape).astype(np.float32)

    return Variable(move(x.value), [(x, back)])


class DifferentiatingModule:
    """The functions of NumPy that layers call, for variables; what depends on none is left to NumPy."""

    __name__ = "differentiating"

    def __getattr__(self, name: str) -> Any:
        function = getattr(np, name)
        if not callable(function) or isinstance(function, type):
            return function

        def called(*values: Any, **options: Any) -> Any:
            if not any(isinstance(value, Variable) for value in values):
                return function(*values, **options)
            if name in MOVES:
                return _moved(values[0], lambda array: function(array, *values[1:], **options))
            if name in CONSTANT:
                return function(*map(_value, values), **options)
            return _elementwise(function, *values)

        return called

    def asarray(self, value: Any, dtype: Any = None) -> Any:
        """Return the variable itself."""
        return value if isinstance(value, Variable) else np.asarray(value, dtype)

    def where(self, condition: Any, a: Any, b: Any) -> Any:
        """Choose between two numbers; the other one has no part in the gradient."""
        known = np.asarray(_value(condition)) != 0
        if not any(isinstance(value, Variable) for value in (a, b)):
            return np.where(known, a, b)
        sources = [
            (value, lambda g, mine=mine, shape=value.shape: _summed(np.where(mine, g, 0.0), shape))
            for value, mine in ((a, known), (b, ~known))
            if isinstance(value, Variable)
        ]
        return Variable(np.where(known, _value(a), _value(b)), sources)

    def concatenate(self, parts: Sequence[Any], axis: int = 0) -> Any:
        """Put arrays side by side."""
        values = [_value(part) for part in parts]
        whole = np.concatenate(values, axis)
        ends = np.cumsum([0, *(value.shape[axis] for value in values)])
        sources = [
            (part, lambda g, start=start, stop=stop: np.take(g, range(start, stop), axis=axis))
            for part, start, stop in zip(parts, ends[:-1], ends[1:], strict=True)
            if isinstance(part, Variable)
        ]
        return Variable(whole, sources) if sources else whole

    def stack(self, parts: Sequence[Any], axis: int = 0) -> Any:
        """Put arrays side by side along a new axis."""
        return self.concatenate([self.expand_dims(part, axis) for part in parts], axis)

    def pad(self, x: Any, widths: Any, **options: Any) -> Any:
        """Put a rim around an array."""
        if not isinstance(x, Variable):
            return np.pad(x, widths, **options)
        around = tuple(slice(int(a), int(a) + n) for (a, _), n in zip(widths, x.shape, strict=True))
        return Variable(np.pad(x.value, widths, **options), [(x, lambda g: g[around])])

    def matmul(self, a: Any, b: Any) -> Any:
        """Multiply matrices, of which the second is no variable and has two axes."""
        if not isinstance(a, Variable):
            return np.matmul(a, b)
        return Variable(np.matmul(a.value, b), [(a, lambda g: np.matmul(g, np.swapaxes(b, -1, -2)))])

    def sum(self, x: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
        """Sum over axes."""
        return _reduced(np.sum, x, axis, keepdims, lambda y, value: 1.0)

    def mean(self, x: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
        """Return the mean over axes."""
        return _reduced(np.mean, x, axis, keepdims, lambda y, value: y.size / value.size)

    def max(self, x: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
        """Return the largest over axes; equal ones share the gradient."""
        return _reduced(np.max, x, axis, keepdims, _shares)

    def min(self, x: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
        """Return the smallest over axes; equal ones share the gradient."""
        return _reduced(np.min, x, axis, keepdims, _shares)

    def any(self, x: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
        """Return whether any is true."""
        return np.any(_value(x), axis=axis, keepdims=keepdims)

    def var(self, x: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
        """Return the variance over axes."""
        away = x - self.mean(x, axis, keepdims=True)
        return self.mean(away * away, axis, keepdims=keepdims)

    def sort(self, x: Any, axis: int = -1) -> Any:
        """Put the numbers along an axis in order."""
        if not isinstance(x, Variable):
            return np.sort(x, axis)
        order = np.argsort(x.value, axis)
        return _moved(x, lambda array: np.take_along_axis(array, order, axis))

    def cumsum(self, x: Any, axis: int = -1) -> Any:
        """Sum up along an axis."""
        if not isinstance(x, Variable):
            return np.cumsum(x, axis)
        return Variable(np.cumsum(x.value, axis), [(x, lambda g: np.flip(np.cumsum(np.flip(g, axis), axis), axis))])


def _shares(y: np.ndarray, value: np.ndarray) -> np.ndarray:
    """Return the share of each number in the largest or smallest."""
    reached = np.equal(value, y)
    axes = tuple(i for i, (a, b) in enumerate(zip(value.shape, y.shape, strict=True)) if a != b)
    return reached / reached.sum(axis=axes, keepdims=True)


def _reduced(function: Any, x: Any, axis: Any, keepdims: bool, slope: Callable[..., Any]) -> Any:
    if not isinstance(x, Variable):
        return function(x, axis=axis, keepdims=keepdims)
    value = x.value
    wide = function(value, axis=axis, keepdims=True)
    of_each = slope(wide, value)

    def back(gradient: np.ndarray) -> np.ndarray:
        return np.broadcast_to(gradient.reshape(wide.shape) * of_each, value.shape)

    return Variable(wide if keepdims else function(value, axis=axis), [(x, back)])


def _erf(x: Any) -> Any:
    return _elementwise(numpy_namespace.erf, x) if isinstance(x, Variable) else numpy_namespace.erf(x)


def _scan(f: Callable[[Any, Any], tuple[Any, Any]], init: Any, xs: Any) -> tuple[Any, Any]:
    carry, outputs = init, []
    first = xs[0] if isinstance(xs, tuple) else xs
    for i in range(len(first)):
        now = tuple(None if each is None else each[i] for each in xs) if isinstance(xs, tuple) else xs[i]
        carry, y = f(carry, now)
        outputs.append(y)
    return carry, differentiating.stack(outputs)


differentiating = Namespace(DifferentiatingModule(), erf=_erf, scan=_scan, stop_gradient=_value)
