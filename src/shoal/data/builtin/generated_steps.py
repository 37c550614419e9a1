"""Generated series whose every step has a known state, so that the labels of steps can be checked."""

from __future__ import annotations

import numpy as np
import polars as pl

from shoal.data.roles import Roles
from shoal.data.series.step_targets import StepTargets
from shoal.data.signals import Signals

SERIES, STEPS = 300, 80
STATES = ("quiet", "burst")
STAY = (0.96, 0.90)
"""Probability that the next step is quiet after a quiet one, and a burst after a burst."""
SPREAD = (1.0, 2.2)
"""Standard deviation of the signal in each state; its mean is 0 in both."""


def bursts_truth() -> np.ndarray:
    """Return the state of each step, `(300, 80)`: 0 for quiet and 1 for burst, a Markov chain with `STAY`."""
    random = np.random.default_rng(20240107)
    states = np.zeros((SERIES, STEPS), np.int64)
    states[:, 0] = random.random(SERIES) < (1 - STAY[0]) / (2 - STAY[0] - STAY[1])
    for step in range(1, STEPS):
        before = states[:, step - 1]
        stays = random.random(SERIES) < np.asarray(STAY)[before]
        states[:, step] = np.where(stays, before, 1 - before)
    return states


def bursts() -> tuple[pl.DataFrame, Roles, Signals]:
    """Return 300 noisy series of 80 steps, each step quiet or in a burst, in which the noise is stronger."""
    states = bursts_truth()
    noise = np.random.default_rng(20240108).standard_normal(states.shape)
    values = noise * np.asarray(SPREAD)[states]
    names = np.asarray(STATES)[states].reshape(-1)
    targets = StepTargets.of(pl.DataFrame({"state": names.tolist()}), STEPS)
    table = pl.DataFrame({"row": range(SERIES)})
    signals = Signals("series", values[..., None], ("signal",), targets=targets)
    return table, Roles(id="row", target=["state"]), signals
