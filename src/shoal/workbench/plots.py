"""Numbers of a run as `<shoal-plot>` and `<shoal-parallel>` take them: plain data, NaN as null."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from shoal.data.units import labelled
from shoal.report.figures.decision_boundary import DecisionBoundary
from shoal.report.figures.regression_curve import RegressionCurve

MOST_POINTS = 4000
MOST_CLASSES = 8
_SKIPPED = ("id", "kept", "status", "networks", "score_error", "score_low", "score_high", "train_loss")
_LOGARITHMIC = (
    "learning_rate",
    "regularization",
    "weight_decay",
    "parameters",
    "batch_size",
    "epochs_trained",
    "score",
)

Plot = dict[str, Any]


def numbers(values: np.ndarray, digits: int = 6) -> list[float | None]:
    """Return numbers as JSON has them.

    Example:
        >>> numbers(np.array([0.1234567, np.nan]))
        [0.123457, None]
    """
    return [float(f"{v:.{digits}g}") if math.isfinite(v) else None for v in np.asarray(values, float).ravel().tolist()]


def class_map(boundary: DecisionBoundary) -> tuple[Plot, Plot]:
    """Return the map of classes over two columns, and beside it that of the disagreement."""
    best = boundary.probabilities.argmax(axis=2)
    highest, least = boundary.probabilities.max(axis=2), 1.0 / len(boundary.classes)
    sure = np.clip((highest - least) / (1.0 - least), 0.1, 1.0)
    names = [str(name) for name in boundary.classes]
    shape = {"columns": best.shape[0], "rows": best.shape[1]}
    outside = {} if boundary.outside is None else {"outside": _cells(boundary.outside.astype(int))}
    common = _axes(boundary)
    x, y = boundary.columns
    classes = {
        **common,
        "map": {**shape, "groups": _cells(best % MOST_CLASSES), "strength": _shades(sure), "names": names, **outside},
        "label": f"Map of the predicted classes {', '.join(names)} over {x} and {y}.",
    }
    most = float(boundary.disagreement.max()) or 1.0
    disagreement = {
        **common,
        "map": {**shape, "strength": _shades(boundary.disagreement / most)},
        "label": f"Disagreement of the networks over {x} and {y}, {most:.3g} nats at most.",
    }
    if boundary.rows is not None:
        values = boundary.rows.values[:, :MOST_POINTS]
        points: dict[str, Any] = {"x": numbers(values[0]), "y": numbers(values[1])}
        if boundary.rows.truth is not None:
            points["groups"] = (np.asarray(boundary.rows.truth, int)[:MOST_POINTS] % MOST_CLASSES).tolist()
        classes["points"] = points
    return classes, disagreement


def curve(curves: RegressionCurve, target: int = 0) -> tuple[Plot, Plot]:
    """Return the fitted curve of a target with its band, and beside it the disagreement of the networks."""
    name, x = str(curves.targets[target]), numbers(curves.grid)
    mean, spread = curves.mean[:, target], curves.spread[:, target]
    bands: list[dict[str, object]] = [
        {"x": x, "low": numbers(mean - spread), "high": numbers(mean + spread), "colour": 1, "label": "spread"}
    ]
    low, high = curves.low[:, target], curves.high[:, target]
    if np.isfinite(low).all() and np.isfinite(high).all() and (high > low).any():
        label = f"{100 * curves.level:.0f} % interval"
        bands.insert(0, {"x": x, "low": numbers(low), "high": numbers(high), "label": label})
    axis = {"label": labelled(curves.column, curves.units.get(curves.column))}
    fitted: Plot = {
        "x": axis,
        "y": {"label": labelled(name, curves.units.get(name))},
        "bands": bands,
        "lines": [{"x": x, "y": numbers(mean), "label": "mean of the networks"}],
        "label": f"{name} predicted along {curves.column}, with its band.",
    }
    disagreement = {
        "x": axis,
        "y": {"label": "spread of the networks", "low": 0.0},
        "lines": [{"x": x, "y": numbers(spread), "colour": 1}],
        "label": f"How far the networks disagree on {name} along {curves.column}.",
    }
    return fitted, disagreement


def residuals(truth: np.ndarray, guess: np.ndarray, rows: np.ndarray, name: str) -> Plot:
    """Return residuals over predictions, some thousand of them at most, with the numbers of their rows."""
    kept = np.flatnonzero(np.isfinite(truth) & np.isfinite(guess))
    kept = kept[:: max(1, -(-len(kept) // MOST_POINTS))]
    return {
        "x": {"label": f"predicted {name}"},
        "y": {"label": f"{name}, true less predicted"},
        "points": {"x": numbers(guess[kept]), "y": numbers((truth - guess)[kept]), "ids": rows[kept].tolist()},
        "zero": True,
        "brush": True,
        "label": f"Residuals of {name} over what is predicted, {len(kept)} rows. Draw a rectangle to see its rows.",
    }


def parallel(candidates: pl.DataFrame, networks: pl.DataFrame) -> dict[str, Any]:
    """Return the hyperparameters of the networks that differ, and their scores, as parallel axes."""
    joined = networks.select("id", "candidate_id").join(
        candidates.rename({"id": "candidate_id"}), on="candidate_id", how="left", maintain_order="left"
    )
    names = [n for n in candidates.columns if n not in _SKIPPED and joined[n].n_unique() > 1]
    names = [*[n for n in names if n not in ("score", "validation_loss")], *[n for n in ("score",) if n in names]]
    axes, columns = [], []
    for name in names:
        axis, values = _axis(name, joined.get_column(name))
        if axis is not None:
            axes.append(axis)
            columns.append(values)
    return {"axes": axes, "ids": networks["id"].to_list(), "values": [list(row) for row in zip(*columns, strict=True)]}


def _axis(name: str, series: pl.Series) -> tuple[dict[str, Any] | None, list[float | None]]:
    """Return an axis and its values; none of texts that are too many to be told apart."""
    label = {"name": name, "label": name.replace("_", " ")}
    if series.dtype.is_numeric():
        return {**label, "log": name in _LOGARITHMIC}, numbers(series.cast(pl.Float64).fill_null(math.nan).to_numpy())
    texts = series.cast(pl.String).fill_null("–")
    levels = sorted(texts.unique().to_list())
    if len(levels) > 24:
        lengths = texts.str.count_matches(",").cast(pl.Float64) + 1
        return {"name": name, "label": f"{label['label']}, layers"}, numbers(lengths.to_numpy())
    return {**label, "texts": levels}, [float(levels.index(text)) for text in texts]


def text(plot: Mapping[str, Any]) -> str:
    """Return a plot as the attribute of its element."""
    return json.dumps(plot, separators=(",", ":"))


def _axes(boundary: DecisionBoundary) -> dict[str, Any]:
    ends = [
        {"label": labelled(column, boundary.units.get(column)), "low": float(grid[0]), "high": float(grid[-1])}
        for column, grid in zip(boundary.columns, boundary.grids, strict=True)
    ]
    return {"x": ends[0], "y": ends[1]}


def _cells(values: np.ndarray) -> Sequence[int]:
    """Return the cells of a map, row after row from below."""
    return values.T.ravel().tolist()


def _shades(values: np.ndarray) -> list[float]:
    return np.round(values.T.ravel(), 2).tolist()
