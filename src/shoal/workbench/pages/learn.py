"""Learn: the figures of the course, to touch."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request, Response
from nicegui import ui

from shoal.data import Dataset
from shoal.errors import ShoalError
from shoal.workbench import learn
from shoal.workbench.controls import tag
from shoal.workbench.learn.answers import Answers, Superseded, index, words_of
from shoal.workbench.pages import Page
from shoal.workbench.state import State
from shoal.workbench.tables import LOOKS
from shoal.workbench.visit import Visit

STATIC = Path(learn.__file__).parent / "static"
ROUTER = APIRouter(prefix="/api/learn")


@lru_cache(maxsize=4)
def answers_in(folder: Path) -> Answers:
    """Return what answers for a working folder."""

    def dataset_of(query: str) -> Dataset:
        return LOOKS.look(State.of(parse_qsl(query, keep_blank_values=True)), folder).dataset

    return Answers(dataset_of)


@ROUTER.get("")
async def figures() -> Response:
    """All figures: name, title and part."""
    return Response(json.dumps(index()), media_type="application/json")


@ROUTER.get("/{name}")
async def figure(name: str) -> Response:
    """What a figure says, its formula and its controls."""
    try:
        return Response(json.dumps(words_of(name)), media_type="application/json")
    except ShoalError as error:
        return Response(str(error), 404, media_type="text/plain")


@ROUTER.get("/{name}/drawing")
async def drawing(name: str, request: Request) -> Response:
    """The drawing of a figure for the values of its controls, which stand in the query."""
    texts = dict(request.query_params.items())
    asker = texts.pop("asker", "")
    try:
        made = await answers_in(request.app.state.jobs.folder).ask(name, texts, asker)
    except Superseded:
        return Response(status_code=204)
    except ShoalError as error:
        return Response(str(error), 422, media_type="text/plain")
    return Response(made, media_type="application/json")


def build(_: Visit) -> None:
    """Give the script its place; all else is drawn by it."""
    ui.add_head_html("<link rel='stylesheet' href='learn-files/learn.css'>")
    ui.add_head_html("<script type='module' src='learn-files/learn.js'></script>")
    tag("div", None, "learn", id="learn")


PAGE = Page("learn", "Learn", build, ROUTER, {"/learn-files": STATIC})
