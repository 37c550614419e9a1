"""Data: choose a file or a set, see what is in it, and say what each column is for."""

from __future__ import annotations

from nicegui import run, ui

from shoal.data.builtin.sets import BUILTIN
from shoal.errors import ShoalError, counted
from shoal.workbench.controls import choice, field, table, tag
from shoal.workbench.pages import Page
from shoal.workbench.state import State
from shoal.workbench.tables import LOOKS, Look
from shoal.workbench.visit import Visit


async def build(visit: Visit) -> None:
    """Fill the page."""
    tag("h1", "Data")
    _source(visit)
    place = tag("div", id="looked")

    async def show() -> None:
        place.clear()
        with place:
            await _show(visit)

    visit.on_change(show)
    ui.timer(0.01, show, once=True)


def _source(visit: Visit) -> None:
    async def take(data: str) -> None:
        await visit.choose(State(data))

    with tag("div", classes="drop") as zone:
        with tag("label", classes="button first", for_="file"):
            tag("span", "Choose a file")
        tag("input", None, "visually-hidden", id="file", type="file", aria_label="Choose a file")
        tag("span", "or drop one here", "note")
    zone.on("file", lambda event: take(str(event.args)), js_handler="(event) => emit(event.detail)")
    with tag("div", classes="grid"):
        sets = {"": "…", **{name: f"{name}: {each.task_name}" for name, each in BUILTIN.items()}}
        choice("builtin", "Built-in set", visit.state.data if visit.state.data in BUILTIN else "", sets, take)
        field("data", "File in the working folder", "" if visit.state.data in BUILTIN else visit.state.data, take)


async def _show(visit: Visit) -> None:
    if not visit.state.data:
        return
    try:
        look = await run.io_bound(LOOKS.look, visit.state, visit.folder)
    except ShoalError as error:
        tag("p", str(error), "wrong", role="alert")
        return
    _columns(look)


def _columns(look: Look) -> None:
    description = look.description
    tag("p", look.headline, "lead")
    tag("p", f"{counted(description.rows, description.row)}; {description.task_name}", "note")
    table("Columns", ("column", "type", "role", "missing"), (row[:4] for row in description.lines()[:50]), right=(3,))


PAGE = Page("data", "Data", build)
