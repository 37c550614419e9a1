"""How large an Arrow file or stream is when it is decompressed, told by its own messages before any is read.

A message has a FlatBuffers table in front of its body: the length of a batch of records, and where its buffers lie. A
compressed buffer begins with its size as it was before (https://arrow.apache.org/docs/format/Columnar.html).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

_FILE = b"ARROW1"
_CONTINUED = 0xFFFFFFFF
_DICTIONARY, _BATCH = 2, 3


def decompressed_size(data: bytes) -> tuple[int, int]:
    """Return the rows of all batches, and the bytes of all their buffers when these are decompressed.

    Args:
        data: an Arrow file or stream. What follows a damaged message is not counted.

    Example:
        >>> decompressed_size(b"")
        (0, 0)
    """
    rows = size = 0
    try:
        for kind, header, body in _messages(data):
            batch = _reference(data, _field(data, header, 1)) if kind == _DICTIONARY else header
            rows += _number(data, _field(data, batch, 0), "<q") if kind == _BATCH else 0
            compressed = _field(data, batch, 3) is not None
            size += sum(
                _size_of_buffer(data, body, buffer, compressed)
                for buffer in _structs(data, _field(data, batch, 2), "<qq")
            )
    except (struct.error, TypeError, OverflowError):
        pass  # what reads it says what is damaged
    return rows, size


def _messages(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Give the kind of each message of records, and the places of its header and of its body."""
    for place in _blocks(data) if data.startswith(_FILE) else _one_by_one(data):
        message, body, _ = _message(data, place)
        kind, header = _number(data, _field(data, message, 1), "<B"), _field(data, message, 2)
        if kind in (_DICTIONARY, _BATCH):
            yield kind, _reference(data, header), body


def _blocks(data: bytes) -> Iterator[int]:
    """Give the places of the messages of a file, as its footer has them."""
    end = len(data) - len(_FILE) - 4
    footer = end - struct.unpack_from("<i", data, end)[0]
    footer = _reference(data, max(0, footer))
    for number in (2, 3):  # dictionaries, batches
        if (field := _field(data, footer, number)) is not None:
            yield from (place for place, _, _ in _structs(data, field, "<qqq"))


def _one_by_one(data: bytes) -> Iterator[int]:
    """Give the places of the messages of a stream, which follow each other."""
    at = 0
    while at + 8 <= len(data):
        message, body, length = _message(data, at)
        if not 0 < length < len(data):
            return
        yield at
        at = body + max(0, _number(data, _field(data, message, 3), "<q"))


def _message(data: bytes, at: int) -> tuple[int, int, int]:
    """Return the places of a message and of its body, and the length of the message."""
    (length,) = struct.unpack_from("<I", data, at)
    at += 4
    if length == _CONTINUED:
        (length,) = struct.unpack_from("<I", data, at)
        at += 4
    return _reference(data, at) if length else at, at + length, length


def _structs(data: bytes, field: int | None, form: str) -> Iterator[tuple[int, ...]]:
    """Give the structures that the vector in a field holds."""
    vector = _reference(data, field)
    (count,) = struct.unpack_from("<I", data, vector)
    return struct.iter_unpack(form, data[vector + 4 : vector + 4 + struct.calcsize(form) * count])


def _size_of_buffer(data: bytes, body: int, buffer: tuple[int, ...], compressed: bool) -> int:
    place, length = buffer
    if not compressed or length < 8:
        return max(0, length)
    (size,) = struct.unpack_from("<q", data, body + place)
    return int(size) if size >= 0 else length - 8


def _field(data: bytes, table: int, number: int) -> int | None:
    """Return the place of a field of a table, or None where it has its default."""
    layout = table - struct.unpack_from("<i", data, table)[0]
    if layout < 0 or 4 + 2 * number >= struct.unpack_from("<H", data, layout)[0]:
        return None
    (offset,) = struct.unpack_from("<H", data, layout + 4 + 2 * number)
    return table + offset if offset else None


def _reference(data: bytes, place: int | None) -> int:
    """Return where the reference at a place leads."""
    return int(place + struct.unpack_from("<I", data, place)[0])  # type: ignore[arg-type]


def _number(data: bytes, place: int | None, form: str) -> int:
    return 0 if place is None else int(struct.unpack_from(form, data, place)[0])
