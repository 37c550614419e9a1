"""Branches: rows of layers beside each other whose outputs are merged."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any

from shoal.errors import NetworkError, SettingError, listing, suggest
from shoal.networks.initializers import Shape
from shoal.networks.layers.base import Context, Layer, Parameters
from shoal.networks.layers.within import Composite, Within, checked_layer, mask_behind

Path = tuple[Layer, ...]


def _average(xp: Any, outputs: list[Any]) -> Any:
    return _folded("add")(xp, outputs) / len(outputs)


def _folded(operation: str) -> Callable[[Any, list[Any]], Any]:
    return lambda xp, outputs: reduce(getattr(xp, operation), outputs)


MERGES: dict[str, Callable[[Any, list[Any]], Any]] = {
    "add": _folded("add"),
    "multiply": _folded("multiply"),
    "average": _average,
    "maximum": _folded("maximum"),
    "minimum": _folded("minimum"),
    "concatenate": lambda xp, outputs: xp.concatenate(outputs, axis=-1),
}
"""How outputs become one, by the names of Keras' merging layers in small letters."""


@dataclass(frozen=True)
class Branches(Composite):
    """Rows of layers beside each other that all get the input, and whose outputs are merged.

    `y = merge(path_0(x), path_1(x), ...)`

    The parameters of layer j of path i are called `i.j/kernel`, `i.j/bias` and so on.

    Args:
        paths: at least one row of layers; an empty one hands on the input.
        merge: "add" (default), "multiply", "average", "maximum", "minimum" of outputs of one shape, or "concatenate"
            along the last axis.

    Raises:
        SettingError: there is no path, something else than layers in one, or an unknown merge.

    Example:
        >>> from shoal import Dense
        >>> Branches([[Dense(8, activation="relu"), Dense(2)], []], merge="concatenate").output_shape((4,))
        (6,)
        >>> Branches([[Dense(4)], []], merge="multiply").parameter_shapes((4,))
        {'0.0/kernel': (4, 4), '0.0/bias': (4,)}
    """

    paths: tuple[Path, ...]
    merge: str = "add"

    def __post_init__(self) -> None:
        paths = self.paths
        if not isinstance(paths, (tuple, list)) or not paths or not all(isinstance(p, (tuple, list)) for p in paths):
            raise SettingError(f"{self.label}: paths must be lists of layers such as [[Dense(8)], []], got {paths!r}")
        object.__setattr__(self, "paths", tuple(tuple(path) for path in paths))
        for i, path in enumerate(self.paths):
            for j, layer in enumerate(path):
                checked_layer(self.label, f"paths[{i}][{j}]", layer)
        if self.merge not in MERGES:
            raise SettingError(
                f"{self.label}: merge must be one of {listing(MERGES)}, got {self.merge!r}."
                f"{suggest(str(self.merge), MERGES)}"
            )

    @property
    def _layers(self) -> Mapping[str, Layer]:
        return {f"{i}.{j}": layer for i, path in enumerate(self.paths) for j, layer in enumerate(path)}

    def _walk(self, input_shape: Shape) -> tuple[Within, list[Shape]]:
        """Return the layers with their input shapes, and the output shape of each path."""
        within, ends = {}, []
        for i, path in enumerate(self.paths):
            shape = input_shape
            for j, layer in enumerate(path):
                within[f"{i}.{j}"] = layer, shape
                try:
                    shape = layer.output_shape(shape)
                except NetworkError as error:
                    raise NetworkError(f"{self.label}, paths[{i}][{j}]: {error}") from None
            ends.append(shape)
        return within, ends

    def _within(self, input_shape: Shape) -> Within:
        return self._walk(input_shape)[0]

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape of the paths' outputs, which must be equal; concatenated, the last numbers add up."""
        _, ends = self._walk(input_shape)
        joined = self.merge == "concatenate"
        if joined and not all(ends):
            raise NetworkError(f"{self.label} concatenates along the last axis, but a path gives shape ()")
        if len({shape[:-1] if joined else shape for shape in ends}) > 1:
            rule = "may differ in their last number only" if joined else "must be equal"
            raise NetworkError(
                f"{self.label}: outputs of paths that are merged by {self.merge!r} {rule}, got shapes "
                f"{', '.join(map(str, ends))}. Change the last layers of the paths"
            )
        return (*ends[0][:-1], sum(shape[-1] for shape in ends)) if joined else ends[0]

    def apply(self, xp: Any, parameters: Parameters, x: Any, context: Context) -> Any:
        """Return the merged outputs of the paths."""
        outputs = []
        for i, path in enumerate(self.paths):
            y, mask = x, context.mask
            for j, layer in enumerate(path):
                before, y = y, self._apply_inner(xp, parameters, y, context, f"{i}.{j}", mask)
                mask = layer.output_mask(xp, before, mask)
            outputs.append(y)
        return MERGES[self.merge](xp, outputs)

    def output_mask(self, xp: Any, x: Any, mask: Any) -> Any:
        """Return the steps that any path calls real; None if one has no mask. Masks made within stay within."""
        if mask is None:
            return None
        within = self._within(x.shape[1:])
        paths = [[within[f"{i}.{j}"] for j in range(len(path))] for i, path in enumerate(self.paths)]
        masks = [mask_behind(xp, len(x), path, mask) for path in paths]
        return None if any(behind is None for behind in masks) else reduce(xp.logical_or, masks)
