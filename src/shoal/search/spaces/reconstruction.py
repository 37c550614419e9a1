"""What is searched for reconstructions: autoencoders with bottlenecks of different size."""

from __future__ import annotations

import math
import re
from typing import Any

from shoal.errors import SettingError
from shoal.networks import Flatten, Reshape, Shape
from shoal.networks.bottleneck import code_size, is_autoencoder
from shoal.networks.parsing import parse_layers
from shoal.search.space import Categorical, Fixed, LogUniform, Space, Widths
from shoal.search.spaces.single import single_space

SIZES = (2, 4, 8, 16)
LARGER_SIZES = (4, 8, 16, 32)
MANY_INPUTS = 256


def bottlenecks(inputs: int) -> tuple[int, ...]:
    """Return the sizes of the code that are tried for rows of so many numbers: powers of two below it.

    Raises:
        SettingError: a single number, of which no code can be shorter.

    Example:
        >>> bottlenecks(5), bottlenecks(64), bottlenecks(784)
        ((2, 4), (2, 4, 8, 16), (4, 8, 16, 32))
    """
    if inputs < 2:
        raise SettingError(f"a reconstruction needs rows of at least two numbers, got {inputs}: no code is shorter")
    fitting = tuple(size for size in (LARGER_SIZES if inputs >= MANY_INPUTS else SIZES) if size < inputs)
    return fitting or (1,)


def reconstruction_layers(shape: Shape, size: int) -> tuple[str, ...]:
    """Return the layers to choose from for rows of a shape and a code of so many numbers.

    For tables they end with the code, and the hidden layers of a candidate decode. For series and images they are
    whole networks: dense ones and, for images whose sides can be halved, convolutional ones.

    Example:
        >>> reconstruction_layers((6,), 2)
        ('64 32 code:2',)
        >>> reconstruction_layers((8, 8, 1), 4)[1]
        'conv2d:16:3:1:same maxpooling2d:2 flatten code:4 256 reshape:4x4x16 upsampling2d:2 conv2d:1:3:1:same:linear'
    """
    if len(shape) == 1:
        return (f"64 32 code:{size}",)
    numbers = math.prod(shape)
    dense = f"flatten 128 code:{size} 128 {numbers}:linear"
    halvings = _halvings(shape) if len(shape) == 3 else 0
    return (dense, _convolutional(shape, size, halvings)) if halvings else (dense,)


def _halvings(shape: Shape) -> int:
    """Return how often both sides of an image can be halved, twice at most, down to four pixels."""
    times = 0
    while times < 2 and all(side % 2 ** (times + 1) == 0 and side >> (times + 1) >= 4 for side in shape[:2]):
        times += 1
    return times


def _convolutional(shape: Shape, size: int, halvings: int) -> str:
    filters = (16, 8)[:halvings]
    small = (shape[0] >> halvings, shape[1] >> halvings, filters[-1])
    encoder = " ".join(f"conv2d:{n}:3:1:same maxpooling2d:2" for n in filters)
    decoder = " ".join(f"upsampling2d:2 conv2d:{n}:3:1:same" for n in (*filters[-2::-1], shape[2]))
    middle = f"flatten code:{size} {math.prod(small)} reshape:{'x'.join(map(str, small))}"
    return f"{encoder} {middle} {decoder}:linear"


def reconstruction_space(
    shape: Shape, rows: int, fixed: dict[str, Any], bottleneck: int | None = None, *, single: bool = False
) -> Space:
    """Return what is searched for rows of a shape and so many training rows.

    Args:
        shape: of one row.
        rows: for training.
        fixed: hyperparameters that the user fixed.
        bottleneck: the size of the code if the user fixed it.
        single: nothing is searched.

    Raises:
        SettingError: a bottleneck as large as a row, layers without a bottleneck or with an end that is not linear.
    """
    fixed = dict(fixed)
    inputs = math.prod(shape)
    _check_size(bottleneck, inputs)
    if "layers" in fixed:
        _check_layers(fixed["layers"], shape, bottleneck)
        if "hidden" not in fixed and is_autoencoder(parse_layers(fixed["layers"]), shape, inputs):
            fixed["hidden"] = ()
    sizes = (bottleneck,) if bottleneck else bottlenecks(inputs)
    sizes = (sizes[len(sizes) // 2],) if single else sizes
    texts = [text for code in sizes for text in reconstruction_layers(shape, code)]
    decoded = len(shape) == 1 or "hidden" in fixed
    if decoded and len(shape) > 1 and "layers" not in fixed:  # the user's hidden layers are the decoder
        texts = list(dict.fromkeys(re.sub(r"(code:\d+).*", r"\1", text) for text in texts))
    space = single_space(layers=texts[0]) if single else _searched(texts, rows, len(shape))
    return space.fixing(fixed if decoded else {"hidden": (), **fixed})


def _searched(texts: list[str], rows: int, axes: int) -> Space:
    """Return what is searched; linear networks are among it, since principal components often cannot be beaten."""
    epochs = 400 if rows < 500 else 200 if rows < 5_000 else 60 if rows < 50_000 else 30
    epochs = epochs if axes == 1 else max(15, epochs // 3)
    return Space(
        {
            "layers": Categorical(tuple(texts)),
            "hidden": Widths((1, 2), (16, 64)),
            "activation": Categorical(("relu", "tanh", "silu", "linear")),
            "optimizer": Categorical(("adam", "adamw", "nadam")),
            "learning_rate": LogUniform(1e-3, 1e-2),
            "schedule": Fixed("cosine"),
            "noise": Categorical((0.0, 0.0, 0.1, 0.3)),
            "batch_size": Fixed(16 if rows < 500 else 32 if rows < 5_000 else 128),
            "epochs": Fixed(epochs),
            "patience": Fixed(max(10, epochs // 5)),
        }
    )


def _check_size(bottleneck: int | None, inputs: int) -> None:
    if bottleneck is not None and bottleneck >= inputs:
        raise SettingError(
            f"bottleneck: the code must be smaller than a row, which has {inputs} numbers, got {bottleneck}; "
            f"choose at most {inputs - 1}"
        )


def _check_layers(text: str, shape: Shape, bottleneck: int | None) -> None:
    layers = parse_layers(text)
    size, inputs = code_size(layers), math.prod(shape)
    if size is None:
        raise SettingError(f'layers: a reconstruction needs a bottleneck, e.g. "32 code:4"; got {text!r}')
    _check_size(size, inputs)
    if bottleneck not in (None, size):
        raise SettingError(f"bottleneck={bottleneck} disagrees with code:{size} in layers; leave one of them out")
    last = [layer for layer in layers if not isinstance(layer, Flatten | Reshape)][-1]
    if is_autoencoder(layers, shape, inputs) and getattr(last, "activation", "linear") != "linear":
        raise SettingError(
            f"layers: the last layer of an autoencoder must be linear, got {text.split()[-1]!r}; "
            f"write e.g. {text.split()[-1].removesuffix(':' + str(getattr(last, 'activation', '')))}:linear"
        )
