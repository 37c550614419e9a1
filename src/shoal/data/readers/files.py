"""Files as every reader finds them: their extension, their bytes and the signature in these."""

from __future__ import annotations

import io
import os
import stat
import sys
import zipfile
from pathlib import Path

from shoal.data.readers.compression import ENDINGS, decompressed
from shoal.data.readers.room import TEXT_COPIES, check_room, free_room
from shoal.errors import DataError
from shoal.resources import memory_text

_KINDS = {stat.S_IFIFO: "a named pipe", stat.S_IFSOCK: "a socket", stat.S_IFCHR: "a device", stat.S_IFBLK: "a device"}
# First bytes -> (format in words, extension that belongs to it, or "" where shoal has no reader).
_SIGNATURES: tuple[tuple[bytes, str, str], ...] = (
    (b"PAR1", "Parquet", ".parquet"),
    (b"ARROW1", "Arrow", ".arrow"),
    (b"FEA1", "Feather version 1", ""),
    (b"\x93NUMPY", "NumPy", ".npy"),
    (b"\xd0\xcf\x11\xe0", "old Excel", ".xls"),
    (b"\x89HDF", "HDF5", ".h5"),
    (b"SIMPLE  =", "FITS", ".fits"),
    (b"CDF\x01", "NetCDF", ".nc"),
    (b"CDF\x02", "NetCDF", ".nc"),
    (b"root\x00", "ROOT", ".root"),
    (b"SQLite format 3", "SQLite", ".sqlite"),
    (b"%PDF", "PDF", ""),
    (b"\x89PNG", "PNG image", ""),
    (b"\xff\xd8\xff", "JPEG image", ""),
    (b"\x7fELF", "program", ""),
)


def content_format(data: bytes, path: Path | None = None) -> tuple[str, str] | None:
    """Return (format in words, its extension) that the content itself declares, else None.

    Args:
        data: the content, or its first bytes.
        path: the file, where only these are given.

    Example:
        >>> content_format(b"PAR1 and so on")
        ('Parquet', '.parquet')
    """
    if data.startswith(b"PK\x03\x04"):
        return _zip_format(path or io.BytesIO(data))
    for start, name, extension in _SIGNATURES:
        if data.startswith(start):
            return name, extension
    return None


def advice_on(extension: str) -> str:
    """Return what to do with a file whose content belongs to another extension, or to none that is read."""
    return f"Rename it to end in {extension}." if extension else "Export it as CSV or Parquet."


def _zip_format(file: Path | io.BytesIO) -> tuple[str, str]:
    try:
        with zipfile.ZipFile(file) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
        return "zip", ".zip"
    if any(name.startswith("xl/") for name in names):
        return "Excel", ".xlsx"
    if "content.xml" in names:
        return "OpenDocument", ".ods"
    if names and all(name.endswith(".npy") for name in names):
        return "NumPy", ".npz"
    return "zip", ".zip"


def is_compressed(path: Path) -> bool:
    """Return whether the name says gzip, bzip2, xz or zstd."""
    return path.suffix.lower() in ENDINGS


def extension_of(path: Path) -> str:
    """Return the extension that names the format, in lower case, without `.gz` and the like.

    Example:
        >>> extension_of(Path("run7.CSV.gz"))
        '.csv'
    """
    return (Path(path.stem) if is_compressed(path) else path).suffix.lower()


def name_of(path: Path) -> str:
    """Return what data are called after their path; patterns after their folder.

    Example:
        >>> name_of(Path("data/run7.csv.gz")), name_of(Path("runs/*.csv"))
        ('run7', 'runs')
    """
    named = path.parent if set(path.name) & set("*?[") and not os.path.lexists(path) else path
    return (Path(named.stem) if is_compressed(named) else named).stem or path.name


def usable_path(path: str | Path) -> Path:
    """Return the path of a file or folder, with `~` in full, whether or not there is something.

    Raises:
        DataError: no file can be called so, its name is no UTF-8, or it is a pipe, a socket or a device.
    """
    text = str(path)
    shown = repr(text if len(text) <= 200 else f"{text[:197]}...")
    check_name(text)
    try:
        place = Path(path).expanduser()
        kind = stat.S_IFMT(os.stat(place).st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return place
    except (OSError, ValueError, RuntimeError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise DataError(f"{shown} is no usable file name: {reason}.") from error
    if kind in _KINDS:
        raise DataError(f"{place} is {_KINDS[kind]}; expected a file. Write what comes from it to a file first.")
    return place


def check_name(name: str | Path) -> None:
    """Refuse a file name that no other file could hold, since its bytes are no UTF-8."""
    try:
        str(name).encode("utf-8")
    except UnicodeEncodeError:
        name_on_disk = os.fsencode(name)
    else:
        return
    try:
        shown = name_on_disk.decode("utf-8")
    except UnicodeDecodeError:
        raise DataError(f"the file name {str(name)[:200]!r} holds bytes that are no UTF-8. Rename it.") from None
    raise DataError(
        f"the file name {shown[:200]!r} holds letters that Python does not take in this locale, whose names are in "
        f"{sys.getfilesystemencoding()}. Set PYTHONUTF8=1, or another locale."
    )


def check_filled(path: Path) -> None:
    """Refuse a file without content."""
    if path.stat().st_size == 0:
        raise DataError(f"{path} is empty (0 bytes); expected a table.")


def load_raw(path: Path, copies: float = 2.0) -> bytes:
    """Return the file's bytes as they are.

    Args:
        path: the file.
        copies: bytes of memory that its reader takes in all for each of them.

    Raises:
        DataError: it cannot be read, or has no room in memory.
    """
    try:
        size = path.stat().st_size
        check_room(copies * size, f"{path} has {memory_text(size)}", "Read a part of it, or use a larger machine.")
        return path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}.") from error


def load_bytes(path: Path, copies: float = TEXT_COPIES) -> bytes:
    """Return the file's bytes as `load_raw` does, decompressed where they are gzip, bzip2, xz or zstd."""
    return decompressed(load_raw(path, copies), path, int(free_room() / copies))


def first_line(error: BaseException) -> str:
    """Return the first line of another library's message, without its final full stop."""
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".: ")[:200] if lines else type(error).__name__
