"""What stands in a folder, one file each: a class with a `name` is found without being named anywhere."""

from __future__ import annotations

from importlib import import_module
from inspect import isabstract, isclass
from pkgutil import iter_modules
from typing import Any


def instances_in(package: str, folder: list[str], base: Any) -> dict[str, Any]:
    """Return an instance of each class of a base in the modules of a package, by name.

    Args:
        package: its `__name__`.
        folder: its `__path__`.
        base: what the classes derive from; those that are abstract are left out.
    """
    modules = [import_module(f"{package}.{module.name}") for module in iter_modules(folder)]
    classes: set[Any] = {value for module in modules for value in vars(module).values() if isclass(value)}
    found = [c() for c in classes if issubclass(c, base) and not isabstract(c)]
    return {each.name: each for each in sorted(found, key=lambda each: each.name)}
