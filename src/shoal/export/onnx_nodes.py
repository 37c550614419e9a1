"""A graph of ONNX in the making: its nodes, its constants, and the bodies of its loops."""

from __future__ import annotations

import copy
import itertools
from collections import ChainMap
from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

FLOAT, DOUBLE, TRUTH, INTEGER, TEXT = "FLOAT", "DOUBLE", "BOOL", "INT64", "STRING"


@dataclass(frozen=True)
class OnnxTensor:
    """A tensor `(members, rows, width)` of the graph; `has_rows` is false where it is the same for all rows."""

    name: str
    type: str = FLOAT
    members: int = 1
    width: int = 1
    has_rows: bool = True


class Carried(NamedTuple):
    """What goes into a loop: its name outside, and in the body before and after a turn."""

    given: str
    before: str
    after: str = ""


class OnnxGraph:
    """Nodes and constants, under names that nothing else has: none of `taken` begins like them."""

    def __init__(self, taken: Sequence[str]) -> None:
        from onnx import TensorProto, helper, numpy_helper

        self.helper, self.numpy_helper, self.types = helper, numpy_helper, TensorProto
        self.nodes: list[Any] = []
        self.initializers: list[Any] = []
        self._names: MutableMapping[tuple[Any, ...], list[str]] = {}
        self._constants: dict[tuple[Any, ...], str] = {}
        self._numbers = itertools.count()
        self._prefix = "_"
        while any(name.startswith(self._prefix) for name in taken):
            self._prefix += "_"

    def node(self, kind: str, *inputs: str, **settings: Any) -> str:
        """Add a node with one output, and return the name of that; the same node twice is one."""
        return self.node_of(kind, inputs, 1, **settings)[0]

    def node_of(self, kind: str, inputs: Sequence[str], outputs: int, **settings: Any) -> list[str]:
        """Add a node with several outputs, and return their names."""
        key = (kind, *inputs, repr(sorted(settings.items())))
        if key not in self._names:
            names = self.fresh(kind, outputs)
            self.nodes.append(self.helper.make_node(kind, list(inputs), names, **settings))
            self._names[key] = names
        return self._names[key]

    def fresh(self, word: str, count: int = 1) -> list[str]:
        """Return new names."""
        number = next(self._numbers)
        return [f"{self._prefix}{word.lower()}_{number}" + (f"_{i}" if count > 1 else "") for i in range(count)]

    def body(self) -> OnnxGraph:
        """Return a graph for the body of a loop, which sees what stands in this one; constants are shared."""
        within = copy.copy(self)
        within.nodes, within._names = [], ChainMap({}, self._names)
        return within

    def scan(self, body: OnnxGraph, carried: Sequence[Carried], moving: Sequence[Carried], said: str) -> list[str]:
        """Add a loop; return what was carried at the end, and what was said in each turn.

        Args:
            body: of the loop.
            carried: outside, and in the body before and after a turn.
            moving: outside, with an axis of turns first, and in the body.
            said: in the body.
        """
        info, float_ = self.helper.make_tensor_value_info, self.types.FLOAT
        inside = [each.before for each in (*carried, *moving)]
        outs = body.fresh("out", len(carried) + 1)
        for name, out in zip([*(each.after for each in carried), said], outs, strict=True):
            body.nodes.append(self.helper.make_node("Identity", [name], [out]))
        inner = self.helper.make_graph(
            body.nodes,
            "body",
            [info(name, float_, None) for name in inside],
            [info(name, float_, None) for name in outs],
        )
        names, given = self.fresh("scan", len(outs)), [each.given for each in (*carried, *moving)]
        self.nodes.append(self.helper.make_node("Scan", given, names, body=inner, num_scan_inputs=len(moving)))
        return names

    def constant(self, values: Any, dtype: Any = np.int64) -> str:
        """Return the name of an array; equal ones are one."""
        values = np.ascontiguousarray(values, dtype)
        key = values.dtype.str, values.shape, values.tobytes()
        if key not in self._constants:
            name = f"{self._prefix}constant_{len(self.initializers)}"
            self.initializers.append(self.numpy_helper.from_array(values, name))
            self._constants[key] = name
        return self._constants[key]

    def texts(self, values: Sequence[str]) -> str:
        """Return the name of an array of texts."""
        name = f"{self._prefix}texts_{len(self.initializers)}"
        self.initializers.append(self.numpy_helper.from_array(np.array(values, object), name))
        return name

    def cast(self, name: str, to: str) -> str:
        """Return a tensor in another type."""
        return self.node("Cast", name, to=getattr(self.types, to))

    def reshape(self, name: str, *shape: int) -> str:
        """Return a tensor in another shape, -1 for what depends on the rows."""
        return self.node("Reshape", name, self.constant(shape))

    def slice(self, name: str, start: int, stop: int, axis: int) -> str:
        """Return a part along an axis."""
        return self.node("Slice", name, self.constant([start]), self.constant([stop]), self.constant([axis]))
