"""What a user may say about how data are read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from shoal.data.signals import SignalPreparation, Signals
from shoal.data.units import split_unit
from shoal.errors import SettingError

KINDS = ("table", "images", "series")


@dataclass(frozen=True)
class ReadOptions:
    """How to read a file where its content does not say so; `None` means found from the content.

    Args:
        delimiter: One character, or "comma", "semicolon", "tab", "bar", "space" or "whitespace" (text files).
        decimal_comma: Whether `1,5` is one and a half (text and Excel).
        header: Whether the first row holds the column names (text and Excel).
        encoding: Any encoding that Python knows, e.g. "utf-16" (text); UTF-8, then Latin-1 by default.
        sheet: Name of the sheet (Excel); the first one by default.
        table: Name of the table where a file holds several (FITS, ROOT); by default the only one.
        query: SELECT statement by which rows are read from a database (SQLite, DuckDB, PostgreSQL), instead of a table.
        list_values: How many values of lists of any length become columns (ROOT, FITS, awkward); 4 by default.
        file_column: Name of a column to make that says from which file a row is, where several are one table.
        kind: "table", "images" or "series", where arrays could be either.
        image_size: Height and width to which images are brought, as "64x64"; by default that of most of them.
        per_step: Whether arrays of series come with a target for each step; by default their shapes tell.
        day_first: Whether `01/02/2025` is the first of February, where no row of a column tells (tables).
        missing: Values that mean that there is none, such as "-999", in all columns or as "COLUMN=VALUE" (tables).
        convert_units: Whether columns in another unit than in the fit are converted; else they are refused (tables).
        formats: How the fit read columns of dates and numbers, by column; it settles what the data leave open.

    Example:
        >>> ReadOptions(delimiter=";", decimal_comma=True).header is None
        True
    """

    delimiter: str | None = None
    decimal_comma: bool | None = None
    header: bool | None = None
    encoding: str | None = None
    sheet: str | None = None
    table: str | None = None
    query: str | None = None
    list_values: int | None = None
    file_column: str | None = None
    kind: str | None = None
    image_size: str | None = None
    per_step: bool | None = None
    day_first: bool | None = None
    missing: tuple[str, ...] = ()
    convert_units: bool = False
    formats: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.kind not in (None, *KINDS):
            raise SettingError(f"kind: expected one of {', '.join(KINDS)}, got {self.kind!r}")
        if self.query is not None and not self.query.strip():
            raise SettingError("query: expected SELECT …, got an empty text")
        if self.query is not None and self.table is not None:
            raise SettingError("query and table both say what is read from a database; give one of them")

    def missing_texts(self, column: str) -> tuple[str, ...]:
        """Return the values that mean in a column that there is none.

        Example:
            >>> ReadOptions(missing=("-999", "mass=99")).missing_texts("mass")
            ('-999', '99')
        """
        pairs = [text.rpartition("=") for text in self.missing]
        return tuple(value for name, equals, value in pairs if not equals or same_column(name, column))


READING = tuple(field.name for field in fields(ReadOptions) if field.name not in ("per_step", "formats"))
"""The options that a user sets for a file of any kind."""


def read_options(given: Mapping[str, Any]) -> ReadOptions:
    """Return how to read a table, taken from what was given; None means: not given."""
    return ReadOptions(**{name: given[name] for name in READING if given.get(name) is not None})


def same_column(name: str, column: str) -> bool:
    """Return whether a name means a column, whose unit it may leave out."""
    return name in (column, split_unit(column).name)


def options_alike(options: ReadOptions, data: Any, like: Signals | SignalPreparation | None) -> ReadOptions:
    """Return options by which images in a folder get the size of others, and series their targets as others.

    A size that was asked for stays.

    Args:
        options: how to read.
        data: what is to be read.
        like: the others; None where there are none.
    """
    if like is not None and like.kind == "series":
        per_step = like.per_step if isinstance(like, SignalPreparation) else like.targets is not None
        return replace(options, per_step=per_step)
    if like is None or like.kind != "images" or options.image_size or not isinstance(data, str | Path):
        return options
    height, width, _ = like.shape
    return replace(options, image_size=f"{height}x{width}") if Path(data).is_dir() else options
