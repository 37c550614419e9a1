"""C99 with layers in fixed point: shorts lie in a working memory of their own."""

from __future__ import annotations

from collections.abc import Sequence

from shoal.export.source.c import CPrinter
from shoal.export.source.fixed_point import (
    BLOCK,
    Dequantise,
    Finish,
    FixedCorrelation,
    FixedProduct,
    FixedReduction,
    Quantise,
    Shifted,
)
from shoal.export.source.operations import Buffer, View
from shoal.export.source.places import Places, Step
from shoal.export.source.printing import summed

FIXED_HELPERS = {
    "quantised": """static int16_t quantised(float x, float scale)
{
    const float units = floorf(x * scale + 0.5f);
    return (int16_t)(units > 32767.0f ? 32767.0f : units > -32768.0f ? units : -32768.0f);
}
""",
    "rounded": """/* Divided by a power of two: compilers shift whole numbers to the right with their sign. */
static int32_t rounded(int32_t x, int shift)
{
    return shift > 0 ? (x + ((int32_t)1 << (shift - 1))) >> shift : x;
}
""",
    "shifted": """static int32_t shifted(int32_t x, int shift)
{
    const int32_t units = rounded(x, shift);
    return units > 32767 ? 32767 : units < -32768 ? -32768 : units;
}
""",
    "finished": """/* A sum in the unit of the output: as it is (0), above zero (1), or by a table (2). */
static int16_t finished(int32_t sum, int shift, int function, const int16_t *table)
{
    const int32_t x = shifted(sum, shift), place = (x + 32768) >> 8, rest = (x + 32768) & 255;
    if (function == 2)
        return (int16_t)(table[place] + ((((int32_t)table[place + 1] - table[place]) * rest + 128) >> 8));
    return (int16_t)(function == 1 && x < 0 ? 0 : x);
}
""",
    "fixed_product": """static void fixed_product(const int16_t *a, int rows, int inner, const int16_t *b, int columns,
                          const int32_t *bias, int early, int shift, int function, const int16_t *table,
                          int16_t *out)
{
    int i, j, k;
    for (i = 0; i < rows; ++i, a += inner)
        for (k = 0; k < columns; ++k) {
            int32_t total = bias[k], sum = 0;
            for (j = 0; j < inner; ++j) {
                sum += (int32_t)a[j] * b[j * columns + k];
                if (j % BLOCK == BLOCK - 1 || j == inner - 1) {
                    total += rounded(sum, early);
                    sum = 0;
                }
            }
            *out++ = finished(total, shift, function, table);
        }
}
""",
    "fixed_correlate": """static void fixed_correlate(const int16_t *x, const int16_t *kernel, int n1, int n2, int k0,
                            int k1, int k2, int s0, int s1, int s2, int d0, int d1, int d2, int p0, int p1, int p2,
                            int channels, int filters, const int32_t *bias, int early, int shift, int function,
                            const int16_t *table, int16_t *out)
{
    int a, b, c, i, j, k, l, f;
    for (a = 0; a < p0; ++a)
        for (b = 0; b < p1; ++b)
            for (c = 0; c < p2; ++c)
                for (f = 0; f < filters; ++f) {
                    const int16_t *w = kernel + f;
                    int32_t total = bias[f], sum = 0;
                    int count = 0;
                    for (i = 0; i < k0; ++i)
                        for (j = 0; j < k1; ++j)
                            for (k = 0; k < k2; ++k) {
                                const int line = (a * s0 + i * d0) * n1 + b * s1 + j * d1;
                                const int16_t *v = x + (line * n2 + c * s2 + k * d2) * channels;
                                for (l = 0; l < channels; ++l, w += filters) {
                                    sum += (int32_t)v[l] * *w;
                                    if (++count == BLOCK) {
                                        total += rounded(sum, early);
                                        sum = count = 0;
                                    }
                                }
                            }
                    *out++ = finished(total + rounded(sum, early), shift, function, table);
                }
}
""",
}
FIXED_HELPERS = {name: text.replace("BLOCK", str(BLOCK)) for name, text in FIXED_HELPERS.items()}
NEEDED = {"shifted": ("rounded",), "finished": ("shifted",), "fixed_product": ("finished",),
          "fixed_correlate": ("finished",)}  # fmt: skip
FUNCTIONS = ("none", "relu", "table")


