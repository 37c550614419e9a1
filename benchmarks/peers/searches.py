"""What the searches of other libraries share: they try as many candidates as fit in a time limit."""

from __future__ import annotations

import time
from collections.abc import Callable


def within(limit: float, count: int, step: int, try_some: Callable[[int, int], float]) -> dict[str, float]:
    """Call `try_some(start, number)` until all candidates are tried or the limit is reached.

    It returns the best validation loss of those it tried. The first candidates are tried outside the clock, because
    libraries are imported and processes started on first use; every search must try at least one more.
    """
    try_some(0, step)
    began, done, best = time.perf_counter(), 0, float("inf")
    while done < count and (done == 0 or time.perf_counter() - began < limit):
        number = min(step, count - done)
        best = min(best, try_some(done, number))
        done += number
    return {"seconds": time.perf_counter() - began, "candidates": done, "validation_loss": best}
