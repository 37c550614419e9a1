"""The environments that ship, one file each: a class with a `name` is found without being named anywhere."""

from __future__ import annotations

from importlib import import_module
from inspect import isabstract, isclass
from pkgutil import iter_modules

from shoal.errors import SettingError, listing, spelled, suggest
from shoal.evolution.environments.base import Environment as Environment


def _all() -> dict[str, Environment]:
    modules = [import_module(f"{__name__}.{module.name}") for module in iter_modules(__path__)]
    classes = {value for module in modules for value in vars(module).values() if isclass(value)}
    found = [c() for c in classes if issubclass(c, Environment) and not isabstract(c)]
    return {environment.name: environment for environment in sorted(found, key=lambda each: each.name)}


ENVIRONMENTS: dict[str, Environment] = _all()


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
            f"those of "
            f"Gymnasium are asked for as 'gymnasium:CartPole-v1'"
        )
    return ENVIRONMENTS[key]
