"""Rows that do not fit into memory, for any engine: each epoch trains on the next part of them.

All members of a block begin together, so that one read of the rows serves them all, and a member sees the same parts
as it would alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from shoal.training.engines.base import Chunk, Engine, seated_at_once
from shoal.training.kept_rows import KeptRows
from shoal.training.member import Member
from shoal.training.parts import Part, PartReader, RowsInParts
from shoal.training.problem import Problem

PART = "stream_part"
"""The name of the number of the next part among the arrays of a state."""


@dataclass
class StreamedState:
    """The state of a block, and the part that it trains on next."""

    inner: Any
    part: int = 0


class StreamedEngine:
    """Trains blocks on parts of a stream of rows, one for each epoch.

    Args:
        engine: that trains.
        rows: all training rows.
        kept: keeps them for later passes, if there are some. None: each pass reads the files.
    """

    def __init__(self, engine: Engine, rows: RowsInParts, kept: KeptRows | None = None) -> None:
        self.engine, self.rows, self.kept, self.name = engine, rows, kept, engine.name
        self.programs = 0
        self._reader: PartReader | None = None
        self._encoded: Callable[[str, np.ndarray], np.ndarray] = lambda _, x: x

    def plan(self, problem: Problem, members: Sequence[Member]) -> list[Any]:
        """Return blocks whose members all find a place at once."""
        own = replace(problem, x=problem.x.copy(), y=problem.y.copy(), weights=problem.weights.copy())
        self._encoded = problem.encoded
        blocks = self.engine.plan(own, members)
        self.programs = self.engine.programs
        parts = [part for block in blocks for part in seated_at_once(block)]
        epochs = sum(max(member.hyperparameters.epochs for member in part.members) for part in parts)
        if self.kept is not None and epochs > self.rows.per_pass:
            self.rows = replace(self.rows, read=self.kept)
        self._stop_reading()
        self._reader = PartReader(self.rows, 0)  # while programs compile
        return parts

    def advance(self, block: Any, state: StreamedState, most: int | None = None) -> tuple[StreamedState, Chunk]:
        """Train every running member for one epoch, on the next part."""
        del most
        self.exchange(block, self._part(state.part))
        inner, chunk = self.engine.advance(block, state.inner, 1)
        return StreamedState(inner, state.part + 1), chunk

    def _part(self, number: int) -> Part:
        if self._reader is None or self._reader.next != number:
            self._stop_reading()
            self._reader = PartReader(self.rows, number)
        return self._reader.take()

    def close(self) -> None:
        """End reading, and keep no rows any more."""
        self._stop_reading()
        if self.kept is not None:
            self.kept.close()

    def _stop_reading(self) -> None:
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def exchange(self, block: Any, part: Part) -> None:
        """Replace the training rows of a block until the next part, in the encoding that all of its members read."""
        encoding = block.members[0].hyperparameters.feature_encoding
        self.engine.exchange(block, part._replace(x=self._encoded(encoding, part.x)))

    def prepare(self, block: Any) -> float:
        """Make the block's program ready."""
        return self.engine.prepare(block)

    def start(self, block: Any) -> StreamedState:
        """Return the state of a block whose places are all idle."""
        return StreamedState(self.engine.start(block))

    def admits(self, block: Any, state: StreamedState) -> bool:
        """Return whether members may enter now: before the first part."""
        return state.part == 0 and self.engine.admits(block, state.inner)

    def enter(self, block: Any, state: StreamedState, newcomers: Mapping[int, Member]) -> StreamedState:
        """Put members into places."""
        return StreamedState(self.engine.enter(block, state.inner, newcomers), state.part)

    def shrink(self, block: Any, state: StreamedState, seats: Sequence[int]) -> tuple[Any, StreamedState] | None:
        """Return a smaller block and its state, where that pays."""
        smaller = self.engine.shrink(block, state.inner, seats)
        return None if smaller is None else (smaller[0], StreamedState(smaller[1], state.part))

    def read_out(
        self, block: Any, state: StreamedState, seats: Mapping[int, Member], *, last: bool = False
    ) -> dict[int, list[dict[str, np.ndarray]]]:
        """Return the parameters of members."""
        return self.engine.read_out(block, state.inner, seats, last=last)

    def to_arrays(self, state: StreamedState) -> dict[str, np.ndarray]:
        """Return a state as named arrays, the number of the part among them."""
        return {**self.engine.to_arrays(state.inner), PART: np.asarray(state.part)}

    def from_arrays(self, block: Any, arrays: Mapping[str, np.ndarray], seats: Mapping[int, Member]) -> StreamedState:
        """Return the state that `to_arrays` wrote."""
        inner = {name: array for name, array in arrays.items() if name != PART}
        return StreamedState(self.engine.from_arrays(block, inner, seats), int(arrays[PART]))
