"""The default spaces: one file for each kind of data."""

from __future__ import annotations

import math

from shoal.networks import Shape
from shoal.search.space import Space
from shoal.search.spaces.images import image_blocks, image_space
from shoal.search.spaces.reconstruction import reconstruction_space as reconstruction_space
from shoal.search.spaces.series import FLAT, forecast_space, series_layers, series_space, step_layers
from shoal.search.spaces.single import single_space as single_space
from shoal.search.spaces.tables import table_space as table_space


def default_space(
    rows: int, classification: bool, shape: Shape = (1,), per_step: bool = False, forecast: bool = False
) -> Space:
    """Return the default space for so many training rows of one shape: of a table, of series or of images.

    With `per_step` the networks answer at each step of a series; with `forecast` series are windows of a longer one.
    """
    if forecast:
        return forecast_space(shape, rows)
    if len(shape) == 3:
        return image_space(shape, rows, classification)
    if len(shape) == 2:
        return series_space(shape, rows, classification, per_step)
    return table_space(rows, classification, math.prod(shape))


def default_layers(shape: Shape, per_step: bool = False, forecast: bool = False) -> str:
    """Return the layers of a single network before its hidden ones, for rows of a shape."""
    if forecast:
        return FLAT
    if len(shape) == 3:
        return image_blocks(shape)[-1]
    if per_step:
        return step_layers(shape)[0]
    return series_layers(shape, classification=False)[0] if len(shape) == 2 else ""
