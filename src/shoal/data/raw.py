"""Whatever was handed in, read: a table, the roles that come with it, and images or series."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from shoal.data.dataset import Dataset, Inputs
from shoal.data.frames import from_python, is_pair, pair_targets
from shoal.data.readers import Content, ReadOptions
from shoal.data.readers.files import name_of
from shoal.data.readers.signals.arrays import is_signals, signals_from_arrays
from shoal.data.roles import Roles
from shoal.data.series.recipe import Cut
from shoal.data.signals import Signals
from shoal.data.table_rules import RefinedTable, TableRules
from shoal.data.target_choice import TargetChoice
from shoal.data.unit_sources import units_of_python
from shoal.errors import DataError, listing, suggest

_LIBRARIES = ("astropy", "awkward", "xarray")


class Raw(NamedTuple):
    """Data as they were read: name, source, table, the roles that they bring with them, and images or series.

    `notes` say in sentences what the reader did beside reading. `units` are those that the file or the data frame tells
    beside the names of columns. `formats` and `missing` tell how columns are read (see `shoal.data.column_reading`),
    `cautions` what in them may mislead. `part` is 1 for rows of a table of test rows of its own: series may not run on
    from one to the other. `cut` says where series come from that were cut before. `choice` says why the target is the
    target. `rules` are derived columns and cuts, `refined` what these made of the rows.
    """

    name: str
    source: str
    table: pl.DataFrame
    roles: Roles
    signals: Signals | None = None
    notes: tuple[str, ...] = ()
    units: Mapping[str, str] = {}
    formats: Mapping[str, str] = {}
    missing: tuple[str, ...] = ()
    cautions: tuple[str, ...] = ()
    part: np.ndarray | None = None
    cut: Cut | None = None
    choice: TargetChoice = TargetChoice()
    rules: TableRules = TableRules()
    refined: RefinedTable | None = None

    @property
    def passed(self) -> np.ndarray | None:
        """Whether each row passes the cuts, `(rows,)`; None where there are none."""
        return None if self.refined is None else self.refined.passed

    def check_passed(self) -> None:
        """Raise DataError if no row passes the cuts, where one is needed."""
        if self.refined is not None:
            self.refined.check_passed()

    @property
    def inputs(self) -> Inputs:
        """What a preparation transforms."""
        return self.table if self.signals is None else self.signals

    @property
    def step_target_names(self) -> list[str]:
        """The names of the targets of single steps, which are no columns of the table."""
        return [] if self.signals is None or self.signals.targets is None else self.signals.targets.table.columns

    @property
    def column_names(self) -> list[str]:
        """The names of all columns, those of targets of single steps last."""
        return [*self.table.columns, *self.step_target_names]


def read_any(data: Any, options: ReadOptions) -> Raw:
    """Return the data with their name, their source and the roles that they bring with them."""
    if isinstance(data, Raw):
        return data
    if isinstance(data, Dataset):
        known = data.signals, data.read_notes, data.units, data.reading.formats, data.reading.missing
        refined = RefinedTable(data.table, None, data.row_cuts)
        raw = Raw(data.name, data.source, data.table, data.roles, *known, cut=data.cut)
        return raw._replace(rules=data.rules, refined=refined)
    if isinstance(data, str | Path):
        return _read_named(data, options)
    if isinstance(data, list) and data and isinstance(data[0], str | Path):
        from shoal.data.readers import is_list_of_files, read_files

        if is_list_of_files(data):
            return Raw("data", "python", *read_files(data, options))
    if is_signals(data):
        x, y = data if isinstance(data, tuple) else (data, None)
        return Raw("data", "python", *signals_from_arrays(x, y, options, "the data"))
    if options.kind is not None:
        from shoal.data.readers import refuse_table

        refuse_table("the data are", options)
    if type(data).__module__.split(".")[0] in _LIBRARIES:
        from shoal.data.readers.python_data import content_of_python

        held = content_of_python(data, options)
        if held is not None:
            return Raw("data", "python", *held)
    table = from_python(data)
    roles = Roles(target=pair_targets(table)) if is_pair(data) else Roles()
    return Raw("data", "python", *Content(table, roles, units=units_of_python(data)))


def _read_named(data: str | Path, options: ReadOptions) -> Raw:
    """Return a built-in set, or what a file or folder holds, named after it."""
    from shoal.data.builtin.sets import BUILTIN  # rows in memory need neither
    from shoal.data.readers import read_files

    if isinstance(data, str) and data in BUILTIN:
        return Raw(data, "built in", *BUILTIN[data].load())
    path = Path(data)
    is_name = isinstance(data, str) and not path.suffix and "/" not in data and "\\" not in data
    if is_name and not path.exists():
        raise DataError(
            f"there is no file and no built-in data set {data!r}; built in are: {listing(BUILTIN)}."
            + suggest(str(data), BUILTIN)
        )
    name = name_of(path)
    return Raw(name, str(data), *read_files(data, options))
