"""What an ensemble says along columns of a table, from Python: numbers that can draw themselves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from shoal.errors import SettingError
from shoal.evaluation.explanation.cross_section import CrossSection, cross_section, training_rows, values_of
from shoal.evaluation.explanation.subject import Subject
from shoal.prediction.prediction import ClassPrediction, NumberPrediction
from shoal.prediction.predictor import Predictor
from shoal.report.explanation import value_text
from shoal.report.figures.decision_boundary import DecisionBoundary, DrawnRows
from shoal.report.figures.regression_curve import RegressionCurve
from shoal.results import Task

ALONG = 201
"""Values along a curve."""


class RowsOver(NamedTuple):
    """Rows to be drawn over a cross section: what they are, their columns, and the truth as `Dataset.y` has it."""

    name: str
    table: pl.DataFrame
    truth: np.ndarray | None


def check_table(predictor: Predictor, what: str, task: Task) -> None:
    """Check that an ensemble answers rows of a table with classes, or with numbers.

    Raises:
        SettingError: it does not; the message says what there is instead.
    """
    preparation = predictor.preparation
    if preparation.task is Task.RECONSTRUCTION:
        raise SettingError(f"{what} is of predictions, but this run reconstructs and predicts nothing")
    if preparation.signals is not None:
        raise SettingError(
            f"{what} runs along columns of a table, but this run predicts from {preparation.signals.kind}; "
            "run.saliency(data) shows where its networks look"
        )
    if preparation.task is not task:
        classes = task is Task.CLASSIFICATION
        kind, other = ("classes", "regression_curve") if classes else ("numbers", "decision_boundary")
        raise SettingError(f"{what} is of {kind}, which this run does not predict; use {other}")


def decision_boundary_of(
    predictor: Predictor, columns: tuple[str, str], at: Mapping[str, Any] | None, rows: RowsOver | None
) -> DecisionBoundary:
    """Return the classes over two columns; see `Run.decision_boundary`."""
    check_table(predictor, "decision_boundary", Task.CLASSIFICATION)
    section = cross_section(predictor, columns, at, None if rows is None else rows.table)
    prediction = predictor.predict(section.table)
    assert isinstance(prediction, ClassPrediction)
    first, second = section.columns
    shape = len(section.grids[0]), len(section.grids[1])
    return DecisionBoundary(
        (first.name, second.name),
        (first.kind, second.kind),
        (section.grids[0], section.grids[1]),
        predictor.preparation.classes,
        prediction.probabilities.reshape(*shape, -1),
        prediction.disagreement.reshape(shape),
        len(predictor.members),
        _held(predictor, section),
        None if prediction.outside is None else prediction.outside.reshape(shape),
        _drawn(predictor, section, rows),
        dict(predictor.preparation.units),
    )


def regression_curve_of(
    predictor: Predictor, column: str, at: Mapping[str, Any] | None, rows: RowsOver | None
) -> RegressionCurve:
    """Return the prediction along a column; see `Run.regression_curve`."""
    check_table(predictor, "regression_curve", Task.REGRESSION)
    section = cross_section(predictor, (column,), at, None if rows is None else rows.table, ALONG)
    prediction = predictor.predict(section.table)
    assert isinstance(prediction, NumberPrediction)
    return RegressionCurve(
        section.columns[0].name,
        section.columns[0].kind,
        section.grids[0],
        predictor.preparation.targets,
        prediction.mean,
        np.nan_to_num(prediction.spread),
        prediction.low,
        prediction.high,
        0.95 if predictor.conformal is None else predictor.conformal.level,
        len(predictor.members),
        _held(predictor, section),
        prediction.outside,
        _drawn(predictor, section, rows),
        dict(predictor.preparation.units),
    )


def _held(predictor: Predictor, section: CrossSection) -> tuple[tuple[str, str], ...]:
    """Return the columns that are held with the texts of their values."""
    subject = Subject(predictor, np.zeros((0, 0), np.float32))
    kinds = {column.name: column.kind for column in subject.columns}
    return tuple((name, value_text(value, kinds[name])) for name, value in section.held.items())


def _drawn(predictor: Predictor, section: CrossSection, rows: RowsOver | None) -> DrawnRows | None:
    """Return the rows that have a value in each column of a cross section; by default the training rows kept."""
    rows = rows or RowsOver("training rows", training_rows(predictor), None)
    values = np.array([values_of(column, rows.table) for column in section.columns])
    there = np.isfinite(values).all(axis=0)
    if not there.any():
        return None
    return DrawnRows(rows.name, values[:, there], None if rows.truth is None else rows.truth[there])
