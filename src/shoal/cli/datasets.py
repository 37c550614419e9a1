"""`shoal datasets`: the data sets that shoal brings along."""

from __future__ import annotations

from shoal.cli.options import Json


def datasets(*, as_json: Json = False) -> None:
    """List the built-in data sets with rows, columns and task."""
    from shoal.cli.output import print_json, print_table
    from shoal.data.builtin.sets import BUILTIN

    columns = ("name", "rows", "columns", "task", "about")
    rows = [(s.name, s.rows, s.columns, s.task_name, s.about) for s in BUILTIN.values()]
    if as_json:
        print_json([dict(zip(columns, row, strict=True)) for row in rows])
    else:
        print_table(columns, rows, right=(1, 2))
