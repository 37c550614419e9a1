"""How far the cells of a workbook reach, found in its parts as a stream: what reads them allocates the whole area."""

from __future__ import annotations

import re
import string
import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO
from xml.etree import ElementTree

from shoal.data.readers.files import first_line, load_raw
from shoal.data.readers.room import check_room
from shoal.data.readers.tables.old_excel_sizes import SIGNATURE, cells_of_old_workbook
from shoal.errors import DataError
from shoal.resources import memory_text

BYTES_PER_CELL = 50
"""Memory for each cell of the area, empty or not, as measured with fastexcel and polars."""
COPIES = 2
"""Bytes of memory for each byte of a part, beside the area."""
_ONCE = 1 << 20
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_PLACE = re.compile(rb""" r=["']([A-Za-z]*\d+)["']""")  # of a cell, or the number of a row
_ODS_TAG = re.compile(rb"<(/?)table:(table-row|table-cell|covered-table-cell|table)\b([^>]*)>")
_REPEATED = re.compile(rb"""number-(?:rows|columns)-repeated=["'](\d+)["']""")
_LONGEST_TAG = 1 << 16


def check_workbook(path: Path, sheet: str | None) -> None:
    """Refuse a workbook whose parts or whose cells have no room in memory.

    Args:
        path: a workbook, a zip archive (`.xlsx`, `.xlsm`, `.xlsb`, `.ods`) or an old one (`.xls`); any other passes.
        sheet: name of the sheet that will be read; None for the first.

    Raises:
        DataError: it is damaged or too large; the message names the farthest cell.
    """
    if not zipfile.is_zipfile(path):
        _check_old_workbook(path)
        return
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(part.file_size for part in archive.infolist())
            what = f"{path} has {memory_text(size)} when it is decompressed"
            check_room(COPIES * size, what, "Export the sheet as CSV.")
            if damaged := archive.testzip():  # what the entries declare is true from here on
                raise zipfile.BadZipFile(f"the part {damaged} is damaged")
            for part in _sheets(archive, sheet):
                with archive.open(part) as stream:
                    rows, columns = _extent(stream, part)
                _check_area(path, part, rows, columns, COPIES * size)
    except DataError:
        raise
    except Exception as error:  # the decompressors of zipfile have errors of their own
        raise DataError(f"{path} is no readable Excel file ({first_line(error)}). Save it again as .xlsx.") from error


def _check_old_workbook(path: Path) -> None:
    data = load_raw(path)
    if not data.startswith(SIGNATURE):
        return
    try:
        area, rows, columns = cells_of_old_workbook(data)
    except (ValueError, struct.error, IndexError) as error:
        raise DataError(f"{path} is no readable Excel file ({error}). Save it again as .xlsx.") from error
    _check_area(path, "a sheet", rows, columns, COPIES * len(data) + BYTES_PER_CELL * (area - rows * columns))


def _check_area(path: Path, part: str, rows: int, columns: int, beside: int) -> None:
    area = rows * columns
    check_room(
        BYTES_PER_CELL * area + beside,
        f"{path}: the cells of {part} reach to row {rows:,} and column {columns:,}, {area:,} cells with the empty ones",
        "Delete cells that were filled by mistake far below or beside the table, or export the sheet as CSV.",
    )


def _sheets(archive: zipfile.ZipFile, sheet: str | None) -> list[str]:
    """Return the parts that hold the cells of the sheet; of all sheets where nothing tells which it is."""
    names = archive.namelist()
    if "content.xml" in names:
        return ["content.xml"]
    parts = [name for name in names if re.fullmatch(r"xl/(work|macro|chart)?sheets/[^/]+\.(xml|bin)", name)]
    try:
        book = ElementTree.fromstring(archive.read("xl/workbook.xml"))
        links = ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels"))
    except (KeyError, ElementTree.ParseError):
        return parts
    targets = {link.get("Id"): link.get("Target", "") for link in links}
    listed = [(node.get("name"), node.get(_RELATION)) for node in book.iter() if node.tag.endswith("}sheet")]
    chosen = next((relation for name, relation in listed if sheet in (None, name)), None)
    target = targets.get(chosen, "")
    part = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
    return [part] if part in names else parts


def _extent(stream: IO[bytes], part: str) -> tuple[int, int]:
    """Return the number of the last row and of the last column that a part fills."""
    if part == "content.xml":
        return _ods_extent(stream)
    if part.endswith(".bin"):
        return _xlsb_extent(stream)
    rows, columns = 1, 1
    for piece in _pieces(stream):
        places = b",".join(_PLACE.findall(piece))
        numbers = set(places.translate(None, string.ascii_letters.encode()).split(b","))
        letters = set(places.translate(None, string.digits.encode()).split(b","))
        rows = max(rows, *(int(number or 0) for number in numbers))
        columns = max(columns, *map(_column_number, letters))
    return rows, columns


def _pieces(stream: IO[bytes]) -> Iterator[bytes]:
    """Give the text of a stream in pieces that end where a tag ends, as far as tags are of any usual length."""
    rest = b""
    while some := stream.read(_ONCE):
        some = rest + some
        end = some.rfind(b">") + 1 or (len(some) if len(some) > _LONGEST_TAG else 0)
        rest = some[end:]
        yield some[:end]
    yield rest


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters.upper():
        number = 26 * number + letter - 64
    return number


def _ods_extent(stream: IO[bytes]) -> tuple[int, int]:
    """Return the extent of the largest table; repeated cells and rows count as often as they are repeated."""
    last_row = last_column = row = column = filled = 0
    repeated = 1
    for piece in _pieces(stream):
        for closing, tag, attributes in _ODS_TAG.findall(piece):
            times = int(match[1]) if (match := _REPEATED.search(attributes)) else 1
            if tag == b"table":
                row = 0
            elif tag == b"table-row":
                if closing:
                    row += repeated
                    last_row = max(last_row, row if filled else 0)
                    last_column = max(last_column, filled)
                elif attributes.endswith(b"/"):
                    row += times
                column, filled, repeated = 0, 0, times
            elif not closing:
                column += times
                if b"office:value-type" in attributes or b"table:formula" in attributes:
                    filled = column
    return max(1, last_row), max(1, last_column)


def _xlsb_extent(stream: IO[bytes]) -> tuple[int, int]:
    """Return the extent that the records of rows and cells tell: a type, a length, and a number of 4 bytes in front."""
    rows, columns = 1, 1
    while (kind := _variable(stream, 2)) is not None and (length := _variable(stream, 4)) is not None:
        head = stream.read(min(length, 4))
        stream.seek(length - len(head), 1)
        if len(head) == 4:
            number = int.from_bytes(head, "little") + 1
            rows = max(rows, number if kind == 0 else 0)
            columns = max(columns, number if 1 <= kind <= 11 else 0)
    return rows, columns


def _variable(stream: IO[bytes], most: int) -> int | None:
    """Return a number of up to `most` bytes with 7 bits each, or None at the end."""
    number = 0
    for place in range(most):
        byte = stream.read(1)
        if not byte:
            return None
        number |= (byte[0] & 0x7F) << (7 * place)
        if byte[0] < 0x80:
            break
    return number
