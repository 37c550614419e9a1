"""One repetition of a closure test: measure, fit, and compare every error bar with the error that was made."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.bare import bare_fit
from benchmarks.closure.laws import CASES, Case, counted
from shoal.prediction.conformal import prediction_sets
from shoal.prediction.predictor import Prediction
from shoal.run import Run

LEVELS = (0.68, 0.95)
SIZES = {0.68: 0.99445788, 0.95: 1.95996398}
"""Of a normal interval, in standard deviations."""
NEW_ROWS = 1000
LAW_ROWS = 60
"""At which the error of the fit is kept, in every repetition at the same places, so that its bias can be told."""
FIT: dict[str, Any] = {"target": "y", "networks": 4, "keep": 4, "hidden": (16,), "activation": "tanh"}
FIT |= {"optimizer": "adam", "learning_rate": 0.03, "schedule": "cosine", "epochs": 1000, "patience": 500}
FIT |= {"batch_size": 32, "l2": 0.0, "dropout": 0.0}
"""Four networks of one kind: enough for the laws, so that what is tested are the error bars."""
REPLICAS = 30


def of_numbers(case: Case, number: int, search: dict[str, Any] = FIT, **settings: Any) -> dict[str, Any]:
    """Return what one repetition of a law with measured errors found, as plain numbers.

    Args:
        case: what is measured.
        number: of the repetition, which names its random numbers.
        search: which networks are trained.
        settings: more for `shoal.fit`.
    """
    rng = np.random.default_rng([number, 1])
    used = {**search, "y_err": "sigma", "replicas": REPLICAS, "seed": number, **case.settings, **settings}
    run = bare_fit(case.draw(rng, case.rows).columns, **used)
    new, fixed = case.draw(rng, NEW_ROWS), case.draw(np.random.default_rng(0), LAW_ROWS)
    prediction, at_fixed = run.predict(new.features), run.predict(fixed.features)
    found: dict[str, Any] = {"case": case.name, "number": number}
    found["new"] = of_new(run, prediction, new.columns["y"])
    found["true"] = held(prediction.mean[:, 0] - new.true, prediction.total[:, 0])
    found["law"] = held(prediction.mean[:, 0] - new.law, error_of_law(prediction))
    found["parts"] = {name: rms(part) for name, part in parts(prediction).items()}
    kept = {"off": at_fixed.mean[:, 0] - fixed.law, **parts(at_fixed)}
    found["fixed"] = {name: [float(f"{value:.4g}") for value in part] for name, part in kept.items()}
    return found | of_pulls(run)


def searched(number: int) -> dict[str, Any]:
    """Return what one repetition found of a law that is learned by the default search, of fewer candidates."""
    return of_numbers(CASES["y"], number, search={"target": "y", "networks": 16})


def of_new(run: Run, prediction: Prediction, y: np.ndarray) -> dict[str, float]:
    """Return the share of new measurements in the interval of each level.

    The interval of a level is `quantile · std`, whatever other level the run was asked for.
    """
    known, off = run.predictor.conformal, np.abs(y - prediction.mean[:, 0])
    quantile = dict(zip(known.levels, known.curve[:, 0], strict=True))
    return {f"{level:g}": float(np.mean(off <= quantile[level] * prediction.std[:, 0])) for level in LEVELS}


def parts(prediction: Prediction) -> dict[str, np.ndarray]:
    """Return the errors that make up the total, each `(rows,)`."""
    names = ("spread", "data_spread", "input_spread", "scatter", "total")
    return {name: part[:, 0] for name in names if (part := getattr(prediction, name)) is not None}


def error_of_law(prediction: Prediction) -> np.ndarray:
    """Return the error of the law itself: the total without the scatter of true values about it."""
    given = parts(prediction)
    return np.sqrt(np.maximum(given["total"] ** 2 - given["scatter"] ** 2, 0.0))


def held(off: np.ndarray, error: np.ndarray) -> dict[str, float]:
    """Return how often an error lies within its interval, and mean and width of their ratio."""
    ratio = off / error
    inside = {f"{level:g}": float(np.mean(np.abs(ratio) <= SIZES[level])) for level in LEVELS}
    return inside | {"pull": float(ratio.mean()), "width": rms(ratio), "off": rms(off), "error": rms(error)}


def rms(values: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(values))))


def of_pulls(run: Run) -> dict[str, Any]:
    """Return what the page says of the errors of `y`: pulls, chi-square, scatter, and whether it calls them wrong."""
    told = run.metrics["measured_errors"]
    target = told["targets"]["y"]
    test = {name: target["test"][name] for name in ("chi2", "ndf", "mean", "mean_error", "width", "width_error")}
    test["expected"] = target["test"].get("expected", 1.0)
    return {"pulls": test, "scatter": target["intrinsic_scatter"], "wrong": "weights only" in told["text"]}


def of_classes(number: int, rows: int = 1000, **settings: Any) -> dict[str, Any]:
    """Return what one repetition found of classes whose probabilities are known."""
    rng = np.random.default_rng([number, 2])
    found: dict[str, Any] = {"case": "classes", "number": number, "new": {}}
    sample, new = counted(rng, rows), counted(rng, NEW_ROWS)
    run = bare_fit(sample.columns, **{**FIT, "seed": number, **settings})
    prediction, known = run.predict(new.features), run.predictor.conformal
    for level in LEVELS:
        quantile = known.curve[known.levels.index(level)]
        sets = prediction_sets(prediction.probabilities, quantile)
        found["new"][f"{level:g}"] = float(sets[np.arange(NEW_ROWS), new.true].mean())
        found[f"size {level:g}"] = float(sets.sum(axis=1).mean())
    p, drawn = prediction.probabilities, np.eye(3)[new.true]
    variance = p * (1.0 - p)
    found["counts"] = held((drawn - p).ravel(), np.sqrt(variance).ravel())
    # what pulls must be where p is off the true probability q: (q (1 - q) + (q - p)²) / (p (1 - p)) on average
    q = new.law
    found["counts"]["expected"] = float(np.sqrt(np.mean((q * (1.0 - q) + (q - p) ** 2) / variance)))
    found["counts"]["expected pull"] = float(np.mean((q - p) / np.sqrt(variance)))
    found["law"] = held((p - new.law).ravel(), np.maximum(prediction.probability_std, 1e-9).ravel())
    return found
