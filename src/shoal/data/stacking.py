"""Tables below each other."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from shoal.errors import DataError


def stacked(tables: Sequence[pl.DataFrame], names: Sequence[str]) -> pl.DataFrame:
    """Return the rows of all tables; a column that is empty in some takes the type that it has in others.

    Args:
        tables: with the columns of the first, in any order.
        names: what each is called in messages.

    Raises:
        DataError: a column holds values of one type here and of another there.

    Example:
        >>> stacked([pl.DataFrame({"a": [1]}), pl.DataFrame({"a": [0.5]})], ["one", "two"])["a"].to_list()
        [1.0, 0.5]
    """
    columns = []
    for name in tables[0].columns:
        parts = [table.get_column(name) for table in tables]
        dtype = parts[0].dtype
        for i in range(1, len(parts)):
            filled = any(part.null_count() < len(part) for part in parts[:i])
            dtype = _common_type(dtype, parts[i], names[0], names[i], filled=filled)
        columns.append(pl.concat([part.cast(dtype) for part in parts]))
    return pl.DataFrame(columns)


def _common_type(top: pl.DataType, bottom: pl.Series, first: str, second: str, *, filled: bool) -> pl.DataType:
    if top == bottom.dtype or bottom.null_count() == len(bottom):
        return top
    if not filled:
        return bottom.dtype
    if top.is_numeric() and bottom.dtype.is_numeric():
        return pl.Float64()
    if top == pl.String and bottom.dtype.is_numeric():
        return pl.String()  # a category of digits in few rows
    raise DataError(
        f"column {bottom.name!r} holds {str(top).lower()} in {first} and {str(bottom.dtype).lower()} in {second}; "
        "both must be of one type"
    )
