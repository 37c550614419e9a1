"""The functions of expressions of columns, by NumPy's names and those of Python's `math`, on expressions of polars."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce

import polars as pl

from shoal.errors import SettingError, suggest

CONSTANTS = {"pi": 3.141592653589793, "e": 2.718281828459045}
"""Names that stand for numbers where no column is called so."""

_OF_ONE: dict[str, Callable[[pl.Expr], pl.Expr]] = {
    "abs": pl.Expr.abs,
    "sign": pl.Expr.sign,
    "sqrt": pl.Expr.sqrt,
    "cbrt": pl.Expr.cbrt,
    "exp": pl.Expr.exp,
    "log": pl.Expr.log,
    "log2": lambda x: x.log(2.0),
    "log10": pl.Expr.log10,
    "log1p": pl.Expr.log1p,
    "sin": pl.Expr.sin,
    "cos": pl.Expr.cos,
    "tan": pl.Expr.tan,
    "arcsin": pl.Expr.arcsin,
    "arccos": pl.Expr.arccos,
    "arctan": pl.Expr.arctan,
    "sinh": pl.Expr.sinh,
    "cosh": pl.Expr.cosh,
    "tanh": pl.Expr.tanh,
    "arcsinh": pl.Expr.arcsinh,
    "arccosh": pl.Expr.arccosh,
    "arctanh": pl.Expr.arctanh,
    "degrees": pl.Expr.degrees,
    "radians": pl.Expr.radians,
    "floor": pl.Expr.floor,
    "ceil": pl.Expr.ceil,
    "round": lambda x: x.round(mode="half_to_even"),
}
_OF_TWO: dict[str, Callable[[pl.Expr, pl.Expr], pl.Expr]] = {
    "arctan2": pl.arctan2,
    "hypot": lambda a, b: _together(a, b, lambda x, y: (x * x + y * y).sqrt()),
}
_OF_SEVERAL: dict[str, Callable[[pl.Expr, pl.Expr], pl.Expr]] = {
    "minimum": lambda a, b: _together(a, b, lambda x, y: pl.when(x < y).then(x).otherwise(y)),
    "maximum": lambda a, b: _together(a, b, lambda x, y: pl.when(x > y).then(x).otherwise(y)),
}
_ALIASES = {"min": "minimum", "max": "maximum", "absolute": "abs", "rint": "round"} | {
    short: f"arc{short[1:]}" for short in ("asin", "acos", "atan", "atan2", "asinh", "acosh", "atanh")
}
_ARGUMENTS = dict.fromkeys(_OF_ONE, 1) | dict.fromkeys((*_OF_TWO, *_OF_SEVERAL), 2) | {"clip": 3, "where": 3, "col": 1}


def value_of(name: str, arguments: list[pl.Expr]) -> pl.Expr:
    """Return what a function makes of numbers; where an argument is missing, so is the result.

    Args:
        name: NumPy's or that of `math`: abs, arccos, arccosh, arcsin, arcsinh, arctan, arctan2, arctanh, cbrt, ceil,
            clip, cos, cosh, degrees, exp, floor, hypot, log, log10, log1p, log2, maximum, minimum, radians, round,
            sign, sin, sinh, sqrt, tan, tanh.
        arguments: floating-point expressions.

    Raises:
        SettingError: there is no such function, or it takes another number of arguments.
    """
    known = check_function(name, len(arguments))
    if known in _OF_ONE:
        return _OF_ONE[known](arguments[0])
    if known in _OF_TWO:
        return _OF_TWO[known](*arguments)
    if known in _OF_SEVERAL:
        return reduce(_OF_SEVERAL[known], arguments)
    x, low, high = arguments
    return value_of("minimum", [value_of("maximum", [x, low]), high])


def check_function(name: str, count: int) -> str:
    """Return a function's name here; SettingError if there is none, or it takes another number of arguments."""
    known = _ALIASES.get(name, name)
    if known not in _ARGUMENTS:
        near = suggest(name, [*_ARGUMENTS, *_ALIASES])
        raise SettingError(f"there is no function {name!r}; there are {', '.join(sorted(_ARGUMENTS))}.{near}")
    wanted, more = _ARGUMENTS[known], known in _OF_SEVERAL
    if count < wanted or (count > wanted and not more):
        expected = f"{wanted} argument{'s' if wanted > 1 else ''}{' or more' if more else ''}"
        raise SettingError(f"{name} takes {expected}, got {count}")
    return known


def without_nan(number: pl.Expr) -> pl.Expr:
    """Return a floating-point expression with nulls for NaN.

    polars writes its own `fill_nan` as a condition that holds the expression three times, so that nested ones grow as
    three to the power of their depth.
    """
    return number.map_batches(lambda series: series.fill_nan(None), return_dtype=pl.Float64, is_elementwise=True)


def _together(a: pl.Expr, b: pl.Expr, formula: Callable[[pl.Expr, pl.Expr], pl.Expr]) -> pl.Expr:
    """Return a formula of two numbers that are computed once, however often it names them, where both are there."""

    def computed(values: Sequence[pl.Series]) -> pl.Series:
        x, y = map(pl.lit, values)
        known = pl.when(x.is_not_null() & y.is_not_null()).then(formula(x, y))
        return pl.select(known.alias("value")).get_column("value")

    return pl.map_batches([a, b], computed, return_dtype=pl.Float64, is_elementwise=True)
