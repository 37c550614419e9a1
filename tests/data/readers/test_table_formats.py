"""The other formats, and data that are already in Python."""

from __future__ import annotations

import datetime
import json
import os
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from shoal.data.frames import from_python
from shoal.data.readers import ReadOptions, read_table
from shoal.errors import DataError

TABLE = pl.DataFrame({"n": [1, 2, None], "f": [0.1, None, 1e-300], "s": ["x", None, "é"], "b": [True, None, False]})


@pytest.mark.parametrize("extension", [".parquet", ".pq", ".arrow", ".feather", ".ipc", ".jsonl", ".ndjson"])
def test_typed_formats_give_the_table_back(tmp_path, extension):
    path = tmp_path / f"t[1]*{extension}"
    write = {
        ".parquet": "write_parquet",
        ".pq": "write_parquet",
        ".jsonl": "write_ndjson",
        ".ndjson": "write_ndjson",
    }
    with path.open("wb") as file:
        getattr(TABLE, write.get(extension, "write_ipc"))(file)
    assert read_table(path).equals(TABLE)


def test_types_become_plain(tmp_path):
    table = pl.DataFrame(
        {
            "u": pl.Series([1, 2**63], dtype=pl.UInt64),
            "f": pl.Series([1.5, float("nan")], dtype=pl.Float32),
            "c": pl.Series(["a", "b"], dtype=pl.Categorical),
            "d": pl.Series([Decimal("1.25"), None]),
            "t": [datetime.date(2020, 1, 1), None],
            "w": [datetime.timedelta(seconds=1.5), None],
        }
    )
    table.write_parquet(tmp_path / "t.parquet")
    read = read_table(tmp_path / "t.parquet")
    assert read.dtypes == [pl.Float64, pl.Float64, pl.String, pl.Float64, pl.Date, pl.Float64]
    assert read["f"].to_list() == [1.5, None]
    assert read["w"].to_list() == [1.5, None]


def test_nested_columns_are_refused(tmp_path):
    pl.DataFrame({"a": [[1], [2]]}).write_parquet(tmp_path / "t.parquet")
    with pytest.raises(DataError, match=r"column 'a' holds values of type List\(Int64\); expected numbers"):
        read_table(tmp_path / "t.parquet")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"a":1}\n{"a":2', r"line 2: expected one JSON object per line.* no JSON"),
        ('{"a":1}\n\n[1]\n', r"line 3: expected one JSON object per line.* found a list"),
        ('{"a":1}\n{"a":{"b":1}}\n', r"line 2: column 'a' holds an object"),
        ('{"a":[1]}\n', r"column 'a' holds"),
        ("a,b\n1,2\n", r"line 1: expected one JSON object"),
        ("".join('{"a": 1, "b": 2}\n' for _ in range(20)) + '{"a": "oops"}', r"line 21: column 'a' .*'oops'"),
        ('{"": 1}', r"column 1 of 1 has no name"),
        ("{}\n", "no columns"),
    ],
)
def test_bad_json_lines(tmp_path, content, message):
    (tmp_path / "t.jsonl").write_text(content)
    with pytest.raises(DataError, match=message):
        read_table(tmp_path / "t.jsonl")


def test_json_lines_with_nan_gaps_and_mixed_types(tmp_path):
    (tmp_path / "t.jsonl").write_text('{"a": NaN, "b": 1}\n\n{"a": -Infinity}\n{"a": 2, "c": "x"}\n')
    table = read_table(tmp_path / "t.jsonl")
    assert table["a"].to_list() == [None, -np.inf, 2.0]
    assert table["c"].to_list() == [None, None, "x"]
    (tmp_path / "m.jsonl").write_text("\n".join(json.dumps({"a": v}) for v in [1, "x", True]))
    assert read_table(tmp_path / "m.jsonl")["a"].to_list() == ["1", "x", "true"]


