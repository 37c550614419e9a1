"""Networks drawn at random, of every layer that a word can say."""

from __future__ import annotations

import contextlib

import numpy as np

from shoal.errors import NetworkError
from shoal.networks import Network
from shoal.networks.parsing import parse_network
from shoal.streams import Stream

ACTIVATIONS, AFTER, ON_SERIES, ON_IMAGES = map(
    str.split,
    (
        "relu tanh gelu elu selu swish softplus leaky_relu sigmoid hard_sigmoid mish softsign linear",
        "{n}:{a} dropout:0.2 batchnormalization layernormalization relu leakyrelu elu prelu",
        """conv1d:{n}:2:{a} conv1d:{n}:3:1:same:{a} conv1d:{n}:2:1:causal conv1d:{n}:2:2 maxpooling1d:2
        averagepooling1d:2 depthwiseconv1d:2 separableconv1d:{n}:2 conv1dtranspose:{n}:2 upsampling1d:2
        zeropadding1d:1 lstm:{n} gru:{n} simplernn:{n} batchnormalization layernormalization permute:2x1""",
        """conv2d:{n}:2:{a} conv2d:{n}:3:1:same:{a} conv2d:{n}:2:2 maxpooling2d:2 averagepooling2d:2 minpooling2d:2
        depthwiseconv2d:2 separableconv2d:{n}:2 conv2dtranspose:{n}:2 upsampling2d:2 zeropadding2d:1
        batchnormalization layernormalization""",
    ),
)
ENDS = {"series": ["flatten", "globalmaxpooling1d", "globalaveragepooling1d"],
        "images": ["flatten", "globalmaxpooling2d", "globalaveragepooling2d"], "rows": []}  # fmt: skip
SHAPES = {"series": "9x2", "images": "8x7x2", "rows": "5"}
BODIES = {"series": ON_SERIES, "images": ON_IMAGES, "rows": []}
RECURRENT = ("lstm", "gru", "simplernn")


def random_network(seed: int) -> Network:
    """Return a network of random layers that fit."""
    draw = np.random.default_rng(seed)
    while True:
        with contextlib.suppress(NetworkError):
            return parse_network(_words(draw, ("rows", "series", "images")[seed % 3]))


def _words(draw: np.random.Generator, kind: str) -> str:

    def word(choices: list[str]) -> str:
        return str(draw.choice(choices)).format(n=draw.integers(1, 5), a=draw.choice(ACTIVATIONS))

    words = [SHAPES[kind], *(word(BODIES[kind]) for _ in range(draw.integers(1, 4) if BODIES[kind] else 0))]
    if not any(each.startswith(RECURRENT) for each in words[1:]):
        words += [word(ENDS[kind])] if ENDS[kind] else []
    elif not words[-1].startswith(RECURRENT):
        words = [each for each in words[:-1] if not each.startswith(RECURRENT)] + [word(ENDS[kind])]
    last = [i for i, each in enumerate(words) if each.startswith(RECURRENT)]
    words = [each for i, each in enumerate(words) if i == max(last, default=-1) or i not in last]
    words += [word(AFTER) for _ in range(draw.integers(0, 4))]
    return " ".join([*words, word(["3:softmax", "1:sigmoid", "2"])])


def random_parameters(network: Network, seed: int) -> list[dict[str, np.ndarray]]:
    """Return parameters none of which is zero; variances stay above it."""
    shapes = network.parameter_shapes
    return [
        {
            name: Stream(seed, i, j).uniform(shape) + 0.5
            if "variance" in name
            else 0.7 * Stream(seed, i, j).normal(shape)
            for j, (name, shape) in enumerate(of_layer.items())
        }
        for i, of_layer in enumerate(shapes)
    ]
