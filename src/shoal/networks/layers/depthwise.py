"""Depthwise and separable convolutions: each channel has kernels of its own, which saves most of the weights."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Any

from shoal.networks.activations import ActivationSpec
from shoal.networks.initializers import Initializer, Shape
from shoal.networks.layers.base import Parameters
from shoal.networks.layers.convolution import KernelLayer, Sizes


class _ChannelwiseLayer(KernelLayer):
    depth_multiplier: Any

    def _each_channel(self, xp: Any, kernel: Any, x: Any) -> Any:
        """Return what the kernels `(*kernel_size, channels, depth_multiplier)` give, `(rows, *places, their number)`.

        A sum over the elements of the kernel: there is no sum over channels that a matrix product could do.
        """
        elements = itertools.product(*map(range, self._kernel))
        windows = zip(xp.windows(self._padded(xp, x), *self._sizes), elements, strict=True)
        y = sum(part[..., None] * kernel[element] for part, element in windows)
        return xp.reshape(y, (*y.shape[:-2], math.prod(y.shape[-2:])))

    def _channelwise(self, input_shape: Shape) -> int:
        return math.prod((*self._places(input_shape), *self._kernel, input_shape[-1], self.depth_multiplier))


@dataclass(frozen=True)
class _Depthwise(_ChannelwiseLayer):
    details = """
        Inputs are `{axes}`, outputs `({places}, channels m)` with the places of a `Conv` layer (Sifre, 2014).

        Args:
            kernel_size: {extent} of a kernel{for_all}.
            strides: steps from place to place; default 1.
            padding: "valid" (default) or "same".
            depth_multiplier: kernels of each channel; default 1.
            dilation_rate: steps between the elements of the kernel; default 1.
            activation: a name, a tuple of names with one per output channel, a function `(xp, z)`, or None for linear.
            use_bias: whether a bias is added; default True.
            depthwise_initializer: start of the weights; default "glorot_uniform".
            bias_initializer: start of the biases; default "zeros".
            table: names that the number `activation` of a member indexes, one index per output channel, as in `Dense`.

        Raises:
            SettingError: a size below 1, strides and dilation both above 1, or an unknown name.
    """

    kernel_size: Sizes
    strides: Sizes = 1
    padding: str = "valid"
    depth_multiplier: int = 1
    dilation_rate: Sizes = 1
    activation: ActivationSpec = None
    use_bias: bool = True
    depthwise_initializer: str | Initializer = "glorot_uniform"
    bias_initializer: str | Initializer = "zeros"
    table: tuple[str, ...] = ()

    counts = ("depth_multiplier",)

    def initializer(self, name: str) -> str | Initializer:
        """Return `depthwise_initializer` for the kernel."""
        return self.depthwise_initializer if name == "kernel" else super().initializer(name)

    def _channels(self, inputs: int) -> int:
        return inputs * self.depth_multiplier

    def _kernels(self, inputs: int) -> dict[str, Shape]:
        """Return the shape of kernel (*kernel_size, channels, depth_multiplier)."""
        return {"kernel": (*self._kernel, inputs, self.depth_multiplier)}

    def _summed(self, xp: Any, parameters: Parameters, x: Any) -> Any:
        return self._each_channel(xp, parameters["kernel"], x)

    def multiplications(self, input_shape: Shape) -> int:
        """Return places × kernel numbers × output channels."""
        return self._channelwise(input_shape)


@dataclass(frozen=True)
class DepthwiseConv1D(_Depthwise, rank=1):
    """Convolve each channel of a series with kernels of its own; channels are not mixed.

    `y[t, c m + j] = f(sum_k x[strides t + dilation_rate k, c] kernel[k, c, j] + bias[c m + j])`, m the depth_multiplier

    Example:
        >>> DepthwiseConv1D(3, depth_multiplier=2).parameter_shapes((8, 4))
        {'kernel': (3, 4, 2), 'bias': (8,)}
    """


@dataclass(frozen=True)
class DepthwiseConv2D(_Depthwise, rank=2):
    """Convolve each channel of an image with kernels of its own; channels are not mixed.

    `y[i, j, c m + n] = f(sum_{k, l} x[i + k, j + l, c] kernel[k, l, c, n] + bias[c m + n])` with stride 1, m the
    depth_multiplier

    Example:
        >>> DepthwiseConv2D(3).output_shape((28, 28, 3))
        (26, 26, 3)
    """


@dataclass(frozen=True)
class _Separable(_ChannelwiseLayer):
    details = """
        `y = f((x depthwise_kernel) @ pointwise_kernel + bias)` (Chollet, 2017)

        Inputs are `{axes}`, outputs `({places}, filters)` with the places of a `Conv` layer.

        Args:
            filters: number of output channels.
            kernel_size: {extent} of a kernel{for_all}.
            strides: steps from place to place; default 1.
            padding: "valid" (default) or "same".
            dilation_rate: steps between the elements of the kernel; default 1.
            depth_multiplier: kernels of each channel; default 1.
            activation: a name, a tuple of names with one per filter, a function `(xp, z)`, or None for linear.
            use_bias: whether a bias is added; default True.
            depthwise_initializer: start of the kernels of each channel; default "glorot_uniform".
            pointwise_initializer: start of the weights that mix channels; default "glorot_uniform".
            bias_initializer: start of the biases; default "zeros".
            table: names that the number `activation` of a member indexes, one index per filter, as in `Dense`.

        Raises:
            SettingError: a size below 1, strides and dilation both above 1, or an unknown name.
    """

    filters: int
    kernel_size: Sizes
    strides: Sizes = 1
    padding: str = "valid"
    dilation_rate: Sizes = 1
    depth_multiplier: int = 1
    activation: ActivationSpec = None
    use_bias: bool = True
    depthwise_initializer: str | Initializer = "glorot_uniform"
    pointwise_initializer: str | Initializer = "glorot_uniform"
    bias_initializer: str | Initializer = "zeros"
    table: tuple[str, ...] = ()

    counts = ("filters", "depth_multiplier")

    @property
    def regularised(self) -> tuple[str, ...]:
        """L1 and L2 act on both kernels."""
        return ("depthwise_kernel", "pointwise_kernel")

    def _kernels(self, inputs: int) -> dict[str, Shape]:
        """Return the shapes of the kernels of each channel, and of the mixing."""
        return {
            "depthwise_kernel": (*self._kernel, inputs, self.depth_multiplier),
            "pointwise_kernel": (*(1,) * self.rank, inputs * self.depth_multiplier, self.filters),
        }

    def _summed(self, xp: Any, parameters: Parameters, x: Any) -> Any:
        """Return each channel convolved with its own kernels, then mixed."""
        each = self._each_channel(xp, parameters["depthwise_kernel"], x)
        ones = (1,) * self.rank
        return xp.correlate(each, parameters["pointwise_kernel"], ones, ones)

    def multiplications(self, input_shape: Shape) -> int:
        """Return those of the kernels of each channel and those of the mixing."""
        return self._channelwise(input_shape) + self.scratch(input_shape) * self.filters

    def scratch(self, input_shape: Shape) -> int:
        """Return the numbers before the mixing."""
        return math.prod((*self._places(input_shape), input_shape[-1], self.depth_multiplier))


@dataclass(frozen=True)
class SeparableConv1D(_Separable, rank=1):
    """Convolve each channel of a series by itself, then mix the channels at each step: `Conv1D` of fewer weights.

    Example:
        >>> SeparableConv1D(16, 5).parameter_shapes((100, 3))
        {'depthwise_kernel': (5, 3, 1), 'pointwise_kernel': (1, 3, 16), 'bias': (16,)}
    """


@dataclass(frozen=True)
class SeparableConv2D(_Separable, rank=2):
    """Convolve each channel of an image by itself, then mix the channels of each pixel: `Conv2D` of fewer weights.

    Example:
        >>> SeparableConv2D(32, 3).output_shape((28, 28, 3))
        (26, 26, 32)
    """
