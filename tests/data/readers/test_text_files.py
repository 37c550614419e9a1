"""Text tables: what is read, and every way in which a file is refused."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from shoal.data.readers import ReadOptions, read_table
from shoal.errors import DataError, SettingError


@pytest.fixture
def write(tmp_path):
    def make(content: str | bytes, name: str = "a.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return make


def rows(path: Path, **options) -> tuple[list[str], list[tuple]]:
    table = read_table(path, ReadOptions(**options))
    return table.columns, table.rows()


@pytest.mark.parametrize(
    "content",
    [
        "a,b\n1,x\n2.5,y\n",
        "a;b\n1;x\n2,5;y\n",
        "a;b\n1;x\n2.5;y\n",
        "a\tb\n1\tx\n2.5\ty\n",
        "a|b\n1|x\n2.5|y",
        "a b\n1 x\n2.5 y\n",
        "  a    b\n  1    x  \n2.5 \t y\n",
        'a "b"\n1 "x"\n2.5 y\n',
        "# a b\n1 x\n2.5 y\n",
        "# made by hand\n#\n# a, b\n# -----\n1 x\n2.5 y\n",
        "# a comment, with a comma\na,b\n# another\n1,x\n\n2.5,y\n#end",
        "a,b\r\n1,x\r\n2.5,y\r\n",
        "a,b\r1,x\r2.5,y\r",
        "\ufeffa,b\n1,x\n2.5,y\n",
        'a , b\n 1 , "x"\n2.5 , y\n',
        '"a","b"\n"1","x"\n"2.5","y"\n\x1a',
        "a,b\n,\n1,x\n2.5,y\n,,\n".replace(",,", ","),
    ],
)
def test_one_table_in_many_dresses(write, content):
    assert rows(write(content)) == (["a", "b"], [(1.0, "x"), (2.5, "y")])


def test_types_and_missing(write):
    table = read_table(write("i,f,s,e,m\n1,1,a,,NA\n-2,inf,?,NaN,3\nnull,nan,None,,N/A\n+3,-Infinity,b,,-\n"))
    assert table.dtypes == [pl.Int64, pl.Float64, pl.String, pl.String, pl.Int64]
    assert table["i"].to_list() == [1, -2, None, 3]
    assert table["f"].to_list() == [1.0, np.inf, None, -np.inf]
    assert table["s"].to_list() == ["a", None, None, "b"]
    assert table["e"].null_count() == 4
    assert table["m"].to_list() == [None, 3, None, None]


def test_minus_is_a_category_beside_plus(write):
    assert read_table(write("strand,x\n+,1\n-,2\n"))["strand"].to_list() == ["+", "-"]


def test_numbers_far_down_that_do_not_fit_the_first_rows(write):
    lines = ["a,b"] + [f"{i},{i}" for i in range(500)] + ["0.5,99999999999999999999"]
    table = read_table(write("\n".join(lines)))
    assert table.dtypes == [pl.Float64, pl.Float64]
    assert table["a"][-1] == 0.5


def test_latin_1_and_windows(write):
    assert rows(write("größe,ort\n1,Köln\n2,Graz\n".encode("latin-1")))[1][0] == (1, "Köln")
    assert rows(write("x,ort\n1,5 €\n2,Graz\n".encode("cp1252")))[1][0] == (1, "5 €")
    assert rows(write("x,y\n1,é\n".encode("utf-16")), encoding="utf-16") == (["x", "y"], [(1, "é")])


@pytest.mark.parametrize("name", ["a.csv.gz", "a.csv", "a.tsv.gz"])
def test_gzip(write, name):
    assert rows(write(gzip.compress(b"x,y\n1,2\n"), name)) == (["x", "y"], [(1, 2)])


@pytest.mark.parametrize(
    ("content", "header"),
    [
        ("mass,label\n1.5,a\n", True),
        ("1.5,a\n2.5,b\n", False),
        ("name,place\nx,y\n", True),
        ("0,1,2\n1.5,2.5,3.5\n", True),
        ("1,2,3\n1.5,2.5,3.5\n", True),
        ("5.1,3.5,setosa\n4.9,NA,setosa\n", False),
        ("a,NA\n1,2\n", True),
    ],
)
def test_header_is_found(write, content, header):
    table = read_table(write(content))
    assert (table.columns[0] != "x1") is header
    assert table.height == content.count("\n") - header


def test_header_and_delimiter_can_be_said(write):
    assert rows(write("1,2\n3,4\n"), header=True) == (["1", "2"], [(3, 4)])
    assert rows(write("a,b\nc,d\n"), header=False) == (["x1", "x2"], [("a", "b"), ("c", "d")])
    assert rows(write("a,b;c\n1,2;3\n"), delimiter=",", decimal_comma=False)[0] == ["a", "b;c"]
    assert rows(write("a b,c\n1 2,5\n"), delimiter="whitespace", decimal_comma=True)[1] == [(1, 2.5)]
    assert rows(write("a:b\n1:2\n"), delimiter=":") == (["a", "b"], [(1, 2)])


def test_decimal_comma(write):
    assert rows(write("1,5 2,5\n3,5 4\n"))[1] == [(1.5, 2.5), (3.5, 4.0)]
    assert rows(write('a,b\n"1,5",x\n"2,25",y\n'))[1] == [(1.5, "x"), (2.25, "y")]
    assert rows(write('a,b\n"1,500",x\n"2,250",y\n'))[1][0] == (1500.0, "x")
    assert rows(write("a;b\n1,5;x\n"), decimal_comma=False)[1] == [("1,5", "x")]
    with pytest.raises(DataError, match=r"decimal point '1\.5' \(line 3\).*comma '1,5' \(line 2\).*decimal_comma"):
        read_table(write("a;b\n1,5;2\n2,5;1.5\n"))
    assert rows(write("a;b\n1,5;2\n2,5;1.5\n"), decimal_comma=True)[1] == [(1.5, 2.0), (2.5, 1.5)]


def test_quotes_and_line_breaks(write):
    content = 'a,b\n"x, ""y""",1\n"two\nlines",2\n"#no comment",3\n5" pipe,4\n'
    assert read_table(write(content))["a"].to_list() == ['x, "y"', "two\nlines", "#no comment", '5" pipe']


