"""A spacecraft about a planet: from a low circular orbit to a higher one with a weak engine."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from shoal.evolution.environments.base import Disc, Environment, Line, Moment, clipped, runge_kutta, uniform
from shoal.streams import Stream

TARGET, THRUST = 1.5, 0.02
SPEED = TARGET**-0.5


class Orbit(Environment):
    """Two bodies, the spacecraft of no mass beside the planet, in units in which GM and the first radius are about 1.

    The engine gives at most 0.02 outward and 0.02 along the orbit, where the planet pulls with 1 at radius 1. The task
    is the circular orbit of radius 1.5, whose speed is 1/√1.5. A step of 0.05 (Runge and Kutta) costs
    `10 (Δr² + v_r² + Δv²) + 0.01 |thrust|²`, the thrust in parts of its most, and 1000 more where the radius falls
    below 0.3, which ends the episode. The last 60 of 600 steps must all have Δr, v_r and Δv below 0.02.
    """

    name = "orbit"
    title = "Bring a spacecraft from a low circular orbit to a higher one with a weak engine."
    states = "x", "y", "velocity x", "velocity y"
    observations = (
        "distance from the wanted radius in 0.25", "velocity outward in 0.1", "velocity above the wanted one in 0.1",
    )  # fmt: skip
    actions = ("thrust outward in 0.02", "thrust along the orbit in 0.02")
    limit = 600
    dt = 0.05
    time_unit = "units of time (a first orbit takes 2π)"
    hold = 60
    success = "radius and velocity are within 0.02 of those of the wanted orbit for all of the last 60 steps"
    view = (-1.8, -1.8, 1.8, 1.8)
    number = 5

    def starts(self, count: int, stream: Stream) -> np.ndarray:
        """Circular orbits of radius 0.9 to 1.1, anywhere on them."""
        radius, angle = uniform(stream, count, (0.9, 1.1), (-np.pi, np.pi))
        speed = radius**-0.5
        cosine, sine = np.cos(angle), np.sin(angle)
        return np.stack([radius * cosine, radius * sine, -speed * sine, speed * cosine]).astype(np.float32)

    def observe(self, state: np.ndarray) -> np.ndarray:
        """How far radius and velocity are from those of the wanted orbit."""
        distance, outward, around = polar(state)
        return np.stack([4 * (distance - TARGET), 10 * outward, 10 * (around - SPEED)]).astype(state.dtype)

    def step(self, state: np.ndarray, action: np.ndarray) -> Moment:
        """Fire the engine."""
        thrust = clipped(action[0], THRUST), clipped(action[1], THRUST)
        state = runge_kutta(state, self.dt, lambda at: slopes(at, *thrust))
        distance, outward, around = polar(state)
        off, fast = distance - np.float32(TARGET), around - np.float32(SPEED)
        fuel = (thrust[0] ** 2 + thrust[1] ** 2) / THRUST**2
        crashed = distance < 0.3
        reward = -10 * (off**2 + outward**2 + fast**2) - 0.01 * fuel - 1000 * crashed
        there = (np.abs(off) < 0.02) & (np.abs(outward) < 0.02) & (np.abs(fast) < 0.02)
        return Moment(state, reward.astype(np.float32), there, crashed)

    def drawing(self, state: np.ndarray) -> Sequence[Line | Disc]:
        """The wanted orbit, the planet and the spacecraft."""
        return (
            Disc(0.0, 0.0, TARGET, "#9a9a9a", filled=False),
            Disc(0.0, 0.0, 0.25, "#6a727c"),
            Disc(float(state[0]), float(state[1]), 0.06, "#d55e00"),
        )


def polar(state: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the distance from the planet and the velocities outward and around."""
    x, y, u, v = state
    distance = np.sqrt(x**2 + y**2)
    return distance, (x * u + y * v) / distance, (x * v - y * u) / distance


def slopes(state: np.ndarray, outward: np.ndarray, around: np.ndarray) -> np.ndarray:
    """Return the rates of change of a state under a thrust outward and around."""
    x, y, u, v = state
    inverse = 1 / np.sqrt(x**2 + y**2)
    pull, radial, tangential = inverse**3, outward * inverse, around * inverse
    return np.stack([u, v, x * (radial - pull) - y * tangential, y * (radial - pull) + x * tangential])
