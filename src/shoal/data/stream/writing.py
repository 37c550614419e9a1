"""Tables that are written few rows at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from shoal.data.output import Output
from shoal.data.readers.packages import check_package
from shoal.data.stream.pieces import Pieces
from shoal.errors import SettingError

TEXTS = {".csv": ",", ".tsv": "\t"}
FORMATS = (".parquet", *TEXTS, ".jsonl", ".ndjson")
ROWS_OF_A_GROUP = 65_536


def check_format(extension: str) -> None:
    """Raise SettingError for a format that is written as a whole."""
    if extension not in FORMATS:
        raise SettingError(
            f"a table larger than memory is written as {', '.join(FORMATS)}, not {extension}; choose another --out, or "
            "predict fewer rows"
        )


def write_parts(tables: Iterable[Output], path: Path, extension: str) -> None:
    """Write tables of the same columns below each other, with the provenance of the first where a format holds it."""
    check_format(extension)
    if extension == ".parquet":
        _write_parquet(tables, path)
        return
    with path.open("wb") as file:
        for number, output in enumerate(tables):
            if extension in TEXTS:
                output.table.write_csv(file, separator=TEXTS[extension], include_header=number == 0)
            else:
                output.table.write_ndjson(file)


def _write_parquet(tables: Iterable[Output], path: Path) -> None:
    import pyarrow.parquet as pq

    writer = None
    try:
        for output in tables:
            table = output.table.to_arrow(compat_level=pl.CompatLevel.oldest())
            if writer is None:
                about = {f"shoal {name}": text for name, text in output.provenance.items()}
                writer = pq.ParquetWriter(path, table.schema.with_metadata(about), compression="zstd")
            writer.write_table(table.cast(writer.schema), row_group_size=ROWS_OF_A_GROUP)
    finally:
        if writer is not None:
            writer.close()


def regroup(pieces: Pieces, path: Path, rows: int, seed: int) -> int:
    """Write the rows of files in row groups of so many rows, each row in one at random; return how many groups.

    Two passes in bounded memory: rows are first dealt at random to as many files as there are groups, where that is
    what memory needs, and each is then shuffled and written.

    Args:
        pieces: of the files.
        path: of a Parquet file that is written.
        rows: of a group, about; the last may have fewer.
        seed: names the random numbers.
    """
    check_package("pyarrow", "large", "Parquet files in row groups: such")
    import pyarrow.parquet as pq

    heaps = max(1, -(-pieces.rows // (rows * GROUPS_OF_A_HEAP)))
    groups, writer = 0, None
    with _heaps(path, heaps, pieces, seed) as filled:
        try:
            for number, heap in enumerate(filled):
                table = pl.read_ipc_stream(heap) if heap.stat().st_size else pl.DataFrame(schema=pieces.types)
                order = np.random.default_rng((seed, number)).permutation(table.height)
                mixed = table[order].to_arrow(compat_level=pl.CompatLevel.oldest())
                writer = writer or pq.ParquetWriter(path, mixed.schema, compression="zstd")
                for at in range(0, mixed.num_rows, rows):
                    writer.write_table(mixed.slice(at, rows), row_group_size=rows)
                    groups += 1
        finally:
            if writer is not None:
                writer.close()
    return groups


GROUPS_OF_A_HEAP = 4
"""Groups whose rows are in memory at a time."""


@contextmanager
def _heaps(path: Path, count: int, pieces: Pieces, seed: int) -> Iterator[list[Path]]:
    """Give files to which all rows are dealt at random, as streams of Arrow; they are gone afterwards."""
    import pyarrow as pa

    names = [path.with_name(f"{path.name}.heap{number}") for number in range(count)]
    writers: list[Any] = [None] * count
    draws = np.random.default_rng(seed)
    try:
        for piece in pieces.all:
            for _, table in pieces.read(piece):
                heap = draws.integers(count, size=table.height)
                for number in np.unique(heap):
                    part = table[np.flatnonzero(heap == number)].to_arrow(compat_level=pl.CompatLevel.oldest())
                    writers[number] = writers[number] or pa.ipc.new_stream(str(names[number]), part.schema)
                    writers[number].write_table(part)
        for number, writer in enumerate(writers):
            if writer is None:
                names[number].touch()
            else:
                writer.close()
        yield names
    finally:
        for name in names:
            name.unlink(missing_ok=True)
