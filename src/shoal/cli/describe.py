"""`shoal describe`: the columns of a table, before anything is trained."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from shoal.cli.from_settings import READING, with_settings
from shoal.cli.options import DataArgument, Json
from shoal.setting_panels import CUTTING, EXPRESSIONS, ROLES

if TYPE_CHECKING:
    from shoal.data.describe import Description


@with_settings(ROLES + READING + CUTTING + EXPRESSIONS)
def describe(data: DataArgument, *, settings: dict[str, Any], as_json: Json = False) -> None:
    """Show the columns of a table (or the images or series), what they are for, and what to look out for."""
    from shoal.cli.output import print_json
    from shoal.data.describe import describe as describe_dataset
    from shoal.data.loading import load_dataset
    from shoal.data.readers.tables.chosen_table import SeveralTables
    from shoal.data.target_choice import TargetMissing
    from shoal.settings import check_settings
    from shoal.steps.reading import loading_options

    options = loading_options(check_settings(settings))
    try:
        dataset = load_dataset(data, **options)
        description, headline = describe_dataset(dataset), dataset.announcement()
    except SeveralTables as several:  # they are what there is to choose from
        _print_tables(data, several.tables, as_json=as_json)
        return
    except TargetMissing as missing:  # the columns are shown all the same: one looks at them to choose
        columns = describe_dataset(load_dataset(data, **_without_target(options)))
        description, headline = replace(columns, task_name="no target named"), f"predicting nothing yet: {missing}"
    if as_json:
        print_json({**description.as_dict(), "headline": headline})
    else:
        _print(description, headline)


def _print_tables(data: str, tables: dict[str, str], *, as_json: bool) -> None:
    from shoal.cli.output import print_json, print_table, print_text

    if as_json:
        print_json({"tables": tables})
        return
    print_table(("table", "holds"), tables.items())
    print_text(f"{data} holds {len(tables)} tables; name one with --table")


def _without_target(options: dict[str, Any]) -> dict[str, Any]:
    """Return how to read a table of which no target is known: as one that is to be reconstructed."""
    for_targets = ("task", "y_err", "y_cov", "window", "series", "season", "horizon", "per_step")
    return {**{name: value for name, value in options.items() if name not in for_targets}, "reconstruct": True}


def _print(description: Description, headline: str) -> None:
    from shoal.cli.guard import tell
    from shoal.cli.output import print_table, print_text
    from shoal.errors import counted, listing

    size = counted(description.rows, description.row)
    if description.signals is None:
        size += f", {counted(len(description.columns), 'column')}"
    print_text(headline)
    print_text(f"{description.name}: {size}; {description.task_name}")
    for line in description.signals.lines() if description.signals else ():
        print_text(line)
    if description.classes:
        print_text("classes: " + listing(f"{name} ({rows:,})" for name, rows in description.classes.items()))
    head = ("column", "type", "role", "missing", "distinct", "lowest", "highest", "unit", "why dropped")
    rows = [(*row[:-1], description.units.get(row[0], ""), row[-1]) for row in description.lines()]
    shown = [i for i in range(len(head)) if i < 7 or any(row[i] for row in rows)]
    print_table([head[i] for i in shown], [[row[i] for i in shown] for row in rows], right=(3, 4, 5, 6))
    for note in description.notes:
        print_text(note)
    for warning in description.warnings:
        tell("warning", warning)
