"""What layers that normalise have in common: a scale and an offset for each channel."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from shoal.errors import NetworkError, SettingError
from shoal.networks.initializers import Initializer, Shape
from shoal.networks.layers.base import Layer, Parameters
from shoal.networks.layers.settings import check_flag, check_initializers


@dataclass(frozen=True)
class Scaled(Layer):
    """A layer that normalises and then scales and shifts each channel, the last axis.

    `y = gamma z + beta`, with z normalised

    Args:
        axis: the axis of the channels; always -1, the last.
        center: whether beta is added; default True.
        scale: whether gamma is multiplied; default True.
        beta_initializer: start of beta; default "zeros".
        gamma_initializer: start of gamma; default "ones".
    """

    axis: int = field(default=-1, kw_only=True)
    center: bool = field(default=True, kw_only=True)
    scale: bool = field(default=True, kw_only=True)
    beta_initializer: str | Initializer = field(default="zeros", kw_only=True)
    gamma_initializer: str | Initializer = field(default="ones", kw_only=True)

    def __post_init__(self) -> None:
        if self.axis != -1:
            raise SettingError(
                f"{self.label}: axis must be -1, for channels come last, got {self.axis!r}. Put a Permute layer before"
            )
        check_flag(self.label, "center", self.center)
        check_flag(self.label, "scale", self.scale)
        check_initializers(self.beta_initializer, self.gamma_initializer)

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return the input shape."""
        check_channels(self.label, input_shape)
        return input_shape

    def parameter_shapes(self, input_shape: Shape) -> dict[str, Shape]:
        """Return the shapes of gamma and beta, each (channels,)."""
        self.output_shape(input_shape)
        names = [name for name, used in (("gamma", self.scale), ("beta", self.center)) if used]
        return {name: (input_shape[-1],) for name in names}

    def _scaled(self, parameters: Parameters, z: Any) -> Any:
        """Return `gamma z + beta`, as far as the layer has them."""
        z = z * parameters["gamma"] if self.scale else z
        return z + parameters["beta"] if self.center else z


def check_channels(label: str, input_shape: Shape) -> None:
    """Check that rows have an axis of channels.

    Raises:
        NetworkError: they are single numbers.
    """
    if not input_shape:
        raise NetworkError(
            f"{label} needs inputs of shape (..., channels), got single numbers of shape (). "
            f"Give the data an axis of channels: x[:, None]"
        )


def checked_number(label: str, name: str, value: Any, below: float = float("inf")) -> float:
    """Return a number of at least 0 and below `below`.

    Raises:
        SettingError: it is none.
    """
    try:
        number = float("nan") if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        number = float("nan")
    if not 0.0 <= number < below:
        span = "at least 0" + ("" if below == float("inf") else f" and below {below:g}")
        raise SettingError(f"{label}: {name} must be a number, {span}, got {value!r}")
    return number
