"""`shoal candidates`: every candidate of a run, with its score and its hyperparameters."""

from __future__ import annotations

from shoal.cli.options import Force, Json, RunArgument
from shoal.cli.table_options import Columns, Sort, TableOut, Where, arranged, print_rows_of, selected, write_rows

SHOWN = ("id", "kept", "status", "score", "score_error", "networks", "parameters", "epochs_trained")
"""What is measured of candidates and stands on the screen."""


def candidates(
    run: RunArgument,
    *,
    where: Where = None,
    sort: Sort = "score",
    columns: Columns = None,
    out: TableOut = None,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """List every candidate of a run with its score and its hyperparameters, the best first.

    The score is the mean of the cross-fitted validation losses of its networks, lower is better. On the screen stand
    the hyperparameters that differ; files and --json have all, and the interval of the score.
    """
    from shoal.cli.output import print_json, print_text
    from shoal.run import load
    from shoal.runs.candidate_table import MEASURED

    everyone = load(run).candidates
    table = arranged(everyone, where, sort)
    shown = selected(table, columns) if columns else table
    if out is not None:
        write_rows(shown, out, force=force)
    elif as_json:
        print_json(shown.to_dicts())
    elif table.is_empty():
        print_text(f"None of the {everyone.height} candidates fulfils {where!r}.")
    else:
        differing = [name for name in everyone.columns if name not in MEASURED and everyone[name].n_unique() > 1]
        print_rows_of(shown if columns else table.select([*SHOWN, *differing]))
