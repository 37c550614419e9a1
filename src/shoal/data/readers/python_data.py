"""Tables that programs in Python hold in objects of astropy, awkward and xarray."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from shoal.data.readers.base import Content
from shoal.data.readers.options import ReadOptions
from shoal.data.readers.tables.astropy_files import content_of_table
from shoal.data.readers.tables.awkward_columns import content_of_awkward
from shoal.data.readers.tables.grids import GridVariable, content_of_grid

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
    if module.startswith("astropy.table"):
        return content_of_table(data, _SOURCE)
    if module.startswith("awkward.") and kind == "Array":
        return content_of_awkward(data, _SOURCE, options.list_values)
    if module.startswith("xarray.") and kind in ("Dataset", "DataArray"):
        held = data.to_dataset(name=data.name or "value") if kind == "DataArray" else data
        variables = {str(name): _grid_variable(v, name in held.coords) for name, v in held.variables.items()}
        return content_of_grid(variables, Path(_SOURCE), options.table)
    return None


def _grid_variable(variable: Any, coordinate: bool) -> GridVariable:
    def load() -> Any:
        return variable.values

    dims, dtype = tuple(map(str, variable.dims)), np.dtype(variable.dtype)
    return GridVariable(dims, variable.shape, dtype, variable.attrs, load, coordinate=coordinate)
