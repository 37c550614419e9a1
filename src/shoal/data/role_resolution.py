"""Which column has which role: by what the user says, by what the data bring with them, and by the names of columns."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from shoal.data.column_reading import ColumnReading, read_columns
from shoal.data.conversion import is_plain, tidy
from shoal.data.raw import Raw
from shoal.data.readers import ReadOptions
from shoal.data.roles import Roles
from shoal.data.series.cutting import Cutting
from shoal.data.target_choice import TargetChoice, find_target
from shoal.data.targets import find_errors
from shoal.data.units import units_of_names
from shoal.errors import DataError, listing


def with_roles(raw: Raw, named: Roles, options: ReadOptions) -> Raw:
    """Return data tidied and read, with the roles that the user names before those that they bring, and all units.

    Args:
        raw: the data as read from a file or Python.
        named: roles by the whole names of columns.
        options: the user's word on how columns are read.

    Raises:
        DataError: a column is not there, has two roles, or holds lists and the like.
    """
    roles = _roles_left(raw.roles, named).replaced(**named.named())
    raw = raw._replace(table=_plain_columns(tidy(raw.table), roles), roles=roles)
    roles.check(raw.column_names)
    reason = "named as the target" if named.target else _declared(raw) if roles.target else ""
    known = ColumnReading(raw.formats, raw.missing)
    source = raw.source if raw.source != "python" else "the data"
    channels = () if raw.signals is None else raw.signals.channels
    read = read_columns(raw.table, roles, options, known, source, channels)
    units = {**units_of_names(raw.column_names), **read.units, **raw.units, **roles.units}
    notes = (*raw.notes, *read.notes)
    signals = raw.signals and read.reading.read_signals(raw.signals)
    raw = raw._replace(table=read.table, signals=signals, notes=notes, units=units, choice=TargetChoice(reason))
    return raw._replace(formats=read.reading.formats, missing=read.reading.missing)


def _declared(raw: Raw) -> str:
    """Return how data say what their target is."""
    return f"the target of the built-in set {raw.name}" if raw.source == "built in" else "the target that the data name"


def _roles_left(brought: Roles, named: Roles) -> Roles:
    """Return what the data say about their own columns, as far as the user does not say otherwise."""
    taken = {name for _, name in named.pairs()} | set(named.features or [])
    if not brought.target or named.target in ([], brought.target):
        target, error_of, outputs = brought.target, brought.y_err, []
    else:
        target, errors = [], dict(zip(brought.target, brought.y_err, strict=False))
        error_of = [errors[name] for name in named.target if name in errors]
        error_of = error_of if len(error_of) == len(named.target) else []
        # another measured output, or the error of one, is no feature unless the user asks for it
        outputs = [*(brought.target if len(brought.target) > 1 else []), *brought.y_err]
    return Roles(
        target=target,
        y_err=[] if taken & set(error_of) else error_of,
        ignored=[name for name in outputs if name not in taken and name not in error_of],
        **{role: name for role in ("weight", "group", "time", "id") if (name := getattr(brought, role)) not in taken},
    )


def _plain_columns(table: pl.DataFrame, roles: Roles) -> pl.DataFrame:
    """Leave out ignored columns of lists and the like, and refuse others."""
    odd = [series for series in table.get_columns() if not is_plain(series)]
    for series in odd:
        if series.name not in roles.ignored:
            raise DataError(
                f"column {series.name!r} holds {str(series.dtype).lower()}, not one value per row; "
                "spread it over several columns or ignore it"
            )
    return table.drop([series.name for series in odd], strict=True) if odd else table


def without_errors(roles: Roles) -> Roles:
    """Return the roles with the columns of target errors ignored."""
    return replace(roles, y_err=[], ignored=[*roles.ignored, *roles.y_err])


def with_inferred_roles(raw: Raw, cutting: Cutting, *, errors: bool) -> tuple[Raw, list[str]]:
    """Return data with the target and its errors filled in where none were named, and sentences on how.

    Windows can forecast columns of numbers only. Without `errors`, which are known otherwise then, columns that are
    named like them are left out.
    """
    table, roles, notes = raw.table, raw.roles, []
    table = table.drop([name for name in (cutting.series,) if name in table.columns and name not in roles.target])
    if cutting.window is not None:
        text = [series.name for series in table.get_columns() if series.dtype == pl.String]
        table = table.drop([name for name in text if name not in roles.target])
    if not roles.target:
        target, why = find_target(table, roles)
        roles = replace(roles, target=target)
        raw = raw._replace(choice=TargetChoice(why, guessed=True))
        notes.append(f"No target was named; {listing(map(repr, target))} is taken: {why}.")
    columns = [] if roles.y_err else find_errors(table, roles.target, roles)
    if columns and errors:
        roles = replace(roles, y_err=columns)
        errors_of = f"measured errors of {listing(map(repr, roles.target))}"
        notes.append(f"{listing(map(repr, columns))}: taken by name as {errors_of}.")
    elif columns:
        roles = replace(roles, ignored=[*roles.ignored, *columns])
        notes.append(f"{listing(map(repr, columns))}: left out, since the covariance says how large the errors are.")
    return raw._replace(roles=roles), notes
