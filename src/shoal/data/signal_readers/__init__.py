"""Readers of images and series: from a folder, a file or arrays to signals beside a table of everything else.

A new format is one file with one class (see `SignalReader`) and one line in `SIGNAL_READERS`.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from shoal.data.readers.base import ReadOptions
from shoal.data.signal_readers.arrays import is_signals as is_signals
from shoal.data.signal_readers.arrays import signals_from_python as signals_from_python
from shoal.data.signal_readers.base import SignalReader as SignalReader
from shoal.data.signal_readers.base import SignalTable as SignalTable
from shoal.data.signal_readers.folder import ImageFolder
from shoal.data.signal_readers.hdf5 import Hdf5Arrays
from shoal.data.signal_readers.numpy_files import NumpyArrays
from shoal.data.signal_readers.ts import TsReader
from shoal.data.signals import SignalPreparation, Signals

SIGNAL_READERS: dict[str, SignalReader] = {
    "folder": ImageFolder(),
    "numpy": NumpyArrays(),
    "hdf5": Hdf5Arrays(),
    "ts": TsReader(),
}


def signal_reader(path: Path, options: ReadOptions) -> SignalReader | None:
    """Return the reader that takes a file or folder as images or series, or None: it is a table."""
    if options.kind == "table":
        return None
    return next((reader for reader in SIGNAL_READERS.values() if reader.takes(path, options)), None)


def options_alike(options: ReadOptions, data: Any, like: Signals | SignalPreparation | None) -> ReadOptions:
    """Return options by which images in a folder get the size of others, and series their targets as others.

    A size that was asked for stays.

    Args:
        options: how to read.
        data: what is to be read.
        like: the others; None where there are none.
    """
    if like is not None and like.kind == "series":
        per_step = like.per_step if isinstance(like, SignalPreparation) else like.targets is not None
        return replace(options, per_step=per_step)
    if like is None or like.kind != "images" or options.image_size or not isinstance(data, str | Path):
        return options
    height, width, _ = like.shape
    return replace(options, image_size=f"{height}x{width}") if Path(data).is_dir() else options
