"""From what the search found to short formulas: constants refitted, those that are not needed left out, digits too.

The loss is the mean of `((g - f) / σ)²` over points, with g the formula, f the ensemble and σ its error. What makes it
larger by a hundredth at most, of itself or of one where it is less, counts as no change.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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

Found = tuple[Expression, float]
"""A formula with its loss."""
WORSE = 0.01
MOST_DIGITS = 8
MOST_CALLS, TOLERANCE = 40, 1e-6  # of one fit: steps, and the relative change of the loss that ends it
FEW = 400
"""Points by which formulas are shortened; constants are fitted to all at the end."""


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
        sympy = import_sympy()
        if expression.has(sympy.I, sympy.zoo, sympy.nan, sympy.oo):
            return float("inf")
        return _mean_square(self.off(function_of(expression, symbols(self.x.shape[1]))(*self.x.T)))

    def off(self, values: np.ndarray) -> np.ndarray:
        """Return `(g - f) / σ` for values of a formula."""
        with np.errstate(over="ignore", invalid="ignore"):
            return np.asarray((values - self.f) / self.sigma)


def _mean_square(off: np.ndarray) -> float:
    with np.errstate(over="ignore"):
        return float(np.mean(off**2)) if np.isfinite(off).all() else float("inf")


class Opened:
    """A formula whose constants are open, to be fitted at points again and again, some of them held at values."""

    def __init__(self, expression: Expression, points: Points) -> None:
        sympy = import_sympy()
        self.points = points
        self.constants = constants_of(expression)
        self.letters = [sympy.Symbol(f"c{i}", real=True) for i in range(len(self.constants))]
        self.form = expression.xreplace(dict(zip(self.constants, self.letters, strict=True)))
        self.start = np.asarray([float(constant) for constant in self.constants])
        self._function = function_of(self.form, [*symbols(points.x.shape[1]), *self.letters])

    def off(self, values: np.ndarray) -> np.ndarray:
        """Return `(g - f) / σ` for values of all constants."""
        return self.points.off(self._function(*self.points.x.T, *values))

    def fit(self, held: Mapping[int, float]) -> tuple[np.ndarray, float]:
        """Return the values of all constants that make the loss small, and the loss; `held` ones stay as they are."""
        from scipy.optimize import least_squares

        values = self.start.copy()
        values[list(held)] = list(held.values())
        free = np.asarray([i for i in range(len(values)) if i not in held], int)
        before = _mean_square(self.off(values))
        if not len(free) or len(free) > len(self.points.f) or not np.isfinite(before):
            return values, before

        def off(factors: np.ndarray) -> np.ndarray:
            values[free] = self.start[free] * factors
            return np.nan_to_num(self.off(values), nan=1e6, posinf=1e6, neginf=-1e6).clip(-1e6, 1e6)

        stop = {"max_nfev": MOST_CALLS, "ftol": TOLERANCE}
        found = least_squares(off, np.ones(len(free)), method="lm", **stop)
        values[free] = self.start[free] * found.x
        after = _mean_square(self.off(values))
        if after <= before:
            return values, after
        values[free] = self.start[free]
        return values, before

    def with_values(self, values: np.ndarray) -> Expression:
        """Return the formula with these constants; whole numbers stand for themselves."""
        sympy = import_sympy()
        made = [sympy.Integer(int(v)) if v in (0.0, 1.0, -1.0) else sympy.Float(v) for v in values]
        return self.form.xreplace(dict(zip(self.letters, made, strict=True)))


def fitted(expression: Expression, points: Points, fixed: Sequence[Any] = ()) -> Found:
    """Return a formula with its constants fitted by weighted least squares, from where they are, and its loss.

    Args:
        expression: the formula.
        points: that it is fitted to.
        fixed: constants that stay as they are.
    """
    before = points.loss(expression)
    free = [constant for constant in constants_of(expression) if constant not in fixed]
    if not free or not np.isfinite(before):
        return expression, before
    opened = Opened(expression, points)
    held = {i: float(constant) for i, constant in enumerate(opened.constants) if constant in fixed}
    values, after = opened.fit(held)
    sympy = import_sympy()
    kept = {i: opened.constants[i] for i in held}
    made = [kept.get(i) or sympy.Float(value) for i, value in enumerate(values)]
    return opened.form.xreplace(dict(zip(opened.letters, made, strict=True))), after


def polish(expression: Expression, points: Points, some: Points | None = None) -> Found:
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
    short, loss = fitted(shortest(expression), some)
    if not np.isfinite(loss):
        return short, loss
    allowed = loss + _slack(loss)
    while (shorter := one_less(short, some)) is not None and shorter[1] <= allowed:
        short = shorter[0]
    return rounded(*fitted(short, points), points)


def shortest(expression: Expression) -> Expression:
    """Return the shorter of a formula as it is and multiplied out."""
    return min((expression, import_sympy().expand(expression)), key=complexity)


def one_less(expression: Expression, points: Points) -> Found | None:
    """Return a formula with one constant less, zero, one or minus one in its place, the others refitted.

    Of all such formulas that are shorter it is the one with the least loss; None where there is none.
    """
    best: Found | None = None
    opened = Opened(expression, points)
    for i in range(len(opened.constants)):
        for value in (0.0, 1.0, -1.0):
            tried = opened.start.copy()
            tried[i] = value
            made = opened.with_values(tried)
            if complexity(made) >= complexity(expression) or not made.free_symbols:
                continue
            values, loss = opened.fit({i: value})
            if np.isfinite(loss) and (best is None or loss < best[1]):
                best = shortest(opened.with_values(values)), loss
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


def rounded(expression: Expression, loss: float, points: Points) -> Found:
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
    opened = Opened(expression, points)
    place, values = opened.constants.index(constant), opened.start.copy()
    for digits in range(1, MOST_DIGITS):
        values[place] = float(f"{float(constant):.{digits - 1}e}")
        if _mean_square(opened.off(values)) <= allowed:
            break
    return import_sympy().Float(number_text(float(f"{float(constant):.{digits - 1}e}")))


def not_longer(found: Sequence[Found]) -> list[Found]:
    """Return the formulas that none as short beats, the shortest first."""
    front: list[Found] = []
    for expression, loss in sorted(found, key=lambda one: (complexity(one[0]), one[1], str(one[0]))):
        if np.isfinite(loss) and (not front or loss < front[-1][1]):
            front.append((expression, loss))
    return front


def worth_their_length(found: Sequence[Found], most: int) -> list[Found]:
    """Return the formulas no longer than `most` that are better than all shorter ones by more than no change."""
    front: list[Found] = []
    for expression, loss in not_longer([one for one in found if complexity(one[0]) <= most]):
        if not front or loss + _slack(loss) < front[-1][1]:
            front.append((expression, loss))
    return front


def find_front(found: Sequence[Expression], points: Points, most: int) -> list[Found]:
    """Return the polished formulas that are worth their length, the shortest first, with their loss at all points.

    The first is a constant, the mean of the points, so that there is always one. To what was found come the formulas
    that are left of the best ones with one constant less each time.

    Args:
        found: formulas as they were found.
        points: that they are fitted to.
        most: their greatest length.
    """
    some, mean = points.some(FEW), import_sympy().Float(np.average(points.f, weights=points.sigma**-2.0))
    first = not_longer([fitted(shortest(expression), some) for expression in dict.fromkeys([mean, *found])])
    front = worth_their_length([polish(expression, points, some) for expression, _ in first], most)
    left = dict.fromkeys(one for expression, _ in front for one in shorter_and_shorter(expression, some))
    good = not_longer([*((one, some.loss(one)) for one in left), *front])
    more = [rounded(*fitted(one, points), points) for one, _ in good if one in left]
    return worth_their_length([*front, *more], most)
