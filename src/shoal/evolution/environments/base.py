"""What an environment is: a world that policies act in, one step of time after the other, many of them side by side."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, NamedTuple

import numpy as np

from shoal.streams import Stream


class Moment(NamedTuple):
    """What one step makes of many episodes.

    Attributes:
        state: `(states, episodes)`.
        reward: `(episodes,)`.
        good: whether the step counts towards success, `(episodes,)`.
        ended: whether the episode is over, `(episodes,)`.
    """

    state: np.ndarray
    reward: np.ndarray
    good: np.ndarray
    ended: np.ndarray


class Line(NamedTuple):
    """A straight line of a drawing, in the units of the world; `width` is in hundredths of the view."""

    x: float
    y: float
    to_x: float
    to_y: float
    width: float = 1.0
    colour: str = "#1b1f24"


class Disc(NamedTuple):
    """A disc of a drawing, in the units of the world."""

    x: float
    y: float
    radius: float
    colour: str = "#0072b2"
    filled: bool = True


class Environment(ABC):
    """A world with a state, what is seen of it, what a policy can do, and a reward for each step.

    Arrays have episodes last, in float32: `(states, episodes)`. The kernel computes the same with an episode in each
    lane, where `number` says which of its environments that is.

    Attributes:
        name: by which it is asked for.
        title: a sentence that says what is to be learnt.
        states, observations, actions: names of the numbers, with their units.
        limit: steps after which an episode ends.
        dt: time between two steps, in `time_unit`.
        hold: an episode succeeds where so many of its last steps are good, without a break.
        success: when an episode succeeds, as a sentence goes on.
        view: left, bottom, right and top of a drawing.
        number: of the kernel's environment; None: there is none.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    states: ClassVar[tuple[str, ...]]
    observations: ClassVar[tuple[str, ...]]
    actions: ClassVar[tuple[str, ...]]
    limit: int
    dt: ClassVar[float]
    time_unit: ClassVar[str] = "s"
    hold: ClassVar[int]
    success: ClassVar[str]
    view: ClassVar[tuple[float, float, float, float]]
    number: ClassVar[int | None] = None

    @abstractmethod
    def starts(self, count: int, stream: Stream) -> np.ndarray:
        """Return `(states, count)` states in which episodes begin."""

    @abstractmethod
    def observe(self, state: np.ndarray) -> np.ndarray:
        """Return what a policy sees, `(observations, episodes)`."""

    @abstractmethod
    def step(self, state: np.ndarray, action: np.ndarray) -> Moment:
        """Return the next moment; `action` are the outputs of the policies as they are, `(actions, episodes)`."""

    @abstractmethod
    def drawing(self, state: np.ndarray) -> Sequence[Line | Disc]:
        """Return one state `(states,)` as lines and discs, the same number of each for any state."""


def uniform(stream: Stream, count: int, *ranges: tuple[float, float]) -> np.ndarray:
    """Return `(ranges, count)` float32 numbers, each row uniform in its range; start i does not hang on `count`."""
    low, high = np.asarray(ranges, np.float32).T
    return np.ascontiguousarray((low + stream.uniform((count, len(ranges))) * (high - low)).T, np.float32)


def clipped(action: np.ndarray, most: float = 1.0) -> np.ndarray:
    """Return `most` times an action that is drawn in to −1 … 1, in float32."""
    return np.float32(most) * np.clip(action, np.float32(-1.0), np.float32(1.0))


def wrapped(angle: np.ndarray) -> np.ndarray:
    """Return angles in radians less the multiple of 2π that leaves the least."""
    return np.asarray(angle - np.float32(2 * np.pi) * np.rint(angle / np.float32(2 * np.pi)), angle.dtype)


def runge_kutta(state: np.ndarray, dt: float, slopes: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Return the state a step later by the classical method of fourth order.

    Args:
        state: `(states, episodes)`.
        dt: the step.
        slopes: the rates of change of a state.
    """
    h = state.dtype.type(dt)
    k1 = slopes(state)
    k2 = slopes(state + h / 2 * k1)
    k3 = slopes(state + h / 2 * k2)
    k4 = slopes(state + h * k3)
    later: Any = state + h / 6 * (k1 + 2 * (k2 + k3) + k4)
    return np.asarray(later, state.dtype)