class FixedCPrinter(CPrinter):
    """Prints steps of which some are in fixed point."""

    helper_texts = {**FIXED_HELPERS, **CPrinter.helper_texts}
    headers = ("math.h", "stdint.h")

    def lay_out(self, steps: Sequence[Step]) -> None:
        """Choose where the buffers lie, and where the shorts."""
        super().lay_out(steps)
        self.short_places = Places.of(steps, bits=16)
        self.shorts = max(self.shorts, self.short_places.size)

    def element(self, buffer: Buffer, index: str) -> str:
        """As `shorts[3 + i]`."""
        if buffer.bits and buffer.values is None:
            return f"shorts[{summed(self.short_places.offsets[id(buffer)], index)}]"
        return super().element(buffer, index)

    def start(self, view: View) -> str:
        """As `shorts + 3`."""
        if view.buffer.bits and view.buffer.values is None:
            return f"shorts + {self.short_places.offsets[id(view.buffer)]}"
        return super().start(view)

    def print_quantise(self, step: Quantise) -> list[str]:
        """One loop."""
        self.need("quantised")
        scale = self.literal(2.0**step.exponent, double=False)
        value = f"quantised({self.read(step.inputs[0], 'i')}, {scale})"
        return self.loop("i", step.out.size, [self.assign(self.element(step.out.buffer, "i"), value)])

    def print_dequantise(self, step: Dequantise) -> list[str]:
        """One loop."""
        scale = self.literal(2.0**-step.exponent, double=False)
        value = f"(float){self.element(step.inputs[0].buffer, 'i')} * {scale}"
        return self.loop("i", step.out.size, [self.assign(self.element(step.out.buffer, "i"), value)])

    def print_shifted(self, step: Shifted) -> list[str]:
        """One loop."""
        view, known = step.inputs[0], step.inputs[0].constant
        value = str(int(known)) if known is not None else self.element(view.buffer, self.index(view, "i"))
        if step.shift:
            self.need("shifted")
            value = f"(int16_t)shifted({value}, {step.shift})"
        out = self.element(step.out.buffer, self.index(step.out, "i"))
        return self.loop("i", step.out.size, [self.assign(out, value)])

    def print_fixedproduct(self, step: FixedProduct) -> list[str]:
        """A helper."""
        a, b, bias = step.inputs
        sizes = step.product.rows, step.product.inner, self.start(b), step.product.columns, self.start(bias)
        return [self.call("fixed_product", a, *sizes, step.finish.early, *self._finish(step.finish), step.out)]

    def print_fixedcorrelation(self, step: FixedCorrelation) -> list[str]:
        """A helper."""
        (x, kernel, bias), of = step.inputs, step.correlation
        sizes = *of.space[1:], *of.kernel, *of.strides, *of.dilation, *of.places, of.channels, of.filters
        return [
            self.call(
                "fixed_correlate", x, kernel, *sizes, bias, step.finish.early, *self._finish(step.finish), step.out
            )
        ]

    def print_fixedreduction(self, step: FixedReduction) -> list[str]:
        """Two loops."""
        self.need("finished")
        view = step.inputs[0]
        first, value = (self.element(view.buffer, self.index(view, f"(i * {step.inner}{j})")) for j in ("", " + j"))
        sign = {"max": ">", "min": "<"}.get(step.function)
        grown = f"sum + {value}" if sign is None else f"{value} {sign} sum ? {value} : sum"
        end = f"finished(sum, {', '.join(map(str, self._finish(step.finish)))})"
        return self.loop("i", step.out.size, [
            f"int32_t sum = {'0' if sign is None else first};",
            *self.loop("j", step.inner, [self.assign("sum", grown)]),
            self.assign(self.element(step.out.buffer, "i"), end),
        ])  # fmt: skip

    def call(self, helper: str, *arguments: str | View | int) -> str:
        """As `helper(...);`."""
        self.need(helper)
        return super().call(helper, *arguments)

    def need(self, helper: str) -> None:
        """Write a helper, and those that it calls."""
        self.helpers.add(helper)
        for other in NEEDED.get(helper, ()):
            self.need(other)

    def _finish(self, finish: Finish) -> tuple[int | str, ...]:
        table = "0" if finish.table is None else self.constant_name(finish.table)
        return finish.shift, FUNCTIONS.index(finish.function), table
