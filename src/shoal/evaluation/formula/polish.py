"""From what the search found to short formulas: constants refitted, those that are not needed left out, digits too.

The loss is the mean of `((g - f) / σ)²` over points, with g the formula, f the ensemble and σ its error. What makes it
larger by a hundredth at most, of itself or of one where it is less, counts as no change.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from shoal.evaluation.formula.expression import (
    Expression,
    complexity,
    constants_of,
    function_of,
    import_sympy,
    number_text,
    symbols,
)

WORSE = 0.01
MOST_DIGITS = 8
MOST_CALLS = 20  # of a formula in one fit, for each constant


@dataclass(frozen=True)
class Points:
    """Where formulas are compared with the ensemble: `x` `(points, columns)`, `f` and its error `sigma` `(points,)`."""

    x: np.ndarray
    f: np.ndarray
    sigma: np.ndarray

    def some(self, most: int) -> Points:
        """Return at most so many of the points, evenly."""
        if len(self.f) <= most:
            return self
        taken = np.linspace(0, len(self.f) - 1, most).round().astype(int)
        return Points(self.x[taken], self.f[taken], self.sigma[taken])

    def loss(self, expression: Expression) -> float:
        """Return the mean of `((g - f) / σ)²`, infinite where the formula has no value at one of them."""
        off = (function_of(expression, symbols(self.x.shape[1]))(*self.x.T) - self.f) / self.sigma
        return float(np.mean(off**2)) if np.isfinite(off).all() else float("inf")


def polish(expression: Expression, points: Points, some: Points | None = None) -> tuple[Expression, float]:
    """Return a formula as short as it can be without being worse, and its loss.

    Args:
        expression: the formula.
        points: that its constants are fitted to.
        some: fewer of them, by which it is seen what may be left out; by default all.

    Example:
        >>> x = np.linspace(0.1, 3.0, 40)
        >>> points = Points(x[:, None], 2.0 * np.sqrt(x), np.full(40, 0.01))
        >>> str(polish(1.9 * import_sympy().sqrt(1.1 * symbols(1)[0] + 0.02) + 0.01, points)[0])
        '2.0*sqrt(x0)'
    """
    some = points if some is None else some
    short, loss = fitted(_shortest(expression), some)
    if not np.isfinite(loss):
        return short, loss
    short, _ = _without_idle(short, loss, some)
    short, loss = fitted(short, points)
    return _rounded(short, loss, points) if np.isfinite(loss) else (short, loss)


def fitted(expression: Expression, points: Points, fixed: Sequence[Any] = ()) -> tuple[Expression, float]:
    """Return a formula with its constants fitted by weighted least squares, from where they are, and its loss.

    Args:
        expression: the formula.
        points: that it is fitted to.
        fixed: constants that stay as they are.
    """
    sympy = import_sympy()
    constants = [constant for constant in constants_of(expression) if constant not in fixed]
    before = _loss(expression, points)
    if not constants or not np.isfinite(before) or len(points.f) < len(constants):
        return expression, before
    letters = [sympy.Symbol(f"c{i}", real=True) for i in range(len(constants))]
    open_form = expression.xreplace(dict(zip(constants, letters, strict=True)))
    function = function_of(open_form, [*symbols(points.x.shape[1]), *letters])
    start = np.asarray([float(constant) for constant in constants])

    def off(values: np.ndarray) -> np.ndarray:
        result = (function(*points.x.T, *(values * start)) - points.f) / points.sigma
        return np.nan_to_num(result, nan=1e6, posinf=1e6, neginf=-1e6).clip(-1e6, 1e6)

    from scipy.optimize import least_squares

    calls = MOST_CALLS * (len(start) + 1)
    values = least_squares(off, np.ones(len(start)), method="lm", max_nfev=calls).x * start
    made = open_form.xreplace({letter: sympy.Float(value) for letter, value in zip(letters, values, strict=True)})
    after = _loss(made, points)
    return (made, after) if after <= before else (expression, before)


def _loss(expression: Expression, points: Points) -> float:
    sympy = import_sympy()
    if expression.has(sympy.I, sympy.zoo, sympy.nan, sympy.oo):
        return float("inf")
    return points.loss(expression)


def _shortest(expression: Expression) -> Expression:
    """Return the shorter of a formula as it is and multiplied out."""
    return min((expression, import_sympy().expand(expression)), key=complexity)


def _slack(loss: float) -> float:
    return WORSE * max(1.0, loss)


def _without_idle(expression: Expression, loss: float, points: Points) -> tuple[Expression, float]:
    """Return a formula without the constants, terms and factors that may be left out once the others are refitted."""
    allowed = loss + _slack(loss)
    while True:
        best: tuple[int, float, Expression] | None = None
        for tried in _shorter(expression):
            made, new = fitted(tried, points)
            made = _shortest(made)
            if new <= allowed and (best is None or (complexity(made), new) < best[:2]):
                best = complexity(made), new, made
        if best is None or best[0] >= complexity(expression):
            return expression, loss
        expression, loss = best[2], best[1]


def _shorter(expression: Expression) -> list[Expression]:
    """Return the shorter formulas in which one constant is zero, one or minus one."""
    sympy = import_sympy()
    tried = []
    for constant in constants_of(expression):
        for value in (0, 1, -1):
            made = expression.xreplace({constant: sympy.Integer(value)})
            if complexity(made) < complexity(expression) and made.free_symbols:
                tried.append(made)
    return list(dict.fromkeys(tried))


def _rounded(expression: Expression, loss: float, points: Points) -> tuple[Expression, float]:
    """Return a formula whose constants have no more digits than they need; the others are refitted each time."""
    number, slack, least = len(constants_of(expression)), _slack(loss), loss
    done: list[Any] = []
    while free := [constant for constant in constants_of(expression) if constant not in done]:
        share = slack * (len(done) + 1) / number  # so that the first one does not use up what all may
        short = _fewest_digits(expression, free[0], least + share, points)
        expression, loss = fitted(expression.xreplace({free[0]: short}), points, [*done, short])
        done.append(short)
        if len(done) == number:
            break
    return expression, loss


def _fewest_digits(expression: Expression, constant: Any, allowed: float, points: Points) -> Any:
    """Return a constant with as few significant digits as keep the loss within what is allowed."""
    sympy = import_sympy()
    for digits in range(1, MOST_DIGITS):
        short = sympy.Float(number_text(float(f"{float(constant):.{digits - 1}e}")))
        if _loss(expression.xreplace({constant: short}), points) <= allowed:
            return short
    return sympy.Float(number_text(float(f"{float(constant):.{MOST_DIGITS - 1}e}")))


def not_longer(found: Sequence[tuple[Expression, float]]) -> list[tuple[Expression, float]]:
    """Return the formulas that none as short beats, the shortest first."""
    front: list[tuple[Expression, float]] = []
    for expression, loss in sorted(found, key=lambda one: (complexity(one[0]), one[1], str(one[0]))):
        if np.isfinite(loss) and (not front or loss < front[-1][1]):
            front.append((expression, loss))
    return front


def worth_their_length(found: Sequence[tuple[Expression, float]], most: int) -> list[tuple[Expression, float]]:
    """Return the formulas no longer than `most` that are better than all shorter ones by more than no change."""
    front: list[tuple[Expression, float]] = []
    for expression, loss in not_longer([one for one in found if complexity(one[0]) <= most]):
        if not front or loss + _slack(loss) < front[-1][1]:
            front.append((expression, loss))
    return front


def find_front(
    found: Sequence[Expression], points: Points, most: int, few: int = 400
) -> list[tuple[Expression, float]]:
    """Return the polished formulas that are worth their length, the shortest first, with their loss at all points.

    The first is a constant, the mean of the points, so that there is always one.

    Args:
        found: formulas as they were found.
        points: that they are fitted to.
        most: their greatest length.
        few: points by which they are shortened; constants are fitted to all at the end.
    """
    some, mean = points.some(few), import_sympy().Float(np.average(points.f, weights=points.sigma**-2.0))
    first = not_longer([fitted(_shortest(expression), some) for expression in dict.fromkeys([mean, *found])])
    polished = [polish(expression, points, some) for expression, _ in first]
    return worth_their_length(polished, most)
