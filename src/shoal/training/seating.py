"""Seating: which members of a block train in which places, which still wait, and the curves of those in training."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from shoal.results import Status
from shoal.training.engines.base import Chunk
from shoal.training.member import Member
from shoal.training.progress import CurvePiece


@dataclass(frozen=True)
class Seat:
    """A member in training, as it stands: `parts` holds each chunk of its curves as a chunk and a place in it."""

    member: Member
    parts: tuple[tuple[Chunk, int], ...] = ()

    @property
    def epoch(self) -> int:
        """How many epochs it has trained."""
        return self._last("epoch", 0)

    @property
    def best_epoch(self) -> int:
        """Its best epoch, 0 if there is none."""
        return self._last("best_epoch", 0)

    @property
    def status(self) -> Status:
        """How it stands."""
        return Status(self._last("status", Status.RUNNING))

    def _last(self, name: str, before: int) -> int:
        if not self.parts:
            return before
        chunk, place = self.parts[-1]
        return int(getattr(chunk, name)[place])

    def curves(self) -> np.ndarray:
        """Return its curves so far, up to its last epoch, `(5, epochs)` as `TrainedMember` has them."""
        if not self.parts:
            return np.zeros((5, 0), np.float32)
        whole = np.concatenate([chunk.curves[place] for chunk, place in self.parts], axis=1)
        return whole if self.epoch == whole.shape[1] else whole[:, : self.epoch].copy()


def pieces_so_far(seats: Iterable[Seat]) -> Iterator[CurvePiece]:
    """Give the validation curves of members that trained before, replicas left out."""
    for seat in seats:
        if not seat.member.replica and seat.parts:
            yield CurvePiece(seat.member.id, 0, seat.curves()[1])


class Seating:
    """Members of a block in their places; whoever is done makes room for the next.

    Args:
        members: in the order in which they enter.
        places: how many train at a time.
        seats: who sits already, by place.
    """

    def __init__(self, members: Iterable[Member], places: int, seats: Mapping[int, Seat] | None = None) -> None:
        self.places = places
        self.seats: dict[int, Seat] = dict(seats or {})  # as they were when they were taken
        self._since = dict.fromkeys(self.seats, 0)
        self._chunks: list[Chunk | None] = []  # None where nobody who sits was there
        self._dropped = 0
        self._free = [place for place in range(places) if place not in self.seats]
        seated = {seat.member.id for seat in self.seats.values()}
        self.waiting = deque(member for member in members if member.id not in seated)

    def admit(self) -> dict[int, Member]:
        """Seat waiting members in the free places and return them by place."""
        newcomers: dict[int, Member] = {}
        while self.waiting and self._free:
            place = self._free.pop(0)
            newcomers[place] = self.waiting.popleft()
            self.seats[place], self._since[place] = Seat(newcomers[place]), len(self._chunks)
        return newcomers

    def note(self, chunk: Chunk) -> None:
        """Add what a chunk of training has brought, and forget what came before all who sit."""
        self._chunks.append(chunk)
        needed = min(self._since.values(), default=len(self._chunks))
        while self._dropped < min(needed, len(self._chunks) - 2):  # `pieces` looks at the last two
            self._chunks[self._dropped] = None
            self._dropped += 1

    def seat(self, place: int) -> Seat:
        """Return a seat as it stands now."""
        seat = self.seats[place]
        since = ((chunk, place) for chunk in self._chunks[self._since[place] :] if chunk is not None)
        return Seat(seat.member, (*seat.parts, *since))

    @property
    def _last(self) -> Chunk:
        chunk = self._chunks[-1]
        assert chunk is not None
        return chunk

    def done(self) -> list[int]:
        """Return the places of members that no longer train."""
        running = self._last.status == Status.RUNNING
        return [place for place in self.seats if not running[place]]

    @property
    def epoch(self) -> int:
        """How many epochs the members have trained that entered at the same time."""
        return self.seat(next(iter(self.seats))).epoch if self.seats else 0

    def of_candidates(self, candidates: Collection[int]) -> list[int]:
        """Return the places of the members of some candidates."""
        return [place for place, seat in self.seats.items() if seat.member.candidate in candidates]

    def epochs(self) -> np.ndarray:
        """Return how many epochs each seated member has trained."""
        return np.asarray(self._last.epoch)[list(self.seats)]

    def pieces(self) -> Iterator[CurvePiece]:
        """Give what the last chunk added to the validation curve of each seated member, replicas left out."""
        chunk, last = self._last, len(self._chunks) - 1
        for place, seat in self.seats.items():
            if not seat.member.replica:
                earlier = None if self._since[place] == last else self._chunks[-2]
                before = seat.epoch if earlier is None else int(earlier.epoch[place])
                losses = chunk.validation_loss[place][: int(chunk.epoch[place]) - before]
                yield CurvePiece(seat.member.id, before, losses)

    def leave(self, places: Iterable[int]) -> None:
        """Free some places."""
        for place in list(places):
            del self.seats[place], self._since[place]
            self._free.append(place)
        self._free.sort()

    def move_together(self, places: int) -> None:
        """Seat the members in the first of fewer places, in the order of their seats now."""
        seats = [self.seat(place) for place in self.seats]
        self.places, self.seats = places, dict(enumerate(seats))
        self._since = dict.fromkeys(self.seats, len(self._chunks))
        self._free = list(range(len(seats), places))
