"""Members: networks in training, and what training leaves of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from shoal.networks import Network
from shoal.results import Status
from shoal.streams import Stream
from shoal.training.hyperparameters import Hyperparameters
from shoal.training.purposes import INITIAL

CURVES = ("train_loss", "validation_loss", "half_losses", "validation_metric")


@dataclass(frozen=True, slots=True)
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
        half: the half of its validation rows by which its best epoch is chosen, 0 or 1, so that the other half tells
            of new rows; -1: both.
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
    half: int = -1

    def __post_init__(self) -> None:
        for name in ("candidate", "draw", "origin"):
            if getattr(self, name) < 0:
                object.__setattr__(self, name, self.id)


@dataclass(slots=True)
class TrainedMember:
    """What training leaves of a member: its best parameters, its curves and how it ended.

    Attributes:
        member: who trained.
        network: what it was.
        parameters: of each layer, at the best epoch.
        status: how it ended.
        best_epoch: by validation loss, from 1; 0 if there is none.
        curves: `(5, epochs)` a value for each epoch that it trained: training loss, validation loss (both halves
            together), the validation losses of the two halves, and the validation metric.
    """

    member: Member
    network: Network
    parameters: Sequence[Mapping[str, np.ndarray]]
    status: Status
    best_epoch: int
    curves: np.ndarray

    @property
    def train_loss(self) -> np.ndarray:
        """The training loss of each epoch."""
        return self.curves[0]

    @property
    def validation_loss(self) -> np.ndarray:
        """The validation loss of each epoch."""
        return self.curves[1]

    @property
    def half_losses(self) -> np.ndarray:
        """The validation losses of the two halves, `(epochs, 2)`."""
        return self.curves[2:4].T

    @property
    def validation_metric(self) -> np.ndarray:
        """The validation metric of each epoch."""
        return self.curves[4]

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
        return cross_fitted(self.half_losses, self.status)


def named_curves(curves: np.ndarray) -> dict[str, np.ndarray]:
    """Return the curves of a member by their names."""
    return dict(zip(CURVES, (curves[0], curves[1], curves[2:4].T, curves[4]), strict=True))


def cross_fitted(half_losses: np.ndarray, status: Status) -> tuple[float, float]:
    """Return the loss on each half of the validation rows at the other half's best epoch, infinite where it diverged.

    Args:
        half_losses: `(epochs, 2)`.
        status: after these epochs.
    """
    a, b = half_losses[:, 0], half_losses[:, 1]
    if status is Status.DIVERGED or not (np.isfinite(a).any() and np.isfinite(b).any()):
        return float("inf"), float("inf")
    lowest_a, lowest_b = (int(np.where(np.isnan(half), np.inf, half).argmin()) for half in (a, b))
    return float(b[lowest_a]), float(a[lowest_b])


def initial_parameters(network: Network, seed: int, member: int) -> list[dict[str, np.ndarray]]:
    """Return the initial parameters of a member, the same wherever it is trained."""
    return network.initialize(Stream(seed, INITIAL, member))
