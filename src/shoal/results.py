"""Words for outcomes that every room shares."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Any


class Task(enum.StrEnum):
    """What is predicted: one of several classes, or one or several numbers."""

    CLASSIFICATION = "classification"
    REGRESSION = "regression"


class Status(enum.IntEnum):
    """How a member stands; the number is what compiled programs carry."""

    RUNNING = 0
    FINISHED = 1
    STOPPED_EARLY = 2
    DIVERGED = 3

    @property
    def sentence(self) -> str:
        """The status in words."""
        return {
            Status.RUNNING: "still training",
            Status.FINISHED: "trained for all its epochs",
            Status.STOPPED_EARLY: "stopped: the validation loss no longer improved",
            Status.DIVERGED: "diverged: the loss was no longer a finite number",
        }[self]


@dataclass(frozen=True)
class Interval:
    """A number with its 95 % interval and the way the interval was made."""

    value: float
    low: float
    high: float
    method: str = "bootstrap"

    def as_dict(self) -> dict[str, Any]:
        """Return the interval as plain data for JSON."""
        return {"value": self.value, "low": self.low, "high": self.high, "method": self.method}

    def __str__(self) -> str:
        return f"{self.value:.3g} [{self.low:.3g}, {self.high:.3g}]"
