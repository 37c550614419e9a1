"""What every layer is: a frozen description with pure functions of one member's parameters and one batch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields, replace
from typing import Any, Self

import numpy as np

from shoal.codec import plain
from shoal.errors import NetworkError, listing, suggest
from shoal.networks.activations import ActivationSpec
from shoal.networks.initializers import Initializer, Shape
from shoal.networks.layers.settings import start_values
from shoal.streams import Stream, Streams

Parameters = Mapping[str, Any]
"""The arrays of one layer of one member by name, e.g. kernel and bias."""


@dataclass(frozen=True)
class Context:
    """What one call of one layer receives besides parameters and batch.

    Attributes:
        training: whether the layer is being trained (dropout acts) or predicts.
        numbers: this layer's own numbers for one member, e.g. activation or rate; may be empty.
        random: returns uniform numbers in [0, 1) of a shape; its second argument, by default 0, says for which of the
            layer's `sources`. None draws none.
        logits: leave out the layer's activation.
        mask: `(batch, time)`, true at the steps of a series that are real; None: all are.
        present: `(batch,)`, how much each row counts in statistics over the batch; None: all alike.
        record: takes the new value of one of the layer's `moving` parameters by name; None: nobody wants it.
    """

    training: bool = False
    numbers: Mapping[str, Any] = field(default_factory=dict)
    random: Callable[..., Any] | None = None
    logits: bool = False
    mask: Any = None
    present: Any = None
    record: Callable[[str, Any], None] | None = None


@dataclass(frozen=True)
class Layer:
    """One layer: its static sizes, never its weights.

    A new layer is one file beside this one: a frozen dataclass with the functions below, entered in `LAYERS` by
    `__init__.py`.

    Args:
        name: a name for messages and tables; by default the class name with a number, as in Keras.
        trainable: whether training changes the weights; without, no penalty counts them either, and batch normalisation
            works by its moving mean and variance. Default True.
    """

    name: str | None = field(default=None, kw_only=True)
    trainable: bool = field(default=True, kw_only=True)

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.__repr__ = Layer.__repr__  # type: ignore[method-assign]  # else each dataclass makes its own

    def __repr__(self) -> str:
        settings = {f.name: getattr(self, f.name) for f in fields(self) if getattr(self, f.name) != f.default}
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in settings.items())})"

    @property
    def regularised(self) -> tuple[str, ...]:
        """The parameters on which L1 and L2 act."""
        return ()

    @property
    def moving(self) -> tuple[str, ...]:
        """The parameters that follow the batches, as a moving average does; no gradient moves them."""
        return ()

    def trains(self, name: str) -> bool:  # noqa: ARG002
        """Return whether training changes a parameter."""
        return self.trainable

    @property
    def sources(self) -> int:
        """How many sources of random numbers the layer draws from: one, or one for each layer within it."""
        return 1

    @property
    def label(self) -> str:
        """The layer as messages call it, e.g. `layer 'dense_1' (Dense)`."""
        kind = type(self).__name__
        return f"layer {self.name!r} ({kind})" if self.name else f"layer {kind}"

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape of one output row for one input row.

        Raises:
            NetworkError: the input shape does not fit; both shapes and the layer are named.
        """
        return input_shape

    def parameter_shapes(self, input_shape: Shape) -> dict[str, Shape]:  # noqa: ARG002
        """Return the shape of each parameter, in a fixed order."""
        return {}

    def initializer(self, name: str) -> str | Initializer:
        """Return how a parameter starts: bias by `bias_initializer`, recurrent_kernel by `recurrent_initializer`."""
        for setting in (f"{name}_initializer", f"{name.removesuffix('_kernel')}_initializer"):
            if hasattr(self, setting):
                start: str | Initializer = getattr(self, setting)
                return start
        raise NotImplementedError(f"{type(self).__name__} has parameters and must say how they start")

    def initialize(self, input_shape: Shape, stream: Stream | Streams) -> dict[str, np.ndarray]:
        """Return float32 start values, drawn from the stream's children in the order of the parameters."""
        shapes = self.parameter_shapes(input_shape)
        return start_values(shapes, {name: self.initializer(name) for name in shapes}, stream)

    def apply(self, xp: Any, parameters: Parameters, x: Any, context: Context) -> Any:
        """Return the outputs of one member for a batch `x` of shape (batch, ...)."""
        raise NotImplementedError(f"{type(self).__name__} must say what it computes")

    def _uniform(self, context: Context, shape: Shape) -> Any:
        """Return uniform numbers in [0, 1) of a shape.

        Raises:
            NetworkError: the call brings none.
        """
        if context.random is None:
            raise NetworkError(
                f"{self.label} needs random numbers while training. Give Network.apply the argument random, "
                f"a function of layer index and shape"
            )
        return context.random(shape)

    def output_mask(self, xp: Any, x: Any, mask: Any) -> Any:  # noqa: ARG002
        """Return the mask behind the layer, for its input and the mask before it; None: all steps are real."""
        return mask

    def multiplications(self, input_shape: Shape) -> int:  # noqa: ARG002
        """Return the multiplications with parameters that one row takes, forwards: what training mostly costs."""
        return 0

    def scratch(self, input_shape: Shape) -> int:  # noqa: ARG002
        """Return how many numbers one row needs beside the output, such as the patches of a convolution."""
        return 0

    @property
    def final_activation(self) -> ActivationSpec:
        """The activation that `Context(logits=True)` leaves out; None where there is none."""
        return None

    def to_dict(self) -> dict[str, Any]:
        """Return the layer as plain data for JSON.

        Raises:
            NetworkError: the layer holds a Python function, which no file can keep.
        """
        data: dict[str, Any] = {"class": type(self).__name__}
        for f in fields(self):
            value = getattr(self, f.name)
            if callable(value):
                raise NetworkError(
                    f"{self.label}: {f.name} is the Python function {getattr(value, '__name__', value)!r}, "
                    f"which cannot be kept in a file. Use one of the named choices instead"
                )
            data[f.name] = plain(value)
        if self.trainable:  # so it is where nothing is said
            del data["trainable"]
        return data

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return the layer that `to_dict` described.

        Raises:
            NetworkError: the data has an entry that this layer does not know, or lacks one.
        """
        known = [f.name for f in fields(cls)]
        settings: dict[str, Any] = {key: _from_plain(value) for key, value in data.items() if key != "class"}
        for key in settings:
            if key not in known:
                raise NetworkError(
                    f"{cls.__name__} has no setting {key!r}.{suggest(key, known)} It has: {listing(known)}"
                )
        for f in fields(cls):
            if f.name not in settings and f.default is MISSING and f.default_factory is MISSING:
                raise NetworkError(f"{cls.__name__}: {f.name!r} is missing")
        return cls(**settings)


def _from_plain(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_from_plain(item) for item in value)
    return layer_from_dict(value) if isinstance(value, dict) else value


def context_of(layer: Layer, context: Context) -> Context:
    """Return the context of a layer: as in Keras, a frozen one keeps its moving mean and variance, and uses them."""
    return replace(context, training=False) if layer.moving and not layer.trainable else context


LAYERS: dict[str, type[Layer]] = {}
"""Every layer by its class name; the contract tests and saved networks go through it."""


def layer_from_dict(data: Mapping[str, Any]) -> Layer:
    """Return the layer that `Layer.to_dict` described.

    Raises:
        NetworkError: no layer has this class, or it does not know a setting.
    """
    kind = data.get("class")
    if kind not in LAYERS:
        raise NetworkError(
            f"no layer is called {kind!r}.{suggest(str(kind), LAYERS)} Known layers: {listing(LAYERS, 40)}. "
            f"A newer shoal may know it"
        )
    return LAYERS[kind].from_dict(data)
