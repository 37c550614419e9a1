"""Two rods that hang from each other, with a motor in the joint between: swing them up, or balance them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from shoal.evolution.environments.base import Disc, Environment, Line, Moment, clipped, runge_kutta, uniform, wrapped
from shoal.streams import Stream

GRAVITY = 9.8
FASTEST = 4 * np.pi, 9 * np.pi


class DoublePendulum(Environment):
    """Both rods have 1 kg, 1 m, their centre in the middle and a moment of inertia of 1 kg m² about it.

    Angle 1 is that of the first rod from hanging down, angle 2 that of the second from the first; the equations are
    those of Sutton and Barto's book and of Gymnasium's `Acrobot-v1`, solved by the method of Runge and Kutta.

    References:
        Sutton, NIPS 8, 1038 (1996). Spong, IEEE Control Systems 15, 49 (1995).
    """

    states = "angle 1 in rad", "angle 2 in rad", "angular velocity 1 in rad/s", "angular velocity 2 in rad/s"
    limit = 500
    view = (-2.3, -2.3, 2.3, 2.3)

    def moved(self, state: np.ndarray, torque: np.ndarray) -> np.ndarray:
        """Return the state a step later."""
        state = runge_kutta(state, self.dt, lambda at: slopes(at, torque))
        fast, faster = (state.dtype.type(most) for most in FASTEST)
        return np.stack(
            [wrapped(state[0]), wrapped(state[1]), np.clip(state[2], -fast, fast), np.clip(state[3], -faster, faster)]
        )

    def drawing(self, state: np.ndarray) -> Sequence[Line | Disc]:
        """Both rods and their joints."""
        a, both = float(state[0]), float(state[0] + state[1])
        x, y = float(np.sin(a)), -float(np.cos(a))
        to_x, to_y = x + float(np.sin(both)), y - float(np.cos(both))
        return (
            Line(-2.2, 1.0, 2.2, 1.0, 0.4, "#dde1e6"),
            Line(0.0, 0.0, x, y, 2.5, "#d55e00"),
            Line(x, y, to_x, to_y, 2.5),
            Disc(0.0, 0.0, 0.09, "#6a727c"),
            Disc(x, y, 0.09),
        )


class Acrobot(DoublePendulum):
    """A motor of at most 1 N m swings the tip more than 1 m above the axis; each step until then costs 1.

    As Gymnasium's `Acrobot-v1`, but that torques between −1 and 1 N m are allowed, too. A step is 0.2 s.
    """

    name = "acrobot"
    title = "Swing two rods up by a weak motor in the joint between them."
    observations = (
        "cosine of angle 1", "sine of angle 1", "cosine of angle 2", "sine of angle 2",
        "angular velocity 1 in rad/s", "angular velocity 2 in rad/s",
    )  # fmt: skip
    actions = ("torque in N m",)
    dt = 0.2
    hold = 1
    success = "the tip comes more than 1 m above the axis within 500 steps"
    number = 2

    def starts(self, count: int, stream: Stream) -> np.ndarray:
        """Hanging down, all four numbers uniform within ±0.1."""
        return uniform(stream, count, *[(-0.1, 0.1)] * 4)

    def observe(self, state: np.ndarray) -> np.ndarray:
        """The directions of both rods, and their rates."""
        a, b = state[0], state[1]
        return np.stack([np.cos(a), np.sin(a), np.cos(b), np.sin(b), state[2], state[3]])

    def step(self, state: np.ndarray, action: np.ndarray) -> Moment:
        """Turn the motor."""
        state = self.moved(state, clipped(action[0]))
        there = height(state) > 1.0
        return Moment(state, np.where(there, np.float32(0.0), np.float32(-1.0)), there, there)


class Balance(DoublePendulum):
    """A motor of at most 10 N m keeps the tip, which begins 2 m above the axis, above 1.5 m for 500 steps of 0.02 s.

    A step rewards half of the height of the tip in metres.
    """

    name = "balance"
    title = "Balance two rods that stand on each other, by a motor in the joint between them."
    observations = (
        "angle 1 from upright in 0.1 rad", "angle 2 in 0.1 rad", "angular velocity 1 in 0.5 rad/s",
        "angular velocity 2 in 0.5 rad/s",
    )  # fmt: skip
    actions = ("torque in 10 N m",)
    dt = 0.02
    hold = 500
    success = "the tip stays more than 1.5 m above the axis for all 500 steps"
    number = 3

    def starts(self, count: int, stream: Stream) -> np.ndarray:
        """Upright, angles uniform within ±0.05 rad and rates within ±0.05 rad/s."""
        small = (-0.05, 0.05)
        return uniform(stream, count, (np.pi - 0.05, np.pi + 0.05), small, small, small)

    def observe(self, state: np.ndarray) -> np.ndarray:
        """How far both rods are from upright, and their rates."""
        off = wrapped(state[0] - np.float32(np.pi))
        return np.stack([10 * off, 10 * state[1], 2 * state[2], 2 * state[3]]).astype(state.dtype)

    def step(self, state: np.ndarray, action: np.ndarray) -> Moment:
        """Turn the motor."""
        state = self.moved(state, clipped(action[0], 10.0))
        tip = height(state)
        fallen = tip < 1.5
        return Moment(state, np.float32(0.5) * tip, ~fallen, fallen)


def height(state: np.ndarray) -> np.ndarray:
    """Return how many metres the tip is above the axis."""
    return np.asarray(-np.cos(state[0]) - np.cos(state[0] + state[1]))


def slopes(state: np.ndarray, torque: np.ndarray) -> np.ndarray:
    """Return the rates of change of a state under a torque in N m."""
    angle, bend, w1, w2 = state
    sine, cosine = np.sin(bend), np.cos(bend)
    d1, d2 = 3.5 + cosine, 1.25 + 0.5 * cosine
    phi2 = 0.5 * GRAVITY * np.sin(angle + bend)
    phi1 = -0.5 * w2**2 * sine - w2 * w1 * sine + 1.5 * GRAVITY * np.sin(angle) + phi2
    second = (torque + d2 / d1 * phi1 - 0.5 * w1**2 * sine - phi2) / (1.25 - d2**2 / d1)
    return np.stack([w1, w2, -(d2 * second + phi1) / d1, second])
