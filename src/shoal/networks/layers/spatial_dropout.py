"""Spatial dropout: whole channels are left out at random while training."""

from __future__ import annotations

from dataclasses import dataclass

from shoal.networks.initializers import Shape
from shoal.networks.layers.dropout import Dropout
from shoal.networks.layers.spatial import Spatial, check_axes


class _SpatialDropout(Spatial, Dropout):
    details = """
        As `Dropout`, with one uniform number for each row and channel, `(rows, {ones}, channels)`, since neighbours in
        one channel say almost the same and would stand in for each other (Tompson et al., 2015).

        Inputs and outputs are `{axes}`.

        Args:
            rate: share of the channels that is left out, 0 ≤ rate < 1; a member's number `rate` takes its place.

        Raises:
            SettingError: a rate outside [0, 1).
    """

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return the input shape.

        Raises:
            NetworkError: the input has the wrong number of axes.
        """
        check_axes(self.label, self.rank, input_shape)
        return input_shape

    def _drawn(self, shape: Shape) -> Shape:
        return (shape[0], *(1,) * self.rank, shape[-1])


@dataclass(frozen=True)
class SpatialDropout1D(_SpatialDropout, rank=1):
    """While training, leave out whole channels of a series at random and scale up the rest; else do nothing.

    Example:
        >>> SpatialDropout1D(0.2).output_shape((5, 3))
        (5, 3)
    """


@dataclass(frozen=True)
class SpatialDropout2D(_SpatialDropout, rank=2):
    """While training, leave out whole channels of an image at random and scale up the rest; else do nothing.

    Example:
        >>> SpatialDropout2D(0.2).output_shape((8, 8, 3))
        (8, 8, 3)
    """


@dataclass(frozen=True)
class SpatialDropout3D(_SpatialDropout, rank=3):
    """While training, leave out whole channels of a volume at random and scale up the rest; else do nothing.

    Example:
        >>> SpatialDropout3D(0.2).output_shape((4, 4, 4, 3))
        (4, 4, 4, 3)
    """
