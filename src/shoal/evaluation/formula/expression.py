"""Formulas of columns: how long they are, and how people and programs read them.

They are SymPy's expressions of the symbols `x0`, `x1`, …, one for each column; SymPy gathers terms and factors.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from shoal.errors import SettingError

Expression = Any
EXTRA = "formulas need an extra package. Install it with: pip install 'shoal[formula]'"


def import_sympy() -> Any:
    """Return SymPy.

    Raises:
        SettingError: it is not installed; the message names the extra.
    """
    try:
        import sympy
    except ImportError:
        raise SettingError(EXTRA) from None
    return sympy


def symbols(columns: int) -> list[Any]:
    """Return the symbols of so many columns."""
    sympy = import_sympy()
    return [sympy.Symbol(f"x{i}", real=True) for i in range(columns)]


def complexity(expression: Expression) -> int:
    """Return how long a formula is: one for each column, constant, operator and root, two for each other function.

    A minus sign that subtracts costs no more than a plus, and a division no more than a product.

    Example:
        >>> x, y = symbols(2)
        >>> complexity(2.5 * x / y - 1.5), complexity(2 * import_sympy().sqrt(x)), complexity(2.5 * x + 2.5 * y)
        (7, 4, 5)
    """
    return _length(gathered(expression))


def _length(expression: Expression) -> int:
    if expression.is_Add:
        return sum(_unsigned(part) for part in expression.args) + len(expression.args) - 1
    if expression.is_Mul:
        return _unsigned(expression) + (expression.args[0] == -1)
    if expression.is_Pow:
        base, exponent = expression.args
        if exponent.is_number and exponent.is_negative:
            return 2 + _length(base**-exponent)  # one over
        return _length(base) + (1 if exponent == _half() else 1 + _length(exponent))
    return (2 if expression.args else 1) + sum(_length(part) for part in expression.args)


def _half() -> Any:
    return import_sympy().Rational(1, 2)


def _unsigned(expression: Expression) -> int:
    """Return the length of a term without the minus sign before it."""
    if not expression.is_Mul:
        return _length(expression)
    above, below = [], []
    for factor in expression.args:
        if factor.is_Pow and factor.exp.is_number and factor.exp.is_negative:
            below.append(factor.base**-factor.exp)
        elif factor != -1:
            above.append(factor)
    parts = [*above, *below] if above else [import_sympy().Integer(1), *below]  # one over
    return sum(_length(part) for part in parts) + len(parts) - 1


def gathered(expression: Expression) -> Expression:
    """Return a formula in which a constant before several terms of a sum stands before all of them, as people write it.

    Example:
        >>> x, y = symbols(2)
        >>> as_text(2.5 * x - 2.5 * y + 1.5, ["x", "y"])
        '2.5*(x - y) + 1.5'
    """
    if not expression.args:
        return expression
    parts = [gathered(part) for part in expression.args]
    if expression.is_Add:
        return _gathered_sum(expression, parts)
    return expression if tuple(parts) == expression.args else expression.func(*parts, evaluate=False)


def _gathered_sum(expression: Expression, terms: list[Expression]) -> Expression:
    sympy = import_sympy()
    groups: dict[Any, list[tuple[Any, Any]]] = {}
    for term in terms:
        factor, rest = term.as_coeff_Mul() if term.is_Mul else (sympy.Integer(1), term)
        key = abs(factor) if factor.is_Float else len(groups) + sympy.I  # which no other term has
        groups.setdefault(key, []).append((factor, rest))
    if all(len(group) == 1 for group in groups.values()):
        return expression if tuple(terms) == expression.args else sympy.Add(*terms, evaluate=False)
    made = []
    for size, group in groups.items():
        if len(group) == 1:
            made.append(sympy.Mul(*group[0]) if group[0][1].is_number else sympy.Mul(*group[0], evaluate=False))
            continue
        least = min(group, key=lambda one: one[1].sort_key())[0]
        inner = [rest if (factor > 0) == (least > 0) else -rest for factor, rest in group]
        made.append(sympy.Mul(size if least > 0 else -size, sympy.Add(*inner, evaluate=False), evaluate=False))
    return sympy.Add(*made, evaluate=False)


def nests_waves(expression: Expression) -> bool:
    """Return whether a sine, cosine or tangent stands in another one, which fits anything and means nothing.

    Example:
        >>> sine, (x,) = import_sympy().sin, symbols(1)
        >>> nests_waves(sine(2 * sine(x))), nests_waves(sine(x) + sine(2 * x))
        (True, False)
    """
    sympy = import_sympy()
    waves = (sympy.sin, sympy.cos, sympy.tan)
    return any(inner.args[0].has(*waves) for inner in expression.atoms(*waves))


def constants_of(expression: Expression) -> list[Any]:
    """Return the constants of a formula that are fitted: its decimal numbers, not exponents and signs."""
    sympy = import_sympy()
    return sorted(expression.atoms(sympy.Float), key=lambda number: number.sort_key())


def function_of(expression: Expression, variables: Sequence[Any]) -> Callable[..., np.ndarray]:
    """Return a formula as a function of arrays, one for each variable."""
    sympy = import_sympy()
    function = sympy.lambdify(list(variables), expression, "numpy", cse=True)

    def values(*arrays: np.ndarray) -> np.ndarray:
        with np.errstate(all="ignore"):
            result = np.asarray(function(*arrays))
        if np.iscomplexobj(result):
            result = np.where(result.imag == 0, result.real, np.nan)
        rows = np.broadcast_shapes(*(np.shape(array) for array in arrays))
        return np.broadcast_to(np.asarray(result, np.float64), rows)

    return values


def as_text(expression: Expression, names: Sequence[str]) -> str:
    """Return a formula with the names of the columns; those that are no plain words stand in backticks.

    Example:
        >>> x, y = symbols(2)
        >>> as_text(2.5 * import_sympy().sin(x) * y - 1.0, ["t", "m [kg]"])
        '2.5*`m [kg]`*sin(t) - 1'
    """
    return _printer(names)[0](gathered(expression))


def as_latex(expression: Expression, names: Sequence[str]) -> str:
    r"""Return a formula in LaTeX.

    Example:
        >>> print(as_latex(2.5 * import_sympy().sqrt(symbols(1)[0]), ["L"]))
        2.5 \sqrt{L}
    """
    return _printer(names)[1](gathered(expression))


def as_numpy(expression: Expression, names: Sequence[str]) -> tuple[str, dict[str, str]]:
    """Return a formula as Python with NumPy as `np`, and the column that each of its variables stands for.

    Example:
        >>> as_numpy(import_sympy().exp(-0.5 * symbols(1)[0]), ["t [s]"])
        ('np.exp(-0.5*t_s)', {'t_s': 't [s]'})
    """
    words = identifiers(names)
    return _printer(names)[2](gathered(expression)), dict(zip(words, names, strict=True))


def identifiers(names: Sequence[str]) -> list[str]:
    """Return a Python name for each column, all different.

    Example:
        >>> identifiers(["t [s]", "lambda", "t_s", "np", "2b"])
        ['t_s', 'lambda_', 't_s_2', 'np_', 'x_2b']
    """
    found: list[str] = []
    for name in names:
        word = re.sub(r"\W+", "_", name).strip("_") or "x"
        word = f"x_{word}" if word[0].isdigit() else word
        word = f"{word}_" if keyword.iskeyword(word) or word == "np" else word
        number, first = 2, word
        while word in found:
            word, number = f"{first}_{number}", number + 1
        found.append(word)
    return found


def number_text(value: float) -> str:
    """Return a constant with no more digits than it has been rounded to.

    Example:
        >>> number_text(2.0), number_text(0.25), number_text(1.5e-7)
        ('2', '0.25', '1.5e-07')
    """
    return f"{value:.12g}"


def _printer(names: Sequence[str]) -> tuple[Callable[[Any], str], Callable[[Any], str], Callable[[Any], str]]:
    """Return what prints formulas of columns with these names as text, as LaTeX and as NumPy."""
    import_sympy()
    from sympy.printing.latex import LatexPrinter
    from sympy.printing.numpy import NumPyPrinter
    from sympy.printing.str import StrPrinter

    def column(expression: Any) -> int:
        return int(expression.name.removeprefix("x"))

    class Text(StrPrinter):
        def _print_Float(self, expression: Any) -> str:
            return number_text(float(expression))

        def _print_Symbol(self, expression: Any) -> str:
            name = names[column(expression)]
            return name if name.isidentifier() else f"`{name}`"

    class Latex(LatexPrinter):
        def _print_Float(self, expression: Any) -> str:
            mantissa, _, exponent = number_text(float(expression)).partition("e")
            return rf"{mantissa} \cdot 10^{{{int(exponent)}}}" if exponent else mantissa

        def _print_Symbol(self, expression: Any, *_: Any, **__: Any) -> str:
            return latex_name(names[column(expression)])

    class NumPy(NumPyPrinter):
        def _print_Float(self, expression: Any) -> str:
            return number_text(float(expression))

        def _print_Symbol(self, expression: Any) -> str:
            return identifiers(names)[column(expression)]

        def _module_format(self, fqn: str, *_: Any, **__: Any) -> str:
            return fqn.replace("numpy.", "np.")

    return Text().doprint, Latex().doprint, NumPy({"fully_qualified_modules": True}).doprint


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
