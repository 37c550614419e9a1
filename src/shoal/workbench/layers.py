"""A network as a list of words that is edited by hand: one for its inputs, one for each layer."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from shoal.errors import ShoalError, counted
from shoal.networks import Network

KINDS = {
    "8:relu": "dense",
    "dropout:0.2": "dropout",
    "batchnormalization": "batch normalization",
    "conv2d:16:3:relu": "convolution of images",
    "maxpooling2d:2": "pooling of images",
    "conv1d:16:5:relu": "convolution of series",
    "maxpooling1d:2": "pooling of series",
    "lstm:16": "LSTM",
    "gru:16": "GRU",
    "simplernn:16": "simple recurrence",
    "flatten": "flatten",
    "globalaveragepooling2d": "mean of each channel (images)",
    "globalaveragepooling1d": "mean of each channel (series)",
}
"""Layers that can be added, as they are written, and what they are."""


@dataclass(frozen=True)
class Row:
    """A word of the text with what it makes: the shape behind it, and its parameters."""

    word: str
    shape: str = ""
    parameters: str = ""


def rows(text: str) -> tuple[list[Row], str]:
    """Return a row for each word, and what is wrong with the network; shapes go as far as the layers fit.

    >>> found, wrong = rows("4 8:relu 3:softmax")
    >>> [(row.word, row.shape, row.parameters) for row in found], wrong
    ([('4', '4', ''), ('8:relu', '8', '40'), ('3:softmax', '3', '27')], '')
    >>> found, wrong = rows("8x8x1 conv2d:4:3:relu lstm:4")
    >>> [row.shape for row in found], "lstm" in wrong
    (['8 × 8 × 1', '6 × 6 × 4', ''], True)
    """
    words, wrong = text.split(), ""
    network: Network | None = None
    for end in range(len(words), 1, -1):
        try:
            network = Network.parse(" ".join(words[:end]))
            break
        except ShoalError as error:
            wrong = str(error)
    found = []
    for place, word in enumerate(words):
        if network is None or place > len(network.layers):
            found.append(Row(word))
        elif place == 0:
            found.append(Row(word, _by(network.input_shape)))
        else:
            parameters = sum(math.prod(shape) for shape in network.parameter_shapes[place - 1].values())
            found.append(Row(word, _by(network.shapes[place - 1]), f"{parameters:,}"))
    return found, wrong


def moved(text: str, place: int, to: int) -> str:
    """Return a text with one layer at another place; inputs stay first.

    >>> moved("4 8:relu dropout:0.2 3:softmax", 2, 1)
    '4 dropout:0.2 8:relu 3:softmax'
    """
    words = text.split()
    if not 1 <= place < len(words):
        return text
    word = words.pop(place)
    words.insert(min(max(to, 1), len(words)), word)
    return " ".join(words)


def replaced(text: str, place: int, words: Sequence[str]) -> str:
    """Return a text with other words, or none, in the place of one.

    >>> replaced("4 8:relu 3:softmax", 1, []), replaced("4 3:softmax", 1, ["8:relu", "3:softmax"])
    ('4 3:softmax', '4 8:relu 3:softmax')
    """
    all_words = text.split()
    return " ".join([*all_words[:place], *words, *all_words[place + 1 :]])


def parameters(text: str) -> str:
    """Return how many parameters a network has, in words."""
    return counted(Network.parse(text).parameter_count, "parameter")


def svg_of(text: str) -> str:
    """Return the drawing of a network as an `<svg>` element.

    Raises:
        NetworkError: the text names no network.
    """
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    figure, written = Network.parse(text).draw(), io.StringIO()
    FigureCanvasSVG(figure).print_svg(written, metadata={"Date": None, "Creator": None})
    drawn = re.sub(r"^.*?(?=<svg)", "", written.getvalue(), flags=re.DOTALL)
    return re.sub(r'(<svg[^>]*?) width="[^"]*" height="[^"]*"', r"\1", drawn, count=1)


def _by(shape: Sequence[int]) -> str:
    return " × ".join(map(str, shape))
