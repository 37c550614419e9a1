"""Networks from a short text, e.g. "4 8:relu 3:softmax"."""

from __future__ import annotations

from shoal.errors import NetworkError, SettingError
from shoal.networks.layers import Activation, Dense, Dropout, Flatten, Layer
from shoal.networks.network import Network

_HELP = 'Write e.g. "4 8:relu dropout:0.2 3:softmax": first the number of inputs, then neurons:activation'


def parse_network(text: str) -> Network:
    """Return the network of a text: inputs, then one word per layer.

    Words are `8` or `8:relu` (Dense), `2:relu,tanh` (Dense, one activation per neuron), `dropout:0.2`,
    `activation:relu` and `flatten`. Inputs are `4`, or `8x8` for rows with two axes.

    Raises:
        NetworkError: a word that cannot be read, or layers that do not fit.

    Example:
        >>> parse_network("8x8 flatten 16:tanh 10:softmax").shapes
        ((64,), (16,), (10,))
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
        >>> parse_layers("flatten 16:tanh")
        (Flatten(name=None), Dense(units=16, activation='tanh', ...))
    """
    return tuple(_layer(word, text) for word in text.split())


def _layer(word: str, text: str) -> Layer:
    head, colon, tail = word.partition(":")
    activation = tuple(tail.split(",")) if "," in tail else tail or None
    try:
        if colon and not tail:
            raise ValueError
        if head == "dropout":
            return Dropout(float(tail))
        if head == "activation":
            return Activation(activation)
        if word == "flatten":
            return Flatten()
        return Dense(int(head), activation=activation)
    except SettingError as error:
        raise NetworkError(f"{word!r} in {text!r}: {error}") from None
    except ValueError:
        raise NetworkError(f"{word!r} in {text!r} is not a layer. {_HELP}") from None
