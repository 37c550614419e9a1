"""Representations that fit into a line or two: what is there, and arrays by their shape."""

from __future__ import annotations

from collections.abc import Mapping, Sized
from dataclasses import fields, is_dataclass
from typing import Any

MOST_SHOWN = 4


class ShortRepr:
    """Gives a dataclass (made with `repr=False`) a representation without its arrays and without what it lacks."""

    def __repr__(self) -> str:
        values = {f.name: getattr(self, f.name) for f in fields(self) if f.repr}  # type: ignore[arg-type]
        shown = [f"{name}={short_repr(value)}" for name, value in values.items() if not _lacks(value)]
        return f"{type(self).__name__}({', '.join(shown)})"


def short_repr(value: Any) -> str:
    """Return a value in a few words: an array by its shape, a long list by its length, a record by its class.

    Example:
        >>> short_repr(range(0)), short_repr((1, 2)), short_repr(list(range(99))), short_repr(0.123456789)
        ('range(0, 0)', '(1, 2)', '<99 entries>', '0.123457')
    """
    shape = getattr(value, "shape", None)
    if isinstance(shape, tuple) and shape and all(isinstance(size, int) for size in shape):
        return f"<{'×'.join(map(str, shape))}>"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, str):
        return repr(value if len(value) <= 60 else value[:59] + "…")
    if is_dataclass(value):
        return f"<{type(value).__name__}>"
    if isinstance(value, tuple | list) and len(value) <= MOST_SHOWN:
        inner = ", ".join(map(short_repr, value))
        return f"[{inner}]" if isinstance(value, list) else f"({inner}{',' if len(value) == 1 else ''})"
    if isinstance(value, tuple | list | Mapping):
        return f"<{len(value)} entries>"
    return repr(value)


def _lacks(value: Any) -> bool:
    return value is None or (isinstance(value, Sized) and not isinstance(value, str) and len(value) == 0)
