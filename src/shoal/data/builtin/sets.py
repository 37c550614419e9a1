"""Data sets that come with shoal: some from scikit-learn, and some of known truth for physicists."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import polars.selectors as cs

from shoal.data.builtin.generated import (
    chirps,
    damped_oscillation,
    driven_pendulum,
    phase_transition,
    signal_background,
)
from shoal.data.builtin.generated_images import galaxies
from shoal.data.builtin.generated_steps import bursts
from shoal.data.roles import Roles
from shoal.data.signals import Signals

Loaded = tuple[pl.DataFrame, Roles] | tuple[pl.DataFrame, Roles, Signals]
"""A table with roles, and images or series where the set has them."""


@dataclass(frozen=True)
class Builtin:
    """A built-in data set: its size, its task, how to load it, and a sentence about it."""

    name: str
    rows: int
    columns: int
    task_name: str
    load: Callable[[], Loaded] = field(repr=False)
    about: str


def _from_sklearn(loader: str, target: str, class_names: bool = True) -> Callable[[], tuple[pl.DataFrame, Roles]]:
    """Return a function that loads one of scikit-learn's sets as a table with a named target."""

    def load() -> tuple[pl.DataFrame, Roles]:
        import sklearn.datasets

        bunch: Any = getattr(sklearn.datasets, loader)()
        values = np.asarray(bunch.data, np.float64)
        columns = [pl.Series(str(name), values[:, i]) for i, name in enumerate(bunch.feature_names)]
        y = np.asarray(bunch.target)
        if class_names:
            y = np.asarray([str(name) for name in bunch.target_names])[y]
        return pl.DataFrame([*columns, pl.Series(target, y.tolist())]), Roles(target=[target])

    return load


def _to_six_decimals(generate: Callable[[], tuple[pl.DataFrame, Roles]]) -> Callable[[], tuple[pl.DataFrame, Roles]]:
    """Return a function that generates a table whose last bits do not depend on the processor's sine."""

    def load() -> tuple[pl.DataFrame, Roles]:
        table, roles = generate()
        return table.with_columns(cs.float().round(6)), roles

    return load


def _digit_images() -> tuple[pl.DataFrame, Roles, Signals]:
    """Return scikit-learn's digits as images `(1797, 8, 8, 1)`, uint8 from 0 to 16."""
    path = _file_of_sklearn("digits.csv.gz")
    if path.is_file():
        rows = np.loadtxt(path, delimiter=",", dtype=np.int64)
        values, digits = rows[:, :-1].reshape(-1, 8, 8), rows[:, -1]
    else:
        import sklearn.datasets

        bunch: Any = sklearn.datasets.load_digits()
        values, digits = np.asarray(bunch.images), np.asarray(bunch.target)
    images = np.asarray(values, np.uint8)[..., None]
    return pl.DataFrame({"digit": digits.tolist()}), Roles(target=["digit"]), Signals("images", images, ("grey",))


def _file_of_sklearn(name: str) -> Path:
    """Return a file that scikit-learn brings along; loading the library takes longer than all the rest."""
    library = find_spec("sklearn")
    return Path(library.origin or "").parent / "datasets" / "data" / name if library else Path()


def _iris() -> tuple[pl.DataFrame, Roles]:
    """Return iris from the file of scikit-learn."""
    path = _file_of_sklearn("iris.csv")
    if not path.is_file():
        return _from_sklearn("load_iris", "species")()
    lines = path.read_text(encoding="utf-8").splitlines()
    species = lines[0].split(",")[2:]  # the first line: rows, features, names of the classes
    values = np.asarray([line.split(",") for line in lines[1:]], np.float64)
    names = [f"{part} {size} (cm)" for part in ("sepal", "petal") for size in ("length", "width")]
    columns = [pl.Series(name, values[:, i]) for i, name in enumerate(names)]
    columns.append(pl.Series("species", [species[int(k)] for k in values[:, 4]]))
    return pl.DataFrame(columns), Roles(target=["species"])


# fmt: off
_SETS = (
    Builtin("iris", 150, 5, "3-class classification", _iris,
            "Three species of iris told apart by the size of their flowers (Fisher 1936)."),
    Builtin("wine", 178, 14, "3-class classification", _from_sklearn("load_wine", "cultivar"),
            "Three cultivars of wine told apart by chemical analysis."),
    Builtin("breast_cancer", 569, 31, "binary classification", _from_sklearn("load_breast_cancer", "diagnosis"),
            "Malignant and benign tumours told apart by the shapes of cell nuclei."),
    Builtin("diabetes", 442, 11, "regression", _from_sklearn("load_diabetes", "progression", class_names=False),
            "The progression of diabetes within a year, from ten measurements."),
    Builtin("digits", 1797, 65, "10-class classification", _from_sklearn("load_digits", "digit", class_names=False),
            "Handwritten digits in images of 8 by 8 pixels."),
    Builtin("damped_oscillation", 400, 3, "regression", _to_six_decimals(damped_oscillation),
            "Generated: y(t) = exp(-t/tau) cos(omega t), measured with errors that differ from row to row."),
    Builtin("signal_background", 5000, 8, "binary classification", _to_six_decimals(signal_background),
            "Generated: a resonance over background in six kinematic variables, with event weights."),
    Builtin("phase_transition", 1000, 7, "regression, 2 targets", _to_six_decimals(phase_transition),
            "Generated: noisy magnetisation and energy of a mean-field magnet around its phase transition."),
    Builtin("digit_images", 1797, 1, "10-class classification", _digit_images,
            "The handwritten digits once more, as images whose pixels know their neighbours."),
    Builtin("galaxies", 1200, 1, "3-class classification", galaxies,
            "Generated: elliptical, spiral and edge-on galaxies, 24 by 24 pixels, in photons above the sky."),
    Builtin("chirps", 600, 1, "3-class classification", chirps,
            "Generated: noisy bursts of 64 steps that chirp up, chirp down or ring down, as gravitational waves do."),
    Builtin("bursts", 300, 1, "binary classification of every step", bursts,
            "Generated: series of 80 steps, each of them quiet or in a burst, in which the noise is stronger."),
    Builtin("driven_pendulum", 2000, 3, "regression", _to_six_decimals(driven_pendulum),
            "Generated: one long series, a pendulum driven by a random torque; forecast its angle with a window."),
)
# fmt: on

BUILTIN: dict[str, Builtin] = {builtin.name: builtin for builtin in _SETS}
