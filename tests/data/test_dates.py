"""Dates as people write them, against Python's datetime."""

from __future__ import annotations

import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shoal.data import Preparation, ReadOptions, load_dataset
from shoal.data.dates import (
    COMPACT,
    DAY_FIRST,
    DAY_NAME,
    MONTH_FIRST,
    NAME_DAY,
    YEAR_FIRST,
    counted_dates,
    date_format,
    to_moments,
)
from shoal.data.new_rows import read_new
from shoal.errors import DataError

DAYS = st.dates(datetime.date(1900, 1, 1), datetime.date(2099, 12, 31))
FORMS = {
    "%d.%m.%Y": DAY_FIRST,
    "%d/%m/%Y": DAY_FIRST,
    "%d-%m-%Y": DAY_FIRST,
    "%m/%d/%Y": MONTH_FIRST,
    "%Y.%m.%d": YEAR_FIRST,
    "%d %b %Y": DAY_NAME,
    "%d-%B-%Y": DAY_NAME,
    "%b %d, %Y": NAME_DAY,
    "%B %d %Y": NAME_DAY,
    "%Y%m%d": COMPACT,
}
CLOCKS = ("", " %H:%M", "T%H:%M:%S", " %I:%M %p", " %H:%M:%S.%f")
ROWS = 60


def texts_of(days: list[datetime.date], form: str) -> list[str]:
    return [day.strftime(form) for day in days]


@settings(derandomize=True, deadline=None, max_examples=60)
@given(
    st.lists(DAYS, min_size=1, max_size=8),
    st.lists(st.times(), min_size=8, max_size=8),
    st.sampled_from([form for form in FORMS if form != "%Y%m%d"]),
    st.sampled_from(CLOCKS),
)
def test_dates_mean_what_datetime_writes(
    days: list[datetime.date], times: list[datetime.time], form: str, clock: str
) -> None:
    days = [datetime.date(2001, 1, 31), *days]  # a row that settles the order
    moments = [datetime.datetime.combine(day, times[i % 8]) for i, day in enumerate(days)]
    series = pl.Series("d", [moment.strftime(form + clock) for moment in moments])
    assert date_format(series) == FORMS[form]
    wanted = [datetime.datetime.strptime(text, form + clock) for text in series.to_list()]
    assert to_moments(series, FORMS[form]).cast(pl.Datetime("us")).to_list() == wanted


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.lists(DAYS, min_size=10, max_size=30, unique=True), st.booleans())
def test_whole_numbers_may_be_days(days: list[datetime.date], text: bool) -> None:
    numbers = [int(day.strftime("%Y%m%d")) for day in days]
    series = pl.Series("run", [float(n) for n in numbers] if text else numbers)
    assert date_format(series) == COMPACT
    assert to_moments(series, COMPACT).to_list() == days


@settings(derandomize=True, deadline=None, max_examples=60)
@given(
    st.one_of(
        st.lists(st.integers(-(10**12), 10**12), min_size=1),
        st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1),
        st.lists(st.text(st.characters(categories=["L", "Zs", "Po"]), max_size=12), min_size=1),
        st.lists(st.from_regex(r"[0-9]{1,4}[.,][0-9]{1,6}", fullmatch=True), min_size=1),
        st.lists(st.from_regex(r"[A-Z]{2}-[0-9]{2}-[0-9]{1,3}", fullmatch=True), min_size=1),
        st.lists(st.sampled_from(["January", "Mar", "Week 12", "2025-W05", "May 12", "Q1 2025", "12:30"]), min_size=1),
    )
)
def test_numbers_and_words_are_never_dates(values: list[object]) -> None:
    series = pl.Series("a", values)
    if series.dtype == pl.Int64 and series.n_unique() >= 10:
        days = series.filter(series.is_between(19000101, 21001231))
        assert len(days) < len(series)  # chance does not draw ten days
    assert date_format(series) is None


@pytest.mark.parametrize(
    "values",
    [
        ["13/13/2025"],
        ["1.2.3"],
        ["31/02/2025"],
        ["12/31"],
        ["1.1.25"],
        ["1 Foo 2025"],
        ["13.01.2025 ١٢:٣٠"],
        ["13.01.2025 25:00"],
        ["01/02/2025", "soon"],
        ["25:10"],
    ],
)
def test_what_is_no_date(values: list[str]) -> None:
    assert date_format(pl.Series("d", values)) is None


def test_zones_are_taken_into_account() -> None:
    text = pl.Series("d", ["13/01/2025 12:00+02:00", "13/01/2025 12:00 UTC", "13/01/2025 12:00-0330"])
    hours = [moment.hour + moment.minute / 60 for moment in to_moments(text, DAY_FIRST).to_list()]
    assert hours == [10, 12, 15.5]


