"""How far training is, and whom it tells."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple, Protocol, TypedDict, Unpack

import numpy as np

from shoal.results import Status
from shoal.training.engines.base import Chunk
from shoal.training.member import Member, TrainedMember
from shoal.training.rungs import most_epochs


class TrainingNews(TypedDict):
    """How far training is: networks done and in all, epoch of the present block, best score so far."""

    trained: int
    total: int
    epoch: int
    best: float | None
    metric: str
    seconds_left: float | None


class CurvePiece(NamedTuple):
    """What training added to the validation curve of a network: its losses after the epoch `before`."""

    network: int
    before: int
    losses: np.ndarray


class Move(NamedTuple):
    """A network that sat down in a place, where it is `RUNNING`, or that left it, with its last status.

    The place is -1 where nobody knows it any more.
    """

    network: int
    place: int
    status: Status


class Progress(Protocol):
    """A listener; a command line draws a live line from it, a notebook the curves.

    It may have three methods more: `curves(pieces)`, which takes an iterable of `CurvePiece`, replicas left out, before
    `training` is told of the same epochs; `moves(moves)`, which takes an iterable of `Move`, replicas left out; and
    `ended(well)`, which hears last of all whether the work was done.
    """

    def stage(self, text: str) -> None:
        """Say what is being done now, e.g. `compiling`."""

    def note(self, text: str) -> None:
        """Say what was settled before training, e.g. what is predicted and why."""

    def warn(self, text: str) -> None:
        """Say what may spoil the result, before the time for training is spent."""

    def training(self, **news: Unpack[TrainingNews]) -> None:
        """Say how far training is."""


class Silent:
    """A listener that says nothing."""

    def stage(self, text: str) -> None:
        """Ignore the stage."""

    def note(self, text: str) -> None:
        """Ignore the note; the page holds it."""

    def warn(self, text: str) -> None:
        """Ignore the warning; the page and `metrics.json` hold it."""

    def training(self, **news: Unpack[TrainingNews]) -> None:
        """Ignore the progress."""


def show_curves(progress: Progress, pieces: Iterable[CurvePiece]) -> None:
    """Hand pieces of curves to a listener that takes them; for others none is made."""
    draw = getattr(progress, "curves", None)
    if draw is not None:
        draw(pieces)


def show_moves(progress: Progress, moves: Iterable[Move]) -> None:
    """Tell a listener who sits down and who leaves, if it wants to hear that; for others nothing is made."""
    hear = getattr(progress, "moves", None)
    if hear is not None:
        hear(moves)


@contextmanager
def ending(progress: Progress) -> Iterator[Progress]:
    """Give a listener, and tell it at the end, if it wants to hear that, whether the work was done."""
    well = False
    try:
        yield progress
        well = True
    finally:
        ended = getattr(progress, "ended", None)
        if ended is not None:
            ended(well)


class Watch:
    """How far training is, without looking at every member each time."""

    def __init__(self, members: Sequence[Member], rungs: Sequence[int] = ()) -> None:
        self.total = len(members)
        self.best: float | None = None
        self.epochs = most_epochs(members, rungs)
        self.halves = bool(rungs)
        self.done = self.in_training = 0

    def finished(self, trained: TrainedMember) -> None:
        """Count a member that is done: with all its epochs, needed or not, unless rungs let most of them go."""
        self.done += len(trained.train_loss) if self.halves else trained.member.hyperparameters.epochs
        self._better(trained.validation_loss)

    def training(self, epochs: np.ndarray, chunk: Chunk) -> None:
        """Count what the members in training have done so far."""
        self.in_training = int(epochs.sum())
        self._better(chunk.validation_loss)

    def _better(self, losses: np.ndarray) -> None:
        finite = losses[np.isfinite(losses)]
        if finite.size:
            lowest = float(finite.min())
            self.best = lowest if self.best is None else min(self.best, lowest)

    def seconds_left(self, elapsed: float) -> float | None:
        """Return how long the rest takes if it goes on like this."""
        share = (self.done + self.in_training) / self.epochs
        return elapsed * max(0.0, 1.0 - share) / share if share > 0.0 else None
