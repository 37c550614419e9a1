"""C99: one file and its header, no allocation, no library but `math.h`."""

from __future__ import annotations

from collections.abc import Sequence

from shoal.export.example_rows import ExampleRows
from shoal.export.source.answers import Answers
from shoal.export.source.identifiers import identifiers, remark
from shoal.export.source.operations import Buffer, View
from shoal.export.source.printing import TRUTHS, LoopPrinter, needs, number, turns_once

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

HELPERS = {
    "product": """static void product(const float *a, int rows, int inner, const float *b, int columns, float *out)
{
    int i, j, k;
    for (i = 0; i < rows; ++i, a += inner, out += columns) {
        for (k = 0; k < columns; ++k)
            out[k] = 0.0f;
        for (j = 0; j < inner; ++j)
            for (k = 0; k < columns; ++k)
                out[k] += a[j] * b[j * columns + k];
    }
}
""",
    "correlate": """static void correlate(const float *x, const float *kernel, int n0, int n1, int n2, int k0, int k1,
                      int k2, int s0, int s1, int s2, int d0, int d1, int d2, int p0, int p1, int p2, int channels,
                      int filters, float *out)
{
    int a, b, c, i, j, k, l, f;
    (void)n0;
    for (a = 0; a < p0; ++a)
        for (b = 0; b < p1; ++b)
            for (c = 0; c < p2; ++c, out += filters) {
                const float *w = kernel;
                for (f = 0; f < filters; ++f)
                    out[f] = 0.0f;
                for (i = 0; i < k0; ++i)
                    for (j = 0; j < k1; ++j)
                        for (k = 0; k < k2; ++k) {
                            const int line = (a * s0 + i * d0) * n1 + b * s1 + j * d1;
                            const float *v = x + (line * n2 + c * s2 + k * d2) * channels;
                            for (l = 0; l < channels; ++l, w += filters)
                                for (f = 0; f < filters; ++f)
                                    out[f] += v[l] * w[f];
                        }
            }
}
""",
    "interpolate": """static float interpolate(float x, const float *corners, const float *values, int count)
{
    int low = 0, high = count - 1;
    if (!(x > corners[0]))
        return x != x ? x : values[0];
    if (x >= corners[high])
        return values[high];
    while (high - low > 1) {
        const int middle = (low + high) / 2;
        if (x >= corners[middle])
            low = middle;
        else
            high = middle;
    }
    return values[low] + (values[high] - values[low]) * ((x - corners[low]) / (corners[high] - corners[low]));
}
""",
    "sort_rows": """static void sort_rows(float *x, int rows, int inner)
{
    int i, j;
    for (; rows > 0; --rows, x += inner)
        for (i = 1; i < inner; ++i) {
            const float value = x[i];
            for (j = i; j > 0 && x[j - 1] > value; --j)
                x[j] = x[j - 1];
            x[j] = value;
        }
}
""",
    "take_rows": """static void take_rows(const float *table, int rows, int width, const float *numbers, int count,
                      float *out)
{
    int i, j;
    for (i = 0; i < count; ++i) {
        const int row = numbers[i] >= 0.0f && numbers[i] < (float)rows ? (int)numbers[i] : 0;
        for (j = 0; j < width; ++j)
            out[i * width + j] = table[row * width + j];
    }
}
""",
    "mean_distance": """static void mean_distance(const float *x, int width, const float *rows, int count,
                          int neighbours, float *out)
{
    float nearest[NEIGHBOURS];
    float total = 0.0f;
    int i, j;
    for (i = 0; i < neighbours; ++i)
        nearest[i] = INFINITY;
    for (i = 0; i < count; ++i, rows += width) {
        float square = 0.0f;
        for (j = 0; j < width; ++j)
            square += (x[j] - rows[j]) * (x[j] - rows[j]);
        for (j = neighbours - 1; j > 0 && nearest[j - 1] > square; --j)
            nearest[j] = nearest[j - 1];
        if (nearest[j] > square)
            nearest[j] = square;
    }
    for (i = 0; i < neighbours; ++i)
        total += sqrtf(nearest[i]);
    *out = total / (float)neighbours;
}
""",
    "folds_end": """static void folds_end(const float *means, const float *stds, int folds, const float *scores,
                      const float *masses,
                      int count, const INDEX *starts, float pooled, float share, int bisections, float *out)
{
    float low = INFINITY, high = -INFINITY;
    int i;
    (void)count;
    for (i = 0; i < folds; ++i) {
        const float end = means[i] + pooled * stds[i];
        low = end < low ? end : low;
        high = end > high ? end : high;
    }
    for (; bisections > 0; --bisections) {
        const float middle = 0.5f * (low + high);
        float held = 0.0f;
        for (i = 0; i < folds; ++i) {
            const float size = (middle - means[i]) / stds[i];
            int first = (int)starts[i], last = (int)starts[i + 1];
            const int begin = first;
            while (first < last) {
                const int half = (first + last) / 2;
                if (scores[half] <= size)
                    first = half + 1;
                else
                    last = half;
            }
            held += first > begin ? masses[first - 1] : 0.0f;
        }
        if (held >= share)
            high = middle;
        else
            low = middle;
    }
    *out = high;
}
""",
}


class CPrinter(LoopPrinter):
    """Prints steps as C."""

    templates = TEMPLATES

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
        return f"work[{self._place(buffer, index)}]"

    def _place(self, buffer: Buffer, index: str) -> str:
        offset = self.places.offsets[id(buffer)]
        if index.isdigit():
            return str(offset + int(index))
        return f"{offset} + {index}" if offset else index

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


