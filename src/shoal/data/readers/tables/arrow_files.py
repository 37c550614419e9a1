"""Arrow IPC files, also called Feather version 2."""

from __future__ import annotations

import io
from pathlib import Path

import polars as pl

from shoal.data.frames import plain_table
from shoal.data.readers.base import Content
from shoal.data.readers.files import first_line, load_raw
from shoal.data.readers.options import ReadOptions
from shoal.data.readers.room import check_room
from shoal.data.readers.tables.arrow_sizes import decompressed_size
from shoal.data.readers.tables.base import TableReader, check_declared
from shoal.data.unit_sources import units_of_arrow
from shoal.errors import DataError
from shoal.resources import memory_text


class ArrowReader(TableReader):
    """Arrow IPC, as a file or as a stream, read by polars."""

    name = "Arrow"
    extensions = (".arrow", ".feather", ".ipc")

    def parse(self, path: Path, options: ReadOptions) -> Content:
        """Return the table in `path` with the units of its fields; the options say nothing about Arrow."""
        del options
        data = load_raw(path)
        try:
            rows, size = decompressed_size(data)
            check_room(2 * size, f"{path} holds {rows:,} rows, {memory_text(size)} decompressed", "Write fewer rows.")
            if data.startswith(b"ARROW1"):
                check_declared(pl.scan_ipc(io.BytesIO(data)), path)
            # The stream form has no signature and is what some writers put under the same extension.
            read = pl.read_ipc if data.startswith(b"ARROW1") else pl.read_ipc_stream
            table = read(data)
        except DataError:
            raise
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, ValueError) as error:
            raise DataError(
                f"{path} is no readable Arrow or Feather file ({first_line(error)}). "
                "Write it again, or rename it to what it is."
            ) from error
        return Content(plain_table(table, str(path)), units=units_of_arrow(data))
