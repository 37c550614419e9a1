"""Networks of any layers as the kernel takes them: operations on buffers of places, one after the other."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np

from shoal.networks import ACTIVATIONS, Layer, Network, Shape
from shoal.networks import layers as kinds
from shoal.training.engines.native.records import GRAPH, OPERATION, SHAPE, STEP_MASK

ACTIVATION_CODES = {
    name: i for i, name in enumerate(sorted(ACTIVATIONS, key=lambda name: not ACTIVATIONS[name].elementwise))
}
CONVOLUTION, ACTIVATION, LARGEST, SMALLEST, MEAN, REPEAT, DROPOUT, SUM, MOVE = range(9)
RECURRENCE, PRODUCT, AVERAGE, JOIN, LAYER_NORM, BATCH_NORM = range(9, 15)
OWN_RATE = -1.0  # of dropout: the member's number
POOLINGS: dict[type[Layer], int] = {
    kinds.MaxPooling1D: LARGEST,
    kinds.MaxPooling2D: LARGEST,
    kinds.MinPooling1D: SMALLEST,
    kinds.MinPooling2D: SMALLEST,
    kinds.AveragePooling1D: MEAN,
    kinds.AveragePooling2D: MEAN,
}
GLOBAL_POOLINGS: dict[type[Layer], int] = {
    kinds.GlobalMaxPooling1D: LARGEST,
    kinds.GlobalMaxPooling2D: LARGEST,
    kinds.GlobalAveragePooling1D: MEAN,
    kinds.GlobalAveragePooling2D: MEAN,
}
CELLS: dict[type[Layer], int] = {kinds.SimpleRNN: 0, kinds.LSTM: 1, kinds.GRU: 2}
GRU_BEFORE = 3  # which resets before the product
GATES = ((1, 3), (4, 7), (3, 6), (3, 6))  # of each cell: products of a unit, and what is written and read
BRANCH_MERGES = {"concatenate": JOIN, "add": SUM, "multiply": PRODUCT, "average": AVERAGE}
MERGES = {"concat": JOIN, "sum": SUM, "mul": PRODUCT, "ave": AVERAGE}


class UnsuitedError(Exception):
    """What of a network the kernel has no operation for, as the end of a sentence that begins with `it has no`."""


@dataclass(frozen=True)
class Graph:
    """A network as the kernel takes it.

    Attributes:
        key: what it does; members of equal keys may share a lane block.
        record: of type GRAPH, twice: with members in the lanes, and with the channels of a single one.
        arrays: what the records point to.
    """

    key: bytes
    record: np.ndarray
    arrays: tuple[np.ndarray, ...] = field(repr=False)

    def address(self, single: bool) -> int:
        """Return where the kernel finds it."""
        return int(self.record.ctypes.data) + self.record.strides[0] * int(single)


@lru_cache(maxsize=512)
def graph_of(network: Network, rate: float, source: int = 0) -> Graph:
    """Return the operations of a network.

    Args:
        network: of a member, in its own size.
        rate: of the member's own dropout, so that members of different rates share operations.
        source: from which number on its sources of random numbers are counted.

    Raises:
        UnsuitedError: it has a layer or a setting of which the kernel knows nothing.
    """
    lowered = _Lowering(network.input_shape, rate, source=source)
    for i, layer in enumerate(network.layers):
        lowered.add(layer, last=i == len(network.layers) - 1)
    if not any(operation["kind"] in (CONVOLUTION, RECURRENCE) for operation in lowered.operations):
        raise UnsuitedError("networks without weights")
    operations, masks = _records(lowered.operations, OPERATION), _records(lowered.masks, STEP_MASK)
    shapes = np.asarray(lowered.shapes, SHAPE)
    graph, arrays = np.zeros(2, GRAPH), {"operations": operations, "shapes": shapes, "masks": masks, **lowered.scaling}
    for name, array in arrays.items():
        graph[name] = array.ctypes.data
    graph["operation_count"], graph["shape_count"], graph["single"] = len(operations), len(shapes), (0, 1)
    graph["mask_count"], graph["mask_value"] = len(masks), lowered.mask_value
    key = b"".join(array.tobytes() for array in (*arrays.values(), graph["mask_value"]))
    return Graph(key, graph, tuple(arrays.values()))


def _records(each: list[dict[str, Any]], kind: np.dtype) -> np.ndarray:
    """Return dictionaries as records, with zeros where they say nothing."""
    records = np.zeros(len(each), kind)
    for record, values in zip(records, each, strict=True):
        for name, value in values.items():
            record[name] = value
    return records


@dataclass
class _Lowering:
    """The operations of the layers so far; `buffer` holds rows that the layers see as of `shape`.

    `mask` is the number, from 1, of the mask of its steps; 0: all are real.
    """

    shape: Shape
    rate: float
    shapes: list[Shape] = field(default_factory=list)
    operations: list[dict[str, Any]] = field(default_factory=list)
    scaling: dict[str, np.ndarray] = field(default_factory=dict)
    masks: list[dict[str, Any]] = field(default_factory=list)
    mask_value: float = 0.0
    buffer: int = 0
    source: int = 0
    mask: int = 0

    def __post_init__(self) -> None:
        self.shapes.append(_as_places(self.shape))

    def add(self, layer: Layer, *, last: bool = False, trained: bool = True) -> None:
        """Add what a layer does; the last leaves out its activation."""
        lower = _LAYERS.get(type(layer))
        if lower is None:
            raise UnsuitedError(f"layer {type(layer).__name__}")
        trained = trained and layer.trainable
        sources = self.source + layer.sources
        lower(self, layer, last, trained)
        self.mask = self._mask_behind(layer)
        self.shape = layer.output_shape(self.shape)
        self.source = sources

    def _mask_behind(self, layer: Any) -> int:
        """Return the mask of the steps that a layer hands on, as its `output_mask` has it."""
        if not self.mask or isinstance(layer, kinds.Masking | kinds.Residual | kinds.Branches):
            return self.mask
        shape = layer.output_shape(self.shape)
        recurrent: Any = layer.layer if isinstance(layer, kinds.Bidirectional) else layer
        if len(shape) < 2 or isinstance(layer, kinds.Reshape):
            return 0
        if type(recurrent) in CELLS:
            return self._masked(self.shape[0], flips=1) if recurrent.go_backwards else self.mask
        if isinstance(layer, kinds.UpSampling1D):
            raise UnsuitedError(f"layer {type(layer).__name__} behind a mask")
        if not hasattr(layer, "_sizes") or (type(layer) is kinds.Conv1D and _keeps_steps(layer)):
            return self.mask
        of_line = {name: both[1] for name, both in _window(layer, self.shape).items()}
        names = ("window", "dilation", "before")
        return self._masked(shape[0], stride=of_line["strides"], **{name: of_line[name] for name in names})

    def _masked(self, steps: int, **settings: int) -> int:
        usual = {"window": 1, "stride": 1, "dilation": 1, "before": 0}
        self.masks.append({**usual, "from": self.mask, "steps": steps, **settings})
        return len(self.masks)

    @property
    def places(self) -> Shape:
        """Lines, columns and channels of the buffer."""
        return self.shapes[self.buffer]

    def do(self, kind: int, to: Shape, **settings: Any) -> None:
        """Add an operation from the buffer to a new one of a shape."""
        if self.buffer == 0 and kind not in (CONVOLUTION, MOVE, RECURRENCE):
            self.do(MOVE, self.places)
        self.shapes.append(to)
        usual = {"window": (1, 1), "strides": (1, 1), "dilation": (1, 1), "before": (0, 0)}
        ends = {"kind": kind, "from": self.buffer, "to": len(self.shapes) - 1}
        self.operations.append({**usual, **ends, **settings})
        self.buffer = len(self.shapes) - 1

    def spread(self) -> None:
        """Let the buffer have the shape that the layers see."""
        if self.places != _as_places(self.shape):
            self.do(MOVE, _as_places(self.shape))

    def activation(self, layer: Any, last: bool) -> int:
        """Return the code of a layer's activation."""
        return _code("linear" if last else layer.activation)


