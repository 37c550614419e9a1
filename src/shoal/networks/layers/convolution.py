"""Convolutions: one small kernel slides over a series, an image or a volume."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any, ClassVar

from shoal.errors import SettingError
from shoal.networks.activations import ActivationSpec
from shoal.networks.initializers import Initializer, Shape
from shoal.networks.layers.activation import activated, activated_shape, checked_activation, checked_table
from shoal.networks.layers.base import Context, Parameters
from shoal.networks.layers.settings import check_initializers, checked_integer, checked_integers
from shoal.networks.layers.spatial import WindowLayer, checked_choice

Sizes = int | tuple[int, ...]
"""One whole number for each axis of space, or a single one for all."""


class KernelLayer(WindowLayer):
    """What all layers share that slide a kernel over the axes of space and apply an activation.

    A subclass has the settings named here, and says which of them count channels.
    """

    window = "kernel"
    paddings: ClassVar[tuple[str, ...]] = ("valid", "same")
    counts: ClassVar[tuple[str, ...]] = ("filters",)

    filters: Any
    kernel_size: Any
    strides: Any
    dilation_rate: Any
    activation: Any
    use_bias: Any
    table: Any

    def __post_init__(self) -> None:
        for name in self.counts:
            object.__setattr__(self, name, checked_integer(self.label, name, getattr(self, name)))
        for name in ("kernel_size", "strides", "dilation_rate"):
            object.__setattr__(self, name, checked_integers(self.label, name, getattr(self, name), self.rank))
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise SettingError(
                f"{self.label}: strides {self.strides} and dilation_rate {self.dilation_rate} cannot both be above 1. "
                f"Set one of them to 1"
            )
        object.__setattr__(self, "padding", checked_choice(self.label, "padding", self.padding, self.paddings))
        object.__setattr__(self, "activation", checked_activation(self.label, self.activation))
        object.__setattr__(self, "table", checked_table(self.table))
        check_initializers(*(getattr(self, f.name) for f in fields(self) if f.name.endswith("_initializer")))

    @property
    def _kernel(self) -> tuple[int, ...]:
        return self.kernel_size

    @property
    def _strides(self) -> tuple[int, ...]:
        return self.strides

    @property
    def _dilation(self) -> tuple[int, ...]:
        return self.dilation_rate

    @property
    def _sizes(self) -> tuple[tuple[int, ...], ...]:
        return self._kernel, self._strides, self._dilation

    @property
    def regularised(self) -> tuple[str, ...]:
        """L1 and L2 act on the kernel."""
        return ("kernel",)

    @property
    def final_activation(self) -> ActivationSpec:
        """The layer's activation."""
        return self.activation

    def _channels(self, inputs: int) -> int:  # noqa: ARG002
        """Return the number of output channels, before an activation that halves them."""
        return self.filters

    def _kernels(self, inputs: int) -> dict[str, Shape]:
        """Return the shapes of the kernels for so many input channels."""
        raise NotImplementedError(f"{type(self).__name__} must say what kernels it has")

    def _summed(self, xp: Any, parameters: Parameters, x: Any) -> Any:
        """Return what the kernels make of x, before bias and activation."""
        raise NotImplementedError(f"{type(self).__name__} must say what it computes")

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return the places of the output along each axis, and its channels.

        Raises:
            NetworkError: the input has the wrong number of axes, or the kernel is larger than it.
        """
        shape = (*self._places(input_shape), self._channels(input_shape[-1]))
        return activated_shape(self.label, self.activation, shape)

    def parameter_shapes(self, input_shape: Shape) -> dict[str, Shape]:
        """Return the shapes of the kernels and of the bias, one for each output channel."""
        self.output_shape(input_shape)
        inputs = input_shape[-1]
        return self._kernels(inputs) | ({"bias": (self._channels(inputs),)} if self.use_bias else {})

    def apply(self, xp: Any, parameters: Parameters, x: Any, context: Context) -> Any:
        """Return `f(x * kernel + bias)`, with the member's own activations where it has them."""
        z = self._summed(xp, parameters, x)
        return activated(xp, self, z + parameters["bias"] if self.use_bias else z, context)

    def output_mask(self, xp: Any, x: Any, mask: Any) -> Any:
        """Return the mask if each step has its place in the output, else the places that see a real step."""
        if self.padding != "valid" and self.strides == (1,):
            return mask
        return super().output_mask(xp, x, mask)


