"""The environments that ship, one file each: a class with a `name` is found without being named anywhere."""

from __future__ import annotations

from shoal.errors import SettingError, listing, spelled, suggest
from shoal.evolution.environments.base import Environment as Environment
from shoal.evolution.registry import instances_in

ENVIRONMENTS: dict[str, Environment] = instances_in(__name__, __path__, Environment)


def environment_of(name: str) -> Environment:
    """Return the environment of a name.

    Raises:
        SettingError: there is none of that name.

    Example:
        >>> environment_of("cart-pole").observations[0]
        'position in m'
    """
    key = spelled(name, ENVIRONMENTS)
    if key not in ENVIRONMENTS:
        raise SettingError(
            f"no environment is called {name!r}.{suggest(name, ENVIRONMENTS)} There are {listing(ENVIRONMENTS)}; "
            f"those of Gymnasium are asked for as 'gymnasium:CartPole-v1'"
        )
    return ENVIRONMENTS[key]
