"""Whatever was handed in, read: a table, the roles that come with it, and images or series."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from shoal.data.builtin.sets import BUILTIN
from shoal.data.dataset import Dataset, Inputs
from shoal.data.readers import ReadOptions, from_python, read_with_units
from shoal.data.roles import Roles
from shoal.data.series.recipe import Cut
from shoal.data.signal_readers import is_signals, signal_reader, signals_from_python
from shoal.data.signals import Signals
from shoal.data.unit_sources import units_of_python
from shoal.errors import DataError, listing, suggest


class Raw(NamedTuple):
    """Data as they were read: name, source, table, the roles that they bring with them, and images or series.

    `notes` say in sentences what the reader did beside reading. `part` is 1 for rows of a table of test rows of its
    own: series may not run on from one to the other. `cut` says where series come from that were cut before.
    `units` are those that the file or the data frame tells beside the names of columns.
    """

    name: str
    source: str
    table: pl.DataFrame
    roles: Roles
    signals: Signals | None = None
    notes: tuple[str, ...] = ()
    part: np.ndarray | None = None
    cut: Cut | None = None
    units: Mapping[str, str] = {}

    @property
    def inputs(self) -> Inputs:
        """What a preparation transforms."""
        return self.table if self.signals is None else self.signals


def read_any(data: Any, options: ReadOptions) -> Raw:
    """Return the data with their name, their source and the roles that they bring with them."""
    if isinstance(data, Raw):
        return data
    if isinstance(data, Dataset):
        known = data.signals, data.read_notes, None, data.cut, data.units
        return Raw(data.name, data.source, data.table, data.roles, *known)
    if isinstance(data, str) and data in BUILTIN:
        return Raw(data, "built in", *BUILTIN[data].load())
    if isinstance(data, str | Path):
        path = Path(data)
        is_name = isinstance(data, str) and not path.suffix and "/" not in data and "\\" not in data
        if is_name and not path.exists():
            raise DataError(
                f"there is no file and no built-in data set {data!r}; built in are: {listing(BUILTIN)}."
                + suggest(str(data), BUILTIN)
            )
        name = Path(path.name.removesuffix(".gz")).stem or path.name
        reader = signal_reader(path, options)
        if reader is not None:
            return Raw(name, str(data), *reader.read(path, options))
        _check_kind(f"{path} is", options)
        table, units = read_with_units(path, options)
        return Raw(name, str(data), table, Roles(), units=units)
    if is_signals(data):
        return Raw("data", "python", *signals_from_python(data, options))
    _check_kind("the data are", options)
    return Raw("data", "python", from_python(data), Roles(), units=units_of_python(data))


def _check_kind(what: str, options: ReadOptions) -> None:
    """Refuse a table where images or series were announced."""
    if options.kind in ("images", "series"):
        where = "a folder of image files, " if options.kind == "images" else ""
        raise DataError(
            f"{what} a table, not {options.kind}, which come in {where}NumPy or HDF5 files or as an array of "
            f"three or four axes; leave out kind={options.kind!r} to predict from the columns"
        )
