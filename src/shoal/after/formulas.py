"""A short formula in place of the ensemble of a finished run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from shoal.data import Dataset, Split
from shoal.data.conversion import tidy_column, to_numbers
from shoal.data.encoders import NumberEncoder
from shoal.errors import DataError, RunError, SettingError, listing, suggest
from shoal.evaluation.formula.expression import Expression, function_of, identifiers, symbols
from shoal.evaluation.formula.formulas import Formula, Formulas, Part, as_guess, describe, score_formulas
from shoal.evaluation.formula.polish import find_front
from shoal.evaluation.formula.sample import few_of, says, take_sample
from shoal.evaluation.formula.search import (
    FUNCTIONS,
    FUNCTIONS_OF_CLASSES,
    check_functions,
    import_operon,
    search,
)
from shoal.evaluation.signal import signal_class
from shoal.prediction.out_of_fold import rows_to_ask
from shoal.results import Interval
from shoal.run import Run, load
from shoal.runs.folder import slug
from shoal.settings import kept_settings
from shoal.steps import deal_folds, read
from shoal.training.progress import Progress, Silent

EVALUATIONS = 300_000
LOGIT = "logit of "
SEARCHED = 500
"""Points that the search sees."""


def formula(
    run: Run | str | Path,
    data: Any = None,
    *,
    target: str | None = None,
    of: str | None = None,
    complexity: int = 20,
    functions: str | Sequence[str] | None = None,
    evaluations: int = EVALUATIONS,
    seconds: float = 60.0,
    test: bool = False,
    progress: Progress | None = None,
) -> Formulas:
    """Return short formulas for what the ensemble of a run says, each with its misfit.

    Symbolic regression of the ensemble's mean (of a class: the logit of its probability) on the numeric columns in
    their own units, at the training and validation rows and, where these are few, at points drawn between neighbours
    among them. Shorter and better formulas make a front; one is taken. See `docs/formula.md`.

    Args:
        run: a run on a table of numbers, or its folder.
        data: the data of the fit, where they came from Python or are no longer where they were.
        target: which target, where there are several.
        of: which class; by default the signal of two: that of the fit, or the one named so, else the second.
        complexity: the most columns, constants, operators and functions of a formula together.
        functions: that formulas may use beside sums, products and quotients (`""` for none): sin, cos, exp, log, sqrt
            and square by default, for classes tanh, exp, log, sqrt and square; also tan, asin, acos, atan, sinh, cosh
            and abs.
        evaluations: formulas that are looked at.
        seconds: when the search ends at the latest. If it is cut short so, another search may find something else.
        test: score the formulas on the test rows as well, which counts as one more use of them.
        progress: a listener.

    Returns:
        The formulas; `.best` is the one that is taken, and called with columns the object gives its values.

    Raises:
        SettingError: the extra `formula` is not installed; the run is not on numbers only; no such target or class.
        RunError: the rows of the fit cannot be read again.

    Example:
        >>> import shoal, tempfile
        >>> x = np.linspace(0.1, 3.0, 150)
        >>> with tempfile.TemporaryDirectory() as folder:  # doctest: +SKIP
        ...     run = shoal.fit({"x": x, "y": np.sin(2.0 * x)}, target="y", out=folder + "/sine")
        ...     found = shoal.formula(run, {"x": x, "y": np.sin(2.0 * x)})
        >>> found.best.text  # doctest: +SKIP
        'sin(2*x)'
    """
    run, progress = run if isinstance(run, Run) else load(run), progress or Silent()
    allowed = None if functions is None else _functions(functions)
    _check_numbers(complexity, evaluations, seconds)
    check_run(run)
    number, what = choose(run, target, of)
    import_operon()
    progress.stage("reading")
    rows = read_again(run, data)
    seed = int(run.metrics["seed"])
    sample = take_sample(run.predictor, number, rows.known(), seed)
    few = few_of(sample.points, SEARCHED)
    if allowed is None:
        allowed = FUNCTIONS_OF_CLASSES if run.predictor.preparation.classes else FUNCTIONS
    searched: dict[str, Any] = {"complexity": complexity, "functions": allowed, "evaluations": evaluations}
    found, whole = search(few.x, few.f, **searched, seconds=seconds, seed=seed, tell=progress.stage)
    progress.stage("shortening formulas")
    front = find_front(found, sample.points, complexity)
    formulas, ensemble, taken, counts = _scored(run, rows, number, front, test=test)
    if test:
        run.count_opening()
    columns = run.predictor.preparation.input_columns
    return Formulas(
        run=run.name,
        what=what,
        formulas=formulas,
        taken=taken,
        metric="log_loss" if run.predictor.preparation.classes else "rmse",
        ensemble=ensemble,
        variables=dict(zip(identifiers(columns), columns, strict=True)),
        sigma=sample.sigma,
        points=(sample.rows, sample.drawn),
        rows=counts,
        searched={**searched, "functions": list(allowed), "seed": seed},
        whole=whole,
        notes=rows.notes,
    )


def _functions(functions: str | Sequence[str]) -> tuple[str, ...]:
    given = [functions] if isinstance(functions, str) else functions
    return check_functions([word.strip() for name in given for word in name.split(",") if word.strip()])


def _check_numbers(complexity: int, evaluations: int, seconds: float) -> None:
    least = {"complexity": (complexity, 3), "evaluations": (evaluations, 1500), "seconds": (seconds, 1)}
    for name, (value, low) in least.items():
        if not value >= low:
            raise SettingError(f"{name}: expected {low} or more, got {value:g}")
    if complexity > 100:
        raise SettingError(f"complexity: expected 100 or less, got {complexity}; a longer formula explains nothing")


def check_run(run: Run) -> None:
    """Check that a run predicts from numbers only.

    Raises:
        SettingError: it does not; the message says why no formula can be had and what to do.
    """
    preparation = run.predictor.preparation
    if run.reconstructs:
        raise SettingError(f"a formula predicts a target or a class, but {run.name} reconstructs its inputs")
    if preparation.signals is not None:
        kind = preparation.signals.kind
        raise SettingError(f"a formula is made of the columns of a table, but {run.name} predicts from {kind}")
    other = [encoder for encoder in preparation.encoders if not isinstance(encoder, NumberEncoder) or encoder.dates]
    if other:
        kinds = {"boolean": "true or false", "category": "categories", "number": "dates"}
        held = listing(f"{encoder.column!r} holds {kinds.get(encoder.kind, encoder.kind)}" for encoder in other)
        names = ",".join(encoder.column for encoder in other)
        raise SettingError(
            f"a formula is made of numbers, but {held}; fit a run without: shoal fit ... --ignore {names}, or give "
            "them as numbers"
        )


def choose(run: Run, target: str | None = None, of: str | None = None) -> tuple[int, str]:
    """Return the number of the target or class that formulas are wanted for, and what they give, in words.

    Raises:
        SettingError: there is no such target or class, or there are several and none is named.
    """
    preparation = run.predictor.preparation
    kind, flag, names = "target", "--target", preparation.targets
    wanted, other = target, of
    if preparation.classes:
        kind, flag, names, wanted, other = "class", "--class", preparation.classes, of, target
    if other is not None and not (kind == "class" and other in preparation.targets):
        said = "classes" if preparation.classes else "numbers"
        raise SettingError(f"{run.name} predicts {said}: name a {kind} with {flag}, one of {listing(names)}")
    if wanted is None:
        if len(names) > (2 if kind == "class" else 1):
            raise SettingError(f"a formula is for one {kind}: name it with {flag}, one of {listing(names)}")
        told = run.folder.config["settings"].get("signal")
        wanted = names[signal_class(names, told) if kind == "class" else 0]
    if wanted not in names:
        raise SettingError(f"there is no {kind} {wanted!r}; expected one of {listing(names)}.{suggest(wanted, names)}")
    return names.index(wanted), f"{LOGIT}{wanted}" if kind == "class" else wanted


def folder_of(run: Run, what: str) -> Path:
    """Return where the formulas of a run are written; each of several targets or classes has a folder of its own.

    Args:
        run: the run.
        what: `Formulas.what`.
    """
    preparation = run.predictor.preparation
    if len(preparation.targets) == 1 and len(preparation.classes) <= 2:
        return run.folder.formula
    names = preparation.classes or preparation.targets
    place, words = names.index(what.removeprefix(LOGIT)), [slug(name) for name in names]
    alike = len(set(words)) < len(words)  # letters that file names dislike are all one
    return run.folder.formula / (f"{place + 1}-{words[place]}" if alike else words[place])


@dataclass(frozen=True)
class Rows:
    """The rows of the fit, read again, and their columns as numbers `(rows, columns)`, NaN where missing."""

    dataset: Dataset
    split: Split
    x: np.ndarray
    folds: np.ndarray | None

    def known(self) -> np.ndarray:
        """Return the training and validation rows without missing values, `(rows, columns)`."""
        rows = self.x[np.union1d(self.split.train, self.split.validation)]
        return rows[np.isfinite(rows).all(axis=1)]

    @property
    def notes(self) -> tuple[str, ...]:
        """What is to be known of the rows."""
        missing = int((~np.isfinite(self.x)).any(axis=1).sum())
        notes = [f"{missing:,} rows with a missing value are left out"] if missing else []
        if self.folds is not None:
            notes.append(
                "The networks have learned from the validation rows in other folds, and the formula from the "
                "networks: scores on these rows flatter it"
            )
        return tuple(notes)

    def part(self, run: Run, number: int, name: str) -> tuple[Part, np.ndarray]:
        """Return validation or test rows with what the ensemble says of them, and their columns."""
        places, answering = self.split.test, None
        if name == "validation":
            places, answering = rows_to_ask(run.predictor, self.split, self.folds)
        good = np.isfinite(self.x[places]).all(axis=1)
        answering = None if answering is None else answering[:, good]
        places = places[good]
        weights, groups, y = self.dataset.weights(), self.dataset.groups(), self.dataset.y()[places]
        truth = (y == number).astype(np.int64) if self.dataset.classes else y[:, number : number + 1]
        part = Part(
            name,
            truth,
            as_guess(run.predictor.preparation.task, says(run.predictor, number, self.x[places], answering)[0]),
            None if weights is None else weights[places],
            None if groups is None else np.unique(groups[places], return_inverse=True)[1],
        )
        return part, self.x[places]


def read_again(run: Run, data: Any = None) -> Rows:
    """Return the rows of the fit of a run.

    Raises:
        RunError: they cannot be read again, or are no longer the same.
    """
    config = run.folder.config
    data = run.folder.source if data is None else data
    if data is None:
        raise RunError(f"{run.name} was fitted on data from Python, which are not kept; hand them over again")
    settings = kept_settings(config["settings"])
    try:
        dataset, split = read(data, settings)
    except DataError as error:
        raise RunError(
            f"the rows of {run.name} cannot be read again: {error} If they are elsewhere now, name the file: "
            "shoal formula RUN DATA"
        ) from error
    if dataset.sha256 != config["data"]["sha256"]:
        raise RunError(
            f"{run.name} was fitted on other data than those in {dataset.source!r} (their checksums differ); a formula "
            "is found on the rows of the fit"
        )
    names = run.predictor.preparation.input_columns
    columns = [to_numbers(tidy_column(dataset.table.get_column(name))).fill_null(np.nan) for name in names]
    x = np.stack([column.cast(float).to_numpy() for column in columns], axis=1)
    return Rows(dataset, split, x, deal_folds(dataset, split, settings))


def _scored(
    run: Run, rows: Rows, number: int, front: Sequence[tuple[Expression, float]], *, test: bool
) -> tuple[tuple[Formula, ...], dict[str, Interval], int, dict[str, int]]:
    """Return the formulas and the ensemble with their scores on validation rows (and test rows), and which is taken."""
    columns, seed = run.predictor.preparation.input_columns, int(run.metrics["seed"])
    formulas = [describe(expression, loss, columns) for expression, loss in front]
    ensemble, places, counts = {}, [], {}
    for name in ("validation", "test") if test else ("validation",):
        part, x = rows.part(run, number, name)
        said = [function_of(expression, symbols(len(columns)))(*x.T) for expression, _ in front]
        ensemble[name], scores, beside, taken = score_formulas(run.predictor.preparation.task, part, said, seed)
        places.append(taken)
        counts[name] = len(part.truth)
        formulas = [
            replace(one, scores={**one.scores, name: score}, beside={**one.beside, name: difference})
            for one, score, difference in zip(formulas, scores, beside, strict=True)
        ]
    return tuple(formulas), ensemble, places[0], counts
