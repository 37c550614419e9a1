"""One page as one visitor sees it: what is chosen, and how it is changed."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from nicegui import app, ui
from nicegui.client import Client

from shoal.errors import ShoalError
from shoal.workbench.jobs import Jobs
from shoal.workbench.state import State
from shoal.workbench.threads import in_thread

UNDO = "undo"
_MOST = 200  # changes that can be undone


class Visit:
    """What a page is given: the state, the runs, and the way to change them.

    The state stands in the URL of the page, so that reloading and bookmarks keep it; what it was before is kept on the
    server for as long as the tab lives.

    Attributes:
        jobs: the runs of the working folder.
        state: what is chosen now.
        page: name of the page.
    """

    def __init__(self, jobs: Jobs, page: str, pairs: Iterable[tuple[str, str]]) -> None:
        self.jobs, self.page, self.state = jobs, page, State.of(pairs)
        self.client: Client = ui.context.client
        self._listeners: list[Callable[[], Any]] = []

    @property
    def folder(self) -> Path:
        """The working folder."""
        return self.jobs.folder

    def link(self, page: str, state: State | None = None) -> str:
        """Return a link to a page with the state, relative, so that it holds behind any proxy."""
        query = (self.state if state is None else state).link()
        return f"{page}?{query}" if query else page

    def on_change(self, listener: Callable[[], Any]) -> None:
        """Call a function, or await it, after each change of the state."""
        self._listeners.append(listener)

    async def change(self, **settings: Any) -> bool:
        """Choose settings; None takes one out. One that makes no sense is told, and nothing is changed.

        Returns:
            Whether the state is another now.
        """
        return await self.choose(self.state.changed(**settings))

    async def choose(self, state: State, trial: Callable[[State], Any] | None = None) -> bool:
        """Take another state; the one before can be had back by `undo`.

        Args:
            state: the other one.
            trial: is called with it first, in a thread; where it raises a ShoalError, that is told instead.
        """
        if state == self.state:
            return False
        try:
            state.checked(self.folder)
            if trial is not None:
                await in_thread(trial, state)
        except ShoalError as error:
            self.tell(str(error), wrong=True)
            return False
        undo = app.storage.tab.setdefault(UNDO, [])
        undo[:] = [*undo, self.state.link()][-_MOST:]
        await self._show(state)
        return True

    async def undo(self) -> None:
        """Go back to the state before the last change."""
        undo = app.storage.tab.setdefault(UNDO, [])
        if not undo:
            self.tell("There is nothing to undo.")
            return
        await self._show(State.of(parse_qsl(undo.pop(), keep_blank_values=True)))
        self.tell("Undone.")

    async def look_at(self, run: str) -> None:
        """Choose the run that is looked at; this is no change that could be undone."""
        await self._show(replace(self.state, run=run))

    async def _show(self, state: State) -> None:
        self.state = state
        ui.navigate.history.replace(self.link(self.page))
        for listener in self._listeners:
            done = listener()
            if isinstance(done, Awaitable):
                await done

    def tell(self, text: str, *, wrong: bool = False) -> None:
        """Say something in a line at the foot of the page, which screen readers read out; errors stay until closed."""
        self.client.run_javascript(f"shoal.tell({json.dumps(text)}, {json.dumps(wrong)})")
