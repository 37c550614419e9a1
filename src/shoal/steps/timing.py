"""Where the time of a run goes."""

from __future__ import annotations

import time


class Timing:
    """Where the time of a run goes: `seconds` by the name of a part, and in `total`.

    Args:
        before: seconds of the run that passed earlier.
    """

    def __init__(self, before: float = 0.0) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.perf_counter()
        self.began = self._last - before

    def end(self, part: str, counted: float = 0.0) -> None:
        """End a part; `counted` of its seconds are told under other names."""
        now = time.perf_counter()
        self.seconds[part] = max(0.0, now - self._last - counted)
        self.seconds["total"] = now - self.began
        self._last = now
