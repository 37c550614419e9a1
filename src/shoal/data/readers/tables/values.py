"""From columns of text to columns of numbers, and which texts mean that a value is missing."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import polars as pl

from shoal.data.units import unit_row
from shoal.errors import DataError

MISSING = (
    "", "NA", "N/A", "n/a", "na", "NaN", "nan", "NAN", "-nan", "-NaN", "+nan", "NaT", "NULL", "Null", "null",
    "None", "#N/A", "#NA", "<NA>", "?", "-", "--",
)  # fmt: skip
_MISSING = frozenset(MISSING)
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*([eE][+-]?\d+)?|\.\d+([eE][+-]?\d+)?|inf|infinity|nan)", re.IGNORECASE)
_THOUSANDS = r"^[+-]?[1-9]\d{0,2},\d{3}$"
# At least nine numbers for each unreadable text: the column is meant to be numbers.
_FEW = 9


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


@dataclass(frozen=True)
class Parsed:
    """A column of text, with missing texts as null, beside what of it reads as numbers."""

    text: pl.Series
    numbers: pl.Series

    @property
    def unreadable(self) -> int:
        """How many texts are not numbers."""
        return self.text.len() - self.text.null_count() - self.readable

    @property
    def readable(self) -> int:
        """How many texts are numbers."""
        return self.numbers.len() - self.numbers.null_count()

    @property
    def is_number(self) -> bool:
        """Whether nearly all values are numbers, so that the rest must be mistakes."""
        return self.readable > 0 and self.readable >= _FEW * self.unreadable


def typed(
    table: pl.DataFrame,
    *,
    source: str,
    where: Callable[[int], str],
    decimal_comma: bool | None = None,
    comma_delimited: bool = False,
) -> pl.DataFrame:
    """Return the table with each column of numbers as Int64 or Float64 and missing texts as null.

    Args:
        table: Any columns; those of text are converted, others stay.
        source: The file, for messages.
        where: The place of a row of the table, such as "line 7".
        decimal_comma: Whether `1,5` is a number; None finds out.
        comma_delimited: Whether commas also separate fields, which makes `"1,500"` likely thousands.

    Returns:
        A table of the same shape.

    Raises:
        DataError: A column of numbers holds a few texts, or a decimal comma is ambiguous.

    Example:
        >>> typed(pl.DataFrame({"a": ["1", "NA"]}), source="x", where=str)["a"].to_list()
        [1, None]
    """
    texts = [name for name, kind in table.schema.items() if kind == pl.String]
    columns = {name: _parse(table[name]) for name in texts}
    commas = {} if decimal_comma is False else _comma_columns(columns)
    if decimal_comma is None and commas:
        if comma_delimited and all(c.text.str.contains(_THOUSANDS).all() for c in commas.values()):
            commas = {}
        _refuse_mixture(columns | _with_points(table), commas, source, where)
    columns |= commas
    return table.with_columns(_finish(name, column, source, where) for name, column in columns.items())


def _parse(column: pl.Series) -> Parsed:
    text = column.str.strip_chars()
    numbers = text.cast(pl.Float64, strict=False)
    if numbers.null_count() > text.null_count():
        markers = [m for m in MISSING if m != "-"] if (text == "+").any() else list(MISSING)
        text = text.to_frame().select(pl.when(~pl.first().is_in(markers)).then(pl.first())).to_series()
    # What reads as NaN is missing in the text as well, so that it never counts as unreadable.
    if numbers.is_nan().any():
        text = text.zip_with(~numbers.is_nan().fill_null(value=False), pl.Series([None], dtype=pl.String))
        numbers = numbers.fill_nan(None)
    return Parsed(text.alias(column.name), numbers)


def _comma_columns(columns: dict[str, Parsed]) -> dict[str, Parsed]:
    with_commas = {}
    for name, column in columns.items():
        if not column.unreadable:
            continue
        with_point = column.text.str.replace(",", ".", literal=True)
        replaced = Parsed(column.text, with_point.cast(pl.Float64, strict=False))
        if replaced.is_number and replaced.readable > column.readable:
            with_commas[name] = replaced
    return with_commas


def _with_points(table: pl.DataFrame) -> dict[str, Parsed]:
    """Columns that already are numbers with decimals, in the same form as those of text."""
    with_points = {}
    for column in table.select(pl.col(pl.Float64)).get_columns():
        decimals = column.set(column.is_infinite() | (column == column.round()), None)
        with_points[column.name] = Parsed(decimals.cast(pl.String), decimals)
    return with_points


def _refuse_mixture(
    columns: dict[str, Parsed], commas: dict[str, Parsed], source: str, where: Callable[[int], str]
) -> None:
    for name, column in columns.items():
        if not commas or (name not in commas and column.unreadable):
            continue
        points = (column.text.str.contains(".", literal=True) & column.numbers.is_not_null()).arg_true()
        if points.len() == 0:
            continue
        other, parsed = next(iter(commas.items()))
        comma = int(parsed.text.str.contains(",", literal=True).arg_true()[0])
        point = int(points[0])
        raise DataError(
            f"{source}: column {name!r} has the decimal point {column.text[point]!r} ({where(point)}) and "
            f"column {other!r} the comma {parsed.text[comma]!r} ({where(comma)}). "
            "Write all numbers one way, or set decimal_comma."
        )


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
