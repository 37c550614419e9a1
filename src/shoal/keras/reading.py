"""Networks from Keras models, by file or live, with their weights; Keras itself is not imported and nothing is run."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from shoal.errors import NetworkError
from shoal.keras.archive import KerasWeights, LiveWeights, opened_model
from shoal.keras.graph import MERGES, NESTED, KerasLayer, KerasRow, Meeting, layers_of, row_of_graph
from shoal.keras.layers import checked_last, drops_mask, masks, said_layers
from shoal.keras.settings import given_name, refused
from shoal.networks.initializers import Shape
from shoal.networks.layers import Branches, Layer, Parameters, Rescaling, Reshape, Residual
from shoal.networks.layers.within import prefixed
from shoal.networks.network import Network


@dataclass(frozen=True)
class _Piece:
    """A layer with its parameters, None where they are not asked for."""

    layer: Layer
    parameters: Parameters


def read_keras(
    model: Any, input_shape: Sequence[int] | int | None = None, *, weights: bool
) -> tuple[Network, list[dict[str, np.ndarray]]]:
    """Return the network of a Keras model, and its parameters if they are asked for.

    Args:
        model: a file, `.keras` or `.h5`, or a live `keras.Model`.
        input_shape: shape of a row where the model leaves sizes open.
        weights: whether the weights are read.

    Raises:
        NetworkError: a layer or a graph that shoal cannot say, or a damaged file.
    """
    wanted = (input_shape,) if isinstance(input_shape, int) else None if input_shape is None else tuple(input_shape)
    with _opened(model, weights=weights) as (config, store):
        return _Reading(store, weights=weights).network(config, wanted)


def _opened(model: Any, *, weights: bool) -> Any:
    if isinstance(model, (str, Path)):
        return opened_model(Path(model), weights=weights)
    if not callable(getattr(model, "to_json", None)) or not callable(getattr(model, "get_layer", None)):
        raise NetworkError(
            f"expected a keras.Model or the path of a .keras file, got {type(model).__name__} {model!r:.60}"
        )
    try:
        config = json.loads(model.to_json())
    except Exception as error:  # of a model's own get_config
        raise NetworkError(f"the model cannot say what it is made of ({error}). Make it of Keras' own layers") from None
    return nullcontext((config, LiveWeights(model)))


class _Reading:
    """What goes through one model: where its weights are, and whether they are wanted."""

    def __init__(self, store: KerasWeights, *, weights: bool) -> None:
        self._store, self._wanted = store, weights

    def network(
        self, model: Mapping[str, Any], wanted: tuple[int, ...] | None
    ) -> tuple[Network, list[dict[str, np.ndarray]]]:
        kind, config = model.get("class_name"), model.get("config")
        if kind not in NESTED or not isinstance(config, (dict, list)):
            raise NetworkError(
                f"the model is of the class {kind}, whose code shoal never runs. Build it as keras.Sequential, or by "
                f"keras.Model(inputs, outputs)"
            )
        config = {"layers": config} if isinstance(config, list) else config  # as in the first years of Keras
        built = model.get("build_config") or {}
        begin, row = _row(config, None)
        shape = _input_shape(begin, config.get("build_input_shape") or built.get("input_shape"), wanted)
        pieces, _, _ = self._pieces(row, shape, masked=False)
        if not pieces:
            raise NetworkError("the model has no layers behind its input")
        network = Network(_distinct([piece.layer for piece in pieces]), shape)
        return network, [dict(piece.parameters) for piece in pieces] if self._wanted else []

    def _pieces(self, row: KerasRow, shape: Shape, *, masked: bool) -> tuple[list[_Piece], Shape, bool]:
        """Return the layers of a row with their parameters, the shape behind them, and whether there is a mask."""
        pieces: list[_Piece] = []
        for part in row:
            if isinstance(part, KerasLayer) and part.kind in NESTED:
                if part.calls > 1:
                    raise _shared(part)
                _, inner = _row(part.config, part)
                new, shape, masked = self._pieces(inner, shape, masked=masked)
            elif isinstance(part, Meeting):
                new, shape, masked = self._meeting(part, shape, masked=masked)
            else:
                new, shape, masked = self._layer(part, shape, masked=masked)
            pieces.extend(new)
        return pieces, shape, masked

    def _layer(self, part: KerasLayer, shape: Shape, *, masked: bool) -> tuple[list[_Piece], Shape, bool]:
        if part.masked and not masked:
            raise refused(part.name, part.kind, "is called with a mask that layers before it drop. Leave the mask out")
        layers: list[Layer] = [Reshape(shape)] if masked and drops_mask(part) else []
        arrays = self._arrays(part)
        layers += said_layers(part, shape, arrays, masked=masked)
        pieces = []
        for layer in layers:
            try:
                shapes, behind = layer.parameter_shapes(shape), layer.output_shape(shape)
            except NetworkError as error:
                raise refused(part.name, part.kind, f"cannot be said here: {error}") from None
            if shapes and part.calls > 1:
                raise _shared(part)
            wanted = self._wanted and shapes
            pieces.append(_Piece(layer, _parameters(part, shapes, arrays()) if wanted else {}))
            shape = behind
        return pieces, shape, masks(part, masked=masked)

    def _arrays(self, part: KerasLayer) -> Callable[[], Sequence[Any]]:
        return lambda: self._store.arrays(part.place, part.numbered)

    def _meeting(self, part: Meeting, shape: Shape, *, masked: bool) -> tuple[list[_Piece], Shape, bool]:
        """Return paths that meet as Residual, if one of two that are added is empty, else as Branches."""
        found = [self._pieces(path, shape, masked=masked) for path in part.paths]
        paths, ends = [pieces for pieces, _, _ in found], [end for _, end, _ in found]
        behind = [mask for _, _, mask in found]
        if any(behind) and not masked:
            raise refused(part.layer.name, part.layer.kind, "merges masks of its branches. Mask before they part")
        if part.layer.kind == "Concatenate":
            checked_last(part.layer, "axis", ends[0])
        if part.layer.kind == "Subtract":
            paths[1] = [*paths[1], _Piece(Rescaling(-1.0), {})]
        merge, name = MERGES[part.layer.kind], given_name(part.layer.kind, part.layer.config)
        empty = [not path for path in paths]
        layer: Layer
        if merge == "add" and sum(empty) == 1 and len(paths) == 2:
            (path,) = (path for path in paths if path)
            layer = Residual(tuple(piece.layer for piece in path), name=name)
            parameters = _joined({str(j): piece for j, piece in enumerate(path)})
        else:
            layer = Branches(tuple(tuple(piece.layer for piece in path) for path in paths), merge, name=name)
            parameters = _joined({f"{i}.{j}": p for i, path in enumerate(paths) for j, p in enumerate(path)})
        try:
            return [_Piece(layer, parameters)], layer.output_shape(shape), all(behind)
        except NetworkError as error:
            raise refused(part.layer.name, part.layer.kind, f"cannot be said here: {error}") from None


def _row(config: Mapping[str, Any], outer: KerasLayer | None) -> tuple[KerasLayer, KerasRow]:
    """Return what a model begins with, an input or a layer that knows its shape, and its layers."""
    if "input_layers" in config:
        return row_of_graph(config, outer)
    layers = layers_of(config, outer)
    return layers[0], tuple(layer for layer in layers if layer.kind != "InputLayer")


def _input_shape(begin: KerasLayer, built: Any, wanted: Shape | None) -> Shape:
    """Return the shape of a row, sizes that the model leaves open as they are wanted."""
    config = begin.config
    given = config.get("batch_shape") or config.get("batch_input_shape") or built
    if given is None:
        if wanted is None:
            raise NetworkError(
                "the model does not know the shape of its rows: it was never built. Begin it with keras.Input((4,)), "
                "or give input_shape=(4,)"
            )
        return wanted
    if not isinstance(given, (list, tuple)) or not all(n is None or isinstance(n, int) for n in given[1:]):
        raise NetworkError(f"the model's rows have the shape {given!r:.60}, which is none")
    sizes = tuple(given[1:])
    fits = wanted is not None and len(wanted) == len(sizes)
    if fits and wanted is not None and all(n in (None, w) for n, w in zip(sizes, wanted, strict=True)):
        return wanted
    if wanted is not None:
        raise NetworkError(f"the model takes rows of shape {sizes}, not of {wanted}. Change input_shape or the model")
    if None in sizes:
        raise NetworkError(
            f"the model takes rows of shape {sizes}, of any length; networks of shoal have one shape. Give it: "
            f"Network.from_keras(model, input_shape=({', '.join('20' if n is None else str(n) for n in sizes)}))"
        )
    return sizes


def _parameters(part: KerasLayer, shapes: Mapping[str, Shape], arrays: Sequence[Any]) -> dict[str, np.ndarray]:
    """Return arrays under their names, of those shapes and read only then."""
    got = [tuple(array.shape) for array in arrays]
    if got != list(shapes.values()):
        expected = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
        raise refused(
            part.name, part.kind, f"needs the weights {expected}, the file has the shapes {got}. Save it again"
        )
    values = {name: np.asarray(array[()], np.float32) for name, array in zip(shapes, arrays, strict=True)}
    for name, value in values.items():
        if not np.isfinite(value).all():
            raise refused(part.name, part.kind, f"has weights that are no finite numbers, in {name}. Train it again")
    return values


def _joined(pieces: Mapping[str, _Piece]) -> dict[str, np.ndarray]:
    return {key: value for name, piece in pieces.items() for key, value in prefixed(name, piece.parameters).items()}


def _shared(part: KerasLayer) -> NetworkError:
    return refused(
        part.name, part.kind, f"is shared: the model calls it {part.calls} times with the same weights, which no "
        f"network of shoal does. Give each place a layer of its own"
    )  # fmt: skip


def _distinct(layers: Sequence[Layer]) -> list[Layer]:
    """Return layers without names that stand there twice, as after nested models."""
    names = [layer.name for layer in layers]
    return [layer if names.count(layer.name) == 1 else replace(layer, name=None) for layer in layers]
