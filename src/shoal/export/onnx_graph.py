"""The operations of a predictor as nodes of ONNX, for any number of rows at once.

A buffer of the program becomes a tensor `(members, rows, numbers)`; an axis is 1 where all read the same. Blocks of
operations that are alike, one for each network, become one, with the constants of all of them stacked.
"""

from __future__ import annotations

import copy
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from shoal.errors import ExportError
from shoal.export.onnx_nodes import DOUBLE, FLOAT, INTEGER, TRUTH, Carried, OnnxGraph, OnnxTensor
from shoal.export.source.alike import alike_operations
from shoal.export.source.operations import (
    Buffer,
    Copy,
    Correlation,
    Elementwise,
    FoldsEnd,
    Interpolation,
    Nearest,
    Operation,
    Product,
    Program,
    Recurrence,
    Reduction,
    Rows,
    Sorting,
    View,
    all_of,
)

NODES = {
    "add": "Add", "sub": "Sub", "mul": "Mul", "div": "Div", "neg": "Neg", "max": "Max", "min": "Min", "lt": "Less",
    "le": "LessOrEqual", "gt": "Greater", "ge": "GreaterOrEqual", "eq": "Equal", "and": "And", "or": "Or", "not": "Not",
    "where": "Where", "exp": "Exp", "log": "Log", "tanh": "Tanh", "sqrt": "Sqrt", "abs": "Abs", "erf": "Erf",
    "cos": "Cos", "sign": "Sign", "isnan": "IsNaN",
}  # fmt: skip
TRUTHS = {"lt", "le", "gt", "ge", "eq", "ne", "and", "or", "not", "isnan"}
DTYPES = {FLOAT: np.float32, DOUBLE: np.float64}


