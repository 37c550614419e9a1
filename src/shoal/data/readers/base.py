"""What a reader is, and what it makes of a file or folder."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, NamedTuple

import polars as pl

from shoal.data.readers.options import ReadOptions
from shoal.data.roles import Roles
from shoal.data.signals import Signals


class Content(NamedTuple):
    """What data hold: a table, the roles of its columns, an image or series for each row, what was done, and units.

    `roles` and `units` are those that the data themselves tell; `notes` say in sentences what was done beside reading.
    `formats` tell how columns of dates or numbers are written (see `shoal.data.column_reading`).
    """

    table: pl.DataFrame
    roles: Roles = Roles()
    signals: Signals | None = None
    notes: tuple[str, ...] = ()
    units: Mapping[str, str] = {}
    formats: Mapping[str, str] = {}


class Reader(ABC):
    """Reads one format.

    Attributes:
        name: of the format, in messages.
        extensions: of its files, in lower case with their dot; none where it reads folders.
        gives_signals: whether images or series come with the table.
    """

    name: ClassVar[str]
    extensions: ClassVar[tuple[str, ...]] = ()
    gives_signals: ClassVar[bool]

    @abstractmethod
    def takes(self, path: Path, options: ReadOptions) -> bool:
        """Return whether a path holds what this reader reads; it may look inside, but quickly."""

    @abstractmethod
    def read(self, path: Path, options: ReadOptions) -> Content:
        """Return the content.

        Raises:
            DataError: the content cannot be used; the message names the file.
        """
