"""The frozen beginning of networks: fitted to the training rows, and done once for all members that share it."""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from shoal.networks import Branches, Layer, Masking, Network, Shape
from shoal.networks.minirocket import PLACES, TAPS, beginning_of, draw_channels
from shoal.training.forward import predict
from shoal.training.problem import Problem

SHARPNESS = 10.0
"""Of the sigmoid about a bias, over the standard deviation of what the convolution gives: nearly a step, yet smooth, so
that a result does not hang on the last bit of a sum."""
GAIN = 0.1
"""Standard deviation of what is handed on: with hundreds of such numbers a dense layer still starts small."""
ROWS_FOR_BIASES, ROWS_FOR_MOMENTS = 16, 1000
GOLDEN = (5**0.5 + 1) / 2

KernelArrays = dict[str, np.ndarray]
_KEPT: list[tuple[weakref.ref[Any], int, Branches, KernelArrays]] = []
"""What was fitted last, with the rows, the seed and the layer that it was fitted for."""
MOST_KEPT = 8


def fitted_beginning(problem: Problem, network: Network) -> list[Mapping[str, np.ndarray]]:
    """Return the parameters of the frozen beginning of a network, fitted to the training rows of a problem."""
    layers = network.layers[: beginning_of(network)]
    *before, last = layers or (None,)
    return [*({} for _ in before), _fitted(problem, last, layers[:-1])] if isinstance(last, Branches) else []


def behind_beginning(problem: Problem, network: Network) -> Problem:
    """Return the problem of the rest of a network: its rows are what the frozen beginning makes of those of `problem`.

    What is handed on of a row depends on the training rows and the seed alone, so that all members share it.
    """
    begins = beginning_of(network)
    start = Network(network.layers[:begins], problem.input_shape)
    through = partial(predict, start, fitted_beginning(problem, network))
    x = through(np.asarray(problem.x))
    same = problem.validation_x is problem.x
    validation = x if same else through(np.asarray(problem.validation_x))
    return replace(problem, x=x, validation_x=validation, stem=(), whole=problem)


def _fitted(problem: Problem, layer: Branches, before: tuple[Layer, ...]) -> KernelArrays:
    for rows, seed, known, values in _KEPT:
        if rows() is problem.x and seed == problem.seed and known == layer:
            return values
    values = fit_kernels(layer, np.asarray(problem.x, np.float32), before, problem.seed)
    _KEPT.append((weakref.ref(problem.x), problem.seed, layer, values))
    del _KEPT[:-MOST_KEPT]
    return values


def fit_kernels(layer: Branches, x: np.ndarray, before: tuple[Layer, ...], seed: int) -> KernelArrays:
    """Return the parameters of `random_kernels` for training rows.

    The weights of a kernel are -1, three of them 2, over the standard deviation of what it gives for some rows; biases
    are quantiles of that, spread by the golden ratio; moments are those of the shares over the rows.

    Args:
        layer: as `random_kernels` made it.
        x: `(rows, time, channels)`, scaled.
        before: layers that mask steps.
        seed: names the choice of rows and channels.
    """
    rng = np.random.default_rng(seed)
    masking = [mask for mask in before if isinstance(mask, Masking)]
    some = x[np.sort(rng.permutation(len(x))[:ROWS_FOR_BIASES])]
    real = np.ones(some.shape[:2], bool)
    for mask in masking:
        real &= (some != np.float32(mask.mask_value)).any(axis=2)
    some = np.where(real[..., None], some, np.float32(0.0))
    values: KernelArrays = {}
    for number, path in enumerate(layer.paths):
        convolution: Any = path[0]
        kernel, bias = _kernels(convolution.filters, convolution.dilation_rate[0], some, real, rng)
        shares = _shares(path[:2], before, kernel, bias, x[:ROWS_FOR_MOMENTS])
        values |= {f"{number}.0/kernel": kernel, f"{number}.0/bias": bias}
        moments = {"moving_mean": shares.mean(axis=0), "moving_variance": shares.var(axis=0)}
        start = {"gamma": np.full(len(bias), GAIN), "beta": np.zeros(len(bias)), **moments}
        values |= {f"{number}.2/{name}": np.asarray(array, np.float32) for name, array in start.items()}
    order = layer.parameter_shapes(x.shape[1:])
    return {name: values[name] for name in order}


def _kernels(
    filters: int, dilation: int, x: np.ndarray, real: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return kernels `(taps, channels, filters)` and biases `(filters,)` for one dilation, from some rows."""
    channels, edge = x.shape[2], TAPS // 2 * dilation
    wide = np.pad(x, ((0, 0), (edge, edge), (0, 0)))
    taps = np.stack([wide[:, i * dilation : i * dilation + x.shape[1]][real] for i in range(TAPS)])
    kernel, bias = np.zeros((TAPS, channels, filters), np.float32), np.zeros(filters, np.float32)
    for number in range(min(filters, len(PLACES))):
        weights = np.full(TAPS, -1.0, np.float32)
        weights[list(PLACES[number])] = 2.0
        chosen = draw_channels(rng, channels) if channels > 1 else [0]
        given = np.tensordot(weights, taps[:, :, chosen].sum(axis=2), 1)
        scale = SHARPNESS / max(float(given.std()), 1e-6)
        same = np.arange(number, filters, len(PLACES))
        kernel[:, chosen, number :: len(PLACES)] = (scale * weights)[:, None, None]
        bias[same] = -scale * np.quantile(given, (same + 1) * GOLDEN % 1.0)
    return kernel, bias


def _shares(
    path: tuple[Layer, ...], before: tuple[Layer, ...], kernel: np.ndarray, bias: np.ndarray, x: np.ndarray
) -> np.ndarray:
    """Return the shares of the steps of each row above each bias, `(rows, filters)`."""
    shape: Shape = x.shape[1:]
    return predict(Network([*before, *path], shape), [*({} for _ in before), {"kernel": kernel, "bias": bias}, {}], x)
