"""Old workbooks and compressed Arrow files say how large they are before they are read."""

from __future__ import annotations

import struct
from pathlib import Path

import polars as pl
import pytest

from shoal.data.readers import read_table
from shoal.data.readers.tables.arrow_sizes import decompressed_size
from shoal.data.readers.tables.old_excel_sizes import SIGNATURE, cells_of_old_workbook
from shoal.errors import DataError

MEMORY = "shoal.data.readers.room.available_memory"
END, FREE, TABLE = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD


def record(kind: int, content: bytes) -> bytes:
    return struct.pack("<HH", kind, len(content)) + content


def number(row: int, column: int, value: float) -> bytes:
    return record(0x0203, struct.pack("<HHHd", row, column, 0, value))


def workbook(*cells: bytes, small: bool = False) -> bytes:
    """Return a compound file with a workbook of one sheet: sectors of its table, directory, small table and stream."""
    begin = [record(0x0809, struct.pack("<HHHHII", 0x0600, kind, 0, 0, 0, 0)) for kind in (0x0005, 0x0010)]
    sheet = begin[1] + b"".join(cells) + record(0x000A, b"")
    globals_size = len(begin[0]) + 4 + 8 + len(b"data") + 4
    bound = record(0x0085, struct.pack("<IBBBB", globals_size, 0, 0, 4, 0) + b"data")
    stream = begin[0] + bound + record(0x000A, b"") + sheet
    size = len(stream) if small else max(4096, len(stream))
    parts = -(-size // 512)
    table = [TABLE, END, END, *range(4, 3 + parts), END]
    small_table = [*range(1, -(-size // 64)), END]

    def entry(name: str, kind: int, child: int, first: int, length: int) -> bytes:
        text = f"{name}\0".encode("utf-16-le")
        head = text.ljust(64, b"\0") + struct.pack("<HBBIII", len(text), kind, 1, FREE, FREE, child)
        return head + bytes(36) + struct.pack("<IQ", first, length)

    directory = entry("Root Entry", 5, 1, 3 if small else END, parts * 512 if small else 0)
    directory += entry("Workbook", 2, FREE, 0 if small else 3, size)
    header = SIGNATURE + bytes(16) + struct.pack("<HHHHH6xIII", 0x3E, 3, 0xFFFE, 9, 6, 0, 1, 1)
    header += struct.pack("<IIIIII", 0, 4096, 2 if small else END, int(small), END, 0)
    pad = lambda numbers: b"".join(struct.pack("<I", n) for n in numbers).ljust(512, b"\xff")  # noqa: E731
    return (
        header.ljust(76, b"\0")
        + struct.pack("<I", 0).ljust(436, b"\xff")
        + pad(table)
        + directory.ljust(512, b"\0")
        + pad(small_table if small else [])
        + stream.ljust(parts * 512, b"\0")
    )


GOOD = [number(row, column, 1.5 * row + column) for row in range(4) for column in range(2)]


@pytest.mark.parametrize("small", [True, False])
def test_old_workbooks_are_read_and_their_cells_counted(tmp_path: Path, small: bool) -> None:
    pytest.importorskip("fastexcel")
    (tmp_path / "a.xls").write_bytes(workbook(*GOOD, small=small))
    assert cells_of_old_workbook((tmp_path / "a.xls").read_bytes()) == (8, 4, 2)
    assert read_table(tmp_path / "a.xls").height == 4


@pytest.mark.parametrize("small", [True, False])
@pytest.mark.parametrize(
    "stray",
    [number(65_534, 65_534, 1.0), record(0x0200, struct.pack("<IIHHH", 0, 2**31, 0, 65_535, 0))],
)
def test_a_stray_cell_of_an_old_workbook_is_named(tmp_path: Path, small: bool, stray: bytes) -> None:
    pytest.importorskip("fastexcel")
    (tmp_path / "a.xls").write_bytes(workbook(*GOOD, stray, small=small))
    with pytest.raises(DataError, match=r"a.xls: the cells of a sheet reach to row .* and column 65,535, .*Delete"):
        read_table(tmp_path / "a.xls")


@pytest.mark.parametrize("cut", [40, 300, 512, 700, 1600])
def test_a_damaged_old_workbook_is_refused(tmp_path: Path, cut: int) -> None:
    pytest.importorskip("fastexcel")
    (tmp_path / "a.xls").write_bytes(workbook(*GOOD)[:cut])
    with pytest.raises(DataError, match=r"a.xls (is no readable Excel file|, sheet)"):
        read_table(tmp_path / "a.xls")


@pytest.mark.parametrize("compression", ["uncompressed", "lz4", "zstd"])
@pytest.mark.parametrize("write", ["write_ipc", "write_ipc_stream"])
def test_compressed_arrow_is_counted_and_bounded(
    tmp_path: Path, compression: str, write: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, rows = tmp_path / "a.arrow", 20_000
    table = pl.DataFrame({"x": [0.0] * rows, "name": ["a name that is longer than twelve letters"] * rows})
    getattr(table, write)(path, compression=compression)
    counted, size = decompressed_size(path.read_bytes())
    assert counted == rows
    assert 40 * rows <= size <= 2 * table.estimated_size()
    assert read_table(path).height == rows
    monkeypatch.setattr(MEMORY, lambda: 2_000_000)
    with pytest.raises(DataError, match=r"a.arrow (holds 20,000 rows, .* decompressed|has .*): reading it takes about"):
        read_table(path)
    for cut in range(0, min(path.stat().st_size, 2000), 7):
        assert decompressed_size(path.read_bytes()[:cut])[1] <= size
