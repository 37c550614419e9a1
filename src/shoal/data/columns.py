"""The columns of a table: what each holds and what it is for."""

from __future__ import annotations

import enum
import functools
import re
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from shoal.data.conversion import check_finite, is_date, is_integer, is_truth
from shoal.data.roles import Roles
from shoal.errors import DataError, listing

_ID_NAME = re.compile(
    r"^(unnamed: ?\d*|#|id|idx|index|rows?|row[_ ]?(id|nr|number|index)|nr|no|number|.*[_ -]id|uuid|guid"
    r"|(?-i:.*[a-z]I[Dd]))$",
    re.I,
)
MEANINGFUL_COUNT = re.compile(r"(^t$|time|date|year|month|week|day|hour|minute|second|step|age)", re.I)
"""Names of columns that count up and mean something."""
MOST_LEVELS = 50
# How the reason of one column is said of several.
_PLURALS = (
    ("it has", "they have"),
    ("it is", "they are"),
    ("it numbers or names", "they number or name"),
    ("it ", "they "),
)


class Kind(enum.StrEnum):
    """What a column holds."""

    NUMBER = "number"
    CATEGORY = "category"
    BOOLEAN = "boolean"
    DATE = "date"
    TEXT = "text"
    IDENTIFIER = "identifier"
    CONSTANT = "constant"
    EMPTY = "empty"


@dataclass(frozen=True)
class Column:
    """One column: what it holds, what it is for and, if it was dropped, why.

    `role` is feature, target, y_err, weight, group, time, id, ignored or dropped.
    `distinct` counts different values, `missing` rows without one; `low` and `high` are the range.
    """

    name: str
    kind: Kind
    role: str
    reason: str = ""
    missing: int = 0
    distinct: int = 0
    low: float | str | None = None
    high: float | str | None = None


def find_columns(table: pl.DataFrame, roles: Roles) -> tuple[Column, ...]:
    """Return every column of a tidied table with its kind and role.

    A feature is dropped when it is empty, constant, a row number or other identifier, or text that is
    different in nearly every row; a column named among `roles.features` is dropped only when it is
    empty or constant.
    """
    role_of = {name: role for role, name in roles.pairs()}
    counts = distinct_counts(table)
    columns = []
    for series in table.get_columns():
        name = series.name
        role = role_of.get(name) or ("feature" if roles.features is None or name in roles.features else "ignored")
        asked = role != "feature" or roles.features is not None
        kind = column_kind(series, counts[name], asked=asked)
        reason = _why_dropped(series, kind, counts[name]) if role == "feature" else ""
        low, high = _range(series, kind)
        role, missing = "dropped" if reason else role, series.null_count()
        columns.append(Column(name, kind, role, reason, missing, counts[name], low, high))
    return _keep_counting_column(columns)


def distinct_counts(table: pl.DataFrame) -> dict[str, int]:
    """Return the number of different values of each column, missing ones not counted."""
    if not table.width:
        return {}
    row = table.select(pl.all().n_unique()).row(0)
    return {
        series.name: int(count) - (series.null_count() > 0)
        for series, count in zip(table.get_columns(), row, strict=True)
    }


def column_kind(series: pl.Series, distinct: int, *, asked: bool = False) -> Kind:
    """Return what a tidied column holds.

    Args:
        series: the column.
        distinct: its number of different values.
        asked: the user gave the column a role, so it is not suspected of being an identifier.
    """
    if distinct == 0:
        return Kind.EMPTY
    if distinct == 1 and not series.null_count():
        return Kind.CONSTANT
    if is_truth(series):
        return Kind.BOOLEAN
    if is_date(series):
        return Kind.DATE
    if not asked and is_identifier(series, distinct):
        return Kind.IDENTIFIER
    if series.dtype != pl.String:
        return Kind.NUMBER
    present = len(series) - series.null_count()
    near_unique = distinct > max(20, 0.5 * present) or distinct > 0.9 * present
    return Kind.TEXT if near_unique and not asked else Kind.CATEGORY


