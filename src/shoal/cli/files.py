"""Files that commands write: checked before the work, whole or not there after it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from shoal.errors import RunError, SettingError

if TYPE_CHECKING:
    import polars as pl

    from shoal.data.table_writers import Output

TABLES = (
    ".csv", ".tsv", ".parquet", ".jsonl", ".ndjson", ".fits", ".vot", ".votable", ".ecsv", ".root", ".h5", ".hdf5",
    ".nc", ".sqlite", ".db",
)  # fmt: skip


def check_output(out: str, extensions: Sequence[str], what: str, *, force: bool) -> Path:
    """Return the path of a file that may be written.

    Raises:
        SettingError: the extension is not one of those known.
        RunError: the file exists and shall not be replaced, or its folder is missing.
    """
    path = Path(out)
    if path.suffix.lower() not in extensions:
        raise SettingError(f"{what} is written as {', '.join(extensions)}; got --out {out!r}.")
    if path.suffix.lower() in TABLES:
        from shoal.data.table_writers import check_writer

        check_writer(path)
    if path.is_dir():
        raise RunError(f"{out!r} is a folder; expected the name of a file.")
    if path.exists() and not force:
        raise RunError(f"the file {out!r} exists. Choose another with --out, or replace it with --force.")
    if not path.parent.is_dir():
        raise RunError(f"there is no folder {str(path.parent)!r} to write {path.name!r} into.")
    return path


def write_table(table: pl.DataFrame | Output, path: Path) -> None:
    """Write a table in the format that the extension names."""
    from shoal.data.table_writers import Output, content_of
    from shoal.runs.writing import remove_parts, write_atomically

    remove_parts(path.parent, path.name)
    write_atomically(path, content_of(table if isinstance(table, Output) else Output(table), path))