def test_excel(tmp_path):
    path = tmp_path / "t.xlsx"
    import xlsxwriter

    with xlsxwriter.Workbook(path) as book:
        TABLE.write_excel(book, "first", position="B3")
        pl.DataFrame({"z": [*range(20), "oops"], "k": ["a"] * 21}, strict=False).write_excel(book, "second")
        pl.DataFrame({"z": [str(i) for i in range(20)] + ["oops"]}).write_excel(book, "third")
        book.add_worksheet("none")
    table = read_table(path)
    assert table.equals(TABLE)
    with pytest.raises(DataError, match=r"row 22: column 'z' should hold numbers, found the text 'oops'"):
        read_table(path, ReadOptions(sheet="third"))
    with pytest.raises(DataError, match=r"no sheet 'secnd'; it has: first, second.*Did you mean 'second'"):
        read_table(path, ReadOptions(sheet="secnd"))
    with pytest.raises(DataError, match="the sheet is empty"):
        read_table(path, ReadOptions(sheet="none"))
    (tmp_path / "broken.xlsx").write_text("no workbook")
    with pytest.raises(DataError, match="is no readable Excel file"):
        read_table(tmp_path / "broken.xlsx")


def test_numpy_files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("a.npy", np.arange(6, dtype=">f4").reshape(3, 2))
    assert read_table("a.npy").rows() == [(0, 1), (2, 3), (4, 5)]
    np.savez("b.npz", X=np.ones((3, 2)), y=np.arange(3), feature_names=np.array(["p", "q"]))
    assert read_table("b.npz").columns == ["p", "q", "y"]
    np.savez("c.npz", a=np.ones(3), b=np.array(["x", "y", "z"]))
    assert read_table("c.npz").rows() == [(1.0, "x"), (1.0, "y"), (1.0, "z")]
    np.savez("y2.npz", X=np.ones((3, 1)), y=np.ones((3, 2)))
    assert read_table("y2.npz").columns == ["x1", "y1", "y2"]
    bad = {
        "shape": (dict(X=np.ones((3, 2)), y=np.arange(4)), r"X has 3 rows and y has 4"),
        "names": (
            dict(X=np.ones((3, 2)), feature_names=np.array(["p"])),
            r"1 feature_names for the 2 columns",
        ),
        "lengths": (dict(a=np.ones(3), b=np.ones(2)), r"'a' has 3 values and column 'b' 2"),
        "mixed": (dict(a=np.ones(3), b=np.ones((3, 2))), r"b \(3, 2\); expected X \(rows, columns\)"),
        "extra": (dict(X=np.ones((3, 2)), w=np.ones(3)), r"holds X and also w"),
        "cube": (dict(a=np.ones((2, 2, 2))), r"got shape \(2, 2, 2\)"),
        "complex": (dict(a=np.ones(2, complex)), r"type complex128"),
    }
    for name, (arrays, message) in bad.items():
        np.savez(f"{name}.npz", **arrays)
        with pytest.raises(DataError, match=message):
            read_table(f"{name}.npz")
    np.save("o.npy", np.array([{}, None]), allow_pickle=True)
    with pytest.raises(DataError, match="holds Python objects, which could run code"):
        read_table("o.npy")
    os.rename("b.npz", "b.csv")
    with pytest.raises(DataError, match=r"named \.csv, but its content is NumPy\. Rename it to end in \.npz"):
        read_table("b.csv")


@pytest.mark.parametrize("extension", [".parquet", ".arrow", ".xlsx", ".npy", ".npz"])
def test_text_under_a_binary_name(tmp_path, extension):
    (tmp_path / f"t{extension}").write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match="is no readable"):
        read_table(tmp_path / f"t{extension}")


def test_no_rows(tmp_path):
    TABLE.clear().write_parquet(tmp_path / "t.parquet")
    with pytest.raises(DataError, match=r"columns \(n, f, s, b\) and no rows"):
        read_table(tmp_path / "t.parquet")