def _code(activation: Any) -> int:
    name = "linear" if activation is None else activation
    if callable(name):
        raise UnsuitedError("activations of a user's own")
    if not isinstance(name, str) or not ACTIVATIONS[name].elementwise:
        raise UnsuitedError(f"activation {name!r} between layers with windows or memory")
    return ACTIVATION_CODES[name]


def _as_places(shape: Shape) -> Shape:
    """Return lines, columns and channels of rows of a shape."""
    if len(shape) > 3 or not shape:
        raise UnsuitedError(f"rows of shape {shape}")
    return (*(1,) * (3 - len(shape)), *shape)


def _both(sizes: tuple[int, ...]) -> tuple[int, int]:
    """Return the sizes along lines and columns; series have one line."""
    return (1, *sizes)[-2:]  # type: ignore[return-value]


def _window(layer: Any, shape: Shape) -> dict[str, Any]:
    size, strides, dilation = layer._sizes
    before = tuple(width[0] for width in layer._widths(shape[:-1]))
    return {"window": _both(size), "strides": _both(strides), "dilation": _both(dilation), "before": (0, *before)[-2:]}


def _keeps_steps(layer: Any) -> bool:
    return bool(layer.padding != "valid" and layer.strides == (1,))


def _convolution(lowered: _Lowering, layer: Any, last: bool, trained: bool) -> None:
    lowered.spread()
    settings = _window(layer, lowered.shape)
    code = lowered.activation(layer, last)
    to = _as_places(layer.output_shape(lowered.shape))
    lowered.do(CONVOLUTION, to, activation=code, bias=layer.use_bias, trained=trained, **settings)


