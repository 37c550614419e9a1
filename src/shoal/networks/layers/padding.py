"""Zero padding and cropping: places added to the rim, or cut off from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from shoal.errors import NetworkError, SettingError
from shoal.networks.initializers import Shape
from shoal.networks.layers.base import Context, Layer, Parameters
from shoal.networks.layers.settings import checked_integer, checked_integers
from shoal.networks.layers.spatial import Spatial, Widths, check_axes, pad

Rim = int | tuple[int, ...] | tuple[tuple[int, int], ...]
"""One number for all sides, one for both sides of each axis, or a pair (before, behind) for each axis."""


def _checked_rim(label: str, name: str, rim: Any, rank: int) -> Widths:
    """Return how much before and behind, for each axis."""
    if not isinstance(rim, (tuple, list)):
        return ((checked_integer(label, name, rim, 0),) * 2,) * rank
    if rank == 1 and len(rim) == 2:
        rim = (rim,)
    if len(rim) != rank:
        raise SettingError(
            f"{label}: {name} must be one whole number, one for each of {rank} axes, or a pair for each, got {rim!r}"
        )
    before_behind = [checked_integers(label, name, side, 2, 0) for side in rim]
    return tuple((before, behind) for before, behind in before_behind)


class _RimLayer(Spatial, Layer):
    setting: ClassVar[str]
    """The one that says how wide the rim is."""

    def __post_init__(self) -> None:
        object.__setattr__(self, self.setting, _checked_rim(self.label, self.setting, self._rim, self.rank))

    @property
    def _rim(self) -> Widths:
        widths: Widths = getattr(self, self.setting)
        return widths

    @property
    def note(self) -> str:
        """The width of the rim, for tables and drawings."""
        if len({side for pair in self._rim for side in pair}) == 1:
            return str(self._rim[0][0])
        return "×".join(f"{before}+{behind}" for before, behind in self._rim)


@dataclass(frozen=True)
class _ZeroPadding(_RimLayer):
    setting = "padding"
    details = """
        Inputs are `{axes}`; each axis but the channels grows by both sides of the rim.

        Args:
            padding: width of the rim: {rim};
                default 1.

        Raises:
            SettingError: a width below 0, or widths for another number of axes.
    """

    padding: Rim = 1

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return each axis of space with its rim.

        Raises:
            NetworkError: the input has the wrong number of axes.
        """
        check_axes(self.label, self.rank, input_shape)
        return (*(n + sum(sides) for n, sides in zip(input_shape[:-1], self._rim, strict=True)), input_shape[-1])

    def apply(self, xp: Any, parameters: Parameters, x: Any, context: Context) -> Any:  # noqa: ARG002
        """Return x with zeros around it."""
        return pad(xp, x, self._rim)

    def output_mask(self, xp: Any, x: Any, mask: Any) -> Any:  # noqa: ARG002
        """Return the mask of a series, false where steps were added."""
        if mask is None or self.rank > 1:
            return None
        return pad(xp, mask[..., None], self._rim, value=False)[..., 0]


@dataclass(frozen=True)
class _Cropping(_RimLayer):
    setting = "cropping"
    details = """
        Inputs are `{axes}`; each axis but the channels shrinks by both sides of the rim.

        Args:
            cropping: width of the rim: {rim};
                default 1, that of `Cropping2D` 0, as in Keras.

        Raises:
            SettingError: a width below 0, or widths for another number of axes.
    """

    cropping: Rim = 1

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return each axis of space without its rim.

        Raises:
            NetworkError: the input has the wrong number of axes, or nothing would be left of one.
        """
        check_axes(self.label, self.rank, input_shape)
        left = tuple(n - sum(sides) for n, sides in zip(input_shape[:-1], self._rim, strict=True))
        if min(left) < 1:
            raise NetworkError(
                f"{self.label} cuts {self._rim} off an input of shape {input_shape}, which leaves {left}. Cut off less"
            )
        return (*left, input_shape[-1])

    def _kept(self, lengths: Shape) -> tuple[slice, ...]:
        pairs = zip(lengths, self._rim, strict=True)
        return (slice(None), *(slice(before, n - behind) for n, (before, behind) in pairs))

    def apply(self, xp: Any, parameters: Parameters, x: Any, context: Context) -> Any:  # noqa: ARG002
        """Return x without its rim."""
        return x[self._kept(x.shape[1:-1])]

    def output_mask(self, xp: Any, x: Any, mask: Any) -> Any:  # noqa: ARG002
        """Return the mask of a series cut as the series."""
        return None if mask is None or self.rank > 1 else mask[self._kept(x.shape[1:-1])]


@dataclass(frozen=True)
class ZeroPadding1D(_ZeroPadding, rank=1):
    """Put zeros around a series.

    Example:
        >>> ZeroPadding1D(1).output_shape((28, 3))
        (30, 3)
    """


@dataclass(frozen=True)
class ZeroPadding2D(_ZeroPadding, rank=2):
    """Put zeros around an image.

    Example:
        >>> ZeroPadding2D(1).output_shape((28, 28, 3))
        (30, 30, 3)
    """


@dataclass(frozen=True)
class ZeroPadding3D(_ZeroPadding, rank=3):
    """Put zeros around a volume.

    Example:
        >>> ZeroPadding3D(1).output_shape((28, 28, 28, 3))
        (30, 30, 30, 3)
    """


@dataclass(frozen=True)
class Cropping1D(_Cropping, rank=1):
    """Cut the rim off a series.

    Example:
        >>> Cropping1D(1).output_shape((28, 3))
        (26, 3)
    """


@dataclass(frozen=True)
class Cropping2D(_Cropping, rank=2):
    """Cut the rim off an image.

    Example:
        >>> Cropping2D(1).output_shape((28, 28, 3))
        (26, 26, 3)
    """

    cropping: Rim = 0


@dataclass(frozen=True)
class Cropping3D(_Cropping, rank=3):
    """Cut the rim off a volume.

    Example:
        >>> Cropping3D(1).output_shape((28, 28, 28, 3))
        (26, 26, 26, 3)
    """
