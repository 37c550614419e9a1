"""Which table of a file that holds several, and names as SQL takes them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from shoal.errors import DataError, listing, suggest


class SeveralTables(DataError):
    """A file holds several tables, and none was named.

    Attributes:
        tables: what each holds, in words, by its name.
    """

    def __init__(self, path: Path | str, tables: Mapping[str, str]) -> None:
        self.tables = dict(tables)
        inside = "; ".join(f"{name} ({what})" for name, what in list(tables.items())[:20])
        more = f"; and {len(tables) - 20} more" if len(tables) > 20 else ""
        super().__init__(f"{path} holds {len(tables)} tables: {inside}{more}. Name one with --table NAME.")


def chosen_table(path: Path | str, tables: Mapping[str, str], wanted: str | None, other: str = "") -> str:
    """Return the name of the table to read: the one that was named, or the only one.

    Args:
        path: the file, or the address of a database.
        tables: what each table holds, in words, by its name.
        wanted: the name that the user gave, or None.
        other: what the file holds beside tables, for the message where it holds none.

    Raises:
        DataError: there is no table, or none of that name; `SeveralTables` if none was named and there are several.
    """
    if wanted is not None and wanted not in tables:
        raise DataError(f"{path} has no table {wanted!r}; it has: {listing(tables)}.{suggest(wanted, tables)}")
    if not tables:
        raise DataError(f"{path} holds no table{f', but {other}' if other else ''}; expected one with named columns.")
    if wanted is None and len(tables) > 1:
        raise SeveralTables(path, tables)
    return next(iter(tables)) if wanted is None else wanted


def quoted(name: str) -> str:
    """Return the name of a table or column as SQL takes it.

    >>> quoted("flux")
    '"flux"'
    """
    return '"' + name.replace('"', '""') + '"'