def _dense(lowered: _Lowering, layer: Any, last: bool, trained: bool) -> None:
    window = lowered.places[:2] if len(lowered.shape) == 1 else (1, 1)
    code = lowered.activation(layer, last)
    to = _as_places(layer.output_shape(lowered.shape))
    lowered.do(CONVOLUTION, to, activation=code, bias=layer.use_bias, trained=trained, window=window)


def _pooling(lowered: _Lowering, layer: Any, last: bool, trained: bool) -> None:  # noqa: ARG001
    kind, (size, strides, _) = POOLINGS[type(layer)], layer._sizes
    if kind != MEAN and any(s < k for s, k in zip(strides, size, strict=True)):
        raise UnsuitedError("pooling by the largest or smallest number of windows that overlap")
    if kind != MEAN and strides != size:
        raise UnsuitedError("pooling by the largest or smallest number of windows with gaps between them")
    if kind != MEAN and math.prod(size) > 9:
        raise UnsuitedError("pooling by the largest or smallest of more than nine numbers")
    lowered.spread()
    to = _as_places(layer.output_shape(lowered.shape))
    lowered.do(kind, to, **_window(layer, lowered.shape))


def _global_pooling(lowered: _Lowering, layer: Any, last: bool, trained: bool) -> None:  # noqa: ARG001
    lowered.spread()
    lines, columns, channels = lowered.places
    kind, window = GLOBAL_POOLINGS[type(layer)], (lines, columns)
    mask = lowered.mask if type(layer) is kinds.GlobalAveragePooling1D else 0
    lowered.do(kind, (1, 1, channels), window=window, strides=window, mask=mask)


def _upsampling(lowered: _Lowering, layer: Any, last: bool, trained: bool) -> None:  # noqa: ARG001
    if getattr(layer, "interpolation", "nearest") != "nearest":
        raise UnsuitedError("upsampling between pixels")
    lowered.spread()
    lowered.do(REPEAT, _as_places(layer.output_shape(lowered.shape)), window=_both(layer._factors))


