"""Addresses with a scheme, by fsspec's file system in memory."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from shoal.cli import main
from shoal.data.loading import load_dataset
from shoal.data.readers import Content, ReadOptions, read_files
from shoal.errors import DataError

TEXT = "x,y\n" + "".join(f"{i},{i % 3}\n" for i in range(12))


@pytest.fixture
def store() -> Iterator[Any]:
    """The file system in memory, empty again at the end."""
    memory = pytest.importorskip("fsspec").filesystem("memory")
    yield memory
    memory.store.clear()
    memory.pseudo_dirs[:] = [""]


def read(address: str, **options: str) -> Content:
    return read_files(address, ReadOptions(**options))  # type: ignore[arg-type]


def test_a_file_and_a_pattern(store: Any, capsys: pytest.CaptureFixture[str]) -> None:
    for part in range(2):
        store.pipe(f"/runs/2024/part{part}.csv", TEXT.encode())
    dataset = load_dataset("memory://runs/2024/part0.csv", target="y")
    assert (dataset.name, dataset.source, dataset.rows) == ("part0", "memory://runs/2024/part0.csv", 12)
    table = read("memory://runs/*/part*.csv", file_column="file").table
    assert table["file"].unique(maintain_order=True).to_list() == ["part0.csv", "part1.csv"]
    assert table.height == 24
    assert main(["describe", "memory://runs/2024/part0.csv", "--target", "y"]) == 0
    assert "part0: 12 rows" in capsys.readouterr().out


def test_a_folder(store: Any, tmp_path: Path) -> None:
    zarr = pytest.importorskip("zarr")
    zarr.create_group(tmp_path / "a.zarr").create_array("x", data=np.arange(3.0))
    store.put(str(tmp_path / "a.zarr"), "/grids/a.zarr", recursive=True)
    shutil.rmtree(tmp_path / "a.zarr")
    assert read("memory://grids/a.zarr").table["x"].to_list() == [0.0, 1.0, 2.0]
    pl.DataFrame({"x": [1]}).write_parquet(tmp_path / "a.parquet")
    store.put(str(tmp_path / "a.parquet"), "/data/year=2024/a.parquet")
    assert read("memory://data").table.rows() == [(1, 2024)]


def test_what_is_wrong_is_told_with_the_address(store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError, match=r"memory://runs/none\.csv does not exist"):
        read("memory://runs/none.csv")
    with pytest.raises(DataError, match=r"memory://runs/\*\.csv fits no file"):
        read("memory://runs/*.csv")
    with pytest.raises(DataError, match=r"nowhere://a\.csv cannot be fetched \(Protocol not known: nowhere"):
        read("nowhere://a.csv")
    with pytest.raises(DataError, match=r"memory://runs/a\.csv is one of several paths; give addresses as one pattern"):
        read_files(["memory://runs/a.csv", "b.csv"], ReadOptions())
    store.pipe("/runs/2024/a.csv", b"x,y\n1,2\n")
    store.pipe("/runs/2025/a.csv", b"x,z\n1,2\n")
    with pytest.raises(
        DataError, match=r"^memory://runs/2025/a\.csv lacks 'y' and has 'z' more than memory://runs/2024/a"
    ):
        read("memory://runs/*/a.csv")
    store.pipe("/runs/a.csv", b"x,y\n1,2\n1,2,3\n")
    with pytest.raises(DataError, match=r"^memory://runs/a\.csv, line 3: expected 2 fields"):
        read("memory://runs/a.csv")
    monkeypatch.setattr("shoal.data.readers.room.available_memory", lambda: 10)
    with pytest.raises(DataError, match=r"memory://runs/a\.csv has 14 B in 1 file: reading it takes about"):
        read("memory://runs/a.csv")
    known = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *_: None if name == "fsspec" else known(name))
    with pytest.raises(DataError, match=r"memory://runs/a\.csv: remote files need .* pip install 'shoal\[remote\]'"):
        read("memory://runs/a.csv")
