"""What every reader shares: its options, its interface, the file's bytes and their signature."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

import polars as pl

from shoal.errors import DataError


@dataclass(frozen=True)
class ReadOptions:
    """How to read a file where its content does not say so; `None` means found from the content.

    Args:
        delimiter: One character, or "comma", "semicolon", "tab", "bar", "space" or "whitespace" (text files).
        decimal_comma: Whether `1,5` is one and a half (text and Excel).
        header: Whether the first row holds the column names (text and Excel).
        encoding: Any encoding that Python knows, e.g. "utf-16" (text); UTF-8, then Latin-1 by default.
        sheet: Name of the sheet (Excel); the first one by default.
        kind: "table", "images" or "series", where arrays could be either.
        image_size: Height and width to which images are brought, as "64x64"; by default that of most of them.
        per_step: Whether arrays of series come with a target for each step; by default their shapes tell.

    Example:
        >>> ReadOptions(delimiter=";", decimal_comma=True).header is None
        True
    """

    delimiter: str | None = None
    decimal_comma: bool | None = None
    header: bool | None = None
    encoding: str | None = None
    sheet: str | None = None
    kind: str | None = None
    image_size: str | None = None
    per_step: bool | None = None


class WithUnits(NamedTuple):
    """A table, and the units of those of its columns for which the file tells one."""

    table: pl.DataFrame
    units: Mapping[str, str]


class Reader(Protocol):
    """One file format: its name in messages, its extensions, and how it becomes a table."""

    name: str
    extensions: tuple[str, ...]

    def read(self, path: Path, options: ReadOptions) -> pl.DataFrame | WithUnits:
        """Return the table in `path`, with units if the format knows them; DataError for a file that cannot be used."""
        ...


_GZIP = b"\x1f\x8b"
# First bytes -> (format in words, extension that belongs to it, or "" where shoal has no reader).
_SIGNATURES: tuple[tuple[bytes, str, str], ...] = (
    (b"PAR1", "Parquet", ".parquet"),
    (b"ARROW1", "Arrow", ".arrow"),
    (b"FEA1", "Feather version 1", ""),
    (b"\x93NUMPY", "NumPy", ".npy"),
    (b"\xd0\xcf\x11\xe0", "old Excel", ".xls"),
    (b"\x89HDF", "HDF5", ""),
    (b"SIMPLE  =", "FITS", ""),
    (b"CDF\x01", "netCDF", ""),
    (b"CDF\x02", "netCDF", ""),
    (b"root\x00", "ROOT", ""),
    (b"SQLite format 3", "SQLite", ""),
    (b"%PDF", "PDF", ""),
    (b"\x89PNG", "PNG image", ""),
    (b"\xff\xd8\xff", "JPEG image", ""),
    (b"BZh", "bzip2", ""),
    (b"\xfd7zXZ", "xz", ""),
    (b"\x28\xb5\x2f\xfd", "zstd", ""),
    (b"\x7fELF", "program", ""),
)


def content_format(data: bytes) -> tuple[str, str] | None:
    """Return (format in words, its extension) that the content itself declares, else None.

    Example:
        >>> content_format(b"PAR1 and so on")
        ('Parquet', '.parquet')
    """
    if data.startswith(b"PK\x03\x04"):
        return _zip_format(data)
    for start, name, extension in _SIGNATURES:
        if data.startswith(start):
            return name, extension
    return None


def _zip_format(data: bytes) -> tuple[str, str]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
        return "zip", ""
    if any(name.startswith("xl/") for name in names):
        return "Excel", ".xlsx"
    if "content.xml" in names:
        return "OpenDocument", ".ods"
    if names and all(name.endswith(".npy") for name in names):
        return "NumPy", ".npz"
    return "zip", ""


def is_compressed(path: Path) -> bool:
    """Return whether the name says gzip."""
    return path.suffix.lower() == ".gz"


def extension_of(path: Path) -> str:
    """Return the extension that names the format, in lower case, without `.gz`.

    Example:
        >>> extension_of(Path("run7.CSV.gz"))
        '.csv'
    """
    return (Path(path.stem) if is_compressed(path) else path).suffix.lower()


def load_bytes(path: Path) -> bytes:
    """Return the file's bytes, decompressed where they are gzip."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}.") from error
    if not data.startswith(_GZIP):
        return data
    # zlib directly, so that a truncated or damaged file is told from a whole one in one place.
    parts: list[bytes] = []
    try:
        while data:
            inflate = zlib.decompressobj(wbits=31)
            parts.append(inflate.decompress(data))
            if not inflate.eof:
                raise zlib.error("it ends too early")
            data = inflate.unused_data.lstrip(b"\0")
    except zlib.error as error:
        raise DataError(f"{path} is compressed with gzip, but damaged ({error}). Copy or download it again.") from error
    return b"".join(parts)


def first_line(error: BaseException) -> str:
    """Return the first line of another library's message, without its final full stop."""
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".: ")[:200] if lines else type(error).__name__
