"""The search for formulas: genetic programming by Operon (Burlacu, Kronberger and Kommenda, GECCO 2020), an extra.

Operon evolves expression trees whose constants are fitted by Levenberg-Marquardt, with mean squared error and length
as objectives (NSGA-II). Of the last generation, the best trees of each length are taken in which no sine stands in
another: such trees fit anything, mean nothing, and would hide the others. Several runs with seeds of their own are
joined. What they find is given as SymPy's expressions.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from shoal.errors import SettingError, listing, suggest
from shoal.evaluation.formula.expression import EXTRA, Expression, function_of, import_sympy, nests_waves, symbols

FUNCTIONS = ("sin", "cos", "exp", "log", "sqrt", "square")
FUNCTIONS_OF_CLASSES = ("tanh", "exp", "log", "sqrt", "square")
"""A logit seldom comes back as a sine does, but levels off: probabilities are cut at 0.001 and 0.999."""
KNOWN = (*FUNCTIONS, "tan", "tanh", "asin", "acos", "atan", "sinh", "cosh", "abs")
EVALUATIONS = 300_000
SECONDS = 60.0
RESTARTS = 3
POPULATION = 500
STEPS = 5
"""Of Levenberg-Marquardt for each new tree."""
OF_A_LENGTH = 2
"""Trees of one length that are looked at further."""


def import_operon() -> Any:
    """Return the regressor of pyoperon.

    Raises:
        SettingError: it is not installed; the message names the extra.
    """
    try:
        from pyoperon.sklearn import SymbolicRegressor
    except ImportError:
        raise SettingError(EXTRA) from None
    return SymbolicRegressor


def check_functions(functions: Sequence[str]) -> tuple[str, ...]:
    """Return the functions that formulas may use, or raise a SettingError that names one that is not known.

    Example:
        >>> check_functions(["sin"])
        ('sin',)
    """
    for name in functions:
        if name not in KNOWN:
            raise SettingError(
                f"functions: expected some of {listing(KNOWN, 20)}, got {name!r}.{suggest(name, KNOWN)} "
                "Sums, products and quotients are always there"
            )
    return tuple(dict.fromkeys(functions))


@dataclass(frozen=True)
class SearchSettings:
    """How formulas are searched for.

    Attributes:
        complexity: the longest tree, in nodes.
        functions: that formulas may use beside sums, products and quotients.
        evaluations: trees that are looked at in all.
        seconds: when the search ends at the latest, to within a second; a search that is cut short so may find
            something else the next time.
        seed: names the random numbers.
    """

    complexity: int
    functions: Sequence[str] = FUNCTIONS
    evaluations: int = EVALUATIONS
    seconds: float = SECONDS
    seed: int = 0

    def as_dict(self) -> dict[str, Any]:
        """Return as plain data what decides on the formulas, unless time does."""
        settings = {**asdict(self), "functions": list(self.functions)}
        return {name: value for name, value in settings.items() if name != "seconds"}


def search_formulas(
    x: np.ndarray, f: np.ndarray, settings: SearchSettings, tell: Callable[[str], None] = lambda _: None
) -> tuple[list[Expression], bool]:
    """Return formulas for a function known at some points, and whether the search went on to its end.

    Columns and values are divided by their root mean squares, so that constants are of the order of one; nothing is
    subtracted from them, which would make products sums.

    Args:
        x: `(points, columns)`.
        f: `(points,)` what formulas are to be near.
        settings: of the search.
        tell: is told how far the search is.

    Raises:
        SettingError: Operon is not installed.
    """
    regressor = import_operon()
    began = time.perf_counter()
    scale, size = _root_mean_square(x), _root_mean_square(f[:, None])[0]
    expressions: list[Expression] = []
    complete = True
    for restart in range(RESTARTS):
        left = settings.seconds - (time.perf_counter() - began)
        if left < 1.0 and restart:
            return expressions, False
        tell(f"searching for formulas, {restart + 1} of {RESTARTS}")
        model = regressor(**_options(settings, restart), max_time=max(1, round(left)))
        before = time.perf_counter()
        model.fit(x / scale, f / size)
        complete = complete and time.perf_counter() - before < left
        expressions += [_scaled(tree, x, f) for tree in _best_trees(model, scale)]
    return expressions, complete


def _options(settings: SearchSettings, restart: int) -> dict[str, Any]:
    """Return the options of Operon's regressor, without the time that it has."""
    return {
        "allowed_symbols": ",".join(("add", "sub", "mul", "div", "constant", "variable", *settings.functions)),
        "objectives": ["mse", "length"],
        "optimizer_iterations": STEPS,
        "max_length": settings.complexity,
        "population_size": POPULATION,
        "pool_size": POPULATION,
        "generations": 1_000_000,
        "max_evaluations": max(POPULATION, settings.evaluations // RESTARTS),
        "epsilon": 1e-10,
        "n_threads": 1,  # the same formulas each time
        "random_state": (settings.seed * RESTARTS + restart) % 2**32,
    }


def _best_trees(model: Any, scale: np.ndarray) -> list[Expression]:
    """Return the best formulas of each length in the last generation that are better than all shorter ones."""
    ranked = sorted(
        (int(tree.GetFitness(1)), float(tree.GetFitness(0)), i) for i, tree in enumerate(model.individuals_)
    )
    trees: list[Expression] = []
    best = float("inf")
    for _, group in itertools.groupby(ranked, key=lambda tree: tree[0]):
        kept: list[float] = []
        for _, error, i in group:
            if len(kept) == OF_A_LENGTH or not error < best:
                break
            if kept and error <= kept[-1] * (1.0 + 1e-6):
                continue  # the same again
            expression = _expression(model.individuals_[i].Genotype.Nodes, model.variables_, scale)
            if not nests_waves(expression):
                kept.append(error)
                trees.append(expression)
        best = min([best, *kept])
    return trees


def _scaled(expression: Expression, x: np.ndarray, f: np.ndarray) -> Expression:
    """Return `a g + b` with a and b by least squares: a tree is judged by how well it fits up to these."""
    sympy = import_sympy()
    g = function_of(expression, symbols(x.shape[1]))(*x.T)
    if not np.isfinite(g).all() or np.ptp(g) == 0:
        return expression
    a, b = np.polyfit(g, f, 1)
    return sympy.Float(a) * expression + sympy.Float(b)


def _root_mean_square(x: np.ndarray) -> np.ndarray:
    size = np.sqrt(np.mean(np.asarray(x, np.float64) ** 2, axis=0))
    return np.where(size > 0, size, 1.0)


def _expression(nodes: Sequence[Any], variables: dict[int, str], scale: np.ndarray) -> Expression:
    """Return a tree, whose nodes come in postfix order with the first argument last, in units of the columns."""
    sympy = import_sympy()
    columns = dict(zip(variables, symbols(len(scale)), strict=True))
    factor = dict(zip(variables, 1.0 / scale, strict=True))
    stack: list[Any] = []
    for node in nodes:
        if node.IsVariable:
            stack.append(sympy.Float(node.Value * factor[node.HashValue]) * columns[node.HashValue])
        elif node.IsConstant:
            stack.append(sympy.Float(node.Value))
        else:
            arguments = [stack.pop() for _ in range(node.Arity)]
            stack.append(_applied(sympy, node.Type.name.lower(), arguments))
    return stack[0]


def _applied(sympy: Any, name: str, arguments: list[Any]) -> Any:
    first, *others = arguments
    if name == "add":
        return sympy.Add(*arguments)
    if name == "mul":
        return sympy.Mul(*arguments)
    if name == "sub":
        return first - sympy.Add(*others) if others else -first
    if name == "div":
        return first / sympy.Mul(*others) if others else 1 / first
    unlike = {"square": lambda x: x**2, "abs": sympy.Abs}  # which SymPy calls otherwise
    function: Any = unlike.get(name) or getattr(sympy, name)
    return function(first)
