"""Generated images whose truth is known: galaxies as a survey telescope would see them.

Each image is the brightness of `galaxy_brightness`, counted photon by photon above a flat sky.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from shoal.data.roles import Roles
from shoal.data.signals import Signals

GALAXIES = ("elliptical", "spiral", "edge-on")
PIXELS = 24
SKY = 40.0
"""Mean number of photons in a pixel of empty sky."""
SOFTENING = 1.5
ARMS = 0.7
"""How much brighter the arms of a spiral are than its disk, and how much darker the gaps."""


def galaxy_brightness(
    kind: str, *, x: float, y: float, radius: float, angle: float, flattening: float, winding: float = 2.5
) -> np.ndarray:
    """Return `(24, 24)`, the brightness of a galaxy relative to its centre.

    Ellipticals follow de Vaucouleurs' law (1948), `exp(-7.67 ((r/R)^(1/4) - 1))`, softened at the centre; spirals and
    galaxies seen edge-on are disks, `exp(-r/R)`, the former with two logarithmic arms, the latter thin.

    Args:
        kind: one of `GALAXIES`.
        x: of the centre in pixels from the middle of the image, as is `y`.
        y: of the centre.
        radius: R in pixels.
        angle: of the long axis in radians.
        flattening: short axis over long axis, 0 < flattening ≤ 1.
        winding: phase of the arms in radians per e-fold of the radius.

    Example:
        >>> galaxy_brightness("spiral", x=0, y=0, radius=4, angle=0, flattening=1).shape
        (24, 24)
    """
    rows, columns = np.mgrid[:PIXELS, :PIXELS] - (PIXELS - 1) / 2
    dx, dy = columns - x, rows - y
    along = dx * np.cos(angle) + dy * np.sin(angle)
    across = (dy * np.cos(angle) - dx * np.sin(angle)) / flattening
    r = np.hypot(along, across)
    if kind == "elliptical":
        law: np.ndarray = np.exp(-7.67 * ((np.hypot(r, SOFTENING) / radius) ** 0.25 - 1))
        return law / np.exp(-7.67 * ((SOFTENING / radius) ** 0.25 - 1))
    disk = np.exp(-r / radius)
    if kind == "edge-on":
        return disk
    arms = 1 + ARMS * np.cos(2 * (np.arctan2(across, along) - winding * np.log(r + 0.5)))
    return disk * np.where(r > 1.5, arms, 1.0)


def galaxies() -> tuple[pl.DataFrame, Roles, Signals]:
    """Return 1200 images of galaxies, 400 of each class, `(1200, 24, 24, 1)` photons as uint16, in random order."""
    rng = np.random.default_rng(20240104)
    kinds = rng.permutation(np.repeat(GALAXIES, 400))
    images = np.stack([_mean_photons(rng, str(kind)) for kind in kinds])
    photons = rng.poisson(images)[..., None].astype(np.uint16)
    return pl.DataFrame({"type": kinds.tolist()}), Roles(target=["type"]), Signals("images", photons, ("photons",))


def _mean_photons(rng: np.random.Generator, kind: str) -> np.ndarray:
    """Draw a galaxy of a kind: where it is, how large, how bright, and from where it is seen."""
    x, y = rng.uniform(-2.0, 2.0, 2)
    flattening = {"elliptical": (0.35, 1.0), "spiral": (0.45, 1.0), "edge-on": (0.12, 0.4)}[kind]
    brightness = galaxy_brightness(
        kind,
        x=x,
        y=y,
        radius=rng.uniform(2.5, 4.5) * (3.0 if kind == "elliptical" else 1.0),
        angle=rng.uniform(0.0, np.pi),
        flattening=rng.uniform(*flattening),
        winding=rng.choice([-1.0, 1.0]) * rng.uniform(1.5, 3.0),
    )
    photons = np.exp(rng.uniform(np.log(800.0), np.log(8000.0)))
    return SKY + photons * brightness / brightness.sum()
