"""`shoal workbench`: all of shoal in a browser."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Folder = Annotated[
    str, typer.Argument(metavar="FOLDER", help="working folder, in which data are looked for and runs lie")
]
Port = Annotated[
    int | None, typer.Option(metavar="PORT", help="by default the next that is free, from 8765 on", show_default=False)
]
Host = Annotated[str, typer.Option(metavar="ADDRESS", help="0.0.0.0 lets other machines in, without encryption")]
BaseUrl = Annotated[str, typer.Option("--base-url", metavar="PATH", help="the path before all paths, behind a proxy")]
AllowHost = Annotated[
    list[str] | None,
    typer.Option(
        "--allow-host", metavar="NAME", help="another name of this server, such as a proxy's; repeat for more"
    ),
]
NoBrowser = Annotated[bool, typer.Option("--no-browser", help="open no browser; the address is printed")]
Token = Annotated[
    str | None,
    typer.Option("--token", envvar="SHOAL_TOKEN", metavar="TOKEN", help="what lets in; by default a new one each time"),
]


def workbench(
    folder: Folder = ".",
    *,
    port: Port = None,
    host: Host = "127.0.0.1",
    base_url: BaseUrl = "/",
    allow_host: AllowHost = None,
    no_browser: NoBrowser = False,
    token: Token = None,
) -> None:
    """Open the workbench in a browser: look at data, build networks, watch them learn, read the result, take it away.

    It listens on this machine alone, and lets in who has the token that it prints. Training goes on when the browser is
    closed, and when the workbench ends; the runs are those of the command line.
    """
    from shoal.cli.guard import tell
    from shoal.workbench.server import Place, run

    place = Place(host, port, base_url, token, allow_host or ())
    run(Path(folder), place, tell, browser=not no_browser)