class GraphPrinter:
    """Adds the operations of a program to a graph.

    Args:
        graph: where nodes go.
        x: the inputs.
        rows: the name of a tensor of one integer, the number of rows.
    """

    def __init__(self, graph: OnnxGraph, x: OnnxTensor, rows: str) -> None:
        self.graph, self.x, self.rows = graph, x, rows
        self.tensors: dict[int, OnnxTensor] = {}
        self.stacks: dict[int, tuple[OnnxTensor, int]] = {}
        self.pieces: dict[int, list[tuple[View, OnnxTensor]]] = {}

    def outputs(self, program: Program) -> dict[str, str]:
        """Return the names of the outputs of a program, `(rows, numbers)` each."""
        self.tensors[id(program.inputs)] = self.x
        self.copies = Counter(id(step.out.buffer) for step in all_of(program.operations) if isinstance(step, Copy))
        for alike in alike_operations(program):
            self._print(alike)
        shape = self.graph.constant
        return {
            name: self.graph.node("Reshape", self._full(self._read(view), view.size), shape([-1, view.size]))
            for name, view in program.outputs.items()
        }

    def _print(self, alike: Sequence[Operation]) -> None:
        """Add the nodes of operations that differ only in their member."""
        first = alike[0]
        if isinstance(first, Copy):
            tensor = self._copied(first, alike)
            if tensor is None:
                return
        else:
            tensor = getattr(self, f"_{type(first).__name__.lower()}")(first, alike)
        self._keep(tensor, [operation.out.buffer for operation in alike])

    def _keep(self, tensor: OnnxTensor, buffers: Sequence[Buffer]) -> None:
        for member, buffer in enumerate(buffers):
            self.tensors[id(buffer)] = tensor
            if tensor.members > 1:
                self.stacks[id(buffer)] = tensor, member

    # Reading: narrow tensors stand for equal numbers, `_full` ones hold them all.

    def _inputs(self, alike: Sequence[Operation], place: int) -> OnnxTensor:
        """Return one input of operations that are alike, of all members."""
        return self._tensor([operation.inputs[place] for operation in alike])

    def _tensor(self, views: Sequence[View]) -> OnnxTensor:
        """Return what views read, of a member each."""
        if views[0].buffer.values is not None:
            return self._constants(views)
        if len({id(view.buffer) for view in views}) == 1:
            return self._read(views[0])
        return self._gathered(self._stacked([view.buffer for view in views]), views[0])

    def _stacked(self, buffers: Sequence[Buffer]) -> OnnxTensor:
        """Return buffers as one tensor, a member each."""
        first = self.tensors[id(buffers[0])]
        stacks = [self.stacks.get(id(buffer)) for buffer in buffers]
        if first.members == len(buffers) and stacks == [(first, member) for member in range(len(buffers))]:
            return first
        each = [self._read(View(buffer, np.arange(buffer.size))) for buffer in buffers]
        if len({tensor.name for tensor in each}) == 1:
            return each[0]
        width, type_ = max(tensor.width for tensor in each), _common({tensor.type for tensor in each})
        names = [self._full(tensor, width, type_) for tensor in each]
        return OnnxTensor(self.graph.node("Concat", *names, axis=0), type_, len(names), width)

    def _read(self, view: View) -> OnnxTensor:
        """Return what one view reads, of one member."""
        if view.buffer.values is not None:
            return self._constants([view])
        tensor = self.tensors[id(view.buffer)]
        if id(view.buffer) in self.stacks:
            stack, member = self.stacks[id(view.buffer)]
            tensor = replace(stack, name=self.graph.slice(stack.name, member, member + 1, 0), members=1)
        return self._gathered(tensor, view)

    def _gathered(self, tensor: OnnxTensor, view: View) -> OnnxTensor:
        index = view.index
        if tensor.width == 1 or view.is_all:
            return tensor
        if (index == index[0]).all():
            index = index[:1]
        if (np.diff(index) == 1).all():
            name = self.graph.slice(tensor.name, int(index[0]), int(index[-1]) + 1, 2)
        else:
            name = self.graph.node("Gather", tensor.name, self.graph.constant(index), axis=2)
        return replace(tensor, name=name, width=len(index))

    def _constants(self, views: Sequence[View]) -> OnnxTensor:
        type_ = DOUBLE if views[0].buffer.double else FLOAT
        values = _values(views).astype(DTYPES[type_])[:, None]
        for axis in (0, 2):
            one = np.take(values, [0], axis)
            values = one if ((values == one) | (np.isnan(values) & np.isnan(one))).all() else values
        return OnnxTensor(
            self.graph.constant(values, DTYPES[type_]), type_, len(values), values.shape[2], has_rows=False
        )

    def _typed(self, tensor: OnnxTensor, type_: str) -> str:
        return tensor.name if tensor.type == type_ else self.graph.cast(tensor.name, type_)

    def _full(self, tensor: OnnxTensor, width: int, type_: str | None = None, members: int = 1) -> str:
        """Return the name of a tensor of a type with all members, all rows and all numbers."""
        name = self._typed(tensor, type_ or tensor.type)
        members = max(members, tensor.members)
        if (tensor.members, tensor.has_rows, tensor.width) == (members, True, width):
            return name
        parts = self.graph.constant([members]), self.rows, self.graph.constant([width])
        return self.graph.node("Expand", name, self.graph.node("Concat", *parts, axis=0))

    def _whole(self, alike: Sequence[Operation], place: int) -> tuple[str, int]:
        """Return the name of an input with all of its numbers, and how many members it has."""
        tensor = self._inputs(alike, place)
        return self._full(tensor, alike[0].inputs[place].size, FLOAT), tensor.members

    # One method for each kind of operation.

    def _elementwise(self, first: Elementwise, alike: Sequence[Operation]) -> OnnxTensor:
        if first.function == "sum":
            return self._sum(first)
        values = [self._inputs(alike, i) for i in range(len(first.inputs))]
        type_ = DOUBLE if any(value.type == DOUBLE for value in values) else FLOAT
        out = OnnxTensor("", type_, max(v.members for v in values), max(v.width for v in values),
                     any(v.has_rows for v in values))  # fmt: skip
        if first.function == "cast":
            return replace(out, name=self._typed(values[0], FLOAT), type=FLOAT)
        types = {"and": [TRUTH] * 2, "or": [TRUTH] * 2, "not": [TRUTH], "where": [TRUTH, type_, type_]}
        wanted = types.get(first.function, [type_] * len(values))
        names = [self._typed(value, kind) for value, kind in zip(values, wanted, strict=True)]
        name = self._function(first.function, names, DTYPES[type_])
        return replace(out, name=name, type=TRUTH if first.function in TRUTHS else type_)

    def _function(self, function: str, names: Sequence[str], dtype: Any) -> str:
        node = self.graph.node
        if function == "ne":
            return node("Not", node("Equal", *names))
        if function in ("expm1", "log1p"):
            one = self.graph.constant(np.ones((1, 1, 1)), dtype)
            return (
                node("Sub", node("Exp", *names), one) if function == "expm1" else node("Log", node("Add", *names, one))
            )
        return node(NODES[function], *names)

    def _sum(self, operation: Elementwise) -> OnnxTensor:
        """Add one node for all members of a stack, and one for the rest."""
        stacks: dict[str, list[tuple[int, View]]] = {}
        alone = []
        for view in operation.inputs:
            stack, member = self.stacks.get(id(view.buffer), (None, 0))
            if stack is not None and view.is_all:
                stacks.setdefault(stack.name, []).append((member, view))
            else:
                alone.append(view)
        names = []
        for views in stacks.values():
            stack = self.stacks[id(views[0][1].buffer)][0]
            if sorted(member for member, _ in views) == list(range(stack.members)):
                whole = self._full(stack, operation.out.size, FLOAT)
                names.append(self.graph.node("ReduceSum", whole, self.graph.constant([0]), keepdims=1))
            else:
                alone += [view for _, view in views]
        names += [self._full(self._read(view), operation.out.size, FLOAT) for view in alone]
        return OnnxTensor(names[0] if len(names) == 1 else self.graph.node("Sum", *names), width=operation.out.size)

    def _copied(self, first: Copy, alike: Sequence[Operation]) -> OnnxTensor | None:
        """Keep a piece; with the last one return the buffer that they make."""
        pieces = self.pieces.setdefault(id(first.out.buffer), [])
        pieces.append((first.out, self._inputs(alike, 0)))
        if len(pieces) < self.copies[id(first.out.buffer)]:
            return None
        type_ = _common({tensor.type for _, tensor in pieces})
        members = max(tensor.members for _, tensor in pieces)
        places, start, names = np.zeros(first.out.buffer.size, np.int64), 0, []
        for out, tensor in pieces:
            places[out.index] = start + (np.arange(out.size) if tensor.width > 1 else 0)
            names.append(self._full(tensor, tensor.width, type_, members))
            start += tensor.width
        name = names[0] if len(names) == 1 else self.graph.node("Concat", *names, axis=2)
        whole = OnnxTensor(name, type_, members, start)
        return self._gathered(whole, View(Buffer(start), places))

    def _product(self, first: Product, alike: Sequence[Operation]) -> OnnxTensor:
        views = [operation.inputs[1] for operation in alike]
        if views[0].buffer.values is None:
            raise ExportError("ONNX cannot say products of two computed matrices yet")
        a, members = self._whole(alike, 0)
        matrices = _shared(_values(views)).reshape(-1, first.inner, first.columns)
        if first.rows > 1:
            a = self.graph.reshape(a, members, -1, first.inner)
        out = self.graph.node("MatMul", a, self.graph.constant(matrices, np.float32))
        members = max(members, len(matrices))
        width = first.rows * first.columns
        return OnnxTensor(self.graph.reshape(out, members, -1, width) if first.rows > 1 else out, FLOAT, members, width)

    def _correlation(self, first: Correlation, alike: Sequence[Operation]) -> OnnxTensor:
        """All members are groups of channels of one convolution; of shared inputs, its filters."""
        x, given = self._whole(alike, 0)
        used = [i for i in range(3) if first.space[i] > 1 or first.kernel[i] > 1] or [2]
        space, places = ([sizes[i] for i in used] for sizes in (first.space, first.places))
        kernels = _shared(_values([operation.inputs[1] for operation in alike]))
        members = max(given, len(kernels))
        kernels = np.broadcast_to(kernels, (members, kernels.shape[1]))
        kernels = kernels.reshape(members, -1, first.channels, first.filters).transpose(0, 3, 2, 1)
        kernel = kernels.reshape(-1, first.channels, *(first.kernel[i] for i in used))
        node, reshape = self.graph.node, self.graph.reshape
        x = node("Transpose", reshape(x, given, -1, math.prod(space), first.channels), perm=[1, 0, 3, 2])
        x = reshape(x, -1, given * first.channels, *space)
        settings = {"strides": [first.strides[i] for i in used], "dilations": [first.dilation[i] for i in used]}
        out = node("Conv", x, self.graph.constant(kernel, np.float32), group=given, **settings)
        out = node("Transpose", reshape(out, -1, members, first.filters, math.prod(places)), perm=[1, 0, 3, 2])
        width = math.prod(places) * first.filters
        return OnnxTensor(reshape(out, members, -1, width), FLOAT, members, width)

    def _reduction(self, first: Reduction, alike: Sequence[Operation]) -> OnnxTensor:
        x, members = self._whole(alike, 0)
        kind, out = f"Reduce{first.function.capitalize()}", first.out.size
        if out == 1:
            name = self.graph.node(kind, x, self.graph.constant([2]), keepdims=1)
        else:
            parts = self.graph.reshape(x, members, -1, out, first.inner)
            name = self.graph.node(kind, parts, self.graph.constant([3]), keepdims=0)
        return OnnxTensor(name, FLOAT, members, out)

    def _sorting(self, first: Sorting, alike: Sequence[Operation]) -> OnnxTensor:
        x, members = self._whole(alike, 0)
        parts = self.graph.reshape(x, members, -1, first.out.size // first.inner, first.inner)
        ordered, _ = self._ordered(parts, first.inner)
        return OnnxTensor(self.graph.reshape(ordered, members, -1, first.out.size), FLOAT, members, first.out.size)

    def _ordered(self, x: str, count: int) -> list[str]:
        """Return the smallest along the last axis in rising order, and their places."""
        return self.graph.node_of("TopK", [x, self.graph.constant([count])], 2, axis=-1, largest=0, sorted=1)

    def _rows(self, first: Rows, alike: Sequence[Operation]) -> OnnxTensor:
        numbers, members = self._whole(alike, 1)
        tables = _shared(_values([operation.inputs[0] for operation in alike])).reshape(-1, first.width)
        stacked = max(1, len(tables) * first.width // first.inputs[0].size)
        count = len(tables) // stacked
        node, one = self.graph.node, (1, 1, 1)
        zero = self.graph.constant(np.zeros(one), np.float32)
        end = self.graph.constant(np.full(one, count), np.float32)
        known = node("And", node("GreaterOrEqual", numbers, zero), node("Less", numbers, end))
        row = self.graph.cast(node("Where", known, numbers, zero), INTEGER)
        if stacked > 1:
            row = node("Add", row, self.graph.constant(np.arange(stacked).reshape(-1, 1, 1) * count))
        members = max(members, stacked)
        taken = node("Gather", self.graph.constant(tables, np.float32), row, axis=0)
        return OnnxTensor(self.graph.reshape(taken, members, -1, first.out.size), FLOAT, members, first.out.size)

    def _interpolation(self, first: Interpolation, alike: Sequence[Operation]) -> OnnxTensor:
        node, constant = self.graph.node, self.graph.constant
        x, members = self._whole(alike, 0)
        corners, values = (_values([view])[0].astype(np.float32) for view in first.inputs[1:])
        reached = node("GreaterOrEqual", node("Unsqueeze", x, constant([3])), constant(corners, np.float32))
        count = node("ReduceSum", self.graph.cast(reached, INTEGER), constant([3]), keepdims=0)
        last = len(corners) - 2
        low = node("Max", node("Min", node("Sub", count, constant([1])), constant([last])), constant([0]))
        widths = np.diff(corners)
        slopes = np.divide(np.diff(values), widths, out=np.zeros_like(widths), where=widths > 0)
        start, begin, slope = (
            node("Gather", constant(table, np.float32), low, axis=0) for table in (corners[:-1], values[:-1], slopes)
        )
        ends = [constant(np.float32(end), np.float32) for end in (corners[0], corners[-1])]
        within = node("Min", node("Max", x, ends[0]), ends[1])
        out = node("Add", begin, node("Mul", slope, node("Sub", within, start)))
        return OnnxTensor(out, FLOAT, members, first.out.size)

    def _nearest(self, first: Nearest, alike: Sequence[Operation]) -> OnnxTensor:
        """Distances by a product, in double precision since it subtracts large squares."""
        node, constant = self.graph.node, self.graph.constant
        x = self.graph.cast(self._whole(alike, 0)[0], DOUBLE)
        rows = _values([first.inputs[1]]).reshape(-1, first.inputs[0].size).astype(np.float64)
        squares = node("ReduceSum", node("Mul", x, x), constant([2]), keepdims=1)
        product = node("MatMul", x, constant(-2.0 * rows.T, np.float64))
        away = node("Add", node("Add", squares, product), constant((rows**2).sum(axis=1), np.float64))
        nearest, _ = self._ordered(node("Max", away, constant(0.0, np.float64)), first.neighbours)
        mean = node("ReduceMean", node("Sqrt", nearest), constant([2]), keepdims=1)
        return OnnxTensor(self.graph.cast(mean, FLOAT))

    def _recurrence(self, first: Recurrence, alike: Sequence[Operation]) -> OnnxTensor:
        """A loop whose body does a turn of all members."""
        steps = [step for step in alike if isinstance(step, Recurrence)]
        graph, count, turns = self.graph, len(first.moving), first.turns
        body = copy.copy(self)
        body.graph = graph.body()
        given = [self._inputs(alike, i) for i in range(len(first.inputs))]
        members = max(tensor.members for tensor in given) if len(alike) == 1 else len(alike)
        moving, before = [], []
        for i, now in enumerate(first.moving):
            whole = self._full(given[i], turns * now.size, FLOAT)
            parts = graph.reshape(whole, given[i].members, -1, turns, now.size)
            (name,) = graph.fresh("now")
            moving.append(Carried(graph.node("Transpose", parts, perm=[2, 0, 1, 3]), name))
            body._keep(OnnxTensor(name, FLOAT, given[i].members, now.size), [step.moving[i] for step in steps])
        for i, buffer in enumerate(first.carried):
            (name,) = graph.fresh("carried")
            before.append((self._full(given[count + i], buffer.size, FLOAT, members), name))
            body._keep(OnnxTensor(name, FLOAT, members, buffer.size), [step.carried[i] for step in steps])
        for each in zip(*(step.body for step in steps), strict=True):
            body._print(each)
        after = [body._full(body._tensor([step.new[i] for step in steps]), buffer.size, FLOAT, members)
                 for i, buffer in enumerate(first.carried)]  # fmt: skip
        said = body._full(body._tensor([step.said for step in steps]), first.said.size, FLOAT, members)
        carried = [Carried(*names, new) for names, new in zip(before, after, strict=True)]
        *ends, outs = graph.scan(body.graph, carried, moving, said)
        outs = graph.node("Transpose", outs, perm=[1, 2, 0, 3])
        outs = graph.reshape(outs, members, -1, turns * first.said.size)
        return OnnxTensor(graph.node("Concat", outs, *ends, axis=2), FLOAT, members, first.out.size)

    def _foldsend(self, first: FoldsEnd, alike: Sequence[Operation]) -> OnnxTensor:
        """The ends by all scores in order, and the first up to which enough weight lies."""
        node, constant = self.graph.node, self.graph.constant
        means, stds = (self._whole(alike, i)[0] for i in (0, 1))
        scores, masses = (_values([view])[0] for view in first.inputs[2:])
        starts = np.asarray(first.starts)
        fold = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
        weights = np.concatenate([np.diff(part, prepend=0.0) for part in np.split(masses, starts[1:-1])])
        mean, std = (node("Gather", each, constant(fold), axis=2) for each in (means, stds))
        ends = node("Add", mean, node("Mul", std, constant(scores, np.float32)))
        ordered, places = self._ordered(ends, len(scores))
        held = node("CumSum", node("Gather", constant(weights, np.float64), places, axis=0), constant(2))
        enough = node("GreaterOrEqual", held, constant(first.share, np.float64))
        reached = node("Where", enough, ordered, constant(np.inf, np.float32))
        least = node("ReduceMin", reached, constant([2]), keepdims=1)
        pooled = node("Add", means, node("Mul", stds, constant(first.pooled, np.float32)))
        low, high = (node(kind, pooled, constant([2]), keepdims=1) for kind in ("ReduceMin", "ReduceMax"))
        return OnnxTensor(node("Max", node("Min", least, high), low))


def _common(types: set[str]) -> str:
    """Return a type that holds numbers of each of these types."""
    return next(iter(types)) if len(types) == 1 else DOUBLE if DOUBLE in types else FLOAT


def _values(views: Sequence[View]) -> np.ndarray:
    """Return the constants that views read, `(views, numbers)`."""
    return np.stack([view.buffer.values[view.index] for view in views])  # type: ignore[index]


def _shared(values: np.ndarray) -> np.ndarray:
    """Return one of constants that are the same for all members."""
    return values[:1] if (values == values[:1]).all() else values
