"""Readers of images and series: from a folder, a file or arrays to signals beside a table of everything else.

A new format is one file with one class (see `SignalReader`) and one line in `SIGNAL_READERS`.
"""

from __future__ import annotations

from pathlib import Path

from shoal.data.readers.base import ReadOptions
from shoal.data.signal_readers.arrays import is_signals as is_signals
from shoal.data.signal_readers.arrays import signals_from_python as signals_from_python
from shoal.data.signal_readers.base import SignalReader as SignalReader

SIGNAL_READERS: dict[str, SignalReader] = {}


def signal_reader(path: Path, options: ReadOptions) -> SignalReader | None:
    """Return the reader that takes a file or folder as images or series, or None: it is a table."""
    return next((reader for reader in SIGNAL_READERS.values() if reader.takes(path, options)), None)