@dataclass(frozen=True)
class FilterLayer(KernelLayer):
    """What convolutions and transposed ones share: their settings."""

    filters: int
    kernel_size: Sizes
    strides: Sizes = 1
    padding: str = "valid"
    dilation_rate: Sizes = 1
    activation: ActivationSpec = None
    use_bias: bool = True
    kernel_initializer: str | Initializer = "glorot_uniform"
    bias_initializer: str | Initializer = "zeros"
    table: tuple[str, ...] = ()


class _Conv(FilterLayer):
    details = """
        Inputs are `{axes}`, outputs `({places}, filters)`; places of each axis are
        `(size - span) // strides + 1` with `span = dilation_rate (kernel_size - 1) + 1`, and `ceil(size / strides)`
        with padding.

        Args:
            filters: number of filters, which is the number of output channels.
            kernel_size: {extent} of a filter{for_all}.
            strides: steps from place to place; default 1.
            padding: "valid" (default, none) or "same" (zeros around, so that stride 1 keeps the size); `Conv1D` also
                has "causal" (zeros before the start only, so that no output sees later steps).
            dilation_rate: steps between the elements of the kernel; default 1.
            activation: a name, a tuple of names with one per filter, a function `(xp, z)`, or None for linear.
            use_bias: whether a bias is added; default True.
            kernel_initializer: start of the weights; default "glorot_uniform".
            bias_initializer: start of the biases; default "zeros".
            table: names that the number `activation` of a member indexes, one index per filter, as in `Dense`.

        Raises:
            SettingError: a size below 1, strides and dilation both above 1, or an unknown name.
    """

    def _kernels(self, inputs: int) -> dict[str, Shape]:
        """Return the shape of kernel (*kernel_size, channels, filters)."""
        return {"kernel": (*self._kernel, inputs, self.filters)}

    def _summed(self, xp: Any, parameters: Parameters, x: Any) -> Any:
        return xp.correlate(self._padded(xp, x), parameters["kernel"], self._strides, self._dilation)

    def multiplications(self, input_shape: Shape) -> int:
        """Return places × kernel numbers × channels × filters."""
        return self.scratch(input_shape) * self.filters

    def scratch(self, input_shape: Shape) -> int:
        """Return the numbers of all patches: places × kernel numbers × channels."""
        return math.prod((*self._places(input_shape), *self._kernel, input_shape[-1]))


@dataclass(frozen=True)
class Conv1D(_Conv, rank=1):
    """Filters that slide over a series: at each step, each weighs the steps around it, in all channels.

    `y[t, o] = f(sum_{k, c} x[strides t + dilation_rate k, c] kernel[k, c, o] + bias[o])` (LeCun et al., 1989)

    Example:
        >>> Conv1D(16, 5, activation="relu").output_shape((100, 3))
        (96, 16)
        >>> Conv1D(16, 5).parameter_shapes((100, 3))
        {'kernel': (5, 3, 16), 'bias': (16,)}
    """

    paddings = ("valid", "same", "causal")


@dataclass(frozen=True)
class Conv2D(_Conv, rank=2):
    """Filters that slide over an image: at each place, each weighs the pixels under it, in all channels.

    `y[i, j, o] = f(sum_{k, l, c} x[i + k, j + l, c] kernel[k, l, c, o] + bias[o])` with stride 1 (LeCun et al., 1989)

    Example:
        >>> Conv2D(32, 3, activation="relu").output_shape((28, 28, 1))
        (26, 26, 32)
        >>> Conv2D(32, 3).parameter_shapes((28, 28, 1))
        {'kernel': (3, 3, 1, 32), 'bias': (32,)}
    """


@dataclass(frozen=True)
class Conv3D(_Conv, rank=3):
    """Filters that slide over a volume, or over the images of a film, as those of `Conv2D` over an image.

    `y[i, j, m, o] = f(sum_{k, l, n, c} x[i + k, j + l, m + n, c] kernel[k, l, n, c, o] + bias[o])` with stride 1

    Example:
        >>> Conv3D(4, 3).output_shape((8, 8, 8, 1))
        (6, 6, 6, 4)
    """