def is_identifier(series: pl.Series, distinct: int) -> bool:
    """Return whether a column numbers or names the rows: by its name, or since it counts up with the rows.

    Args:
        series: a tidied column.
        distinct: its number of different values.
    """
    if distinct < len(series) or not (series.dtype == pl.String or is_integer(series)):
        return False
    if _ID_NAME.match(series.name):
        return True
    # a row number starts at 0 or 1 and counts up; years, days and steps do so too, and mean something
    if series.dtype != pl.Int64 or series[0] not in (0, 1) or MEANINGFUL_COUNT.search(series.name):
        return False
    return bool((series.diff().drop_nulls() == 1).all())


def _why_dropped(series: pl.Series, kind: Kind, distinct: int) -> str:
    if kind is Kind.EMPTY:
        return "it has no values"
    if kind is Kind.CONSTANT:
        return f"it is {_shown(series[0])} in every row"
    if kind is Kind.IDENTIFIER:
        return "it numbers or names the rows"
    if kind is Kind.TEXT:
        return f"it is text with {distinct:,} different values in {len(series) - series.null_count():,} rows"
    return ""


def _shown(value: object) -> str:
    text = str(value)
    return repr(text if len(text) <= 30 else text[:29] + "…") if isinstance(value, str) else text


def _range(series: pl.Series, kind: Kind) -> tuple[float | str | None, float | str | None]:
    if kind is Kind.EMPTY:
        return None, None
    low, high = series.min(), series.max()
    if isinstance(low, bool | str) or not isinstance(low, int | float):
        return str(low), str(high)
    return float(low), float(high)  # type: ignore[arg-type]


def _keep_counting_column(columns: list[Column]) -> tuple[Column, ...]:
    """Take a counting column back as a number when nothing else is left to predict from."""
    if not any(column.role == "feature" for column in columns):
        for i, column in enumerate(columns):
            if column.kind is Kind.IDENTIFIER and isinstance(column.low, float):
                columns[i] = replace(column, kind=Kind.NUMBER, role="feature", reason="")
                break
    return tuple(columns)


def check_features(table: pl.DataFrame, columns: tuple[Column, ...], rows: np.ndarray | None = None) -> None:
    """Check that features exist and hold finite numbers, text, truth values or dates.

    Raises:
        DataError: nothing is left to predict from, or a column is infinite somewhere.
    """
    features = [column for column in columns if column.role == "feature"]
    if not features:
        why = "; ".join(f"{column.name!r}: {column.reason}" for column in columns if column.role == "dropped")
        raise DataError(
            "there is no column left to predict from"
            + (f" ({why})" if why else "")
            + "; a table needs a target and at least one feature"
        )
    for column in features:
        if column.kind is Kind.NUMBER:
            check_finite(column.name, table.get_column(column.name), rows)


def notes_on_identifiers(columns: tuple[Column, ...]) -> list[str]:
    """Say which columns are left out since they number or name the rows."""
    return _left_out(tuple(column for column in columns if column.kind is Kind.IDENTIFIER))


def _left_out(columns: tuple[Column, ...]) -> list[str]:
    notes = []
    reasons: dict[str, list[Column]] = {}
    for column in columns:
        if column.role == "dropped":
            text = "they are the same in every row" if column.kind is Kind.CONSTANT else column.reason
            reasons.setdefault(text, []).append(column)
    for text, dropped in reasons.items():
        plural = functools.reduce(lambda said, pair: said.replace(*pair), _PLURALS, text)
        why = dropped[0].reason if len(dropped) == 1 else plural
        notes.append(f"Left out {listing(column.name for column in dropped)}: {why}.")
    return notes


def notes_on_columns(columns: tuple[Column, ...]) -> list[str]:
    """Say which columns are left out and why, and which categories will be pooled."""
    notes = _left_out(columns)
    if dates := [column.name for column in columns if column.role == "feature" and column.kind is Kind.DATE]:
        notes.append(f"{listing(map(repr, dates))}: networks see dates as days since 1970-01-01, in UTC.")
    for column in columns:
        if column.role == "feature" and column.kind is Kind.CATEGORY and column.distinct > MOST_LEVELS:
            notes.append(
                f"{column.name!r} has {column.distinct:,} categories; the {MOST_LEVELS} most frequent are "
                "told apart and the rest count as 'other'."
            )
    return notes
