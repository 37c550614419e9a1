"""What layers over series, images and volumes share: axes of space, padding, and the places of a window."""

from __future__ import annotations

import inspect
import math
from collections.abc import Sequence
from functools import reduce
from typing import Any, ClassVar

from shoal.errors import NetworkError, SettingError, listing, suggest
from shoal.networks.initializers import Shape
from shoal.networks.layers.base import Layer

Widths = tuple[tuple[int, int], ...]
"""How many places are added before and behind, for each axis of space."""

AXES = {1: "(time, channels)", 2: "(height, width, channels)", 3: "(depth, height, width, channels)"}
"""The axes of a row with one, two and three axes of space, channels last."""

_WORDS = {
    1: {"extent": "steps", "for_all": "", "rim": "one number for both ends, or a pair (before, behind)"},
    2: {"extent": "height and width", "for_all": "; one number for both"},
    3: {"extent": "depth, height and width", "for_all": "; one number for all"},
}
_SIDES = {"rim": "one number for all sides, or for each axis one number or a pair (before, behind)"}


class Spatial:
    """What layers of one, two and three axes of space share; `class Conv2D(_Conv, rank=2)` has two.

    Before the example in the docstring of such a class come the `details` of its family, with the words of its rank.
    """

    rank: ClassVar[int]
    details: ClassVar[str] = ""

    def __init_subclass__(cls, rank: int | None = None) -> None:
        super().__init_subclass__()
        if rank is None:
            return
        cls.rank = rank
        repeated = {name: ", ".join([word] * rank) for name, word in (("places", "places"), ("ones", "1"))}
        details = inspect.cleandoc(cls.details).format(axes=AXES[rank], **repeated, **_SIDES | _WORDS[rank])
        before, heading, example = inspect.cleandoc(cls.__doc__ or "").partition("Example:\n")
        cls.__doc__ = before + (details and f"{details}\n\n") + heading + example


def checked_choice(label: str, name: str, value: Any, choices: Sequence[str]) -> str:
    """Return a choice in lower case.

    Raises:
        SettingError: it is none of the choices.

    Example:
        >>> checked_choice("layer Conv1D", "padding", "SAME", ("valid", "same"))
        'same'
    """
    text = value.lower() if isinstance(value, str) else value
    if text not in choices:
        raise SettingError(
            f"{label}: {name} must be one of {listing(choices)}, got {value!r}.{suggest(value, choices)}"
        )
    return str(text)


def check_axes(label: str, rank: int, shape: Shape) -> None:
    """Check that rows have `rank` axes of space and one of channels.

    Raises:
        NetworkError: they have more or fewer axes.
    """
    if len(shape) == rank + 1:
        return
    mend = "Change the input_shape, or put a Reshape layer before it"
    if len(shape) == rank:
        mend = f"Give the data an axis of one channel: x[..., None], input shape {(*shape, 1)}"
    raise NetworkError(f"{label} needs inputs of shape {AXES[rank]}, got {shape}. {mend}")


def window_widths(
    padding: str, space: Sequence[int], size: Sequence[int], strides: Sequence[int], dilation: Sequence[int]
) -> Widths:
    """Return the padding of each axis: none (valid), so that stride 1 keeps the length (same), or all before (causal).

    Example:
        >>> window_widths("same", (5, 6), (3, 3), (1, 2), (1, 1))
        ((1, 1), (0, 1))
    """
    widths = []
    for n, k, s, d in zip(space, size, strides, dilation, strict=True):
        span = d * (k - 1)
        total = max((math.ceil(n / s) - 1) * s + span + 1 - n, 0)
        widths.append({"valid": (0, 0), "causal": (span, 0), "same": (total // 2, total - total // 2)}[padding])
    return tuple(widths)


def window_places(
    label: str, what: str, space: Sequence[int], widths: Widths, sizes: Sequence[Sequence[int]]
) -> tuple[int, ...]:
    """Return at how many places of each axis a window stands.

    Args:
        label: the layer, for messages.
        what: the window, for messages, e.g. "kernel".
        space: lengths of the axes.
        widths: padding of each axis.
        sizes: size, strides and dilation of the window.

    Raises:
        NetworkError: the window is larger than the padded input.
    """
    size, strides, dilation = sizes
    spans = [d * (k - 1) + 1 for k, d in zip(size, dilation, strict=True)]
    padded = [n + sum(w) for n, w in zip(space, widths, strict=True)]
    if any(span > n for span, n in zip(spans, padded, strict=True)):
        raise NetworkError(
            f"{label} has a {what} of size {tuple(spans)}, larger than its input of size {tuple(padded)}. Give it a "
            f"smaller {what}, padding='same', or larger inputs (fewer or smaller poolings before it)"
        )
    return tuple((n - span) // s + 1 for n, span, s in zip(padded, spans, strides, strict=True))


def pad(xp: Any, x: Any, widths: Widths, value: Any = 0) -> Any:
    """Return rows with their axes of space padded.

    Example:
        >>> import numpy as np
        >>> pad(np, np.ones((1, 2, 1)), ((1, 0),))[0, :, 0].tolist()
        [0.0, 1.0, 1.0]
    """
    if not any(map(any, widths)):
        return x
    rest = x.ndim - 1 - len(widths)
    return xp.pad(x, ((0, 0), *widths, *((0, 0),) * rest), constant_values=value)


def crossed(sizes: Sequence[int]) -> str:
    """Return sizes as tables show them.

    Example:
        >>> crossed((3, 3))
        '3×3'
    """
    return "×".join(map(str, sizes))


class WindowLayer(Spatial, Layer):
    """What layers share whose window, a kernel or a pool, slides over the axes of space."""

    window: ClassVar[str] = "window"
    """What messages call the window."""
    padding: Any

    @property
    def _sizes(self) -> tuple[tuple[int, ...], ...]:
        """Size, strides and dilation of the window."""
        raise NotImplementedError(f"{type(self).__name__} must say how large its window is")

    @property
    def note(self) -> str:
        """The size of the window, for tables and drawings."""
        return crossed(self._sizes[0])

    def _widths(self, space: Shape) -> Widths:
        return window_widths(self.padding, space, *self._sizes)

    def _places(self, input_shape: Shape) -> Shape:
        check_axes(self.label, self.rank, input_shape)
        space = input_shape[:-1]
        return window_places(self.label, self.window, space, self._widths(space), self._sizes)

    def _padded(self, xp: Any, x: Any, value: float = 0) -> Any:
        return pad(xp, x, self._widths(x.shape[1:-1]), value)

    def output_mask(self, xp: Any, x: Any, mask: Any) -> Any:  # noqa: ARG002
        """Return for a series which windows see at least one real step."""
        if mask is None or self.rank > 1:
            return None
        steps = self._padded(xp, mask[..., None], value=False)
        return reduce(xp.logical_or, xp.windows(steps, *self._sizes))[..., 0]
