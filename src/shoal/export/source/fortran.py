"""Models as Fortran 2008: one module, and a program beside it that checks it."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import numpy as np

from shoal.errors import ExportError
from shoal.export.example_rows import ExampleRows
from shoal.export.source.answers import Programs
from shoal.export.source.fortran_helpers import HELPERS
from shoal.export.source.identifiers import identifiers, remark
from shoal.export.source.operations import Buffer, Elementwise, View
from shoal.export.source.printing import TRUTHS, LoopPrinter, needs, number, summed, turns_once

TRUE = "abs({}) > 0.0_sp"
ONE_IF = "merge(1.0_sp, 0.0_sp, {})"
TEMPLATES = {
    "add": "{} + {}", "sub": "{} - ({})", "mul": "({}) * ({})", "div": "({}) / ({})", "neg": "-({})",
    "max": "merge({0}, {1}, {0} > {1} .or. ieee_is_nan({0}))",
    "min": "merge({0}, {1}, {0} < {1} .or. ieee_is_nan({0}))",
    "lt": ONE_IF.format("{} < {}"), "le": ONE_IF.format("{} <= {}"),
    "gt": ONE_IF.format("{} > {}"), "ge": ONE_IF.format("{} >= {}"),
    "eq": ONE_IF.format("{0} <= {1} .and. {0} >= {1}"), "ne": ONE_IF.format(".not. ({0} <= {1} .and. {0} >= {1})"),
    "and": ONE_IF.format("abs({}) > 0.0_sp .and. abs({}) > 0.0_sp"),
    "or": ONE_IF.format("abs({}) > 0.0_sp .or. abs({}) > 0.0_sp"),
    "not": ONE_IF.format(".not. abs({}) > 0.0_sp"), "where": "merge({1}, {2}, abs({0}) > 0.0_sp)",
    "exp": "exp({})", "expm1": "expm1({})", "log": "log({})", "log1p": "log1p({})", "tanh": "tanh({})",
    "sqrt": "sqrt({})", "abs": "abs({})", "erf": "erf({})", "cos": "cos({})",
    "sign": "merge(1.0_sp, 0.0_sp, {0} > 0.0_sp) - merge(1.0_sp, 0.0_sp, {0} < 0.0_sp)",
    "isnan": ONE_IF.format("ieee_is_nan({})"), "cast": "real({}, sp)", "truth": TRUE,
}  # fmt: skip
LONGEST = 120
LINES = 250
"""Of one statement: Fortran allows 255 that continue it."""
NAME = 20
"""Letters of the beginning of all names: 63 are allowed, and columns take 31."""


class FortranPrinter(LoopPrinter):
    """Prints steps as Fortran."""

    templates = TEMPLATES

    def literal(self, value: float, *, double: bool) -> str:
        """As `1.0_sp`, or `1.0_dp` in double precision."""
        kind = "dp" if double else "sp"
        if not math.isfinite(value):
            which = "quiet_nan" if value != value else f"{'positive' if value > 0 else 'negative'}_inf"
            return f"ieee_value(0.0_{kind}, ieee_{which})"
        text = repr(float(value)) if double else number(value)
        return f"({text}_{kind})" if text.startswith("-") else f"{text}_{kind}"

    def element(self, buffer: Buffer, index: str) -> str:
        """As `work(3 + i)`."""
        if buffer.values is not None:
            return f"{self.constant_name(buffer)}({index})"
        if buffer.name is not None:
            return f"x({index})" if buffer.name == "x" else f"answer%{buffer.name}({summed(1, index)})"
        return f"work({summed(self.places.offsets[id(buffer)], index)})"

    def table_element(self, name: str, index: str) -> str:
        """As `places_0(i)`."""
        return f"{name}({index})"

    def remainder(self, a: str, count: int) -> str:
        """As `mod(i, 3)`."""
        return f"mod({a}, {count})"

    def quotient(self, a: str, count: int) -> str:
        """As a function, for compilers warn of whole parts of constants."""
        self.helpers.add("quotient")
        return f"quotient({a}, {count})"

    def loop(self, variable: str, size: int, body: Sequence[str]) -> list[str]:
        """A `do` loop, or its body where there is one turn."""
        if turns_once(variable, size, body):
            return list(body)
        return [f"do {variable} = 0, {size - 1}", *(f"  {line}" for line in body), "end do"]

    def assign(self, target: str, value: str) -> str:
        """As `a = b`; the working memory is in single precision."""
        value = f"real({value}, sp)" if re.fullmatch(r"d\d+", value) else value
        return f"{target} = {value}"

    def start_local(self, name: str, value: str, *, double: bool) -> str:  # noqa: ARG002
        """As `v1 = ...`; declared on top."""
        return f"{name} = {value}"

    def expression(self, step: Elementwise, values: list[str]) -> str:
        """As the templates say, with all operands of the same kind where precision is double."""
        for word in ("expm1", "log1p"):
            if step.function == word:
                self.helpers.add(word)
        if step.function != "cast" and any(view.buffer.double for view in step.inputs):
            values = [
                v if self._is_double(view.buffer) else f"real({v}, dp)"
                for v, view in zip(values, step.inputs, strict=True)
            ]
        return super().expression(step, values)

    def _is_double(self, buffer: Buffer) -> bool:
        kept = buffer.values is None and buffer.name is None and id(buffer) not in self.locals
        return buffer.double and not kept

    def start(self, view: View) -> str:
        """As `work(3)`, with which an array begins."""
        return self.element(view.buffer, "0")

    def call(self, helper: str, *arguments: str | View | int) -> str:
        """As `call product(...)`."""
        self.helpers.add(helper)
        texts = [self.start(a) if isinstance(a, View) else str(a) for a in arguments]
        return f"call {helper}({', '.join(texts)})"


def wrapped(line: str) -> list[str]:
    """Return a statement in lines that are short enough."""
    margin = re.match(r" *", line)
    indent = margin.group() if margin else ""
    lines = []
    while len(line) > LONGEST:
        cut = line.rfind(" ", len(indent) + 8, LONGEST - 2)
        lines.append(f"{line[:cut]} &")
        line = f"{indent}    {line[cut + 1 :]}"
    return [*lines, line]


def table(kind: str, name: str, values: Sequence[str]) -> list[str]:
    """Return a table that never changes, as `data` statements of a size that every compiler takes."""
    lines = [f"{kind}, save :: {name}(0:{len(values) - 1})"]
    a_line = 10 if kind == "integer" else 5 if kind == "real(sp)" else 4
    for start in range(0, len(values), LINES * a_line):
        part = values[start : start + LINES * a_line]
        rows = [", ".join(part[i : i + a_line]) for i in range(0, len(part), a_line)]
        lines.append(f"data {name}({start}:{start + len(part) - 1}) / &")
        lines += [f"  {row}, &" for row in rows[:-1]] + [f"  {rows[-1]} /"]
    return lines


def source(name: str, answers: Programs, examples: ExampleRows | None) -> tuple[str, str]:
    """Return the source of the module of a predictor, and of the program that checks it, empty without examples.

    Args:
        name: the beginning of all public names.
        answers: the programs.
        examples: rows with the answers to them; or None.
    """
    printer = FortranPrinter()
    functions = _procedure(f"{name}_predict", printer, printer.program(answers.predict), answers, outside=False)
    if answers.outside is not None:
        body = [re.sub(r"answer%outside\([^)]*\)", "outside", line) for line in printer.program(answers.outside)]
        functions += ["", *_procedure(f"{name}_outside", printer, body, answers, outside=True)]
    for helper in sorted(printer.helpers - {"total"}):
        functions += ["", *HELPERS[helper].strip("\n").split("\n")]
    lines = [*_remarks(answers, printer), f"module {name}_model", "use, intrinsic :: ieee_arithmetic"]
    lines += ["use, intrinsic :: iso_fortran_env, only: sp => real32, dp => real64", "implicit none", "private"]
    lines += _public(name, answers) + _tables(printer)
    lines += ["contains", "", *functions, f"end module {name}_model"]
    text = "\n".join(short for line in lines for short in wrapped(line)) + "\n"
    return text, _program(name, answers, examples) if examples is not None else ""


def _remarks(answers: Programs, printer: LoopPrinter) -> list[str]:
    return [f"! {line}" for line in needs(answers, printer)]


def kind_of_inputs(answers: Programs) -> str:
    """Return the kind of the numbers of a row."""
    return "dp" if answers.predict.inputs.double else "sp"


def _public(name: str, answers: Programs) -> list[str]:
    """Return names of columns, codes and answers, and the type of the answers."""
    size = answers.predict.inputs.size
    lines = ["", f"integer, parameter, public :: {name}_inputs = {size}"]
    if answers.columns:
        lines += ["! The places of the columns in a row. NaN where a value is missing; truth values are 0 or 1,"]
        lines += ["! dates are days since 1970-01-01, categories are the codes below, -1 for any other."]
        lines += _names(f"{name}_column", [column.name for column in answers.columns], 1)
        for place, column in enumerate(answers.columns):
            if column.levels:
                lines += [f"! Codes of {remark(column.name)}.", *_names(f"{name}_code{place}", column.levels, 0)]
    else:
        lines += [f"! One row: {' x '.join(map(str, answers.shape))} numbers, the last axis runs fastest."]
    if answers.classes:
        lines += ["! Classes, in the order of the probabilities.", *_names(f"{name}_class", answers.classes, 1)]
    elif answers.targets:
        lines += ["! Targets, in the order of the answers.", *_names(f"{name}_target", answers.targets, 1)]
    lines += ["", f"type, public :: {name}_answer"]
    for output, view in answers.predict.outputs.items():
        lines.append(f"  {'logical' if output in TRUTHS else 'real(sp)'} :: {output}({view.size})")
    lines += [f"end type {name}_answer", "", f"public :: {name}_predict"]
    return [*lines, f"public :: {name}_outside"] if answers.outside is not None else lines


def _names(prefix: str, texts: Sequence[str], first: int) -> list[str]:
    return [
        f"integer, parameter, public :: {prefix}_{word} = {number} ! {remark(text)}"
        for number, (word, text) in enumerate(zip(identifiers(texts), texts, strict=True), first)
    ]


def _tables(printer: FortranPrinter) -> list[str]:
    lines = [""]
    for word, buffer in printer.constants.values():
        assert buffer.values is not None
        values = buffer.values if buffer.double else buffer.values.astype(np.float32)
        if not np.isfinite(values).all():
            raise ExportError("Fortran has no literal for the infinite numbers of this model. Export C instead: .c")
        kind = "dp" if buffer.double else "sp"
        texts = [f"{repr(v) if buffer.double else number(v)}_{kind}" for v in values.tolist()]
        lines += table(f"real({kind})", word, texts)
    for word, index in printer.indices.values():
        lines += table("integer", word, [str(i) for i in index.tolist()])
    return lines


def _procedure(name: str, printer: FortranPrinter, body: list[str], answers: Programs, *, outside: bool) -> list[str]:
    text = "\n".join(body)
    inputs = f"real({kind_of_inputs(answers)}), intent(in) :: x(0:{answers.predict.inputs.size - 1})"
    head = f"function {name}(x) result(outside)" if outside else f"subroutine {name}(x, answer)"
    lines = [head, f"  {inputs}"]
    prefix = name.rsplit("_", 1)[0]
    lines.append("  logical :: outside" if outside else f"  type({prefix}_answer), intent(out) :: answer")
    if "work(" in text:
        lines += ["  real(sp), allocatable :: work(:)"]
    counters = [v for v in ("i", "j", "t") if f"do {v} = " in text]
    lines += [f"  integer :: {', '.join(counters)}"] if counters else []
    lines += ["  real(sp) :: total"] if "total = " in text else []
    for letter, kind in (("v", "sp"), ("d", "dp")):
        used = sorted(set(re.findall(rf"\b{letter}\d+\b", text)), key=lambda word: int(word[1:]))
        lines += [f"  real({kind}) :: {', '.join(used)}"] if used else []
    lines += [f"  allocate (work(0:{max(printer.places.size, 1) - 1}))"] if "work(" in text else []
    end = f"end {'function' if outside else 'subroutine'} {name}"
    return [*lines, *(f"  {line}" for line in body), end]


def _program(name: str, answers: Programs, examples: ExampleRows) -> str:
    """Return the program that compares the answers to the examples."""
    kind, rows = kind_of_inputs(answers), len(examples)
    flat = examples.inputs.reshape(rows, -1)
    lines = [f"program {name}_check", f"use {name}_model", "use, intrinsic :: ieee_arithmetic"]
    kinds = "sp => real32, dp => real64" if kind == "dp" else "sp => real32"
    lines += [f"use, intrinsic :: iso_fortran_env, only: {kinds}", "implicit none"]
    numbers = flat.ravel()
    texts = [(repr(v) if kind == "dp" else number(v)) + f"_{kind}" for v in np.nan_to_num(numbers).tolist()]
    lines += table(f"real({kind})", "given", texts)
    missing = np.flatnonzero(np.isnan(numbers))
    for output, values in examples.answers.items():
        lines += table("real(sp)", f"wanted_{output}", [f"{number(v)}_sp" for v in values.ravel().tolist()])
    lines += [f"type({name}_answer) :: answer", "real(sp) :: largest", "integer :: row, flags"]
    lines += ["largest = 0.0_sp", "flags = 0"]
    lines += [f"given({place}) = ieee_value(0.0_{kind}, ieee_quiet_nan)" for place in missing.tolist()]
    lines += [f"do row = 0, {rows - 1}", f"  call {name}_predict(given(row * {flat.shape[1]}:), answer)"]
    for output, values in examples.answers.items():
        size = values.reshape(rows, -1).shape[1]
        part = f"wanted_{output}(row * {size}:row * {size} + {size - 1})"
        if output == "outside":
            said = f"{name}_outside(given(row * {flat.shape[1]}:))"
            lines += [f"  if ({said} .neqv. wanted_outside(row) > 0.5_sp) flags = flags + 1"]
        elif output in TRUTHS:
            lines += [f"  flags = flags + count(answer%{output} .neqv. {part} > 0.5_sp)"]
        else:
            lines += [f"  call compare(answer%{output}, {part})"]
    lines += ["end do", f'write (*, "(a, es8.1, a, i0, a)") "{rows} {examples.kind} rows: largest difference", &']
    lines += ['  largest, ", ", flags, " flags differ"', "if (largest > 1.0e-5_sp .or. flags > 0) error stop 1"]
    lines += _COMPARE.strip("\n").split("\n")
    return "\n".join(short for line in [*lines, f"end program {name}_check"] for short in wrapped(line)) + "\n"


_COMPARE = """
contains

subroutine compare(said, wanted)
  real(sp), intent(in) :: said(:), wanted(:)
  real(sp) :: off
  integer :: i
  do i = 1, size(said)
    off = abs(said(i) - wanted(i)) / (1.0_sp + abs(wanted(i)))
    if (.not. off <= largest) largest = merge(huge(off), off, ieee_is_nan(off))
  end do
end subroutine compare
"""
