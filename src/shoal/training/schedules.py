"""Schedules: how the learning rate changes from step to step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SCHEDULES = ("constant", "cosine", "exponential")
PI = 3.141592653589793


def learning_rate(xp: Any, step: Any, numbers: Mapping[str, Any]) -> Any:
    """Return the learning rate of a step.

    With q the progress from the end of the warm-up to the last step, from 0 to 1, and a the final fraction:
    constant 1; cosine `a + (1 - a)(1 + cos πq)/2` (Loshchilov and Hutter, ICLR 2017); exponential `a^q`.
    During the warm-up the rate rises linearly from 0.

    Args:
        xp: array namespace.
        step: steps done so far, from 0.
        numbers: `learning_rate`, `schedule` (position in `SCHEDULES`), `warmup_steps`, `total_steps`,
            `final_fraction`.
    """
    warmup, total, a = numbers["warmup_steps"], numbers["total_steps"], numbers["final_fraction"]
    q = xp.clip((step - warmup) / xp.maximum(total - warmup, 1.0), 0.0, 1.0)
    cosine = a + (1.0 - a) * 0.5 * (1.0 + _sine_of_half_turns(0.5 - q))
    exponential = xp.exp(q * xp.log(a))
    kind = numbers["schedule"]
    factor = xp.where(kind == 1, cosine, xp.where(kind == 2, exponential, 1.0))
    rise = xp.where(step < warmup, step / xp.maximum(warmup, 1.0), 1.0)
    return numbers["learning_rate"] * factor * rise


def _sine_of_half_turns(u: Any) -> Any:
    """Return sin(πu) for |u| ≤ 1/2, to 1e-7, by products alone: compilers call a slow cosine for each number."""
    square = (PI * u) ** 2
    series = 1.0
    for k in (12, 10, 8, 6, 4, 2):
        series = 1.0 - square / (k * (k + 1)) * series
    return PI * u * series
