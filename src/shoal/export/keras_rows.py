"""The preparation of rows as layers of Keras: missing values, scaling, codes of categories."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from shoal.data import Preparation
from shoal.data.encoders import CategoryEncoder
from shoal.data.feature_scaling import Quantile, Robust, Standard
from shoal.data.signals import PADDED, SignalPreparation
from shoal.keras.model_graph import KerasGraph, Tensor

WIDEST = 1e15
"""In units of the interquartile range, beyond which outliers are drawn in no further."""
MISSING = -2.0
"""The code of a category that is missing."""


def prepared(graph: KerasGraph, preparation: Preparation) -> Tensor:
    """Begin a graph with rows as they are, and return what networks see.

    A row of a table holds its columns as numbers: NaN where a value is missing, categories as codes.
    """
    if preparation.signals is not None:
        return _signals(graph, preparation.signals)
    encoders = preparation.encoders
    x = graph.input((len(encoders),), "columns")
    missing, filled = _filled(graph, x, [MISSING if isinstance(e, CategoryEncoder) else e.fill for e in encoders])
    scaled = scaled_columns(graph, filled, [getattr(encoder, "normalization", None) for encoder in encoders])
    sources, features = {"scaled": scaled, "missing": missing}, []
    for j, encoder in enumerate(encoders):
        if isinstance(encoder, CategoryEncoder):
            sources[encoder.column] = _levels(graph, picked(graph, filled, [j]), encoder)
            features += [(encoder.column, i) for i in range(len(encoder.names))]
        else:
            features += [("scaled", j), *([("missing", j)] if encoder.marker else [])]
    return _joined(graph, sources, features)


def _joined(graph: KerasGraph, sources: dict[str, Tensor], features: list[tuple[str, int]]) -> Tensor:
    """Return features, each one number of one of some tensors, in their order."""
    used = {name: tensor for name, tensor in sources.items() if any(name == source for source, _ in features)}
    starts = dict(zip(used, np.cumsum([0, *(tensor.shape[-1] for tensor in used.values())]), strict=False))
    places = [int(starts[name]) + i for name, i in features]
    whole = next(iter(used.values()))
    if len(used) > 1:
        size = sum(tensor.shape[-1] for tensor in used.values())
        whole = graph.add("Concatenate", {"axis": -1}, list(used.values()), (size,))
    return whole if places == list(range(whole.shape[-1])) else picked(graph, whole, places)


def picked(graph: KerasGraph, x: Tensor, places: Sequence[int]) -> Tensor:
    """Return some numbers of the last axis."""
    return weighed(graph, x, np.eye(x.shape[-1])[:, list(places)])


def weighed(graph: KerasGraph, x: Tensor, kernel: np.ndarray, bias: np.ndarray | None = None) -> Tensor:
    """Return `x @ kernel + bias` by a layer that does not train."""
    shape = (*x.shape[:-1], kernel.shape[-1])
    settings = {"units": kernel.shape[-1], "use_bias": bias is not None}
    arrays = {"vars": [kernel] if bias is None else [kernel, bias]}
    return graph.add("Dense", settings, x, shape, arrays, trainable=False)


def rescaled(graph: KerasGraph, x: Tensor, scale: Any = 1.0, offset: Any = 0.0) -> Tensor:
    """Return `scale x + offset`."""
    settings = {"scale": np.asarray(scale).tolist(), "offset": np.asarray(offset).tolist()}
    return graph.add("Rescaling", settings, x, x.shape)


def standardized(graph: KerasGraph, x: Tensor, shift: np.ndarray, scale: np.ndarray) -> Tensor:
    """Return `(x - shift) / scale`, the difference first and in two parts, so that it keeps its digits."""
    first = np.asarray(shift, np.float32).astype(np.float64)
    moved = rescaled(graph, x, 1.0, -first) if np.any(first) else x
    moved = rescaled(graph, moved, 1.0, first - shift) if np.any(first != shift) else moved
    return rescaled(graph, moved, 1.0 / scale) if np.any(scale != 1.0) else moved


def _filled(graph: KerasGraph, x: Tensor, fill: Sequence[float]) -> tuple[Tensor, Tensor]:
    """Return 1 where numbers are missing, else 0, and the numbers with others in place of those."""
    nothing = graph.operation("Isnan", [x], x.shape, "missing")
    missing = graph.operation("Where", [nothing, 1.0, 0.0], x.shape)
    known = graph.operation("Where", [nothing, 0.0, x], x.shape)
    return missing, graph.add("Add", {}, [known, rescaled(graph, missing, fill)], x.shape)


def scaled_columns(graph: KerasGraph, x: Tensor, ways: Sequence[Any]) -> Tensor:
    """Return numbers scaled, each column by its way."""
    shift, scale = np.zeros(len(ways)), np.ones(len(ways))
    for j, way in enumerate(ways):
        if isinstance(way, (Standard, Robust)):
            shift[j], scale[j] = way.inverse(np.zeros(1)).item(), way.scale
    sources = {"straight": standardized(graph, x, shift, scale)}
    features = [("straight", j) for j in range(len(ways))]
    if any(isinstance(way, Robust) for way in ways):
        sources["drawn"] = _drawn_in(graph, sources["straight"])
    for j, way in enumerate(ways):
        if isinstance(way, Robust):
            features[j] = ("drawn", j)
        elif isinstance(way, Quantile):
            sources[f"curve {j}"] = curve(graph, picked(graph, x, [j]), way.quantiles, way.scores)
            features[j] = (f"curve {j}", 0)
    return _joined(graph, sources, features)


def _drawn_in(graph: KerasGraph, u: Tensor) -> Tensor:
    """Return `u / sqrt(1 + (u / 3)²)`."""
    u = graph.operation("Maximum", [graph.operation("Minimum", [u, WIDEST], u.shape), -WIDEST], u.shape)
    square = graph.add("Multiply", {}, [u, u], u.shape)
    root = graph.operation("Sqrt", [rescaled(graph, square, 1.0 / 9.0, 1.0)], u.shape)
    return graph.operation("TrueDivide", [u, root], u.shape)


def curve(graph: KerasGraph, x: Tensor, points: Sequence[float], values: Sequence[float]) -> Tensor:
    """Return what lies at x, one number of the last axis, on straight lines between points, as a sum of steps."""
    ends, heights = np.asarray(points), np.asarray(values)
    if len(ends) == 1:
        return weighed(graph, x, np.zeros((1, 1)), heights)
    middle = ends[len(ends) // 2]
    each = weighed(graph, rescaled(graph, x, 1.0, -middle), np.ones((1, len(ends) - 1)))
    share = standardized(graph, each, ends[:-1] - middle, np.diff(ends))
    share = graph.add("ReLU", {"max_value": 1.0}, share, share.shape)
    return weighed(graph, share, np.diff(heights)[:, None], heights[:1])


def _levels(graph: KerasGraph, code: Tensor, encoder: CategoryEncoder) -> Tensor:
    """Return the features of a category by its code: that of a level, -1 for others, `MISSING`."""
    levels, features = len(encoder.levels), len(encoder.names)
    table = np.zeros((levels + 2, features))
    table[2:, :levels] = np.eye(levels)
    table[1, levels : levels + bool(encoder.rare)] = 1.0
    if encoder.marker:
        table[0, -1] = 1.0
    settings = {"input_dim": levels + 2, "output_dim": features}
    place = graph.add("ReLU", {"max_value": levels + 1.0}, rescaled(graph, code, 1.0, 2.0), code.shape)
    found = graph.add("Embedding", settings, place, (1, features), {"vars": [table]}, trainable=False)
    return graph.add("Flatten", {}, found, (features,))


def _signals(graph: KerasGraph, signals: SignalPreparation) -> Tensor:
    x = graph.input(tuple(signals.shape), signals.kind)
    if signals.kind == "images":  # every network scales them itself
        return x
    scaled = standardized(graph, x, np.asarray(signals.mean), np.asarray(signals.scale))
    if not signals.padded:
        return scaled
    nothing = graph.operation("Isnan", [x], x.shape, "missing")
    behind = graph.operation("Any", [nothing], (x.shape[0], 1), axis=-1, keepdims=True)
    return graph.operation("Where", [behind, PADDED, scaled], x.shape)
