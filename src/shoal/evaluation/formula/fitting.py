"""The constants of a formula, fitted to what the ensemble says at points.

The loss is the mean of `((g - f) / σ)²` over points, with g the formula, f the ensemble and σ its error.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from shoal.evaluation.formula.expression import Expression, constants_of, function_of, import_sympy, symbols

FittedExpression = tuple[Expression, float]
"""A formula with its loss."""
MOST_CALLS, TOLERANCE = 40, 1e-6  # of one fit: steps, and the relative change of the loss that ends it


@dataclass(frozen=True)
class Points:
    """Where formulas are compared with the ensemble: `x` `(points, columns)`, `f` and its error `sigma` `(points,)`."""

    x: np.ndarray
    f: np.ndarray
    sigma: np.ndarray

    def evenly(self, most: int) -> Points:
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
        return self.loss_of(function_of(expression, symbols(self.x.shape[1]))(*self.x.T))

    def residuals(self, g: np.ndarray) -> np.ndarray:
        """Return `(g - f) / σ` for values of a formula."""
        with np.errstate(over="ignore", invalid="ignore"):
            return np.asarray((g - self.f) / self.sigma)

    def loss_of(self, g: np.ndarray) -> float:
        """Return the loss for values of a formula."""
        residuals = self.residuals(g)
        with np.errstate(over="ignore"):
            return float(np.mean(residuals**2)) if np.isfinite(residuals).all() else float("inf")


class ParametricFormula:
    """A formula with parameters in place of its constants, fitted at points again and again, some held at values."""

    def __init__(self, expression: Expression, points: Points) -> None:
        sympy = import_sympy()
        self.points = points
        self.constants = constants_of(expression)
        self.parameters = [sympy.Symbol(f"c{i}", real=True) for i in range(len(self.constants))]
        self.form = expression.xreplace(dict(zip(self.constants, self.parameters, strict=True)))
        self.start = np.asarray([float(constant) for constant in self.constants])
        self._function = function_of(self.form, [*symbols(points.x.shape[1]), *self.parameters])

    def residuals(self, values: np.ndarray) -> np.ndarray:
        """Return `(g - f) / σ` for values of all constants."""
        return self.points.residuals(self._function(*self.points.x.T, *values))

    def loss(self, values: np.ndarray) -> float:
        """Return the loss for values of all constants."""
        return self.points.loss_of(self._function(*self.points.x.T, *values))

    def fit(self, held: Mapping[int, float]) -> tuple[np.ndarray, float]:
        """Return the values of all constants that make the loss small, and the loss; `held` ones stay as they are."""
        from scipy.optimize import least_squares

        values = self.start.copy()
        values[list(held)] = list(held.values())
        free = np.asarray([i for i in range(len(values)) if i not in held], int)
        before = self.loss(values)
        if not len(free) or len(free) > len(self.points.f) or not np.isfinite(before):
            return values, before

        def residuals(factors: np.ndarray) -> np.ndarray:
            values[free] = self.start[free] * factors
            return np.nan_to_num(self.residuals(values), nan=1e6, posinf=1e6, neginf=-1e6).clip(-1e6, 1e6)

        stop = {"max_nfev": MOST_CALLS, "ftol": TOLERANCE}
        values[free] = self.start[free] * least_squares(residuals, np.ones(len(free)), method="lm", **stop).x
        after = self.loss(values)
        if after <= before:
            return values, after
        values[free] = self.start[free]
        return values, before

    def with_values(self, values: np.ndarray) -> Expression:
        """Return the formula with these constants; zero, one and minus one are whole numbers."""
        sympy = import_sympy()
        return self.with_constants(sympy.Integer(int(v)) if v in (0.0, 1.0, -1.0) else sympy.Float(v) for v in values)

    def with_constants(self, constants: Iterable[Any]) -> Expression:
        """Return the formula with these numbers of SymPy as constants."""
        return self.form.xreplace(dict(zip(self.parameters, constants, strict=True)))


def fitted(expression: Expression, points: Points, fixed: Sequence[Any] = ()) -> FittedExpression:
    """Return a formula with its constants fitted by weighted least squares, from where they are, and its loss."""
    before = points.loss(expression)
    free = [constant for constant in constants_of(expression) if constant not in fixed]
    if not free or not np.isfinite(before):
        return expression, before
    formula = ParametricFormula(expression, points)
    held = {i: float(constant) for i, constant in enumerate(formula.constants) if constant in fixed}
    values, after = formula.fit(held)
    sympy = import_sympy()
    constants = [formula.constants[i] if i in held else sympy.Float(value) for i, value in enumerate(values)]
    return formula.with_constants(constants), after
