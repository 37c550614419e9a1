"""Numbers as people write them: decimal commas, thousands separators, percent signs and currencies.

A format is chosen for a column, never for a cell. `1,234` alone may be 1.234 or 1234: the option `decimal_comma`
settles it, else the other columns, else how the fit read the column, else the delimiter (`;` goes with decimal commas,
as spreadsheets write them, `,` with decimal points); where nothing does, the user is asked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple, Self

import polars as pl

from shoal.errors import DataError

_AFFIXES = ("%", "‰", "€", "$", "£", "¥", "CHF", "EUR", "USD", "GBP", "JPY")
_SAMPLE = re.compile(r"1(?P<group>.?)234(?P<decimal>[.,])5( (?P<affix>.+))?")
_AROUND = "|".join(map(re.escape, _AFFIXES))
_WITH_AFFIX = rf"^[+-]?\s?(?:({_AROUND})\s?[+-]?\d[\d.,' ]*|[\d.,' ]*\d\s?({_AROUND}))$"
_ODD = {"\u2009": " ", "\u202f": " ", "\u00a0": " ", "\u2019": "'", "\u2212": "-"}
_SEPARATED = r"\d[, '.]\d{3}|\d,|,\d"
# At least nine numbers for each unreadable text: the column is meant to be numbers.
_FEW = 9


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

    def first(self, mark: str) -> int | None:
        """Return the first row whose number is written with this mark, or None."""
        rows = (self.text.str.contains(mark, literal=True) & self.numbers.is_not_null()).arg_true()
        return int(rows[0]) if rows.len() else None


@dataclass(frozen=True)
class NumberFormat:
    """How numbers are written: the decimal mark, what separates thousands ("" for nothing), a sign that each carries.

    Example:
        >>> NumberFormat(",", ".").read(pl.Series(["1.234,5", "7"])).to_list()
        [1234.5, 7.0]
        >>> str(NumberFormat(".", "'", "CHF"))
        "1'234.5 CHF"
    """

    decimal: str
    group: str = ""
    affix: str = ""

    def __str__(self) -> str:
        return f"1{self.group}234{self.decimal}5{' ' if self.affix else ''}{self.affix}"

    @classmethod
    def of(cls, sample: str) -> Self | None:
        """Return the format of a number that is written as `str` writes it, or None."""
        match = _SAMPLE.fullmatch(sample)
        return None if match is None else cls(match["decimal"], match["group"], match["affix"] or "")

    def read(self, text: pl.Series) -> pl.Series:
        """Return texts in this format as Float64, null where they are in another; without the sign they may do."""
        text = usual(text)
        if self.affix:
            text = text.str.replace(self.affix, "", literal=True).str.replace_all(r"^\s+|\s+$|([+-])\s", "${1}")
        if self.group:
            group, decimal = re.escape(self.group), re.escape(self.decimal)
            grouped = rf"^[+-]?([1-9]\d{{0,2}}({group}\d{{3}})+|\d+)({decimal}\d*)?([eE][+-]?\d+)?$"
            text = text.set(~text.str.contains(grouped), None).str.replace_all(self.group, "", literal=True)
        if self.decimal == ",":
            text = text.str.replace(",", ".", literal=True)
        return text.cast(pl.Float64, strict=False)


_PLAIN = NumberFormat(".")
_FORMATS = (
    _PLAIN,
    NumberFormat(","),
    *(NumberFormat(".", group) for group in (",", " ", "'")),
    *(NumberFormat(",", group) for group in (".", " ", "'")),
)


class Evidence(NamedTuple):
    """What is known beside a column.

    `decimal_comma` is the user's word, `formats` are those of the fit, `delimiter` is that of the file, `where` gives
    the place of a row, `source` names the data; with `strict` each text of a column must be a number.
    """

    source: str
    where: Callable[[int], str]
    decimal_comma: bool | None = None
    delimiter: str | None = None
    formats: Mapping[str, str] = {}
    strict: bool = False


def looks_grouped(text: str) -> bool:
    """Return whether the points in a number may separate thousands, as in `1.234` and `-12.345.678`.

    Example:
        >>> looks_grouped("1.234"), looks_grouped("0.234"), looks_grouped("1.23")
        (True, False, False)
    """
    return re.fullmatch(r"[+-]?[1-9]\d{0,2}(\.\d{3})+", text) is not None


def choose_formats(
    columns: Mapping[str, Parsed], others: Mapping[str, Parsed], evidence: Evidence
) -> dict[str, tuple[NumberFormat, Parsed]]:
    """Return the columns of text that are numbers in another format than the plain one, with that format.

    Args:
        columns: of text.
        others: columns that are plain numbers already; their decimal points speak against decimal commas.
        evidence: what else is known.

    Raises:
        DataError: some columns have decimal commas and others points, or nothing tells which a column has.
    """
    fits = {name: fit for name, column in columns.items() if (fit := _fits(column, evidence))}
    if evidence.decimal_comma is not None:
        decimal: str | None = "," if evidence.decimal_comma else "."
    else:
        decimal = _decimal_mark(fits, {**columns, **others}, evidence) if fits else None
    chosen = {name: _chosen(name, fit, decimal, evidence) for name, fit in fits.items()}
    return {name: (form, fits[name][form]) for name, form in chosen.items() if form != _PLAIN}


def _fits(column: Parsed, evidence: Evidence) -> dict[NumberFormat, Parsed]:
    """Return the formats that a column may have, of those that mean the same numbers the first; {} if only plain."""
    present = column.text.drop_nulls()
    if not present.head(100).str.contains(r"\d").any():
        return {}  # words, which are most texts
    present = usual(present)
    affix = _affix(present)
    if not affix and not present.str.contains(_SEPARATED).any():
        return {}
    trials = {}
    for form in (NumberFormat(f.decimal, f.group, affix) for f in _FORMATS if _written(f, present, evidence)):
        trials[form] = column if form == _PLAIN else Parsed(column.text, form.read(column.text))
    most = max((trial.readable for trial in trials.values()), default=0)
    fit: dict[NumberFormat, Parsed] = {}
    for form, trial in trials.items():
        whole = trial.unreadable == 0 if evidence.strict else trial.is_number
        same = any(trial.numbers.equals(other.numbers, null_equal=True) for other in fit.values())
        if whole and trial.readable == most and not same:
            fit[form] = trial
    if NumberFormat(",", ".", affix) in fit and _PLAIN not in fit:
        fit.pop(NumberFormat(",", "", affix), None)  # in one column a mark separates thousands or decimals
    return {} if fit.keys() == {_PLAIN} else fit


def _written(form: NumberFormat, present: pl.Series, evidence: Evidence) -> bool:
    """Whether the marks of a format occur in texts, and the user's word allows it."""
    if form.group and not present.str.contains(form.group, literal=True).any():
        return False
    if form.decimal == "," and not form.group and not present.str.contains(",", literal=True).any():
        return False
    return evidence.decimal_comma is None or form == _PLAIN or (form.decimal == ",") == evidence.decimal_comma


