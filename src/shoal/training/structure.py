"""The structure of a program: all that is static in it, so that members of equal structure share it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from shoal.networks import Dense, Dropout, Layer, Network
from shoal.networks.bottleneck import is_autoencoder
from shoal.training.augmentation import Augmentation
from shoal.training.building import activated_trunk, output_layer
from shoal.training.heads import ClassesHead
from shoal.training.losses import Loss

BUCKETS = (4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096)
LAYOUTS = ("first", "last")
ORDERS = 10  # of the rows, which come round again and again; a chunk of epochs is a multiple of it


@dataclass(frozen=True, eq=False)
class Structure:
    """What is static in a program; members with equal structure share it.

    Attributes:
        input_shape, hidden, outputs: padded sizes; images and series are not padded.
        trunk: layers before the hidden ones, without the activations that members choose; `text` is what the members
            call those that are their own.
        augmented: the augmentations that any member uses.
        output_activation, loss, batch_size, penalties: as the problem and the members have them.
        activations, optimizers: the tables from which members choose.
        fixed_activations: of each layer, where one of them mixes neurons.
        dropout, skips, folds, bootstrap, replicas: whether any member uses it.
        masks: whether padding neurons have outputs, so that the weights behind them must be held at zero.
        one_activation: whether all members of a block have the same activation, so that only this is computed.
        layout: `first` or `last`, where the member axis is.
        chunk: epochs that one call of the program trains.
        per_step: whether each step of a series has a target; the dense layers then work at every step.
        given: the network that all members are, in place of trunk and hidden layers; or None.
    """

    input_shape: tuple[int, ...]
    hidden: tuple[int, ...]
    outputs: int
    output_activation: str
    activations: tuple[str, ...]
    optimizers: tuple[str, ...]
    loss: Loss
    batch_size: int
    dropout: bool
    skips: bool = False
    layout: str = "first"
    folds: bool = False
    bootstrap: bool = False
    replicas: bool = False
    masks: bool = False
    one_activation: bool = False
    chunk: int = ORDERS
    fixed_activations: tuple[str, ...] = ()
    penalties: tuple[Any, ...] = ()
    trunk: tuple[Layer, ...] = ()
    text: str = ""
    augmented: tuple[str, ...] = ()
    stem: tuple[Layer, ...] = ()
    reconstruct: bool = False
    per_step: bool = False
    constants: int = 0
    given: Network | None = None

    @property
    def inputs(self) -> int:
        """How many numbers the first dense layer takes."""
        return Network(self.trunk, self.input_shape).output_shape[-1] if self.trunk else self.input_shape[-1]

    @cached_property
    def is_autoencoder(self) -> bool:
        """Whether the trunk is an autoencoder to its end, behind which no layer comes."""
        return not self.hidden and is_autoencoder(self.trunk, self.input_shape, self.outputs)

    @property
    def classifies(self) -> bool:
        """Whether outputs tell classes."""
        return self.output_activation in ("sigmoid", "softmax") or isinstance(self.loss.head, ClassesHead)

    @property
    def chooses_activation(self) -> bool:
        """Whether each member brings its own activations, as positions in the table."""
        return not self.fixed_activations and len(self.activations) > 1

    @property
    def table(self) -> tuple[str, ...]:
        """The activations from which layers choose; empty where they do not."""
        return self.activations if self.chooses_activation else ()

    @cached_property
    def network_trunk(self) -> tuple[Layer, ...]:
        """The layers before the hidden ones with their activations."""
        return self._augmented(activated_trunk(self.trunk, self.activations[0], self.table))

    def _augmented(self, layers: tuple[Layer, ...]) -> tuple[Layer, ...]:
        """Return layers with what augments the rows behind the stem."""
        behind = len(self.stem)
        return (*layers[:behind], Augmentation(), *layers[behind:]) if self.augmented else layers

    @cached_property
    def network(self) -> Network:
        """The padded network that the program trains."""
        if self.given is not None:
            return Network(self._augmented(self.given.layers), self.input_shape)
        if self.is_autoencoder:
            return Network(self.network_trunk, self.input_shape)
        drop = [Dropout(0.0)] if self.dropout else []
        layers: list[Layer] = [*self.network_trunk, *(drop if self.text else [])]
        fixed = self.fixed_activations or self.activations[:1] * len(self.hidden)
        for units, activation in zip(self.hidden, fixed, strict=True):
            layers += [Dense(units, activation=activation, table=self.table), *drop]
        layers.append(output_layer(self.outputs, self.output_activation, self.constants))
        return Network(layers, self.input_shape)


def bucket(width: int) -> int:
    """Return the smallest bucket that holds a width.

    Example:
        >>> bucket(5), bucket(64), bucket(5000)
        (8, 64, 8192)
    """
    for size in BUCKETS:
        if width <= size:
            return size
    return -(-width // BUCKETS[-1]) * BUCKETS[-1]


def bucket_rows(count: int) -> int:
    """Return a length that holds so many rows and that counts a little below it share: at most a quarter is added.

    Example:
        >>> bucket_rows(7), bucket_rows(96), bucket_rows(97), bucket_rows(1000)
        (7, 96, 112, 1024)
    """
    if count <= 8:
        return count
    step = 1 << (count.bit_length() - 3)
    return -(-count // step) * step
