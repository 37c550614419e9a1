"""Operations in loops, and where buffers lie in the working memory while these run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from shoal.export.source.operations import Buffer, Elementwise, Operation, Recurrence


@dataclass(frozen=True, eq=False)
class Loop:
    """Elementwise operations of one size, one after the other for each place."""

    size: int
    operations: tuple[Elementwise, ...]


Step = Operation | Loop


def in_loops(operations: Iterable[Operation]) -> list[Step]:
    """Return the operations with neighbouring elementwise ones of the same size in one loop."""
    steps: list[Step] = []
    group: list[Elementwise] = []

    def joins(operation: Elementwise) -> bool:
        within = {id(other.out.buffer) for other in group}
        return operation.out.size == group[0].out.size and all(
            view.is_all for view in operation.inputs if id(view.buffer) in within
        )

    for operation in operations:
        if group and not (isinstance(operation, Elementwise) and joins(operation)):
            steps.append(Loop(group[0].out.size, tuple(group)))
            group = []
        if isinstance(operation, Elementwise):
            group.append(operation)
        else:
            steps.append(operation)
    return [*steps, Loop(group[0].out.size, tuple(group))] if group else steps


@dataclass(frozen=True)
class Use:
    """What one step writes and reads, in the order in which they are done; and whether it is a loop."""

    writes: tuple[Buffer, ...]
    reads: tuple[Buffer, ...]
    is_loop: bool = False


def uses_of(steps: Iterable[Step]) -> Iterator[Use]:
    """Give what is written and read, of scans when they begin, in their bodies, and when they end."""
    for step in steps:
        operations = step.operations if isinstance(step, Loop) else (step,)
        writes = tuple(operation.out.buffer for operation in operations)
        reads = tuple(view.buffer for operation in operations for view in operation.inputs)
        if isinstance(step, Recurrence):
            yield Use((*writes, *step.carried), reads)
            yield Use(step.moving, reads)
            yield from uses_of(in_loops(step.body))
            said = (view.buffer for view in (*step.new, step.said))
            yield Use((), (*reads, *writes, *step.carried, *said))
        else:
            yield Use(writes, reads, isinstance(step, Loop))


@dataclass(frozen=True)
class Places:
    """Where each buffer lies in the working memory; those that a loop needs only for a moment lie nowhere.

    Attributes:
        offsets: of each buffer, by its identity.
        size: of the working memory, in numbers.
    """

    offsets: dict[int, int]
    size: int

    @classmethod
    def of(cls, steps: Sequence[Step], bits: int = 0) -> Places:
        """Return the places: a buffer takes the first gap that is free from its first to its last use.

        Args:
            steps: in order.
            bits: of the whole numbers whose buffers are placed; 0: those of floating numbers.
        """
        first: dict[int, int] = {}
        last: dict[int, int] = {}
        sizes: dict[int, int] = {}
        uses = list(uses_of(steps))
        for number, use in enumerate(uses):
            for buffer in use.writes:
                if buffer.name is None and buffer.bits == bits:
                    first.setdefault(id(buffer), number)
                    sizes[id(buffer)] = buffer.size
            for buffer in use.reads:
                last[id(buffer)] = number
        moments = {
            id(buffer)
            for number, use in enumerate(uses) if use.is_loop
            for buffer in use.writes if last.get(id(buffer), number) == number
        }  # fmt: skip
        offsets: dict[int, int] = {}
        for key in sorted((k for k in first if k not in moments), key=lambda k: first[k]):
            others = [k for k in offsets if last[k] >= first[key]]
            at = 0
            for other in sorted(others, key=lambda k: offsets[k]):
                if offsets[other] - at >= sizes[key]:
                    break
                at = max(at, offsets[other] + sizes[other])
            offsets[key] = at
        return cls(offsets, max((offsets[k] + sizes[k] for k in offsets), default=0))
