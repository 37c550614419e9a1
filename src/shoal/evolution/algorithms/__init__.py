"""The algorithms, one file each: a class with a `name` is found without being named anywhere."""

from __future__ import annotations

from shoal.errors import SettingError, listing, spelled, suggest
from shoal.evolution.algorithms.base import Algorithm as Algorithm
from shoal.evolution.registry import instances_in

ALGORITHMS: dict[str, Algorithm] = instances_in(__name__, __path__, Algorithm)
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
