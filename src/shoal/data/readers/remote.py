"""Data in object stores and on servers, `s3://…`, by fsspec (`shoal[remote]`): fetched into a folder of its own."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

from shoal.data.readers.files import first_line
from shoal.data.readers.packages import check_package
from shoal.data.readers.room import check_room
from shoal.errors import DataError, counted
from shoal.resources import memory_text

_SCHEME = "://"
_PATTERN = frozenset("*?[")


def is_remote(data: Any) -> bool:
    """Return whether data are named by a scheme.

    Example:
        >>> is_remote("s3://bucket/a.csv"), is_remote("a.csv")
        (True, False)
    """
    return isinstance(data, str) and _SCHEME in data


@contextmanager
def fetched(address: str) -> Iterator[Path | list[Path]]:
    """Give where a file, a folder or the files that fit a pattern lie after they were fetched.

    Raises:
        DataError: fsspec or what it needs for the scheme is missing, nothing is there, or it has no room in memory.
    """
    check_package("fsspec", "remote", f"{address}: remote")
    import fsspec

    with tempfile.TemporaryDirectory() as folder:
        try:
            store, path = fsspec.core.url_to_fs(address)
            paths = _fetch(store, path, Path(folder), address)
        except DataError:
            raise
        except Exception as error:  # each store has errors of its own, and says here what to install
            raise DataError(f"{address} cannot be fetched ({first_line(error) or type(error).__name__}).") from error
        try:
            yield paths
        except DataError as error:
            error.args = (str(error).replace(folder, _fixed_part(address)), *error.args[1:])
            raise


def _fixed_part(address: str) -> str:
    """Return the folder of what an address or a pattern names."""
    return re.split(r"[*?\[]", address)[0].rpartition("/")[0]


def _fetch(store: Any, path: str, folder: Path, address: str) -> Path | list[Path]:
    if _PATTERN & set(path):
        found = sorted(name for name in store.glob(path) if store.isfile(name))
        if not found:
            raise DataError(f"{address} fits no file. Check the bucket, the folder and the extension.")
        common = _fixed_part(path) or "/"
        local = [folder / PurePosixPath(name).relative_to(common) for name in found]
    elif store.isdir(path):
        found = sorted(store.find(path))
        local = [folder / PurePosixPath(path).name / PurePosixPath(name).relative_to(path) for name in found]
    elif store.exists(path):
        found, local = [path], [folder / PurePosixPath(path).name]
    else:
        raise DataError(f"{address} does not exist. Check the name, and whether you may read it.")
    if any(".." in place.parts for place in local):
        raise DataError(f"{address} holds names with '..', which would lie elsewhere. Rename them.")
    size = sum(int(store.size(name) or 0) for name in found)
    check_room(size, f"{address} has {memory_text(size)} in {counted(len(found), 'file')}", "Fetch a part of it.")
    for name, place in zip(found, local, strict=True):
        place.parent.mkdir(parents=True, exist_ok=True)
        store.get_file(name, str(place))
    if _PATTERN & set(path):
        return local
    return folder / PurePosixPath(path).name
