"""Derived columns and cuts: what is computed from the columns of a table, and which rows are left.

Both are kept with the model, and done again where it predicts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from shoal.data.expressions import names_in, parse_condition, parse_value
from shoal.data.functions import CONSTANTS
from shoal.errors import DataError, SettingError, counted, listing

_DEFINITION = re.compile(r"\s*([^=]*[^=<>!\s])\s*=(?!=)(.*)", re.DOTALL)


class RowCut(NamedTuple):
    """What a cut did: the condition, the rows before it, those that pass, and those that lack a value it needs."""

    condition: str
    rows: int
    passed: int
    missing: int


@dataclass(frozen=True)
class TableRules:
    """Derived columns and cuts.

    Attributes:
        derive: `name = expression` each, in the order in which they are computed; a later one may use an earlier one.
        where: conditions that rows must fulfil, one after the other.

    Expressions are those of `shoal.data.expressions`. A value that cannot be computed, such as the root of a negative
    number, is missing; a row that lacks a value which a condition needs does not fulfil it.

    Example:
        >>> rules = TableRules.of(["pt = hypot(px, py)"], ["pt > 2"])
        >>> refined = rules.apply(pl.DataFrame({"px": [3.0, 0.1, None], "py": [4.0, 0.1, 1.0]}))
        >>> refined.table["pt"].to_list()[0], refined.passed.tolist(), refined.cuts[0].missing
        (5.0, [True, False, False], 1)
    """

    derive: tuple[str, ...] = ()
    where: tuple[str, ...] = ()

    @classmethod
    def of(cls, derive: Any = None, where: Any = None) -> TableRules:
        """Return the rules from texts, lists of them or None; derived columns may be a dict from name to expression.

        Raises:
            SettingError: a derived column has no name, or two have the same.
        """
        if isinstance(derive, Mapping):
            derive = [f"{name} = {text}" for name, text in derive.items()]
        rules = cls(_texts(derive), _texts(where))
        names = list(rules.definitions)
        if len(names) < len(rules.derive):
            raise SettingError(f"derive: two columns are called alike; got {listing(map(repr, rules.derive))}")
        return rules

    @property
    def definitions(self) -> dict[str, str]:
        """The expression of each derived column by its name."""
        return dict(_definition(text) for text in self.derive)

    def __bool__(self) -> bool:
        """Whether there is anything to do."""
        return bool(self.derive or self.where)

    def apply(self, table: pl.DataFrame, read: pl.DataFrame | None = None) -> RefinedTable:
        """Return a table with the derived columns, and which of its rows pass.

        Args:
            table: any.
            read: the same as it is meant, for instance with -999 as missing; None: as it is.

        Raises:
            SettingError: an expression makes no sense on these columns, or a derived column is there already.
        """
        taken = [name for name in self.definitions if name in table.columns]
        if taken:
            raise SettingError(f"derive: there is a column {taken[0]!r} already; take another name")
        table, read = self._derived(table, table if read is None else read)
        passed, cuts = np.ones(table.height, bool), []
        for condition in self.where:
            fulfilled = _computed(read, condition, "where", parse_condition)
            left = passed & fulfilled.fill_null(False).to_numpy()
            lacking = int((fulfilled.is_null().to_numpy() & passed).sum())
            cuts.append(RowCut(condition, int(passed.sum()), int(left.sum()), lacking))
            passed = left
        return RefinedTable(table, passed if self.where else None, tuple(cuts))

    def apply_again(self, table: pl.DataFrame, read: pl.DataFrame) -> tuple[RefinedTable, tuple[str, ...]]:
        """Return new rows refined as those of the fit, and in sentences what could not be done for want of columns.

        Derived columns that the data have already are computed anew where that can be done.
        """
        known, left, lacking = set(read.columns), [], []
        for text in self.derive:
            name, expression = _definition(text)
            if not _lacking(expression, known):
                left.append(text)
                known.add(name)
        where = []
        for condition in self.where:
            if missing := _lacking(condition, known):
                lacking.append(f"the cut {condition!r} is not made, since the data lack {listing(map(repr, missing))}")
            else:
                where.append(condition)
        possible = TableRules(tuple(left), tuple(where))
        again = [name for name in possible.definitions if name in table.columns]
        return possible.apply(table.drop(again), read.drop(again)), tuple(lacking)

    def depend_on(self, columns: Iterable[str]) -> set[str]:
        """Return the cuts that depend on some columns, also by way of derived ones.

        Example:
            >>> TableRules.of(["pt = hypot(px, py)"], ["pt > 20", "abs(eta) < 2.5"]).depend_on(["px"])
            {'pt > 20'}
        """
        moved = set(columns)
        for name, expression in self.definitions.items():
            if names_in(expression) & moved:
                moved.add(name)
        return {condition for condition in self.where if names_in(condition) & moved}

    def derived_anew(self, table: pl.DataFrame) -> pl.DataFrame:
        """Return a table that has all columns with those that are derived computed from the others again."""
        if not self.derive:
            return table
        order, bare = table.columns, table.drop(list(self.definitions), strict=False)
        return self._derived(bare, bare)[0].select(order)

    def _derived(self, table: pl.DataFrame, read: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        for name, expression in self.definitions.items():
            column = _computed(read, expression, f"derive: {name}", parse_value).alias(name)
            table, read = table.with_columns(column), read.with_columns(column)
        return table, read

    def to_dict(self) -> dict[str, list[str]]:
        """Return the rules as plain data for JSON."""
        return {"derive": list(self.derive), "where": list(self.where)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> TableRules:
        """Return what `to_dict` described."""
        return cls(tuple(data["derive"]), tuple(data["where"]))


class RefinedTable(NamedTuple):
    """A table with derived columns, `(rows,)` whether each row passes all cuts (None without), and what each did."""

    table: pl.DataFrame
    passed: np.ndarray | None = None
    cuts: tuple[RowCut, ...] = ()

    def check_passed(self) -> None:
        """Raise DataError if no row passes, where one is needed."""
        if self.passed is not None and len(self.passed) and not self.passed.any():
            raise DataError(f"no row passes the cuts: {'; '.join(map(in_words, self.cuts))}")


def in_words(cut: RowCut) -> str:
    """Return what a cut did, in words."""
    lacking = f", {cut.missing:,} lack a value it needs" if cut.missing else ""
    return f"{cut.condition}: {cut.passed:,} of {counted(cut.rows, 'row')} pass{lacking}"


def _texts(given: Any) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else tuple(given or ())


def _definition(text: str) -> tuple[str, str]:
    match = _DEFINITION.fullmatch(text)
    if match is None or not match[2].strip():
        raise SettingError(f"derive: expected NAME = EXPRESSION, such as 'pt = hypot(px, py)', got {text!r}")
    return match[1].strip(), match[2].strip()


def _lacking(text: str, columns: set[str]) -> list[str]:
    """Return the names of an expression that are neither columns nor constants."""
    return sorted(names_in(text) - columns - set(CONSTANTS))


def _computed(table: pl.DataFrame, text: str, setting: str, parse: Any) -> pl.Series:
    """Return what an expression gives on the rows of a table; an infinite number is missing."""
    try:
        series = table.select(parse(text, table.schema).alias("value")).get_column("value")
    except SettingError as error:
        raise SettingError(f"{setting}: {error}") from None
    except pl.exceptions.PolarsError as error:
        raise SettingError(f"{setting}: {text!r} cannot be computed: {str(error).splitlines()[0]}") from error
    if series.dtype.is_float():
        series = series.set(~series.is_finite().fill_null(True), None)
    return series.extend_constant(series[0], table.height - 1) if len(series) == 1 < table.height else series
