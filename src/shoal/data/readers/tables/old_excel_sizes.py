"""How far the cells of an old workbook (`.xls`) reach: what reads it allocates the areas of all its sheets.

It is a compound file: streams in chains of sectors ([MS-CFB]), of which one holds the records of cells ([MS-XLS]).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

import numpy as np

SIGNATURE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_BEGIN, _DIMENSIONS = 0x0809, 0x0200
_SEVERAL = 0x00BD  # cells beside each other; the last column stands at the end
_CELLS = {0x0006, _SEVERAL, 0x00D6, 0x00FD, 0x0203, 0x0204, 0x0205, 0x027E}
_LAST_SECTOR = 0xFFFFFFFA


def cells_of_old_workbook(data: bytes) -> tuple[int, int, int]:
    """Return the cells of the areas of all sheets together, and row and column of the farthest one, from 1.

    Args:
        data: a compound file; without a workbook in it there are no cells.

    Raises:
        ValueError, struct.error, IndexError: it is damaged.
    """
    area, last, sheet = 0, (1, 1), [0, 0]
    records = workbook_stream(data)
    for kind, at, length in _records(records):
        if kind == _BEGIN:
            area, sheet = area + sheet[0] * sheet[1], [0, 0]
        elif (end := _end(kind, records[at : at + length])) is not None:
            sheet = [max(old, new) for old, new in zip(sheet, end, strict=True)]
            last = max(last, (sheet[0], sheet[1]), key=lambda place: place[0] * place[1])
    return area + sheet[0] * sheet[1], *last


def _end(kind: int, record: bytes) -> tuple[int, int] | None:
    """Return up to which row and column a record fills its sheet; None of one that fills nothing."""
    if kind == _DIMENSIONS:
        _, rows, _, columns = struct.unpack_from("<IIHH" if len(record) >= 12 else "<HHHH", record)
        return rows, columns
    if kind not in _CELLS or len(record) < 4:
        return None
    row, column = struct.unpack_from("<HH", record)
    if kind == _SEVERAL:
        (column,) = struct.unpack_from("<H", record, len(record) - 2)
    return row + 1, column + 1


def _records(stream: bytes) -> Iterator[tuple[int, int, int]]:
    """Give kind, place and length of each record."""
    at = 0
    while at + 4 <= len(stream):
        kind, length = struct.unpack_from("<HH", stream, at)
        at += 4
        if at + length > len(stream):
            return
        yield kind, at, length
        at += length


def workbook_stream(data: bytes) -> bytes:
    """Return the stream of the workbook in a compound file; empty where there is none."""
    sector, small = 1 << struct.unpack_from("<H", data, 30)[0], 1 << struct.unpack_from("<H", data, 32)[0]
    first_directory, _, cutoff, first_small, _, first_table, tables = struct.unpack_from("<7I", data, 48)
    if not (64 <= sector <= 1 << 16 and 8 <= small <= sector):
        raise ValueError("its header is damaged")
    table = [int(number) for number in np.frombuffer(data[76:512], "<u4")]
    for _ in range(min(tables, len(data) // sector)):
        *more, first_table = (int(number) for number in np.frombuffer(_sector(data, first_table, sector), "<u4"))
        table += more
    chains = np.concatenate(
        [np.frombuffer(_sector(data, n, sector), "<u4") for n in table if n < _LAST_SECTOR] or [np.empty(0, "<u4")]
    )

    def stream(first: int) -> bytes:
        return b"".join(_sector(data, number, sector) for number in _chain(first, chains))

    entries = list(struct.iter_unpack("<64sHBB48sIQ", stream(first_directory)))
    for name, size_of_name, _, _, _, first, size in entries:
        if name[: max(size_of_name - 2, 0)].decode("utf-16-le", "replace") in ("Workbook", "Book"):
            size &= 0xFFFFFFFF
            if size >= cutoff:
                return stream(first)[:size]
            parts, small_chains = stream(entries[0][5]), np.frombuffer(stream(first_small), "<u4")
            places = (small * number for number in _chain(first, small_chains))
            return b"".join(parts[place : place + small] for place in places)[:size]
    return b""


def _sector(data: bytes, number: int, size: int) -> bytes:
    part = data[(number + 1) * size : (number + 2) * size]
    if not part:
        raise ValueError("it ends too early")
    return part.ljust(size, b"\xff")  # the last one may be short


def _chain(first: int, chains: np.ndarray) -> Iterator[int]:
    """Give the numbers of sectors from the first of a stream to its last."""
    number = first
    for _ in range(len(chains)):
        if number >= _LAST_SECTOR:
            return
        yield number
        number = int(chains[number])
    if number < _LAST_SECTOR:
        raise ValueError("a stream in it has no end")
