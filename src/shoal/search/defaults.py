"""What a hyperparameter is that the user does not fix, in words for the help: read off the spaces themselves."""

from __future__ import annotations

from functools import cache
from typing import Any

from shoal.search.space import Fixed, Space
from shoal.search.spaces import default_space, reconstruction_space, single_space
from shoal.training.hyperparameters import Hyperparameters

_ROWS = (50, 400, 2_000, 10_000, 100_000)
_SHAPES = {"tables": (8,), "series": (48, 1), "images": (28, 28, 1)}
_FORECASTS, _RECONSTRUCTIONS = "forecasts", "reconstructions"


@cache  # asked for each hyperparameter
def spaces_of_kinds() -> dict[str, list[Space]]:
    """Return the spaces that are searched by default, for each kind of data with few and with many rows."""
    spaces = {
        kind: [default_space(rows, classes, shape) for rows in _ROWS for classes in (True, False)]
        for kind, shape in _SHAPES.items()
    }
    spaces[_FORECASTS] = [default_space(rows, False, _SHAPES["series"], forecast=True) for rows in _ROWS]
    return {**spaces, _RECONSTRUCTIONS: [reconstruction_space(_SHAPES["tables"], rows, {}) for rows in _ROWS]}


def unless_fixed(name: str) -> str:
    """Return what a hyperparameter is where the user does not fix it, empty where there is nothing to say.

    Example:
        >>> unless_fixed("hidden"), unless_fixed("rho")
        ('searched; with --networks 1: 32', 'default: 0.9')
    """
    ways = {kind: _way([space.parts[name] for space in spaces if name in space.parts])
            for kind, spaces in spaces_of_kinds().items()}  # fmt: skip
    default = Hyperparameters.model_fields[name].default
    alone = _alone(name)
    if not any(ways.values()):
        return f"default: {_shown(default)}" if _shown(default) else ""
    kinds: dict[str, list[str]] = {}
    for kind, way in ways.items():
        kinds.setdefault(way or _shown(default) or "none", []).append(kind)
    if len(kinds) == 1:
        return f"{next(iter(kinds))}; with --networks 1: {alone}"
    parts = [f"{way} for {', '.join(of)}" for way, of in sorted(kinds.items(), key=lambda item: item[0] != "searched")]
    return "; ".join([*parts, f"with --networks 1: {alone}"])


def _way(parts: list[Any]) -> str:
    """Return how a hyperparameter is chosen for a kind of data; empty: it has its default."""
    if not parts:
        return ""
    if not all(isinstance(part, Fixed) for part in parts):
        return "searched"
    values = {part.value for part in parts}
    return _shown(values.pop()) if len(values) == 1 else "chosen by the number of rows"


def _alone(name: str) -> str:
    """Return the value of a single network."""
    if name == "layers":
        return "none for tables, else one of those searched"
    if name == "patience":
        return "as many as epochs"
    value = single_space().parts.get(name, Fixed(Hyperparameters.model_fields[name].default))
    return _shown(value.value if isinstance(value, Fixed) else value) or "none"


def _shown(value: Any) -> str:
    if value is None or value is False or value == "":
        return ""
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)
