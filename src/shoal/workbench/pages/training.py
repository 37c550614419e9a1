"""Training: all networks as they learn, what the best of them say already, and the buttons that stop and go on."""

from __future__ import annotations

import asyncio
import os
import time
from functools import lru_cache, partial
from typing import Any

from fastapi import APIRouter, WebSocket
from nicegui import ui

from shoal.errors import RunError, ShoalError, counted
from shoal.helper_process import HelperProcess
from shoal.workbench import drawn
from shoal.workbench.controls import button, choice, link, tag
from shoal.workbench.frames import Followed
from shoal.workbench.jobs import Job, Status
from shoal.workbench.pages import Page
from shoal.workbench.preview import Preview, preview
from shoal.workbench.threads import in_thread
from shoal.workbench.visit import Visit

MOST_RUNS = 60
NEXT_TO_NOTHING = 0.001  # minutes
_PAUSE, _SHARE = 4.0, 15.0  # a preview after so many seconds, and so many times the seconds that it takes
_FOLLOWED = Followed()
_WORDS = {
    Status.TRAINING: "is training",
    Status.FINISHED: "is finished",
    Status.STOPPED: "is stopped; what is trained is kept",
    Status.FAILED: "ended before anything was kept",
}
router = APIRouter()


@router.websocket("/frames/{name}")
async def frames(socket: WebSocket, name: str) -> None:
    """Hand out the learning curves of a run."""
    try:
        path = socket.app.state.jobs.path(name)
    except RunError:
        await socket.close(1008)
        return
    await _FOLLOWED.follow(socket, path)


def build(visit: Visit) -> None:
    """Fill the page."""
    drawn.add_canvas()
    tag("h1", "Training")
    _Training(visit).draw()


