"""Transposed convolutions: each input spreads a kernel over the output, which makes series and images larger."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from shoal.networks.initializers import Shape
from shoal.networks.layers.base import Parameters
from shoal.networks.layers.convolution import FilterLayer
from shoal.networks.layers.spatial import check_axes, pad


class _ConvTranspose(FilterLayer):
    details = """
        Inputs are `{axes}`; each axis of the output has `strides size` places with padding "same", else
        `max(span - strides, 0)` more with `span = dilation_rate (kernel_size - 1) + 1`; channels are `filters`.

        Args:
            filters: number of output channels.
            kernel_size: {extent} over which one input is spread{for_all}.
            strides: steps between what two inputs are spread over; default 1.
            padding: "valid" (default, all that is reached) or "same" (the rim cut off).
            dilation_rate: steps between the elements of the kernel; default 1.
            activation: a name, a tuple of names with one per filter, a function `(xp, z)`, or None for linear.
            use_bias: whether a bias is added; default True.
            kernel_initializer: start of the weights; default "glorot_uniform".
            bias_initializer: start of the biases; default "zeros".
            table: names that the number `activation` of a member indexes, one index per filter, as in `Dense`.

        Raises:
            SettingError: a size below 1, strides and dilation both above 1, or an unknown name.
    """

    @property
    def _spans(self) -> tuple[int, ...]:
        return tuple(d * (k - 1) + 1 for k, d in zip(self._kernel, self._dilation, strict=True))

    @property
    def _taps(self) -> tuple[int, ...]:
        """How many inputs reach one output, along each axis."""
        return tuple(math.ceil(k / s) for k, s in zip(self._kernel, self._strides, strict=True))

    def _lengths(self, space: Shape) -> Shape:
        """Return the length of the output along each axis."""
        extra = [
            0 if self.padding == "same" else max(n - s, 0) for n, s in zip(self._spans, self._strides, strict=True)
        ]
        return tuple(n * s + e for n, s, e in zip(space, self._strides, extra, strict=True))

    def _starts(self) -> tuple[int, ...]:
        """Return how many of the first outputs are cut off, along each axis; Keras cuts half of what is too much."""
        if self.padding == "valid":
            return (0,) * self.rank
        return tuple(max((n - s) // 2, 0) for n, s in zip(self._spans, self._strides, strict=True))

    def _places(self, input_shape: Shape) -> Shape:
        """Return size × strides of each axis, with padding "valid" and what the last kernel needs beyond."""
        check_axes(self.label, self.rank, input_shape)
        return self._lengths(input_shape[:-1])

    def _kernels(self, inputs: int) -> dict[str, Shape]:
        """Return the shape of kernel (*kernel_size, filters, channels)."""
        return {"kernel": (*self._kernel, self.filters, inputs)}

    def _summed(self, xp: Any, parameters: Parameters, x: Any) -> Any:
        """Return the sum of the spread kernels.

        Outputs `strides i + p` of one p see the elements `strides j + p` of the kernel only: one convolution computes
        those of all p side by side, and they are then written one after the other.
        """
        rank, strides = self.rank, self._strides
        widths = tuple((d * (m - 1),) * 2 for m, d in zip(self._taps, self._dilation, strict=True))
        kernel = self._side_by_side(xp, parameters["kernel"])
        z = xp.correlate(pad(xp, x, widths), kernel, (1,) * rank, self._dilation)
        rows, *places, _ = z.shape
        z = xp.reshape(z, (rows, *places, *strides, self.filters))
        z = xp.transpose(z, (0, *(axis for i in range(1, rank + 1) for axis in (i, rank + i)), 2 * rank + 1))
        z = xp.reshape(z, (rows, *(n * s for n, s in zip(places, strides, strict=True)), self.filters))
        kept = zip(self._starts(), self._lengths(x.shape[1:-1]), strict=True)
        return z[(slice(None), *(slice(start, start + n) for start, n in kept))]

    def _side_by_side(self, xp: Any, kernel: Any) -> Any:
        """Return the kernel as that of a convolution, `(*taps, channels, prod(strides) filters)`."""
        rank, taps, strides, channels = self.rank, self._taps, self._strides, kernel.shape[-1]
        lacking = [(0, m * s - k) for m, s, k in zip(taps, strides, self._kernel, strict=True)]
        kernel = xp.pad(kernel, (*lacking, (0, 0), (0, 0)))
        split = [n for pair in zip(taps, strides, strict=True) for n in pair]
        kernel = xp.reshape(kernel, (*split, self.filters, channels))
        of_taps, of_strides = range(0, 2 * rank, 2), range(1, 2 * rank, 2)
        kernel = xp.transpose(kernel, (*of_taps, 2 * rank + 1, *of_strides, 2 * rank))
        kernel = kernel[(slice(None, None, -1),) * rank]  # a tap later meets an input earlier
        return xp.reshape(kernel, (*taps, channels, math.prod(strides) * self.filters))

    def multiplications(self, input_shape: Shape) -> int:
        """Return inputs × kernel numbers × filters."""
        return math.prod((*input_shape, *self._kernel, self.filters))

    def scratch(self, input_shape: Shape) -> int:
        """Return the numbers of all patches and of the outputs before they are put in order."""
        axes = zip(input_shape[:-1], self._taps, self._dilation, strict=True)
        places = math.prod(n + d * (m - 1) for n, m, d in axes)
        return places * (math.prod(self._taps) * input_shape[-1] + math.prod(self._strides) * self.filters)

    def output_mask(self, xp: Any, x: Any, mask: Any) -> Any:  # noqa: ARG002
        """Return None: the steps are others."""
        return None


@dataclass(frozen=True)
class Conv1DTranspose(_ConvTranspose, rank=1):
    """Spread each step of a series over an output of `strides` times its length: the transpose of `Conv1D`.

    `y[strides t + dilation_rate k, o] = f(sum of x[t, c] kernel[k, o, c] over all t, k, c that meet + bias[o])`
    (Zeiler et al., 2010)

    Example:
        >>> Conv1DTranspose(4, 3, strides=2, padding="same").output_shape((10, 8))
        (20, 4)
        >>> Conv1DTranspose(4, 3).parameter_shapes((10, 8))
        {'kernel': (3, 4, 8), 'bias': (4,)}
    """


@dataclass(frozen=True)
class Conv2DTranspose(_ConvTranspose, rank=2):
    """Spread each pixel of an image over an output of `strides` times its size: the transpose of `Conv2D`.

    `y[s i + k, s j + l, o] = f(sum of x[i, j, c] kernel[k, l, o, c] over all that meet + bias[o])`, s the strides
    (Zeiler et al., 2010)

    Example:
        >>> Conv2DTranspose(1, 3, strides=2, padding="same").output_shape((14, 14, 8))
        (28, 28, 1)
    """


@dataclass(frozen=True)
class Conv3DTranspose(_ConvTranspose, rank=3):
    """Spread each voxel of a volume over an output of `strides` times its size: the transpose of `Conv3D`.

    `y[s i + k, s j + l, s m + n, o] = f(sum of x[i, j, m, c] kernel[k, l, n, o, c] over all that meet + bias[o])`

    Example:
        >>> Conv3DTranspose(1, 2, strides=2).output_shape((4, 4, 4, 8))
        (8, 8, 8, 1)
    """
