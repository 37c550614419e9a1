"""What a finished run looks at: which columns matter, how the answer changes with them, and why a row got its own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from shoal.data import ReadOptions
from shoal.data.conversion import tidy
from shoal.data.hashing import content_hash
from shoal.errors import DataError, RunError, SettingError
from shoal.evaluation.explanation.explained import Explanation, explain_rows, explain_table
from shoal.evaluation.explanation.importance import GROUP_ABOVE, REPEATS
from shoal.evaluation.explanation.interactions import COLUMNS
from shoal.evaluation.explanation.subject import OUT_OF_FOLD, VALIDATION, Subject, Tell
from shoal.prediction.out_of_fold import rows_to_ask
from shoal.run import Run, load
from shoal.settings import kept_settings
from shoal.steps import deal_folds, read
from shoal.training.progress import Progress, Silent

MOST_ROWS = 2000
FEW = 20
"""Rows of a background below which the parts of an answer hang on which rows they are."""


def explain(
    run: Run | str | Path,
    data: Any = None,
    *,
    columns: str | Sequence[str] | None = None,
    rows: int | Sequence[int] | None = None,
    of: str | None = None,
    repeats: int = REPEATS,
    group_above: float = GROUP_ABOVE,
    interactions: int = COLUMNS,
    ice: bool = False,
    method: str = "auto",
    most_rows: int = MOST_ROWS,
    out: str | Path | None = None,
    options: ReadOptions | None = None,
    progress: Progress | None = None,
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
        progress: a listener.

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
        ...     found = shoal.explain(run, columns="petal width (cm)", interactions=0)
        >>> found.on, [effect.column for effect in found.effects]
        ('24 validation rows', ['petal width (cm)'])
    """
    run = run if isinstance(run, Run) else load(run)
    check_explainable(run)
    if most_rows < 2:
        raise SettingError(f"most_rows must be 2 or more, got {most_rows}")
    tell = (progress or Silent()).stage
    tell("reading")
    whole = validation_rows(run, of) if data is None else other_rows(run, data, of, options, alone=rows is not None)
    _ = whole.chosen  # an unknown class or target is told before the work
    if rows is not None:
        wanted = [int(row) for row in np.atleast_1d(np.asarray(rows, np.int64))]
        background, notes = (whole, []) if data is None else _background(run, whole, of)
        few = background.at_most(most_rows)
        found = explain_rows(run.name, whole, few, wanted, method=method, notes=notes, tell=tell)
    else:
        given: dict[str, Any] = {"columns": [columns] if isinstance(columns, str) else columns, "curves": ice}
        given |= {"repeats": repeats, "above": group_above, "pairs_of": interactions}
        found = _explain_columns(run, whole, most_rows, tell, given)
    if out is not None:
        from shoal.report.explanation import write_explanation

        tell("drawing")
        known = run.predictor.preparation
        write_explanation(found, out, classes=bool(known.classes), units=known.units)
    return found


def _explain_columns(run: Run, whole: Subject, most_rows: int, tell: Tell, given: dict[str, Any]) -> Explanation:
    """Return importance, effects and interactions on some of the rows; `given` goes to `explain_table`."""
    subject = whole.at_most(most_rows)
    if len(subject) < 2:
        raise DataError(f"an explanation needs two rows at least, got {len(subject)}; for one row give rows (--row)")
    notes = [] if len(subject) == len(whole) else [f"{len(subject):,} of the {len(whole):,} {whole.name} were drawn"]
    return explain_table(run.name, subject, **given, notes=notes, tell=tell)


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


def validation_rows(run: Run, of: str | None = None) -> Subject:
    """Return the validation rows of a run with its ensemble, read again from where they came from.

    Raises:
        RunError: they cannot be read again, or are no longer the same.
    """
    source, mending = run.folder.source, "Give the rows to explain it on: shoal explain RUN DATA."
    if source is None:
        raise RunError(
            f"{run.name} was fitted on data from Python, which are not kept; hand them over again: "
            "shoal.explain(run, data) then takes their validation rows"
        )
    try:
        return _validation_rows(run, source, of)
    except DataError as error:
        raise RunError(f"the validation rows of {run.name} cannot be read again: {error} {mending}") from error


def _validation_rows(run: Run, data: Any, of: str | None) -> Subject:
    config = run.folder.config
    settings = kept_settings(config["settings"])
    dataset, split = read(data, settings)
    if dataset.sha256 != config["data"]["sha256"]:
        raise RunError(
            f"the data in {dataset.source!r} have changed since {run.name} was fitted, so its validation rows are not "
            "known any more. Give the rows to explain it on: shoal explain RUN DATA."
        )
    rows, answering = rows_to_ask(run.predictor, split, deal_folds(dataset, split, settings))
    table, weights, groups = dataset.table[rows], dataset.weights(), dataset.groups()
    return Subject(
        run.predictor,
        run.predictor.preparation.transform(table),
        VALIDATION if answering is None else OUT_OF_FOLD,
        table,
        dataset.y()[rows],
        None if weights is None else weights[rows],
        answering,
        None if groups is None else np.unique(groups[rows], return_inverse=True)[1],
        dataset.kept[rows] + 1,
        of,
        int(run.metrics["seed"]),
    )


def other_rows(
    run: Run, data: Any, of: str | None = None, options: ReadOptions | None = None, *, alone: bool = False
) -> Subject:
    """Return other rows with the ensemble of a run; of the data of the fit, the validation rows.

    Where the rows are looked at one by one, `alone`, all of them are there: nothing is learnt of their targets.

    Raises:
        DataError: a column is missing, or holds values of another type than in training.
    """
    raw = run.read(data, options)
    if not alone and content_hash(tidy(raw.table)) == run.folder.config["data"]["sha256"]:
        return _validation_rows(run, data, of)
    x = run.predictor.preparation.transform(raw.inputs)
    known = not alone and set(run.predictor.preparation.targets) <= set(raw.table.columns)
    labelled = run.labelled(raw) if known else None
    group = run.folder.config["settings"].get("group")
    groups = None
    if group in raw.table.columns:
        groups = np.unique(raw.table.get_column(group).cast(pl.String).fill_null("").to_numpy(), return_inverse=True)[1]
    return Subject(
        run.predictor,
        x,
        "rows given" if raw.source == "python" else f"rows of {raw.source}",
        raw.table,
        None if labelled is None else labelled.y,
        None if labelled is None else labelled.weights,
        None,
        groups,
        np.arange(1, len(x) + 1),
        of,
        int(run.metrics["seed"]),
    )


def _background(run: Run, rows: Subject, of: str | None) -> tuple[Subject, list[str]]:
    """Return rows that are usual: the validation rows, or where they cannot be read again the rows themselves."""
    try:
        return validation_rows(run, of), []
    except RunError as error:
        few = f", which are few: {len(rows)}" if len(rows) < FEW else ""
        return rows, [f"answers are compared with those for the {rows.name}{few}, since {error}"]
