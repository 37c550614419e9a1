"""Models as Python with NumPy alone: one file, whose functions take many rows at once."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping

import numpy as np

from shoal.errors import ExportError
from shoal.export.example_rows import ExampleRows
from shoal.export.source.answers import Programs
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
    steps_of,
)
from shoal.export.source.printing import TRUTHS, number
from shoal.export.source.python_helpers import ALWAYS, CHECK, HELPERS

TEMPLATES = {
    "add": "{} + {}", "sub": "{} - {}", "mul": "{} * {}", "div": "{} / {}", "neg": "-{}",
    "max": "np.maximum({}, {})", "min": "np.minimum({}, {})",
    "lt": "{} < {}", "le": "{} <= {}", "gt": "{} > {}", "ge": "{} >= {}", "eq": "{} == {}", "ne": "{} != {}",
    "and": "{} & {}", "or": "{} | {}", "not": "~{}", "where": "np.where({}, {}, {})", "isnan": "np.isnan({})",
    "exp": "np.exp({})", "expm1": "np.expm1({})", "log": "np.log({})", "log1p": "np.log1p({})", "tanh": "np.tanh({})",
    "sqrt": "np.sqrt({})", "abs": "np.abs({})", "cos": "np.cos({})", "sign": "np.sign({})", "erf": "erf({})",
    "cast": "{}.astype(np.float32)",
}  # fmt: skip
TRUE_OR_FALSE = {"lt", "le", "gt", "ge", "eq", "ne", "and", "or", "not", "isnan"}
LITERALS = 24
"""So many numbers are written as they are; more as base64 of their bytes."""
AT_ONCE = 1 << 24
"""Numbers of a chunk of rows."""


class PythonPrinter:
    """Prints programs as statements on arrays `(rows, size)`."""

    def __init__(self) -> None:
        self.tables: dict[tuple[str, bytes], tuple[str, str]] = {}
        self.names: dict[int, str] = {}
        self.truths: set[int] = set()
        self.helpers: set[str] = set()
        self.numbers = 0

    def program(self, program: Program) -> list[str]:
        """Return the statements of a program."""
        program.mark_double()
        return self.printed(program.operations)

    def printed(self, operations: Iterable[Operation]) -> list[str]:
        """Return the statements of operations."""
        lines: list[str] = []
        for operation in operations:
            self.numbers += operation.out.size
            lines += getattr(self, f"print_{type(operation).__name__.lower()}")(operation)
        return lines

    def output(self, view: View) -> str:
        """Return what a function returns of an output."""
        text = self.names[id(view.buffer)]
        if view.buffer.name in TRUTHS and id(view.buffer) not in self.truths:
            text = f"({text} != 0)"
        return f"{text}[:, 0]" if view.buffer.name in ("score", "anomaly", "outside") else text

    # Names and tables.

    def name(self, buffer: Buffer) -> str:
        """Return the name of an array."""
        if buffer.name == "x":
            return "x"
        return self.names.setdefault(id(buffer), f"v{len(self.names)}")

    def table(self, word: str, values: np.ndarray) -> str:
        """Return the name of a table of constants or places, which is written once."""
        kind = "<i4" if values.dtype.kind == "i" else values.dtype.str
        key = (kind, values.tobytes())
        if key not in self.tables:
            count = sum(name.startswith(word) for name, _ in self.tables.values())
            self.tables[key] = (f"{word}_{count}", f"{word}_{count} = {_table(values, kind)}")
        return self.tables[key][0]

    def constant(self, view: View) -> str:
        """Return the name of a table with what a view reads of a constant."""
        assert view.buffer.values is not None
        kind = np.float64 if view.buffer.double else np.float32
        with np.errstate(over="ignore"):
            values = view.buffer.values.astype(kind)
        name = self.table("numbers", values)
        return name if view.is_all else f"{name}[{self.places(view.index)}]"

    def places(self, index: np.ndarray) -> str:
        """Return what stands in brackets to read places of an axis."""
        loops = steps_of(index)
        if loops is not None and all(step > 0 for _, step in loops[1]) and len(loops[1]) < 2:
            (count, step) = loops[1][0] if loops[1] else (1, 1)
            stop = loops[0] + (count - 1) * step + 1
            return f"{loops[0]}:{stop}" if step == 1 else f"{loops[0]}:{stop}:{step}"
        return self.table("places", index.astype("<i4"))

    def read(self, view: View) -> tuple[str, bool, bool]:
        """Return the expression of a view, and whether it has the axes of the rows and of the numbers."""
        if view.buffer.values is not None:
            if view.constant is not None:
                return literal(view.constant, double=view.buffer.double), False, False
            return self.constant(view), False, True
        name = self.name(view.buffer)
        if view.is_all:
            return name, True, True
        if view.size > 1 and (view.index == view.index[0]).all():
            return f"{name}[:, {view.index[0]}:{view.index[0] + 1}]", True, False
        return f"{name}[:, {self.places(view.index)}]", True, True

    def full(self, view: View) -> str:
        """Return the expression of a view with both axes."""
        text, rows, numbers = self.read(view)
        if view.constant is not None:
            return f"np.full((len(x), {view.size}), {text}, np.{'float64' if view.buffer.double else 'float32'})"
        return text if rows and (numbers or view.size == 1) else f"np.broadcast_to({text}, (len(x), {view.size}))"

    # Operations.

    def print_elementwise(self, step: Elementwise) -> list[str]:
        """One expression."""
        read = [self.read(view) for view in step.inputs]
        texts = [self._typed(step, place, text) for place, (text, _, _) in enumerate(read)]
        template = " + ".join(["{}"] * len(texts)) if step.function == "sum" else TEMPLATES[step.function]
        if step.function == "cast" and not step.inputs[0].buffer.double and texts[0].isidentifier():
            self.names[id(step.out.buffer)] = texts[0]
            return []
        if step.function == "erf":
            self.helpers.add("erf")
        expression = template.format(*texts)
        if step.function == "where" and not any(rows or numbers for _, rows, numbers in read[1:]):
            expression += ".astype(np.float32)"
        rows, numbers = (any(part[axis] for part in read) for axis in (1, 2))
        if not (rows and (numbers or step.out.size == 1)):
            expression = f"np.broadcast_to({expression}, (len(x), {step.out.size}))"
        if step.function in TRUE_OR_FALSE:
            self.truths.add(id(step.out.buffer))
        return [f"{self.name(step.out.buffer)} = {expression}"]

    def _typed(self, step: Elementwise, place: int, text: str) -> str:
        """Return an operand as what a function wants: a truth value or a number."""
        is_truth = id(step.inputs[place].buffer) in self.truths
        if step.function in ("and", "or", "not") or (step.function == "where" and place == 0):
            return text if is_truth else f"({text} != 0)"
        return f"{text}.astype(np.float32)" if is_truth else text

    def print_copy(self, step: Copy) -> list[str]:
        """An assignment, to a part of an array where it is one."""
        out = step.out.buffer
        if step.out.is_all:
            if id(step.inputs[0].buffer) in self.truths:
                self.truths.add(id(out))
            return [f"{self.name(out)} = {self.full(step.inputs[0])}"]
        begun, name = id(out) in self.names, self.name(out)
        first = [] if begun else [f"{name} = np.empty((len(x), {out.size}), np.float32)"]
        return [*first, f"{name}[:, {self.places(step.out.index)}] = {self.read(step.inputs[0])[0]}"]

    def print_product(self, step: Product) -> list[str]:
        """A product of matrices."""
        a, b = step.inputs
        if b.buffer.values is None:
            raise ExportError("Python with NumPy cannot say products of two arrays that are both computed of a row yet")
        matrix = self.constant(View(b.buffer, b.index)) + f".reshape({step.inner}, {step.columns})"
        if step.rows == 1:
            return [f"{self.name(step.out.buffer)} = {self.full(a)} @ {matrix}"]
        flat = f"({self.full(a)}.reshape(-1, {step.inner}) @ {matrix})"
        return [f"{self.name(step.out.buffer)} = {flat}.reshape(len(x), {step.out.size})"]

    def print_correlation(self, step: Correlation) -> list[str]:
        """A helper."""
        self.helpers.add("correlate")
        x, kernel = step.inputs
        a = f"{self.full(x)}.reshape({', '.join(map(str, (-1, *step.space, step.channels)))})"
        w = f"{self.constant(kernel)}.reshape({', '.join(map(str, (*step.kernel, step.channels, step.filters)))})"
        return [f"{self.name(step.out.buffer)} = correlate({a}, {w}, {step.strides}, {step.dilation}, {step.places})"]

    def print_reduction(self, step: Reduction) -> list[str]:
        """A sum, or the largest or smallest."""
        view, n = step.inputs[0], step.out.size
        is_truth = id(view.buffer) in self.truths
        text = self.full(view) + (".astype(np.float32)" if is_truth and step.function == "sum" else "")
        if is_truth and step.function != "sum":
            self.truths.add(id(step.out.buffer))
        grouped = f".{step.function}(axis=1, keepdims=True)" if n == 1 else (
            f".reshape(len(x), {n}, {step.inner}).{step.function}(axis=2)")  # fmt: skip
        return [f"{self.name(step.out.buffer)} = {text}{grouped}"]

    def print_recurrence(self, step: Recurrence) -> list[str]:
        """A loop over the turns."""
        out, carried = self.name(step.out.buffer), ", ".join(map(self.name, step.carried))
        given, begin = step.inputs[: len(step.moving)], step.inputs[len(step.moving) :]
        first = [self.full(view) for view, _ in zip(begin, step.carried, strict=False)]
        lines = [f"{out} = np.empty((len(x), {step.out.size}), np.float32)", f"{carried} = {', '.join(first)}"]
        lines += [f"for t in range({step.turns}):"]
        body = []
        for view, now in zip(given, step.moving, strict=True):
            body += [f"{self.name(now)} = {self.name(view.buffer)}[:, t * {now.size} : t * {now.size} + {now.size}]"]
        body += self.printed(step.body)
        size = step.said.size
        body += [f"{out}[:, t * {size} : t * {size} + {size}] = {self.read(step.said)[0]}"]
        body += [f"{carried} = {', '.join(map(self.full, step.new))}"]
        lines += [f"    {line}" for line in body]
        at = step.turns * size
        for buffer in step.carried:
            lines.append(f"{out}[:, {at}:{at + buffer.size}] = {self.name(buffer)}")
            at += buffer.size
        return lines

    def print_sorting(self, step: Sorting) -> list[str]:
        """Sorted along the last axis."""
        text = f"np.sort({self.full(step.inputs[0])}.reshape(len(x), -1, {step.inner}))"
        return [f"{self.name(step.out.buffer)} = {text}.reshape(len(x), {step.out.size})"]

    def print_interpolation(self, step: Interpolation) -> list[str]:
        """NumPy's own."""
        x, corners, values = step.inputs
        text = f"np.interp({self.full(x)}, {self.constant(corners)}, {self.constant(values)}).astype(np.float32)"
        return [f"{self.name(step.out.buffer)} = {text}"]

    def print_rows(self, step: Rows) -> list[str]:
        """A helper."""
        self.helpers.add("take_rows")
        table, numbers = step.inputs
        text = f"take_rows({self.constant(table)}.reshape(-1, {step.width}), {self.full(numbers)})"
        return [f"{self.name(step.out.buffer)} = {text}"]

    def print_nearest(self, step: Nearest) -> list[str]:
        """A helper."""
        self.helpers.add("mean_distance")
        x, rows = step.inputs
        known = f"{self.constant(rows)}.reshape(-1, {x.size})"
        return [f"{self.name(step.out.buffer)} = mean_distance({self.full(x)}, {known}, {step.neighbours})"]

    def print_foldsend(self, step: FoldsEnd) -> list[str]:
        """A helper."""
        self.helpers.add("folds_end")
        means, stds, scores, masses = step.inputs
        starts = self.table("places", np.asarray(step.starts, "<i4"))
        values = [self.full(means), self.full(stds), self.constant(scores), self.constant(masses), starts]
        values += [number(step.pooled), number(step.share), str(step.bisections)]
        return [f"{self.name(step.out.buffer)} = folds_end({', '.join(values)})"]


