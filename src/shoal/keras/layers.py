"""Layers of Keras as shoal's, one by one."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from shoal.keras.graph import NESTED, KerasLayer, keras_layer
from shoal.keras.settings import refused, said_layer, unknown_layer
from shoal.networks.initializers import Shape
from shoal.networks.layers import LAYERS, Identity, Layer
from shoal.networks.layers import TimeDistributed as Steps
from shoal.networks.layers.normalization import SMALLEST_DEVIATION
from shoal.networks.layers.recurrent import Recurrent

Arrays = Callable[[], Sequence[Any]]
"""Reads the arrays of a layer when they are needed."""

RECURRENT = ("SimpleRNN", "LSTM", "GRU")
KEEP = {
    *("Dense", "Dropout", "Activation", "ReLU", "LeakyReLU", "PReLU", "ELU", "Identity", "ActivityRegularization"),
    *("SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D", "GaussianNoise", "TimeDistributed", "Masking"),
    *("BatchNormalization", "LayerNormalization", "GroupNormalization", "Normalization", "Rescaling"),
}
"""Layers of Keras that hand on a mask; those of RNNs hand it on with all steps."""
READ = {"GlobalAveragePooling1D", *RECURRENT, "RNN", "Bidirectional"}
"""Layers that a mask changes, and after which there may be none."""


def drops_mask(part: KerasLayer) -> bool:
    """Return whether Keras forgets a mask before this layer, where shoal might hand it on."""
    return part.kind not in KEEP | READ


def masks(part: KerasLayer, *, masked: bool) -> bool:
    """Return whether there is a mask behind a layer."""
    if part.kind == "Masking" or (part.kind == "Embedding" and part.config.get("mask_zero")):
        return True
    within = part.config.get("layer") if part.kind == "Bidirectional" else None
    config = within["config"] if isinstance(within, dict) else part.config
    return masked and (part.kind in KEEP or (part.kind in READ and bool(config.get("return_sequences"))))


def said_layers(part: KerasLayer, shape: Shape, arrays: Arrays, *, masked: bool) -> list[Layer]:
    """Return the layers that say a layer of Keras; one at most has parameters, all of them.

    Args:
        part: the layer.
        shape: of its input rows.
        arrays: reads its weights.
        masked: whether steps before it are masked.

    Raises:
        NetworkError: shoal cannot say it.
    """
    if part.config.get("lora_rank") or _quantized(part.config.get("dtype")):
        raise refused(part.name, part.kind, "is quantized or has LoRA weights, which shoal lacks. Save it without")
    if part.kind in _WAYS:
        return _WAYS[part.kind](part, shape, arrays, masked=masked)
    if part.kind not in LAYERS or (part.module and not part.module.startswith("keras")) or part.is_operation:
        raise unknown_layer(part.name, part.kind, part.module)
    return [said_layer(part.kind, part.config)]


def _quantized(dtype: Any) -> bool:
    config = dtype.get("config") if isinstance(dtype, dict) else None
    return "quantiz" in str(dtype).lower() or (isinstance(config, dict) and bool(config.get("quantization_mode")))


def checked_last(part: KerasLayer, name: str, shape: Shape) -> None:
    """Check that an axis is the last.

    Raises:
        NetworkError: it is another.
    """
    axis = part.config.get(name, -1)
    axes = list(axis) if isinstance(axis, (list, tuple)) else [axis]
    if axes not in ([-1], [len(shape)]):
        raise refused(part.name, part.kind, f"has {name}={axis!r:.60}; shoal's works along the last. Permute before")


def _along_last(part: KerasLayer, shape: Shape, arrays: Arrays, *, masked: bool) -> list[Layer]:  # noqa: ARG001
    checked_last(part, "axis", shape)
    if part.kind == "Softmax" and masked:
        raise refused(part.name, part.kind, "leaves masked steps out of its sum, which shoal's does not. Use a Dense "
                      "layer with activation='softmax'")  # fmt: skip
    return [said_layer(part.kind, part.config, axis=-1)]


def _recurrent(part: KerasLayer, shape: Shape, arrays: Arrays, *, masked: bool) -> list[Layer]:  # noqa: ARG001
    config = dict(part.config)
    kind = part.kind
    if kind == "RNN":
        cell = keras_layer(config.pop("cell", None))
        kind = cell.kind.removesuffix("Cell")
        if kind not in RECURRENT:
            raise refused(part.name, part.kind, f"has the cell {cell.kind}, which shoal lacks. Use LSTM or GRU")
        config = {**cell.config, **config}
    if masked and config.get("go_backwards") and config.get("return_sequences"):
        raise refused(part.name, part.kind, "reads masked steps backwards and hands on all. Turn the series before")
    rate = config.pop("dropout", 0) or 0
    before: list[Layer] = [said_layer("SpatialDropout1D", {"rate": rate})] if rate else []
    return [*before, said_layer(kind, config)]


def _bidirectional(part: KerasLayer, shape: Shape, arrays: Arrays, *, masked: bool) -> list[Layer]:  # noqa: ARG001
    config = part.config
    both: list[KerasLayer] = []
    for name in ("layer", "backward_layer"):
        inner = keras_layer(config[name]) if config.get(name) else both[0]
        if inner.kind not in (*RECURRENT, "RNN"):
            raise refused(part.name, part.kind, f"has a {inner.kind} within. shoal's has LSTM, GRU or SimpleRNN")
        both.append(replace(inner, config={**inner.config, "zero_output_for_mask": False}))
    forward, backward = (_recurrent(each, shape, arrays, masked=False) for each in both)
    if len(forward) > 1 or not isinstance(forward[0], Recurrent):
        raise refused(part.name, part.kind, "has dropout within. Put a SpatialDropout1D before it")
    here = replace(forward[0], name=None)
    other = replace(backward[0], name=None) if isinstance(backward[0], Recurrent) else here
    if config.get("backward_layer") and other != replace(here, go_backwards=not here.go_backwards):
        raise refused(part.name, part.kind, "has two layers that differ. shoal's has one, which reads both ways")
    outer = {key: value for key, value in config.items() if key in ("name", "trainable", "merge_mode")}
    return [said_layer("Bidirectional", outer, layer=here)]


def _time_distributed(part: KerasLayer, shape: Shape, arrays: Arrays, *, masked: bool) -> list[Layer]:  # noqa: ARG001
    inner = keras_layer(part.config.get("layer"))
    if inner.kind in NESTED:
        raise refused(part.name, part.kind, "holds a model. Put TimeDistributed around each of its layers")
    layers = said_layers(inner, shape[1:], arrays, masked=False)
    trainable = bool(part.config.get("trainable", True))
    return [Steps(replace(layer, name=None), trainable=trainable) for layer in layers]


def _normalization(part: KerasLayer, shape: Shape, arrays: Arrays, *, masked: bool) -> list[Layer]:
    """Return Normalization; Rescaling if it is inverted, or behind a mask, at which shoal's gives 0."""
    config = part.config
    axis = config.get("axis", -1)
    if axis not in (None, [], ()):
        checked_last(part, "axis", shape)
    if config.get("mean") is None:
        found = [np.asarray(array[()], np.float64) for array in arrays()[:2] if math.prod(array.shape) <= 10**7]
    else:
        found = [np.asarray(_plain_numbers(config.get(name)), np.float64) for name in ("mean", "variance")]
    if len(found) != 2:
        raise refused(part.name, part.kind, "was never adapted. Call adapt(x) and save it again, or leave it out")
    mean, variance = (np.squeeze(each).tolist() for each in found)
    if not config.get("invert") and not masked:
        return [said_layer("Normalization", {"name": part.name}, mean=mean, variance=variance)]
    deviation = np.maximum(np.sqrt(variance), SMALLEST_DEVIATION)
    if config.get("invert"):
        return [said_layer("Rescaling", {"name": part.name}, scale=deviation.tolist(), offset=mean)]
    scaled = (-np.asarray(mean) / deviation).tolist()
    return [said_layer("Rescaling", {"name": part.name}, scale=(1.0 / deviation).tolist(), offset=scaled)]


def _plain_numbers(value: Any) -> Any:
    """Return numbers that Keras may have written as an object."""
    config: Mapping[str, Any] = value.get("config", {}) if isinstance(value, dict) else {}
    return config.get("value") if isinstance(value, dict) else value


def _nothing(part: KerasLayer, shape: Shape, arrays: Arrays, *, masked: bool) -> list[Layer]:  # noqa: ARG001
    return [Identity()]


_WAYS: dict[str, Callable[..., list[Layer]]] = {
    **dict.fromkeys(("Softmax", "BatchNormalization", "LayerNormalization", "GroupNormalization"), _along_last),
    **dict.fromkeys((*RECURRENT, "RNN"), _recurrent),
    "Bidirectional": _bidirectional,
    "TimeDistributed": _time_distributed,
    "Normalization": _normalization,
    "ActivityRegularization": _nothing,
}
