"""Layers equal Keras' layers of the same name and settings: values and gradients, in a block and alone.

A further layer is a further entry of `SETTINGS`: a function that draws settings, which both know, and an input shape.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from functools import cache, partial
from typing import Any

import numpy as np
import pytest

from shoal.networks import LAYERS, Context, Layer
from shoal.streams import Stream

Drawn = tuple[dict[str, Any], tuple[int, ...]]
ROWS, MEMBERS = 2, 3


def pick(rng: np.random.Generator, *choices: Any) -> Any:
    return choices[rng.integers(len(choices))]


def each(rng: np.random.Generator, rank: int, low: int, high: int) -> Any:
    """One number for all axes, or one for each."""
    if rng.random() < 0.5:
        return int(rng.integers(low, high + 1))
    return tuple(int(n) for n in rng.integers(low, high + 1, rank))


def shape(rng: np.random.Generator, rank: int, low: int = 5, high: int = 7) -> tuple[int, ...]:
    low, high = (low, high) if rank < 3 else (low - 1, low)
    return (*(int(n) for n in rng.integers(low, high + 1, rank)), int(rng.integers(1, 4)))


def kernel_settings(rng: np.random.Generator, rank: int, paddings: tuple[str, ...]) -> dict[str, Any]:
    kind = rng.integers(3)
    return {
        "kernel_size": each(rng, rank, 1, 3 if rank < 3 else 2),
        "strides": int(rng.integers(1, 4)) if kind == 0 else 1,
        "dilation_rate": int(rng.integers(1, 3)) if kind == 1 else 1,
        "padding": pick(rng, *paddings),
        "activation": pick(rng, None, "tanh", "gelu"),
        "use_bias": bool(rng.random() < 0.7),
    }


def conv(rng: np.random.Generator, rank: int, paddings: tuple[str, ...] = ("valid", "same")) -> Drawn:
    return {"filters": int(rng.integers(1, 4)), **kernel_settings(rng, rank, paddings)}, shape(rng, rank)


def depthwise(rng: np.random.Generator, rank: int) -> Drawn:
    kernel = kernel_settings(rng, rank, ("valid", "same"))
    return {"depth_multiplier": int(rng.integers(1, 3)), **kernel}, shape(rng, rank)


def separable(rng: np.random.Generator, rank: int) -> Drawn:
    settings, of_input = conv(rng, rank)
    return {"depth_multiplier": int(rng.integers(1, 3)), **settings}, of_input


def transposed(rng: np.random.Generator, rank: int) -> Drawn:
    settings, _ = conv(rng, rank)
    return settings, shape(rng, rank, 3, 4)


def pooling(rng: np.random.Generator, rank: int) -> Drawn:
    settings = {"pool_size": each(rng, rank, 1, 3), "padding": pick(rng, "valid", "same")}
    strides = pick(rng, None, 1, 2, 3)
    return (settings if strides is None else settings | {"strides": strides}), shape(rng, rank)


def global_pooling(rng: np.random.Generator, rank: int) -> Drawn:
    return {"keepdims": bool(rng.random() < 0.5)}, shape(rng, rank)


def upsampling(rng: np.random.Generator, rank: int) -> Drawn:
    settings: dict[str, Any] = {"size": each(rng, rank, 1, 3) if rank > 1 else int(rng.integers(1, 4))}
    if rank == 2:
        settings["interpolation"] = pick(rng, "nearest", "bilinear")
    return settings, shape(rng, rank, 2, 4)


def rim(name: str, rng: np.random.Generator, rank: int) -> Drawn:
    pairs = tuple((int(a), int(b)) for a, b in rng.integers(0, 2, (rank, 2)))
    return {name: pick(rng, 1, pairs if rank > 1 else pairs[0])}, shape(rng, rank)


def reshape(rng: np.random.Generator) -> Drawn:
    return {"target_shape": pick(rng, (3, 4), (-1, 2), (2, -1, 3), (12,))}, pick(rng, (12,), (4, 3), (2, 2, 3))


def permute(rng: np.random.Generator) -> Drawn:
    return {"dims": tuple(int(d) + 1 for d in rng.permutation(3))}, shape(rng, 2, 2, 4)


CAUSAL = ("valid", "same", "causal")
SETTINGS: dict[str, Callable[[np.random.Generator], Drawn]] = {
    "Conv1D": partial(conv, rank=1, paddings=CAUSAL),
    "Conv2D": partial(conv, rank=2),
    "Conv3D": partial(conv, rank=3),
    "DepthwiseConv1D": partial(depthwise, rank=1),
    "DepthwiseConv2D": partial(depthwise, rank=2),
    "SeparableConv1D": partial(separable, rank=1),
    "SeparableConv2D": partial(separable, rank=2),
    "Reshape": reshape,
    "Permute": permute,
    "RepeatVector": lambda rng: ({"n": int(rng.integers(1, 4))}, (3,)),
    "Flatten": lambda rng: ({}, shape(rng, 2, 2, 3)),
    **{f"Conv{rank}DTranspose": partial(transposed, rank=rank) for rank in (1, 2, 3)},
    **{
        f"{kind}Pooling{rank}D": partial(pooling, rank=rank) for kind in ("Max", "Min", "Average") for rank in (1, 2, 3)
    },
    **{
        f"Global{kind}Pooling{rank}D": partial(global_pooling, rank=rank)
        for kind in ("Max", "Average")
        for rank in (1, 2, 3)
    },
    **{f"UpSampling{rank}D": partial(upsampling, rank=rank) for rank in (1, 2, 3)},
    **{f"ZeroPadding{rank}D": partial(rim, "padding", rank=rank) for rank in (1, 2, 3)},
    **{f"Cropping{rank}D": partial(rim, "cropping", rank=rank) for rank in (1, 2, 3)},
}
MANY = ("Conv1D", "Conv2D", "Conv1DTranspose", "Conv2DTranspose", "MaxPooling2D", "AveragePooling2D")
CASES = [(kind, number) for kind in SETTINGS for number in range(10 if kind in MANY else 5 if "3D" not in kind else 3)]


def drawn(kind: str, number: int) -> tuple[Layer, dict[str, Any], tuple[int, ...]]:
    settings, of_input = SETTINGS[kind](np.random.default_rng([zlib.crc32(kind.encode()), number]))
    return LAYERS[kind](**settings), settings, of_input


def keras_function(kind: str, settings: dict[str, Any], of_input: tuple[int, ...]) -> Callable[[Any, Any], Any]:
    """Return Keras' layer as a function of parameters and rows."""
    import keras

    if kind.startswith("MinPooling"):  # Keras lacks it
        largest = keras_function(kind.replace("Min", "Max"), settings, of_input)
        return lambda p, x: -largest(p, -x)
    layer = getattr(keras.layers, kind)(**settings)
    layer.build((None, *of_input))
    order = list(LAYERS[kind](**settings).parameter_shapes(of_input))  # JAX sorts the names of a dict
    return lambda p, x: layer.stateless_call([p[name] for name in order], [], x)[0]


