"""From what the search found to short formulas: constants refitted, those that are not needed left out, digits too.

What makes the loss larger by a hundredth at most, of itself or of one where it is less, counts as no change.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from shoal.evaluation.formula.expression import Expression, complexity, constants_of, import_sympy
from shoal.evaluation.formula.fitting import FittedExpression, ParametricFormula, Points, fitted
from shoal.evaluation.formula.printing import number_text

WORSE = 0.01
MOST_DIGITS = 8
FEW = 400
"""Points by which formulas are shortened; constants are fitted to all at the end."""


def polish(expression: Expression, points: Points, few: Points | None = None) -> FittedExpression:
    """Return a formula as short as it can be without being worse, and its loss.

    Args:
        expression: the formula.
        points: that its constants are fitted to.
        few: fewer of them, by which it is seen what may be left out; by default all.

    Example:
        >>> from shoal.evaluation.formula.expression import symbols
        >>> x = np.linspace(0.1, 3.0, 40)
        >>> points = Points(x[:, None], 2.0 * np.sqrt(x), np.full(40, 0.01))
        >>> str(polish(1.9 * import_sympy().sqrt(1.1 * symbols(1)[0] + 0.02) + 0.01, points)[0])
        '2.0*sqrt(x0)'
    """
    few = points if few is None else few
    short, loss = fitted(shortest(expression), few)
    if not np.isfinite(loss):
        return short, loss
    allowed = loss + _slack(loss)
    while (shorter := one_less(short, few)) is not None and shorter[1] <= allowed:
        short, _ = shorter
    return rounded(*fitted(short, points), points)


def shortest(expression: Expression) -> Expression:
    """Return the shorter of a formula as it is and multiplied out."""
    return min((expression, import_sympy().expand(expression)), key=complexity)


def one_less(expression: Expression, points: Points) -> FittedExpression | None:
    """Return a formula with one constant less, zero, one or minus one in its place, the others refitted.

    Of all such formulas that are shorter it is the one with the least loss; None where there is none.
    """
    best: FittedExpression | None = None
    formula = ParametricFormula(expression, points)
    for i in range(len(formula.constants)):
        for value in (0.0, 1.0, -1.0):
            tried = formula.start.copy()
            tried[i] = value
            without = formula.with_values(tried)
            if complexity(without) >= complexity(expression) or not without.free_symbols:
                continue
            values, loss = formula.fit({i: value})
            if np.isfinite(loss) and (best is None or loss < best[1]):
                best = shortest(formula.with_values(values)), loss
    return best


def shorter_and_shorter(expression: Expression, points: Points) -> list[Expression]:
    """Return a formula with one constant less, with one more less, and so on, each time that which is missed least."""
    chain = []
    while (shorter := one_less(expression, points)) is not None and np.isfinite(points.loss(shorter[0])):
        expression = shorter[0]
        chain.append(expression)
    return chain


def _slack(loss: float) -> float:
    return WORSE * max(1.0, loss)


def rounded(expression: Expression, loss: float, points: Points) -> FittedExpression:
    """Return a formula whose constants have no more digits than they need; the others are refitted each time."""
    number, slack, least = len(constants_of(expression)), _slack(loss), loss
    done: list[Any] = []
    while free := [constant for constant in constants_of(expression) if constant not in done]:
        share = slack * (len(done) + 1) / number  # so that the first one does not use up what all may
        short = _fewest_digits(expression, free[0], least + share, points)
        done.append(short)
        expression, loss = fitted(expression.xreplace({free[0]: short}), points, done)
        if len(done) == number:
            break
    return expression, loss


def _fewest_digits(expression: Expression, constant: Any, allowed: float, points: Points) -> Any:
    """Return a constant with as few significant digits as keep the loss within what is allowed."""
    formula = ParametricFormula(expression, points)
    place, values = formula.constants.index(constant), formula.start.copy()
    for digits in range(1, MOST_DIGITS):
        values[place] = float(f"{float(constant):.{digits - 1}e}")
        if formula.loss(values) <= allowed:
            break
    return import_sympy().Float(number_text(float(f"{float(constant):.{digits - 1}e}")))


def not_longer(formulas: Sequence[FittedExpression]) -> list[FittedExpression]:
    """Return the formulas that none as short beats, the shortest first."""
    front: list[FittedExpression] = []
    for expression, loss in sorted(formulas, key=lambda fit: (complexity(fit[0]), fit[1], str(fit[0]))):
        if np.isfinite(loss) and (not front or loss < front[-1][1]):
            front.append((expression, loss))
    return front


def worth_their_length(formulas: Sequence[FittedExpression], most: int) -> list[FittedExpression]:
    """Return the formulas no longer than `most` that are better than all shorter ones by more than no change."""
    front: list[FittedExpression] = []
    for expression, loss in not_longer([fit for fit in formulas if complexity(fit[0]) <= most]):
        if not front or loss + _slack(loss) < front[-1][1]:
            front.append((expression, loss))
    return front


def polished_front(expressions: Sequence[Expression], points: Points, most: int) -> list[FittedExpression]:
    """Return the polished formulas that are worth their length, the shortest first, with their loss at all points.

    The first is a constant, the mean of the points, so that there is always one. To what was found come the formulas
    that are left of the best ones with one constant less each time.

    Args:
        expressions: formulas as they were found.
        points: that they are fitted to.
        most: their greatest length.
    """
    few, mean = points.evenly(FEW), import_sympy().Float(np.average(points.f, weights=points.sigma**-2.0))
    first = not_longer([fitted(shortest(expression), few) for expression in dict.fromkeys([mean, *expressions])])
    front = worth_their_length([polish(expression, points, few) for expression, _ in first], most)
    shorter = dict.fromkeys(short for expression, _ in front for short in shorter_and_shorter(expression, few))
    good = not_longer([*((short, few.loss(short)) for short in shorter), *front])
    more = [rounded(*fitted(short, points), points) for short, _ in good if short in shorter]
    return worth_their_length([*front, *more], most)
