"""`shoal describe`: the columns of a table, before anything is trained."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from shoal.cli.from_settings import CUTTING, READING, ROLES, read_options, with_settings
from shoal.cli.options import DataArgument, Json

if TYPE_CHECKING:
    from shoal.data.dataset import Dataset
    from shoal.data.describe import Description


def describe(data: DataArgument, *, settings: dict[str, Any], as_json: Json = False) -> None:
    """Show the columns of a table (or the images or series), what they are for, and what to look out for."""
    from shoal.cli.output import print_json
    from shoal.data.describe import describe as describe_dataset

    description = describe_dataset(_load(data, settings))
    if as_json:
        print_json(description.as_dict())
    else:
        _print(description)


def command() -> Callable[..., None]:
    """Return the command with the flags for roles, reading and cutting."""
    return with_settings(describe, ROLES + READING + CUTTING)


def _load(data: str, settings: dict[str, Any]) -> Dataset:
    from shoal.data.loading import load_dataset
    from shoal.data.roles import roles_from_toml
    from shoal.settings import check_settings

    checked = check_settings(settings)
    roles = roles_from_toml(checked.roles) if checked.roles else None
    names = {name: _plain(getattr(checked, name)) for name in ROLES + CUTTING if name != "roles"}
    return load_dataset(data, roles=roles, options=read_options(settings), **names)


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _print(description: Description) -> None:
    from shoal.cli.guard import tell
    from shoal.cli.output import print_table, print_text
    from shoal.errors import listing

    columns = len(description.columns)
    print_text(f"{description.name}: {description.rows} rows, {columns} columns; {description.task_name}")
    for line in description.signals.lines() if description.signals else ():
        print_text(line)
    if description.classes:
        print_text("classes: " + listing(f"{name} ({rows})" for name, rows in description.classes.items()))
    head = ("column", "type", "role", "missing", "distinct", "lowest", "highest", "unit", "why dropped")
    rows = [(*row[:-1], description.units.get(row[0], ""), row[-1]) for row in description.lines()]
    shown = [i for i in range(len(head)) if i < 7 or any(row[i] for row in rows)]
    print_table([head[i] for i in shown], [[row[i] for i in shown] for row in rows], right=(3, 4, 5, 6))
    for note in description.notes:
        print_text(note)
    for warning in description.warnings:
        tell("warning", warning)
