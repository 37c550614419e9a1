"""Programs are run here, by NumPy, on many rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from shoal.export.source.fixed_point import FixedOperation
from shoal.export.source.operations import Operation, Program, View
from shoal.export.source.python import PythonPrinter
from shoal.export.source.python_helpers import ALWAYS, HELPERS

AT_ONCE = 1 << 23
"""Numbers of all arrays together that are held for a chunk of rows."""


class Evaluator(PythonPrinter):
    """Prints programs that may hold operations in fixed point, which compute themselves."""

    def __init__(self) -> None:
        super().__init__()
        self.fixed: list[FixedOperation] = []

    def printed(self, operations: Iterable[Operation]) -> list[str]:
        """Return the statements of operations."""
        lines: list[str] = []
        for operation in operations:
            if isinstance(operation, FixedOperation):
                self.numbers += operation.out.size
                lines += self._fixed(operation)
            else:
                lines += super().printed([operation])
        return lines

    def _fixed(self, step: FixedOperation) -> list[str]:
        self.fixed.append(step)
        value = f"fixed[{len(self.fixed) - 1}].computed({self.full(step.inputs[0])})"
        if step.out.is_all:
            return [f"{self.name(step.out.buffer)} = {value}"]
        begun, name = id(step.out.buffer) in self.names, self.name(step.out.buffer)
        first = [] if begun else [f"{name} = np.zeros((len(x), {step.out.buffer.size}), np.int64)"]
        return [*first, f"{name}[:, {self.places(step.out.index)}] = {value}"]


def chunks_of(program: Program, x: np.ndarray) -> Iterator[dict[int, np.ndarray]]:
    """Run a program on rows, and give for chunks of them the values of all buffers, by the identity of the buffers."""
    printer = Evaluator()
    lines = [*printer.program(program), "return locals()"]
    tables = [text for _, text in printer.tables.values()]
    heads = ["import base64, math", "import numpy as np", ALWAYS, *HELPERS.values(), *tables, "def values_of(x):"]
    names: dict[str, Any] = {"fixed": printer.fixed}
    exec("\n".join([*heads, *(f"    {line}" for line in lines)]), names)
    x = x.reshape(len(x), -1).astype(np.float64 if program.inputs.double else np.float32)
    rows = max(1, AT_ONCE // max(1, printer.numbers))
    for start in range(0, len(x), rows):
        with np.errstate(all="ignore"):
            values = names["values_of"](x[start : start + rows])
        yield {key: values[name] for key, name in printer.names.items()} | {id(program.inputs): values["x"]}


def outputs_of(program: Program, x: np.ndarray) -> dict[str, np.ndarray]:
    """Return the outputs of a program for rows."""
    chunks = [{name: read(values, view) for name, view in program.outputs.items()} for values in chunks_of(program, x)]
    return {name: np.concatenate([chunk[name] for chunk in chunks]) for name in program.outputs}


def read(values: Mapping[int, np.ndarray], view: View) -> np.ndarray:
    """Return what a view reads."""
    return values[id(view.buffer)][:, view.index]
