"""Embedding: whole numbers become vectors."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from shoal.networks.initializers import Initializer, Shape
from shoal.networks.layers.base import Context, Layer, Parameters
from shoal.networks.layers.settings import check_flag, check_initializers, checked_integer


@dataclass(frozen=True)
class Embedding(Layer):
    """A vector of its own for each whole number, such as a category or a token.

    `y = embeddings[x]` (Bengio et al., "A neural probabilistic language model", 2003)

    Inputs are whole numbers, held as integers or floats. One outside 0 … input_dim - 1 gives NaN, so that it is
    noticed.

    Args:
        input_dim: how many numbers there are, counted from 0.
        output_dim: length of the vectors.
        mask_zero: whether 0 marks padding, which the layers behind leave out; default False.
        embeddings_initializer: start of the vectors; default "uniform".

    Raises:
        SettingError: a size below 1, or an unknown initializer.

    Example:
        >>> import numpy as np
        >>> Embedding(3, 2).apply(np, {"embeddings": np.eye(3, 2)}, np.array([[1, 0]]), Context()).tolist()
        [[[0.0, 1.0], [1.0, 0.0]]]
    """

    input_dim: int
    output_dim: int
    mask_zero: bool = False
    embeddings_initializer: str | Initializer = field(default="uniform", kw_only=True)

    def __post_init__(self) -> None:
        for name in ("input_dim", "output_dim"):
            object.__setattr__(self, name, checked_integer(self.label, name, getattr(self, name)))
        check_flag(self.label, "mask_zero", self.mask_zero)
        check_initializers(self.embeddings_initializer)

    @property
    def regularised(self) -> tuple[str, ...]:
        """L1 and L2 act on the vectors."""
        return ("embeddings",)

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return the input shape with `output_dim` behind it."""
        return (*input_shape, self.output_dim)

    def parameter_shapes(self, input_shape: Shape) -> dict[str, Shape]:  # noqa: ARG002
        """Return the shape of embeddings (input_dim, output_dim)."""
        return {"embeddings": (self.input_dim, self.output_dim)}

    def apply(self, xp: Any, parameters: Parameters, x: Any, context: Context) -> Any:  # noqa: ARG002
        """Return the vector of each number."""
        known = xp.logical_and(x >= 0, x < self.input_dim)
        index = xp.where(known, x, 0).astype(xp.int32)
        return xp.where(known[..., None], xp.take(parameters["embeddings"], index, axis=0), xp.nan)

    def output_mask(self, xp: Any, x: Any, mask: Any) -> Any:  # noqa: ARG002
        """Return where the numbers are not 0 with `mask_zero`, else the mask before."""
        if not self.mask_zero or x.ndim != 2:
            return mask
        return x != 0 if mask is None else (x != 0) & mask
