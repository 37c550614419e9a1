"""From columns of text to columns of numbers, and which texts mean that a value is missing."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import polars as pl

from shoal.data.readers.options import ReadOptions
from shoal.data.readers.tables.number_formats import Evidence, NumberFormat, Parsed, choose_formats, usual
from shoal.data.units import unit_row
from shoal.errors import DataError, listing

MISSING = (
    "", "NA", "N/A", "n/a", "na", "NaN", "nan", "NAN", "-nan", "-NaN", "+nan", "NaT", "NULL", "Null", "null",
    "None", "#N/A", "#NA", "<NA>", "?", "-", "--",
)  # fmt: skip
_MISSING = frozenset(MISSING)
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*([eE][+-]?\d+)?|\.\d+([eE][+-]?\d+)?|inf|infinity|nan)", re.IGNORECASE)


def is_missing(text: str) -> bool:
    """Return whether this text stands for no value.

    Example:
        >>> is_missing("N/A"), is_missing("0")
        (True, False)
    """
    return text in _MISSING


def is_number(text: str) -> bool:
    """Return whether this text is a number with a decimal point.

    Example:
        >>> is_number("-1.5e3"), is_number("1,5")
        (True, False)
    """
    return _NUMBER.fullmatch(text) is not None


def is_decimal(text: str) -> bool:
    """Return whether this text is a number with a decimal point or a decimal comma."""
    return is_number(text) or is_number(text.replace(",", ".", 1))


def units_on_top(rows: Sequence[Sequence[str]]) -> list[str] | None:
    """Return the units in the first of the rows below a header, or None if it is a row of data."""
    numbers = [[is_missing(value) or is_decimal(value) for value in row] for row in rows[1:]]
    return unit_row(rows[0], numbers) if rows else None


class Typed(NamedTuple):
    """A table with types, what was done to it, and for columns of numbers that are written otherwise their formats."""

    table: pl.DataFrame
    notes: tuple[str, ...]
    units: Mapping[str, str]
    formats: Mapping[str, str]


def typed(
    table: pl.DataFrame,
    *,
    source: str,
    where: Callable[[int], str],
    options: ReadOptions = ReadOptions(),
    delimiter: str | None = None,
) -> Typed:
    """Return the table with each column of numbers as Int64 or Float64 and missing texts as null.

    Args:
        table: Any columns; those of text are converted, others stay.
        source: The file, for messages.
        where: The place of a row of the table, such as "line 7".
        options: The user's word on decimal commas and missing texts, and how the fit read columns.
        delimiter: What separates fields of the file.

    Returns:
        A table of the same shape; the unit of columns whose numbers carry one, as percent signs.

    Raises:
        DataError: A column of numbers holds a few texts, or a decimal comma is ambiguous.

    Example:
        >>> typed(pl.DataFrame({"a": ["1", "NA"]}), source="x", where=str).table["a"].to_list()
        [1, None]
    """
    texts = [name for name, kind in table.schema.items() if kind == pl.String]
    columns = {name: _parse(table[name], options.missing_texts(name)) for name in texts}
    evidence = Evidence(source, where, options.decimal_comma, delimiter, options.formats)
    written = choose_formats(columns, _with_points(table) if columns else {}, evidence)
    columns |= {name: parsed for name, (_, parsed) in written.items()}
    typed_table = table.with_columns(_finish(name, column, source, where) for name, column in columns.items())
    formats = {name: form for name, (form, _) in written.items()}
    new = {name: form for name, form in formats.items() if str(form) != options.formats.get(name)}
    return Typed(typed_table, tuple(said_of_formats(new, typed_table)), *units_and_samples(formats))


def said_of_formats(formats: Mapping[str, NumberFormat], table: pl.DataFrame) -> Iterator[str]:
    """Give sentences on how the numbers of columns were read.

    Args:
        formats: of columns.
        table: the columns as read.
    """
    for sample in dict.fromkeys(map(str, formats.values())):
        names = [name for name, form in formats.items() if str(form) == sample]
        largest = max(float(np.nanmax(np.abs(table[name].to_numpy()))) for name in names)
        yield f"{listing(map(repr, names))}: read as numbers that are written like {sample} (up to {largest:g})."


def units_and_samples(formats: Mapping[str, NumberFormat]) -> tuple[dict[str, str], dict[str, str]]:
    """Return the units that the numbers of columns carry, and the formats as texts."""
    units = {name: form.affix for name, form in formats.items() if form.affix}
    return units, {name: str(form) for name, form in formats.items()}


def _parse(column: pl.Series, also_missing: Collection[str]) -> Parsed:
    text = column.str.strip_chars()
    numbers = text.cast(pl.Float64, strict=False)
    if numbers.null_count() > text.null_count():
        markers = [m for m in MISSING if m != "-"] if (text == "+").any() else list(MISSING)
        markers += also_missing
        numbers = usual(text).cast(pl.Float64, strict=False)
        text = text.to_frame().select(pl.when(~pl.first().is_in(markers)).then(pl.first())).to_series()
    # What reads as NaN is missing in the text as well, so that it never counts as unreadable.
    if numbers.is_nan().any():
        text = text.zip_with(~numbers.is_nan().fill_null(value=False), pl.Series([None], dtype=pl.String))
        numbers = numbers.fill_nan(None)
    return Parsed(text.alias(column.name), numbers)


def _with_points(table: pl.DataFrame) -> dict[str, Parsed]:
    """Columns that already are numbers with decimals, in the same form as those of text."""
    with_points = {}
    for column in table.select(pl.col(pl.Float64)).get_columns():
        decimals = column.set(column.is_infinite() | (column == column.round()), None)
        with_points[column.name] = Parsed(decimals.cast(pl.String), decimals)
    return with_points


def _finish(name: str, column: Parsed, source: str, where: Callable[[int], str]) -> pl.Series:
    if not column.is_number:
        return column.text
    if column.unreadable:
        bad = (column.text.is_not_null() & column.numbers.is_null()).arg_true()
        row = int(bad[0])
        more = f" ({bad.len()} such rows)" if bad.len() > 1 else ""
        raise DataError(
            f"{source}, {where(row)}: column {name!r} should hold numbers, found the text "
            f"{_short(column.text[row])}{more}. Correct it, leave it empty, or remove the column."
        )
    if column.text.head(100).cast(pl.Int64, strict=False).null_count() == column.text.head(100).null_count():
        integers = column.text.cast(pl.Int64, strict=False)
        if integers.null_count() == column.text.null_count():
            return integers
    return column.numbers.alias(name)


def _short(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:37] + "...")
