"""A short formula in place of the ensemble of a finished run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from shoal.after.numeric_rows import NumericRows, numeric_rows
from shoal.after.opening import as_run
from shoal.data.encoders import NumberEncoder
from shoal.data.labels import Label, label_name
from shoal.data.units import full_name
from shoal.errors import SettingError, listing, suggest
from shoal.evaluation.formula.fitting import FittedExpression, Points
from shoal.evaluation.formula.formulas import Formula, Formulas, FormulaScores, formula_of, score_formulas
from shoal.evaluation.formula.polish import polished_front
from shoal.evaluation.formula.printing import identifiers
from shoal.evaluation.formula.sample import few_by_error, sample_ensemble
from shoal.evaluation.formula.search import (
    EVALUATIONS,
    FUNCTIONS,
    FUNCTIONS_OF_CLASSES,
    SECONDS,
    SearchSettings,
    check_functions,
    import_operon,
    search_formulas,
)
from shoal.evaluation.signal import signal_class
from shoal.run import Run
from shoal.runs.new_folder import slug
from shoal.training.progress import Progress
from shoal.training.progress_lines import listener

LOGIT = "logit of "
SEARCHED = 500
"""Points that the search sees."""


def formula(
    run: Run | str | Path,
    data: Any = None,
    *,
    target: str | None = None,
    of: Label | None = None,
    complexity: int = 20,
    functions: str | Sequence[str] | None = None,
    evaluations: int = EVALUATIONS,
    seconds: float = SECONDS,
    test: bool = False,
    progress: Progress | bool | None = None,
) -> Formulas:
    """Return short formulas for what the ensemble of a run says, each with its misfit.

    Symbolic regression of the ensemble's mean (of a class: the logit of its probability) on the numeric columns in
    their own units, at the training and validation rows and, where these are few, at points drawn between neighbours
    among them. Shorter and better formulas make a front; one is taken. See `docs/howto/formula.md`.

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
        progress: as for `fit`.

    Returns:
        The formulas; `.best` is the one that is taken, and called with columns the object gives its values.

    Raises:
        SettingError: the extra `formula` is not installed; the run is not on numbers only; no such target or class.
        RunError: the rows of the fit cannot be read again.

    Example:
        >>> import numpy as np, shoal, tempfile
        >>> x = np.linspace(0.1, 3.0, 150)
        >>> with tempfile.TemporaryDirectory() as folder:  # doctest: +SKIP
        ...     run = shoal.fit({"x": x, "y": np.sin(2.0 * x)}, target="y", out=folder + "/sine")
        ...     formulas = shoal.formula(run, {"x": x, "y": np.sin(2.0 * x)})
        >>> formulas.best.text  # doctest: +SKIP
        'sin(2*x)'
    """
    run, watching = as_run(run), listener(progress)
    allowed = None if functions is None else _functions(functions)
    _check_numbers(complexity, evaluations, seconds)
    check_run(run)
    if test:
        run.folder.check_test_opened()
    number, what = choose_output(run, target, of)
    import_operon()
    preparation, seed = run.predictor.preparation, int(run.metrics["seed"])
    usual = FUNCTIONS_OF_CLASSES if preparation.classes else FUNCTIONS
    settings = SearchSettings(complexity, usual if allowed is None else allowed, evaluations, seconds, seed)
    watching.stage("reading")
    rows = numeric_rows(run, data)
    sample = sample_ensemble(run.predictor, number, rows.known(), seed)
    front, complete = _front(sample.points, settings, watching)
    formulas, scores = _scored(run, rows, number, front, ("validation", "test") if test else ("validation",))
    if test:
        run.count_opening("formula")
    columns = preparation.input_columns
    return Formulas(
        run=run.name,
        what=what,
        formulas=formulas,
        taken=scores["validation"].taken,
        metric="log_loss" if preparation.classes else "rmse",
        ensemble={part: score.ensemble for part, score in scores.items()},
        variables=dict(zip(identifiers(columns), columns, strict=True)),
        sigma=sample.sigma,
        points=(sample.rows, sample.drawn),
        rows={part: score.rows for part, score in scores.items()},
        searched=settings.as_dict(),
        whole=complete,
        notes=rows.notes,
    )


def _front(points: Points, settings: SearchSettings, progress: Progress) -> tuple[list[FittedExpression], bool]:
    """Return the formulas that are worth their length, and whether the search for them went on to its end."""
    few = few_by_error(points, SEARCHED)
    expressions, complete = search_formulas(few.x, few.f, settings, progress.stage)
    progress.stage("shortening formulas")
    return polished_front(expressions, points, settings.complexity), complete


def _scored(
    run: Run, rows: NumericRows, number: int, front: Sequence[FittedExpression], parts: Sequence[str]
) -> tuple[tuple[Formula, ...], dict[str, FormulaScores]]:
    """Return the formulas with their scores on parts of the data, and these scores beside that of the ensemble."""
    preparation, seed = run.predictor.preparation, int(run.metrics["seed"])
    expressions = [expression for expression, _ in front]
    scores = {part: score_formulas(preparation.task, rows.part(run, number, part), expressions, seed) for part in parts}
    formulas = tuple(
        replace(
            formula_of(expression, loss, preparation.input_columns),
            scores={part: score.formulas[place] for part, score in scores.items()},
            beside={part: score.beside[place] for part, score in scores.items()},
        )
        for place, (expression, loss) in enumerate(front)
    )
    return formulas, scores


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


def choose_output(run: Run, target: str | None = None, of: Label | None = None) -> tuple[int, str]:
    """Return the number of the target or class that formulas are wanted for, and what they give, in words.

    Raises:
        SettingError: there is no such target or class, or there are several and none is named.
    """
    preparation, of = run.predictor.preparation, label_name(of)
    target = None if target is None else full_name(target, preparation.targets)
    if preparation.classes:
        kind, flag, names, wanted, other = "class", "--class", preparation.classes, of, target
    else:
        kind, flag, names, wanted, other = "target", "--target", preparation.targets, target, of
    if other is not None and not (preparation.classes and other in preparation.targets):
        predicted = "classes" if preparation.classes else "numbers"
        raise SettingError(f"{run.name} predicts {predicted}: name a {kind} with {flag}, one of {listing(names)}")
    if wanted is None:
        if len(names) > (2 if preparation.classes else 1):
            raise SettingError(f"a formula is for one {kind}: name it with {flag}, one of {listing(names)}")
        signal = run.folder.config["settings"].get("signal")
        wanted = names[signal_class(names, signal) if preparation.classes else 0]
    if wanted not in names:
        raise SettingError(f"there is no {kind} {wanted!r}; expected one of {listing(names)}.{suggest(wanted, names)}")
    return names.index(wanted), f"{LOGIT}{wanted}" if preparation.classes else wanted


def folder_of(run: Run, what: str) -> Path:
    """Return where the formulas of a run are written; each of several targets or classes has a folder of its own."""
    preparation = run.predictor.preparation
    if len(preparation.targets) == 1 and len(preparation.classes) <= 2:
        return run.folder.formula
    names = preparation.classes or preparation.targets
    place, slugs = names.index(what.removeprefix(LOGIT)), [slug(name) for name in names]
    alike = len(set(slugs)) < len(slugs)  # letters that file names dislike become the same
    return run.folder.formula / (f"{place + 1}-{slugs[place]}" if alike else slugs[place])
