"""Readers: from a file of any known format to a table, or to one clear sentence about what is wrong.

A new format is one file with one class (see `Reader`) and one line in `READERS`.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl

from shoal.data.frames import from_python as from_python
from shoal.data.readers.arrow import ArrowReader
from shoal.data.readers.base import Reader as Reader
from shoal.data.readers.base import ReadOptions as ReadOptions
from shoal.data.readers.base import WithUnits as WithUnits
from shoal.data.readers.base import content_format, extension_of, is_compressed
from shoal.data.readers.excel import ExcelReader
from shoal.data.readers.jsonl import JsonLinesReader
from shoal.data.readers.numpy_arrays import NumpyReader
from shoal.data.readers.parquet import ParquetReader
from shoal.data.readers.text import TextReader
from shoal.errors import DataError, listing, suggest

__all__ = [
    "READERS",
    "ReadOptions",
    "Reader",
    "WithUnits",
    "from_python",
    "known_extensions",
    "read_table",
    "read_with_units",
]

READERS: dict[str, Reader] = {
    "text": TextReader(),
    "parquet": ParquetReader(),
    "arrow": ArrowReader(),
    "jsonl": JsonLinesReader(),
    "excel": ExcelReader(),
    "numpy": NumpyReader(),
}
# Text formats may be compressed; the others compress on their own.
_COMPRESSIBLE = ("text", "jsonl")
_HEAD = 16
_FROM_CONTENT = ReadOptions()


def known_extensions() -> tuple[str, ...]:
    """Return every extension that some reader takes.

    Example:
        >>> ".csv" in known_extensions()
        True
    """
    return tuple(extension for reader in READERS.values() for extension in reader.extensions)


def read_table(path: str | Path, options: ReadOptions = _FROM_CONTENT) -> pl.DataFrame:
    r"""Return the table in a file; its extension chooses the reader, its content must agree.

    Columns of numbers are Int64 or Float64, missing values are null, all other text is String. Spaces
    around a value are dropped, and so are rows with nothing in them.

    Args:
        path: A file with a known extension; text formats also with `.gz`.
        options: What the content does not say.

    Returns:
        A table with at least one row and one column, all columns named and different.

    Raises:
        DataError: The file is missing, empty, damaged, of another format, or no table.
        SettingError: An option makes no sense.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     file = Path(folder, "a.csv")
        ...     _ = file.write_text("x,y\n1,a\n2.5,NA\n")
        ...     read_table(file).rows()
        [(1.0, 'a'), (2.5, None)]
    """
    return read_with_units(path, options).table


def read_with_units(path: str | Path, options: ReadOptions = _FROM_CONTENT) -> WithUnits:
    """Return the table in a file as `read_table` does, and the units that the file tells beside the names of columns.

    Raises:
        DataError: The file is missing, empty, damaged, of another format, or no table.
        SettingError: An option makes no sense.
    """
    path = _existing(path)
    reader = _reader_for(path)
    _check_content(path, reader)
    read = reader.read(path, options)
    table, units = read if isinstance(read, WithUnits) else (read, {})
    if not table.width:
        raise DataError(f"{path} has no columns; expected a table with named columns.")
    if not table.height:
        raise DataError(f"{path} has columns ({listing(table.columns)}) and no rows; expected rows of data.")
    return WithUnits(table, units)


def _existing(path: str | Path) -> Path:
    path = Path(path)
    try:
        if "\0" in str(path):
            raise ValueError("it holds a zero byte")
        path = path.expanduser()
        if path.is_file():
            size = path.stat().st_size
        elif path.is_dir():
            raise DataError(f"{path} is a folder without images; expected a data file in it.{_files_in(path)}")
        else:
            raise DataError(f"{path} does not exist{_near(path)}")
    except (OSError, ValueError, RuntimeError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{str(path)[:200]!r} is no usable file name: {error}.") from error
    if size == 0:
        raise DataError(f"{path} is empty (0 bytes); expected a table.")
    return path


def _files_in(folder: Path) -> str:
    try:
        names = sorted(f.name for f in folder.iterdir() if extension_of(f) in known_extensions())
    except OSError:
        return ""
    return f" It has: {listing(names)}." if names else ""


def _near(path: Path) -> str:
    parent = path.parent
    if not parent.is_dir():
        return f", and neither does its folder {parent}. Check the path."
    try:
        names = [f.name for f in parent.iterdir()]
    except OSError:
        names = []
    hint = suggest(path.name, names)
    return f" in the folder {parent.resolve().name or parent}.{hint or ' Check the name and the folder.'}"


def _reader_for(path: Path) -> Reader:
    extension = extension_of(path)
    for reader in READERS.values():
        if extension in reader.extensions:
            break
    else:
        found = f"the extension {extension!r}" if extension else "no extension"
        more = " JSON is read as one object per line, in .jsonl." if extension == ".json" else ""
        raise DataError(
            f"{path} has {found}; shoal reads {', '.join(known_extensions())} (text also with .gz).{more}"
            f"{suggest(extension, known_extensions()) if extension else ''}"
        )
    if is_compressed(path) and reader not in [READERS[name] for name in _COMPRESSIBLE]:
        raise DataError(f"{path}: {reader.name} files are read without .gz. Decompress it first.")
    return reader


def _check_content(path: Path, reader: Reader) -> None:
    """Refuse a file whose content declares another format than its extension."""
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
            found = content_format(head + file.read() if head.startswith(b"PK") else head)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}.") from error
    if found is None or found[1] in reader.extensions:
        return
    name, extension = found
    mend = f"Rename it to end in {extension}." if extension else "Export it as CSV or Parquet."
    raise DataError(f"{path} is named {extension_of(path)}, but its content is {name}. {mend}")
