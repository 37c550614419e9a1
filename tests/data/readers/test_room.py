"""What has no room in memory, cannot be called so, or is no file is refused in words before it is read."""

from __future__ import annotations

import gzip
import io
import os
import zipfile
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from shoal.data.loading import load_dataset
from shoal.data.readers import read_table
from shoal.data.readers.files import load_bytes
from shoal.errors import DataError

MEMORY = "shoal.data.readers.room.available_memory"


def test_a_stray_cell_of_a_sheet_is_named(tmp_path: Path) -> None:
    pytest.importorskip("fastexcel")
    xlsxwriter = pytest.importorskip("xlsxwriter")
    with xlsxwriter.Workbook(tmp_path / "a.xlsx") as book:
        first, second = book.add_worksheet("good"), book.add_worksheet("stray")
        for sheet in (first, second):
            sheet.write_row(0, 0, ["a", "b"])
            sheet.write_row(1, 0, [1.5, 2])
        second.write(1_048_574, 16_382, 1)
    with pytest.raises(DataError, match=r"sheet2.xml reach to row 1,048,575 and column 16,383, .* GB .*Delete cells"):
        read_sheet(tmp_path / "a.xlsx", "stray")
    assert read_table(tmp_path / "a.xlsx").rows() == [(1.5, 2.0)]


def read_sheet(path: Path, sheet: str) -> pl.DataFrame:
    from shoal.data.readers import ReadOptions

    return read_table(path, ReadOptions(sheet=sheet))


def test_a_repeated_cell_of_an_opendocument_sheet_is_counted(tmp_path: Path) -> None:
    pytest.importorskip("fastexcel")
    cell = '<table:table-cell office:value-type="float" office:value="1" table:number-columns-repeated="16384"/>'
    rows = f'<table:table-row table:number-rows-repeated="1048576">{cell}</table:table-row>'
    with zipfile.ZipFile(tmp_path / "a.ods", "w") as archive:
        archive.writestr("content.xml", f'<x><table:table table:name="a">{rows}</table:table></x>')
    with pytest.raises(DataError, match=r"content.xml reach to row 1,048,576 and column 16,384"):
        read_table(tmp_path / "a.ods")


def test_gzip_stops_where_the_memory_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "a.csv.gz"
    member = gzip.compress(b"1" * 10_000_000)
    file.write_bytes(member * 3)
    assert load_bytes(file) == b"1" * 30_000_000
    monkeypatch.setattr(MEMORY, lambda: 100_000_000)
    with pytest.raises(DataError, match=r"a.csv.gz has .* and more than 16 MB when it is decompressed; .* a larger"):
        load_bytes(file)


@pytest.mark.parametrize("name", ["a.npy", "a.npz"])
@pytest.mark.parametrize("shape", [(10**9, 8), (10**9, 28, 28), (2**62, 2**62), (-1, 3)])
def test_an_array_that_is_declared_but_not_there(tmp_path: Path, name: str, shape: tuple[int, ...]) -> None:
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f8", "fortran_order": False, "shape": shape})
    if name.endswith("z"):
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            archive.writestr("X.npy", header.getvalue() + bytes(100))
    else:
        (tmp_path / name).write_bytes(header.getvalue() + bytes(100))
    with pytest.raises(DataError, match=r"its header declares an array of shape .* but 100 B follow"):
        load_dataset(tmp_path / name)


@pytest.mark.parametrize("suffix", [".npy", ".npz", ".parquet", ".arrow", ".csv", ".jsonl", ".ts", ".h5"])
def test_what_has_no_room_in_memory_is_refused_with_both_sizes(
    tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / f"a{suffix}"
    table = pl.DataFrame({"a": np.arange(5000.0), "y": np.zeros(5000)})
    if suffix == ".h5":
        with pytest.importorskip("h5py").File(path, "w") as file:
            file.create_dataset("X", (10**9, 28, 28), "f4", chunks=(1, 28, 28))
            file["y"] = np.zeros(5)
    elif suffix == ".ts":
        path.write_text("@classLabel true a b\n@data\n" + "1," * 1000 + "1:a\n" + "1:b\n" * 1000)
    elif suffix in (".npy", ".npz"):
        (np.save if suffix == ".npy" else np.savez)(path, table.to_numpy())
    else:
        {".parquet": table.write_parquet, ".arrow": table.write_ipc, ".csv": table.write_csv}.get(
            suffix, table.write_ndjson
        )(path)
    monkeypatch.setattr(MEMORY, lambda: 100_000)
    with pytest.raises(DataError, match=rf"a\{suffix}.* reading it takes about .*B of memory, of which 80 kB may"):
        load_dataset(path)


def test_names_that_no_file_can_have(tmp_path: Path) -> None:
    for name in ("n" * 300, f"{'n' * 300}.csv", f"{'n' * 300}.npz"):
        with pytest.raises(DataError, match="no usable file name: File name too long"):
            load_dataset(tmp_path / name)
    bytes_in_it = tmp_path / os.fsdecode(b"\xff.csv")
    bytes_in_it.write_text("a,y\n1,2\n")
    with pytest.raises(DataError, match=r"holds bytes that are no UTF-8. Rename it"):
        load_dataset(bytes_in_it)


def test_what_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "zero.csv").symlink_to("/dev/zero")
    (tmp_path / "broken.csv").symlink_to("nowhere.csv")
    for name, what in {
        "pipe": "is a named pipe",
        "zero": "is a device",
        "broken": "is a link to 'nowhere.csv'",
    }.items():
        with pytest.raises(DataError, match=what):
            load_dataset(tmp_path / f"{name}.csv")


@pytest.mark.parametrize("row", ["../other.png", "{folder}/other.png", "link.png"])
def test_labels_name_no_image_outside_their_folder(tmp_path: Path, row: str) -> None:
    image = pytest.importorskip("PIL.Image").new("L", (8, 8))
    folder = tmp_path / "photos"
    folder.mkdir()
    image.save(tmp_path / "other.png")
    image.save(folder / "a.png")
    (folder / "link.png").symlink_to(tmp_path / "other.png")
    (folder / "labels.csv").write_text(f"file,y\na.png,1\n{row.format(folder=tmp_path)},2\n")
    with pytest.raises(DataError, match=r"row 2: .*png' lies outside .*photos; copy the image into the folder"):
        load_dataset(folder)


@pytest.mark.parametrize("text", ["@", "@\n@data\n", "@ data"])
def test_a_header_of_series_without_words(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.ts").write_text(text)
    with pytest.raises(DataError, match=r"a.ts has no (line @data|series)"):
        load_dataset(tmp_path / "a.ts")


@pytest.mark.parametrize("text", ['{"a":' * 100_000 + "1" + "}" * 100_000, "[" * 1_000_000])
def test_objects_in_objects_of_any_depth(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.jsonl").write_text(text)
    with pytest.raises(DataError, match=r"a.jsonl, line 1: .*(no JSON|found a list|holds an object)"):
        read_table(tmp_path / "a.jsonl")


def test_more_columns_than_a_table_has(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("\n".join(["1," * 100_000 + "2"] * 3))
    with pytest.raises(DataError, match=r"has 100,001 columns; tables are read with 100,000 at most. Give spectra"):
        read_table(tmp_path / "a.csv")
