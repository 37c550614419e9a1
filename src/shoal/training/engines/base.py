"""The interface that engines share: plan, start, advance a chunk, read out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from shoal.training.member import Member, Problem


@dataclass(frozen=True)
class Chunk:
    """The curves of one chunk, each `(members, epochs)` and NaN where a member no longer trained.

    `half_losses` is `(members, epochs, 2)`: the validation loss on each half of the validation rows.
    `status`, `epoch` and `best_epoch` are `(members,)`, at the end of the chunk; epochs count from 1.
    """

    train_loss: np.ndarray
    validation_loss: np.ndarray
    half_losses: np.ndarray
    validation_metric: np.ndarray
    status: np.ndarray
    epoch: np.ndarray
    best_epoch: np.ndarray


class Block(Protocol):
    """Members that one call of one program trains together."""

    members: tuple[Member, ...]


class Engine(Protocol):
    """Trains blocks of members."""

    name: str

    def plan(self, problem: Problem, members: Sequence[Member]) -> list[Any]:
        """Return the blocks that hold these members."""

    def prepare(self, block: Any) -> float:
        """Make the block's program ready and return the seconds that compiling took, 0 if it was at hand."""

    def start(self, block: Any) -> Any:
        """Return the state of a block before its first epoch."""

    def advance(self, block: Any, state: Any) -> tuple[Any, Chunk]:
        """Train every running member for a chunk of epochs."""

    def read_out(self, block: Any, state: Any) -> list[list[dict[str, np.ndarray]]]:
        """Return each member's parameters at its best epoch, in its own sizes."""

    def to_arrays(self, state: Any) -> dict[str, np.ndarray]:
        """Return a state as named arrays for a checkpoint."""

    def from_arrays(self, block: Any, arrays: dict[str, np.ndarray]) -> Any:
        """Return the state that `to_arrays` wrote."""
