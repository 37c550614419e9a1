from __future__ import annotations

import datetime

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shoal.data.conversion import (
    check_read,
    is_date,
    is_plain,
    is_truth,
    tidy,
    to_days,
    to_labels,
    to_numbers,
    to_truth,
)
from shoal.errors import DataError

DAY = datetime.timedelta(days=1)
EPOCH = datetime.datetime(1970, 1, 1)


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.datetimes(datetime.datetime(1600, 1, 1), datetime.datetime(2400, 1, 1)), st.sampled_from("T "))
def test_dates_in_text_mean_the_same_as_dates(moment: datetime.datetime, between: str) -> None:
    text = pl.Series("d", [moment.isoformat(between)])
    assert is_date(text)
    assert to_days(text)[0] == pytest.approx((moment - EPOCH) / DAY, abs=1e-9)
    assert to_days(pl.Series([moment]))[0] == pytest.approx((moment - EPOCH) / DAY, abs=1e-9)
    assert to_days(pl.Series([moment.date()]))[0] == (moment.date() - EPOCH.date()).days


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("1970-01-02", 24),
        ("1970/01/02", 24),
        ("1970-01-01T12:00", 12),
        ("1970-01-01 12:00:36", 12.01),
        ("1970-01-01T12:00:00Z", 12),
        ("1970-01-01T12:00:00+02:00", 10),
        ("1970-01-01T12:00:00-0330", 15.5),
    ],
)
def test_forms_of_dates(text: str, hours: float) -> None:
    assert to_days(pl.Series([text]))[0] * 24 == pytest.approx(hours)


@pytest.mark.parametrize("values", [["2024-02-30"], ["12.5.2024"], ["2024-01-01", "soon"], [None], ["20240101"]])
def test_what_is_no_date(values: list[str | None]) -> None:
    assert not is_date(pl.Series(values, dtype=pl.String))


def test_tidy_leaves_few_types() -> None:
    table = tidy(
        pl.DataFrame(
            {
                "small": pl.Series([1, 2], dtype=pl.UInt8),
                "huge": pl.Series([1, 2**64 - 1], dtype=pl.UInt64),
                "float": pl.Series([1.0, float("nan")], dtype=pl.Float32),
                "category": pl.Series(["a", ""], dtype=pl.Categorical),
                "nothing": [None, None],
                "time": [datetime.time(12), None],
                "list": [[1], [2]],
            }
        )
    )
    kinds = [pl.Int64, pl.Float64, pl.Float64, pl.String, pl.String, pl.Float64]
    assert table.dtypes[:6] == kinds
    assert table["float"].to_list() == [1.0, None]
    assert table["category"].to_list() == ["a", None]
    assert table["time"].to_list() == [0.5, None]
    assert [is_plain(column) for column in table.get_columns()] == [True] * 6 + [False]


def test_labels_do_not_depend_on_the_type_of_whole_numbers() -> None:
    assert to_labels(pl.Series([1, 10])).to_list() == to_labels(pl.Series([1.0, 10.0])).to_list() == ["1", "10"]
    assert to_labels(pl.Series([1.5, None])).to_list() == ["1.5", None]
    assert to_labels(pl.Series([True, False])).to_list() == ["true", "false"]


def test_truth() -> None:
    assert is_truth(pl.Series(["Yes", "NO", None]))
    assert not is_truth(pl.Series(["yes", "true"]))
    assert not is_truth(pl.Series([0, 1]))
    assert to_truth(pl.Series(["Yes", "FALSE", "1", "maybe", None])).to_list() == [1.0, 0.0, 1.0, None, None]
    assert to_truth(pl.Series([0, 1, 2])).to_list() == [0.0, 1.0, None]


def test_numbers_in_text_are_read_and_others_refused() -> None:
    text = pl.Series("mass", ["1.5", " 2 ", None, "heavy"])
    assert to_numbers(text).to_list() == [1.5, 2.0, None, None]
    with pytest.raises(DataError, match="'mass' must hold numbers, but row 4 holds 'heavy'"):
        check_read(text, to_numbers(text), "numbers")


def test_infinities_are_refused_by_row() -> None:
    series = pl.Series("mass", [1.0, None, float("-inf")])
    with pytest.raises(DataError, match="'mass' is infinite in row 3"):
        check_read(series, to_numbers(series), "numbers")
