"""Pendulum: swing it up with a motor that is too weak to lift it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from shoal.evolution.environments.base import Disc, Environment, Line, Moment, clipped, uniform, wrapped
from shoal.streams import Stream

TORQUE, FASTEST = 2.0, 8.0


class Pendulum(Environment):
    """A rod of 1 kg and 1 m on a motor of at most 2 N m, where 5 N m would lift it; as Gymnasium's `Pendulum-v1`.

    With the angle θ from upright, the rate ω and the torque u: `dω/dt = 3g/(2l) sin θ + 3u/(m l²)` with g = 10 m/s²,
    for 0.05 s (Euler's method, the angle with the new rate, |ω| ≤ 8). A step costs `θ² + 0.1 ω² + 0.001 u²`. Episodes
    begin anywhere and last 200 steps; the last 40 must all be within 0.2 rad of upright, slower than 1 rad/s.
    """

    name = "pendulum"
    title = "Swing a pendulum up, and hold it, with a motor that is too weak to lift it."
    states = ("angle from upright in rad", "angular velocity in rad/s")
    observations = ("cosine of the angle", "sine of the angle", "angular velocity in rad/s")
    actions = ("torque in 2 N m",)
    limit = 200
    dt = 0.05
    hold = 40
    success = "the pendulum stands, within 0.2 rad and slower than 1 rad/s, for all of the last 2 s"
    view = (-1.3, -1.3, 1.3, 1.3)
    number = 1

    def starts(self, count: int, stream: Stream) -> np.ndarray:
        """Any angle, a rate within ±1 rad/s."""
        return uniform(stream, count, (-np.pi, np.pi), (-1.0, 1.0))

    def observe(self, state: np.ndarray) -> np.ndarray:
        """The direction of the rod and the rate."""
        return np.stack([np.cos(state[0]), np.sin(state[0]), state[1]])

    def step(self, state: np.ndarray, action: np.ndarray) -> Moment:
        """Turn the motor."""
        angle, rate = state
        torque, off = clipped(action[0], TORQUE), wrapped(angle)
        cost = off**2 + np.float32(0.1) * rate**2 + np.float32(0.001) * torque**2
        rate = np.clip(rate + np.float32(self.dt) * (15 * np.sin(angle) + 3 * torque), -FASTEST, FASTEST)
        state = np.stack([angle + np.float32(self.dt) * rate, rate])
        upright = (np.abs(wrapped(state[0])) < 0.2) & (np.abs(rate) < 1.0)
        return Moment(state, -cost, upright, np.zeros(len(cost), bool))

    def drawing(self, state: np.ndarray) -> Sequence[Line | Disc]:
        """The rod and its axis."""
        angle = float(state[0])
        return (
            Disc(0.0, 0.0, 0.08, "#6a727c"),
            Line(0.0, 0.0, float(np.sin(angle)), float(np.cos(angle)), 3.0, "#d55e00"),
            Disc(float(np.sin(angle)), float(np.cos(angle)), 0.1),
        )
