"""The server's app: runs behind HTTP, with the words of others (`adapters/`) beside its own."""

from __future__ import annotations

import asyncio
import html
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from shoal import __version__
from shoal.errors import ShoalError
from shoal.serve.adapters import mlflow, open_inference
from shoal.serve.asking import Asking
from shoal.serve.bodies import JSON, accepted, as_json, encoded, media_type
from shoal.serve.describing import described, openapi
from shoal.serve.limits import Limits
from shoal.serve.metrics import Counters
from shoal.serve.problems import PROBLEM_JSON, Refused, problem
from shoal.serve.served import Said

_LOG = logging.getLogger("shoal.serve")


def build_app(
    runs: Mapping[str, str | Path],
    limits: Limits | None = None,
    *,
    counters: Counters | None = None,
    renew_every: float = 1.0,
) -> FastAPI:
    """Return an app that answers for finished runs.

    It guards nothing by itself; `shoal.serve.guard` and `shoal.serve.limits` go around it, as `shoal serve` does.

    Args:
        runs: the folder of each run, by the name under which it is served. Where a folder is a link, or is fitted anew,
            the run that it then holds takes the place of the one before.
        limits: how much one request may hold.
        counters: what `/metrics` shows; default new ones.
        renew_every: seconds after which folders are looked at; 0 never.

    Raises:
        RunError: a folder holds no finished run.

    Example:
        >>> app = build_app({"iris": "runs/iris-1"})  # doctest: +SKIP
    """
    asking = Asking(runs, limits or Limits())
    counters = counters or Counters(list(runs))

    @asynccontextmanager
    async def lifespan(_: Any) -> AsyncIterator[None]:
        task = asyncio.create_task(_renewing(asking, renew_every)) if renew_every else None
        yield
        if task is not None:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        asking.pool.shutdown(wait=False, cancel_futures=True)  # else its threads keep the process

    app = FastAPI(title="shoal serve", version=__version__, lifespan=lifespan, docs_url=None, redoc_url=None)
    app.state.asking = asking
    app.openapi = lambda: openapi(asking.runs)  # type: ignore[method-assign]
    for kind, handler in ((Refused, refused), (ShoalError, _unusable), (HTTPException, _http), (Exception, _fault)):
        app.add_exception_handler(kind, handler)
    # before those of FastAPI, since a router asks them one after the other
    app.router.routes[:0] = [
        *run_routes(asking),
        *_routes(asking, counters),
        *mlflow.routes(asking),
        *open_inference.routes(asking),
    ]
    return app


async def _renewing(asking: Asking, every: float) -> None:
    while True:
        await asyncio.sleep(every)
        for sentence in await asking.in_thread(asking.renew):
            _LOG.warning(sentence)


def run_routes(asking: Asking) -> list[Route]:
    """Return the routes of one run: what it is, and what it predicts."""

    async def one(request: Request) -> Response:
        name = request.path_params["name"]
        return json_response(described(asking.run(name), asking.problems.get(name)))

    async def predict(request: Request) -> Response:
        name, headers = request.path_params["name"], request.headers
        wanted, media = accepted(headers.get("accept", "")), media_type(headers.get("content-type", ""))
        ignore, encoding = _ignores(request), headers.get("content-encoding", "")
        body = await request.body()
        if media != JSON:
            answer = await asking.of_table(request.scope, name, body, media, encoding, ignore_unknown=ignore)
            if wanted != JSON:
                return Response(await asking.in_thread(encoded, answer.frame, wanted), media_type=wanted)
            return json_response(answer_of(answer.said, by_column=False))
        given = await asking.json(body, encoding)
        said = await asking.of_json(request.scope, name, given, ignore_unknown=ignore)
        if wanted != JSON:
            frame = asking.run(name).frame_of(said.columns)
            return Response(await asking.in_thread(encoded, frame, wanted), media_type=wanted)
        return json_response(answer_of(said, by_column=_by_column(given)))

    return [Route("/runs/{name}/predict", predict, methods=["POST"]), Route("/runs/{name}", one)]