def literal(value: float, *, double: bool) -> str:
    """Return a number as Python writes it."""
    if not np.isfinite(value):
        return "np.nan" if value != value else ("np.inf" if value > 0 else "-np.inf")
    return repr(float(value)) if double else number(value)


def _table(values: np.ndarray, kind: str) -> str:
    loops = steps_of(values) if kind == "<i4" else None
    if loops is not None:
        return f"places({loops[0]}, {', '.join(map(str, loops[1]))})"
    if len(values) <= LITERALS:
        double = kind == "<f8"
        texts = [str(v) if kind == "<i4" else literal(v, double=double) for v in values.tolist()]
        return f"np.array([{', '.join(texts)}], {kind!r})"
    return packed(values.astype(kind))


def packed(values: np.ndarray) -> str:
    """Return an expression for an array as the text of its bytes."""
    text = base64.b64encode(values.tobytes()).decode()
    lines = "\n".join(text[i : i + 116] for i in range(0, len(text), 116))
    return f'unpacked({values.dtype.str!r}, """\n{lines}""")'


def source(name: str, answers: Programs, examples: ExampleRows | None) -> str:
    """Return the source of a predictor.

    Args:
        name: of the module.
        answers: the programs.
        examples: rows with the answers to them, which the file compares when it is run; or None.
    """
    printer = PythonPrinter()
    functions = [*_function(printer, "answers_of", answers.predict), ""]
    if answers.outside is not None:
        functions += [*_function(printer, "outside_of", answers.outside), ""]
    wide = max(answers.predict.inputs.size, printer.numbers)
    programs = ", ".join(["answers_of", *(["outside_of"] if answers.outside else [])])
    parts = [
        _head(name, answers),
        *_data(answers, max(1, AT_ONCE // wide)),
        ALWAYS,
        *(HELPERS[helper] for helper in HELPERS if helper in printer.helpers),
        "\n".join(functions),
        f"PROGRAMS = ({programs},)",
        "\n".join(text for _, text in printer.tables.values()),
    ]
    if examples is not None:
        parts.append(_check(examples, double=answers.predict.inputs.double))
    return "\n".join(parts) + "\n"


def _function(printer: PythonPrinter, name: str, program: Program) -> list[str]:
    lines = printer.program(program)
    said = ", ".join(f'"{key}": {printer.output(view)}' for key, view in program.outputs.items())
    return ["", f"def {name}(x):", *(f"    {line}" for line in lines), f"    return {{{said}}}"]


def _head(name: str, answers: Programs) -> str:
    about = [f"Written by shoal: about {answers.predict.count:,} operations for a row.", *answers.notes]
    said = ", ".join((*answers.predict.outputs, *(["outside"] if answers.outside else [])))
    if answers.columns:
        rows = f"`COLUMNS` names the {len(answers.columns)} numbers of a row; a dict of columns will do, too."
    else:
        rows = f"A row has {' x '.join(map(str, answers.shape))} numbers."
    text = ['"""A trained model. It needs NumPy and nothing else.', "", f"    import {name}"]
    text += [f"    answers = {name}.predict(rows)", "", rows, f"The answers are arrays: {said}.", *about, '"""']
    return "\n".join([*text, "", "import base64", "import math", "import sys", "", "import numpy as np", ""])


def _data(answers: Programs, rows_at_once: int) -> list[str]:
    """Return the names of columns, their codes, and those of the answers, as Python's own data."""
    columns = {column.name: column for column in answers.columns}
    codes: Mapping[str, tuple[str, ...]] = {key: column.levels for key, column in columns.items() if column.levels}
    lines = [f"SHAPE = {answers.shape!r}  # of a row"]
    lines += [] if columns else ["COLUMNS = KINDS = ()  # rows are no table"]
    if columns:
        lines += [
            "# NAN where a number is missing; truth values are 0 or 1, dates are days since 1970-01-01, and categories",
            "# are the places of their names in CODES, -1 for any other.",
            f"COLUMNS = {_tuple(columns)}",
            f"KINDS = {_tuple(column.kind for column in answers.columns)}",
            f"CODES = {{{', '.join(f'{key!r}: {_tuple(levels)}' for key, levels in codes.items())}}}",
        ]
    if answers.classes:
        lines.append(f"CLASSES = {_tuple(answers.classes)}  # in the order of the probabilities")
    elif answers.targets:
        lines.append(f"TARGETS = {_tuple(answers.targets)}  # in the order of the answers")
    kind = "np.float64" if answers.predict.inputs.double else "np.float32"
    lines += [f"DTYPE = {kind}", f"ROWS_AT_ONCE = {rows_at_once}"]
    return lines


def _tuple(texts: Iterable[str]) -> str:
    return repr(tuple(texts))


def _check(examples: ExampleRows, *, double: bool) -> str:
    given = examples.inputs.reshape(len(examples), -1).astype("<f8" if double else "<f4")
    lines = [f"GIVEN = {packed(given.ravel())}.reshape({given.shape[0]}, {given.shape[1]})", "EXPECTED = {"]
    for name, values in examples.answers.items():
        wanted = values.reshape(len(examples), -1).astype("<f4")
        lines.append(f'    "{name}": {packed(wanted.ravel())}.reshape({wanted.shape[0]}, {wanted.shape[1]}),')
    return "\n".join([*lines, "}", CHECK.replace("KIND", examples.kind)])
