"""What a finished run looks at: which columns matter, how the answer changes with them, and why a row got its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from shoal.after.opening import as_run
from shoal.after.rows_of_fit import Refusals, holds_rows_of_fit, read_rows_of_fit
from shoal.data import ReadOptions
from shoal.data.labels import Label
from shoal.errors import DataError, RunError, SettingError
from shoal.evaluation.explanation.attribution import attributions, choose_method
from shoal.evaluation.explanation.explained import Explanation, TableSettings, explain_table
from shoal.evaluation.explanation.importance import GROUP_ABOVE, REPEATS
from shoal.evaluation.explanation.interactions import COLUMNS
from shoal.evaluation.explanation.subject import OUT_OF_FOLD, VALIDATION, Subject, Tell
from shoal.run import Run
from shoal.training.progress import Progress
from shoal.training.progress_lines import listener

MOST_ROWS = 2000
FEW = 20
"""Rows of a background below which the parts of an answer hang on which rows they are."""
REFUSALS = Refusals(
    not_kept="{run} was fitted on data from Python, which are not kept; hand them over again: shoal.explain(run, data) "
    "then takes their validation rows",
    unreadable="the validation rows of {run} cannot be read again: {error} Give the rows to explain it on: shoal "
    "explain RUN DATA.",
    changed="the data in {source!r} have changed since {run} was fitted, so its validation rows are not known any "
    "more. Give the rows to explain it on: shoal explain RUN DATA.",
)


def explain(
    run: Run | str | Path,
    data: Any = None,
    *,
    columns: str | Sequence[str] | None = None,
    rows: int | Sequence[int] | None = None,
    of: Label | None = None,
    repeats: int = REPEATS,
    group_above: float = GROUP_ABOVE,
    interactions: int = COLUMNS,
    ice: bool = False,
    method: str = "auto",
    most_rows: int = MOST_ROWS,
    out: str | Path | None = None,
    options: ReadOptions | None = None,
    progress: Progress | bool | None = None,
) -> Explanation:
    """Return what the ensemble of a run on a table looks at: importance, effects and interactions of columns.

    Without `data`, or with the data of the fit, the rows are the validation rows, with `cv` each asked of the networks
    that did not learn from it. The test rows are not opened.

    Args:
        run: a run or its folder.
        data: other rows, as for `Run.predict`; importance needs their targets, all else does not.
        columns: whose effects are wanted; by default the six most important.
        rows: places of rows, from 0, whose answers are taken apart; then nothing else is done.
        of: the class or target that is asked about; by default the signal of two classes, all of more, the first
            target.
        repeats: permutations of each column.
        group_above: |Spearman| from which on columns are permuted together; above 1, each by itself.
        interactions: how many of the most important columns are looked at in pairs; 0: none.
        ice: whether effects of single rows are wanted, too (individual conditional expectation).
        method: how answers are taken apart: `gradients`, `shapley`, or `auto`: by gradients where all columns are
            numbers.
        most_rows: of more rows so many are drawn at random.
        out: a folder for figures (SVG, PDF) and their numbers (CSV, JSON); by default nothing is written.
        options: how to read text files.
        progress: as for `fit`.

    Returns:
        The explanation, with `.importance`, `.effects`, `.interactions`, `.attributions` and `.as_dict()`.

    Raises:
        SettingError: the run is not on a table or predicts nothing; no such column, row, class or method.
        DataError: rows that cannot be used as they are.
        RunError: the validation rows cannot be read again.

    Example:
        >>> import shoal, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     run = shoal.fit("iris", networks=2, hidden=(4,), epochs=2, batch_size=32, out=folder + "/iris")
        ...     explanation = shoal.explain(run, columns="petal width (cm)", interactions=0)
        >>> explanation.on, [effect.column for effect in explanation.effects]
        ('24 validation rows', ['petal width (cm)'])
    """
    run = as_run(run)
    check_explainable(run)
    if most_rows < 2:
        raise SettingError(f"most_rows must be 2 or more, got {most_rows}")
    tell = listener(progress).stage
    tell("reading")
    subject = validation_rows(run, of) if data is None else other_rows(run, data, of, options, alone=rows is not None)
    _ = subject.explained, choose_method(subject, method)  # what is unknown is told before the work
    if rows is None:
        named = (columns,) if isinstance(columns, str) else columns
        names = None if named is None else [subject.column(name).name for name in named]
        settings = TableSettings(names, repeats=repeats, above=group_above, pairs_of=interactions, curves=ice)
        explanation = _explain_columns(run, subject.at_most(most_rows), len(subject), settings, tell)
    else:
        background, notes = (subject, []) if data is None else _background(run, subject, of)
        explanation = _explain_rows(run, subject, background.at_most(most_rows), rows, method, tell)
        explanation = replace(explanation, notes=tuple(notes))
    if out is not None:
        tell("drawing")
        _write(run, explanation, out)
    return explanation


def _explain_rows(
    run: Run, subject: Subject, background: Subject, rows: int | Sequence[int], method: str, tell: Tell
) -> Explanation:
    """Return the answers of some rows taken apart."""
    places = [int(row) for row in np.atleast_1d(np.asarray(rows, np.int64))]
    parts = attributions(subject, background, places, method=method, tell=tell)
    return Explanation(run.name, f"{len(places)} of {len(subject):,} {subject.name}", attributions=parts)


def _write(run: Run, explanation: Explanation, out: str | Path) -> None:
    from shoal.report.explanation import write_explanation

    preparation = run.predictor.preparation
    with run.folder.writing(out):
        write_explanation(explanation, out, classes=bool(preparation.classes), units=preparation.units)


def _explain_columns(run: Run, subject: Subject, rows: int, settings: TableSettings, tell: Tell) -> Explanation:
    """Return importance, effects and interactions on a subject that was drawn from so many rows."""
    if len(subject) < 2:
        raise DataError(f"an explanation needs two rows at least, got {len(subject)}; for one row give rows (--row)")
    notes = [] if len(subject) == rows else [f"{len(subject):,} of the {rows:,} {subject.name} were drawn"]
    return explain_table(run.name, subject, settings, notes=notes, tell=tell)


def check_explainable(run: Run) -> None:
    """Check that a run predicts from a table.

    Raises:
        SettingError: it does not; the message says what there is instead.
    """
    signals = run.predictor.preparation.signals
    if run.reconstructs:
        raise SettingError(
            f"{run.name} reconstructs and predicts nothing that could be explained; its page shows which columns are "
            "reconstructed well"
        )
    if signals is not None:
        raise SettingError(
            f"explain is for tables, but {run.name} predicts from {signals.kind}; where its networks look is shown on "
            "its page (saliency, filters, hidden states), and of other rows by run.saliency(data).draw() in Python"
        )


def validation_rows(run: Run, of: Label | None = None, data: Any = None) -> Subject:
    """Return the validation rows of a run with its ensemble, read again from its source or from `data`.

    Raises:
        RunError: they cannot be read again, or are no longer the same.
    """
    fit = read_rows_of_fit(run, REFUSALS, data)
    rows, answering = fit.validation(run.predictor)
    table = fit.dataset.table[rows]
    return Subject(
        run.predictor,
        run.predictor.preparation.transform(table),
        VALIDATION if answering is None else OUT_OF_FOLD,
        table,
        fit.dataset.y()[rows],
        fit.weights(rows),
        answering,
        fit.groups(rows),
        fit.dataset.kept[rows] + 1,
        of,
        int(run.metrics["seed"]),
    )


def other_rows(
    run: Run, data: Any, of: Label | None = None, options: ReadOptions | None = None, *, alone: bool = False
) -> Subject:
    """Return other rows with the ensemble of a run; of the data of the fit, the validation rows.

    Where the rows are looked at one by one, `alone`, all of them are there: nothing is learnt of their targets.

    Raises:
        DataError: a column is missing, or holds values of another type than in training.
    """
    raw = run.read(data, options)
    raw.check_passed()
    raw = raw._replace(table=run.predictor.preparation.reading.read_table(raw.table))
    every_row = raw.table  # as read
    if raw.refined is not None and raw.passed is not None:
        every_row = run.preparation.reading.read_table(raw.refined.table)
    if not alone and holds_rows_of_fit(run, every_row):
        return validation_rows(run, of, data)
    x = run.predictor.preparation.transform(raw.inputs)
    with_targets = not alone and set(run.predictor.preparation.targets) <= set(raw.table.columns)
    labelled = run.labelled(raw) if with_targets else None
    return Subject(
        run.predictor,
        x,
        "rows given" if raw.source == "python" else f"rows of {raw.source}",
        raw.table,
        None if labelled is None else labelled.y,
        None if labelled is None else labelled.weights,
        None,
        run.groups(raw.table),
        np.arange(1, len(x) + 1),
        of,
        int(run.metrics["seed"]),
    )


def _background(run: Run, rows: Subject, of: Label | None) -> tuple[Subject, list[str]]:
    """Return rows that are usual: the validation rows, or where they cannot be read again the rows themselves."""
    try:
        return validation_rows(run, of), []
    except RunError as error:
        few = f", which are few: {len(rows)}" if len(rows) < FEW else ""
        return rows, [f"answers are compared with those for the {rows.name}{few}, since {error}"]
