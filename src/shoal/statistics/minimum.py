"""The place where a function of one number is smallest."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

STEPS = 40  # each leaves 0.618 of the range


def minimum(function: Callable[[float], float], places: np.ndarray) -> float:
    """Return where a function is smallest: by golden section (Kiefer 1953) about the best of some places.

    Not by `scipy.optimize.minimize_scalar`, which the tests hold it equal to: its import takes 0.4 s of a fit's 2.

    Args:
        function: with one valley between the neighbours of the best place.
        places: where to look first, rising; the result lies between the first and the last of them.

    Example:
        >>> round(minimum(lambda x: (x - 2.0) ** 2, np.linspace(0.0, 5.0, 6)), 6)
        2.0
    """
    best = int(np.argmin([function(place) for place in places]))
    low, high = places[max(best - 1, 0)], places[min(best + 1, len(places) - 1)]
    ratio = (np.sqrt(5.0) - 1.0) / 2.0
    a, b = high - ratio * (high - low), low + ratio * (high - low)
    at_a, at_b = function(a), function(b)
    for _ in range(STEPS):
        if at_a < at_b:
            high, b, at_b = b, a, at_a
            a = high - ratio * (high - low)
            at_a = function(a)
        else:
            low, a, at_a = a, b, at_b
            b = low + ratio * (high - low)
            at_b = function(b)
    return float(min(places[best], 0.5 * (low + high), key=function))
