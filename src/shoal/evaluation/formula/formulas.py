"""What was found: formulas of rising length, how far each is from the ensemble and the truth, and which is taken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from shoal.errors import RunError
from shoal.evaluation.formula.expression import Expression, complexity, function_of, symbols
from shoal.evaluation.formula.printing import as_latex, as_numpy, as_text
from shoal.results import Interval, Task, readable
from shoal.short_repr import ShortRepr
from shoal.statistics.bootstrap import percentile_interval, resampled_weights, resamples_for
from shoal.statistics.metrics import METRICS

RULE = "the shortest formula whose score on validation rows is within one standard error of the best formula's"


@dataclass(frozen=True, repr=False)
class Formula(ShortRepr):
    """One formula.

    Attributes:
        text: with the names of the columns.
        latex, numpy: for papers and for programs; `numpy` has `np` and the variables of `Formulas.variables`.
        complexity: columns, constants, operators and functions in it.
        misfit: root mean square of (formula - ensemble) / σ.
        expression: of SymPy, with `x0`, `x1`, … for the columns.
        scores: part of the data to its score, with its 95 % interval.
        beside: part of the data to its score less that of the ensemble on the same rows, with the interval.
    """

    text: str
    latex: str
    numpy: str
    complexity: int
    misfit: float
    expression: Expression = field(repr=False)
    scores: dict[str, Interval] = field(default_factory=dict)
    beside: dict[str, Interval] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain data for JSON."""
        return {
            "text": self.text,
            "latex": self.latex,
            "numpy": self.numpy,
            "complexity": self.complexity,
            "misfit": self.misfit,
            "scores": {part: score.as_dict() for part, score in self.scores.items()},
            "minus_ensemble": {part: score.as_dict() for part, score in self.beside.items()},
        }


@dataclass(frozen=True, repr=False)
class Formulas(ShortRepr):
    """Formulas for what an ensemble says, the shortest first, none of them better than a longer one.

    Attributes:
        run: the name of the run.
        what: what they are for: the target, or `logit of CLASS`.
        formulas: themselves.
        taken: which of them is taken, by `RULE`.
        metric: `rmse`, or `log_loss` for a class.
        ensemble: part of the data to the score of the ensemble.
        variables: the column that each variable of `Formula.numpy` stands for.
        sigma: what σ is, in words.
        points: rows and points drawn between them, to which formulas were fitted.
        rows: part of the data to the number of rows of its scores.
        searched: settings of the search: complexity, functions, evaluations and seed.
        whole: whether the search went on to its end; if not, it may find something else the next time.
        notes: what is to be known beside.
    """

    run: str
    what: str
    formulas: tuple[Formula, ...]
    taken: int
    metric: str
    ensemble: dict[str, Interval]
    variables: dict[str, str]
    sigma: str
    points: tuple[int, int]
    rows: dict[str, int]
    searched: dict[str, Any]
    whole: bool = True
    notes: tuple[str, ...] = ()

    @property
    def best(self) -> Formula:
        """The formula that is taken."""
        return self.formulas[self.taken]

    def __call__(self, columns: Mapping[str, Any]) -> np.ndarray:
        """Return the values of the formula that is taken, for columns by their names in the data.

        Args:
            columns: a data frame or a dict; of all columns of the fit, arrays of one length.
        """
        arrays = [np.asarray(columns[name], np.float64) for name in self.variables.values()]
        return function_of(self.best.expression, symbols(len(arrays)))(*arrays)

    @property
    def sentences(self) -> tuple[str, ...]:
        """The finding in words."""
        label = METRICS[self.metric].label
        lines = [f"{self.what} = {self.best.text}", self._near(label)]
        if min(formula.misfit for formula in self.formulas) > 1.0 and next(reversed(self.best.beside.values())).low > 0:
            most = self.searched["complexity"]
            lines.append(
                f"No formula of complexity {most} or less is as near to the ensemble as its own error; a larger "
                "--complexity or more --evaluations may find one"
            )
        if not self.whole:
            lines.append("The search was cut short by --seconds: the same command may find something else")
        return (*lines, *self.notes)

    def _near(self, label: str) -> str:
        part, score = next(reversed(self.best.scores.items()))
        difference = self.best.beside[part]
        verdict = "cannot be told apart from"
        if difference.low > 0 or difference.high < 0:
            verdict = "is worse than" if difference.low > 0 else "is better than"
        favour = "" if part == "test" else ", which chose the networks and so favour the ensemble"
        return (
            f"It differs from the ensemble by {readable(self.best.misfit, 2)} σ (root mean square; {self.sigma}) and "
            f"{verdict} it on the {self.rows[part]:,} {part} rows{favour}: {label} {score}, of the ensemble "
            f"{self.ensemble[part]}"
        )

    def as_dict(self) -> dict[str, Any]:
        """Return everything as plain data for JSON."""
        return {
            "run": self.run,
            "what": self.what,
            "taken": self.best.as_dict(),
            "rule": RULE,
            "variables": self.variables,
            "metric": self.metric,
            "ensemble": {part: score.as_dict() for part, score in self.ensemble.items()},
            "sigma": self.sigma,
            "points": {"rows": self.points[0], "drawn": self.points[1]},
            "rows": self.rows,
            "formulas": [formula.as_dict() for formula in self.formulas],
            "search": {**self.searched, "whole": self.whole},
            "text": list(self.sentences),
        }


