"""Cart and pole: push a cart to the left or right so that a pole on it stays up."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from shoal.evolution.environments.base import Disc, Environment, Line, Moment, uniform
from shoal.streams import Stream

GRAVITY, POLE_MASS, TOTAL_MASS, HALF_LENGTH, PUSH = 9.8, 0.1, 1.1, 0.5, 10.0


class CartPole(Environment):
    """The task of Barto, Sutton and Anderson with the numbers of Gymnasium's `CartPole-v1`.

    A cart of 1 kg carries a pole of 0.1 kg and 1 m. A positive output pushes it with 10 N to the right, any other to
    the left, for 0.02 s (Euler's method). Each step rewards 1. The episode ends where the cart is more than 2.4 m from
    the middle or the pole leans by more than 12°.

    References:
        Barto, Sutton and Anderson, IEEE Trans. Syst. Man Cybern. 13, 834 (1983).
    """

    name = "cart-pole"
    title = "Push a cart to the left or right so that the pole on it stays up."
    states = ("position in m", "velocity in m/s", "angle in rad", "angular velocity in rad/s")
    observations = states
    actions = ("push: right if positive, else left",)
    limit = 500
    dt = 0.02
    hold = 500
    success = "the pole stays up for all 500 steps"
    view = (-2.6, -0.6, 2.6, 1.6)
    number = 0

    def starts(self, count: int, stream: Stream) -> np.ndarray:
        """All four numbers are uniform within ±0.05."""
        return uniform(stream, count, *[(-0.05, 0.05)] * 4)

    def observe(self, state: np.ndarray) -> np.ndarray:
        """The whole state."""
        return state

    def step(self, state: np.ndarray, action: np.ndarray) -> Moment:
        """Push."""
        x, v, angle, rate = state
        sine, cosine = np.sin(angle), np.cos(angle)
        push = np.where(action[0] > 0, np.float32(PUSH), np.float32(-PUSH))
        push = (push + POLE_MASS * HALF_LENGTH * rate**2 * sine) / TOTAL_MASS
        share = POLE_MASS / TOTAL_MASS
        angular = (GRAVITY * sine - cosine * push) / (HALF_LENGTH * (4.0 / 3.0 - share * cosine**2))
        linear = push - share * HALF_LENGTH * angular * cosine
        dt = self.dt
        state = np.stack([x + dt * v, v + dt * linear, angle + dt * rate, rate + dt * angular]).astype(state.dtype)
        fallen = (np.abs(state[0]) > 2.4) | (np.abs(state[2]) > 0.20943951)
        return Moment(state, np.ones(len(fallen), np.float32), ~fallen, fallen)

    def drawing(self, state: np.ndarray) -> Sequence[Line | Disc]:
        """The track, the cart and the pole."""
        x, angle = float(state[0]), float(state[2])
        tip = x + np.sin(angle), 0.1 + np.cos(angle)
        return (
            Line(-2.4, -0.1, 2.4, -0.1, 0.5, "#6a727c"),
            Line(x - 0.25, 0.0, x + 0.25, 0.0, 7.0),
            Line(x, 0.1, float(tip[0]), float(tip[1]), 2.0, "#d55e00"),
        )