class _Training:
    """The page of one visitor."""

    def __init__(self, visit: Visit) -> None:
        self.visit, self.jobs = visit, visit.jobs
        self.name, self.job = visit.state.run, Job("", Status.FAILED)
        self.columns: list[str] = []
        self.chosen: int | None = None
        self.next_preview, self.previewed, self.shown = 0.0, "", False

    def draw(self) -> None:
        self.place = tag("div")
        with self.place:
            tag("p", "Looking for runs …", "note")
        self.visit.on_change(self.show)
        ui.timer(0.001, self.show, once=True)
        ui.timer(1.0, self.look)

    async def show(self) -> None:
        """Draw the run that is looked at, or the newest one."""
        runs = (await in_thread(self.jobs.all))[:MOST_RUNS]
        names = [job.name for job in runs]
        self.name = self.visit.state.run or (names[0] if names else "")
        self.previewed, self.next_preview, self.chosen, self.shown = "", 0.0, None, False
        self.place.clear()
        with self.place:
            if not self.name:
                tag("p", "No run yet. Choose data, then networks, and let them learn.", "lead")
                link("To the data", self.visit.link("data"), "button first")
                return
            with tag("div", classes="row runs"):
                if self.name not in names:
                    names.insert(0, self.name)
                choice("run", "Run", self.name, names, self.visit.look_at)
                self.tools = tag("div", classes="row")
            self.said = tag("p", "", "note", role="status")
            self.wrong = tag("div")
            self.drawing = drawn.curves(self.name, self.choose, self.brushed)
            tag(
                "p", "Bands hold half and nine tenths of the networks that still train at an epoch; the best is "
                "vermilion, those that were let go are grey. Draw a rectangle to brush networks, click one to choose "
                "it.", "note",
            )  # fmt: skip
            self.previews = tag("section", aria_label="What the best networks say now")
        self.job, self.shown = Job("", Status.FAILED), True
        await self.look()

    async def look(self) -> None:
        """Look how far the run is; draw the buttons anew where that changed."""
        if not self.shown or self.place.is_deleted:
            return
        try:
            job = await in_thread(self.jobs.job, self.name)
        except ShoalError as error:
            job = Job(self.name, Status.FAILED, str(error))
        if job != self.job:
            changed, self.job = job.status != self.job.status, job
            if changed or not job.running:
                self._show_job(changed)
        await self._preview()

    def _show_job(self, changed: bool) -> None:
        job, failed = self.job, self.job.status is Status.FAILED
        self.said.set_text("" if failed else f"{job.name} {_WORDS[job.status]}.")  # type: ignore[attr-defined]
        self.wrong.clear()
        if failed:
            with self.wrong:
                tag("p", job.message or _WORDS[job.status], "wrong", role="alert")
        elif job.status is Status.STOPPED and job.message:
            with self.wrong:
                tag("p", job.message, "note")
        if not changed:
            return
        self.tools.clear()
        with self.tools:
            if job.running:
                button("Stop", self.stop, title="What is trained is kept, and can go on later", id="stop")
                button("Finish now", self.keep, title="End the training and keep the best as the result", id="keep")
            elif job.status is Status.STOPPED:
                button("Go on", self.go_on, classes="first", id="go-on")
                button("Finish with what is trained", self.keep, id="keep")
            elif job.status is Status.FINISHED:
                link("To the result", self.visit.link("result", self._state()), "button first", id="to-the-result")

    def _state(self) -> Any:
        from dataclasses import replace

        return replace(self.visit.state, run=self.name)

    async def _do(self, action: Any, *arguments: Any, **named: Any) -> bool:
        try:
            await in_thread(action, *arguments, **named)
        except ShoalError as error:
            self.visit.tell(str(error), wrong=True)
            return False
        return True

    async def stop(self) -> None:
        """Ask the process to keep what is trained and to end."""
        if await self._do(self.jobs.stop, self.name):
            self.visit.tell("Stopping; what is trained is kept.")

    async def go_on(self) -> None:
        """Go on where it stopped."""
        if await self._do(self.jobs.go_on, self.name):
            await self.look()

    async def keep(self) -> None:
        """Finish the run with what is trained."""
        name = self.name
        self.visit.tell("Finishing with what is trained; this takes some seconds.")
        await self._do(self.jobs.stop, name)
        for _ in range(300):
            if not (await in_thread(self.jobs.job, name)).running:
                break
            await asyncio.sleep(0.2)
        if (await in_thread(self.jobs.job, name)).status is Status.STOPPED:
            await self._do(self.jobs.go_on, name, minutes=NEXT_TO_NOTHING)
        await self.look()

    def choose(self, network: int | None) -> None:
        """Choose a network."""
        self.chosen = network
        drawn.mark(self.drawing, "chosen", [] if network is None else [network])

    def brushed(self, networks: list[int] | None) -> None:
        """Remember which networks are brushed, so that a page that is drawn anew has them."""
        self.drawing.props["brushed"] = ",".join(map(str, networks or []))

    async def _preview(self) -> None:
        """Ask the best networks, seldom: it costs a core for a second."""
        done = self.previewed == f"{self.name} {self.job.status} {self.columns}"
        if time.monotonic() < self.next_preview or (done and not self.job.running) or self.job.status is Status.FAILED:
            return
        self.next_preview, began = float("inf"), time.monotonic()
        name, status = self.name, self.job.status
        shown = await asked(str(self.jobs.path(name)), tuple(self.columns))
        if self.place.is_deleted or name != self.name:
            return
        self.next_preview = time.monotonic() + max(_PAUSE, _SHARE * (time.monotonic() - began))
        self.previewed = f"{name} {status} {self.columns}"
        if isinstance(shown, Preview):
            self._draw_preview(shown)
        elif shown and not self.job.running:
            self.previews.clear()
            with self.previews:
                tag("p", shown, "note")

    def _draw_preview(self, shown: Preview) -> None:
        key = (shown.columns, shown.choices)
        if getattr(self, "drawn_preview", None) != (self.name, key) or not self.previews.default_slot.children:
            self.drawn_preview = self.name, key
            self._begin_preview(shown)
        else:
            drawn.redraw(self.answer, shown.answer)
            drawn.redraw(self.disagreement, shown.disagreement)
        self.what.set_text(  # type: ignore[attr-defined]
            f"By {shown.what}, {counted(shown.networks, 'network')}; other columns are held at their medians."
        )

    def _begin_preview(self, shown: Preview) -> None:
        self.previews.clear()
        with self.previews:
            tag("h2", "What they say now")
            with tag("div", classes="row"):
                for place, column in enumerate(shown.columns):
                    label = ("Along", "and")[place]
                    others = [name for name in shown.choices if name == column or name not in shown.columns]
                    choice(f"along-{place}", label, column, others, partial(self._along, place, shown))
            with tag("div", classes="pair"):
                with tag("div"):
                    tag("h3", "Prediction")
                    self.answer = drawn.plot(shown.answer)
                with tag("div"):
                    tag("h3", "Disagreement")
                    self.disagreement = drawn.plot(shown.disagreement)
            self.what = tag("p", "", "note")

    async def _along(self, place: int, shown: Preview, column: str) -> None:
        self.columns = [column if i == place else name for i, name in enumerate(shown.columns)]
        self.next_preview = 0.0
        await self._preview()


async def asked(path: str, columns: tuple[str, ...]) -> Preview | str:
    """Return what `previewed` returns, from the one process that does this for all pages."""
    return await in_thread(_helper().do(previewed, path, columns).result)


@lru_cache(maxsize=1)
def _helper() -> HelperProcess:
    helper = HelperProcess()
    helper.do(_yield)
    return helper


def _yield() -> None:
    """Let what trains go first; asked of the helper alone."""
    if hasattr(os, "nice"):
        os.nice(10)


def previewed(path: str, columns: tuple[str, ...]) -> Preview | str:
    """Return what the best networks say, or why there is nothing to see; for a process that yields to training."""
    try:
        return preview(path, columns)
    except (ShoalError, OSError) as error:
        return str(error)


PAGE = Page("training", "Training", build, router=router)
