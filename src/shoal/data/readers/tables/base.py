"""What all readers of tables share: one format for each extension, and checks before and after."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import ClassVar

import polars as pl

from shoal.data.readers.base import Content, Reader
from shoal.data.readers.files import advice_on, check_filled, content_format, extension_of, is_compressed
from shoal.data.readers.options import ReadOptions
from shoal.data.readers.room import check_room
from shoal.errors import DataError, SettingError, listing

_HEAD = 16
MOST_COLUMNS = 100_000
_WIDTHS = {"Boolean": 1, "Int8": 1, "UInt8": 1, "Int16": 2, "UInt16": 2, "String": 16}
_COPIES = 2  # as read, and with the types of a table


class TableReader(Reader):
    """Reads tables of one format; the extension chooses it, the content must agree.

    Attributes:
        compressible: whether files may be compressed, as `.gz`; formats other than text compress on their own.
        takes_queries: whether a query may say which rows are read.
        contents: extensions of other formats as which files of this one are written.
    """

    gives_signals = False
    compressible: ClassVar[bool] = False
    contents: ClassVar[tuple[str, ...]] = ()
    takes_queries: ClassVar[bool] = False

    def takes(self, path: Path, options: ReadOptions) -> bool:  # noqa: ARG002 (they say nothing about the format)
        """Return whether the extension is one of this format."""
        return extension_of(path) in self.extensions and not path.is_dir()

    def read(self, path: Path, options: ReadOptions) -> Content:
        """Return the table in a file, with at least one row and one column.

        Raises:
            DataError: the file is empty, damaged, of another format, or no table.
        """
        if not path.is_dir():
            check_filled(path)
            self._check_format(path)
        if options.query is not None and not self.takes_queries:
            raise SettingError(f"query: {path} is no database; conditions on rows of any file are given by where")
        content = self.parse(path, options)
        check_columns(content.table.width, path)
        if not content.table.width:
            raise DataError(" ".join((f"{path} has no columns; expected a table with named columns.", *content.notes)))
        if not content.table.height:
            columns = listing(content.table.columns)
            raise DataError(f"{path} has columns ({columns}) and no rows; expected rows of data.")
        return content

    @abstractmethod
    def parse(self, path: Path, options: ReadOptions) -> Content:
        """Return the table in a file of this format, with units if the format knows them.

        Raises:
            DataError: the file cannot be used.
        """

    def _check_format(self, path: Path) -> None:
        """Refuse a file whose content declares another format than its extension."""
        if is_compressed(path) and not self.compressible:
            raise DataError(f"{path}: {self.name} files are read without {path.suffix}. Decompress it first.")
        try:
            with path.open("rb") as file:
                declared = content_format(file.read(_HEAD), path)
        except OSError as error:
            raise DataError(f"{path} cannot be read: {error.strerror or error}.") from error
        if declared is None or declared[1] in (*self.extensions, *self.contents):
            return
        name, extension = declared
        raise DataError(f"{path} is named {extension_of(path)}, but its content is {name}. {advice_on(extension)}")


def check_columns(count: int, path: Path | str) -> None:
    """Refuse more columns than tables can have."""
    if count > MOST_COLUMNS:
        raise DataError(
            f"{path} has {count:,} columns; tables are read with {MOST_COLUMNS:,} at most. Give spectra, images or "
            "series as an array (.npy, .npz, .h5); where rows and columns are swapped, transpose the table."
        )


def check_declared(lazy: pl.LazyFrame, path: Path) -> None:
    """Refuse a file whose own metadata declare more rows than memory has room for, before any is read.

    Raises:
        DataError: its columns of numbers alone need more than there is.
    """
    rows = int(lazy.select(pl.len()).collect().item())
    widths = [_WIDTHS.get(str(kind), 8) for kind in lazy.collect_schema().values()]
    check_columns(len(widths), path)
    what = f"{path} declares {rows:,} rows of {len(widths):,} columns"
    check_room(_COPIES * rows * sum(widths), what, "Write fewer rows, or fewer columns.")
