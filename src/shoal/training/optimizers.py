"""Optimizers: how a gradient becomes a step.

Each is a pure function of flat vectors, with Keras' formulas, so that one program may hold several and
every member choose its own. The state is two vectors and a number: `first`, `second`, `product`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple


class Slots(NamedTuple):
    """What an optimizer remembers: two vectors like the parameters, and one number."""

    first: Any
    second: Any
    product: Any


Step = Callable[[Any, Any, Any, Slots, Any, Any, Mapping[str, Any]], tuple[Any, Slots]]


def sgd(xp: Any, p: Any, g: Any, slots: Slots, rate: Any, t: Any, numbers: Mapping[str, Any]) -> tuple[Any, Slots]:
    """`v ← μv - ηg; p ← p + v`, or with Nesterov's momentum `p ← p + μv - ηg` (Sutskever et al., ICML 2013)."""
    velocity = numbers["momentum"] * slots.first - rate * g
    ahead = numbers["momentum"] * velocity - rate * g
    return p + xp.where(numbers["nesterov"] > 0, ahead, velocity), slots._replace(first=velocity)


def rmsprop(xp: Any, p: Any, g: Any, slots: Slots, rate: Any, t: Any, numbers: Mapping[str, Any]) -> tuple[Any, Slots]:
    """`s ← ρs + (1-ρ)g²; p ← p - ηg/√(s+ε)`, with momentum on the step (Hinton, lecture notes, 2012)."""
    second = numbers["rho"] * slots.second + (1.0 - numbers["rho"]) * g**2
    velocity = numbers["momentum"] * slots.first + rate * g / xp.sqrt(second + numbers["epsilon"])
    return p - velocity, slots._replace(first=velocity, second=second)


def adagrad(xp: Any, p: Any, g: Any, slots: Slots, rate: Any, t: Any, numbers: Mapping[str, Any]) -> tuple[Any, Slots]:
    """`s ← s + g²; p ← p - ηg/√(s+ε)`, s starting at 0.1 (Duchi et al., JMLR 12, 2121, 2011)."""
    second = slots.second + g**2
    return p - rate * g / xp.sqrt(second + numbers["epsilon"]), slots._replace(second=second)


def adam(xp: Any, p: Any, g: Any, slots: Slots, rate: Any, t: Any, numbers: Mapping[str, Any]) -> tuple[Any, Slots]:
    """Bias-corrected mean over root mean square of the gradient (Kingma and Ba, ICLR 2015)."""
    b1, b2 = numbers["beta_1"], numbers["beta_2"]
    first = slots.first + (g - slots.first) * (1.0 - b1)
    second = slots.second + (g**2 - slots.second) * (1.0 - b2)
    alpha = rate * xp.sqrt(_started(xp, b2, t)) / _started(xp, b1, t)
    return p - alpha * first / (xp.sqrt(second) + numbers["epsilon"]), slots._replace(first=first, second=second)


def adamw(xp: Any, p: Any, g: Any, slots: Slots, rate: Any, t: Any, numbers: Mapping[str, Any]) -> tuple[Any, Slots]:
    """Adam after `p ← p - ηλp` (Loshchilov and Hutter, ICLR 2019)."""
    return adam(xp, p - rate * numbers["weight_decay"] * p, g, slots, rate, t, numbers)


def nadam(xp: Any, p: Any, g: Any, slots: Slots, rate: Any, t: Any, numbers: Mapping[str, Any]) -> tuple[Any, Slots]:
    """Adam with Nesterov's momentum (Dozat, ICLR workshop 2016)."""
    b1, b2 = numbers["beta_1"], numbers["beta_2"]
    fade = xp.exp(t * math.log(0.96))
    now, after = b1 * (1.0 - 0.5 * fade), b1 * (1.0 - 0.48 * fade)
    product = slots.product * now
    first = slots.first + (g - slots.first) * (1.0 - b1)
    second = slots.second + (g**2 - slots.second) * (1.0 - b2)
    mean = after * first / (1.0 - product * after) + (1.0 - now) * g / (1.0 - product)
    step = rate * mean / (xp.sqrt(second / _started(xp, b2, t)) + numbers["epsilon"])
    return p - step, Slots(first, second, product)


def lion(xp: Any, p: Any, g: Any, slots: Slots, rate: Any, t: Any, numbers: Mapping[str, Any]) -> tuple[Any, Slots]:
    """`p ← p - η sign(β₁m + (1-β₁)g); m ← β₂m + (1-β₂)g` (Chen et al., NeurIPS 2023)."""
    b1, b2 = numbers["beta_1"], numbers["beta_2"]
    step = rate * xp.sign(slots.first * b1 + g * (1.0 - b1))
    return p - step, slots._replace(first=slots.first * b2 + g * (1.0 - b2))


def _started(xp: Any, decay: Any, t: Any) -> Any:
    """Return `1 - decay^t`, the share of a running mean that its t terms make up; exact where that is small."""
    return -xp.expm1(t * xp.log(xp.maximum(decay, 1e-30)))


OPTIMIZERS: dict[str, Step] = {
    "sgd": sgd,
    "rmsprop": rmsprop,
    "adagrad": adagrad,
    "adam": adam,
    "adamw": adamw,
    "nadam": nadam,
    "lion": lion,
}
SECOND_STARTS_AT = {"adagrad": 0.1}


def update(
    xp: Any, names: tuple[str, ...], p: Any, g: Any, slots: Slots, rate: Any, t: Any, numbers: Mapping[str, Any]
) -> tuple[Any, Slots]:
    """Return the parameters and the memory after one step of the optimizer `names[numbers["optimizer"]]`.

    Args:
        xp: array namespace.
        names: the optimizers that this program holds.
        p: parameters, flat.
        g: gradient of the cost, flat.
        slots: memory of the optimizer.
        rate: learning rate of this step.
        t: number of this step, from 1.
        numbers: the member's hyperparameters.
    """
    new_p, new_slots = OPTIMIZERS[names[0]](xp, p, g, slots, rate, t, numbers)
    for position, name in enumerate(names[1:], start=1):
        other_p, other_slots = OPTIMIZERS[name](xp, p, g, slots, rate, t, numbers)
        chosen = numbers["optimizer"] == position
        new_p = xp.where(chosen, other_p, new_p)
        pairs = zip(other_slots, new_slots, strict=True)
        new_slots = Slots(*(xp.where(chosen, theirs, ours) for theirs, ours in pairs))
    return new_p, new_slots
