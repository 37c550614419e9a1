"""Files that commands write: checked before the work, whole or not there after it."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from shoal.errors import RunError, SettingError

if TYPE_CHECKING:
    import polars as pl

TABLES = (".csv", ".tsv", ".parquet", ".jsonl", ".ndjson")


def check_output(out: str, extensions: Sequence[str], what: str, *, force: bool) -> Path:
    """Return the path of a file that may be written.

    Raises:
        SettingError: the extension is not one of those known.
        RunError: the file exists and shall not be replaced, or its folder is missing.
    """
    path = Path(out)
    if path.suffix.lower() not in extensions:
        raise SettingError(f"{what} is written as {', '.join(extensions)}; got --out {out!r}.")
    if path.is_dir():
        raise RunError(f"{out!r} is a folder; expected the name of a file.")
    if path.exists() and not force:
        raise RunError(f"the file {out!r} exists. Choose another with --out, or replace it with --force.")
    if not path.parent.is_dir():
        raise RunError(f"there is no folder {str(path.parent)!r} to write {path.name!r} into.")
    return path


def write_table(table: pl.DataFrame, path: Path) -> None:
    """Write a table in the format that the extension names."""
    from shoal.runs.writing import remove_parts, write_atomically

    remove_parts(path.parent, path.name)
    content = io.BytesIO()
    suffix = path.suffix.lower()
    if suffix == ".parquet":
        table.write_parquet(content)
    elif suffix in (".jsonl", ".ndjson"):
        table.write_ndjson(content)
    else:
        table.write_csv(content, separator="\t" if suffix == ".tsv" else ",")
    write_atomically(path, content.getvalue())
