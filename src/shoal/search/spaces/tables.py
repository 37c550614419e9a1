"""What is searched for tables: dense networks."""

from __future__ import annotations

from dataclasses import dataclass

from shoal.search.space import Categorical, Fixed, LogUniform, Space, Widths

MOST_NUMBERS = 2_000_000
"""Rows × features up to which members may read an encoding, which has some ten times as many numbers."""


def table_space(rows: int, classification: bool, features: int = 1) -> Space:
    """Return the default space for dense networks on so many training rows.

    Few rows get small networks and small batches: more units would only learn the noise, and a batch should leave
    several steps to an epoch. A regression gets deeper networks, more epochs and less dropout than a
    classification: a smooth function has to be followed closely (`benchmarks/quality.py` compares).
    Half of the candidates read their numbers piecewise: which is better depends on the table, and a mixture is seldom
    worse than either.
    """
    sizes = _sizes(rows, classification)
    small = rows * features <= MOST_NUMBERS
    return Space(
        {
            "hidden": Widths(sizes.depths, sizes.units),
            "activation": Categorical(("relu", "tanh", "silu")),
            "optimizer": Categorical(("adam", "adamw", "nadam")),
            "learning_rate": LogUniform(1e-3, 3e-2),
            "schedule": Categorical(("constant", "cosine")),
            "l2": Categorical((0.0, 0.001, 0.01, 0.1, 1.0)),
            "dropout": Categorical((0.0, 0.0, 0.1, 0.25) if classification else (0.0, 0.0, 0.0, 0.1)),
            "batch_size": Categorical(sizes.batches),
            "epochs": Fixed(sizes.epochs),
            "patience": Fixed(max(10, sizes.epochs // 6)),
            **({"feature_encoding": Categorical(("plain", "piecewise"))} if small else {}),
        }
    )


@dataclass(frozen=True)
class _Sizes:
    depths: tuple[int, int]
    units: tuple[int, int]
    batches: tuple[int, ...]
    epochs: int


def _sizes(rows: int, classification: bool) -> _Sizes:
    if rows < 500:
        if classification:
            return _Sizes((1, 2), (4, 32), (16, 32), 200)
        return _Sizes((1, 3), (8, 64), (16, 32), 600)
    if rows < 5_000:
        return _Sizes((1, 2), (16, 128), (32, 64), 100) if classification else _Sizes((1, 3), (8, 64), (32, 64), 300)
    if rows < 50_000:
        return _Sizes((1, 3), (16, 128), (128, 256), 80)
    return _Sizes((1, 3), (32, 256), (512, 1024), 40)
