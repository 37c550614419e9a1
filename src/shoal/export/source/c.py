"""C99: one file and its header, no allocation, no library but `math.h`."""

from __future__ import annotations

from collections.abc import Sequence

from shoal.export.example_rows import ExampleRows
from shoal.export.source.answers import Programs
from shoal.export.source.c_helpers import HELPERS
from shoal.export.source.identifiers import identifiers, remark
from shoal.export.source.operations import Buffer, View
from shoal.export.source.printing import TRUTHS, LoopPrinter, needs, number, summed, turns_once

TEMPLATES = {
    "add": "{} + {}", "sub": "{} - ({})", "mul": "({}) * ({})", "div": "({}) / ({})", "neg": "-({})",
    "max": "({0} > {1} || {0} != {0}) ? {0} : {1}", "min": "({0} < {1} || {0} != {0}) ? {0} : {1}",
    "lt": "(float)({} < {})", "le": "(float)({} <= {})", "gt": "(float)({} > {})", "ge": "(float)({} >= {})",
    "eq": "(float)({} == {})", "ne": "(float)({} != {})", "and": "(float)({} != 0.0f && {} != 0.0f)",
    "or": "(float)({} != 0.0f || {} != 0.0f)", "not": "(float)({} == 0.0f)", "where": "({} != 0.0f) ? {} : {}",
    "exp": "expf({})", "expm1": "expm1f({})", "log": "logf({})", "log1p": "log1pf({})", "tanh": "tanhf({})",
    "sqrt": "sqrtf({})", "abs": "fabsf({})", "erf": "erff({})", "cos": "cosf({})",
    "sign": "(float)(({0} > 0.0f) - ({0} < 0.0f))", "isnan": "(float)isnan({})", "cast": "(float)({})",
    "truth": "{} != 0.0f",
}  # fmt: skip


class CPrinter(LoopPrinter):
    """Prints steps as C."""

    templates = TEMPLATES
    helper_texts = HELPERS
    headers: tuple[str, ...] = ("math.h",)

    def literal(self, value: float, *, double: bool) -> str:
        """As `1.0f`, or `1.0` in double precision."""
        if value != value:
            return "NAN"
        if abs(value) == float("inf"):
            return "INFINITY" if value > 0 else "(-INFINITY)"
        text = repr(float(value)) if double else f"{number(value)}f"
        return f"({text})" if text.startswith("-") else text

    def element(self, buffer: Buffer, index: str) -> str:
        """As `work[3 + i]`."""
        if buffer.values is not None:
            return f"{self.constant_name(buffer)}[{index}]"
        if buffer.name is not None:
            return f"x[{index}]" if buffer.name == "x" else f"answer->{buffer.name}[{index}]"
        return f"work[{summed(self.places.offsets[id(buffer)], index)}]"

    def table_element(self, name: str, index: str) -> str:
        """As `places_0[i]`."""
        return f"{name}[{index}]"

    def remainder(self, a: str, count: int) -> str:
        """As `i % 3`."""
        return f"{a} % {count}"

    def quotient(self, a: str, count: int) -> str:
        """As `i / 3`."""
        return f"{a} / {count}"

    def loop(self, variable: str, size: int, body: Sequence[str]) -> list[str]:
        """A `for` loop, or a block where there is one turn."""
        if turns_once(variable, size, body):
            return [*body] if len(body) == 1 else ["{", *(f"    {line}" for line in body), "}"]
        head = f"for ({variable} = 0; {variable} < {size}; ++{variable})"
        if len(body) == 1:
            return [head, f"    {body[0]}"]
        return [f"{head} {{", *(f"    {line}" for line in body), "}"]

    def assign(self, target: str, value: str) -> str:
        """As `a = b;`."""
        return f"{target} = {value};"

    def start_local(self, name: str, value: str, *, double: bool) -> str:
        """As `const float v1 = ...;`."""
        return f"const {'double' if double else 'float'} {name} = {value};"

    def start(self, view: View) -> str:
        """As `work + 3`."""
        buffer = view.buffer
        if buffer.values is not None:
            return self.constant_name(buffer)
        return "x" if buffer.name == "x" else f"work + {self.places.offsets[id(buffer)]}"

    def call(self, helper: str, *arguments: str | View | int) -> str:
        """As `helper(...);`."""
        self.helpers.add(helper)
        texts = [self.start(a) if isinstance(a, View) else str(a) for a in arguments]
        return f"{helper}({', '.join(texts)});"


