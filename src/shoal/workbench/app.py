"""The app of the workbench: shell, pages, REST and what browsers load, behind one address."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable
from pathlib import Path

from fastapi import FastAPI, Request, Response
from fastapi.responses import RedirectResponse
from fastapi.staticfiles import StaticFiles
from nicegui import app as nicegui_app
from nicegui import core, ui

from shoal.errors import ShoalError
from shoal.workbench import asked, rest
from shoal.workbench.controls import tag
from shoal.workbench.jobs import Jobs
from shoal.workbench.pages import Page, pages
from shoal.workbench.shell import shell, style
from shoal.workbench.visit import Visit

_STATIC = Path(__file__).parent / "static"


def build(folder: str | Path = ".") -> FastAPI:
    """Return the app of the workbench on a working folder; there is one in a process.

    Args:
        folder: where data are looked for and runs lie, in `runs/`.

    Example:
        >>> app = build("measurements")  # doctest: +SKIP
        >>> uvicorn.run(app)  # doctest: +SKIP
    """
    jobs = Jobs(folder)
    root = FastAPI(title="shoal workbench", docs_url=None, redoc_url=None, openapi_url=None)
    root.state.jobs = jobs
    rest.mount(root, jobs)
    asked.mount(root, jobs)
    root.add_api_route("/static/workbench.css", _style, methods=["GET"])
    root.mount("/static", StaticFiles(directory=_STATIC))
    root.add_api_route("/", _first, methods=["GET"])
    for page in pages():
        if page.router is not None:
            root.include_router(page.router)
        for path, files in page.static.items():
            root.mount(path, StaticFiles(directory=files))
        _register(jobs, page)
    core.sio.eio.max_http_buffer_size = 10_000_000
    nicegui_app.storage.max_tab_storage_age = 30 * 24 * 3600
    ui.run_with(
        root, title="shoal", favicon=_STATIC / "shoal.svg", dark=None, language="en-US", tailwind=False,
        storage_secret=secrets.token_hex(16), show_welcome_message=False, reconnect_timeout=30,
    )  # fmt: skip
    return root


def _register(jobs: Jobs, page: Page) -> None:
    @ui.page(f"/{page.name}", title=page.title, response_timeout=30)
    async def show(request: Request) -> None:
        visit = Visit(jobs, page.name, request.query_params.multi_items())
        with shell(visit, page):
            try:
                done = page.build(visit)
                if isinstance(done, Awaitable):
                    await done
            except ShoalError as error:
                tag("p", str(error), "wrong", role="alert")


def _style() -> Response:
    return Response(style(), media_type="text/css", headers={"Cache-Control": "no-cache"})


def _first(request: Request) -> RedirectResponse:
    query = f"?{request.url.query}" if request.url.query else ""
    return RedirectResponse(f"./{pages()[0].name}{query}")