def test_one_row_settles_the_order_of_all() -> None:
    series = pl.Series("d", ["01/02/2025", "03/04/2025", "31/04/2024"])
    assert date_format(series) is None  # no such day either way
    assert date_format(pl.Series("d", ["01/02/2025", "12/13/2025"])) == MONTH_FIRST
    assert date_format(pl.Series("d", ["01/02/2025", "13/12/2025"])) == DAY_FIRST
    assert date_format(pl.Series("d", ["01.02.2025", "03.04.2025"])) == DAY_FIRST
    assert date_format(pl.Series("d", ["05/05/2025"])) == DAY_FIRST  # the same both ways


def test_an_ambiguous_order_is_asked() -> None:
    series = pl.Series("when", ["05/05/2025", "01/02/2025"])
    with pytest.raises(
        DataError, match=r"'when' holds '01/02/2025' .*2025-02-01 if the day .*2025-01-02 if.*--day-first"
    ):
        date_format(series)
    assert date_format(series, day_first=True) == DAY_FIRST
    assert date_format(series, day_first=False) == MONTH_FIRST
    assert date_format(series, earlier=MONTH_FIRST) == MONTH_FIRST
    with pytest.raises(DataError, match=r"'13/01/2025' .*day comes first, and '01/13/2025' .*write all dates one way"):
        date_format(pl.Series("d", ["13/01/2025", "01/13/2025"]))


def test_numbers_that_count_time_are_named() -> None:
    assert counted_dates(pl.Series("unix_time", [1735689600, 1735776000])).endswith("2025-01-01 … 2025-01-02")
    assert counted_dates(pl.Series("timestamp", [1735689600000])).startswith("milliseconds")
    assert counted_dates(pl.Series("JD", [2460676.5])) == "Julian days (JD), 2025-01-01 … 2025-01-01"
    assert counted_dates(pl.Series("mass", [1735689600])) == counted_dates(pl.Series("mjd", [3.0])) == ""


def table(form: str, rows: int = ROWS) -> dict[str, list[object]]:
    days = [datetime.date(2025, 1, 1) + datetime.timedelta(5 * i) for i in range(rows)]
    random = np.random.default_rng(0)
    return {
        "when": texts_of(days, form),
        "x": random.normal(size=rows).tolist(),
        "y": random.normal(size=rows).tolist(),
    }


@pytest.mark.parametrize("form", FORMS)
def test_dates_are_the_same_feature_however_they_are_written(form: str) -> None:
    """A date as a feature is days since 1970, as of a data frame with moments."""
    moments = pd.DataFrame(table("%Y-%m-%d")).assign(when=lambda frame: pd.to_datetime(frame.when))
    wanted = load_dataset(moments, target="y")
    written = table(form)
    if form == "%Y%m%d":
        written["when"] = [int(str(text)) for text in written["when"]]
    dataset = load_dataset(
        pd.DataFrame(written).astype({"when": "category" if form == "%d.%m.%Y" else object}), target="y"
    )
    rows = np.arange(40)
    numbers = Preparation.fit(dataset, rows).transform(dataset.table)
    np.testing.assert_array_equal(numbers, Preparation.fit(wanted, rows).transform(wanted.table))
    assert any(f"'when': read as dates that are written {FORMS[form]}" in note for note in dataset.read_notes)
    times = load_dataset(written, target="y", time="when").times()
    assert times is not None
    np.testing.assert_array_equal(times, 20089.0 + 5 * np.arange(ROWS))


def test_the_order_is_saved_with_the_preparation(tmp_path: Path) -> None:
    dataset = load_dataset(table("%m/%d/%Y"), target="y")
    preparation = Preparation.from_dict(Preparation.fit(dataset, np.arange(40)).to_dict())
    (tmp_path / "one.csv").write_text("when,x\n01/02/2025,0\n", encoding="utf-8")
    new = read_new(tmp_path / "one.csv", preparation).table
    assert new["when"].to_list() == ["01/02/2025"]  # the columns of a table stay as they are
    moment = pl.DataFrame({"when": [datetime.date(2025, 1, 2)], "x": [0.0]})
    np.testing.assert_array_equal(preparation.transform(new), preparation.transform(moment))
    with pytest.raises(
        DataError, match=r"'when' must hold dates that are written month/day/year.*row 1 .*'13/01/2025'"
    ):
        preparation.transform(pl.DataFrame({"when": ["13/01/2025"], "x": [0.0]}))


def test_the_user_settles_it_and_ignored_columns_are_not_asked_for() -> None:
    columns = table("%Y-%m-%d")
    columns["when"] = [f"{1 + i % 12:02d}/{1 + i % 7:02d}/2025" for i in range(ROWS)]
    with pytest.raises(DataError, match="--day-first"):
        load_dataset(columns, target="y")
    days = load_dataset(columns, target="y", options=ReadOptions(day_first=True)).table["when"]
    assert days[1] == datetime.date(2025, 2, 2)
    assert days[2] == datetime.date(2025, 3, 3)
    assert days[8] == datetime.date(2025, 2, 9)
    assert load_dataset(columns, target="y", ignore="when").table["when"].dtype == pl.String
    with pytest.raises(DataError, match="the target 'when' holds dates"):
        load_dataset(columns, target="when", task="regression", options=ReadOptions(day_first=True))
