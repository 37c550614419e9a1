"""How columns are read beyond what a file says: dates and numbers in people's formats, and values that mean "missing".

It is decided once, on the data of the fit, for whole columns, said before training, and saved with the model.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import polars as pl

from shoal.data.conversion import check_read, tidy_column
from shoal.data.dates import counted_dates, date_format, to_moments
from shoal.data.readers.options import ReadOptions, same_column
from shoal.data.readers.tables.number_formats import Evidence, NumberFormat, Parsed, choose_formats
from shoal.data.readers.tables.values import said_of_formats, units_and_samples
from shoal.data.roles import Roles
from shoal.data.signals import Signals
from shoal.errors import DataError, listing, suggest


@dataclass(frozen=True)
class ColumnReading:
    """How columns are read.

    Attributes:
        formats: of columns that need one: of dates (see `shoal.data.dates`), or `1234.5` as they would write it.
        missing: values that mean that there is none, as in `ReadOptions`.

    Example:
        >>> reading = ColumnReading({"when": "day/month/year"}, ("-999",))
        >>> str(reading.read(pl.Series("when", ["01/02/2025"]))[0]), reading.read(pl.Series("x", [1, -999])).to_list()
        ('2025-02-01', [1, None])
    """

    formats: Mapping[str, str] = field(default_factory=dict)
    missing: tuple[str, ...] = ()

    def read(self, series: pl.Series) -> pl.Series:
        """Return a column as the fit read it.

        Raises:
            DataError: a text is written otherwise; the message names the row.
        """
        series = without(tidy_column(series), ReadOptions(missing=self.missing).missing_texts(series.name))
        form = self.formats.get(series.name)
        if form is None or (series.dtype == pl.String and series.null_count() == len(series)):
            return series
        number = NumberFormat.of(form)
        if number is None:
            read = to_moments(series, form)
            check_read(series, read, f"dates that are written {form}, as in training")
            return read
        if series.dtype != pl.String:
            return series
        read = number.read(series).alias(series.name)
        check_read(series, read, f"numbers that are written like {form}, as in training")
        return read

    def read_signals(self, signals: Signals) -> Signals:
        """Return series without the values that mean that there is none; images as they are."""
        texts = {name: ReadOptions(missing=self.missing).missing_texts(name) for name in signals.channels}
        return signals.without({name: _numbers(values).to_list() for name, values in texts.items() if values})

    def read_table(self, table: pl.DataFrame) -> pl.DataFrame:
        """Return a table whose columns are read so."""
        return table.with_columns(self.read(series) for series in table.get_columns()) if self else table

    def __bool__(self) -> bool:
        """Whether anything is to be done."""
        return bool(self.formats or self.missing)

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data for JSON."""
        return {"formats": dict(self.formats), "missing": list(self.missing)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> ColumnReading:
        """Return what `to_dict` described."""
        return cls(dict(data["formats"]), tuple(data["missing"]))


def without(series: pl.Series, values: tuple[str, ...]) -> pl.Series:
    """Return a tidied column in which some values, as texts, are missing; numbers are compared as numbers."""
    if not values:
        return series
    if series.dtype == pl.String:
        return series.set(series.is_in(list(values)), None)
    numbers = _numbers(values)
    if not series.dtype.is_numeric() or not len(numbers):
        return series
    return series.set(series.cast(pl.Float64).is_in(numbers.implode()).fill_null(False), None)


def _numbers(texts: tuple[str, ...]) -> pl.Series:
    return pl.Series(texts).cast(pl.Float64, strict=False).drop_nulls()


class ReadColumns(NamedTuple):
    """A table as read, how, what was done in sentences, and units that the numbers carried."""

    table: pl.DataFrame
    reading: ColumnReading
    notes: tuple[str, ...]
    units: Mapping[str, str]


def read_columns(
    table: pl.DataFrame,
    roles: Roles,
    options: ReadOptions,
    known: ColumnReading,
    source: str,
    channels: tuple[str, ...] = (),
) -> ReadColumns:
    """Find out how the columns of a tidied table are read, and read them.

    Args:
        table: tidied.
        roles: columns without a meaning for networks (id, group, ignored) stay as they are.
        options: the user's word.
        known: how columns were read before.
        source: what the data are called in messages.
        channels: of series beside the table.

    Raises:
        DataError: a column may be meant in two ways, or a value is declared missing in a column that is not there.
    """
    _check_missing([*table.columns, *channels], options)
    cleared = [without(series, options.missing_texts(series.name)) for series in table.get_columns()]
    notes = list(_said_of_missing(table, cleared, options))
    table = pl.DataFrame(cleared)
    names = _meant(table, roles)
    dates: dict[str, str] = {}
    for name in names:
        form = date_format(
            table[name], day_first=options.day_first, earlier=known.formats.get(name, ""), where=_row_name
        )
        if form is not None:
            dates[name] = form
    table = table.with_columns(to_moments(table[name], form) for name, form in dates.items())
    notes += [_said_of_dates(table[name], form) for name, form in dates.items()]
    evidence = Evidence(source, _row_name, options.decimal_comma, formats=known.formats, strict=True)
    schema = table.schema
    texts = {name: _parsed(table[name]) for name in names if schema[name] == pl.String}
    written = choose_formats(texts, {}, evidence)
    table = table.with_columns(parsed.numbers.alias(name) for name, (_, parsed) in written.items())
    number_formats = {name: form for name, (form, _) in written.items()}
    units, formats = units_and_samples(number_formats)
    notes += [*said_of_formats(number_formats, table), *_said_of_clocks(table, names)]
    missing = tuple(dict.fromkeys((*known.missing, *options.missing)))
    reading = ColumnReading({**known.formats, **dates, **formats}, missing)
    return ReadColumns(table, reading, tuple(notes), units)


def _row_name(row: int) -> str:
    return f"row {row + 1}"


def _parsed(series: pl.Series) -> Parsed:
    return Parsed(series, series.cast(pl.Float64, strict=False))


def _meant(table: pl.DataFrame, roles: Roles) -> list[str]:
    """Return the columns whose values mean something: features, targets and their errors, weight and time."""
    pairs = list(roles.pairs())
    useful = {name for role, name in pairs if role not in ("id", "group", "ignored")}
    others = {name for _, name in pairs} - useful
    features = table.columns if roles.features is None else roles.features
    return [name for name in table.columns if name in useful or (name in features and name not in others)]


def _check_missing(names: list[str], options: ReadOptions) -> None:
    for text in options.missing:
        name, equals, _ = text.rpartition("=")
        if equals and not any(same_column(name, column) for column in names):
            raise DataError(
                f"missing={text!r}: there is no column {name!r}; the columns are: {listing(names)}."
                + suggest(name, names)
            )


def _said_of_missing(table: pl.DataFrame, cleared: list[pl.Series], options: ReadOptions) -> Iterator[str]:
    if not options.missing:
        return
    counts = {s.name: s.null_count() - table[s.name].null_count() for s in cleared}
    held = [f"{count:,} of {name!r}" for name, count in counts.items() if count]
    values = listing(dict.fromkeys(text.rpartition("=")[2] for text in options.missing))
    yield f"{values}: taken as missing" + (f", in {listing(held)}." if held else ".")


def _said_of_dates(moments: pl.Series, form: str) -> str:
    shown = " … ".join(f"{end:%Y-%m-%d}" for end in (moments.dt.min(), moments.dt.max()))
    return f"{moments.name!r}: read as dates that are written {form} ({shown})."


def _said_of_clocks(table: pl.DataFrame, names: list[str]) -> Iterator[str]:
    for name in names:
        if counted := counted_dates(table[name]):
            yield f"{name!r} seems to hold {counted}, by its name and range; it stays a number."
