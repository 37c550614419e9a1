"""Parquet files."""

from __future__ import annotations

import io
from pathlib import Path

import polars as pl

from shoal.data.frames import plain_table
from shoal.data.readers.base import Content
from shoal.data.readers.files import first_line, load_raw
from shoal.data.readers.options import ReadOptions
from shoal.data.readers.tables.base import TableReader, check_declared
from shoal.data.unit_sources import units_of_parquet
from shoal.errors import DataError


class ParquetReader(TableReader):
    """Parquet, read by polars."""

    name = "Parquet"
    extensions = (".parquet", ".pq")

    def parse(self, path: Path, options: ReadOptions) -> Content:
        """Return the table in `path` with the units of its fields; the options say nothing about Parquet."""
        del options
        # From bytes, so that a name with * or [ is a name and not a pattern.
        data = load_raw(path)
        try:
            check_declared(pl.scan_parquet(io.BytesIO(data)), path)
            table = pl.read_parquet(data)
        except DataError:
            raise
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, ValueError) as error:
            raise DataError(
                f"{path} is no readable Parquet file ({first_line(error)}). Write it again, or rename it to what it is."
            ) from error
        return Content(plain_table(table, str(path)), units=units_of_parquet(data))
