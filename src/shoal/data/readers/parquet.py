"""Parquet files."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from shoal.data.frames import tidy
from shoal.data.readers.base import ReadOptions, first_line
from shoal.errors import DataError


class ParquetReader:
    """Parquet, read by polars."""

    name: str = "Parquet"
    extensions: tuple[str, ...] = (".parquet", ".pq")

    def read(self, path: Path, options: ReadOptions) -> pl.DataFrame:
        """Return the table in `path`; the options say nothing about Parquet."""
        del options
        try:
            # From bytes, so that a name with * or [ is a name and not a pattern.
            table = pl.read_parquet(path.read_bytes())
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, ValueError) as error:
            raise DataError(
                f"{path} is no readable Parquet file ({first_line(error)}). Write it again, or rename it to what it is."
            ) from error
        return tidy(table, str(path))