def header(name: str, answers: Answers, work: int) -> str:
    """Return the header."""
    guard = name.upper()
    lines = [f"#ifndef {guard}_H", f"#define {guard}_H", "", *_inputs(guard, answers), ""]
    if answers.classes:
        lines += _codes(f"{guard}_CLASS", answers.classes, "Classes, in the order of the probabilities.")
    elif answers.targets:
        lines += _codes(f"{guard}_TARGET", answers.targets, "Targets, in the order of the answers.")
    lines += ["", f"#define {guard}_WORK {max(work, 1)} /* numbers of working memory */", "", "typedef struct {"]
    for output, view in answers.predict.outputs.items():
        lines.append(f"    {'int' if output in TRUTHS else 'float'} {output}[{view.size}];")
    kind = input_type(answers)
    lines += [f"}} {name}_answer;", "", "#ifdef __cplusplus", 'extern "C" {', "#endif"]
    lines += [f"void {name}_predict(const {kind} *x, {name}_answer *answer, float *work);"]
    if answers.outside is not None:
        lines += ["/* 1 if the row lies outside the region of the training rows. */"]
        lines += [f"int {name}_outside(const {kind} *x, float *work);"]
    return "\n".join([*lines, "#ifdef __cplusplus", "}", "#endif", "", "#endif", ""])


def input_type(answers: Answers) -> str:
    """Return the type of the inputs: double where a column has digits that single precision would lose."""
    return "double" if answers.predict.inputs.double else "float"


def _inputs(guard: str, answers: Answers) -> list[str]:
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


def source(name: str, answers: Answers, examples: ExampleRows | None) -> tuple[str, str]:
    """Return the source and the header of a predictor.

    Args:
        name: the beginning of all names.
        answers: the programs.
        examples: rows with the answers to them, which the driver compares; or None.
    """
    printer = CPrinter()
    kind = input_type(answers)
    functions = [f"void {name}_predict(const {kind} *x, {name}_answer *answer, float *work)", "{"]
    functions += _body(printer.program(answers.predict))
    if answers.outside is not None:
        body = printer.program(answers.outside)
        body[-1] = body[-1].replace("answer->outside[0]", "outside").replace("answer->outside[i]", "outside")
        functions += ["", f"int {name}_outside(const {kind} *x, float *work)", "{", "    int outside = 0;"]
        functions += [*_body(body)[:-1], "    return outside;", "}"]
    tables: list[str] = []
    for word, buffer in printer.constants.values():
        assert buffer.values is not None
        literals = [printer.literal(value, double=buffer.double) for value in buffer.values.tolist()]
        tables += table("double" if buffer.double else "float", word, literals)
    largest = max((int(index.max(initial=0)) for _, index in printer.indices.values()), default=0)
    index_type = "unsigned short" if largest < 65536 else "unsigned int"
    for word, index in printer.indices.values():
        tables += table(index_type, word, [str(i) for i in index.tolist()])
    asked = [getattr(op, "neighbours", 1) for op in (answers.outside.operations if answers.outside else ())]
    neighbours = str(max(asked, default=1))
    helpers = [
        text.replace("NEIGHBOURS", neighbours).replace("INDEX", index_type)
        for helper, text in HELPERS.items()
        if helper in printer.helpers
    ]
    text = "\n".join(["", *tables, "", *helpers, *functions, ""])
    head = ["/* " + "\n   ".join(needs(answers, printer)) + " */", "#include <math.h>", f'#include "{name}.h"']
    main = _driver(name, answers, examples) if examples is not None else ""
    return "\n".join(head) + "\n" + text + main, header(name, answers, printer.work)


def _body(lines: list[str]) -> list[str]:
    text = "\n".join(lines)
    names = [v for v in ("i", "j", "t") if f"for ({v} = 0" in text]
    declared = [f"    int {', '.join(names)};"] if names else []
    declared += ["    float total;"] if "total" in text else []
    if "work[" not in text and "work +" not in text:
        declared.append("    (void)work;")
    return [*declared, *(f"    {line}" for line in lines), "}"]


def _driver(name: str, answers: Answers, examples: ExampleRows) -> str:
    rows, expected = examples.inputs, examples.answers
    kind, guard = input_type(answers), name.upper()
    printer = CPrinter()
    lines = ["", f"#ifdef {guard}_MAIN", "#include <stdio.h>"]
    flat = rows.reshape(len(rows), -1)
    literals = [printer.literal(v, double=kind == "double") for v in flat.ravel().tolist()]
    lines += table(kind, "given_rows", literals)
    for output, values in expected.items():
        literals = [printer.literal(v, double=False) for v in values.ravel().tolist()]
        lines += table("float", f"expected_{output}", literals)
    lines += ["int main(void)", "{", f"    static float work[{guard}_WORK];", f"    {name}_answer answer;"]
    lines += ["    float largest = 0.0f;", "    int row, i, wrong = 0;"]
    lines += [f"    for (row = 0; row < {len(rows)}; ++row) {{"]
    lines += [f"        {name}_predict(given_rows + row * {flat.shape[1]}, &answer, work);"]
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
    return "\n".join([*lines, "    return largest <= 1e-5f && wrong == 0 ? 0 : 1;", "}", "#endif", ""])
