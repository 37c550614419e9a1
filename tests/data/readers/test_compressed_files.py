"""Texts compressed with gzip, bzip2, xz and zstd, and tables in zip archives, none expanded beyond the memory."""

from __future__ import annotations

import bz2
import gzip
import importlib.util
import lzma
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from shoal.cli import main
from shoal.data.loading import load_dataset
from shoal.data.readers import ReadOptions, read_path, read_table
from shoal.data.readers.files import load_bytes
from shoal.data.readers.tables.chosen_table import SeveralTables
from shoal.errors import DataError

MEMORY = "shoal.data.readers.room.available_memory"
TEXT = "x,y\n" + "".join(f"{i},{i % 3}\n" for i in range(12))


def zstd(content: bytes) -> bytes:
    if sys.version_info >= (3, 14):
        from compression import zstd as module
    else:
        module = pytest.importorskip("backports.zstd")
    return bytes(module.compress(content))


COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress, ".zst": zstd,
}  # fmt: skip
each = pytest.mark.parametrize("ending", COMPRESS)


@each
@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.arff"])
def test_texts_are_read_and_called_after_their_name(tmp_path: Path, ending: str, name: str) -> None:
    table = pl.read_csv(TEXT.encode())
    texts = {"a.csv": TEXT, "a.jsonl": table.write_ndjson()}
    texts["a.arff"] = "@relation r\n@attribute x real\n@attribute y real\n@data\n" + TEXT.split("\n", 1)[1]
    path = tmp_path / f"{name}{ending}"
    path.write_bytes(COMPRESS[ending](texts[name].encode()))
    assert load_dataset(path, target="y").name == "a"
    assert read_table(path).equals(table)


@each
def test_parts_in_a_row_damage_and_bounds(tmp_path: Path, ending: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path, part = tmp_path / f"a.csv{ending}", COMPRESS[ending](b"1" * 3_000_000)
    path.write_bytes(part * 2 + bytes(600))
    assert load_bytes(path) == b"1" * 6_000_000
    path.write_bytes(part[:-9])
    with pytest.raises(DataError, match=rf"a\.csv\{ending} is compressed with \w+, but damaged \(.*\)\. Copy or down"):
        load_bytes(path)
    path.write_bytes(part * 2)
    monkeypatch.setattr(MEMORY, lambda: 25_000_000)
    with pytest.raises(
        DataError, match=r"has .* and more than 4 MB when it is decompressed; .* a larger machine|damag"
    ):
        load_bytes(path)


def test_zstd_without_its_package_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if sys.version_info >= (3, 14):
        pytest.skip("Python has it")
    (tmp_path / "a.csv.zst").write_bytes(zstd(TEXT.encode()))
    monkeypatch.setattr("shoal.data.readers.compression.find_spec", lambda _: None)
    with pytest.raises(DataError, match=r"compressed with zstd, which needs .* pip install 'shoal\[zstd\]'"):
        read_table(tmp_path / "a.csv.zst")
    assert importlib.util.find_spec("backports") is not None


def test_formats_that_compress_on_their_own(tmp_path: Path) -> None:
    (tmp_path / "a.parquet.xz").write_bytes(lzma.compress(b"PAR1"))
    with pytest.raises(DataError, match=r"Parquet files are read without \.xz\. Decompress it first"):
        read_table(tmp_path / "a.parquet.xz")


def archive(path: Path, **files: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        for name, content in files.items():
            out.writestr(name.replace("__", "/").replace("_csv", ".csv").replace("_parquet", ".parquet"), content)
    return path


def test_one_table_in_an_archive(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.zip", README=b"read me", data__a_csv=TEXT.encode())
    assert read_table(path).height == 12
    assert load_dataset(path, target="y").name == "a"
    pl.DataFrame({"x": [1.5]}).write_parquet(tmp_path / "t.parquet")
    assert read_table(archive(tmp_path / "b.zip", t_parquet=(tmp_path / "t.parquet").read_bytes())).rows() == [(1.5,)]
    path = archive(tmp_path / "c.zip", a_csv=b"x,y\n1,2\n1,2,3\n")
    with pytest.raises(DataError, match=r"c\.zip, a\.csv, line 3: expected 2 fields"):
        read_table(path)
    with pytest.raises(DataError, match=r"d\.zip holds no table"):
        read_table(archive(tmp_path / "d.zip", README=b"read me"))


def test_several_tables_in_an_archive(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = archive(tmp_path / "a.zip", a_csv=TEXT.encode(), b__c_csv=b"u,v\n1,2\n")
    with pytest.raises(SeveralTables, match=r"holds 2 tables: a\.csv \(\d+ B\); b/c\.csv \(8 B\)\. Name one"):
        read_table(path)
    assert read_path(path, ReadOptions(table="b/c.csv")).table.rows() == [(1, 2)]
    assert main(["describe", str(path)]) == 0
    assert "b/c.csv" in capsys.readouterr().out


def test_archives_are_bounded_and_damage_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = archive(tmp_path / "a.zip", a_csv=b"1" * 3_000_000)
    content = path.read_bytes()
    path.write_bytes(content.replace(content[60:64], b"\xff\0\xff\0"))
    with pytest.raises(DataError, match=r"a.zip is a damaged zip archive"):
        read_table(path)
    path.write_bytes(content[:1000])
    with pytest.raises(DataError, match=r"a.zip is a damaged zip archive"):
        read_table(path)
    path.write_bytes(content)
    monkeypatch.setattr(MEMORY, lambda: 1_000_000)
    with pytest.raises(DataError, match=r"a.zip holds a.csv of 3 MB: reading it takes about 6 MB of memory"):
        read_table(path)
