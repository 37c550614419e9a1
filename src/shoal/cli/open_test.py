"""`shoal open`: the test rows of sealed runs, opened once for all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from shoal.cli.options import Json, Quiet

if TYPE_CHECKING:
    from shoal.after.unsealing import OpenedRuns

Runs = Annotated[
    list[str],
    typer.Argument(metavar="RUN RUN...", help="folders of sealed runs; the others are compared with the first"),
]
Data = Annotated[
    str | None, typer.Option("--data", metavar="FILE", help="where the data of the fit are now, if they were moved")
]


def open_test(runs: Runs, *, data: Data = None, as_json: Json = False, quiet: Quiet = False) -> None:
    """Open the test rows of runs that were fitted with --seal-test, once for all of them, and compare the runs.

    Name all runs that are to be compared: each is scored and its page written as without --seal-test, and their
    differences are quoted in pairs, at a level of 5 % for all of them together.
    """
    from shoal.after.unsealing import open_test as open_runs
    from shoal.cli.live import watching
    from shoal.cli.output import print_json

    with watching(quiet=quiet, plain_lines=False) as progress:
        opened = open_runs(*runs, data=data, progress=progress)
    if as_json:
        documents = [{"path": str(run.path), **run.metrics} for run in opened.runs]
        print_json({"runs": documents, "comparison": opened.comparison})
    else:
        _print(opened)


def _print(opened: OpenedRuns) -> None:
    from shoal.cli.compare import print_comparison
    from shoal.cli.fit import print_summary
    from shoal.cli.output import print_text

    first = opened.runs[0]
    if opened.comparison is None:
        print_summary(first, first.report().is_file())
        return
    print_comparison(opened.comparison, first.score_units)
    for run in opened.runs:
        print_text(f"page:    {run.report()}" if run.report().is_file() else f"run:     {run.path}")
