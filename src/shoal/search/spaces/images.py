"""What is searched for images: small convolutional networks of one to three blocks."""

from __future__ import annotations

from shoal.networks import Shape
from shoal.search.space import Categorical, Fixed, LogUniform, Space, Widths

SMALL = 16  # pixels along a side
SMALLEST = 3  # pixels that the last block shall still see along each side


def image_blocks(shape: Shape) -> tuple[str, ...]:
    """Return the layers to choose from for images of a shape: as many blocks as fit, three at most, or one less.

    A block is a 3×3 convolution that keeps the size and a pooling that halves it; each has twice the filters of
    the one before, as in the networks of LeCun et al. (Proc. IEEE 86, 2278, 1998) and Simonyan and Zisserman (2015).

    Args:
        shape: `(height, width, channels)`.

    Example:
        >>> image_blocks((8, 8, 1))[0]
        'conv2d:32:3:1:same maxpooling2d:2'
    """
    most = 1
    while most < 3 and min(shape[:2]) // 2 ** (most + 1) >= SMALLEST - 1:
        most += 1
    depths = range(max(1, most - 1), most + 1)
    filters = 32 if min(shape[:2]) < SMALL else 16  # larger images cost more for each filter
    return (*(blocks(depth, filters) for depth in depths), blocks(most, filters // 2))


def blocks(depth: int, filters: int) -> str:
    """Return so many blocks, the first with so many filters."""
    return " ".join(f"conv2d:{filters << i}:3:1:same maxpooling2d:2" for i in range(depth))


def image_space(shape: Shape, rows: int, classification: bool) -> Space:
    """Return the default space for images of a shape and so many training rows."""
    texts = image_blocks(shape)
    epochs = 60 if rows < 2_000 else 30 if rows < 20_000 else 15
    return Space(
        {
            "layers": Categorical(texts),
            "hidden": Widths((1, 1), (32, 64)),
            "activation": Categorical(("relu", "silu")),
            "optimizer": Categorical(("adam", "adamw")),
            "learning_rate": LogUniform(5e-4, 5e-3),
            "schedule": Fixed("cosine"),
            "l2": Categorical((0.0, 0.01, 0.1, 1.0)),
            "shift": Categorical((0.0, 0.0, 1.0) if min(shape[:2]) < 16 else (0.0, 1.0, 2.0)),
            "dropout": Categorical((0.0, 0.25, 0.4) if classification else (0.0, 0.1)),
            "batch_size": Fixed(32 if rows < 5_000 else 64),
            "epochs": Fixed(epochs),
            "patience": Fixed(max(8, epochs // 4)),
        }
    )