def _dropout(lowered: _Lowering, layer: Any, last: bool, trained: bool) -> None:  # noqa: ARG001
    rate = OWN_RATE if layer.rate == lowered.rate else layer.rate
    spatial = type(layer) is not kinds.Dropout
    if spatial:
        lowered.spread()
    if layer.rate > 0.0:
        lowered.do(DROPOUT, lowered.places, rate=rate, source=lowered.source, spatial=spatial)


def _activation(lowered: _Lowering, layer: Any, last: bool, trained: bool) -> None:  # noqa: ARG001
    if not last:
        lowered.do(ACTIVATION, lowered.places, activation=lowered.activation(layer, last))


def _reshape(lowered: _Lowering, layer: Any, last: bool, trained: bool) -> None:
    """Later layers that look at places spread the buffer; dense ones and those of each element need not."""


def _residual(lowered: _Lowering, layer: Any, last: bool, trained: bool) -> None:  # noqa: ARG001
    lowered.spread()
    if lowered.buffer == 0:
        lowered.do(MOVE, lowered.places)
    begins, shape = lowered.buffer, lowered.shape
    for each in layer.layers:
        lowered.add(each, trained=trained)
    lowered.spread()
    ends, behind, mask = lowered.buffer, lowered.shape, lowered.mask
    if layer.projection is not None:
        lowered.buffer, lowered.shape = begins, shape
        lowered.add(layer.projection, trained=trained)
        lowered.spread()
        begins = lowered.buffer
    lowered.buffer, lowered.shape, lowered.mask = ends, shape, mask
    lowered.do(SUM, _as_places(behind), **{"with": begins})


def _branches(lowered: _Lowering, layer: Any, last: bool, trained: bool) -> None:  # noqa: ARG001
    merge = BRANCH_MERGES.get(layer.merge)
    if merge is None or (merge == AVERAGE and len(layer.paths) != 2):
        raise UnsuitedError(f"branches that are merged by {layer.merge!r}")
    lowered.spread()
    reads = kinds.Conv1D | kinds.Conv2D
    if lowered.buffer == 0 and not all(path and isinstance(path[0], reads) for path in layer.paths):
        lowered.do(MOVE, lowered.places)
    begins, shape, mask, source = lowered.buffer, lowered.shape, lowered.mask, lowered.source
    ends: list[tuple[int, Shape]] = []
    masks = set()
    for path in layer.paths:
        lowered.buffer, lowered.shape, lowered.mask = begins, shape, mask
        for each in path:
            lowered.add(each, trained=trained)
        lowered.spread()
        ends.append((lowered.buffer, _as_places(lowered.shape)))
        masks.add(lowered.mask)
    if masks - {0, mask}:
        raise UnsuitedError("branches that change a mask")
    (lowered.buffer, places), *others = ends
    for other, of_other in others:
        channels = places[2] + of_other[2] if merge == JOIN else places[2]
        places = (*places[:2], channels)
        lowered.do(merge, places, **{"with": other})
    lowered.shape, lowered.mask, lowered.source = shape, 0 if 0 in masks else mask, source


def _recurrent(lowered: _Lowering, layer: Any, last: bool, trained: bool, **settings: int) -> None:  # noqa: ARG001
    lowered.spread()
    cell = CELLS[type(layer)] if getattr(layer, "reset_after", True) else GRU_BEFORE
    codes = {"activation": _code(layer.activation), "gate": _code(getattr(layer, "recurrent_activation", None))}
    ways = {"sequences": layer.return_sequences, "backwards": layer.go_backwards, "mask": lowered.mask}
    kind = {"cell": cell, "bias": layer.use_bias, "trained": trained}
    lowered.do(RECURRENCE, _as_places(layer.output_shape(lowered.shape)), **codes, **ways, **kind, **settings)


