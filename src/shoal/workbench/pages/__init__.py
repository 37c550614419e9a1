"""The parts of the workbench, one file each; nobody names them, so that a new part is a file and no edit elsewhere."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fastapi import APIRouter

    from shoal.workbench.visit import Visit

ORDER = ("data", "networks", "training", "result", "take", "learn")
"""In which order the parts are named; others follow."""


@dataclass(frozen=True)
class Page:
    """A part of the workbench; a module of this package has one as `PAGE`.

    Attributes:
        name: short, in lower case; the page lies at `/name`.
        title: as the navigation shows it.
        build: fills the page for one visit, inside the shell; may be a coroutine.
        router: requests and websockets of its own, mounted with its prefix.
        static: folders with files that browsers load, by the path at which they lie, such as `/canvas`.
    """

    name: str
    title: str
    build: Callable[[Visit], Awaitable[None] | None]
    router: APIRouter | None = None
    static: Mapping[str, Path] = field(default_factory=dict)


@lru_cache(maxsize=1)
def pages() -> tuple[Page, ...]:
    """Return all parts in their order."""
    modules = (importlib.import_module(f"{__name__}.{module.name}") for module in pkgutil.iter_modules(__path__))
    found: list[Page] = [module.PAGE for module in modules if hasattr(module, "PAGE")]
    return tuple(sorted(found, key=lambda page: (ORDER.index(page.name) if page.name in ORDER else 99, page.name)))
