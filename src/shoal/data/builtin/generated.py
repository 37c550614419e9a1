"""Generated physics data whose truth is known, so that predictions and error bars can be checked.

Each set is drawn from a fixed seed with NumPy; the functions ending in `_truth` return what a perfect
predictor would say.
"""

from __future__ import annotations

import math

import numpy as np
import polars as pl

from shoal.data.roles import Roles
from shoal.data.signals import Signals

BURSTS = ("chirp up", "chirp down", "ringdown")
BURST_STEPS = 64
BURST_NOISE = 0.3
PENDULUM_NOISE = 0.05
LIFETIME = 6.0
FREQUENCY = 2.3
SIGNAL_YIELD = 250.0
BACKGROUND_YIELD = 1000.0
# parameters of signal and background for each variable
_MASS = ((125.0, 9.0), (70.0, 45.0))
_LEAD = ((4.25, 0.35), (4.00, 0.45))
_SECOND = ((3.75, 0.35), (3.50, 0.40))
_CORRELATION = (0.3, 0.6)
_MISSING = ((2.5, 16.0), (2.0, 15.0))
_DELTA_ETA = (1.0, 1.7)
_DELTA_PHI = ((2.0, 3.0), (3.0, 1.8))
VARIABLES = ("mass (GeV)", "lead pt (GeV)", "second pt (GeV)", "missing et (GeV)", "delta eta", "delta phi (rad)")


def damped_oscillation_truth(t: np.ndarray) -> np.ndarray:
    """Return `y(t) = exp(-t / 6 s) cos(2.3 t / s)` for times in seconds."""
    t = np.asarray(t, np.float64)
    return np.asarray(np.exp(-t / LIFETIME) * np.cos(FREQUENCY * t))


def damped_oscillation() -> tuple[pl.DataFrame, Roles]:
    """Return 400 measurements `t`, `y`, `y_err` of a damped oscillation.

    The error is `0.02 + 0.06 u²` with u uniform in [0, 1): a few rows are measured much worse than most.
    """
    rng = np.random.default_rng(20240101)
    t = rng.uniform(0.0, 15.0, 400)
    y_err = 0.02 + 0.06 * rng.uniform(size=400) ** 2
    y = damped_oscillation_truth(t) + y_err * rng.standard_normal(400)
    return pl.DataFrame({"t": t, "y": y, "y_err": y_err}), Roles(target=["y"], y_err=["y_err"])


def _events(rng: np.random.Generator, rows: int, of: int) -> np.ndarray:
    """Draw `(rows, 6)` events of signal (`of` 0) or background (`of` 1)."""
    mass = rng.normal(*_MASS[0], rows) if of == 0 else _MASS[1][0] + rng.exponential(_MASS[1][1], rows)
    first = rng.standard_normal(rows)
    second = _CORRELATION[of] * first + math.sqrt(1 - _CORRELATION[of] ** 2) * rng.standard_normal(rows)
    lead = np.exp(_LEAD[of][0] + _LEAD[of][1] * first)
    other = np.exp(_SECOND[of][0] + _SECOND[of][1] * second)
    missing = rng.gamma(_MISSING[of][0], _MISSING[of][1], rows)
    delta_eta = _DELTA_ETA[of] * rng.standard_normal(rows)
    delta_phi = math.pi * rng.beta(*_DELTA_PHI[of], rows)
    return np.stack([mass, lead, other, missing, delta_eta, delta_phi], axis=1)


def signal_background() -> tuple[pl.DataFrame, Roles]:
    """Return 5000 simulated events, half of them signal, with weights that add up to the expected yields.

    The weights vary by 30 % from event to event and do not depend on the variables within a class.
    """
    rng = np.random.default_rng(20240102)
    half = 2500
    events = np.concatenate([_events(rng, half, 0), _events(rng, half, 1)])
    weights = rng.lognormal(0.0, 0.3, 2 * half)
    weights[:half] *= SIGNAL_YIELD / weights[:half].sum()
    weights[half:] *= BACKGROUND_YIELD / weights[half:].sum()
    process = np.repeat(["signal", "background"], half)
    order = rng.permutation(2 * half)
    columns = {name: events[order, i] for i, name in enumerate(VARIABLES)}
    table = pl.DataFrame({**columns, "weight": weights[order], "process": process[order].tolist()})
    return table, Roles(target=["process"], weight="weight")


def phase_transition_truth(temperature: np.ndarray, field: np.ndarray, coupling: np.ndarray) -> np.ndarray:
    """Return `(rows, 2)` magnetisation m and energy e of a mean-field magnet (Weiss 1907).

    `m = tanh((J m + h) / T)`, the stable solution, and `e = -J m² / 2 - h m`, for temperature T, field h
    and coupling J in the same units. Without a field, m vanishes above T = J.
    """
    t, h, j = (np.asarray(a, np.float64) for a in np.broadcast_arrays(temperature, field, coupling))
    low, high = np.full(t.shape, 1e-12), np.ones(t.shape)
    for _ in range(60):  # the stable solution has the sign of the field; bisect for its size
        middle = 0.5 * (low + high)
        above = np.tanh((j * middle + np.abs(h)) / t) > middle
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    m = np.where(h < 0, -1.0, 1.0) * low
    return np.stack([m, -0.5 * j * m**2 - h * m], axis=-1)