def _bidirectional(lowered: _Lowering, layer: Any, last: bool, trained: bool) -> None:
    lowered.spread()
    begins, ends = lowered.buffer, []
    for name, each in layer._layers.items():
        lowered.buffer = begins
        settings = {"flips": int(name == "backward"), "zeroes": int(each.return_sequences)}
        _recurrent(lowered, each, last, trained and each.trainable, **settings)
        ends.append(lowered.buffer)
    lowered.buffer = ends[0]
    lowered.do(MERGES[layer.merge_mode], _as_places(layer.output_shape(lowered.shape)), **{"with": ends[1]})


def _masking(lowered: _Lowering, layer: Any, last: bool, trained: bool) -> None:  # noqa: ARG001
    if lowered.operations or lowered.scaling or lowered.masks:
        raise UnsuitedError("layer Masking behind the first")
    lowered.mask_value = layer.mask_value
    lowered.mask = lowered._masked(lowered.shape[0])


def _layer_normalization(lowered: _Lowering, layer: Any, last: bool, trained: bool) -> None:  # noqa: ARG001
    lowered.spread()
    lowered.do(LAYER_NORM, lowered.places, bias=True, trained=trained, **_scaled(layer))


def _batch_normalization(lowered: _Lowering, layer: Any, last: bool, trained: bool) -> None:  # noqa: ARG001
    lowered.spread()
    settings = {"momentum": layer.momentum, "mask": lowered.mask if len(lowered.shape) > 1 else 0}
    lowered.do(BATCH_NORM, lowered.places, bias=True, trained=trained, **settings, **_scaled(layer))


def _scaled(layer: Any) -> dict[str, Any]:
    return {"scale": layer.scale, "center": layer.center, "rate": layer.epsilon}


def _scaling(lowered: _Lowering, layer: Any, last: bool, trained: bool) -> None:  # noqa: ARG001
    """Scale the input on its way into the first buffer."""
    if lowered.operations or lowered.scaling or lowered.masks:
        raise UnsuitedError(f"layer {type(layer).__name__} behind the first")
    channels = lowered.places[-1]
    if isinstance(layer, kinds.Normalization):
        subtracted = np.asarray(layer.mean, np.float32)
        deviation = np.maximum(np.sqrt(np.asarray(layer.variance)), kinds.normalization.SMALLEST_DEVIATION)
        factors = 1.0 / deviation
    else:
        factors = np.asarray(layer.scale, np.float64)
        if not factors.all():
            raise UnsuitedError("scaling by zero")
        subtracted = -np.asarray(layer.offset, np.float64) / factors
    for name, values in (("subtracted", subtracted), ("factors", factors)):
        lowered.scaling[name] = np.ascontiguousarray(np.broadcast_to(values, channels), np.float32)


_Lower = Callable[[_Lowering, Any, bool, bool], None]
_LAYERS: dict[type[Layer], _Lower] = {
    kinds.Conv1D: _convolution,
    kinds.Conv2D: _convolution,
    kinds.Dense: _dense,
    **dict.fromkeys(POOLINGS, _pooling),
    **dict.fromkeys(GLOBAL_POOLINGS, _global_pooling),
    **dict.fromkeys((kinds.UpSampling1D, kinds.UpSampling2D), _upsampling),
    **dict.fromkeys((kinds.Dropout, kinds.SpatialDropout1D, kinds.SpatialDropout2D), _dropout),
    **dict.fromkeys((kinds.Flatten, kinds.Reshape), _reshape),
    kinds.Activation: _activation,
    **dict.fromkeys(CELLS, _recurrent),
    kinds.Bidirectional: _bidirectional,
    kinds.Masking: _masking,
    kinds.LayerNormalization: _layer_normalization,
    kinds.BatchNormalization: _batch_normalization,
    kinds.Residual: _residual,
    kinds.Branches: _branches,
    **dict.fromkeys((kinds.Normalization, kinds.Rescaling), _scaling),
}
