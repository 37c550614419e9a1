"""Files compressed with gzip, bzip2, xz or zstd, decompressed piece by piece, so that none takes more than there is."""

from __future__ import annotations

import bz2
import lzma
import sys
import zlib
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from shoal.errors import DataError
from shoal.resources import memory_text

_ONCE = 1 << 20  # bytes that are decompressed at once


class _Format(NamedTuple):
    """How files of a format begin, and what decompresses up to so many bytes of memory."""

    name: str
    begins: Callable[[bytes], bool]
    new: Callable[[int], Any]


def _zstd(most: int) -> Any:
    del most  # its windows have 128 MB at most
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        if find_spec("backports") is None or find_spec("backports.zstd") is None:
            raise ModuleNotFoundError("backports.zstd")
        from backports import zstd
    return zstd.ZstdDecompressor()


_FORMATS = {
    ".gz": _Format("gzip", lambda data: data.startswith(b"\x1f\x8b"), lambda _: zlib.decompressobj(wbits=31)),
    ".bz2": _Format("bzip2", lambda data: data[:3] + data[4:10] == b"BZh1AY&SY", lambda _: bz2.BZ2Decompressor()),
    ".xz": _Format(
        "xz", lambda data: data.startswith(b"\xfd7zXZ\0"), lambda most: lzma.LZMADecompressor(lzma.FORMAT_XZ, most)
    ),
    ".zst": _Format("zstd", lambda data: data.startswith(b"\x28\xb5\x2f\xfd"), _zstd),
}
ENDINGS = tuple(_FORMATS)
"""What names of compressed files end in."""


def decompressed(data: bytes, path: Path, most: int) -> bytes:
    """Return what was compressed, or the bytes as they are.

    Raises:
        DataError: it is damaged, has no room, or a package is missing.
    """
    form = next((form for form in _FORMATS.values() if form.begins(data)), None)
    if form is None:
        return data
    parts: list[bytes] = []
    size = 0
    try:
        for part in _pieces(data, lambda: form.new(most)):
            parts.append(part)
            size += len(part)
            if size > most:
                raise _too_large(path, most)
    except DataError:
        raise
    except ModuleNotFoundError as error:
        raise DataError(
            f"{path} is compressed with zstd, which needs an extra package. Install it with: pip install 'shoal[zstd]'"
        ) from error
    except Exception as error:  # each format has errors of its own
        message = str(error).rstrip(".")
        raise DataError(
            f"{path} is compressed with {form.name}, but damaged ({message}). Copy or download it again."
        ) from error
    return b"".join(parts)


def _pieces(data: bytes, new: Callable[[], Any]) -> Iterator[bytes]:
    """Give what each part of a file holds; several follow each other, and the zeros of a tape may be the last."""
    at, inflate = 0, new()
    while True:
        hungry = getattr(inflate, "needs_input", True)
        fresh = data[at : at + _ONCE] if hungry else b""
        if hungry and not fresh:
            raise EOFError("it ends too early")
        at += len(fresh)
        yield inflate.decompress(fresh, _ONCE)
        at -= len(inflate.unused_data if inflate.eof else getattr(inflate, "unconsumed_tail", b""))
        if inflate.eof:
            at = len(data) - len(data[at:].lstrip(b"\0"))
            if at == len(data):
                return
            inflate = new()


def _too_large(path: Path, most: int) -> DataError:
    return DataError(
        f"{path} has {memory_text(path.stat().st_size)}, and more than {memory_text(most)} when it is decompressed; "
        "the free memory has no room for that. Decompress it and read a part of it, or use a larger machine."
    )