def table(kind: str, name: str, values: Sequence[str]) -> list[str]:
    """Return a static table, a few numbers a line."""
    lines = [f"    {', '.join(values[i : i + 8])}" for i in range(0, len(values), 8)]
    return [f"static const {kind} {name}[{len(values)}] = {{", ",\n".join(lines), "};"]


def header(name: str, answers: Programs, printer: CPrinter) -> str:
    """Return the header."""
    guard, kind = name.upper(), input_type(answers)
    lines = [f"#ifndef {guard}_H", f"#define {guard}_H", "", *_inputs(guard, answers), ""]
    if answers.classes:
        lines += _codes(f"{guard}_CLASS", answers.classes, "Classes, in the order of the probabilities.")
    elif answers.targets:
        lines += _codes(f"{guard}_TARGET", answers.targets, "Targets, in the order of the answers.")
    lines += ["", f"#define {guard}_WORK {max(printer.work, 1)} /* numbers of working memory */"]
    if printer.shorts:
        lines += [f"#define {guard}_SHORTS {printer.shorts} /* whole numbers of working memory */"]
        lines += ["#include <stdint.h>"]
    lines += ["", "typedef struct {"]
    for output, view in answers.predict.outputs.items():
        lines.append(f"    {'int' if output in TRUTHS else 'float'} {output}[{view.size}];")
    lines += [f"}} {name}_answer;", "", "#ifdef __cplusplus", 'extern "C" {', "#endif"]
    lines += [f"{_predict(name, answers, printer)};"]
    if answers.outside is not None:
        lines += ["/* 1 if the row lies outside the region of the training rows. */"]
        lines += [f"int {name}_outside(const {kind} *x, float *work);"]
    return "\n".join([*lines, "#ifdef __cplusplus", "}", "#endif", "", "#endif", ""])


def _predict(name: str, answers: Programs, printer: CPrinter) -> str:
    shorts = ", int16_t *shorts" if printer.shorts else ""
    return f"void {name}_predict(const {input_type(answers)} *x, {name}_answer *answer, float *work{shorts})"


def input_type(answers: Programs) -> str:
    """Return the type of the inputs: double where a column has digits that single precision would lose."""
    return "double" if answers.predict.inputs.double else "float"


def _inputs(guard: str, answers: Programs) -> list[str]:
    size = answers.predict.inputs.size
    lines = [f"#define {guard}_INPUTS {size}"]
    if not answers.columns:
        return [*lines, f"/* One row: {' x '.join(map(str, answers.shape))} numbers, the last axis runs fastest. */"]
    lines += ["/* The places of the columns in a row. NAN where a value is missing; truth values are 0 or 1,",
              "   dates are days since 1970-01-01, categories are the codes below, -1 for any other. */"]  # fmt: skip
    lines += _codes(f"{guard}_COLUMN", [column.name for column in answers.columns], None)
    for place, column in enumerate(answers.columns):
        if column.levels:
            lines += _codes(f"{guard}_CODE{place}", column.levels, f"Codes of {remark(column.name)}.")
    return lines


def _codes(prefix: str, texts: Sequence[str], title: str | None) -> list[str]:
    words = identifiers(texts)
    lines = [f"/* {title} */"] if title else []
    entries = [
        f"    {prefix}_{word} = {i}{',' if i < len(words) - 1 else ''} /* {remark(text)} */"
        for i, (word, text) in enumerate(zip(words, texts, strict=True))
    ]
    return [*lines, "enum {", *entries, "};"]


def source(
    name: str, answers: Programs, examples: ExampleRows | None, printer: CPrinter | None = None, tolerance: float = 1e-5
) -> tuple[str, str]:
    """Return the source and the header of a predictor.

    Args:
        name: the beginning of all names.
        answers: the programs.
        examples: rows with the answers to them, which the driver compares; or None.
        printer: what prints the programs; by default in floating point.
        tolerance: of the driver.
    """
    printer = printer or CPrinter()
    body = printer.program(answers.predict)
    functions = [_predict(name, answers, printer), "{", *_body(body)]
    if answers.outside is not None:
        body = printer.program(answers.outside)
        body[-1] = body[-1].replace("answer->outside[0]", "outside").replace("answer->outside[i]", "outside")
        kind = input_type(answers)
        functions += ["", f"int {name}_outside(const {kind} *x, float *work)", "{", "    int outside = 0;"]
        functions += [*_body(body)[:-1], "    return outside;", "}"]
    head = ["/* " + "\n   ".join(needs(answers, printer)) + " */"]
    head += [*(f"#include <{header}>" for header in printer.headers), f'#include "{name}.h"']
    text = "\n".join(["", *_tables(printer), "", *_helpers(printer, answers), *functions, ""])
    main = _driver(name, answers, examples, printer, tolerance) if examples is not None else ""
    return "\n".join(head) + "\n" + text + main, header(name, answers, printer)


