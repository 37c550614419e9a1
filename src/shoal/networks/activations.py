"""Activation functions: all of Keras' own, with Keras' names, formulas and defaults.

Each function takes the array namespace and an array `z`. Three rules hold for all of them: the number type
of `z` is kept; a NaN that comes in goes out, so that a diverged member is noticed; and derivatives are free
of NaN at extreme `z`, which is why exponentials only ever see the side on which they are used.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from shoal.errors import SettingError, listing, spelled, suggest
from shoal.networks.namespace import numpy_namespace
from shoal.user_function import called, name_of, takes_namespace

ActivationSpec = str | tuple[str, ...] | Callable[..., Any] | None
"""What a layer accepts: a name, one name per neuron, a function `(z)` or `(xp, z)`, or None for linear."""


@dataclass(frozen=True)
class Activation:
    """One activation function and what others must know about it.

    Attributes:
        name: its name here, the same as in Keras.
        function: `function(xp, z)`.
        elementwise: each output depends on one input only, so that it may be chosen per neuron.
        halves: the output has half as many features as `z`.
        bounded_slope: the derivative is finite for every finite `z`.
    """

    name: str
    function: Callable[[Any, Any], Any]
    elementwise: bool
    halves: bool = False
    bounded_slope: bool = True

    @property
    def keeps_zero(self) -> bool:
        """Whether the activation of 0 is 0, so that a neuron without weights stays silent."""
        return float(self.function(numpy_namespace, np.zeros(2, np.float32))[0]) == 0.0


def linear(xp: Any, z: Any) -> Any:  # noqa: ARG001 - every activation has the same signature
    """Return z."""
    return z


def relu(xp: Any, z: Any) -> Any:
    """max(z, 0), with derivative 0 at 0."""
    return xp.where(z <= 0, 0.0, z)


def relu6(xp: Any, z: Any) -> Any:
    """min(max(z, 0), 6)."""
    return xp.where(z <= 0, 0.0, xp.where(z >= 6, 6.0, z))


def leaky_relu(xp: Any, z: Any, negative_slope: float = 0.2) -> Any:
    """Return z for z ≥ 0, else 0.2 z."""
    return xp.where(z >= 0, z, negative_slope * z)


def elu(xp: Any, z: Any, alpha: float = 1.0) -> Any:
    """Return z for z > 0, else alpha (exp(z) - 1)."""
    return xp.where(z > 0, z, alpha * xp.expm1(xp.where(z > 0, 0.0, z)))


def selu(xp: Any, z: Any) -> Any:
    """1.0507 elu(z, alpha=1.67326) (Klambauer et al., 2017)."""
    return 1.0507009873554804934193349852946 * elu(xp, z, 1.6732632423543772848170429916717)


def celu(xp: Any, z: Any, alpha: float = 1.0) -> Any:
    """Return z for z > 0, else alpha (exp(z / alpha) - 1)."""
    return xp.where(z > 0, z, alpha * xp.expm1(xp.where(z > 0, 0.0, z) / alpha))


def sigmoid(xp: Any, z: Any) -> Any:
    """1 / (1 + exp(-z))."""
    positive = z >= 0
    e = xp.exp(xp.where(positive, -z, z))
    return xp.where(positive, 1.0, e) / (1.0 + e)


def log_sigmoid(xp: Any, z: Any) -> Any:
    """log(1 / (1 + exp(-z)))."""
    return -softplus(xp, -z)


def hard_sigmoid(xp: Any, z: Any) -> Any:
    """Return z / 6 + 1/2, held between 0 and 1."""
    return relu6(xp, z + 3.0) / 6.0


def sparse_sigmoid(xp: Any, z: Any) -> Any:
    """(z + 1) / 2, held between 0 and 1."""
    return xp.where(z <= -1, 0.0, xp.where(z >= 1, 1.0, 0.5 * (z + 1.0)))


def tanh(xp: Any, z: Any) -> Any:
    """Hyperbolic tangent."""
    return xp.tanh(z)


def hard_tanh(xp: Any, z: Any) -> Any:
    """z, held between -1 and 1."""
    return xp.where(z > 1, 1.0, xp.where(z < -1, -1.0, z))


def tanh_shrink(xp: Any, z: Any) -> Any:
    """Return z - tanh(z)."""
    return z - xp.tanh(z)


def softplus(xp: Any, z: Any) -> Any:
    """log(1 + exp(z))."""
    positive = z >= 0
    return xp.where(positive, z, 0.0) + xp.log1p(xp.exp(xp.where(positive, -z, z)))


def squareplus(xp: Any, z: Any, b: float = 4.0) -> Any:
    """(z + sqrt(z² + 4)) / 2."""
    return 0.5 * (z + xp.sqrt(z * z + b))


def sparse_plus(xp: Any, z: Any) -> Any:
    """0 up to -1, (z + 1)² / 4 up to 1, then z."""
    inside = xp.where(xp.abs(z) >= 1, 0.0, z)  # the square of a large z would overflow
    return xp.where(z <= -1, 0.0, xp.where(z >= 1, z, 0.25 * (inside + 1.0) ** 2))


def softsign(xp: Any, z: Any) -> Any:
    """Return z / (1 + |z|)."""
    return z / (1.0 + xp.abs(z))


def silu(xp: Any, z: Any) -> Any:
    """Return z sigmoid(z), also called swish."""
    return z * sigmoid(xp, z)


def hard_silu(xp: Any, z: Any) -> Any:
    """Return z hard_sigmoid(z), also called hard swish."""
    return z * hard_sigmoid(xp, z)


def gelu(xp: Any, z: Any) -> Any:
    """Return z Φ(z), with the normal distribution function Φ, not its tanh approximation."""
    return 0.5 * z * (1.0 + xp.erf(z * math.sqrt(0.5)))


def mish(xp: Any, z: Any) -> Any:
    """Return z tanh(softplus(z))."""
    return z * xp.tanh(softplus(xp, z))


def exponential(xp: Any, z: Any) -> Any:
    """exp(z)."""
    return xp.exp(z)


def soft_shrink(xp: Any, z: Any, threshold: float = 0.5) -> Any:
    """Return z moved towards 0 by 0.5, and 0 within."""
    return xp.where(xp.abs(z) <= threshold, 0.0, z - threshold * xp.sign(z))


def hard_shrink(xp: Any, z: Any, threshold: float = 0.5) -> Any:
    """Return z where |z| > 0.5, else 0."""
    return xp.where(xp.abs(z) <= threshold, 0.0, z)


def threshold(xp: Any, z: Any, threshold: float = 0.0, default_value: float = 0.0) -> Any:
    """Return z where z > threshold, else default_value; Keras has no defaults for these two."""
    return xp.where(z <= threshold, default_value, z)


def softmax(xp: Any, z: Any) -> Any:
    """exp(z) / sum(exp(z)) over the last axis."""
    e = xp.exp(z - xp.stop_gradient(xp.max(z, axis=-1, keepdims=True)))
    return e / xp.sum(e, axis=-1, keepdims=True)


def log_softmax(xp: Any, z: Any) -> Any:
    """log(softmax(z)) over the last axis."""
    shifted = z - xp.stop_gradient(xp.max(z, axis=-1, keepdims=True))
    return shifted - xp.log(xp.sum(xp.exp(shifted), axis=-1, keepdims=True))


def sparsemax(xp: Any, z: Any) -> Any:
    """Return the probabilities nearest to z, over the last axis (Martins and Astudillo, 2016).

    Keras 3.15 departs from this: where several results are above 0, they add up to more than 1.
    """
    z = z - xp.stop_gradient(xp.max(z, axis=-1, keepdims=True))
    ordered = -xp.sort(-z, axis=-1)
    rank = xp.arange(1, z.shape[-1] + 1).astype(z.dtype)
    support = ordered - (xp.cumsum(ordered, axis=-1) - 1.0) / rank > 0
    count = xp.maximum(xp.sum(support, axis=-1, keepdims=True), 1).astype(z.dtype)
    tau = (xp.sum(xp.where(support, ordered, 0.0), axis=-1, keepdims=True) - 1.0) / count
    return relu(xp, z - tau)


def glu(xp: Any, z: Any) -> Any:
    """Return a sigmoid(b), with a and b the two halves of the last axis (Dauphin et al., 2017)."""
    half = z.shape[-1] // 2
    return z[..., :half] * sigmoid(xp, z[..., half:])


_ELEMENTWISE = (
    linear, relu, relu6, leaky_relu, elu, selu, celu, sigmoid, log_sigmoid, hard_sigmoid, sparse_sigmoid,
    tanh, hard_tanh, tanh_shrink, softplus, squareplus, sparse_plus, softsign, silu, hard_silu, gelu, mish,
    exponential, soft_shrink, hard_shrink, threshold,
)  # fmt: skip
_OVER_LAST_AXIS = (softmax, log_softmax, sparsemax, glu)

ACTIVATIONS: dict[str, Activation] = {
    f.__name__: Activation(
        name=f.__name__, function=f, elementwise=f in _ELEMENTWISE, halves=f is glu, bounded_slope=f is not exponential
    )
    for f in _ELEMENTWISE + _OVER_LAST_AXIS
}
"""Every activation by its name."""

ALIASES = {"swish": "silu", "hard_swish": "hard_silu", "exp": "exponential", "none": "linear"}
"""Other names that are understood."""


def get_activation(name: str | None) -> Activation:
    """Return the activation of a name; None is linear.

    Raises:
        SettingError: no activation has this name.

    Example:
        >>> get_activation("swish").name, get_activation("LeakyReLU").name
        ('silu', 'leaky_relu')
    """
    if isinstance(name, str) and name in ACTIVATIONS:
        return ACTIVATIONS[name]
    key = "linear" if name is None else spelled(name, [*ACTIVATIONS, *ALIASES])
    key = ALIASES.get(key, key)
    if key not in ACTIVATIONS:
        raise SettingError(
            f"no activation is called {name!r}.{suggest(str(name), [*ACTIVATIONS, *ALIASES])}"
            f" Choose one of: {listing(ACTIVATIONS, 40)}"
        )
    return ACTIVATIONS[key]


def get_elementwise(name: str | None) -> Activation:
    """Return the activation of a name that each neuron may choose for itself.

    Raises:
        SettingError: it is unknown, or needs several neurons at once (softmax, ...).
    """
    activation = get_activation(name)
    if not activation.elementwise:
        raise SettingError(
            f"{activation.name} acts on all neurons of a layer together and cannot be chosen per neuron; "
            f"give it to the whole layer as activation={activation.name!r}"
        )
    return activation


def apply_table(xp: Any, names: tuple[str, ...], choice: Any, z: Any) -> Any:
    """Return `z` with an activation per neuron, `names[choice[i]]` for neuron `i` of the last axis.

    Args:
        xp: array namespace.
        names: the activations to choose from, all elementwise; fixed when a program is compiled.
        choice: integers, shape (units,); may differ from member to member. A single integer chooses for all
            neurons of all members, so that no other activation is computed.
        z: array of shape (..., units).

    Raises:
        SettingError: an activation needs several neurons at once (softmax, ...).

    Example:
        >>> apply_table(np, ("linear", "relu"), np.array([0, 1]), np.array([[-1.0, -1.0]])).tolist()
        [[-1.0, 0.0]]
    """
    table = [get_elementwise(name) for name in names]
    if choice.ndim == 0:
        return xp.switch(choice, [partial(activation.function, xp) for activation in table], z)
    out = None
    for i, activation in enumerate(table):
        chosen = choice == i
        # An infinite slope of a function that was not chosen would turn into 0 * inf = NaN in the gradient.
        chosen_z = z if activation.bounded_slope else xp.where(chosen, z, 0.0)
        value = activation.function(xp, chosen_z)
        out = value if out is None else xp.where(chosen, value, out)
    return out


def apply_activation(xp: Any, activation: ActivationSpec, z: Any) -> Any:
    """Return the activation of `z`: by name, per neuron, or by a function `(z)` or `(xp, z)`.

    Raises:
        SettingError: the function fails, or returns anything but numbers of the shape of `z`.
    """
    if isinstance(activation, tuple):
        names = tuple(sorted(set(activation)))
        return apply_table(xp, names, np.array([names.index(a) for a in activation], np.int32), z)
    if activation is None or isinstance(activation, str):
        return get_activation(activation).function(xp, z)
    return _of_function(xp, activation, z)


def _of_function(xp: Any, function: Callable[..., Any], z: Any) -> Any:
    """Return what a user's function makes of `z`; other shapes would be broadcast to something else without a word."""
    given = (xp, z) if takes_namespace(function, "activation", ("z",)) else (z,)
    value = called(function, "activation", *given)
    shape, kind = getattr(value, "shape", None), getattr(value, "dtype", np.dtype(object)).kind
    if shape != z.shape or kind != "f":
        got = f"{type(value).__name__} {value!r:.40}" if shape is None else f"shape {tuple(shape)} of {value.dtype}"
        raise SettingError(
            f"the activation {name_of(function)!r} must return one floating number for each of z, shape "
            f"{tuple(z.shape)}, got {got}"
        )
    return value


def is_linear(activation: ActivationSpec) -> bool:
    """Whether the activation leaves its input as it is."""
    names = activation if isinstance(activation, tuple) else (activation,)
    return all((n is None or isinstance(n, str)) and get_activation(n).name == "linear" for n in names)


def activation_label(activation: ActivationSpec) -> str:
    """Return the activation in words, e.g. `relu`, `relu, tanh` or the name of a function."""
    if isinstance(activation, tuple):
        return ", ".join(dict.fromkeys(get_activation(a).name for a in activation))
    if activation is None or isinstance(activation, str):
        return get_activation(activation).name
    return name_of(activation)
