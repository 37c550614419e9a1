"""Arrow IPC files, also called Feather version 2."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from shoal.data.frames import tidy
from shoal.data.readers.base import ReadOptions, WithUnits, first_line
from shoal.data.unit_sources import units_of_arrow
from shoal.errors import DataError


class ArrowReader:
    """Arrow IPC, as a file or as a stream, read by polars."""

    name: str = "Arrow"
    extensions: tuple[str, ...] = (".arrow", ".feather", ".ipc")

    def read(self, path: Path, options: ReadOptions) -> WithUnits:
        """Return the table in `path` with the units of its fields; the options say nothing about Arrow."""
        del options
        try:
            data = path.read_bytes()
            # The stream form has no signature and is what some writers put under the same extension.
            read = pl.read_ipc if data.startswith(b"ARROW1") else pl.read_ipc_stream
            table = read(data)
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, ValueError) as error:
            raise DataError(
                f"{path} is no readable Arrow or Feather file ({first_line(error)}). "
                "Write it again, or rename it to what it is."
            ) from error
        return WithUnits(tidy(table, str(path)), units_of_arrow(data))
