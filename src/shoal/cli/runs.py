"""`shoal runs`: the runs of a folder."""

from __future__ import annotations

from typing import Annotated

import typer

from shoal.cli.options import Json

Folder = Annotated[str, typer.Argument(metavar="[FOLDER]", help="folder that holds runs", show_default=True)]


def runs(folder: Folder = "runs", *, as_json: Json = False) -> None:
    """List the finished runs of a folder, oldest first."""
    from shoal.cli.output import interval, label, print_json, print_table, print_text
    from shoal.report.words import joined
    from shoal.runs.listing import list_runs
    from shoal.runs.looks import looks_in

    summaries = list_runs(folder)
    if as_json:
        counts = {name: looks.count for names, looks in looks_in(folder).values() for name in names}
        print_json([{**run.as_dict(), "test_looks": counts.get(run.name)} for run in summaries])
    elif not summaries:
        print_text(f"No finished runs in {folder!r}; `shoal fit iris` makes one in 'runs'.")
    else:
        rows = [
            (
                run.path,
                ", ".join(run.target),
                run.task,
                f"{label(run.score_name, run.unit)} {interval(run.score)}",
                f"{run.kept} of {run.networks}",
                run.when.astimezone().strftime("%Y-%m-%d %H:%M"),
            )
            for run in summaries
        ]
        print_table(("run", "target", "task", "test score [95 %]", "networks kept", "when"), rows, right=(4,))
        for names, looks in looks_in(folder).values():
            print_text(f"{joined(names)}: {looks.sentence}")
