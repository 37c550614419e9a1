"""Work that would hold up all pages, in a thread beside them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, cast

from nicegui import run

P = ParamSpec("P")
T = TypeVar("T")


async def in_thread(function: Callable[P, T], *arguments: P.args, **options: P.kwargs) -> T:
    """Return what a function says, while pages go on; None only where the workbench ends, and nobody looks."""
    work: Any = function
    return cast(T, await run.io_bound(work, *arguments, **options))
