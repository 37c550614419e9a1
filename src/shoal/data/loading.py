"""From a file, a name or Python data to a dataset."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from shoal.data.building import build_reconstruction, build_supervised, hash_as_read
from shoal.data.cautions import cautions
from shoal.data.checks import check_labelled, check_reconstruction, check_size
from shoal.data.column_reading import ColumnReading
from shoal.data.conversion import tidy
from shoal.data.covariance_matching import check_alone, with_covariance
from shoal.data.dataset import Dataset
from shoal.data.error_pairs import error_proposals
from shoal.data.one_hot import with_classes_joined
from shoal.data.raw import Raw, read_any
from shoal.data.readers import ReadOptions
from shoal.data.role_resolution import with_inferred_roles, with_roles, without_errors
from shoal.data.roles import Roles
from shoal.data.series.cutting import Cutting, cut_table
from shoal.data.series.windows import step_names
from shoal.data.table_rules import TableRules
from shoal.data.targets import forecast_task
from shoal.data.units import check_errors
from shoal.errors import DataError, SettingError
from shoal.results import Task


def load_dataset(
    data: Any,
    *,
    roles: Roles | None = None,
    target: str | list[str] | None = None,
    task: Task | str | None = None,
    options: ReadOptions = ReadOptions(),
    features: list[str] | None = None,
    y_err: str | list[str] | None = None,
    weight: str | None = None,
    group: str | None = None,
    time: str | None = None,
    id: str | None = None,
    ignore: str | list[str] | None = None,
    window: int | None = None,
    horizon: int = 1,
    series: str | None = None,
    season: int | None = None,
    reconstruct: bool = False,
    per_step: bool | None = None,
    y_cov: str | Path | None = None,
    derive: Any = None,
    where: Any = None,
) -> Dataset:
    """Return a dataset from a built-in name, a file, a data frame or arrays.

    Args:
        data: name of a built-in set (`iris`), path of a file, pattern, list of paths, data frame (pandas, polars,
            pyarrow), array, dict of columns, or `(X, y)`.
        roles: roles of the columns; each argument below replaces one of them.
        target: column or columns to predict; found by its name by default, else the last column.
        task: classification, multilabel (of several targets of 0 and 1) or regression; inferred by default.
        options: how to read text files.
        features: columns to predict from; by default all without another role.
        y_err: columns of measured errors (standard deviations) of the targets.
        weight: column of row weights; negative ones are allowed while each class has a positive sum.
        group: column; rows with the same value stay together in every split.
        time: column of numbers or dates; the past trains, the future tests.
        id: column that names the rows.
        ignore: columns to leave out.
        window: the rows are steps in time, and so many of them predict the next values of the target.
        horizon: how many next values a window predicts.
        series: column that says to which series a row belongs; without `window` each series is one row with one
            label.
        season: steps after which the target repeats, for the seasonal baseline; found by default.
        reconstruct: the inputs are to be reconstructed, and no target is needed; one that is named, or that the data
            bring with them, is kept as a label that nothing learns from.
        per_step: each step of a series has its own target; by default so in arrays whose shapes say it, and never in
            tables.
        y_cov: file with the covariance of the errors of the one target in all rows, instead of `y_err`; see
            `shoal.data.covariance`.
        derive: columns to compute, `pt = hypot(px, py)`, one or several, or a dict from name to expression; see
            `shoal.data.expressions`.
        where: conditions that rows must fulfil, `pt > 20 and abs(eta) < 2.5`, one or several.

    Returns:
        The dataset; its `notes` say in sentences what was inferred and what was left out.

    Raises:
        DataError: the data cannot be used as they are; the message names the column and row.
        SettingError: options that exclude each other.

    Example:
        >>> load_dataset({"x": range(20), "y": [0.5 * i for i in range(20)]}).task_name
        'regression'
    """
    cutting = Cutting(window, horizon, series, season, per_step)
    options = options if per_step is None else replace(options, per_step=per_step)
    if reconstruct:
        check_reconstruction(task=task, y_err=y_err, y_cov=y_cov, window=window, series=series)
    raw = _refined(read_any(data, options), TableRules.of(derive, where), cutting, options)
    columns: dict[str, Any] = {"target": target, "features": features, "y_err": y_err, "weight": weight, "group": group}
    columns |= {"time": time, "id": id, "ignored": ignore}
    named = (roles or Roles()).replaced(**Roles().replaced(**columns).named()).in_full(raw.column_names)
    raw = with_roles(raw, named, options)
    if reconstruct:
        return _load_reconstruction(raw)
    check_labelled(raw)
    check_size(raw.table, 2 if raw.signals is None and window is None else 1)
    if y_cov is None:
        return _load_supervised(raw, task, cutting)
    check_alone(named.y_err, cutting)
    raw = raw._replace(roles=without_errors(raw.roles))
    dataset = _load_supervised(raw, Task.REGRESSION if task is None else task, cutting, errors=False)
    return with_covariance(dataset, y_cov, raw.table.height)


def _refined(raw: Raw, rules: TableRules, cutting: Cutting, options: ReadOptions) -> Raw:
    """Return data with derived columns, and which rows pass the cuts."""
    if not rules:
        return raw
    if rules.where and (cutting.wanted or raw.step_target_names):
        raise SettingError("where chooses rows, but here rows are steps of series, which may not have gaps")
    table = tidy(raw.table)
    reading = ColumnReading(missing=(*raw.missing, *options.missing))
    refined = rules.apply(table, reading.read_table(table))
    refined.check_passed()
    both = TableRules(raw.rules.derive + rules.derive, raw.rules.where + rules.where)
    if raw.refined is not None:
        refined = refined._replace(cuts=raw.refined.cuts + refined.cuts)
    return raw._replace(table=refined.table, rules=both, refined=refined)


def _load_reconstruction(raw: Raw) -> Dataset:
    check_size(raw.table, 1)
    joined = with_classes_joined(raw, None).raw
    return build_reconstruction(joined._replace(cautions=tuple(cautions(raw.table, raw.roles, raw.signals))))


def _load_supervised(raw: Raw, task: Task | str | None, cutting: Cutting, *, errors: bool = True) -> Dataset:
    """Return the dataset of data whose roles are known, as far as they were named.

    Args:
        raw: the data.
        task: None: it is inferred.
        cutting: how their rows become series, if they shall.
        errors: whether columns may hold the measured errors of the targets; else these are known otherwise.
    """
    raw, notes = with_inferred_roles(raw, cutting, errors=errors)
    proposals: list[str] = []
    if raw.signals is None and not cutting.wanted:
        proposals = error_proposals(raw.table, raw.roles, raw.units, of_target=errors and not raw.roles.y_err)
    raw = raw._replace(cautions=(*cautions(raw.table, raw.roles, raw.signals), *proposals))
    notes = [*raw.notes, *notes]
    roles = raw.roles
    check_errors(dict(zip(roles.target, roles.y_err * len(roles.target), strict=False)), raw.units)
    if raw.cut is not None and raw.cut.recipe.window is not None:
        task = forecast_task(task)
    hashed = hash_as_read(raw)
    if cutting.window is None:
        raw, task, joining = with_classes_joined(raw, task)
        notes += joining
    if not cutting.wanted:
        if cutting.per_step and not raw.step_target_names and raw.cut is None:
            raise SettingError("per_step needs series: the column that says to which series a row belongs (--series)")
        return build_supervised(raw, task, notes, hashed)
    if raw.signals is not None:
        raise DataError(
            f"{raw.name} holds {raw.signals.kind} already; window and series are for tables whose rows are steps"
        )
    task = task if cutting.window is None else forecast_task(task)
    series, cut_notes = _cut(raw, cutting)
    return build_supervised(series, task, [*notes, *cut_notes], hashed)


def _cut(raw: Raw, cutting: Cutting) -> tuple[Raw, tuple[str, ...]]:
    """Return a table of steps as series, with the units of the values that windows predict, and what was done."""
    made = cut_table(raw.table, raw.roles, cutting, raw.part)
    check_size(made.table, 1, "series" if cutting.window is None else "window")
    targets = [name for name in raw.roles.target if name in raw.units]
    units = {step: raw.units[name] for name in targets for step in step_names(name, cutting.horizon)}
    raw = raw._replace(units={**raw.units, **units})
    return raw._replace(table=made.table, roles=made.roles, signals=made.signals, cut=made.cut), made.notes
