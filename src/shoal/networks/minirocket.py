"""Random kernels: fixed dilated convolutions, pooled to shares of steps, after MiniRocket (arXiv:2012.08791)."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from shoal.networks.layers import BatchNormalization, Branches, Conv1D, GlobalAveragePooling1D, Layer, Masking
from shoal.networks.layers.settings import checked_integer
from shoal.networks.network import Network

MINIROCKET = "minirocket"
TAPS = 9
PLACES = tuple(combinations(range(TAPS), 3))
"""The 84 ways to give three of nine weights the value 2 and the others -1."""
MOST_DILATIONS = 6


def random_kernels(filters: int, dilations: int | tuple[int, ...]) -> Branches:
    """Return what a series is seen with: shares of its steps at which fixed convolutions exceed their biases.

    `y = (mean over steps of sigmoid(conv(x)) - mean) / sqrt(variance) / 10`, for each filter and dilation

    Ordinary layers that training does not change: a path for each dilation, of a convolution with nine taps, a global
    average and a normalisation. Where networks are fitted to rows, kernels, biases and moments are taken from these
    rows before training begins (`shoal.training.frozen`).

    Args:
        filters: of each dilation; multiples of 84 use each of the kernels equally often.
        dilations: steps between the taps, one or several.

    Raises:
        SettingError: a number below one.

    Example:
        >>> random_kernels(84, (1, 4)).output_shape((50, 1))
        (168,)
    """
    label = f"layer {MINIROCKET}"
    each = (dilations,) if isinstance(dilations, int) else tuple(dilations)
    checked_integer(label, "filters", filters)
    paths = tuple(
        (_convolution(label, filters, d), GlobalAveragePooling1D(), BatchNormalization(trainable=False)) for d in each
    )
    return Branches(paths, "concatenate", name=MINIROCKET, trainable=False)


def _convolution(label: str, filters: int, dilation: int) -> Conv1D:
    dilation = checked_integer(label, "dilations", dilation)
    return Conv1D(filters, TAPS, 1, "same", dilation, activation="sigmoid", trainable=False)


def is_random_kernels(layer: Layer) -> bool:
    """Return whether a layer is what `random_kernels` made."""
    return isinstance(layer, Branches) and layer.name == MINIROCKET and not layer.trainable


def beginning_of(network: Network) -> int:
    """Return how many layers belong to the frozen beginning of a network that is fitted to rows; 0: none."""
    for i, layer in enumerate(network.layers):
        if is_random_kernels(layer):
            return i + 1
        if not isinstance(layer, Masking):
            return 0
    return 0


def rest_of(network: Network) -> Network:
    """Return what comes behind the frozen beginning; the network itself where it has none."""
    begins = beginning_of(network)
    return Network(network.layers[begins:], network.shapes[begins - 1]) if begins else network


def spread_dilations(steps: int) -> tuple[int, ...]:
    """Return up to six dilations for series of so many steps, spaced by equal factors, the largest spanning the series.

    Example:
        >>> spread_dilations(150)
        (1, 3, 5, 10, 18)
    """
    largest = max(1.0, (steps - 1) / (TAPS - 1))
    return tuple(int(d) for d in np.unique(np.floor(np.geomspace(1.0, largest, MOST_DILATIONS))))


def draw_channels(rng: np.random.Generator, channels: int) -> np.ndarray:
    """Return the numbers of some channels, few more often than many."""
    count = int(2 ** rng.uniform(0.0, np.log2(min(channels, TAPS) + 1)))
    return np.sort(rng.choice(channels, count, replace=False))
