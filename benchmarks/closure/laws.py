"""The laws that the closure tests measure anew in every repetition, and the errors with which they do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Columns = dict[str, Any]


@dataclass(frozen=True)
class Sample:
    """Measured rows, and what the measurement does not show.

    Attributes:
        columns: what is measured: features, `y`, `sigma` and, where features have errors, `x_err`.
        law: `(rows,)`, the law at the true features; of classes `(rows, classes)`, their probabilities.
        true: `(rows,)`, the true value of each row: the law, with the row's own scatter about it.
    """

    columns: Columns
    law: np.ndarray
    true: np.ndarray

    @property
    def features(self) -> Columns:
        """The columns that a prediction of a true value is made from: all but `y` and its error."""
        return {name: column for name, column in self.columns.items() if name not in ("y", "sigma")}


@dataclass(frozen=True)
class Case:
    """A closure test.

    Attributes:
        name: one word.
        title: what is measured, for the page.
        draw: from a generator and a number of rows to a sample.
        rows: how many are measured in each repetition; a fifth of them tests.
        settings: of the fit, beside those of all cases.
        right: whether the given errors are right, so that coverage and pulls must be, too.
    """

    name: str
    title: str
    draw: Callable[[np.random.Generator, int], Sample]
    rows: int = 500
    settings: dict[str, Any] = field(default_factory=dict)
    right: bool = True


def wave(x: np.ndarray) -> np.ndarray:
    """Return sin(2 x) exp(-x / 5)."""
    return np.sin(2.0 * x) * np.exp(-0.2 * x)


def oscillation(x: np.ndarray) -> np.ndarray:
    """Return a damped oscillation, cos(5 (x + 2)) exp(-(x + 2) / 2)."""
    return np.cos(5.0 * (x + 2.0)) * np.exp(-0.5 * (x + 2.0))


def surface(x: np.ndarray) -> np.ndarray:
    """Return sin(3/4 x0 x1) + x2² / 5 of `(rows, 3)`."""
    return np.sin(0.75 * x[:, 0] * x[:, 1]) + 0.2 * x[:, 2] ** 2


def measured(
    law: Callable[[np.ndarray], np.ndarray] = wave,
    x_err: tuple[float, float] | None = None,
    y_err: tuple[float, float] = (0.05, 0.2),
    scatter: float = 0.0,
    told: float = 1.0,
) -> Callable[[np.random.Generator, int], Sample]:
    """Return what measures a law of one feature between -2 and 2.

    Args:
        law: of one feature.
        x_err: smallest and largest error of the feature, which are drawn evenly; None: it has none.
        y_err: the same of `y`.
        scatter: of the true values about the law.
        told: how many times its size each error of `y` is given.
    """

    def draw(rng: np.random.Generator, rows: int) -> Sample:
        x, sigma = rng.uniform(-2.0, 2.0, rows), rng.uniform(*y_err, rows)
        exact = law(x)
        true = exact + scatter * rng.standard_normal(rows)
        y = true + sigma * rng.standard_normal(rows)
        if x_err is None:
            return Sample({"x": x, "y": y, "sigma": told * sigma}, exact, true)
        of_x = rng.uniform(*x_err, rows)
        columns = {"x": x + of_x * rng.standard_normal(rows), "y": y, "sigma": told * sigma, "x_err": of_x}
        return Sample(columns, exact, true)

    return draw


def measured_surface(rng: np.random.Generator, rows: int) -> Sample:
    """Return the law of three features, measured like that of one."""
    x, sigma = rng.uniform(-2.0, 2.0, (rows, 3)), rng.uniform(0.05, 0.2, rows)
    law = surface(x)
    columns = {**{f"x{i}": x[:, i] for i in range(3)}, "y": law + sigma * rng.standard_normal(rows), "sigma": sigma}
    return Sample(columns, law, law)


BANDS = "ugriz"


def redshifts(rng: np.random.Generator, rows: int) -> Sample:
    """Return galaxies in five bands, whose redshift shifts a break of their spectrum; faint ones are measured badly."""
    redshift, kind, brightness = rng.uniform(0.05, 1.2, rows), rng.uniform(size=rows), rng.normal(0.0, 0.5, rows)
    rest = np.array([0.36, 0.47, 0.62, 0.75, 0.9]) / (1.0 + redshift[:, None])  # wavelengths at the galaxy, in µm
    depth = (0.5 + 0.3 * kind[:, None]) / (1.0 + np.exp((rest - 0.4) / 0.05))
    flux = (rest / 0.5) ** kind[:, None] * (1.0 - depth)
    magnitudes = 20.0 + brightness[:, None] + 2.0 * redshift[:, None] - 2.5 * np.log10(flux)
    errors = np.clip(0.02 * 10.0 ** (0.2 * (magnitudes - 21.0)), 0.005, 0.3)
    magnitudes = magnitudes + errors * rng.standard_normal(errors.shape)
    sigma = 0.002 * (1.0 + redshift)
    columns = {"y": redshift + sigma * rng.standard_normal(rows), "sigma": sigma}
    columns |= {band: magnitudes[:, i] for i, band in enumerate(BANDS)}
    columns |= {f"{band}_err": errors[:, i] for i, band in enumerate(BANDS)}
    return Sample(columns, redshift, redshift)


def probabilities(x: np.ndarray) -> np.ndarray:
    """Return those of three classes that overlap, `(rows, 3)`: the largest is between 0.34 and 0.75."""
    logits = np.stack([np.sin(1.5 * x[:, 0]), 0.6 * x[:, 1], 0.4 * x[:, 0] * x[:, 1]], axis=1)
    shares = np.exp(logits)
    return shares / shares.sum(axis=1, keepdims=True)


def counted(rng: np.random.Generator, rows: int) -> Sample:
    """Return rows of three classes, each drawn by its probability."""
    x = rng.uniform(-1.5, 1.5, (rows, 2))
    p = probabilities(x)
    y = (p.cumsum(axis=1) > rng.uniform(size=(rows, 1))).argmax(axis=1)
    return Sample({"x0": x[:, 0], "x1": x[:, 1], "y": np.asarray(["a", "b", "c"])[y]}, p, y)


X_ERR, LEARNED = {"x_err": "x=x_err"}, {"scatter": "function"}
X_SCATTER = measured(x_err=(0.1, 0.1), scatter=0.1)
REDSHIFTS: dict[str, Any] = {"x_err": ",".join(f"{band}={band}_err" for band in BANDS), "replicas": None}
REDSHIFTS |= {**LEARNED, "hidden": (24, 24), "learning_rate": 0.01, "epochs": 150, "batch_size": 64}
CASES: dict[str, Case] = {
    case.name: case
    for case in (
        Case("y", "noise in y", measured()),
        Case("oscillation", "noise in y, a damped oscillation", measured(oscillation), settings={"hidden": (16, 16)}),
        Case("surface", "noise in y, three features", measured_surface, rows=1000),
        Case("xy", "noise in x (0.05) and y", measured(x_err=(0.05, 0.05)), settings=X_ERR),
        Case("x", "noise in x (0.1)", measured(x_err=(0.1, 0.1), y_err=(0.01, 0.02)), settings=X_ERR),
        Case("x_uneven", "noise in x (0.02 to 0.2) and y", measured(x_err=(0.02, 0.2)), rows=1000, settings=X_ERR),
        Case("x_scatter", "noise in x (0.1) and y, intrinsic scatter 0.1", X_SCATTER, rows=1000, settings=X_ERR),
        Case("x_learned", "the same, scatter learned", X_SCATTER, rows=1000, settings=X_ERR | LEARNED),
        Case("redshifts", "five magnitudes, scatter learned", redshifts, rows=2000, settings=REDSHIFTS),
        Case("scatter", "noise in y, intrinsic scatter 0.1", measured(scatter=0.1), rows=1000),
        Case("halved", "errors of y halved", measured(told=0.5), right=False),
    )
}
"""Laws with measured errors; `counted` is the closure test of classes."""
