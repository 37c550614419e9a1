"""`shoal datasets`: the data sets that shoal brings along."""

from __future__ import annotations

from shoal.cli.options import Json


def datasets(*, as_json: Json = False) -> None:
    """List the built-in data sets with rows, columns and task."""
    from shoal.cli.output import print_json, print_table
    from shoal.data.builtin.sets import BUILTIN

    if as_json:
        print_json(
            [
                {"name": s.name, "rows": s.rows, "columns": s.columns, "task": s.task_name, "about": s.about}
                for s in BUILTIN.values()
            ]
        )
        return
    rows = [(s.name, s.rows, s.columns, s.task_name, s.about) for s in BUILTIN.values()]
    print_table(("name", "rows", "columns", "task", "about"), rows, right=(1, 2))
