"""Tables written in parts, and regrouped."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from shoal.data.output import Output
from shoal.data.readers import ReadOptions
from shoal.data.stream.pieces import open_pieces
from shoal.data.stream.writing import regroup, write_parts
from shoal.errors import SettingError

pq = pytest.importorskip("pyarrow.parquet", reason="needs pyarrow")
TABLE = pl.DataFrame({"n": np.arange(5000), "kind": ["a", "b"] * 2500})


@pytest.mark.parametrize("extension", [".parquet", ".csv", ".jsonl"])
def test_parts_are_one_table(tmp_path: Path, extension: str) -> None:
    """As if it had been written at once."""
    path = tmp_path / f"t{extension}"
    write_parts(
        (Output(TABLE[at : at + 1000], provenance={"run": "r"}) for at in range(0, 5000, 1000)), path, extension
    )
    read = {".parquet": pl.read_parquet, ".csv": pl.read_csv, ".jsonl": pl.read_ndjson}[extension]
    assert read(path).equals(TABLE)
    if extension == ".parquet":
        assert pq.ParquetFile(path).metadata.metadata[b"shoal run"] == b"r"


def test_formats_that_are_written_as_a_whole_are_refused(tmp_path: Path) -> None:
    """Before anything is written."""
    with pytest.raises(SettingError, match=r"written as \.parquet.*not \.root"):
        write_parts(iter(()), tmp_path / "t.root", ".root")


def test_regrouping_mixes_rows_and_loses_none(tmp_path: Path) -> None:
    """Neighbours are far apart afterwards; the same seed writes the same."""
    pq.write_table(TABLE.to_arrow(), tmp_path / "one.parquet")
    written = []
    for name in ("a", "b"):
        pieces = open_pieces([tmp_path / "one.parquet"], ReadOptions())
        assert pieces is not None
        assert regroup(pieces, tmp_path / f"{name}.parquet", 300, 0) >= 17
        written.append(pl.read_parquet(tmp_path / f"{name}.parquet"))
    assert written[0].equals(written[1])
    assert written[0].sort("n").equals(TABLE)
    assert abs(np.corrcoef(np.arange(5000), written[0]["n"])[0, 1]) < 0.1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.parquet", "b.parquet", "one.parquet"]
