"""Whatever is written is read back, and whatever the bytes, only a DataError is raised."""

from __future__ import annotations

import csv
import gzip
import io
import tempfile
from pathlib import Path

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from shoal.data.readers import READERS, ReadOptions, read_table
from shoal.errors import DataError

few = settings(max_examples=50, deadline=None, derandomize=True)
finite = st.floats(allow_nan=False, allow_infinity=False)
letters = st.text(st.sampled_from("abcXYZ éλ,;|\t\"'#.-\n"), max_size=8).map(lambda s: "w" + s.strip() + "w")


def _read(content: bytes, name: str, **options) -> pl.DataFrame:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, name)
        path.write_bytes(content)
        return read_table(path, ReadOptions(**options))


@pytest.mark.slow
@few
@example(rows=[(None, None, 2**53 + 1)], delimiter=",", comma=False, everything=False, packed=False)
@given(
    rows=st.lists(st.tuples(st.none() | finite, st.none() | letters, st.integers(-(2**62), 2**62)), min_size=1),
    delimiter=st.sampled_from([",", ";", "\t", "|"]),
    comma=st.booleans(),
    everything=st.booleans(),
    packed=st.booleans(),
)
def test_a_written_table_is_read_back(rows, delimiter, comma, everything, packed):
    comma = comma and delimiter != ","
    out = io.StringIO()
    writer = csv.writer(
        out,
        delimiter=delimiter,
        lineterminator="\n",
        quoting=csv.QUOTE_ALL if everything else csv.QUOTE_MINIMAL,
    )
    writer.writerow(["number", "word", "whole"])
    for number, word, whole in rows:
        shown = "" if number is None else repr(number)
        writer.writerow([shown.replace(".", ",") if comma else shown, word or "", whole])
    content = out.getvalue().encode()
    table = _read(
        gzip.compress(content) if packed else content,
        "t.csv.gz" if packed else "t.csv",
        delimiter=delimiter,
        header=True,
        decimal_comma=comma,
    )
    if any(number is not None for number, _, _ in rows):
        assert table["number"].cast(pl.Float64).to_list() == [r[0] for r in rows]
    assert table["word"].to_list() == [r[1] for r in rows]
    assert table["whole"].to_list() == [r[2] for r in rows]


@few
@given(
    rows=st.lists(st.lists(finite, min_size=3, max_size=3), min_size=2, max_size=20),
    layout=st.sampled_from([(",", "."), (";", "."), (";", ","), ("\t", ","), ("|", "."), (" ", "."), ("   ", ",")]),
    header=st.sampled_from(["", "names", "comment"]),
    latin=st.booleans(),
)
def test_the_layout_of_numbers_is_found(rows, layout, header, latin):
    delimiter, point = layout
    names = ["größe", "b", "c"]
    lines = [delimiter.join(repr(v).replace(".", point) for v in row) for row in rows]
    top = {"": [], "names": [delimiter.join(names)], "comment": ["# " + delimiter.join(names)]}[header]
    table = _read("\n".join(top + lines).encode("latin-1" if latin else "utf-8"), "t.dat")
    assert table.columns == (names if header else ["x1", "x2", "x3"])
    assert [list(map(float, row)) for row in table.rows()] == rows


pieces = st.sampled_from(
    [
        b",",
        b";",
        b"\t",
        b" ",
        b"|",
        b'"',
        b"\n",
        b"\r\n",
        b"#",
        b"1",
        b"2.5",
        b"x",
        b"NA",
        b"\xe9",
        b"\xff",
        b"inf",
    ]
)


@few
@example(b'"')
@example(b'a,"\n')
@example(b'#,#\n"#"')
@example(b"a,b\n1,2\n,\n")
@example(b"\n1,\n")
@example(b"x\n")
@given(st.lists(pieces, max_size=60).map(b"".join))
def test_nearly_a_table_is_read_or_refused(content):
    _read_or_refuse(content, "t.csv")


@pytest.mark.slow
@few
@given(
    st.binary(max_size=200),
    st.sampled_from(
        [
            b"",
            b"PAR1",
            b"ARROW1\0\0",
            b"\x93NUMPY\x01\0",
            b"PK\x03\x04",
            b"\x1f\x8b\x08",
            b'{"a":',
            b"\xff\xfe",
        ]
    ),
)
@pytest.mark.parametrize(
    "extension", sorted({e for r in READERS.values() for e in r.extensions[:1]} | {".npz", ".csv.gz"})
)
def test_any_bytes_are_read_or_refused(extension, content, start):
    _read_or_refuse(start + content, "t" + extension)


@pytest.mark.slow
@few
@given(st.text(max_size=100))
def test_any_text_is_read_or_refused(content):
    _read_or_refuse(content.encode("utf-8", "replace"), "t.csv")
    _read_or_refuse(content.encode("utf-8", "replace"), "t.jsonl")


def _read_or_refuse(content: bytes, name: str) -> None:
    try:
        table = _read(content, name)
    except DataError as error:
        message = str(error)
    else:
        message = ""
        assert table.height
        assert table.width
        assert all(column.strip() for column in table.columns)
    assert "\n" not in message


@pytest.mark.slow
@few
@given(st.data())
@pytest.mark.parametrize("kind", ["parquet", "arrow", "npz"])
def test_a_damaged_file_is_read_or_refused(kind, data):
    import numpy as np

    out = io.BytesIO()
    table = pl.DataFrame({"a": [1.5, 2.5, None], "b": ["x", "y", "z"]})
    if kind == "npz":
        np.savez(out, X=np.ones((3, 2)), y=np.arange(3))
    else:
        (table.write_parquet if kind == "parquet" else table.write_ipc)(out)
    content = bytearray(out.getvalue())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(content)))
    _read_or_refuse(bytes(content), f"t.{kind}")
    _read_or_refuse(bytes(content[:cut]), f"t.{kind}")