@pytest.mark.parametrize(
    "data",
    [
        TABLE,
        TABLE.lazy(),
        TABLE.to_arrow(),
        TABLE.to_arrow().to_batches()[0],
        TABLE.to_dict(as_series=False),
        TABLE.to_dicts(),
        TABLE.to_pandas(),
        pd.DataFrame({k: pd.array(v, dtype=t) for (k, v), t in zip(
            TABLE.to_dict(as_series=False).items(), ["Int64", "Float64", "string", "boolean"], strict=True)}),
    ],
    ids=lambda d: type(d).__module__.split(".")[0] + type(d).__name__,
)  # fmt: skip
def test_frames_are_accepted(data):
    table = from_python(data)
    assert table.columns == TABLE.columns
    assert table["f"].to_list() == TABLE["f"].to_list()
    assert table["s"].to_list() == TABLE["s"].to_list()
    assert table["n"].to_list() == TABLE["n"].to_list()
    assert table["b"].to_list() == TABLE["b"].to_list()


def test_pandas_categories_dates_and_index():
    frame = pd.DataFrame(
        {
            "c": pd.Categorical(["a", None, "b"]),
            "d": pd.to_datetime(["2020-01-01", None, "2021-01-01"]),
            7: [1, 2, 3],
        },
        index=[5, 6, 7],
    )
    table = from_python(frame)
    assert table.columns == ["c", "d", "7"]
    assert table["c"].to_list() == ["a", None, "b"]
    assert table["d"].to_list() == [datetime.datetime(2020, 1, 1), None, datetime.datetime(2021, 1, 1)]
    assert from_python(frame["c"]).columns == ["c"]


def test_arrays_are_accepted():
    assert from_python(np.ones((3, 2))).columns == ["x1", "x2"]
    assert from_python(np.array([1, 2])).rows() == [(1,), (2,)]
    assert from_python((np.ones((2, 2)), np.array(["a", "b"]))).rows() == [(1, 1, "a"), (1, 1, "b")]
    assert from_python((pd.DataFrame({"p": [1, 2]}), pd.Series([3, 4], name="q"))).columns == ["p", "y"]
    assert from_python((np.ones((2, 1)), np.ones((2, 2)))).columns == ["x1", "y1", "y2"]
    assert from_python(np.ma.masked_array([1.0, 2.0], mask=[False, True]))["x1"].to_list() == [1.0, None]
    assert from_python({"a": np.array([1, 2], "float16"), "b": [np.float64(1), None]}).rows() == [
        (1, 1),
        (2, None),
    ]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (3, "has the type int; expected a data frame"),
        ("iris", "has the type str"),
        (None, "has the type NoneType"),
        ((1, 2, 3), r"a tuple must be \(X, y\), got 3 entries"),
        ((np.ones((3, 2)), np.ones(2)), "X has 3 rows and y has 2"),
        ((pd.DataFrame({"y": [1]}), [1]), "X already has the column 'y'"),
        (np.ones((2, 2, 2)), r"got shape \(2, 2, 2\)"),
        (np.array(1.0), r"got shape \(\)"),
        (np.ones((0, 3)), "has 0 rows"),
        ({}, "0 rows and 0 columns"),
        ({"a": [1, 2], "b": [1]}, "'a' has 2 values and column 'b' 1"),
        ({"a": 1}, "column 'a' is a single int"),
        ({"a": "text"}, "column 'a' is a single str"),
        ({"a": np.ones((2, 2))}, r"column 'a' has shape \(2, 2\)"),
        ({"a": [[1], [2]]}, "column 'a' holds values of type List"),
        ({"a": [1, object()]}, "column 'a' holds values of"),
        ([[1, 2], [3]], "cannot become an array"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "the name 'a' occurs in columns 1, 2"),
        (pa.table([[1], [2]], names=["a", "a"]), "the name 'a' occurs in columns 1, 2"),
        (pd.DataFrame({"": [1]}), "column 1 of 1 has no name"),
        (np.array([1 + 2j]), "type complex128"),
    ],
)
def test_bad_python_data(data, message):
    with pytest.raises(DataError, match=message):
        from_python(data)
