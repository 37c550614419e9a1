"""Members: networks in training, and what training leaves of them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import numpy as np

from shoal.errors import NetworkError
from shoal.networks import Dense, DenseWithConstants, Dropout, Flatten, Layer, Network
from shoal.networks.bottleneck import is_whole
from shoal.networks.initializers import Shape
from shoal.networks.parsing import parse_layers
from shoal.results import Status, Task
from shoal.streams import Stream
from shoal.training.hyperparameters import Hyperparameters
from shoal.training.losses import Loss

# the first step of a stream's path says what its numbers are for
INITIAL, ORDER, DROPOUT = 0, 1, 2
BOOTSTRAP, REPLICA = 5, 6


@dataclass(frozen=True)
class Member:
    """One network to train: a candidate with an identity that names its random numbers, and the rows that it sees.

    Attributes:
        id: names its random numbers; unique in a run.
        hyperparameters: the candidate's choices.
        candidate: the number of its candidate; by default its own `id`, for a candidate with one member.
        fold: the fold of the problem's rows that it is validated on and does not learn from; None where the
            problem has separate validation rows.
        repeat: which repeat it is of its candidate and fold: the column of `Problem.folds` that its fold is counted in,
            unless they are rolling.
        bootstrap: each row counts a Poisson number of times with mean one, its own draw.
        replica: the targets are redrawn once within `Problem.y_err`.
        draw: which draw of the targets a replica sees, the same for all members of its number; by default its own `id`.
        origin: the member whose initial weights, dropout and bootstrap it has; by default its own `id`.
    """

    id: int
    hyperparameters: Hyperparameters
    candidate: int = -1
    fold: int | None = None
    repeat: int = 0
    bootstrap: bool = False
    replica: bool = False
    draw: int = -1
    origin: int = -1

    def __post_init__(self) -> None:
        for name in ("candidate", "draw", "origin"):
            if getattr(self, name) < 0:
                object.__setattr__(self, name, self.id)


@dataclass(frozen=True)
class Problem:
    """The prepared rows that every member trains on, and the words of the task.

    Attributes:
        x: features of the training rows, `(rows, features)` float32; series `(rows, time, channels)` float32; or images
            `(rows, height, width, channels)` in the number type in which they were stored, perhaps as
            rows taken from the array of all.
        y: targets of the training rows, `(rows, outputs)` float32: one-hot classes, a single 0/1 column for two
            classes, or normalised values. Where each step of a series has a target, `(rows, time, outputs)`.
            With `known_errors` the standard errors of the targets stand behind them, `(rows, 2 targets)`.
        weights: `(rows, 1 or targets)` float32 with mean one; `(rows, time, 1)` with zeros at steps without a target.
        validation_x, validation_y, validation_weights: the same for the validation rows.
        validation_half: 0 or 1 for each validation row: members are stopped on one half and judged on the other.
        loss: what is made small.
        seed: names the random numbers of the run.
        penalties: callables `(xp, parameters) -> number` added to the cost.
        folds: the fold of each row in each repeat of a cross-validation, `(rows, repeats)`; the validation rows
            are then the training rows, and a member is trained on the rows outside its fold. None: no folds.
        validation_folds: of rolling folds, in which a member is not validated on all rows that it does not learn from:
            `(rows, folds)`, a column for each fold, which holds its number at the rows that validate it. `folds` has as
            many columns then, each with the number of the fold at rows that it does not learn from. None: `folds`.
        y_err, validation_y_err: standard error of each target, shaped as `y`, float32 in units of `y`, for replicas,
            or None: their targets are then not redrawn.
        y_noise, validation_y_noise: what redrawn first targets differ by where the errors of rows are correlated,
            `(rows, draws)` float32 in units of `y`, in place of `y_err`; or None.
        stem: layers with which every network begins, such as the scaling of images.
        reconstruct: the targets are what comes out of the stem, in one line; `y` is then `(rows, 0)`.
        known_errors: `y` and `validation_y` also hold the standard errors of the targets, for the loss.
    """

    x: Any
    y: np.ndarray
    weights: np.ndarray
    validation_x: Any
    validation_y: np.ndarray
    validation_weights: np.ndarray
    validation_half: np.ndarray
    task: Task
    loss: Loss
    seed: int = 0
    penalties: tuple[Callable[..., Any], ...] = ()
    folds: np.ndarray | None = None
    validation_folds: np.ndarray | None = None
    y_err: np.ndarray | None = None
    validation_y_err: np.ndarray | None = None
    y_noise: np.ndarray | None = None
    validation_y_noise: np.ndarray | None = None
    stem: tuple[Layer, ...] = ()
    reconstruct: bool = False
    known_errors: bool = False

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one row, `(features,)` for tables."""
        return tuple(self.x.shape[1:])

    @property
    def inputs(self) -> int:
        """Number of features."""
        return int(self.x.shape[1])

    @property
    def outputs(self) -> int:
        """Number of outputs of a network, or of each step."""
        return math.prod(self.input_shape) if self.reconstruct else self.loss.head.outputs(self.targets)

    @property
    def targets(self) -> int:
        """Number of columns that are predicted."""
        return int(self.y.shape[-1]) // (2 if self.known_errors else 1)

    @property
    def constants(self) -> int:
        """Number of outputs that are the same for every row."""
        return self.loss.head.constants(self.targets)

    @property
    def per_step(self) -> bool:
        """Whether each step of a series has a target of its own."""
        return self.y.ndim == 3

    @property
    def rolling(self) -> bool:
        """Whether a member's fold is a column of the folds, rather than a number in the column of its repeat."""
        return self.validation_folds is not None

    @property
    def validation_from(self) -> int:
        """Number of the first validation row among all whose targets are redrawn; with folds they are the same rows."""
        return len(self.x) if self.folds is None else 0

    def steps(self, batch_size: int) -> int:
        """Return how many mini-batches of this size make an epoch; the last may be short."""
        return -(-len(self.x) // batch_size)

    @property
    def output_activation(self) -> str:
        """The activation of the last layer that suits the task."""
        if self.task is not Task.CLASSIFICATION:
            return self.loss.head.activation
        return "sigmoid" if self.outputs == 1 or self.loss.fused == "sigmoid" else "softmax"


@dataclass
class TrainedMember:
    """What training leaves of a member: its best parameters, its curves and how it ended.

    `train_loss`, `validation_loss` (both halves together), `half_losses` `(epochs, 2)` and
    `validation_metric` hold one value per epoch that it trained.
    """

    member: Member
    network: Network
    parameters: list[dict[str, np.ndarray]]
    status: Status
    best_epoch: int
    train_loss: np.ndarray
    validation_loss: np.ndarray
    half_losses: np.ndarray
    validation_metric: np.ndarray
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def score(self) -> float:
        """The cross-fitted validation loss, lower is better.

        The best epoch by one half of the validation rows is judged on the other half and the other way
        round, so that the choice of an epoch does not flatter the score.
        """
        return float(0.5 * sum(self.parts))

    @property
    def parts(self) -> tuple[float, float]:
        """The two losses whose mean is the score: each half of the validation rows at the other half's best epoch."""
        a, b = self.half_losses[:, 0], self.half_losses[:, 1]
        if self.status is Status.DIVERGED or not (np.isfinite(a).any() and np.isfinite(b).any()):
            return float("inf"), float("inf")
        return float(b[np.nanargmin(a)]), float(a[np.nanargmin(b)])


@lru_cache(maxsize=8192)
def build_network(
    hyperparameters: Hyperparameters,
    input_shape: Shape,
    outputs: int,
    output_activation: str,
    stem: tuple[Layer, ...] = (),
    per_step: bool = False,
    constants: int = 0,
) -> Network:
    """Return the network of a candidate: its trunk, hidden layers and output, with dropout behind each but the last.

    Without hidden layers, a trunk that is an autoencoder to its end is the whole network.

    Args:
        hyperparameters: of the candidate.
        input_shape: shape of one row.
        outputs: number of outputs.
        output_activation: of the last layer.
        stem: layers with which the network begins.
        per_step: whether it answers at each step of a series, by the same dense layers.
        constants: how many of the outputs, the last, are the same for every row.

    Example:
        >>> build_network(Hyperparameters(hidden=(8,)), (4,), 3, "softmax").parameter_count
        67
    """
    h = hyperparameters
    trunk = build_trunk(h.layers, input_shape, stem, per_step)
    layers: list[Layer] = list(activated_trunk(trunk, h.activation[0]))
    layers = [_started(layer, h.kernel_initializer) for layer in layers]
    if not per_step and not h.hidden and is_whole(trunk, input_shape, outputs):
        return Network(layers, input_shape)
    drop = [Dropout(h.dropout)] if h.dropout > 0.0 else []
    if h.layers:
        layers += drop
    for units, activation in zip(h.hidden, h.layer_activations(), strict=True):
        layers += [Dense(units, activation=activation, kernel_initializer=h.kernel_initializer), *drop]
    layers.append(output_layer(outputs, output_activation, constants, h.kernel_initializer))
    return Network(layers, input_shape)


def output_layer(outputs: int, activation: str, constants: int = 0, initializer: str = "glorot_uniform") -> Layer:
    """Return the last layer of a network, some of whose outputs may be the same for every row."""
    if constants:
        return DenseWithConstants(outputs - constants, constants, kernel_initializer=initializer)
    return Dense(outputs, activation=activation, kernel_initializer=initializer)


@lru_cache(maxsize=256)
def build_trunk(
    text: str, input_shape: Shape, stem: tuple[Layer, ...] = (), per_step: bool = False
) -> tuple[Layer, ...]:
    """Return the layers before the hidden ones: the stem, those of the text, and what flattens their output.

    Nothing is flattened with `per_step`, where they hand on every step of a series.

    Raises:
        NetworkError: a layer that is not known or does not fit the one before it, or that loses steps.

    Example:
        >>> build_trunk("", (8, 8)), build_trunk("", (4,))
        ((Flatten(name=None),), ())
    """
    layers = (*stem, *parse_layers(text))
    if per_step:
        _check_keeps_steps(layers, input_shape)
        return layers
    if not layers:
        return (Flatten(),) if len(input_shape) > 1 else ()
    return layers if len(Network(layers, input_shape).output_shape) == 1 else (*layers, Flatten())


def _check_keeps_steps(layers: tuple[Layer, ...], input_shape: Shape) -> None:
    network = Network(layers, input_shape) if layers else None
    steps = input_shape[0]
    if network is None or (len(network.output_shape) == 2 and network.output_shape[0] == steps):
        return
    places = (i for i, shape in enumerate(network.shapes) if len(shape) != 2 or shape[0] != steps)
    at = next(places)
    shape = network.shapes[at]
    found = "one output per series" if len(shape) < 2 else f"{shape[0]} steps for {steps}"
    raise NetworkError(
        f"each step of a series needs an output, but layer {network.names[at]!r} returns {found}, shape {shape}; "
        "write lstm:32:true for a recurrent layer, conv1d:32:3:1:same for a convolution, and leave out flatten and "
        "pooling"
    )


def activated_trunk(layers: tuple[Layer, ...], activation: str, table: tuple[str, ...] = ()) -> tuple[Layer, ...]:
    """Return layers of which those that name no activation have the candidate's, or choose from a table."""

    def one(layer: Any) -> Layer:
        chooses = hasattr(layer, "table") and layer.activation is None
        return replace(layer, activation=activation, table=table) if chooses else layer

    return tuple(one(layer) for layer in layers)


def _started(layer: Any, initializer: str) -> Layer:
    """Return a layer whose weights start as the candidate says, where the layer itself says nothing."""
    own = getattr(layer, "kernel_initializer", None)
    return replace(layer, kernel_initializer=initializer) if own == "glorot_uniform" else layer


def initial_parameters(network: Network, seed: int, member: int) -> list[dict[str, np.ndarray]]:
    """Return the initial parameters of a member, the same wherever it is trained."""
    return network.initialize(Stream(seed, INITIAL, member))
