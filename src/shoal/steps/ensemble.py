"""Putting the ensemble together, with its errors as they are measured on validation rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl

from shoal.data import Preparation
from shoal.evaluation.scoring import block_of
from shoal.prediction.autoencoder import with_alarm
from shoal.prediction.error_bars import CalibrationRecord, HeldOutRows, with_error_bars, with_region, with_scatter
from shoal.prediction.out_of_fold import OutOfFold, ensemble_member
from shoal.prediction.predictor import Predictor
from shoal.results import Task
from shoal.steps.posing import Posed, input_errors
from shoal.training.member import TrainedMember
from shoal.training.problem import Problem


def alone(members: Sequence[TrainedMember], preparation: Preparation, problem: Problem) -> Predictor:
    """Return the ensemble before anything is known of its errors."""
    none, kept = np.zeros(len(preparation.targets)), tuple(ensemble_member(member) for member in members)
    return Predictor(preparation, kept, none, none + 1.96, head=problem.loss.head)


def make_ensemble(
    posed: Posed,
    members: Sequence[TrainedMember],
    replicas: Sequence[TrainedMember] = (),
    folds: OutOfFold | None = None,
) -> tuple[Predictor, CalibrationRecord]:
    """Return the predictor made of the kept members, its error bars or its alarm measured on the validation rows.

    With `folds` (by default those of the members), each validation row is predicted by the networks of the kept
    candidates that did not learn from it; with rolling folds, by those that learned from the rows before it.
    """
    dataset, split, preparation, problem = posed.dataset, posed.split, posed.preparation, posed.problem
    settings = posed.settings
    chosen, redrawn = (tuple(ensemble_member(m) for m in several) for several in (members, replicas))
    reconstruct = dataset.task is Task.RECONSTRUCTION
    targets = members[0].network.output_shape[0] if reconstruct else len(dataset.targets)
    rows, errors = split.validation, dataset.y_err()
    noise = np.zeros(targets)
    if problem.known_errors and errors is not None:  # networks know the scatter; new values have errors like these
        noise = np.sqrt(np.mean(errors[rows] ** 2, axis=0))
    more: dict[str, Any] = {"replicas": redrawn, "head": problem.loss.head}
    more["input_errors"] = input_errors(dataset, settings)
    plain = Predictor(preparation, chosen, noise, np.full(targets, 1.96), **more)
    folds = folds or OutOfFold.of(problem, members)
    judge = plain if folds is None else folds.judge(plain)
    rows = rows if folds is None else rows[folds.judging]
    x = preparation.transform(dataset.inputs(rows))
    if reconstruct:
        return with_alarm(plain, x, settings.false_alarm_rate), CalibrationRecord("")
    correlated = dataset.covariance is not None and dataset.covariance.correlated
    held = _held_rows(posed, rows, x, judge, folds)
    if errors is not None and not correlated:  # what rows share does not show in their residuals
        held = replace(held, sigma=errors[rows])
    made, measured = with_error_bars(judge, held, settings.coverage, settings.seed)
    if errors is not None:
        held = replace(held, sigma=errors[rows])
        nearest, _ = held.nearest(settings.coverage)
        covariance = dataset.covariance.of(rows[nearest]) if dataset.covariance is not None and correlated else None
        made = with_scatter(made, tuple(dataset.roles.y_err), held.only(nearest), covariance)
    made = replace(made, members=chosen)
    if preparation.signals is not None:
        return made, measured
    taught, groups = split.train if folds is None else split.train[folds.known][folds.taught_last], dataset.groups()
    train = preparation.transform(dataset.inputs(taught))
    return with_region(made, train, settings.seed, None if groups is None else groups[taught]), measured


def _held_rows(posed: Posed, rows: np.ndarray, x: np.ndarray, judge: Predictor, folds: OutOfFold | None) -> HeldOutRows:
    """Return the validation rows by which `judge` is to be measured; `x` are their prepared features."""
    dataset = posed.dataset
    weights, column = posed.weights, dataset.roles.group
    return HeldOutRows(
        x,
        dataset.y()[rows],
        None if weights is None else weights[rows],
        None if folds is None else folds.judged,
        None if folds is None or folds.rolling else folds.unlearned,
        None if column is None else dataset.table.get_column(column).cast(pl.String).fill_null("").to_numpy()[rows],
        column,
        block_of(posed.preparation, len(rows)),
        last=None if folds is None else folds.judged_last,
        input_spread=judge.input_spread(dataset.inputs(rows)),
        class_weight=posed.class_weight,
    )
