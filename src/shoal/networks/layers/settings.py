"""What layers have in common: checked sizes, and parameters drawn from their initializers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from shoal.errors import SettingError
from shoal.networks.initializers import Initializer, Shape, get_initializer
from shoal.streams import Stream, Streams


def checked_integer(label: str, name: str, value: Any, least: int = 1) -> int:
    """Return a whole number of at least `least`.

    Raises:
        SettingError: it is none.

    Example:
        >>> checked_integer("layer Conv1D", "filters", 8)
        8
    """
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        raise SettingError(f"{label}: {name} must be a whole number, at least {least}, got {value!r}")
    return int(value)


def checked_integers(label: str, name: str, value: Any, axes: int, least: int = 1) -> tuple[int, ...]:
    """Return one whole number for each of so many axes; a single one stands for all.

    Raises:
        SettingError: there are more or fewer, or one is no whole number of at least `least`.

    Example:
        >>> checked_integers("layer Conv2D", "kernel_size", 3, axes=2)
        (3, 3)
        >>> checked_integers("layer Conv2D", "strides", [2, 1], axes=2)
        (2, 1)
    """
    values = tuple(value) if isinstance(value, (tuple, list)) else (value,) * axes
    if len(values) != axes:
        raise SettingError(f"{label}: {name} must be one whole number or {axes}, got {value!r}")
    return tuple(checked_integer(label, name, number, least) for number in values)


def check_flag(label: str, name: str, value: Any) -> None:
    """Check that a setting is true or false.

    Raises:
        SettingError: it is neither.
    """
    if not isinstance(value, bool):
        raise SettingError(f"{label}: {name} must be True or False, got {value!r}")


def check_initializers(*initializers: str | Initializer) -> None:
    """Check that initializers that are named are known.

    Raises:
        SettingError: one is not.
    """
    for initializer in initializers:
        if not callable(initializer):
            get_initializer(initializer)


def start_values(
    shapes: Mapping[str, Shape], initializers: Mapping[str, str | Initializer], stream: Stream | Streams
) -> dict[str, np.ndarray]:
    """Return float32 start values, each parameter drawn from its own child of the stream, in their order."""
    values = {}
    for i, (name, shape) in enumerate(shapes.items()):
        initializer = initializers[name]
        draw = initializer if callable(initializer) else get_initializer(initializer)
        values[name] = draw(stream.child(i), shape)
    return values
