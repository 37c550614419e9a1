"""Numbers as people write them: what is written in a format is read back, and what may be two things is asked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shoal.data import ReadOptions, load_dataset
from shoal.data.readers import read_table_file
from shoal.data.readers.tables.number_formats import Evidence, NumberFormat, Parsed, choose_formats
from shoal.errors import DataError

NUMBERS = st.lists(st.integers(-(10**11), 10**11), min_size=1, max_size=10)
GROUPS = {".": (",", " ", "'", "\u2009", "\u202f", "\u00a0", "’"), ",": (".", " ", "'", "\u2009", "\u202f", "\u00a0")}
MARKS = [(decimal, group) for decimal, groups in GROUPS.items() for group in groups]


def written(value: float, decimal: str, group: str) -> str:
    return f"{value:,.2f}".replace(",", "_").replace(".", decimal).replace("_", group)


def chosen(texts: list[str], **known: object) -> tuple[NumberFormat, Parsed] | None:
    series = pl.Series("a", texts)
    columns = {"a": Parsed(series, series.cast(pl.Float64, strict=False))}
    return choose_formats(columns, {}, Evidence("the data", str, **known)).get("a")  # type: ignore[arg-type]


@settings(derandomize=True, deadline=None, max_examples=60)
@given(NUMBERS, st.sampled_from(MARKS), st.sampled_from(["", " €", "%", " CHF"]))
def test_separated_numbers_are_read_back(hundredths: list[int], marks: tuple[str, str], affix: str) -> None:
    values = [*(n / 100 for n in hundredths), 1234567.25]  # one that shows all marks
    read = chosen([written(value, *marks) + affix for value in values])
    assert read is not None
    assert read[1].numbers.to_list() == values
    assert (read[0].decimal, read[0].affix) == (marks[0], affix.strip())
    assert NumberFormat.of(str(read[0])) == read[0]


@settings(derandomize=True, deadline=None, max_examples=50)
@given(
    st.one_of(
        st.lists(st.floats(allow_nan=False, allow_infinity=False).map(repr), min_size=1),
        st.lists(st.integers().map(str), min_size=1),
        st.lists(st.text(st.characters(categories=["L", "Zs"]), max_size=10), min_size=1),
        st.lists(
            st.from_regex(r"[0-9]{1,2}:[0-9]{2}|v[0-9]\.[0-9]\.[0-9]|[0-9],[0-9],[0-9]", fullmatch=True), min_size=1
        ),
    )
)
def test_plain_numbers_and_words_stay_as_they_are(texts: list[str]) -> None:
    assert chosen(texts) is None


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., pl.DataFrame]:
    def table(text: str, **options: object) -> pl.DataFrame:
        (tmp_path / "t.csv").write_text(text, encoding="utf-8")
        return read_table_file(tmp_path / "t.csv", ReadOptions(**options)).table  # type: ignore[arg-type]

    return table


def test_what_may_be_two_numbers_is_settled_by_the_file_or_asked(read: Callable[..., pl.DataFrame]) -> None:
    assert read('a,b\n"1,234",x\n"2,345",y\n')["a"].to_list() == [1234, 2345]  # a file with commas between columns
    assert read("a;b\n1,234;x\n2,345;y\n")["a"].to_list() == [1.234, 2.345]  # spreadsheets with decimal commas
    tab = "a\tb\n1,234\tx\n2,345\ty\n"
    with pytest.raises(DataError, match=r"'a' holds '1,234' \(line 2\), which may be 1.234 or 1234; .*--decimal-comma"):
        read(tab)
    assert read(tab, decimal_comma=True)["a"].to_list() == [1.234, 2.345]
    assert read(tab, decimal_comma=False)["a"].to_list() == [1234, 2345]
    assert read(tab, formats={"a": "1,234.5"})["a"].to_list() == [1234, 2345]  # as in the fit
    assert read(tab.replace("x", "0.5").replace("y", "0.25"))["a"].to_list() == [1234, 2345]  # points elsewhere
    assert read(tab.replace("x", "0,5").replace("y", "0,25"))["a"].to_list() == [1.234, 2.345]  # commas elsewhere


def test_points_between_thousands(read: Callable[..., pl.DataFrame]) -> None:
    assert read("a;b\n1.234;0,5\n2.345;1,5\n")["a"].to_list() == [1234, 2345]
    assert read("a;b\n1.234;0.5\n2.345;1.5\n")["a"].to_list() == [1.234, 2.345]
    assert read("a,b\n1.234,x\n2.345,y\n")["a"].to_list() == [1.234, 2.345]
    assert read("a,b\n1.234.567,x\n2.345,y\n")["a"].to_list() == [1234567, 2345]
    assert read("a;b\n1.234;x\n2.345;y\n", decimal_comma=True)["a"].to_list() == [1234, 2345]


def test_mistakes_among_separated_numbers_are_told(read: Callable[..., pl.DataFrame]) -> None:
    rows = "\n".join(f"1 {i:03d},5;{i}" for i in range(20))
    with pytest.raises(DataError, match=r"line 22: column 'a' should hold numbers, found the text 'oops'"):
        read(f"a;b\n{rows}\noops;1\n")


def test_signs_become_units_and_are_said(tmp_path: Path) -> None:
    rows = "\n".join(f'"{10 + i} %","$1,{i:03d}.50",{i * i % 7}.5' for i in range(30))
    (tmp_path / "t.csv").write_text(f"share,price,y\n{rows}\n", encoding="utf-8")
    dataset = load_dataset(tmp_path / "t.csv", target="y")
    assert dataset.units == {"share": "%", "price": "$"}
    assert dataset.table["price"][3] == 1003.5
    assert any("'price': read as numbers that are written like 1,234.5 $" in note for note in dataset.notes)


def test_texts_of_a_data_frame_are_read_alike() -> None:
    price = [f"1.{i:03d},50" for i in range(30)]
    frame = pd.DataFrame({"price": price, "code": [f"{i % 3}" for i in range(30)], "y": np.arange(30) ** 2 / 7})
    dataset = load_dataset(frame, target="y")
    assert dataset.table["price"][2] == 1002.5
    assert dataset.table["code"].dtype == pl.String  # digits are names, as before
    with pytest.raises(DataError, match=r"the data: column 'price' holds '1,000' \(row 1\), which may be 1 or 1000"):
        load_dataset(frame.assign(price=[f"1,{i:03d}" for i in range(30)]), target="y")


def test_a_first_column_without_a_name_is_an_index(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    frame = pd.DataFrame({"x": random.normal(size=30), "y": random.normal(size=30)}).sample(frac=1, random_state=0)
    frame.to_csv(tmp_path / "t.csv")
    frame.to_excel(tmp_path / "t.xlsx")
    for name in ("t.csv", "t.xlsx"):
        dataset = load_dataset(tmp_path / name, target="y")
        assert next((c.name, c.role) for c in dataset.columns) == ("Unnamed: 0", "dropped")
        assert any("first column has no name" in note for note in dataset.read_notes)
