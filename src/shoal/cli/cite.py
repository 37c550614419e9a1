"""`shoal cite`: the papers of the methods that a run used."""

from __future__ import annotations

from typing import Annotated

import typer

from shoal.cli.options import Force, RunArgument

Out = Annotated[str | None, typer.Option("--out", "-o", metavar="FILE", help="write them here: .bib")]


def cite(run: RunArgument, *, out: Out = None, force: Force = False) -> None:
    """Print the papers of the methods that a run used, and shoal itself, as BibTeX."""
    from shoal.after.citing import cite as cite_run
    from shoal.cli.files import check_output
    from shoal.cli.output import print_text
    from shoal.runs.writing import write_atomically

    path = check_output(out, (".bib",), "BibTeX", force=force) if out else None
    text = cite_run(run)
    if path is None:
        print_text(text.rstrip("\n"))
    else:
        write_atomically(path, text)
