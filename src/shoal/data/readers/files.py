"""Files as every reader finds them: their extension, their bytes and the signature in these."""

from __future__ import annotations

import io
import zipfile
import zlib
from pathlib import Path

from shoal.errors import DataError

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


def advice_on(extension: str) -> str:
    """Return what to do with a file whose content belongs to another extension, or to none that is read."""
    return f"Rename it to end in {extension}." if extension else "Export it as CSV or Parquet."


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


def check_filled(path: Path) -> None:
    """Refuse a file without content."""
    if path.stat().st_size == 0:
        raise DataError(f"{path} is empty (0 bytes); expected a table.")


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
