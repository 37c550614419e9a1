"""ARFF as Weka and OpenML write it, beside SciPy's reader where that reads it."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import pytest
from scipy.io import arff

from shoal.data.readers import Content, ReadOptions, read_path
from shoal.errors import DataError

DENSE = """% a comment
@RELATION iris
@ATTRIBUTE width NUMERIC
@attribute 'length [cm]' real
@attribute species {setosa, 'versi color', virginica}
@attribute count integer
@data
5.1, 3.5, setosa, 1
% another
4.9, ?, 'versi color', 2

-1e3,1.25,virginica,3
"""
ODD = r"""@relation 'odd ones'
@attribute name string
@attribute "a 'b'" {0, 1}
@attribute when date "yyyy-MM-dd"
@attribute x numeric
@data
'it\'s, so', 1, "2020-01-02", 1
"?", 0, 2021-03-04, 2
?,1,?,?
"""
SPARSE = """@relation s
@attribute a numeric
@attribute kind {low, high}
@attribute b numeric
@data
{0 3, 2 1.5}
{1 high}
{}
{2 ?, 1 'low'}
"""


def read(folder: Path, text: str) -> Content:
    (folder / "a.arff").write_text(text, encoding="utf-8")
    return read_path(folder / "a.arff", ReadOptions())


def test_dense_rows_are_those_that_scipy_reads(tmp_path: Path) -> None:
    content = read(tmp_path, DENSE)
    data, meta = arff.loadarff(io.StringIO(DENSE.replace("'versi color'", "versicolor")))
    assert content.table.columns == [name.strip("'") for name in meta.names()]
    assert content.table["width"].to_list() == data["width"].tolist()
    assert content.table["length [cm]"].to_list() == [3.5, None, 1.25]
    assert content.table["species"].to_list() == ["setosa", "versi color", "virginica"]
    assert content.table["count"].to_list() == [1, 2, 3]


def test_texts_quotes_and_dates(tmp_path: Path) -> None:
    table = read(tmp_path, ODD).table
    assert table.columns == ["name", "a 'b'", "when", "x"]
    assert table["name"].to_list() == ["it's, so", "?", None]
    assert table["a 'b'"].to_list() == ["1", "0", "1"]
    assert table["when"].to_list() == ["2020-01-02", "2021-03-04", None]
    assert table["x"].to_list() == [1, 2, None]


def test_sparse_rows_mean_zero_and_the_first_value(tmp_path: Path) -> None:
    table = read(tmp_path, SPARSE).table
    assert table.rows() == [(3, "low", 1.5), (0, "high", 0.0), (0, "low", 0.0), (0, "low", None)]


def test_compressed(tmp_path: Path) -> None:
    (tmp_path / "a.arff.gz").write_bytes(gzip.compress(DENSE.encode()))
    assert read_path(tmp_path / "a.arff.gz", ReadOptions()).table.height == 3


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("@data", "@dat", "has no line @data"),
        ("5.1, 3.5, setosa, 1", "5.1, 3.5, setosa", "line 8: expected 4 values, found 3"),
        ("5.1, 3.5, setosa", "5.1, 3.5, rose", "line 8: attribute 'species' has the values .*; found 'rose'"),
        ("count integer", "count relational", r"line 6: expected @attribute NAME TYPE with .*'@attribute count rel"),
        ("'versi color', 2", "'versi color, 2", r"line 10: "),
        ("-1e3,1.25", "high,1.25", "line 12: attribute 'width' is declared numeric, found 'high'"),
        ("5.1, 3.5, setosa, 1", "{7 1}", "line 8: there is no attribute 7; they are counted from 0 to 3"),
    ],
)
def test_mistakes_are_told_with_their_line(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in DENSE
    with pytest.raises(DataError, match=message):
        read(tmp_path, DENSE.replace(old, new))


def test_rows_without_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shoal.data.readers.room.available_memory", lambda: 100_000)
    text = "@relation r\n" + "".join(f"@attribute a{i} numeric\n" for i in range(300)) + "@data\n" + "{}\n" * 90
    with pytest.raises(DataError, match=r"a.arff has 90 rows of 300 attributes: reading it takes about"):
        read(tmp_path, text)
