"""Tables that programs in Python hold in objects of astropy, awkward and xarray."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.data.readers.base import Content
from shoal.data.readers.options import ReadOptions

if TYPE_CHECKING:
    from shoal.data.readers.tables.grids import GridVariable

_SOURCE = "the data"


def content_of_python(data: Any, options: ReadOptions) -> Content | None:
    """Return what an object of one of these libraries holds, or None: it is something else.

    Args:
        data: any object.
        options: `table` names dimensions of an xarray Dataset whose variables have several.

    Raises:
        DataError: it holds no table.
    """
    module, kind = type(data).__module__, type(data).__name__
    known = _KNOWN.get((module.split(".")[0], kind))
    if module.startswith("astropy.table"):
        known = _astropy
    return None if known is None else known(data, options)


def _astropy(data: Any, options: ReadOptions) -> Content:
    from shoal.data.readers.tables.astropy_files import content_of_table

    del options
    return content_of_table(data, _SOURCE)


def _awkward(data: Any, options: ReadOptions) -> Content:
    from shoal.data.readers.tables.awkward_columns import content_of_awkward

    del options
    return content_of_awkward(data, _SOURCE)


def _xarray(data: Any, options: ReadOptions) -> Content:
    from shoal.data.readers.tables.grids import content_of_grid

    if type(data).__name__ == "DataArray":
        data = data.to_dataset(name=data.name or "value")
    variables = {str(name): _grid_variable(v, name in data.coords) for name, v in data.variables.items()}
    return content_of_grid(variables, Path(_SOURCE), options.table)


def _grid_variable(variable: Any, coordinate: bool) -> GridVariable:
    from shoal.data.readers.tables.grids import GridVariable

    def load() -> Any:
        return variable.values

    dims, dtype = tuple(map(str, variable.dims)), np.dtype(variable.dtype)
    return GridVariable(dims, variable.shape, dtype, variable.attrs, load, coordinate=coordinate)


_KNOWN: dict[tuple[str, str], Callable[[Any, ReadOptions], Content]] = {
    ("awkward", "Array"): _awkward,
    ("xarray", "Dataset"): _xarray,
    ("xarray", "DataArray"): _xarray,
}