def test_many_categories(write):
    table = read_table(write("c,y\n" + "".join(f"k{i},{i}\n" for i in range(10_000))))
    assert table["c"].n_unique() == 10_000


def test_missing_values_at_the_end_of_a_row_are_not_short_rows(write):
    assert rows(write('a,b\n1,\n2,"x"\n# c,c,c\n\n\n3,\n'))[1] == [(1, None), (2, "x"), (3, None)]


NUMBERS = "".join(f"{i},{i}.5\n" for i in range(20))

BAD = {
    "short row": (
        "a,b\n1,2\n3\n4,5\n",
        r"a\.csv, line 3: expected 2 fields \(as in the header in line 1\), found 1",
    ),
    "long row": ("a,b\n1,2\n3,4,5\n", r"line 3: expected 2 fields .* found 3"),
    "long row after a comment": ("# c\na,b\n\n1,2\n3,4,5\n", r"line 5: expected 2 fields .*line 2.* found 3"),
    "short and long row": ("a,b,c\n1,2,3\n1,2\n1,2,3,4\n1,2,3\n", r"line 3: expected 3 fields .* found 2"),
    "short row of words": (
        "1 2 3\n4 5\n6 7 8\n9 1 2\n4 5 6\n",
        r"line 2: expected 3 fields .*line 1.* found 2",
    ),
    "short row, quotes": ('a,b\n"1,1",2\n"x\ny"\n4,\n', r"line 3: .*found 1"),
    "header too short": ("a,b\n1,2,3\n4,5,6\n", r"header \(line 1\) has 2 fields, but the rows have 3"),
    "open quote": ('a,b\n1,2\n3,"x\n4,5\n', r"line 3: a quote .* is opened and never closed"),
    "open quote in the last row": ('a,b\n1,2\n3,"x\n', r"line 3: a quote .* never closed"),
    "twice the same name": ("a,b,a\n1,2,3\n", r"line 1: the name 'a' occurs in columns 1, 3"),
    "no name": ("a,\n1,2\n3,4\n", r"line 1: column 2 of 2 has no name"),
    "header only": ("a,b\n", r"has a header \(line 1\) and no rows"),
    "comments only": ("# a\n# b\n\n", r"no rows: every line is empty or a comment"),
    "nothing but space": (" \n\n", "is empty"),
    "rows of nothing": ("a,b\n,\n,\n", r"columns \(a, b\) and no rows"),
    "text among numbers": (
        "a,b\n" + NUMBERS + "oops,1\n",
        r"a\.csv, line 22: column 'a' should hold numbers.*'oops'",
    ),
    "several": ("a,b\n" + NUMBERS * 2 + "1,p\n\n2,q\n", r"line 42: column 'b' .*'p' \(2 such rows\)"),
    "after a line break": ('a,b,c\n1,2,"x\ny"\n' + "1,2,x\n" * 20 + "1,p,x\n", r"line 24: column 'b' .*'p'"),
    "text, decimal comma": (
        "a;b\n" + NUMBERS.replace(",", ";").replace(".", ",") + "1;p\n",
        "line 22.*'b'.*'p'",
    ),
    "binary": (b"a,b\n1,\x00\x01\n", r"line 2: expected text, found binary content \(control character 0x0"),
    "latin control": (b"a,b\n1,\x81\xe9\n", r"line 2: neither UTF-8 nor Latin-1 text \(byte 0x81\)"),
    "utf-16": (
        "a,b\n1,2\n".encode("utf-16"),
        r"is UTF-16 text; expected UTF-8 or Latin-1\. .*encoding='utf-16'",
    ),
    "utf-16 without mark": ("a,b\n1,2\n".encode("utf-16-le"), "line 1.*may be UTF-16"),
    "parquet": (b"PAR1....PAR1", r"named \.csv, but its content is Parquet\. Rename it to end in \.parquet"),
    "png": (b"\x89PNG\r\n\x1a\n", r"content is PNG image\. Export"),
    "damaged gzip": (gzip.compress(b"a,b\n1,2\n" * 50)[:-12], "compressed with gzip, but damaged"),
    "binary in gzip": (gzip.compress(b"PAR1...."), "should hold text, but its content is Parquet"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_text_is_refused_in_two_lines(write, case):
    content, message = BAD[case]
    with pytest.raises(DataError, match=message) as caught:
        read_table(write(content))
    assert "\n" not in str(caught.value)
    assert len(str(caught.value).replace(str(caught.value).split("a.csv")[0], "")) < 260


def test_a_column_of_words_with_some_numbers_stays_text(write):
    assert read_table(write("a,b\n1,x\n2,y\ntwo,z\n"))["a"].to_list() == ["1", "2", "two"]


def test_bad_paths(write, tmp_path):
    path = write("a,b\n1,2\n", "measurements.csv")
    with pytest.raises(DataError, match=r"does not exist.*Did you mean 'measurements\.csv'\?"):
        read_table(tmp_path / "mesurements.csv")
    with pytest.raises(DataError, match=r"neither does its folder .*nowhere"):
        read_table(tmp_path / "nowhere" / "a.csv")
    with pytest.raises(DataError, match=r"is a folder without images; .* It has: measurements\.csv"):
        read_table(tmp_path)
    with pytest.raises(DataError, match=r"is empty \(0 bytes\)"):
        read_table(write("", "empty.csv"))
    with pytest.raises(DataError, match="no usable file name"):
        read_table("a\0b.csv")
    with pytest.raises(DataError, match=r"(no usable file name|does not exist)"):
        read_table("x" * 5000 + ".csv")
    with pytest.raises(DataError, match=r"extension '\.cvs'; shoal reads \.csv, .*Did you mean '\.csv'"):
        read_table(path.rename(tmp_path / "a.cvs"))
    with pytest.raises(DataError, match="has no extension; shoal reads"):
        read_table(write("a,b\n1,2\n", "noext"))
    with pytest.raises(DataError, match=r"JSON is read as one object per line, in \.jsonl"):
        read_table(write("[]", "a.json"))
    with pytest.raises(DataError, match=r"Parquet files are read without \.gz"):
        read_table(write("x", "a.parquet.gz"))


def test_options_that_make_no_sense(write):
    path = write("a,b\n1,2\n")
    for given in ("", "ab", "a", '"', "é"):
        with pytest.raises(SettingError, match="delimiter must be one character"):
            read_table(path, ReadOptions(delimiter=given))
    for given in ("klingon", "hex", "a\0"):
        with pytest.raises(SettingError, match="encoding must be a text encoding"):
            read_table(path, ReadOptions(encoding=given))
    with pytest.raises(DataError, match="line 2: not ascii text"):
        read_table(write("a,b\n1,é\n"), ReadOptions(encoding="ascii"))
