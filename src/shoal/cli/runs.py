"""`shoal runs`: the runs of a folder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from shoal.cli.options import Force, Json
from shoal.cli.table_options import Columns, Sort, TableOut, Where, arranged, print_rows_of, selected, write_rows

if TYPE_CHECKING:
    from shoal.runs.listing import RunSummary

Folder = Annotated[str, typer.Argument(metavar="[FOLDER]", help="folder that holds runs", show_default=True)]


def runs(
    folder: Folder = "runs",
    *,
    where: Where = None,
    sort: Sort = None,
    columns: Columns = None,
    out: TableOut = None,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """List the finished runs of a folder, oldest first."""
    from shoal.cli.output import print_json, print_text
    from shoal.report.words import joined
    from shoal.runs.listing import list_runs, runs_table
    from shoal.runs.looks import looks_in

    summaries, looks = list_runs(folder), looks_in(folder)
    counts = {name: of_rows.count for names, of_rows in looks.values() for name in names}
    table = arranged(runs_table(summaries, counts).with_row_index("place"), where, sort)
    chosen = [summaries[place] for place in table["place"]]
    table = table.drop("place")
    if out is not None:
        write_rows(selected(table, columns) if columns else table, out, force=force)
    elif as_json and columns:
        print_json(selected(table, columns).to_dicts())
    elif as_json:
        print_json([{**run.as_dict(), "test_looks": counts.get(run.name)} for run in chosen])
    elif not summaries:
        print_text(f"No finished runs in {folder!r}; `shoal fit iris` makes one in 'runs'.")
    elif not chosen:
        print_text(f"None of the {len(summaries)} runs fulfils {where!r}.")
    elif columns:
        print_rows_of(selected(table, columns))
    else:
        _print(chosen)
        for names, of_rows in looks.values():
            if {run.name for run in chosen} & set(names):
                print_text(f"{joined(names)}: {of_rows.sentence}")


def _print(summaries: list[RunSummary]) -> None:
    from shoal.cli.output import interval, label, print_table

    rows = [
        (
            run.path,
            ", ".join(run.target),
            run.task,
            "sealed" if run.sealed else f"{label(run.score_name, run.unit)} {interval(run.score)}",
            f"{run.kept} of {run.networks}",
            run.when.astimezone().strftime("%Y-%m-%d %H:%M"),
        )
        for run in summaries
    ]
    print_table(("run", "target", "task", "test score [95 %]", "networks kept", "when"), rows, right=(4,))
