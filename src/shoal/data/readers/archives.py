"""A table in a zip archive: the only one, or the one that is named, unpacked as far as there is room for it."""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from shoal.data.readers.base import Content
from shoal.data.readers.files import extension_of, first_line
from shoal.data.readers.options import ReadOptions
from shoal.data.readers.room import check_room
from shoal.data.readers.tables.chosen_table import chosen_table
from shoal.errors import DataError
from shoal.resources import memory_text

_COPIES = 2
_ONCE = 1 << 20


def is_archive(path: Path) -> bool:
    """Return whether the name is that of a zip archive."""
    return path.suffix.lower() == ".zip" and path.is_file()


def read_archive(
    path: Path, options: ReadOptions, extensions: tuple[str, ...], read: Callable[[Path, ReadOptions], Content]
) -> Content:
    """Return the table in an archive.

    Args:
        path: the archive.
        options: `table` names one of several files in it, else a table of the only one.
        extensions: of files that are tables.
        read: reads a file.

    Raises:
        DataError: the archive is damaged, or holds no table, or several and none is named.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = {
                member.filename: member
                for member in archive.infolist()
                if extension_of(Path(member.filename)) in extensions and "__MACOSX" not in member.filename
            }
            one = len(members) == 1 and options.table not in members
            described = {name: memory_text(member.file_size) for name, member in members.items()}
            name = chosen_table(path, described, None if one else options.table)
            with _unpacked(archive, members[name], path) as file, _named(file, f"{path}, {name}"):
                return read(file, options if one else replace(options, table=None))
    except DataError:
        raise
    except Exception as error:  # zipfile raises nearly anything on damaged bytes
        raise DataError(f"{path} is a damaged zip archive ({first_line(error)}). Copy or download it again.") from error


@contextmanager
def _unpacked(archive: zipfile.ZipFile, member: zipfile.ZipInfo, path: Path) -> Iterator[Path]:
    """Give a file of an archive, unpacked into a folder of its own under a name without folders."""
    what = f"{path} holds {member.filename} of {memory_text(member.file_size)}"
    check_room(_COPIES * member.file_size, what, "Unpack it and read a part of it.")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, f"table{''.join(Path(member.filename).suffixes[-2:])}")
        with archive.open(member) as source, file.open("wb") as out:  # no more than the declared size is read
            shutil.copyfileobj(source, out, _ONCE)
        yield file


@contextmanager
def _named(file: Path, name: str) -> Iterator[None]:
    """Call a file in messages as the user knows it."""
    try:
        yield
    except DataError as error:
        error.args = (str(error).replace(str(file), name), *error.args[1:])
        raise