def phase_transition() -> tuple[pl.DataFrame, Roles]:
    """Return 1000 noisy measurements of magnetisation and energy, with their errors."""
    rng = np.random.default_rng(20240103)
    t, h = rng.uniform(0.4, 2.0, 1000), rng.uniform(-0.5, 0.5, 1000)
    j = rng.uniform(0.8, 1.2, 1000)
    errors = np.stack([rng.uniform(0.01, 0.05, 1000), rng.uniform(0.005, 0.03, 1000)], axis=1)
    y = phase_transition_truth(t, h, j) + errors * rng.standard_normal((1000, 2))
    table = pl.DataFrame(
        {
            "temperature": t,
            "field": h,
            "coupling": j,
            "magnetisation": y[:, 0],
            "energy": y[:, 1],
            "magnetisation_err": errors[:, 0],
            "energy_err": errors[:, 1],
        }
    )
    return table, Roles(target=["magnetisation", "energy"], y_err=["magnetisation_err", "energy_err"])


def burst_truth(kind: str, start: np.ndarray, frequency: np.ndarray, phase: np.ndarray) -> np.ndarray:
    """Return `(rows, 64)` bursts without noise: steps of unit time, each burst beginning at `start`.

    A chirp runs through frequencies from a quarter of `frequency` (in cycles per step) up to it, or down from it,
    in 32 steps, its size growing or falling with it; a ringdown has one frequency and falls by 1/e in 8 steps.
    """
    start, frequency, phase = (np.asarray(a, np.float64)[:, None] for a in (start, frequency, phase))
    t = np.arange(BURST_STEPS) - start
    part = np.clip(t / 32.0, 0.0, 1.0)
    during = (t >= 0) & (t < 32)
    low, rate = frequency / 4.0, 3.0 * frequency / 4.0
    if kind == "chirp up":
        cycles, size = (low + 0.5 * rate * part) * t, 0.3 + 0.7 * part
    elif kind == "chirp down":
        cycles, size = (frequency - 0.5 * rate * part) * t, 1.0 - 0.7 * part
    else:
        cycles, size, during = 0.6 * frequency * t, np.exp(-np.maximum(t, 0.0) / 8.0), t >= 0
    return np.asarray(np.where(during, size * np.sin(2 * math.pi * cycles + phase), 0.0))


def chirps() -> tuple[pl.DataFrame, Roles, Signals]:
    """Return 600 bursts in noise, 200 of each of three kinds, as a detector of gravitational waves may see them.

    Start, frequency and phase differ from burst to burst; the noise is white, of deviation 0.3.
    """
    rng = np.random.default_rng(20240104)
    each = 200
    drawn = [
        burst_truth(kind, rng.uniform(4, 24, each), rng.uniform(0.2, 0.35, each), rng.uniform(0, 2 * math.pi, each))
        for kind in BURSTS
    ]
    clean, order = np.concatenate(drawn), rng.permutation(each * len(BURSTS))
    strain = clean[order] + BURST_NOISE * rng.standard_normal(clean.shape)
    table = pl.DataFrame({"burst": np.repeat(BURSTS, each)[order].tolist()})
    return table, Roles(target=["burst"]), Signals("series", strain[:, :, None].astype(np.float32), ("strain",))


def driven_pendulum_truth() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return times, torque and angle, each `(2000,)`, of a damped pendulum that a slow random torque drives.

    `angle'' = -sin(angle) - 0.1 angle' + torque` in units of the pendulum's own, at every 0.25; torque is an
    Ornstein-Uhlenbeck process of deviation 0.2 that forgets within a time of 3.
    """
    rng = np.random.default_rng(20240105)
    steps, inner, step = 2000, 10, 0.25
    dt = step / inner
    torque, angle, speed = 0.0, 1.0, 0.0
    kicks = rng.standard_normal(steps * inner) * 0.2 * math.sqrt(2 * dt / 3.0)
    states = np.empty((steps, 2))
    for i, kick in enumerate(kicks):
        if i % inner == 0:
            states[i // inner] = torque, angle
        speed += dt * (-math.sin(angle) - 0.1 * speed + torque)
        angle += dt * speed
        torque += kick - dt * torque / 3.0
    return step * np.arange(steps), states[:, 0], states[:, 1]


def driven_pendulum() -> tuple[pl.DataFrame, Roles]:
    """Return 2000 steps `time`, `torque`, `angle` of one long series; the angle is measured with an error of 0.05."""
    time, torque, angle = driven_pendulum_truth()
    measured = angle + PENDULUM_NOISE * np.random.default_rng(20240106).standard_normal(len(angle))
    table = pl.DataFrame({"time": time, "torque": torque, "angle": measured})
    return table, Roles(target=["angle"], time="time")
