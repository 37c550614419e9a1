"""Work that would hold up all pages, in a thread beside them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from nicegui import run

P = ParamSpec("P")
T = TypeVar("T")


async def in_thread(function: Callable[P, T], *arguments: P.args, **options: P.kwargs) -> T:
    """Return what a function says, while pages go on.

    Raises:
        CancelledError: the workbench ends meanwhile, and nobody looks.
    """
    answer = await run.io_bound(lambda: (function(*arguments, **options),))
    if answer is None:
        raise asyncio.CancelledError
    return answer[0]
