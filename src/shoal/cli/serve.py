"""`shoal serve`: finished runs behind HTTP."""

from __future__ import annotations

import os
from typing import Annotated

import typer

Runs = Annotated[
    list[str],
    typer.Argument(metavar="RUN...", help="folders of runs, e.g. runs/iris-1; NAME=FOLDER serves one under a name"),
]
Host = Annotated[
    str, typer.Option(help="address to listen on; others than 127.0.0.1 can be reached from other machines")
]
Port = Annotated[int | None, typer.Option(help="port to listen on; 0: any; by default the next free one from 8888")]
BaseUrl = Annotated[str, typer.Option("--base-url", metavar="PATH", help="path before all paths, e.g. behind a proxy")]
AllowHost = Annotated[
    list[str] | None,
    typer.Option("--allow-host", metavar="NAME", help="a name of the server besides its own, e.g. of a proxy; repeat"),
]
Workers = Annotated[int, typer.Option(min=1, max=256, help="processes that answer")]
Body = Annotated[float, typer.Option("--max-body", metavar="MB", min=0.001, help="the most megabytes of a request")]
Rows = Annotated[int, typer.Option("--max-rows", min=1, help="the most rows of a request")]
Requests = Annotated[
    int, typer.Option("--max-requests", min=1, help="the most requests at once, of each worker; more are answered 503")
]
Seconds = Annotated[float, typer.Option("--max-seconds", min=0.1, help="the most seconds that an answer may take")]


def serve(
    runs: Runs,
    *,
    host: Host = "127.0.0.1",
    port: Port = None,
    base_url: BaseUrl = "/",
    allow_host: AllowHost = None,
    workers: Workers = 1,
    max_body: Body = 32.0,
    max_rows: Rows = 100_000,
    max_requests: Requests = 256,
    max_seconds: Seconds = 60.0,
) -> None:
    """Answer requests over HTTP: predictions of finished runs, with their error bars.

    `POST /runs/NAME/predict` takes rows as JSON, CSV or Arrow, in the columns of the run, and answers with what `shoal
    predict` writes. `/openapi.json` describes it, `/metrics` is for Prometheus, `/v2/…` speaks the Open Inference
    Protocol, `/invocations` is MLflow's.

    Who asks needs the token that is printed, as `Authorization: Bearer TOKEN`, or once as `?token=TOKEN` in a browser.
    `SHOAL_TOKEN` sets it.

    Where a folder is a link that is turned to another run, or is fitted anew, the new run is served from then on.
    """
    from shoal.cli.guard import tell
    from shoal.errors import counted
    from shoal.serve.address import base_path, here, host_warning, listen, ssh_line, url
    from shoal.serve.guard import is_loopback, new_token
    from shoal.serve.limits import Limits
    from shoal.serve.names import named_runs
    from shoal.serve.server import Service, check_installed
    from shoal.serve.server import serve as serve_runs

    check_installed()
    folders, base = named_runs(runs), base_path(base_url)
    token, given = os.environ.get("SHOAL_TOKEN", "").strip(), True
    if not token:
        token, given = new_token(), False
    with listen(host, port) as listening:
        port = listening.getsockname()[1]
        if warning := host_warning(host):
            tell("warning", warning)
        limits = Limits(max_body, max(256.0, max_body), max_rows, max_requests, max_seconds)
        service = Service(folders, token, host, port, base, tuple(allow_host or ()), limits, workers)

        def tell_ready() -> None:
            tell("note", f"serving {counted(len(folders), 'run')}: {', '.join(folders)}; Ctrl-C ends it")
            tell("url", url(host, port, base, "" if given else token))
            if is_loopback(host):
                tell("ssh", f"from another machine: {ssh_line(*here(), port, host)}")

        serve_runs(service, listening, tell_ready)
