"""What formulas are to be near: what the ensemble says, with its own error, at rows and at points between them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from shoal.evaluation.formula.fitting import Points
from shoal.prediction.intrinsic_scatter import error_of_fit
from shoal.prediction.predictor import Predictor
from shoal.results import Task
from shoal.streams import Stream

DRAWING = 12
"""The path of the streams that choose rows and draw points."""
MOST_ROWS = 4000
ENOUGH = 1000
"""Points are drawn between rows until there are so many."""
NEIGHBOURS = 5
MOST_LOGIT = 6.9
"""Probabilities beyond 0.001 and 0.999 count as these: how sure is sure is no matter for a formula."""
LEAST_SIGMA = 0.1
MOST_WEIGHT = 10.0


@dataclass(frozen=True)
class EnsembleSample:
    """Points with what the ensemble says there.

    Attributes:
        points: where, what, and its error.
        rows, drawn: how many of the points are rows, and how many were drawn between them.
        sigma: what the error is, in words.
    """

    points: Points
    rows: int
    drawn: int
    sigma: str


def sample_ensemble(predictor: Predictor, number: int, x: np.ndarray, seed: int) -> EnsembleSample:
    """Return what the ensemble says of rows and of points drawn between them.

    Args:
        predictor: the ensemble.
        number: of the target or class.
        x: `(rows, columns)` finite values of the columns.
        seed: names the random numbers.
    """
    if len(x) > MOST_ROWS:
        x = x[np.sort(Stream(seed, DRAWING, 0).permutation(len(x))[:MOST_ROWS])]
    drawn = draw_between(predictor, x, max(0, ENOUGH - len(x)), seed)
    at = np.concatenate([x, drawn])
    f, sigma, words = ensemble_answer(predictor, number, at)
    floor = LEAST_SIGMA * float(np.median(sigma))
    return EnsembleSample(Points(at, f, np.maximum(sigma, floor)), len(x), len(drawn), words)


def features_of(predictor: Predictor, x: np.ndarray) -> np.ndarray:
    """Return prepared rows for values of the columns `(rows, columns)`."""
    names = predictor.preparation.input_columns
    return predictor.preparation.transform(pl.DataFrame({name: x[:, i] for i, name in enumerate(names)}))


def ensemble_answer(
    predictor: Predictor, number: int, x: np.ndarray, answering: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray, str]:
    """Return what the ensemble says of a target, or the logit of a class; the error of that; and what the error is.

    The error is the spread of the networks, with that of the replicas if there are any. One network alone has none: the
    error is then that of a new measurement, and of a class one logit.

    Args:
        predictor: the ensemble.
        number: of the target or class.
        x: `(rows, columns)`.
        answering: as in `Predictor.predict_features`.
    """
    features = features_of(predictor, x)
    if predictor.preparation.task is Task.CLASSIFICATION:
        return _logit(predictor, number, features, answering)
    prediction = predictor.predict_numbers(features, answering)
    f, error = prediction.mean[:, number], error_of_fit(prediction)[:, number]
    if error.any():
        return f, error, "σ is the error of the ensemble's mean: how far its networks disagree"
    return f, prediction.std[:, number], "σ is the error of a new measurement, since one network has no spread"


def _logit(
    predictor: Predictor, number: int, features: np.ndarray, answering: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray, str]:
    prediction = predictor.predict_classes(features, answering)
    smooth = predictor.calibration.method != "isotonic"  # whose steps no short formula follows
    probability = prediction.probabilities if smooth else prediction.averaged
    f = logit(probability[:, number])
    if len(predictor.members) == 1:
        return f, np.ones(len(f)), "σ is one unit of the logit, since one network has no spread"
    logits = logit(predictor.member_outputs(features)[:, :, number])
    error = logits.std(axis=0) / (predictor.calibration.temperature if smooth else 1.0)
    return f, error, "σ is how far the logits of the ensemble's networks disagree"


def logit(probability: np.ndarray) -> np.ndarray:
    """Return `log(p / (1 - p))`, of probabilities beyond 0.001 and 0.999 that of these.

    Example:
        >>> logit(np.array([0.5, 1.0])).tolist()
        [0.0, 6.9]
    """
    with np.errstate(divide="ignore"):
        return np.clip(np.log(probability) - np.log1p(-probability), -MOST_LOGIT, MOST_LOGIT)


def draw_between(predictor: Predictor, x: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Return points on the lines between rows and their nearest neighbours, inside the training region.

    A column with few values has that of one of the two rows. Points that lie outside the region are left out.

    Args:
        predictor: knows how features are scaled, and the region.
        x: `(rows, columns)`.
        count: how many, at most.
        seed: names the random numbers.
    """
    if count == 0 or len(x) < 2:
        return x[:0]
    from scipy.spatial import cKDTree

    features = np.asarray(features_of(predictor, x), np.float64)
    near = min(NEIGHBOURS, len(x) - 1)
    neighbours = cKDTree(features).query(features, near + 1)[1][:, 1:]
    random = np.random.default_rng([seed, DRAWING])
    first = random.integers(len(x), size=count)
    second = neighbours[first, random.integers(near, size=count)]
    along = random.random((count, 1))
    few = np.asarray([len(np.unique(column)) <= 10 for column in x.T])
    along = np.where(few, np.round(along), along)
    drawn = x[first] + along * (x[second] - x[first])
    if predictor.region is not None:
        drawn = drawn[~predictor.region.outside(features_of(predictor, drawn))]
    return drawn


def few_by_error(points: Points, most: int) -> Points:
    """Return at most so many points, those with small errors the likelier (systematic sampling).

    The search weighs all points alike, so that their number takes the place of weights.
    """
    if len(points.f) <= most:
        return points
    weights = np.minimum(points.sigma**-2.0, MOST_WEIGHT * np.median(points.sigma**-2.0))
    steps = np.cumsum(weights) / weights.sum()
    taken = np.searchsorted(steps, (np.arange(most) + 0.5) / most)
    return Points(points.x[taken], points.f[taken], points.sigma[taken])
