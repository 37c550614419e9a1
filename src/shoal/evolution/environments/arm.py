"""An arm of two links in a plane: bring its tip to a target, and stay there."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from shoal.evolution.environments.base import Disc, Environment, Line, Moment, clipped, runge_kutta, uniform
from shoal.streams import Stream

LINK = 0.5
FAR, BOTH, COUPLING = 1.0 / 12.0, 5.0 / 12.0, 0.125
"""Moments of inertia in kg m²: of the second link about the elbow, of both about the shoulder less the coupling's."""


class Arm(Environment):
    """Two uniform rods of 1 kg and 0.5 m on a table without friction; motors of 1 N m and 0.5 N m at most.

    With the angles q, the rates w and the torques τ: `M(q) dw/dt = τ − c(q, w)`, the equations of a planar arm (Craig,
    "Introduction to Robotics", ch. 6), for 0.02 s by the method of Runge and Kutta. A step costs the distance of the
    tip from the target in m and 0.001 |w|². Episodes last 200 steps; in all of the last 25 the distance must be below
    5 cm.
    """

    name = "arm"
    title = "Bring the tip of an arm of two links to a target, and stay there."
    states = (
        "shoulder in rad", "elbow in rad", "angular velocity 1 in rad/s", "angular velocity 2 in rad/s",
        "target x in m", "target y in m",
    )  # fmt: skip
    observations = (
        "cosine of the elbow", "sine of the elbow", "angular velocity 1 in 5 rad/s", "angular velocity 2 in 5 rad/s",
        "target from the tip along link 1 in 0.5 m", "target from the tip across link 1 in 0.5 m",
    )  # fmt: skip
    actions = ("shoulder torque in N m", "elbow torque in 0.5 N m")
    limit = 200
    dt = 0.02
    hold = 25
    success = "the tip is within 5 cm of the target for all of the last 0.5 s"
    view = (-1.1, -1.1, 1.1, 1.1)
    number = 4

    def starts(self, count: int, stream: Stream) -> np.ndarray:
        """At rest at any angles; the target is uniform in the angle and in the distance from 0.3 m to 0.9 m."""
        full = (-np.pi, np.pi)
        shoulder, elbow, distance, angle = uniform(stream, count, full, full, (0.3, 0.9), full)
        still = np.zeros(count, np.float32)
        return np.stack([shoulder, elbow, still, still, distance * np.cos(angle), distance * np.sin(angle)])

    def observe(self, state: np.ndarray) -> np.ndarray:
        """The elbow, the rates, and where the target is as seen from the tip, in axes that turn with the first link."""
        along, across = error_of(state)
        slow, large = np.float32(0.2), np.float32(2.0)
        turned = np.cos(state[1]), np.sin(state[1])
        return np.stack([*turned, slow * state[2], slow * state[3], large * along, large * across])

    def step(self, state: np.ndarray, action: np.ndarray) -> Moment:
        """Turn both motors."""
        torques = clipped(action[0]), clipped(action[1], 0.5)
        state = runge_kutta(state, self.dt, lambda at: slopes(at, *torques))
        along, across = error_of(state)
        distance = np.sqrt(along**2 + across**2)
        reward = -distance - np.float32(0.001) * (state[2] ** 2 + state[3] ** 2)
        return Moment(state, reward, distance < 0.05, np.zeros(len(distance), bool))

    def drawing(self, state: np.ndarray) -> Sequence[Line | Disc]:
        """Both links, the shoulder and the target."""
        shoulder, both = float(state[0]), float(state[0] + state[1])
        x, y = LINK * float(np.cos(shoulder)), LINK * float(np.sin(shoulder))
        to_x, to_y = x + LINK * float(np.cos(both)), y + LINK * float(np.sin(both))
        return (
            Disc(float(state[4]), float(state[5]), 0.05, "#00845f"),
            Line(0.0, 0.0, x, y, 3.0, "#d55e00"),
            Line(x, y, to_x, to_y, 2.0),
            Disc(0.0, 0.0, 0.05, "#6a727c"),
            Disc(x, y, 0.035),
        )


def error_of(state: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return how far the target is from the tip in m, along and across the first link."""
    shoulder, elbow, _, _, x, y = state
    sine, cosine = np.sin(shoulder), np.cos(shoulder)
    link = state.dtype.type(LINK)
    along = cosine * x + sine * y - link - link * np.cos(elbow)
    return along, cosine * y - sine * x - link * np.sin(elbow)


def slopes(state: np.ndarray, torque1: np.ndarray, torque2: np.ndarray) -> np.ndarray:
    """Return the rates of change of a state under torques in N m."""
    elbow, w1, w2 = state[1], state[2], state[3]
    bend, cosine = COUPLING * np.sin(elbow), np.cos(elbow)
    m11, m12 = BOTH + 2 * COUPLING * cosine, FAR + COUPLING * cosine
    f1, f2 = torque1 + bend * (2 * w1 * w2 + w2**2), torque2 - bend * w1**2
    inverse = 1 / (m11 * FAR - m12**2)
    still = np.zeros_like(elbow)
    return np.stack([w1, w2, (FAR * f1 - m12 * f2) * inverse, (m11 * f2 - m12 * f1) * inverse, still, still])
