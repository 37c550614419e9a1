"""Cross sections of a finished run over the rows of its fit: its decision boundary and its regression curve."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from shoal.after.explaining import check_explainable, validation_rows
from shoal.after.opening import as_run
from shoal.data import ReadOptions
from shoal.errors import RunError
from shoal.evaluation.explanation.subject import VALIDATION
from shoal.report.across import RowsOver, decision_boundary_of, regression_curve_of
from shoal.report.figures import publish_numbers
from shoal.report.figures.decision_boundary import DecisionBoundary
from shoal.report.figures.regression_curve import RegressionCurve
from shoal.run import Run


def cross(
    run: Run | str | Path,
    columns: Sequence[str],
    data: Any = None,
    *,
    at: Mapping[str, Any] | None = None,
    out: str | Path | None = None,
    options: ReadOptions | None = None,
) -> DecisionBoundary | RegressionCurve:
    """Return what the ensemble says along columns, as `Run.decision_boundary` of two, `Run.regression_curve` of one.

    Args:
        run: a run or its folder.
        columns: one or two.
        data: rows that are drawn over it; default the validation rows, or where they cannot be read again the training
            rows that the run keeps, without their targets.
        at: values of other columns.
        out: a folder for the figure (SVG, PDF) and its numbers (CSV); default nowhere.
        options: how to read text files.

    Raises:
        SettingError, DataError: as of these methods.
        RunError: a file cannot be written.
    """
    run = as_run(run)
    check_explainable(run)
    shown: DecisionBoundary | RegressionCurve
    if data is not None:
        known: Any = {"data": data, "at": at, "options": options}
        two = len(columns) == 2
        shown = run.decision_boundary(*columns, **known) if two else run.regression_curve(*columns, **known)
    elif len(columns) == 2:
        shown = decision_boundary_of(run.predictor, (columns[0], columns[1]), at, _rows_of_fit(run))
    else:
        shown = regression_curve_of(run.predictor, columns[0], at, _rows_of_fit(run))
    if out is not None:
        name = "decision_boundary" if len(columns) == 2 else "regression_curve"
        with run.folder.writing(out):
            publish_numbers({name: shown}, Path(out))
    return shown


def _rows_of_fit(run: Run) -> RowsOver | None:
    """Return the validation rows, or with folds the training rows; None where they cannot be read again."""
    try:
        subject = validation_rows(run)
    except RunError:
        return None
    assert subject.table is not None
    return RowsOver(VALIDATION if subject.name == VALIDATION else "training rows", subject.table, subject.y)
