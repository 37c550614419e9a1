"""Weights against repeated rows, and negative weights against a sample of the same physics without weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.bare import bare_fit
from benchmarks.closure.repetition import FIT
from shoal.run import Run
from shoal.statistics.metrics import METRICS
from shoal.statistics.significance import asimov_significance
from shoal.statistics.weighted import histogram, kolmogorov_smirnov

NEW = 4000
SHARE = 0.3
"""Of the second density, which is taken away from the first."""
NARROW = 0.5
AT = (-1.5, 0.0, 1.0, 2.0)
"""Places at which the scores of both runs are compared with the exact probability."""
NAMES = ("log_loss", "roc_auc", "accuracy")
EDGES = np.linspace(0.0, 1.0, 6)


def classes_of(rng: np.random.Generator, rows: int) -> tuple[dict[str, Any], np.ndarray]:
    """Return rows of two classes that overlap, and weights of one to three."""
    label, weights = rng.integers(0, 2, rows), rng.integers(1, 4, rows)
    x = rng.normal(size=(rows, 2)) + 0.7 * label[:, None] * [1.0, -1.0] * weights[:, None] / 2.0
    return {"a": x[:, 0], "b": x[:, 1], "y": np.where(label == 1, "s", "b"), "row": np.arange(rows)}, weights


def as_rows(number: int, rows: int = 600, **settings: Any) -> dict[str, Any]:
    """Return how a run with whole weights and one on repeated rows score on the same new rows.

    The copies of a row stay on one side of every split, as the row with its weight does.
    """
    rng = np.random.default_rng([number, 3])
    (columns, weights), (new, new_weights) = classes_of(rng, rows), classes_of(rng, NEW)
    repeated = {name: np.repeat(column, weights) for name, column in columns.items()}
    used = {**FIT, "group": "row", "seed": number, **settings}
    runs = bare_fit({**columns, "w": weights}, weight="w", **used), bare_fit(repeated, **used)
    truth, weighted = (new["y"] == "s").astype(int), new_weights.astype(float)
    scores = [[METRICS[n](truth, said(run, new), weighted) for run in runs] for n in NAMES]
    return {"scores": dict(zip(NAMES, scores, strict=True))}


def said(run: Run, columns: dict[str, Any]) -> np.ndarray:
    """Return the probabilities of rows, `(rows, 2)`, those of `s` last."""
    return run.predict({name: columns[name] for name in run.predictor.preparation.input_columns}).probabilities


def density(x: np.ndarray, width: float = 1.0, centre: float = 0.0) -> np.ndarray:
    return np.exp(-0.5 * ((x - centre) / width) ** 2) / (width * np.sqrt(2.0 * np.pi))


def exact(x: np.ndarray) -> np.ndarray:
    """Return the probability of `s`, which is as frequent as `b`."""
    signal = (density(x) - SHARE * density(x, NARROW)) / (1.0 - SHARE)
    return signal / (signal + density(x, 1.0, 1.0))


def weighted_sample(rng: np.random.Generator, rows: int) -> dict[str, Any]:
    """Return signal from one density, less that from another by negative weights, and background."""
    first, second = round(rows / (1.0 - SHARE)), round(SHARE * rows / (1.0 - SHARE))
    x = np.concatenate([rng.normal(0.0, 1.0, first), rng.normal(0.0, NARROW, second), rng.normal(1.0, 1.0, rows)])
    weights = np.repeat([1.0, -1.0, 1.0], [first, second, rows])
    return {"x": x, "y": np.repeat(["s", "s", "b"], [first, second, rows]), "w": weights}


def direct_sample(rng: np.random.Generator, rows: int) -> dict[str, Any]:
    """Return signal drawn from the difference of the densities itself, and background."""
    x = rng.normal(size=4 * rows)
    kept = x[rng.uniform(size=len(x)) < 1.0 - SHARE * density(x, NARROW) / density(x)][:rows]
    return {
        "x": np.concatenate([kept, rng.normal(1.0, 1.0, rows)]),
        "y": np.repeat(["s", "b"], [rows, rows]),
        "w": np.ones(2 * rows),
    }


def negative(number: int, rows: int = 1500, **settings: Any) -> dict[str, Any]:
    """Return what runs on both samples say of new rows, and what both kinds of new rows say of one of them."""
    rng = np.random.default_rng([number, 4])
    samples = weighted_sample(rng, rows), direct_sample(rng, rows)
    news = weighted_sample(rng, NEW), direct_sample(rng, NEW)
    runs = [bare_fit(sample, weight="w", **{**FIT, "seed": number, **settings}) for sample in samples]
    on_direct = [measures(run, news[1]) for run in runs]
    of_one = [measures(runs[0], new) for new in news]
    at = {"x": np.asarray(AT)}
    return {
        "runs": {name: [found[name] for found in on_direct] for name in NAMES},
        "at": [said(run, at)[:, 1].tolist() for run in runs],
        "rows": {name: [found[name] for found in of_one] for name in of_one[0]},
        "ks": [compared(runs[0], *news, label) for label in ("s", "b")],
    }


def measures(run: Run, new: dict[str, Any]) -> dict[str, float]:
    """Return metrics, shares of signal in bins of the score, and the significance of a cut at one half."""
    truth, p, w = (new["y"] == "s").astype(int), said(run, new), new["w"]
    found = {name: float(METRICS[name](truth, p, w)) for name in NAMES}
    shares = [histogram(p[truth == k, 1], EDGES, w[truth == k])[0] / w[truth == k].sum() for k in (0, 1)]
    found |= {f"bin {i + 1}": float(share) for i, share in enumerate(shares[1])}
    kept = [float((w * (p[:, 1] >= 0.5) * (truth == k)).sum() / w[truth == k].sum()) for k in (0, 1)]
    return found | {"asimov": float(asimov_significance(50.0 * kept[1], 1000.0 * kept[0], 0.05))}


def compared(run: Run, first: dict[str, Any], second: dict[str, Any], label: str) -> float:
    """Return the p-value that the scores of one class have the same distribution in both samples."""
    scores = [(said(run, new)[new["y"] == label, 1], new["w"][new["y"] == label]) for new in (first, second)]
    return kolmogorov_smirnov(scores[0][0], scores[1][0], scores[0][1], scores[1][1]).p


PARTS: dict[str, Callable[[int], dict[str, Any]]] = {"weights": as_rows, "negative": negative}
