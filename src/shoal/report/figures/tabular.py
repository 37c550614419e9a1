"""The numbers of figures as columns of a table, which become CSV.

A column is called by what it holds in words joined by `_`, beginning with the quantity and ending in its unit:
`E_predicted [GeV]`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.data.units import labelled, split_unit
from shoal.report.figures.style import name_text

if TYPE_CHECKING:
    import polars as pl

Columns = dict[str, Any]
"""Name of a column to its values; shorter ones end in empty cells."""


def frame(columns: Mapping[str, Any]) -> pl.DataFrame:
    """Return columns as a table; shorter ones are filled up with nothing.

    Example:
        >>> frame({"a": [1, 2], "b": np.array([0.5])}).rows()
        [(1, 0.5), (2, None)]
    """
    import polars as pl

    made = [pl.Series(name, _plain(values), nan_to_null=False) for name, values in columns.items()]
    longest = max(map(len, made), default=0)
    return pl.DataFrame([one.extend_constant(None, longest - len(one)) for one in made])


def _plain(values: Any) -> Any:
    array = np.asarray(values)
    return array.tolist() if array.dtype.kind in "OUS" else np.ascontiguousarray(array)


def of(quantity: str, what: str, unit: str = "") -> str:
    """Return the name of a column: of which quantity, what about it, in which unit.

    Example:
        >>> of("E [GeV]", "predicted", "GeV"), of("", "pull")
        ('E_predicted [GeV]', 'pull')
    """
    split = split_unit(quantity)
    plain = name_text(quantity if split.unit is None else split.name, 60)
    return labelled("_".join(part for part in (plain, what) if part), unit)


def side_by_side(parts: Sequence[Mapping[str, Any]]) -> Columns:
    """Return the columns of several tables beside each other; names that would occur twice get a number.

    Example:
        >>> list(side_by_side([{"a": [1]}, {"a": [2]}]))
        ['a', 'a_2']
    """
    columns: Columns = {}
    for part in parts:
        for name, values in part.items():
            free, number = name, 2
            while free in columns:
                free, number = f"{name}_{number}", number + 1
            columns[free] = values
    return columns


def pixels(pictures: Mapping[str, np.ndarray], channels: Sequence[str] = ()) -> Columns:
    """Return pictures `(height, width[, channels])` of one size: a row for each pixel, a column for each picture.

    Args:
        pictures: by name.
        channels: names of their channels; by default numbers, from 1.

    Example:
        >>> pixels({"image_1": np.array([[5, 6]])})
        {'row': [1, 1], 'column': [1, 2], 'image_1': [5, 6]}
    """
    shapes = {picture.shape[:2] for picture in pictures.values()}
    height, width = shapes.pop()
    rows, places = np.divmod(np.arange(height * width), width)
    columns: Columns = {"row": (rows + 1).tolist(), "column": (places + 1).tolist()}
    return side_by_side([columns, *(_one(name, picture, channels) for name, picture in pictures.items())])


def _one(name: str, picture: np.ndarray, channels: Sequence[str]) -> Columns:
    flat = np.asarray(picture).reshape(picture.shape[0] * picture.shape[1], -1)
    if flat.shape[1] == 1:
        return {name: flat[:, 0].tolist()}
    known = channels if len(channels) == flat.shape[1] else [str(i + 1) for i in range(flat.shape[1])]
    return {f"{name}_{name_text(channel)}": flat[:, i].tolist() for i, channel in enumerate(known)}


def lines(series: Mapping[str, np.ndarray], channels: Sequence[str] = ()) -> Columns:
    """Return series `(time[, channels])`: a row for each step, a column for each channel of each series."""
    longest = max((len(values) for values in series.values()), default=0)
    wide = {name: np.asarray(values).reshape(1, len(values), -1) for name, values in series.items()}
    parts = [_one(name, values, channels) for name, values in wide.items()]
    return side_by_side([{"step": list(range(1, longest + 1))}, *parts])
