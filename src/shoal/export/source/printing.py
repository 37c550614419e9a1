"""What C and Fortran share: operations printed as loops over the places of flat arrays."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np

from shoal.export.source.answers import Programs
from shoal.export.source.operations import (
    Buffer,
    Copy,
    Correlation,
    Elementwise,
    FoldsEnd,
    Interpolation,
    Nearest,
    Product,
    Program,
    Recurrence,
    Reduction,
    Rows,
    Sorting,
    View,
    steps_of,
)
from shoal.export.source.places import Loop, Places, Step, in_loops

TRUTHS = ("set", "anomaly", "outside")
"""Outputs that are 0 or 1."""


def number(value: float) -> str:
    """Return a number of single precision with nine digits, which say it exactly.

    Example:
        >>> number(1.0), number(1e-12)
        ('1.0', '9.99999996e-13')
    """
    text = f"{np.float32(value):.9g}"
    return text if "." in text or "e" in text else f"{text}.0"


class LoopPrinter(ABC):
    """Prints the steps of programs; a language says how it writes each piece.

    Tables of constants and of places are collected while steps are printed, so that programs share them.
    """

    templates: dict[str, str]
    indent = "    "

    def __init__(self) -> None:
        self.constants: dict[int, tuple[str, Buffer]] = {}
        self.indices: dict[bytes, tuple[str, np.ndarray]] = {}
        self.helpers: set[str] = set()
        self.locals: dict[int, str] = {}
        self.work = self.shorts = 0

    def program(self, program: Program) -> list[str]:
        """Return the lines of a program."""
        program.mark_double()
        steps = in_loops(program.operations)
        self.lay_out(steps)
        return self.printed(steps)

    def lay_out(self, steps: Sequence[Step]) -> None:
        """Choose where the buffers lie."""
        self.places = Places.of(steps)
        self.work = max(self.work, self.places.size)

    def printed(self, steps: Sequence[Step]) -> list[str]:
        """Return the lines of steps."""
        return [line for step in steps for line in getattr(self, f"print_{type(step).__name__.lower()}")(step)]

    # What each language says by itself.

    @abstractmethod
    def literal(self, value: float, *, double: bool) -> str:
        """Return a number as it is written."""

    @abstractmethod
    def element(self, buffer: Buffer, index: str) -> str:
        """Return a number of a buffer."""

    @abstractmethod
    def table_element(self, name: str, index: str) -> str:
        """Return a number of a table of places."""

    @abstractmethod
    def remainder(self, a: str, count: int) -> str:
        """Return the remainder of a division."""

    @abstractmethod
    def quotient(self, a: str, count: int) -> str:
        """Return the whole part of a division."""

    @abstractmethod
    def loop(self, variable: str, size: int, body: Sequence[str]) -> list[str]:
        """Return a loop over a body."""

    @abstractmethod
    def assign(self, target: str, value: str) -> str:
        """Return an assignment."""

    @abstractmethod
    def start_local(self, name: str, value: str, *, double: bool) -> str:
        """Return the start of a local variable."""

    @abstractmethod
    def call(self, helper: str, *arguments: str | View | int) -> str:
        """Return the call of a helper."""

    # What they share.

    def index(self, view: View, i: str) -> str:
        """Return the place that a view reads for the number `i`."""
        loops = steps_of(view.index)
        if loops is None:
            key = view.index.astype(np.int64).tobytes()
            name, _ = self.indices.setdefault(key, (f"places_{len(self.indices)}", view.index))
            return self.table_element(name, i)
        offset, counts = loops
        terms, inner = [], 1
        for position, (count, step) in enumerate(reversed(counts)):
            if step:
                term = i if inner == 1 else self.quotient(_grouped(i), inner)
                if position < len(counts) - 1:
                    term = self.remainder(term, count)
                terms.append(term if step == 1 else f"{_grouped(term)} * {step}")
            inner *= count
        if offset or not terms:
            terms.insert(0, str(offset))
        return " + ".join(terms).replace("+ -", "- ")

    def read(self, view: View, i: str) -> str:
        """Return the expression of the number `i` of a view."""
        if id(view.buffer) in self.locals:
            return self.locals[id(view.buffer)]
        if view.constant is not None:
            return self.literal(view.constant, double=view.buffer.double)
        return self.element(view.buffer, self.index(view, i))

    def constant_name(self, buffer: Buffer) -> str:
        """Return the name of the table of a constant."""
        name, _ = self.constants.setdefault(id(buffer), (f"constants_{len(self.constants)}", buffer))
        return name

    def expression(self, step: Elementwise, values: list[str]) -> str:
        """Return the function of an elementwise operation of its operands."""
        if step.function == "cast" and not step.inputs[0].buffer.double:
            return values[0]
        if step.function == "sum":
            return " + ".join(values)
        return self.templates[step.function].format(*values)

    def print_loop(self, step: Loop) -> list[str]:
        """Elementwise operations: a local for each, and what is read later is stored."""
        body = []
        counts = {"v": 0, "d": 0}
        for operation in step.operations:
            values = [self.read(view, "i") for view in operation.inputs]
            double = operation.out.buffer.double
            expression = self.expression(operation, values)
            kind = "d" if double else "v"
            counts[kind] += 1
            name = f"{kind}{counts[kind]}"
            body.append(self.start_local(name, expression, double=double))
            self.locals[id(operation.out.buffer)] = name
            if id(operation.out.buffer) in self.places.offsets:
                body.append(self.assign(self.element(operation.out.buffer, self.index(operation.out, "i")), name))
        for operation in step.operations:
            del self.locals[id(operation.out.buffer)]
        return self.loop("i", step.size, body)

    def print_copy(self, step: Copy) -> list[str]:
        """One loop."""
        value = self.read(step.inputs[0], "i")
        out = step.out.buffer
        if out.name in TRUTHS:
            value = self.templates["truth"].format(value)
        return self.loop("i", step.out.size, [self.assign(self.element(out, self.index(step.out, "i")), value)])

    def print_recurrence(self, step: Recurrence) -> list[str]:
        """A loop over the turns."""
        given, begin = step.inputs[: len(step.moving)], step.inputs[len(step.moving) :]
        body = [line for view, now in zip(given, step.moving, strict=True) for line in self._moved(now, "", view, "t")]
        body += self.printed(in_loops(step.body))
        body += self._moved(step.out.buffer, "t", step.said, "")
        for new, buffer in zip(step.new, step.carried, strict=True):
            body += self._moved(buffer, "", new, "")
        lines = []
        for view, buffer in zip(begin, step.carried, strict=False):
            lines += self._moved(buffer, "", view, "")
        lines += self.loop("t", step.turns, body)
        at = step.turns * step.said.size
        for buffer in step.carried:
            lines += self._moved(step.out.buffer, str(at), View(buffer, np.arange(buffer.size)), "")
            at += buffer.size
        return lines

    def _moved(self, out: Buffer, at: str, view: View, turn: str) -> list[str]:
        """Return the loop that copies a view, or a part of it in each turn, to a buffer, or to a place of it."""
        size = out.size if turn else view.size
        to = f"{at} * {size} + i" if at == "t" else f"{at} + i" if at else "i"
        value = self.element(view.buffer, f"{turn} * {size} + i") if turn else self.read(view, "i")
        return self.loop("i", size, [self.assign(self.element(out, to), value)])

    def print_reduction(self, step: Reduction) -> list[str]:
        """Two loops."""
        first, value = (self.read(step.inputs[0], f"(i * {step.inner}{j})") for j in ("", " + j"))
        grown = self.templates[{"sum": "add"}.get(step.function, step.function)].format("total", value)
        begin = self.literal(0.0, double=False) if step.function == "sum" else first
        self.helpers.add("total")
        return self.loop("i", step.out.size, [
            self.assign("total", begin),
            *self.loop("j", step.inner, [self.assign("total", grown)]),
            self.assign(self.element(step.out.buffer, self.index(step.out, "i")), "total"),
        ])  # fmt: skip

    def print_sorting(self, step: Sorting) -> list[str]:
        """Copied, then sorted where it lies."""
        copied = self.print_copy(Copy(step.out, step.inputs))
        return [*copied, self.call("sort_rows", step.out, step.out.size // step.inner, step.inner)]

    def print_rows(self, step: Rows) -> list[str]:
        """A row of the table for each number."""
        table, numbers = step.inputs
        count = table.size // step.width
        return [self.call("take_rows", table, count, step.width, numbers, numbers.size, step.out)]

    def print_product(self, step: Product) -> list[str]:
        """A helper."""
        a, b = step.inputs
        return [self.call("product", a, step.rows, step.inner, b, step.columns, step.out)]

    def print_correlation(self, step: Correlation) -> list[str]:
        """A helper."""
        sizes = *step.space, *step.kernel, *step.strides, *step.dilation, *step.places, step.channels, step.filters
        return [self.call("correlate", *step.inputs, *sizes, step.out)]

    def print_interpolation(self, step: Interpolation) -> list[str]:
        """A helper for each number."""
        self.helpers.add("interpolate")
        x, corners, values = step.inputs
        arguments = self.read(x, "i"), self.start(corners), self.start(values), str(corners.size)
        target = self.element(step.out.buffer, self.index(step.out, "i"))
        return self.loop("i", step.out.size, [self.assign(target, f"interpolate({', '.join(arguments)})")])

    def print_nearest(self, step: Nearest) -> list[str]:
        """A helper."""
        x, rows = step.inputs
        return [self.call("mean_distance", x, x.size, rows, rows.size // x.size, step.neighbours, step.out)]

    def print_foldsend(self, step: FoldsEnd) -> list[str]:
        """A helper."""
        means, stds, scores, masses = step.inputs
        key = np.asarray(step.starts)
        name, _ = self.indices.setdefault(key.tobytes() + b"starts", (f"places_{len(self.indices)}", key))
        constants = [self.literal(value, double=False) for value in (step.pooled, step.share)]
        folds = len(step.starts) - 1
        return [self.call("folds_end", means, stds, folds, scores, masses, scores.size, name, *constants,
                          step.bisections, step.out)]  # fmt: skip

    @abstractmethod
    def start(self, view: View) -> str:
        """Return a reference to the first number of an array that a helper reads."""


def summed(offset: int, index: str) -> str:
    """Return the place of an element behind others, worked out where both are known."""
    if index.isdigit():
        return str(offset + int(index))
    return f"{offset} + {index}" if offset else index


def _grouped(text: str) -> str:
    return text if text.isidentifier() or (text.endswith(")") and text.startswith("(")) else f"({text})"


def needs(answers: Programs, printer: LoopPrinter) -> list[str]:
    """Return what a program needs and leaves out, a line each."""
    return [
        f"Written by shoal. Tables of constants: {constant_bytes(printer):,} bytes; working memory: "
        f"{4 * printer.work + 2 * printer.shorts:,} bytes;",
        f"about {answers.predict.count:,} operations for a row.",
        *answers.notes,
    ]


def constant_bytes(printer: LoopPrinter) -> int:
    """Return the bytes of all tables of constants and places."""
    numbers = sum(b.size * (b.bits // 8 or (8 if b.double else 4)) for _, b in printer.constants.values())
    return numbers + sum(
        len(index) * (2 if index.max(initial=0) < 65536 else 4) for _, index in printer.indices.values()
    )


def turns_once(variable: str, size: int, body: Sequence[str]) -> bool:
    """Return whether a loop has one turn, which does not ask for its variable."""
    return size == 1 and not re.search(rf"\b{variable}\b", "\n".join(body))
