"""The interface that engines share: plan, start, advance a chunk, read out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from shoal.training.member import Member
from shoal.training.parts import Part
from shoal.training.problem import Problem


@dataclass(frozen=True)
class Chunk:
    """The curves of one chunk, each `(places, epochs)` and NaN where no member trained.

    `half_losses` is `(places, epochs, 2)`: the validation loss on each half of the validation rows.
    `status`, `epoch` and `best_epoch` are `(places,)`, at the end of the chunk; epochs count from 1.
    """

    train_loss: np.ndarray
    validation_loss: np.ndarray
    half_losses: np.ndarray
    validation_metric: np.ndarray
    status: np.ndarray
    epoch: np.ndarray
    best_epoch: np.ndarray

    @cached_property
    def curves(self) -> np.ndarray:
        """The curves of each place together, `(places, 5, epochs)`, put in order once for all that leave."""
        losses, metric = (self.train_loss, self.validation_loss), self.validation_metric
        curves = np.stack([*losses, *np.moveaxis(self.half_losses, -1, 0), metric], axis=1)
        return curves.astype(self.train_loss.dtype, copy=False)


def seated_at_once(block: Any) -> list[Any]:
    """Return the block as blocks whose members all find a place at once."""
    starts = range(0, len(block.members), block.places)
    return [replace(block, members=block.members[at : at + block.places]) for at in starts]


class Engine(Protocol):
    """Trains blocks of members: they enter places, train in chunks of epochs, and are read out when they are done.

    A member's result depends neither on its place, nor on its neighbours, nor on when it entered. `programs` counts
    those that the engine has planned.
    """

    name: str
    programs: int

    def plan(self, problem: Problem, members: Sequence[Member]) -> list[Any]:
        """Return the blocks that hold these members."""

    def prepare(self, block: Any) -> float:
        """Make the block's program ready and return the seconds that compiling took, 0 if it was at hand."""

    def start(self, block: Any) -> Any:
        """Return the state of a block whose places are all idle."""

    def admits(self, block: Any, state: Any) -> bool:
        """Return whether members may enter now; always, where nobody trains."""

    def enter(self, block: Any, state: Any, newcomers: Mapping[int, Member]) -> Any:
        """Put members into places, each at its start; return the state with them."""

    def advance(self, block: Any, state: Any, most: int | None = None) -> tuple[Any, Chunk]:
        """Train every running member for a chunk of epochs, or for so many at most."""

    def exchange(self, block: Any, part: Part) -> None:
        """Replace the training rows of a block by as many others, for whoever trains in it from now on."""

    def shrink(self, block: Any, state: Any, seats: Sequence[int]) -> tuple[Any, Any] | None:
        """Return a block with fewer places and its state, the members of these places in its first ones, in order.

        None where that would not pay.
        """

    def read_out(
        self, block: Any, state: Any, seats: Mapping[int, Member], *, last: bool = False
    ) -> dict[int, list[dict[str, np.ndarray]]]:
        """Return the parameters of the member in each place, in its own sizes: at its best epoch, or the last."""

    def to_arrays(self, state: Any) -> dict[str, np.ndarray]:
        """Return a state as named arrays for a checkpoint."""

    def from_arrays(self, block: Any, arrays: Mapping[str, np.ndarray], seats: Mapping[int, Member]) -> Any:
        """Return the state that `to_arrays` wrote, with the same members in the same places."""
