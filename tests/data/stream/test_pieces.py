"""Files read in pieces: every row once, in order, with plain types; what differs or changes is refused."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from shoal.data.readers import ReadOptions
from shoal.data.stream.pieces import Pieces, open_pieces
from shoal.errors import DataError

pq = pytest.importorskip("pyarrow.parquet", reason="needs pyarrow")


def table(rows: int, first: int = 0) -> pl.DataFrame:
    """Return rows that tell their number."""
    numbers = np.arange(first, first + rows)
    return pl.DataFrame({"n": numbers, "x": numbers / 4, "kind": [f"k{i % 3}" for i in numbers]})


def write(path: Path, rows: pl.DataFrame) -> Path:
    """Write a table in pieces of ten rows, in the format that the extension names."""
    if path.suffix == ".parquet":
        pq.write_table(rows.to_arrow(), path, row_group_size=10)
    elif path.suffix == ".arrow":
        import pyarrow as pa

        arrow = rows.to_arrow(compat_level=pl.CompatLevel.oldest())
        with pa.ipc.new_file(str(path), arrow.schema) as writer:
            writer.write_table(arrow, max_chunksize=10)
    else:
        h5py = pytest.importorskip("h5py", reason="needs h5py")
        with h5py.File(path, "w") as file:
            for name in rows.columns:
                values = rows[name].to_numpy()
                file[f"events/{name}"] = values.astype("S4") if values.dtype.kind == "O" else values
    return path


def pieces_of(*paths: Path) -> Pieces:
    """Return files as pieces."""
    pieces = open_pieces(list(paths), ReadOptions())
    assert pieces is not None
    return pieces


@pytest.mark.parametrize("extension", [".parquet", ".arrow", ".h5"])
def test_every_row_comes_once_and_in_order(tmp_path: Path, extension: str) -> None:
    """Two files of one table: the numbers of rows run on."""
    files = [write(tmp_path / f"{i}{extension}", table(35, 35 * i)) for i in range(2)]
    pieces = pieces_of(*files)
    read = [(first, part) for piece in pieces.all for first, part in pieces.read(piece)]
    assert pieces.rows == 70
    assert pl.concat([part for _, part in read]).select("n", "x", "kind").equals(table(70))
    assert all(part["n"][0] == first for first, part in read)


def test_tables_have_the_size_that_is_asked_for(tmp_path: Path) -> None:
    """Whatever the pieces are."""
    pieces = pieces_of(write(tmp_path / "a.parquet", table(35)))
    parts = list(pieces.tables(16))
    assert [part.height for part in parts] == [16, 16, 3]
    assert pl.concat(parts).equals(table(35))


def test_empty_pieces_are_passed_over_and_empty_files_refused(tmp_path: Path) -> None:
    """An empty row group has no rows to give."""
    arrow = table(5).to_arrow()
    with pq.ParquetWriter(tmp_path / "a.parquet", arrow.schema) as writer:
        for part in (arrow[:0], arrow, arrow[:0]):
            writer.write_table(part)
    assert pieces_of(tmp_path / "a.parquet").rows == 5
    pq.write_table(arrow[:0], tmp_path / "b.parquet")
    with pytest.raises(DataError, match="has no rows"):
        pieces_of(tmp_path / "b.parquet")


def test_columns_that_differ_are_named(tmp_path: Path) -> None:
    """Their files, and their types; whole numbers and others become one type."""
    a = write(tmp_path / "a.parquet", table(5))
    text = write(tmp_path / "b.parquet", table(5).with_columns(pl.col("x").cast(pl.String)))
    with pytest.raises(DataError, match=r"'x' holds float64 in .*a\.parquet and string in .*b\.parquet"):
        pieces_of(a, text)
    more = write(tmp_path / "c.parquet", table(5).with_columns(z=1))
    with pytest.raises(DataError, match=r"c\.parquet has 'z' more than .*a\.parquet"):
        pieces_of(a, more)
    whole = write(tmp_path / "d.parquet", table(5).with_columns(pl.col("x").cast(pl.Int64)))
    assert pieces_of(whole, a).types["x"] == pl.Float64


def test_a_file_that_changes_is_refused_while_it_is_read(tmp_path: Path) -> None:
    """Whether it is written anew, or gone."""
    path = write(tmp_path / "a.parquet", table(35))
    pieces = pieces_of(path)
    list(pieces.read(pieces.all[0]))
    os.utime(path, ns=(1, 1))
    with pytest.raises(DataError, match=r"a\.parquet has changed"):
        list(pieces.read(pieces.all[1]))
    path.unlink()
    with pytest.raises(DataError, match="is gone"):
        list(pieces.read(pieces.all[1]))


def test_few_pieces_are_told(tmp_path: Path) -> None:
    """Rows of a single row group cannot be read in random order."""
    pq.write_table(table(100).to_arrow(), tmp_path / "one.parquet")
    assert "shoal regroup" in pieces_of(tmp_path / "one.parquet").advice
    assert not pieces_of(write(tmp_path / "many.parquet", table(100))).advice


def test_damaged_files_are_refused(tmp_path: Path) -> None:
    """In a line."""
    (tmp_path / "a.parquet").write_bytes(b"PAR1" + bytes(100))
    with pytest.raises(DataError, match="no readable Parquet file"):
        pieces_of(tmp_path / "a.parquet")
    path = write(tmp_path / "b.parquet", table(3000))
    content = bytearray(path.read_bytes())
    content[200:4000] = bytes(3800)
    path.write_bytes(content)
    pieces = pieces_of(path)
    with pytest.raises(DataError, match="row group 1: it cannot be read"):
        list(pieces.read(pieces.all[0]))


def test_checksums_tell_files_apart(tmp_path: Path) -> None:
    """By what they hold, not by when they were written."""
    a, same = write(tmp_path / "a.parquet", table(35)), write(tmp_path / "b.parquet", table(35))
    other = write(tmp_path / "c.parquet", table(35).with_columns(pl.col("x") + 1))
    assert pieces_of(a).checksum == pieces_of(same).checksum != pieces_of(other).checksum
