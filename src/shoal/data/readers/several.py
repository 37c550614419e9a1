"""Several files as one table: a list of paths, a pattern such as `runs/*.csv`, or a folder of Parquet files."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl

from shoal.data.readers.base import Content
from shoal.data.readers.files import extension_of, usable_path
from shoal.data.readers.options import ReadOptions
from shoal.data.readers.postgresql import is_postgresql, read_postgresql
from shoal.data.readers.reading import read_path, read_table_file, refuse_table, signal_reader, table_extensions
from shoal.data.readers.remote import fetched, is_remote
from shoal.data.stacking import stacked
from shoal.data.units import same_unit
from shoal.errors import DataError, counted, listing

_PATTERN = frozenset("*?[")
_PARQUET = (".parquet", ".pq")


def is_list_of_files(data: Any) -> bool:
    """Return whether data are a list of paths, or of texts that all are the names of tables.

    Example:
        >>> is_list_of_files(["a.csv", "b.csv"]), is_list_of_files(["red", "blue"])
        (True, False)
    """
    if not isinstance(data, list) or not data or not all(isinstance(each, str | Path) for each in data):
        return False
    return all(isinstance(each, Path) or extension_of(Path(each)) in table_extensions() for each in data)


def read_files(data: str | Path | Sequence[str | Path], options: ReadOptions) -> Content:
    """Return what a file or folder holds, or all files that a list, a pattern or a folder of Parquet files names.

    Raises:
        DataError: nothing is there, or a file cannot be used, or differs from the first in its columns or units.
        SettingError: an option makes no sense.
    """
    if is_postgresql(data):
        refuse_table(f"{data} is", options)
        return read_postgresql(str(data), options)
    if is_remote(data):
        with fetched(str(data)) as paths:
            return read_files(paths, options)
    named = files_named(data, options)
    if named is None:
        content = read_path(Path(str(data)), options)
        if options.file_column is not None:
            _check_new(options.file_column, content.table)
            content = content._replace(table=_with_file(content.table, options.file_column, Path(str(data)).name))
        return content
    refuse_table(f"{counted(len(named), 'file')} are", options)
    return _stacked_files(named, options)


def files_named(data: str | Path | Sequence[str | Path], options: ReadOptions) -> dict[Path, str] | None:
    """Return the files that a list, a pattern or a folder of Parquet files names, with the part of each path in which
    they differ; None: data are one file or folder.

    Raises:
        DataError: a pattern fits no file.
    """
    if not isinstance(data, str | Path):
        if remote := next((each for each in data if is_remote(each)), None):
            raise DataError(
                f"{remote} is one of several paths; give addresses as one pattern, or fetch the files first"
            )
        paths = [Path(each).expanduser() for each in data]
    elif _PATTERN & set(str(data)) and not os.path.lexists(data):
        paths = [Path(path) for path in sorted(glob.glob(os.path.expanduser(str(data)), recursive=True))]
        paths = [path for path in paths if extension_of(path) in table_extensions()]
        if not paths:
            raise DataError(f"{data} fits no file with a table. Check the folder and the extension.")
    elif (folder := usable_path(data)).is_dir() and signal_reader(folder, options) is None:
        paths = _parquet_files(folder)
        if not paths:
            return None
        return {path: path.relative_to(folder).as_posix() for path in paths}
    else:
        return None
    twice = next((path for i, path in enumerate(paths) if path in paths[:i]), None)
    if twice is not None:
        raise DataError(f"{twice} is named twice; its rows would count double")
    common = os.path.commonpath([path.absolute().parent for path in paths])
    return {path: path.absolute().relative_to(common).as_posix() for path in paths}


def _parquet_files(folder: Path) -> list[Path]:
    """Return the Parquet files of a folder and of those in it that are called `year=2024`, if there are no others."""
    tables = sorted(_tables_in(folder))
    return tables if all(extension_of(path) in _PARQUET for path in tables) else []


def _tables_in(folder: Path) -> Iterator[Path]:
    try:
        entries = [path for path in folder.iterdir() if path.name[0] not in "._"]
    except OSError:
        return
    for path in entries:
        if "=" in path.name and path.is_dir():
            yield from _tables_in(path)
        elif extension_of(path) in table_extensions():
            yield path


def _stacked_files(named: dict[Path, str], options: ReadOptions) -> Content:
    contents: list[Content] = []
    for path, name in named.items():
        formats = contents[0].formats if contents else options.formats
        content = read_table_file(path, replace(options, formats=formats))
        content = content._replace(table=_with_folders(content.table, name))
        if contents:
            _check_alike(contents[0], content, next(iter(named)), path)
        contents.append(content._replace(table=content.table.select((contents or [content])[0].table.columns)))
    first, names = contents[0], list(named.values())
    table = stacked([content.table for content in contents], [str(path) for path in named])
    if options.file_column is not None:
        _check_new(options.file_column, table)
        lengths = [content.table.height for content in contents]
        files = pl.Series(options.file_column, names).gather(
            pl.Series([i for i, rows in enumerate(lengths) for _ in range(rows)])
        )
        table = table.select(files, pl.all())
    notes = dict.fromkeys(note for content in contents for note in content.notes)
    shown = listing(names if len(names) <= 6 else [*names[:3], "…", *names[-2:]])
    said = f"{counted(len(names), 'file')}, {shown}, are one table."
    return first._replace(table=table, notes=(said, *notes))


def _with_folders(table: pl.DataFrame, name: str) -> pl.DataFrame:
    """Return a table with the columns that names of folders such as `year=2024` tell."""
    pairs = [part.split("=", 1) for part in name.split("/")[:-1] if "=" in part]
    new = [
        pl.lit(int(value) if value.isdecimal() else value).alias(column)
        for column, value in pairs
        if column and column not in table.columns
    ]
    return table.with_columns(new)


def _with_file(table: pl.DataFrame, column: str, name: str) -> pl.DataFrame:
    return table.select(pl.lit(name).alias(column), pl.all())


def _check_new(column: str, table: pl.DataFrame) -> None:
    if column in table.columns:
        raise DataError(f"the file has a column {column!r} already; give --file-column another name")


def _check_alike(first: Content, other: Content, path: Path, where: Path) -> None:
    """Refuse a file that has other columns than the first, or other units."""
    absent = [name for name in first.table.columns if name not in other.table.columns]
    more = [name for name in other.table.columns if name not in first.table.columns]
    if absent or more:
        lacks = [f"lacks {listing(map(repr, absent))}"] if absent else []
        has = [f"has {listing(map(repr, more))} more"] if more else []
        raise DataError(
            f"{where} {' and '.join(lacks + has)} than {path}; files that are one table have the same columns."
        )
    for name in first.table.columns:
        units = [content.units.get(name) for content in (first, other)]
        if units[0] and units[1] and not same_unit(units[0], units[1]):
            raise DataError(
                f"column {name!r} is in {units[1]} in {where} and in {units[0]} in {path}; convert one of them."
            )
