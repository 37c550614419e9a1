"""The algorithms, one file each: a class with a `name` is found without being named anywhere."""

from __future__ import annotations

from importlib import import_module
from inspect import isabstract, isclass
from pkgutil import iter_modules

from shoal.errors import SettingError, listing, spelled, suggest
from shoal.evolution.algorithms.base import Algorithm as Algorithm


def _all() -> dict[str, Algorithm]:
    modules = [import_module(f"{__name__}.{module.name}") for module in iter_modules(__path__)]
    classes = {value for module in modules for value in vars(module).values() if isclass(value)}
    found = [c() for c in classes if issubclass(c, Algorithm) and not isabstract(c)]
    return {algorithm.name: algorithm for algorithm in sorted(found, key=lambda each: each.name)}


ALGORITHMS: dict[str, Algorithm] = _all()
"""By name, each with its default options."""


def algorithm_of(choice: str | Algorithm) -> Algorithm:
    """Return the algorithm of a name, or the one that is given.

    Raises:
        SettingError: there is none of that name.

    Example:
        >>> algorithm_of("CMA-ES").name
        'cma-es'
    """
    if isinstance(choice, Algorithm):
        return choice
    key = spelled(str(choice), ALGORITHMS)
    if key not in ALGORITHMS:
        raise SettingError(
            f"no algorithm is called {choice!r}.{suggest(str(choice), ALGORITHMS)} There are {listing(ALGORITHMS)}"
        )
    return ALGORITHMS[key]
