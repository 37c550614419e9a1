"""Settings of Keras' layers as shoal's layers of the same name take them."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields
from typing import Any

from shoal.errors import NetworkError, ShoalWarning, suggest
from shoal.networks.initializers import INITIALIZERS
from shoal.networks.layers import LAYERS, Layer
from shoal.networks.network import snake_case

_TRAINING = re.compile(
    r"name|dtype|seed|unroll|implementation|time_major|synchronized|autocast|batch_(input_)?shape|"
    r"input_(shape|length|dtype)|.*_(regularizer|constraint|initializer)|"
    r"renorm_\w+|ragged|sparse|optional|noise_shape|quantization_config|virtual_batch_size"
)
"""Settings that change nothing that a layer computes, or only how it is trained, or are looked at elsewhere."""
_NEUTRAL = {"data_format": ("channels_last",), "groups": (1,), "dropout": (0,), "recurrent_dropout": (0,)}
"""Settings that shoal's layers lack, with the values at which they say nothing; all may be None, False or 0."""
_OLD = {"LeakyReLU": {"alpha": "negative_slope"}}
_DEFAULTS = {
    "RandomNormal": {"mean": 0.0, "stddev": 0.05},
    "TruncatedNormal": {"mean": 0.0, "stddev": 0.05},
    "RandomUniform": {"minval": -0.05, "maxval": 0.05},
    "Orthogonal": {"gain": 1.0},
    "OrthogonalInitializer": {"gain": 1.0},
    "Identity": {"gain": 1.0},
    "IdentityInitializer": {"gain": 1.0},
}
"""Settings of initializers that have a name here."""
_SCALINGS = {
    (1.0, "fan_avg", "uniform"): "glorot_uniform",
    (1.0, "fan_avg", "truncated_normal"): "glorot_normal",
    (2.0, "fan_in", "uniform"): "he_uniform",
    (2.0, "fan_in", "truncated_normal"): "he_normal",
    (1.0, "fan_in", "uniform"): "lecun_uniform",
    (1.0, "fan_in", "truncated_normal"): "lecun_normal",
}


def refused(name: str, kind: str, why: str) -> NetworkError:
    """Return the error that names a layer of Keras that cannot be said."""
    return NetworkError(f"Keras' layer {name!r} ({kind}) {why}")


def said_layer(kind: str, config: Mapping[str, Any], **others: Any) -> Layer:
    """Return the layer of the same name and settings.

    Args:
        kind: its class in Keras.
        config: its settings there.
        others: settings that take the place of those.

    Raises:
        NetworkError: a setting that shoal's layer lacks, or a value that it does not take.
    """
    cls = LAYERS[kind]
    known = {f.name: f for f in fields(cls) if f.init and f.name not in ("name", "table")}
    renamed = {_OLD.get(kind, {}).get(key, key): value for key, value in config.items()}
    name = str(config.get("name", snake_case(kind)))
    settings: dict[str, Any] = {"name": given_name(kind, config)}
    for key, value in renamed.items():
        if key in others:
            continue
        if key in known:
            settings[key] = _value(name, kind, known[key], value)
        elif not _TRAINING.fullmatch(key) and value and value not in _NEUTRAL.get(key, ()):
            raise refused(
                name, kind, f"has {key}={value!r:.60}, which shoal's {kind} lacks. Leave it out and train again"
            )
    if config.get("noise_shape"):
        raise refused(name, kind, "has noise_shape, which shoal lacks. Use SpatialDropout1D to SpatialDropout3D")
    try:
        return cls(**{key: value for key, value in (settings | others).items() if value is not MISSING})
    except (ValueError, TypeError) as error:
        raise refused(name, kind, f"cannot be said here: {error}") from None


def given_name(kind: str, config: Mapping[str, Any]) -> str | None:
    """Return the name that a user gave; None for those that Keras counts itself, which differ from time to time."""
    name = config.get("name")
    counted = re.compile(rf"((forward|backward)_)?{snake_case(kind)}(_\d+)?|(residual|branches)(_\d+)*")
    return None if not isinstance(name, str) or counted.fullmatch(name) else name


def _value(name: str, kind: str, setting: Field[Any], value: Any) -> Any:
    if setting.name.endswith("activation"):
        return _activation(name, kind, value)
    if setting.name.endswith("initializer"):
        return _initializer(name, setting, value)
    if isinstance(value, dict):
        raise refused(name, kind, f"has {setting.name}={value!r:.60}, which shoal does not know")
    return _tuples(value)