@dataclass(frozen=True)
class ScoringRows:
    """Rows whose truth is known, by which formulas are scored.

    Attributes:
        part: of the data.
        x: values of the columns, `(rows, columns)`.
        truth: values `(rows, 1)`, or `(rows,)` 1 for rows of the class and 0 for others.
        ensemble: what the ensemble says of them, as `METRICS` takes it.
        weights, groups: as in `with_intervals`.
    """

    part: str
    x: np.ndarray
    truth: np.ndarray
    ensemble: np.ndarray
    weights: np.ndarray | None = None
    groups: np.ndarray | None = None


@dataclass(frozen=True)
class FormulaScores:
    """The scores of the ensemble and of formulas on so many rows, their differences, and which is taken by `RULE`."""

    rows: int
    ensemble: Interval
    formulas: list[Interval]
    beside: list[Interval]
    taken: int


def formula_of(expression: Expression, loss: float, columns: Sequence[str]) -> Formula:
    """Return a formula in words, without scores."""
    numpy, _ = as_numpy(expression, columns)
    texts = as_text(expression, columns), as_latex(expression, columns), numpy
    return Formula(*texts, complexity(expression), float(np.sqrt(loss)), expression)


def score_formulas(task: Task, rows: ScoringRows, expressions: Sequence[Expression], seed: int) -> FormulaScores:
    """Return the scores of formulas and of the ensemble on the same resampled rows.

    Args:
        task: classification or regression.
        rows: on which they are scored.
        expressions: the formulas, for values or for logits.
        seed: of the resamples.

    Raises:
        RunError: there are no rows.
    """
    count = len(rows.truth)
    if not count:
        raise RunError(f"there are no {rows.part} rows without missing values to score formulas on")
    metric = METRICS["log_loss" if task is Task.CLASSIFICATION else "rmse"]
    variables = symbols(rows.x.shape[1])
    answers = [function_of(expression, variables)(*rows.x.T) for expression in expressions]
    guesses = [rows.ensemble, *(as_guess(task, answer) for answer in answers)]
    values = np.asarray([metric(rows.truth, guess, rows.weights) for guess in guesses])
    drawn = np.concatenate(
        [
            np.stack([metric(rows.truth, guess, weights) for guess in guesses])
            for weights in resampled_weights(count, rows.weights, resamples_for(count), seed, groups=rows.groups)
        ],
        axis=1,
    )
    ensemble, *scores = (percentile_interval(value, resampled) for value, resampled in zip(values, drawn, strict=True))
    differences = zip(values[1:] - values[0], drawn[1:] - drawn[0], strict=True)
    beside = [percentile_interval(value, resampled) for value, resampled in differences]
    best = int(np.argmin(values[1:]))
    error = np.nanstd(drawn[1:] - drawn[1 + best], axis=1)
    taken = int(np.argmax(values[1:] - values[1 + best] <= error))
    return FormulaScores(count, ensemble, scores, beside, taken)


def as_guess(task: Task, answers: np.ndarray) -> np.ndarray:
    """Return what metrics compare with the truth: values `(rows, 1)`, or probabilities `(rows, 2)` of logits."""
    if task is not Task.CLASSIFICATION:
        return np.asarray(answers, np.float64)[:, None]
    probability = 1.0 / (1.0 + np.exp(-np.clip(answers, -40.0, 40.0)))
    return np.stack([1.0 - probability, probability], axis=1)