def block(layer: Layer, of_input: tuple[int, ...], seed: int) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Return parameters and rows of members; random numbers leave no ties to poolings."""
    shapes = layer.parameter_shapes(of_input)
    p = {n: Stream(seed, i).normal((MEMBERS, *s)) for i, (n, s) in enumerate(shapes.items())}
    return p, Stream(seed, 99).normal((MEMBERS, ROWS, *of_input))


@cache
def results(kind: str, namespace: Any) -> dict[int, Any]:
    """Value and gradients of all cases of a kind, from one compiled program: block here, alone here, alone in Keras."""
    import jax

    cases = {number: drawn(kind, number) for k, number in CASES if k == kind}
    theirs = {number: keras_function(kind, *case[1:]) for number, case in cases.items()}

    def gradients(function: Callable[[Any, Any], Any], p: Any, x: Any) -> Any:
        def loss(p: Any, x: Any) -> Any:
            out = function(p, x)
            return (out * namespace.cos(out)).sum(), out

        (_, out), of_both = jax.value_and_grad(loss, argnums=(0, 1), has_aux=True)(p, x)
        return out, of_both

    def everything(blocks: Any) -> Any:
        found = {}
        for number, (layer, _, _) in cases.items():
            here = partial(gradients, lambda p, x, layer=layer: layer.apply(namespace, p, x, Context()))
            p, x = blocks[number]
            first = jax.tree.map(lambda a: a[1], (p, x))
            found[number] = jax.vmap(here)(p, x), here(*first), gradients(theirs[number], *first)
        return found

    quickly = {"xla_backend_optimization_level": 0, "xla_llvm_disable_expensive_passes": True}
    return jax.jit(everything, compiler_options=quickly)(
        {n: block(layer, of_input, n) for n, (layer, _, of_input) in cases.items()}
    )


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "number"), CASES)
def test_values_and_gradients_equal_keras(kind: str, number: int, jax_namespace) -> None:
    import jax

    of_block, alone, keras = results(kind, jax_namespace)[number]
    layer, _, of_input = drawn(kind, number)
    assert alone[0].shape == (ROWS, *layer.output_shape(of_input)) == keras[0].shape
    close = partial(np.testing.assert_allclose, rtol=3e-5, atol=1e-5)
    jax.tree.map(close, alone, keras)
    jax.tree.map(lambda a, b: close(a[1], b), of_block, alone)


def test_there_are_enough_cases() -> None:
    assert len(CASES) >= 200
