"""Global pooling: one number for each channel, whatever the size of a series or image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from shoal.networks.initializers import Shape
from shoal.networks.layers.base import Context, Layer, Parameters
from shoal.networks.layers.spatial import Spatial, check_axes


@dataclass(frozen=True)
class _GlobalPooling(Spatial, Layer):
    over_axes: ClassVar[str]
    details = """
        Inputs are `{axes}`, outputs `(channels,)`, or `({ones}, channels)` with keepdims.

        Args:
            keepdims: whether the axes of space stay, with length 1; default False.

        Raises:
            NetworkError: from `output_shape`, for inputs of another number of axes.
    """

    keepdims: bool = False

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return the channels, behind axes of 1 with keepdims.

        Raises:
            NetworkError: the input has the wrong number of axes.
        """
        check_axes(self.label, self.rank, input_shape)
        return ((1,) * self.rank if self.keepdims else ()) + input_shape[-1:]

    def apply(self, xp: Any, parameters: Parameters, x: Any, context: Context) -> Any:  # noqa: ARG002
        """Return one number for each channel."""
        return getattr(xp, self.over_axes)(x, axis=tuple(range(1, self.rank + 1)), keepdims=self.keepdims)

    def output_mask(self, xp: Any, x: Any, mask: Any) -> Any:  # noqa: ARG002
        """Return None: there are no steps left."""
        return None


class _GlobalMaxPooling(_GlobalPooling):
    over_axes = "max"


class _GlobalAveragePooling(_GlobalPooling):
    over_axes = "mean"


@dataclass(frozen=True)
class GlobalMaxPooling1D(_GlobalMaxPooling, rank=1):
    """Keep the largest number of each channel of a series.

    `y[c] = max_{t} x[t, c]`

    Example:
        >>> GlobalMaxPooling1D().output_shape((10, 3))
        (3,)
    """


@dataclass(frozen=True)
class GlobalMaxPooling2D(_GlobalMaxPooling, rank=2):
    """Keep the largest number of each channel of an image.

    `y[c] = max_{i, j} x[i, j, c]`

    Example:
        >>> GlobalMaxPooling2D().output_shape((26, 26, 32))
        (32,)
    """


@dataclass(frozen=True)
class GlobalMaxPooling3D(_GlobalMaxPooling, rank=3):
    """Keep the largest number of each channel of a volume.

    `y[c] = max_{i, j, m} x[i, j, m, c]`

    Example:
        >>> GlobalMaxPooling3D().output_shape((8, 8, 8, 4))
        (4,)
    """


@dataclass(frozen=True)
class GlobalAveragePooling1D(_GlobalAveragePooling, rank=1):
    """Keep the mean number of each channel of a series.

    `y[c] = mean_{t} x[t, c]` (Lin et al., 2014)

    Steps that a mask leaves out do not count; of a series without a real step the mean is 0.

    Example:
        >>> GlobalAveragePooling1D().output_shape((10, 3))
        (3,)
    """

    def apply(self, xp: Any, parameters: Parameters, x: Any, context: Context) -> Any:
        """Return the mean of each channel over the real steps."""
        if context.mask is None:
            return super().apply(xp, parameters, x, context)
        real = xp.asarray(context.mask, dtype=bool)[..., None]
        sums = xp.sum(xp.where(real, x, 0), axis=1, keepdims=self.keepdims)
        steps = xp.sum(xp.asarray(real, dtype=x.dtype), axis=1, keepdims=self.keepdims)
        return sums / xp.maximum(steps, 1)


@dataclass(frozen=True)
class GlobalAveragePooling2D(_GlobalAveragePooling, rank=2):
    """Keep the mean number of each channel of an image.

    `y[c] = mean_{i, j} x[i, j, c]` (Lin et al., 2014)

    Example:
        >>> GlobalAveragePooling2D().output_shape((26, 26, 32))
        (32,)
    """


@dataclass(frozen=True)
class GlobalAveragePooling3D(_GlobalAveragePooling, rank=3):
    """Keep the mean number of each channel of a volume.

    `y[c] = mean_{i, j, m} x[i, j, m, c]` (Lin et al., 2014)

    Example:
        >>> GlobalAveragePooling3D().output_shape((8, 8, 8, 4))
        (4,)
    """
