"""Members: networks in training, and what training leaves of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np

from shoal.networks import Dense, Dropout, Network
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
        repeat: the column of `Problem.folds` that its fold is counted in.
        bootstrap: each row counts a Poisson number of times with mean one, its own draw.
        replica: the targets are redrawn once within `Problem.y_err`, its own draw.
    """

    id: int
    hyperparameters: Hyperparameters
    candidate: int = -1
    fold: int | None = None
    repeat: int = 0
    bootstrap: bool = False
    replica: bool = False

    def __post_init__(self) -> None:
        if self.candidate < 0:
            object.__setattr__(self, "candidate", self.id)


@dataclass(frozen=True)
class Problem:
    """The prepared rows that every member trains on, and the words of the task.

    Attributes:
        x: features of the training rows, `(rows, features)` float32.
        y: targets of the training rows, `(rows, outputs)` float32: one-hot classes, a single 0/1 column for two
            classes, or normalised values.
        weights: `(rows, 1 or outputs)` float32 with mean one.
        validation_x, validation_y, validation_weights: the same for the validation rows.
        validation_half: 0 or 1 for each validation row: members are stopped on one half and judged on the other.
        loss: what is made small.
        seed: names the random numbers of the run.
        penalties: callables `(xp, parameters) -> number` added to the cost.
        folds: the fold of each row in each repeat of a cross-validation, `(rows, repeats)`; the validation rows
            are then the training rows, and a member is trained on the rows outside its fold. None: no folds.
        y_err: standard error of each target, `(rows, outputs)` float32 in units of `y`, for replicas, or None.
    """

    x: np.ndarray
    y: np.ndarray
    weights: np.ndarray
    validation_x: np.ndarray
    validation_y: np.ndarray
    validation_weights: np.ndarray
    validation_half: np.ndarray
    task: Task
    loss: Loss
    seed: int = 0
    penalties: tuple[Callable[..., Any], ...] = ()
    folds: np.ndarray | None = None
    y_err: np.ndarray | None = None

    @property
    def inputs(self) -> int:
        """Number of features."""
        return int(self.x.shape[1])

    @property
    def outputs(self) -> int:
        """Number of outputs of a network."""
        return int(self.y.shape[1])

    def steps(self, batch_size: int) -> int:
        """Return how many mini-batches of this size make an epoch; the last may be short."""
        return -(-len(self.x) // batch_size)

    @property
    def output_activation(self) -> str:
        """The activation of the last layer that suits the task."""
        if self.task is Task.REGRESSION:
            return "linear"
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
        a, b = self.half_losses[:, 0], self.half_losses[:, 1]
        if self.status is Status.DIVERGED or not (np.isfinite(a).any() and np.isfinite(b).any()):
            return float("inf")
        return float(0.5 * (b[np.nanargmin(a)] + a[np.nanargmin(b)]))


@lru_cache(maxsize=8192)
def build_network(hyperparameters: Hyperparameters, inputs: int, outputs: int, output_activation: str) -> Network:
    """Return the dense network of a candidate, a dropout layer behind each hidden layer where it drops any.

    Example:
        >>> build_network(Hyperparameters(hidden=(8,)), 4, 3, "softmax").parameter_count
        67
    """
    layers: list[Any] = []
    initializer = hyperparameters.kernel_initializer
    for units, activation in zip(hyperparameters.hidden, hyperparameters.layer_activations(), strict=True):
        layers.append(Dense(units, activation=activation, kernel_initializer=initializer))
        if hyperparameters.dropout > 0.0:
            layers.append(Dropout(hyperparameters.dropout))
    layers.append(Dense(outputs, activation=output_activation, kernel_initializer=initializer))
    return Network(layers, input_shape=(inputs,))


def initial_parameters(network: Network, seed: int, member: int) -> list[dict[str, np.ndarray]]:
    """Return the initial parameters of a member, the same wherever it is trained."""
    return network.initialize(Stream(seed, INITIAL, member))