def _index_type(printer: CPrinter) -> str:
    largest = max((int(index.max(initial=0)) for _, index in printer.indices.values()), default=0)
    return "unsigned short" if largest < 65536 else "unsigned int"


def _tables(printer: CPrinter) -> list[str]:
    lines: list[str] = []
    for word, buffer in printer.constants.values():
        assert buffer.values is not None
        if buffer.bits:
            lines += table(f"int{buffer.bits}_t", word, [str(int(value)) for value in buffer.values])
        else:
            literals = [printer.literal(value, double=buffer.double) for value in buffer.values.tolist()]
            lines += table("double" if buffer.double else "float", word, literals)
    for word, index in printer.indices.values():
        lines += table(_index_type(printer), word, [str(i) for i in index.tolist()])
    return lines


def _helpers(printer: CPrinter, answers: Programs) -> list[str]:
    asked = [getattr(op, "neighbours", 1) for op in (answers.outside.operations if answers.outside else ())]
    return [
        text.replace("NEIGHBOURS", str(max(asked, default=1))).replace("INDEX", _index_type(printer))
        for helper, text in printer.helper_texts.items()
        if helper in printer.helpers
    ]


def _body(lines: list[str]) -> list[str]:
    text = "\n".join(lines)
    names = [v for v in ("i", "j", "t") if f"for ({v} = 0" in text]
    declared = [f"    int {', '.join(names)};"] if names else []
    declared += ["    float total;"] if "total" in text else []
    if "work[" not in text and "work +" not in text:
        declared.append("    (void)work;")
    return [*declared, *(f"    {line}" for line in lines), "}"]


def _driver(name: str, answers: Programs, examples: ExampleRows, printer: CPrinter, tolerance: float) -> str:
    rows, expected = examples.inputs, examples.answers
    kind, guard = input_type(answers), name.upper()
    lines = ["", f"#ifdef {guard}_MAIN", "#include <stdio.h>"]
    flat = rows.reshape(len(rows), -1)
    literals = [printer.literal(v, double=kind == "double") for v in flat.ravel().tolist()]
    lines += table(kind, "given_rows", literals)
    for output, values in expected.items():
        literals = [printer.literal(v, double=False) for v in values.ravel().tolist()]
        lines += table("float", f"expected_{output}", literals)
    lines += ["int main(void)", "{", f"    static float work[{guard}_WORK];", f"    {name}_answer answer;"]
    lines += [f"    static int16_t shorts[{guard}_SHORTS];"] if printer.shorts else []
    lines += ["    float largest = 0.0f;", "    int row, i, wrong = 0;"]
    lines += [f"    for (row = 0; row < {len(rows)}; ++row) {{"]
    more = ", shorts" if printer.shorts else ""
    lines += [f"        {name}_predict(given_rows + row * {flat.shape[1]}, &answer, work{more});"]
    for output, values in expected.items():
        size = values.reshape(len(rows), -1).shape[1]
        if output == "outside":
            given = f"given_rows + row * {flat.shape[1]}"
            lines += [f"        wrong += {name}_outside({given}, work) != (int)expected_outside[row];"]
            continue
        lines += [f"        for (i = 0; i < {size}; ++i) {{"]
        lines += [f"            const float wanted = expected_{output}[row * {size} + i];"]
        if output in TRUTHS:
            lines += [f"            wrong += answer.{output}[i] != (int)wanted;", "        }"]
        else:
            lines += [
                f"            const float off = fabsf((float)answer.{output}[i] - wanted) / (1.0f + fabsf(wanted));"
            ]
            lines += ["            if (!(off <= largest))", "                largest = off;", "        }"]
    lines += ["    }"]
    said = f"{len(rows)} {examples.kind} rows: largest difference %.2g, %d flags differ"
    lines += [f'    printf("{said}\\n", (double)largest, wrong);']
    return "\n".join([*lines, f"    return largest <= {number(tolerance)}f && wrong == 0 ? 0 : 1;", "}", "#endif", ""])
