"""Arguments and flags that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="print JSON on stdout, for scripts")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="no progress and no notes on stderr")]
Force = Annotated[bool, typer.Option("--force", help="replace a file that exists")]
RunArgument = Annotated[str, typer.Argument(metavar="RUN", help="folder of a run, e.g. runs/iris-1")]
DataArgument = Annotated[
    str,
    typer.Argument(
        metavar="DATA", help="a file with a table, a pattern as 'runs/*.csv', or the name of a built-in set"
    ),
]
