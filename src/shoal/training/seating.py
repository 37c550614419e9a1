"""Seating: which members of a block train in which places, which still wait, and the curves of those in training."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from shoal.results import Status
from shoal.training.engines.base import Chunk
from shoal.training.member import Member

CURVES = ("train_loss", "validation_loss", "half_losses", "validation_metric")


@dataclass
class Seat:
    """A member in training; `parts` holds each chunk of its curves as a chunk and a place in it."""

    member: Member
    parts: list[tuple[Chunk, int]] = field(default_factory=list)
    epoch: int = 0
    best_epoch: int = 0
    status: Status = Status.RUNNING

    def copy(self) -> Seat:
        """Return the seat as it is now; what training adds later does not reach it."""
        return replace(self, parts=list(self.parts))

    def joined(self) -> dict[str, np.ndarray]:
        """Return its curves so far, up to its last epoch."""
        each = {name: [getattr(chunk, name)[place] for chunk, place in self.parts] for name in CURVES}
        return {name: np.concatenate(parts)[: self.epoch] for name, parts in each.items()}


class Seating:
    """Members of a block in their places; whoever is done makes room for the next.

    Args:
        members: in the order in which they enter.
        places: how many train at a time.
        seats: who sits already, by place.
    """

    def __init__(self, members: Iterable[Member], places: int, seats: Mapping[int, Seat] | None = None) -> None:
        self.places = places
        self.seats: dict[int, Seat] = dict(seats or {})
        self.epoch = 0  # of the member that is furthest
        seated = {seat.member.id for seat in self.seats.values()}
        self.waiting = deque(member for member in members if member.id not in seated)

    def admit(self) -> dict[int, Member]:
        """Seat waiting members in the free places and return them by place."""
        newcomers: dict[int, Member] = {}
        for place in range(self.places):
            if not self.waiting:
                break
            if place not in self.seats:
                newcomers[place] = self.waiting.popleft()
                self.seats[place] = Seat(newcomers[place])
        return newcomers

    def note(self, chunk: Chunk) -> None:
        """Add what a chunk of training has brought."""
        for place, seat in self.seats.items():
            seat.parts.append((chunk, place))
            seat.epoch, seat.best_epoch = int(chunk.epoch[place]), int(chunk.best_epoch[place])
            seat.status = Status(int(chunk.status[place]))
        self.epoch = max(seat.epoch for seat in self.seats.values())

    def done(self) -> dict[int, Seat]:
        """Return the seats whose members no longer train."""
        return {place: seat for place, seat in self.seats.items() if seat.status is not Status.RUNNING}

    def leave(self, places: Iterable[int]) -> None:
        """Free some places."""
        for place in list(places):
            del self.seats[place]
