"""What a reader of images or series is."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple, Protocol

import polars as pl

from shoal.data.readers.base import ReadOptions
from shoal.data.roles import Roles
from shoal.data.signals import Signals


class SignalTable(NamedTuple):
    """The table of targets and names, the roles of its columns, an image or series for each row, and what was done."""

    table: pl.DataFrame
    roles: Roles
    signals: Signals
    notes: tuple[str, ...] = ()


class SignalReader(Protocol):
    """Reads images or series of one format."""

    name: str

    def takes(self, path: Path, options: ReadOptions) -> bool:
        """Return whether a path holds what this reader reads; it may look inside, but quickly."""

    def read(self, path: Path, options: ReadOptions) -> SignalTable:
        """Return the content.

        Raises:
            DataError: the content cannot be used; the message names the file.
        """
