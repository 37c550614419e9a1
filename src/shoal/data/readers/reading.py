"""From a path to what it holds, or to one clear sentence about what is wrong."""

from __future__ import annotations

import os
from pathlib import Path

import polars as pl

from shoal.data.readers.archives import is_archive, read_archive
from shoal.data.readers.base import Content, Reader
from shoal.data.readers.compression import ENDINGS
from shoal.data.readers.files import check_filled, extension_of, usable_path
from shoal.data.readers.options import ReadOptions
from shoal.data.readers.registry import READERS
from shoal.errors import DataError, listing, suggest

_FROM_CONTENT = ReadOptions()


def table_extensions() -> tuple[str, ...]:
    """Return every extension that some reader takes as a table.

    Example:
        >>> ".csv" in table_extensions()
        True
    """
    return tuple(
        extension for reader in READERS.values() if not reader.gives_signals for extension in reader.extensions
    )


def read_path(path: Path, options: ReadOptions) -> Content:
    """Return what a file or folder holds: images or series where a reader takes it as such, else a table.

    Raises:
        DataError: it is missing, empty, damaged, of another format, or no table; or a table where images or series were
            announced.
        SettingError: an option makes no sense.
    """
    path = usable_path(path)
    reader = signal_reader(path, options)
    if reader is not None:
        return reader.read(path, options)
    refuse_table(f"{path} is", options)
    return read_table_file(path, options)


def signal_reader(path: Path, options: ReadOptions) -> Reader | None:
    """Return the reader that takes a file or folder as images or series, or None: it is a table."""
    if options.kind == "table":
        return None
    return next((reader for reader in READERS.values() if reader.gives_signals and reader.takes(path, options)), None)


def refuse_table(what: str, options: ReadOptions) -> None:
    """Refuse a table where images or series were announced."""
    if options.kind in ("images", "series"):
        where = "a folder of image files, " if options.kind == "images" else ""
        raise DataError(
            f"{what} a table, not {options.kind}, which come in {where}NumPy or HDF5 files or as an array of "
            f"three or four axes; leave out kind={options.kind!r} to predict from the columns"
        )


def read_table(path: str | Path, options: ReadOptions = _FROM_CONTENT) -> pl.DataFrame:
    r"""Return the table in a file; its extension chooses the reader, its content must agree.

    Columns of numbers are Int64 or Float64, missing values are null, all other text is String. Spaces
    around a value are dropped, and so are rows with nothing in them.

    Args:
        path: A file with a known extension; text formats also with `.gz`, `.bz2`, `.xz` or `.zst`.
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
    return read_table_file(path, options).table


def read_table_file(path: str | Path, options: ReadOptions = _FROM_CONTENT) -> Content:
    """Return the table in a file as `read_table` does, and the units that the file tells beside the names of columns.

    Raises:
        DataError: The file is missing, empty, damaged, of another format, or no table.
        SettingError: An option makes no sense.
    """
    path = _existing(path, options)
    reader = _table_reader(path, options)
    if reader is not None:
        return reader.read(path, options)
    if is_archive(path):
        return read_archive(path, options, table_extensions(), read_table_file)
    extension = extension_of(path)
    has = f"the extension {extension!r}" if extension else "no extension"
    more = " JSON is read as one object per line, in .jsonl." if extension == ".json" else ""
    raise DataError(
        f"{path} has {has}; shoal reads {', '.join(table_extensions())} (text also with {', '.join(ENDINGS)}).{more}"
        f"{suggest(extension, table_extensions()) if extension else ''}"
    )


def _table_reader(path: Path, options: ReadOptions) -> Reader | None:
    readers = (reader for reader in READERS.values() if not reader.gives_signals)
    return next((reader for reader in readers if reader.takes(path, options)), None)


def _existing(path: str | Path, options: ReadOptions) -> Path:
    path = usable_path(path)
    if path.is_file():
        check_filled(path)
    elif path.is_dir() and _table_reader(path, options) is not None:
        return path
    elif path.is_dir():
        raise DataError(f"{path} is a folder without images; expected a data file in it.{_tables_in(path)}")
    elif path.is_symlink():
        raise DataError(f"{path} is a link to {os.readlink(path)!r}, which does not exist. Mend the link.")
    else:
        raise DataError(f"{path} does not exist{_near(path)}")
    return path


def _tables_in(folder: Path) -> str:
    try:
        names = sorted(f.name for f in folder.iterdir() if extension_of(f) in table_extensions())
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
