"""Dates as people write them, and numbers that stand for dates.

A format is chosen for a whole column. Whether the day or the month of `01/02/2025` comes first is told by any row with
a number above twelve, else by the option `day_first`, else by how the fit read the column; where nothing tells, the
user is asked. Dates with points, `01.02.2025`, have the day first unless a row says otherwise. Dates are moments in
UTC: where the time zone is written it is taken into account, and where none is written the moment is taken as UTC.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable

import polars as pl

from shoal.data.conversion import is_date, is_integer
from shoal.errors import DataError

DAY_FIRST, MONTH_FIRST, YEAR_FIRST = "day/month/year", "month/day/year", "year/month/day"
DAY_NAME, NAME_DAY, COMPACT = "day month-name year", "month-name day year", "yyyymmdd"
_ZONE = r"\s?(Z|UTC|GMT|[+-][0-9]{2}:?[0-9]{2})?"
_CLOCK = r"(?:[T ,]+([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}(?:\.[0-9]+)?))?\s?([AaPp][Mm])?" + _ZONE + ")?$"
_PATTERNS = {
    DAY_FIRST: r"^([0-9]{1,2})[./-]([0-9]{1,2})[./-]([0-9]{4})" + _CLOCK,
    YEAR_FIRST: r"^([0-9]{4})[./-]([0-9]{1,2})[./-]([0-9]{1,2})" + _CLOCK,
    DAY_NAME: r"^([0-9]{1,2})\.?[ -](\p{L}{3,9})\.?[ ,-]+([0-9]{4})" + _CLOCK,
    NAME_DAY: r"^(\p{L}{3,9})\.?[ -]([0-9]{1,2})(?:st|nd|rd|th)?[ ,-]+([0-9]{4})" + _CLOCK,
    COMPACT: r"^([0-9]{4})([0-9]{2})([0-9]{2})$",
}
_PATTERNS[MONTH_FIRST] = _PATTERNS[DAY_FIRST]
_ORDER = {DAY_FIRST: (2, 1, 0), MONTH_FIRST: (2, 0, 1), YEAR_FIRST: (0, 1, 2), COMPACT: (0, 1, 2)}
_ORDER |= {DAY_NAME: (2, 1, 0), NAME_DAY: (2, 0, 1)}
_ENGLISH = "january february march april may june july august september october november december"
_GERMAN = "januar februar märz april mai juni juli august september oktober november dezember"
_NUMBERS = {name: n for names in (_ENGLISH, _GERMAN) for n, name in enumerate(names.split(), 1)}
_NUMBERS |= {name[:3]: n for name, n in tuple(_NUMBERS.items())} | {"sept": 9, "mrz": 3}
_NAMED = re.compile(r"date|datum|day|when|time|tag\b|epoch|night|obs", re.IGNORECASE)
_FEW = 10
_LEAST_YEAR, _MOST_YEAR = 1900, 2100


def date_format(
    series: pl.Series, *, day_first: bool | None = None, earlier: str = "", where: Callable[[int], str] = str
) -> str | None:
    """Return the format of the dates in a column, or None: it holds something else, or dates that need none.

    Whole numbers are dates as `20250131` where all are days of the years 1900 to 2100 and the name says so, or ten of
    them differ.

    Args:
        series: a tidied column.
        day_first: the user's word on which of day and month comes first.
        earlier: the format of the column in the fit.
        where: the place of a row, for the message.

    Raises:
        DataError: the day or the month may come first, or some rows have it so and others otherwise.

    Example:
        >>> date_format(pl.Series(["13/01/2025", "02/01/2025"])), date_format(pl.Series(["1 Jan 2025"]))
        ('day/month/year', 'day month-name year')
    """
    if series.null_count() == len(series) or is_date(series):
        return None
    if series.dtype != pl.String:
        return COMPACT if _is_compact(series) else None
    present = series.drop_nulls()
    for name, pattern in _PATTERNS.items():
        if name not in (COMPACT, MONTH_FIRST) and present.head(20).str.contains(pattern).all():
            if name == DAY_FIRST:
                return _order_of_numbers(series, day_first, earlier, where)
            return name if to_moments(present, name).null_count() == 0 else None
    return None


def to_moments(series: pl.Series, form: str) -> pl.Series:
    """Return the dates of a column that is written in a format, as moments in UTC where some have a time of day.

    Where one cannot be read it is null.

    A column that holds no text (or for `yyyymmdd` no whole numbers) is returned as it is.
    """
    if form == COMPACT and series.dtype in (pl.Int64, pl.Float64):
        series = series.cast(pl.Int64, strict=False).cast(pl.String)
    elif series.dtype != pl.String or is_date(series):
        return series
    parts = series.str.strip_chars().str.extract_groups(_PATTERNS[form]).struct.unnest().get_columns()
    year, month, day = (parts[i] for i in _ORDER[form])
    if form in (DAY_NAME, NAME_DAY):
        names = month.str.to_lowercase()
        month = names.replace_strict(list(_NUMBERS), list(map(str, _NUMBERS.values())), default=None)
    text = year + "-" + month.cast(pl.String).str.zfill(2) + "-" + day.str.zfill(2)
    days = text.str.to_date("%Y-%m-%d", strict=False)
    if form == COMPACT or parts[3].null_count() == len(series):
        return days.alias(series.name)
    return (days.cast(pl.Datetime("us")) + _clock(parts[3:])).alias(series.name)


def _clock(parts: list[pl.Series]) -> pl.Series:
    """Return how long after midnight in UTC; null where no clock shows it."""
    hour, minute, second, half, zone = parts
    noon = half.str.to_lowercase()
    hours = hour.cast(pl.Int64).fill_null(0)
    hours = (hours % 12 + 12 * (noon == "pm").cast(pl.Int64)).zip_with(noon.is_not_null(), hours)
    minutes, seconds = minute.cast(pl.Int64).fill_null(0), second.cast(pl.Float64).fill_null(0.0)
    right = (hours < 24) & (minutes < 60) & (seconds < 60)
    digits = zone.str.replace_all("[:ZUTCGM]", "").cast(pl.Int64, strict=False).fill_null(0)
    offset = digits.sign() * (digits.abs() // 100 * 60 + digits.abs() % 100)
    micros = ((hours * 60 + minutes - offset) * 60_000_000) + (seconds * 1e6).round().cast(pl.Int64)
    return micros.set(~right.fill_null(True), None).cast(pl.Duration("us"))


def _order_of_numbers(
    series: pl.Series, day_first: bool | None, earlier: str, where: Callable[[int], str]
) -> str | None:
    present = series.drop_nulls()
    read = {form: to_moments(series, form) for form in (DAY_FIRST, MONTH_FIRST)}
    lost = {form: series.is_not_null() & moments.is_null() for form, moments in read.items()}
    if (lost[DAY_FIRST] & lost[MONTH_FIRST]).any():
        return None  # 31/02/2025 or 12/13/14: some text is no date either way
    if lost[DAY_FIRST].any() and lost[MONTH_FIRST].any():
        first, second = (int(lost[form].arg_true()[0]) for form in (MONTH_FIRST, DAY_FIRST))
        raise DataError(
            f"column {series.name!r} holds {series[first]!r} ({where(first)}), where the day comes first, and "
            f"{series[second]!r} ({where(second)}), where the month does; write all dates one way, or ignore the column"
        )
    if lost[DAY_FIRST].any() or lost[MONTH_FIRST].any():
        return MONTH_FIRST if lost[DAY_FIRST].any() else DAY_FIRST
    if day_first is not None:
        return DAY_FIRST if day_first else MONTH_FIRST
    if earlier in (DAY_FIRST, MONTH_FIRST):
        return earlier
    differ = (read[DAY_FIRST] != read[MONTH_FIRST]).fill_null(False)
    if not differ.any() or present.str.contains(r"^\d{1,2}\.\d{1,2}\.").all():
        return DAY_FIRST
    row = int(differ.arg_true()[0])
    day, month = (read[form][row].strftime("%Y-%m-%d") for form in (DAY_FIRST, MONTH_FIRST))
    raise DataError(
        f"column {series.name!r} holds {series[row]!r} ({where(row)}), which is {day} if the day comes first and "
        f"{month} if the month does, and no row tells which; say it with --day-first (day_first=True) or "
        "--no-day-first (day_first=False), or ignore the column"
    )


def _is_compact(series: pl.Series) -> bool:
    values = series.drop_nulls()
    low, high = values.min(), values.max()
    if not (isinstance(low, int | float) and isinstance(high, int | float)):
        return False
    if low < _LEAST_YEAR * 10_000 or high > _MOST_YEAR * 10_000 + 1231:
        return False
    if not is_integer(values) or values.n_unique() < (2 if _NAMED.search(series.name) else _FEW):
        return False
    return to_moments(values, COMPACT).null_count() == 0


_SECONDS = datetime.datetime(1970, 1, 1)
_CLOCKS = (  # what the number counts, names that say so, lowest and highest number, days of one, day of zero since 1970
    (
        "seconds since 1970-01-01",
        r"epoch|unix|timestamp|\btime\b|\bdate\b|_time|_ts|\bts\b",
        3e8,
        4.2e9,
        1 / 86400,
        0.0,
    ),
    ("milliseconds since 1970-01-01", r"epoch|unix|timestamp|time|date|\bts\b", 3e11, 4.2e12, 1 / 86400e3, 0.0),
    ("microseconds since 1970-01-01", r"epoch|unix|timestamp|time|date|\bts\b", 3e14, 4.2e15, 1 / 86400e6, 0.0),
    ("nanoseconds since 1970-01-01", r"epoch|unix|timestamp|time|date|\bts\b", 3e17, 4.2e18, 1 / 86400e9, 0.0),
    ("modified Julian days (MJD)", r"mjd|modified.julian", 15_000, 90_000, 1.0, -40_587.0),
    ("Julian days (JD)", r"(?<!m)jd|julian", 2_400_000, 2_500_000, 1.0, -2_440_587.5),
)


def counted_dates(series: pl.Series) -> str:
    """Return what a column of numbers counts, with its first and last day, if its name and range say so; else nothing.

    Example:
        >>> counted_dates(pl.Series("MJD", [60676.0, 60677.5]))
        'modified Julian days (MJD), 2025-01-01 … 2025-01-02'
    """
    if not series.dtype.is_numeric() or series.null_count() == len(series):
        return ""
    low, high = float(series.min()), float(series.max())  # type: ignore[arg-type]
    for what, names, least, most, days, zero in _CLOCKS:
        if least <= low and high <= most and re.search(names, series.name, re.IGNORECASE):
            ends = (_SECONDS + datetime.timedelta(days=value * days + zero) for value in (low, high))
            return f"{what}, {' … '.join(end.strftime('%Y-%m-%d') for end in ends)}"
    return ""