def _routes(asking: Asking, counters: Counters) -> list[Route]:
    async def index(request: Request) -> Response:
        if "text/html" in request.headers.get("accept", ""):
            return Response(_page(asking, request.scope.get("root_path", "")), media_type="text/html")
        return await runs(request)

    async def health(_: Request) -> Response:
        return json_response({"status": "ok"})

    async def metrics(_: Request) -> Response:
        return Response(counters.text(), media_type="text/plain; version=0.0.4")

    async def runs(_: Request) -> Response:
        each = [described(run, asking.problems.get(name)) for name, run in asking.runs.items()]
        return json_response({"shoal": __version__, "runs": each})

    return [Route("/", index), Route("/health", health), Route("/metrics", metrics), Route("/runs", runs)]


def _ignores(request: Request) -> bool:
    query = request.scope["query_string"]
    if not query:
        return False
    given = request.query_params.get("unknown")
    if given not in (None, "ignore", "refuse"):
        raise Refused(422, f"unknown: expected ignore or refuse, got {given[:60]!r}")
    return given == "ignore"


def _by_column(given: Any) -> bool:
    return (
        isinstance(given, dict)
        and any(isinstance(value, list) for value in given.values())
        and given.keys() not in ({"images"}, {"series"})
    )


def answer_of(said: Said, *, by_column: bool) -> dict[str, Any]:
    """Return an answer as plain data: rows, or columns where the request had columns."""
    notes = {"notes": list(said.notes)} if said.notes else {}
    if by_column:
        return {"columns": said.columns, **notes}
    names = list(said.columns)
    return {"rows": [dict(zip(names, row, strict=True)) for row in zip(*said.columns.values(), strict=True)], **notes}


def json_response(content: Any, status: int = 200) -> Response:
    """Return plain data as an answer in JSON."""
    return Response(as_json(content), status, media_type=JSON)


async def refused(_: Request, error: Any) -> Response:
    """Answer a refusal."""
    return Response(error.body(), error.status, error.headers, PROBLEM_JSON)


async def _unusable(_: Request, error: Any) -> Response:
    return Response(problem(422, str(error)), 422, media_type=PROBLEM_JSON)


async def _http(request: Request, error: Any) -> Response:
    texts = {
        404: f"there is nothing at {request.url.path}; GET / lists what is served",
        405: f"{request.method} is not for {request.url.path}; see Allow",
    }
    body = problem(error.status_code, texts.get(error.status_code, str(error.detail)))
    return Response(body, error.status_code, error.headers, PROBLEM_JSON)


async def _fault(_: Request, error: Any) -> Response:
    text = f"unexpected {type(error).__name__}; this is a fault of shoal, and the log of the server says where"
    return Response(problem(500, text), 500, media_type=PROBLEM_JSON)


def _page(asking: Asking, root: str) -> str:
    """Return the page that a browser sees: what is served, and how to ask."""
    parts = []
    for name, run in asking.runs.items():
        columns = "".join(
            f"<tr><th>{html.escape(column.name)}<td>{html.escape(column.kind)}<td>{html.escape(column.description)}"
            for column in run.columns
        )
        head = "<tr><th>column<th>type<th>what"
        parts.append(
            f"<h2>{html.escape(name)}</h2><p>{html.escape(run.run.summary())}</p>"
            f"<table>{head}{columns}</table>"
            f"<p>POST <code>{html.escape(root)}/runs/{html.escape(name)}/predict</code></p>"
        )
    style = (
        ":root{color-scheme:light dark}body{font:1rem/1.5 system-ui;max-width:60rem;margin:2rem auto;padding:0 1rem}"
        "th,td{text-align:left;padding:.2rem 1rem .2rem 0;vertical-align:top}table{display:block;overflow-x:auto}"
    )
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>shoal serve</title><style>{style}</style><main><h1>shoal serve</h1>{''.join(parts)}"
        f'<p><a href="openapi.json">OpenAPI</a> · <a href="metrics">metrics</a> · <a href="runs">runs</a></p></main>'
    )
