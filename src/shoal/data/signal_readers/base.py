"""What a reader of images or series is."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import polars as pl

from shoal.data.readers.base import ReadOptions
from shoal.data.roles import Roles
from shoal.data.signals import Signals

SignalTable = tuple[pl.DataFrame, Roles, Signals]
"""The table of targets, names and the like, the roles of its columns, and an image or series for each of its rows."""


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
