"""Networks from a short text, e.g. "4 8:relu 3:softmax"."""

from __future__ import annotations

import re
from dataclasses import MISSING, Field, fields
from typing import Any

from shoal.errors import NetworkError, SettingError, listing, suggest
from shoal.networks.activations import get_activation
from shoal.networks.bottleneck import CODE
from shoal.networks.layers import LAYERS, Dense, Layer
from shoal.networks.minirocket import MINIROCKET, random_kernels
from shoal.networks.network import Network

_HELP = 'Write e.g. "4 8:relu dropout:0.2 3:softmax": first the number of inputs, then neurons:activation'
_LAYER_HELP = 'Write a word for each layer with its settings, e.g. "32:relu dropout:0.2" or "conv2d:16:3:relu flatten"'

_KNOWN = {kind.lower(): cls for kind, cls in LAYERS.items()}


def parse_network(text: str) -> Network:
    """Return the network of a text: inputs, then one word per layer.

    Words are `8` or `8:relu` (Dense), `2:relu,tanh` (Dense, one activation per neuron), and for any other layer its
    class in lower case with its settings in their order, separated by colons, and its activation last:
    `dropout:0.2`, `flatten`, `conv2d:32:3:relu`, `conv1d:16:5:1:same`, `maxpooling2d:2`, `reshape:8x8x1`. Several
    numbers are joined by `x`; underscores do not matter. `code:8` is the bottleneck of an autoencoder: a linear Dense
    layer named `code`; `minirocket:84:1x4` are random kernels, 84 with dilation 1 and 84 with dilation 4
    (`shoal.networks.minirocket`). Inputs are `4`, or `8x8` for rows with two axes.

    Raises:
        NetworkError: a word that cannot be read, or layers that do not fit.

    Example:
        >>> parse_network("8x8 flatten 16:tanh 10:softmax").shapes
        ((64,), (16,), (10,))
        >>> parse_network("28x28x1 conv2d:32:3:relu maxpooling2d:2 flatten 10:softmax").parameter_count
        54410
    """
    words = text.split()
    if len(words) < 2:
        raise NetworkError(f"{text!r} names no layer. {_HELP}")
    try:
        input_shape = tuple(int(size) for size in words[0].split("x"))
    except ValueError:
        raise NetworkError(f"{words[0]!r} in {text!r} is not a number of inputs. {_HELP}") from None
    return Network([_layer(word, text) for word in words[1:]], input_shape)


def parse_layers(text: str) -> tuple[Layer, ...]:
    """Return the layers of a text, one for each word.

    Example:
        >>> [type(layer).__name__ for layer in parse_layers("flatten 16:tanh")]
        ['Flatten', 'Dense']
    """
    return tuple(_layer(word, text) for word in text.split())


def _layer(word: str, text: str) -> Layer:
    head, *parts = word.split(":")
    if re.fullmatch(r"\d+(,\d+)+", word):
        raise NetworkError(
            f"{word!r} in {text!r} is not a layer: write {word.replace(',', ' ')!r}, a word for each; widths of the "
            f"hidden layers alone are --hidden {word} (hidden=({word.replace(',', ', ')}) in Python)"
        )
    if not all(parts):
        raise NetworkError(f"{word!r} in {text!r} is not a layer: nothing follows a colon. {_LAYER_HELP}")
    if re.fullmatch(r"\d+", head):
        head, parts = "dense", [head, *parts]
    key = head.lower().replace("_", "")
    if key == CODE:
        return _bottleneck(word, parts, text)
    if key == MINIROCKET:
        return _random_kernels(word, parts, text)
    if key not in _KNOWN:
        raise NetworkError(
            f"{word!r} in {text!r} is not a layer.{suggest(key, _KNOWN)} {_LAYER_HELP}. Known: {listing(_KNOWN, 99)}"
        )
    cls = _KNOWN[key]
    try:
        settings = _settings(cls, parts, text)
        return cls(**settings)
    except SettingError as error:
        raise NetworkError(f"{word!r} in {text!r}: {error}") from None
    except (TypeError, ValueError) as error:
        why = f": {error}" if isinstance(error, _WordError) else ""
        raise NetworkError(f"{word!r} in {text!r} is not a layer{why}. {_LAYER_HELP}") from None


def _bottleneck(word: str, parts: list[str], text: str) -> Layer:
    if len(parts) != 1 or not re.fullmatch(r"[1-9]\d*", parts[0]):
        raise NetworkError(f"{word!r} in {text!r} is no bottleneck: write code and its size alone, e.g. code:8")
    return Dense(int(parts[0]), activation="linear", name=CODE)


def _random_kernels(word: str, parts: list[str], text: str) -> Layer:
    if len(parts) != 2 or not all(re.fullmatch(r"[1-9]\d*(x[1-9]\d*)*", part) for part in parts):
        raise NetworkError(
            f"{word!r} in {text!r} is not a layer: write the filters of each dilation and the dilations, "
            "e.g. minirocket:84:1x3x9"
        )
    try:
        return random_kernels(_value(parts[0]), _value(parts[1]))
    except SettingError as error:
        raise NetworkError(f"{word!r} in {text!r}: {error}") from None


class _WordError(ValueError):
    """A word with too many or too few settings."""


def _settings(cls: type[Layer], parts: list[str], text: str) -> dict[str, Any]:
    """Return the settings of a layer by name from the parts of its word behind the class."""
    known = [f for f in fields(cls) if f.init and not f.kw_only]
    settings: dict[str, Any] = {}
    places = [f for f in known if f.name != "activation"]
    if len(places) < len(known) and parts and _is_activation(parts, places):
        *parts, last = parts
        settings["activation"] = tuple(last.split(",")) if "," in last else last
    for f in places:
        if not parts:
            break
        if f.type == "Layer":  # a layer within the layer takes the rest of the word
            settings[f.name], parts = _layer(":".join(parts), text), []
        else:
            settings[f.name] = _value(parts.pop(0))
    order = ":".join(f.name for f in places)
    if parts:
        raise _WordError(f"{cls.__name__} has no setting for {parts[0]!r}; it has {order or 'none'}")
    lacking = [f.name for f in known if _needed(f) and f.name not in settings]
    if lacking:
        raise _WordError(f"{cls.__name__} needs {listing(lacking)}, in the order {order or 'activation'}")
    return settings


def _needed(f: Field[Any]) -> bool:
    return f.default is MISSING and f.default_factory is MISSING


def _is_activation(parts: list[str], places: list[Field[Any]]) -> bool:
    """Return whether the last part is an activation: it is one, or a word where no setting is one."""
    value, place = _value(parts[-1]), len(parts) - 1
    if not all(isinstance(part, str) for part in (value if isinstance(value, tuple) else (value,))):
        return False
    try:
        return all(get_activation(name) for name in parts[-1].split(","))
    except SettingError:
        return not (place < len(places) and re.search(r"\bstr\b", str(places[place].type)))


def _value(text: str) -> Any:
    """Return a setting: a number, several joined by x, several of these with commas, true, false, or a word."""
    if "," in text:
        return tuple(_value(part) for part in text.split(","))
    if re.fullmatch(r"-?\d+(x-?\d+)+", text):
        return tuple(int(n) for n in text.split("x"))
    if text.lower() in ("true", "false", "none"):
        return {"true": True, "false": False, "none": None}[text.lower()]
    for number in (int, float):
        try:
            return number(text)
        except ValueError:
            continue
    return text