def _decimal_mark(
    fits: Mapping[str, Mapping[NumberFormat, Parsed]], columns: Mapping[str, Parsed], evidence: Evidence
) -> str | None:
    """Return the decimal mark that columns without doubt tell.

    Raises:
        DataError: some tell a comma and some a point.
    """
    places: dict[str, tuple[str, int]] = {}
    for name, column in columns.items():
        fit = fits.get(name, {_PLAIN: column})
        form, parsed = next(iter(fit.items()))
        if len(fit) > 1 or (form == _PLAIN and column.unreadable):
            continue
        marks = [(form.decimal, parsed.first(form.decimal))]
        if form.group in (".", ","):
            marks = [(form.decimal, parsed.first(form.group) if marks[0][1] is None else marks[0][1])]
        elif form.decimal == ",":
            marks.append((".", column.first(".")))  # a plain number among decimal commas
        for mark, row in marks:
            if row is not None:
                places.setdefault(mark, (name, row))
    if len(places) < 2:
        return next(iter(places), None)
    (name, point), (other, comma) = places["."], places[","]
    raise DataError(
        f"{evidence.source}: column {name!r} has the decimal point {columns[name].text[point]!r} "
        f"({evidence.where(point)}) and column {other!r} the comma {columns[other].text[comma]!r} "
        f"({evidence.where(comma)}). Write all numbers one way, or set decimal_comma."
    )


def _chosen(name: str, fit: Mapping[NumberFormat, Parsed], decimal: str | None, evidence: Evidence) -> NumberFormat:
    """Return the format of a column.

    Raises:
        DataError: a comma may stand before the decimals or between thousands, and nothing tells which.
    """
    if len(fit) == 1:
        return next(iter(fit))
    earlier = NumberFormat.of(evidence.formats.get(name, ""))
    if decimal is None and earlier is not None:
        decimal = earlier.decimal
    if decimal is None and _PLAIN in fit:
        return _PLAIN
    if decimal is None and evidence.delimiter in (",", ";"):
        decimal = "." if evidence.delimiter == "," else ","
    by_mark = {form.decimal: form for form in reversed(list(fit))}
    if decimal is None:
        text = next(iter(fit.values())).text
        row = int(text.str.contains(r"[.,]").arg_true()[0])
        values = " or ".join(f"{fit[form].numbers[row]:.15g}" for form in fit)
        raise DataError(
            f"{evidence.source}: column {name!r} holds {text[row]!r} ({evidence.where(row)}), which may be {values}; "
            "say which: --decimal-comma (decimal_comma=True) if decimals follow a comma, --no-decimal-comma "
            "(decimal_comma=False) if they follow a point."
        )
    return by_mark[decimal]


def usual(text: pl.Series) -> pl.Series:
    """Return texts with plain spaces, apostrophes and minus signs for those of typesetters."""
    return text.str.strip_chars().str.replace_many(list(_ODD), list(_ODD.values()))


def _affix(present: pl.Series) -> str:
    """Return the percent sign or currency that every text carries at its number, or an empty text."""
    if not len(present) or not present.head(20).str.contains(_WITH_AFFIX).all():
        return ""
    groups = present.str.extract_groups(_WITH_AFFIX).struct.unnest()
    signs = groups.to_series(0).fill_null(groups.to_series(1)).unique()
    return str(signs[0]) if len(signs) == 1 and signs[0] is not None else ""
