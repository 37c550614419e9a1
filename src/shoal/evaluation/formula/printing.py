"""Formulas of columns as people and programs read them: as text, in LaTeX and in NumPy."""

from __future__ import annotations

import keyword
import re
from collections.abc import Callable, Sequence
from typing import Any

from shoal.evaluation.formula.expression import Expression, gathered


def as_text(expression: Expression, names: Sequence[str]) -> str:
    """Return a formula with the names of the columns; those that are no plain words stand in backticks.

    Example:
        >>> from shoal.evaluation.formula.expression import import_sympy, symbols
        >>> x, y = symbols(2)
        >>> as_text(2.5 * import_sympy().sin(x) * y - 1.0, ["t", "m [kg]"])
        '2.5*`m [kg]`*sin(t) - 1'
    """
    from sympy.printing.str import StrPrinter

    words = [name if name.isidentifier() else f"`{name}`" for name in names]
    return _printed(expression, StrPrinter, words, number_text)


def as_latex(expression: Expression, names: Sequence[str]) -> str:
    r"""Return a formula in LaTeX.

    Example:
        >>> from shoal.evaluation.formula.expression import import_sympy, symbols
        >>> print(as_latex(2.5 * import_sympy().sqrt(symbols(1)[0]), ["L"]))
        2.5 \sqrt{L}
    """
    from sympy.printing.latex import LatexPrinter

    return _printed(expression, LatexPrinter, [latex_name(name) for name in names], _latex_number)


def as_numpy(expression: Expression, names: Sequence[str]) -> tuple[str, dict[str, str]]:
    """Return a formula as Python with NumPy as `np`, and the column that each of its variables stands for.

    Example:
        >>> from shoal.evaluation.formula.expression import import_sympy, symbols
        >>> as_numpy(import_sympy().exp(-0.5 * symbols(1)[0]), ["t [s]"])
        ('np.exp(-0.5*t_s)', {'t_s': 't [s]'})
    """
    from sympy.printing.numpy import NumPyPrinter

    words = identifiers(names)
    code = _printed(expression, NumPyPrinter, words, number_text, fully_qualified_modules=True)
    return code.replace("numpy.", "np."), dict(zip(words, names, strict=True))


def identifiers(names: Sequence[str]) -> list[str]:
    """Return a Python name for each column, all different.

    Example:
        >>> identifiers(["t [s]", "lambda", "t_s", "np", "2b"])
        ['t_s', 'lambda_', 't_s_2', 'np_', 'x_2b']
    """
    words: list[str] = []
    for name in names:
        word = re.sub(r"\W+", "_", name).strip("_") or "x"
        word = f"x_{word}" if word[0].isdigit() else word
        word = f"{word}_" if keyword.iskeyword(word) or word == "np" else word
        number, first = 2, word
        while word in words:
            word, number = f"{first}_{number}", number + 1
        words.append(word)
    return words


def number_text(value: float) -> str:
    """Return a constant with no more digits than it has been rounded to.

    Example:
        >>> number_text(2.0), number_text(0.25), number_text(1.5e-7)
        ('2', '0.25', '1.5e-07')
    """
    return f"{value:.12g}"


def latex_name(name: str) -> str:
    r"""Return the name of a column in LaTeX.

    Example:
        >>> print(latex_name("x"), latex_name("t_max"), latex_name("m [kg]"))
        x \mathrm{t\_max} \mathrm{m\ [kg]}
    """
    if len(name) == 1 and name.isalpha():
        return name
    clean = re.sub(r"([\\{}$%#&_^~])", lambda m: {"\\": r"\backslash "}.get(m[1], "\\" + m[1]), name)
    return r"\mathrm{" + clean.replace(" ", r"\ ") + "}"


def _latex_number(value: float) -> str:
    mantissa, _, exponent = number_text(value).partition("e")
    return rf"{mantissa} \cdot 10^{{{int(exponent)}}}" if exponent else mantissa


def _printed(
    expression: Expression, printer: Any, names: Sequence[str], number: Callable[[float], str], **settings: Any
) -> str:
    """Return a formula as a printer of SymPy writes it, with names of the columns and constants by `number`."""

    class ColumnPrinter(printer):
        def _print_Float(self, constant: Any) -> str:
            return number(float(constant))

        def _print_Symbol(self, symbol: Any, *_: Any, **__: Any) -> str:
            return names[int(symbol.name.removeprefix("x"))]

    return str(ColumnPrinter(settings).doprint(gathered(expression)))
