"""Which operations of a program are the same for several members and can be one with stacked constants."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from types import MappingProxyType
from typing import Any

from shoal.export.source.operations import Operation, Program, Recurrence, View

NONE: Mapping[int, Any] = MappingProxyType({})


def alike_operations(program: Program) -> Iterator[list[Operation]]:
    """Give the operations of a program in order, together those that differ only in their member."""
    grouped: dict[int, list[Operation]] = {}
    for blocks in program.parallel:
        by_shape: dict[Any, list[Sequence[Operation]]] = {}
        for block in blocks:
            by_shape.setdefault(_shape(block), []).append(block)
        for group in by_shape.values():
            grouped |= {id(alike[0]): list(alike) for alike in zip(*group, strict=True)}
    given: set[int] = set()
    for operation in program.operations:
        if id(operation) not in given:
            alike = grouped.get(id(operation), [operation])
            given |= set(map(id, alike))
            yield alike


def _shape(block: Sequence[Operation], known: Mapping[int, Any] = NONE) -> tuple[Any, ...]:
    """Return all of a block but its constants and what it reads from outside: they may differ.

    Args:
        block: the operations.
        known: what buffers of a block around it are called.
    """
    own = {id(operation.out.buffer): i for i, operation in enumerate(block)} | dict(known)

    def said(view: View) -> Any:
        buffer = view.buffer
        if buffer.values is not None:
            return "constant", view.size, buffer.double
        return own.get(id(buffer)), buffer.size, buffer.double, view.index.tobytes()

    shape = []
    for operation in block:
        if isinstance(operation, Recurrence):
            given = (*operation.moving, *operation.carried)
            within = {**own, **{id(buffer): ("given", i) for i, buffer in enumerate(given)}}
            within |= {id(each.out.buffer): ("within", i) for i, each in enumerate(operation.body)}
            ends = [(within.get(id(v.buffer)), v.size, v.index.tobytes()) for v in (*operation.new, operation.said)]
            settings = [operation.turns, *(b.size for b in given), *ends, _shape(operation.body, within)]
        else:
            settings = [getattr(operation, f.name) for f in fields(operation) if f.name not in ("out", "inputs")]
        shape.append((type(operation), *settings, said(operation.out), *map(said, operation.inputs)))
    return tuple(shape)
