"""Files as pieces that are read one at a time: row groups of Parquet, batches of Arrow, stretches of HDF5."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import polars as pl

from shoal.data.frames import plain_table
from shoal.data.readers.files import first_line
from shoal.data.readers.hdf5_layout import HDF5, opened, tables_in
from shoal.data.readers.options import ReadOptions
from shoal.data.readers.packages import check_package
from shoal.data.readers.tables.array_columns import ColumnsOfArrays
from shoal.data.readers.tables.chosen_table import chosen_table
from shoal.errors import DataError, counted, listing
from shoal.resources import available_cores

ROWS_AT_ONCE, VALUES_AT_ONCE = 32_768, 1 << 21
"""Rows that are decoded at a time, fewer of many columns."""
FOOTER = 1 << 16  # bytes at the end of a file that are part of its checksum


class Piece(NamedTuple):
    """A part of a file that is read at once: the number of the file and of the part in it, its rows, those before."""

    file: int
    part: int
    rows: int
    first: int


class PiecewiseFile(ABC):
    """A file whose rows are read in pieces.

    Attributes:
        path: of the file.
        group: what a piece is called in messages.
    """

    group: ClassVar[str]

    def __init__(self, path: Path, options: ReadOptions) -> None:
        self.path, self.options = path, options
        self._stat = self._state()

    @property
    @abstractmethod
    def sizes(self) -> list[int]:
        """The rows of each piece."""

    @abstractmethod
    def tables(self, part: int, columns: Sequence[str] | None) -> Iterator[pl.DataFrame]:
        """Give some columns, or all, of the rows of a piece, few rows at a time, as they are stored."""

    @cached_property
    def checksum(self) -> str:
        """The SHA-256 of the size of the file and of its end, where formats say where everything lies."""
        size = self.path.stat().st_size
        with self.path.open("rb") as file:
            head = file.read(FOOTER)
            file.seek(max(0, size - FOOTER))
            return hashlib.sha256(b"%d" % size + head + file.read()).hexdigest()

    @cached_property
    def types(self) -> Mapping[str, pl.DataType]:
        """The columns and their plain types."""
        return dict(self._first_table().schema)

    def _first_table(self) -> pl.DataFrame:
        part = next((i for i, rows in enumerate(self.sizes) if rows), None)
        if part is None:
            raise DataError(f"{self.path} has no rows; leave it out, or write it again")
        return plain_table(next(self.tables(part, None))[:0], str(self.path))

    def read(self, part: int, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
        """Give some columns of the rows of a piece with plain types, few rows at a time.

        Raises:
            DataError: the file has changed since it was opened, or cannot be read.
        """
        self.check_unchanged()
        rows, where = 0, f"{self.path}, {self.group} {part + 1}"
        try:
            for table in self.tables(part, columns):
                rows += table.height
                yield plain_table(table, str(self.path))
        except (OSError, ValueError, RuntimeError) as error:
            if isinstance(error, DataError):
                raise
            self.check_unchanged()
            raise DataError(f"{where}: it cannot be read ({first_line(error)}).") from error
        if rows != self.sizes[part]:
            raise DataError(f"{where}: it has {rows:,} rows, not {self.sizes[part]:,}.")

    def check_unchanged(self) -> None:
        """Raise DataError if the file was written to since it was opened."""
        if self._state() != self._stat:
            raise DataError(
                f"{self.path} has changed, or is gone, while its rows were read; files must stay as they are until a "
                "run has ended."
            )

    def _state(self) -> tuple[int, int] | None:
        try:
            stat = self.path.stat()
        except OSError:
            return None
        return stat.st_size, stat.st_mtime_ns


class ParquetPieces(PiecewiseFile):
    """Parquet by row groups; of each a few pages are decoded at a time."""

    group = "row group"

    @cached_property
    def _file(self) -> Any:
        check_package("pyarrow", "large", "Parquet files larger than memory: such")
        import pyarrow as pa
        import pyarrow.parquet as pq

        pa.set_memory_pool(pa.system_memory_pool())  # which gives back what is freed
        pa.set_cpu_count(available_cores())
        try:
            return pq.ParquetFile(self.path, memory_map=False, pre_buffer=False, buffer_size=1 << 18)
        except (OSError, ValueError) as error:
            raise DataError(
                f"{self.path} is no readable Parquet file ({first_line(error)}). Write it again."
            ) from error

    @cached_property
    def sizes(self) -> list[int]:
        """The rows of each row group."""
        about = self._file.metadata
        return [about.row_group(i).num_rows for i in range(about.num_row_groups)]

    def tables(self, part: int, columns: Sequence[str] | None) -> Iterator[pl.DataFrame]:
        """Give the rows of a row group."""
        for batch in self._file.iter_batches(_at_once(columns), row_groups=[part], columns=columns):
            yield _from_arrow(batch)

    def _first_table(self) -> pl.DataFrame:
        import pyarrow as pa

        empty = pa.Table.from_batches([], self._file.schema_arrow)  # `empty_table` loads pandas
        return plain_table(_from_arrow(empty), str(self.path))


class ArrowPieces(PiecewiseFile):
    """Arrow IPC files, also called Feather version 2, by their batches."""

    group = "batch"

    @cached_property
    def _file(self) -> Any:
        check_package("pyarrow", "large", "Arrow files larger than memory: such")
        import pyarrow as pa

        try:
            return pa.ipc.open_file(pa.OSFile(str(self.path)))
        except (OSError, ValueError) as error:
            raise DataError(
                f"{self.path} is no Arrow file that can be read in parts ({first_line(error)}). Write it in the file "
                "format, not as a stream."
            ) from error

    @cached_property
    def sizes(self) -> list[int]:
        """The rows of each batch."""
        return [self._file.get_batch(i).num_rows for i in range(self._file.num_record_batches)]

    def tables(self, part: int, columns: Sequence[str] | None) -> Iterator[pl.DataFrame]:
        """Give the rows of a batch."""
        batch, step = self._file.get_batch(part), _at_once(columns)
        for at in range(0, batch.num_rows, step):
            rows = batch.slice(at, step)
            yield _from_arrow(rows if columns is None else rows.select(columns))


class Hdf5Pieces(PiecewiseFile):
    """One table of an HDF5 file by stretches of rows."""

    group = "stretch"
    rows_of_a_stretch = 4 * ROWS_AT_ONCE

    def __init__(self, path: Path, options: ReadOptions) -> None:
        super().__init__(path, options)
        with opened(path) as file:
            tables = tables_in(file)
            rows = {name: int(next(iter(columns.values()))[0].shape[0]) for name, columns in tables.items()}
            wanted = None if options.table is None else options.table.strip("/") or "/"
            self._name = chosen_table(path, {name: f"{count:,} rows" for name, count in rows.items()}, wanted)
            self._rows = rows[self._name]

    @property
    def sizes(self) -> list[int]:
        """The rows of each stretch."""
        step = self.rows_of_a_stretch
        return [min(step, self._rows - at) for at in range(0, self._rows, step)]

    def tables(self, part: int, columns: Sequence[str] | None) -> Iterator[pl.DataFrame]:
        """Give the rows of a stretch."""
        first, step = part * self.rows_of_a_stretch, _at_once(columns)
        with opened(self.path) as file:
            held = tables_in(file)[self._name]
            for at in range(first, first + self.sizes[part], step):
                rows, made = slice(at, min(at + step, first + self.sizes[part])), ColumnsOfArrays()
                for name, (dataset, within) in held.items():
                    if columns is not None and name not in columns:
                        continue
                    values = dataset[rows, within] if isinstance(within, int) else dataset[rows]
                    made.add(name, values[within] if isinstance(within, str) else values)
                yield made.table()


def _at_once(columns: Sequence[str] | None) -> int:
    return min(ROWS_AT_ONCE, VALUES_AT_ONCE // max(1, len(columns or ()))) or 1


def _from_arrow(batch: Any) -> pl.DataFrame:
    table = pl.from_arrow(batch)
    assert isinstance(table, pl.DataFrame)
    return table


FORMATS: dict[str, type[PiecewiseFile]] = {
    **dict.fromkeys((".parquet", ".pq"), ParquetPieces),
    **dict.fromkeys((".arrow", ".feather", ".ipc"), ArrowPieces),
    **dict.fromkeys(HDF5, Hdf5Pieces),
}
"""By extension: how files are read in pieces."""


FEW_PIECES = 8
"""With fewer of them, rows of one piece fill the buffer in which rows are mixed."""


class Pieces:
    """Files that are one table, as pieces in their order.

    Args:
        files: at least one, all with the columns of the first.

    Attributes:
        all: the pieces that have rows.
        types: the columns, in the order of the first file, and their plain types.

    Raises:
        DataError: a file has other columns, or a column of another type.
    """

    def __init__(self, files: list[PiecewiseFile]) -> None:
        self.files = [file for file in files if sum(file.sizes)]
        if not self.files:
            raise DataError(f"{files[0].path} has no rows; expected a table with some")
        self.types = dict(self.files[0].types)
        for file in self.files[1:]:
            self._check_alike(file)
        self.all: list[Piece] = []
        first = 0
        for number, file in enumerate(self.files):
            for part, rows in enumerate(file.sizes):
                self.all += [Piece(number, part, rows, first)] if rows else []
                first += rows
        self.rows = first

    @property
    def row_bytes(self) -> int:
        """About how many bytes a row takes in memory."""
        return sum(24 if kind == pl.String else 8 for kind in self.types.values())

    @cached_property
    def checksum(self) -> str:
        """The SHA-256 of all files, of what tells them apart."""
        return hashlib.sha256("".join(file.checksum for file in self.files).encode()).hexdigest()

    @property
    def advice(self) -> str:
        """What is to be said of files whose pieces are too few to be mixed; empty where there are enough."""
        if len(self.all) >= FEW_PIECES:
            return ""
        held, what = counted(len(self.files), "file"), counted(len(self.all), self.files[0].group)
        return (
            f"{held} with {what} in all: rows are read in nearly the same order in each pass and mixed within a buffer "
            "only; where neighbours are alike, networks learn worse. Mend it with: shoal regroup DATA -o MIXED.parquet"
        )

    def read(self, piece: Piece, columns: Sequence[str] | None = None) -> Iterator[tuple[int, pl.DataFrame]]:
        """Give the rows of a piece, few at a time, with the number of the first of them; of some columns or all."""
        first = piece.first
        wanted = list(self.types) if columns is None else columns
        for table in self.files[piece.file].read(piece.part, wanted):
            yield first, pl.DataFrame([table.get_column(name).cast(self.types[name]) for name in wanted])
            first += table.height

    def tables(self, rows: int) -> Iterator[pl.DataFrame]:
        """Give all rows in their order, so many at a time; the last table may have fewer."""
        waiting: list[pl.DataFrame] = []
        held = 0
        for piece in self.all:
            for _, table in self.read(piece):
                waiting.append(table)
                held += table.height
                while held >= rows:
                    together = pl.concat(waiting)
                    yield together[:rows]
                    waiting, held = [together[rows:]], held - rows
        if held:
            yield pl.concat(waiting)

    def _check_alike(self, other: PiecewiseFile) -> None:
        first = self.files[0]
        absent = [name for name in first.types if name not in other.types]
        more = [name for name in other.types if name not in first.types]
        if absent or more:
            lacks = [f"lacks {listing(map(repr, absent))}"] if absent else []
            has = [f"has {listing(map(repr, more))} more"] if more else []
            raise DataError(
                f"{other.path} {' and '.join(lacks + has)} than {first.path}; files that are one table have the same "
                "columns."
            )
        for name, kind in self.types.items():
            found = other.types[name]
            if found == kind:
                continue
            if not (found.is_numeric() and kind.is_numeric()):
                raise DataError(
                    f"column {name!r} holds {str(kind).lower()} in {first.path} and {str(found).lower()} in "
                    f"{other.path}; both must be of one type. Write one of the files again."
                )
            self.types[name] = pl.Float64()


def open_pieces(paths: Mapping[Path, str] | list[Path], options: ReadOptions) -> Pieces | None:
    """Return files as pieces; None where one is of a format that is read as a whole.

    Raises:
        DataError: a file is missing or damaged, or differs from the first.
    """
    kinds = [FORMATS.get(path.suffix.lower()) for path in paths]
    if not kinds or not all(kinds):
        return None
    return Pieces([kind(path, options) for kind, path in zip(kinds, paths, strict=True) if kind is not None])
