"""Arrays of awkward as columns: values, texts, and the first values of lists of different lengths."""

from __future__ import annotations

from typing import Any

import numpy as np

from shoal.data.frames import plain_table
from shoal.data.readers.base import Content
from shoal.data.readers.tables.array_columns import ColumnsOfArrays
from shoal.errors import DataError

FIRST_VALUES = 4
"""Of a list in each entry, such as the jets of an event, so many become columns."""


def content_of_awkward(data: Any, source: str, most: int | None = None) -> Content:
    """Return the table of an array of records: a column for each field.

    Args:
        data: an array of awkward.
        source: what it is called in messages.
        most: how many values of a list become columns; None: `FIRST_VALUES`.

    Raises:
        DataError: it has no fields.
    """
    import awkward as ak

    if not ak.fields(data):
        raise DataError(
            f"{source} are an awkward array without fields; expected records, as ak.zip({{'x': x, 'y': y}})."
        )
    columns = ColumnsOfArrays()
    for name in ak.fields(data):
        add_awkward(columns, name, data[name], most)
    return Content(plain_table(columns.table(), source), notes=columns.notes())


def add_awkward(columns: ColumnsOfArrays, name: str, array: Any, most: int | None = None) -> None:
    """Add what an array holds for each entry; what is neither a value nor a list of numbers is left out."""
    import awkward as ak

    kind = str(ak.type(array).content)
    if ak.fields(array) or kind.count("var *") > 1:
        columns.leave_out(name, f"{kind[:60]}; write each of its values as a branch of its own")
    elif kind.lstrip("?") in ("string", "bytes", "char"):
        columns.add(name, np.array(ak.to_list(array), dtype=object))
    elif "var *" in kind:
        _add_lists(columns, name, array, kind, most or FIRST_VALUES)
    else:
        values = ak.to_numpy(array)
        columns.add(name, np.ma.getdata(values), np.ma.getmaskarray(values) if np.ma.isMaskedArray(values) else None)


def _add_lists(columns: ColumnsOfArrays, name: str, array: Any, kind: str, most: int) -> None:
    import awkward as ak

    if any(word in kind for word in ("string", "bytes", "{", "union")):
        columns.leave_out(name, f"{kind[:60]}; write each of its values as a branch of its own")
        return
    padded = ak.to_numpy(ak.pad_none(array, most, clip=True))
    lengths = ak.to_numpy(ak.num(array))
    columns.add_list(name, padded, lengths)