def _tuples(value: Any) -> Any:
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value


def _activation(name: str, kind: str, value: Any) -> Any:
    """Return the name of an activation; Keras writes some as objects."""
    if isinstance(value, dict):
        inner = value.get("config")
        if value.get("class_name") == "function" and isinstance(inner, str):
            value = inner
        elif value.get("class_name") in ("ReLU", "LeakyReLU", "ELU", "Softmax", "PReLU"):
            raise refused(name, kind, f"has a layer, {value['class_name']}, as its activation. Put it behind the layer")
        else:
            raise refused(
                name, kind, "has a function of its own as activation, and files of Keras hold Python code for that, "
                "which shoal never runs. Use an activation with a name"
            )  # fmt: skip
    if value == "sparsemax":
        raise refused(
            name, kind, "has the activation sparsemax, which Keras computes otherwise than shoal: its results may add "
            "up to more than 1. Use softmax"
        )  # fmt: skip
    return None if value == "linear" else value


def _initializer(name: str, setting: Field[Any], value: Any) -> Any:
    """Return the name of an initializer; the default of the layer, with a warning, where it has none."""
    config = value.get("config") if isinstance(value, dict) else {}
    kind = str(value.get("class_name")) if isinstance(value, dict) else str(value)
    config = config if isinstance(config, dict) else {}
    if kind == "VarianceScaling":
        known = _SCALINGS.get((config.get("scale"), config.get("mode"), config.get("distribution")))  # type: ignore[arg-type]
    else:
        usual = all(config.get(key, number) == number for key, number in _DEFAULTS.get(kind, {}).items())
        known = snake_case(kind).removesuffix("_initializer") if usual else None
        known = {"uniform": "random_uniform", "normal": "random_normal"}.get(str(known), known)
    if known in INITIALIZERS:
        return known
    warnings.warn(
        f"Keras' layer {name!r} starts by {kind} with numbers of its own, for which shoal has no name; "
        f"{setting.name} is {setting.default!r}",
        ShoalWarning,
        stacklevel=2,
    )
    return MISSING


def unknown_layer(name: str, kind: str, module: str) -> NetworkError:
    """Return the error for a layer that shoal lacks, with the nearest that it has and what to do."""
    if kind in ("Lambda", "TFSMLayer", "JaxLayer", "FlaxLayer", "TorchModuleWrapper"):
        why = "holds code, which shoal never runs. Say it with layers, or do it to the data before"
    elif kind in _NEAREST:
        why = f"has no like in shoal. {_NEAREST[kind]}"
    elif module and not module.startswith("keras"):
        why = f"is the class {module}, whose code shoal never runs. Use layers of Keras itself"
    else:
        near = suggest(kind, LAYERS) or " Leave it out, or use another"
        why = f"has no like in shoal, which runs no code of others.{near}"
    return refused(name, kind, why)


_NEAREST = {
    **dict.fromkeys(("AlphaDropout", "GaussianDropout"), "The nearest is Dropout"),
    **dict.fromkeys(
        ("MultiHeadAttention", "Attention", "AdditiveAttention", "GroupQueryAttention"),
        "The nearest is Bidirectional(LSTM(...))",
    ),
    **dict.fromkeys(("ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D"), "The nearest is TimeDistributed(Conv2D), then LSTM"),
    **dict.fromkeys(("UnitNormalization", "RMSNormalization"), "The nearest is LayerNormalization"),
    "SpectralNormalization": "Use the layer within without it",
    **dict.fromkeys(
        ("RandomFlip", "RandomRotation", "RandomZoom", "RandomTranslation", "RandomCrop", "RandomContrast"),
        "Leave it out: shoal.fit has augment= for that",
    ),
    **dict.fromkeys(
        ("StringLookup", "IntegerLookup", "TextVectorization", "CategoryEncoding", "Hashing", "Discretization"),
        "Leave it out: shoal.fit encodes categories itself",
    ),
    **dict.fromkeys(("Resizing", "CenterCrop"), "The nearest is Cropping2D"),
    "Dot": "The nearest is Multiply",
    "EinsumDense": "The nearest is Dense",
}  # fmt: skip
