"""Formulas of columns: how long they are, what they hold, and their values.

They are SymPy's expressions of the symbols `x0`, `x1`, …, one for each column; SymPy gathers terms and factors.
"""

from __future__ import annotations

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
        return _length(base) + (1 if exponent == import_sympy().S.Half else 1 + _length(exponent))
    return (2 if expression.args else 1) + sum(_length(part) for part in expression.args)


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
        >>> from shoal.evaluation.formula.printing import as_text
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
    gathered_terms = []
    for size, group in groups.items():
        if len(group) == 1:
            gathered_terms.append(sympy.Mul(*group[0], evaluate=bool(group[0][1].is_number)))
            continue
        first = min(group, key=lambda term: term[1].sort_key())[0]
        inner = sympy.Add(*(rest if (factor > 0) == (first > 0) else -rest for factor, rest in group), evaluate=False)
        gathered_terms.append(sympy.Mul(size if first > 0 else -size, inner, evaluate=False))
    return sympy.Add(*gathered_terms, evaluate=False)


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
