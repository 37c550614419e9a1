"""From a file, a name or Python data to a dataset."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from shoal.data.checks import (
    LEAST_ROWS,
    check_class_weights,
    check_classes_of,
    check_labelled,
    check_named,
    check_reconstruction,
    check_role_values,
    check_size,
)
from shoal.data.columns import MOST_LEVELS, Column, Kind, check_features, find_columns
from shoal.data.conversion import is_plain, tidy
from shoal.data.covariance import check_alone, with_covariance
from shoal.data.dataset import Dataset
from shoal.data.hashing import content_hash, hash_of_both
from shoal.data.raw import Raw, read_any
from shoal.data.readers import ReadOptions
from shoal.data.roles import Roles
from shoal.data.series.cutting import check_cutting, cut_table
from shoal.data.series.step_targets import numbers_of, with_step_targets
from shoal.data.series.windows import step_names
from shoal.data.signals import Signals
from shoal.data.targets import (
    check_targets_vary,
    class_names,
    find_errors,
    find_target,
    infer_task,
    read_task,
    target_numbers,
)
from shoal.data.units import check_errors, units_of_names
from shoal.errors import DataError, SettingError, listing
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
) -> Dataset:
    """Return a dataset from a built-in name, a file, a data frame or arrays.

    Args:
        data: name of a built-in set (`iris`), path of a file, data frame (pandas, polars, pyarrow),
            array, dict of columns, or `(X, y)`.
        roles: roles of the columns; each argument below replaces one of them.
        target: column or columns to predict; found by its name by default, else the last column.
        task: classification or regression; inferred by default.
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

    Returns:
        The dataset; its `notes` say in sentences what was inferred and what was left out.

    Raises:
        DataError: the data cannot be used as they are; the message names the column and row.
        SettingError: options that exclude each other.

    Example:
        >>> load_dataset({"x": range(20), "y": [0.5 * i for i in range(20)]}).task_name
        'regression'
    """
    check_cutting(window, horizon, season, per_step)
    options = options if per_step is None else replace(options, per_step=per_step)
    if reconstruct:
        check_reconstruction(task=task, y_err=y_err, y_cov=y_cov, window=window, series=series)
    name, source, raw, own, signals, told, part, before, known = read_any(data, options)
    check_named(raw)
    flags = Roles().replaced(
        target=target,
        features=features,
        y_err=y_err,
        weight=weight,
        group=group,
        time=time,
        id=id,
        ignored=ignore,
    )
    answers = signals.targets.table.columns if signals is not None and signals.targets is not None else []
    named = Roles().replaced(**{**(roles or Roles()).named(), **flags.named()})
    given = named.in_full([*raw.columns, *answers]).named()
    roles = _adapted(own, given).replaced(**given)
    table = _plain_columns(tidy(raw), roles)
    roles.check([*table.columns, *answers])
    units = {**units_of_names([*table.columns, *answers]), **known, **roles.units}
    if reconstruct:
        check_size(table, 1)
        labels = [label for label in roles.target if label not in answers]  # those of steps label no row
        roles = roles.model_copy(update={"y_err": [], "target": labels})
        found = Raw(name, source, table, roles, signals, told, None, before, units)
        return _build_unlabelled(found, list(told))
    check_labelled(Raw(name, source, table, roles, signals), table, roles)
    check_size(table, 2 if signals is None and window is None else 1)
    if y_cov is not None:
        check_alone(given.get("y_err", []), window, series)
        roles = roles.model_copy(update={"y_err": [], "ignored": [*roles.ignored, *roles.y_err]})
        task = Task.REGRESSION if task is None else task
    roles, notes = _complete(table, roles, window, series, errors=y_cov is None)
    check_errors(dict(zip(roles.target, roles.y_err * len(roles.target), strict=False)), units)
    notes = [*told, *notes]
    if before is not None and before.recipe.window is not None:
        task = _forecast_task(task)
    found = Raw(name, source, table, roles, signals, told, None, before, units)
    if window is None and series is None:
        if per_step and not answers and before is None:
            raise SettingError("per_step needs series: the column that says to which series a row belongs (--series)")
        dataset = _build(found, task, notes)
        return dataset if y_cov is None else with_covariance(dataset, y_cov, table.height)
    if signals is not None:
        raise DataError(f"{name} holds {signals.kind} already; window and series are for tables whose rows are steps")
    if window is not None:
        task = _forecast_task(task)
    how = {"window": window, "horizon": horizon, "series": series, "season": season, "per_step": bool(per_step)}
    made = cut_table(table, roles, part=part, **how)  # type: ignore[arg-type]
    ahead = {step: units[target] for target in roles.target if target in units for step in step_names(target, horizon)}
    found = Raw(name, source, made.table, made.roles, made.signals, told, None, made.cut, {**units, **ahead})
    check_size(made.table, 1, "series" if window is None else "windows")
    return _build(found, task, [*notes, *made.notes], content_hash(table))


def _forecast_task(task: Task | str | None) -> Task:
    if task is not None and read_task(task) is not Task.REGRESSION:
        raise SettingError("a window predicts numbers; leave out task=classification, or window")
    return Task.REGRESSION


def _adapted(own: Roles, given: dict[str, Any]) -> Roles:
    """Return what the data say about their own columns, as far as the user does not say otherwise."""
    user = Roles().replaced(**given)
    taken = {name for _, name in user.pairs()} | set(user.features or [])
    if not own.target or user.target in ([], own.target):
        target, error_of, outputs = own.target, own.y_err, []
    else:
        target, errors = [], dict(zip(own.target, own.y_err, strict=False))
        error_of = [errors[name] for name in user.target if name in errors]
        error_of = error_of if len(error_of) == len(user.target) else []
        # another measured output, or the error of one, is no feature unless the user asks for it
        outputs = [*(own.target if len(own.target) > 1 else []), *own.y_err]
    return Roles(
        target=target,
        y_err=[] if taken & set(error_of) else error_of,
        weight=None if own.weight in taken else own.weight,
        group=None if own.group in taken else own.group,
        time=None if own.time in taken else own.time,
        id=None if own.id in taken else own.id,
        ignored=[name for name in outputs if name not in taken and name not in error_of],
    )


def _plain_columns(table: pl.DataFrame, roles: Roles) -> pl.DataFrame:
    """Leave out ignored columns of lists and the like, and refuse others."""
    odd = [series for series in table.get_columns() if not is_plain(series)]
    for series in odd:
        if series.name not in roles.ignored:
            raise DataError(
                f"column {series.name!r} holds {str(series.dtype).lower()}, not one value per row; "
                "spread it over several columns or ignore it"
            )
    return table.drop([series.name for series in odd], strict=True) if odd else table


def _complete(
    table: pl.DataFrame, roles: Roles, window: int | None, series: str | None, *, errors: bool
) -> tuple[Roles, list[str]]:
    """Fill in the target and its errors where none were named; windows can forecast columns of numbers only.

    Without `errors`, which are known otherwise then, columns that are named like them are left out.
    """
    notes = []
    table = table.drop([series] if series in table.columns and series not in roles.target else [])
    if window is not None:
        table = table.drop([c.name for c in table.get_columns() if c.dtype == pl.String and c.name not in roles.target])
    if not roles.target:
        target, why = find_target(table, roles)
        roles = roles.model_copy(update={"target": target})
        notes.append(why)
    if not roles.y_err:
        found = find_errors(table, roles.target, roles)
        if found and errors:
            roles = roles.model_copy(update={"y_err": found})
            notes.append(f"{listing(found)}: taken by name as measured errors of {listing(roles.target)}.")
        elif found:
            roles = roles.model_copy(update={"ignored": [*roles.ignored, *found]})
            notes.append(f"{listing(found)}: left out, since the covariance says how large the errors are.")
    return roles, notes


def _build(raw: Raw, task: Task | str | None, notes: list[str], sha256: str | None = None) -> Dataset:
    """Check the rows, infer the task and put the dataset together."""
    name, source, table, roles, signals, told, _, cut, units = raw
    if sha256 is None:
        sha256 = content_hash(table) if signals is None else hash_of_both(table, signals)
    if signals is not None:
        if signals.targets is not None:
            signals = replace(signals, targets=signals.targets.only(roles.target))
        signals, filled = signals.aligned().interpolated()
        if filled:
            notes.append(f"Filled in {filled:,} missing values of the series, linearly in time.")
    table, kept, answers = _answered(table, roles.target, signals, notes)
    counted = kept if answers is table else None
    if task is None:
        chosen, why = infer_task(answers, roles.target, bool(roles.y_err))
        notes.append(why)
    else:
        chosen = read_task(task)
    classes: tuple[str, ...] = ()
    if chosen is Task.CLASSIFICATION:
        classes = class_names(answers.get_column(roles.target[0]))
        check_classes_of(raw, answers, classes, counted)
        if roles.y_err:
            raise DataError(f"classes have no measured errors; leave out y_err={listing(roles.y_err)}")
    else:
        values = target_numbers(table, roles.target, kept) if answers is table else numbers_of(answers, roles.target)
        check_targets_vary(values, roles.target)
    if signals is not None:
        roles, signals = (
            roles.model_copy(update={"features": []}),
            signals[kept] if len(kept) < len(signals) else signals,
        )
    columns = find_columns(table, roles)
    if signals is None:
        check_features(table, columns, kept)
    check_role_values(table, roles, kept)
    notes.extend(_notes_on(columns))
    cut = cut if cut is None else cut[kept]
    parts = name, source, table, columns, roles, chosen, classes, tuple(notes), sha256, kept, signals, told, cut
    dataset = Dataset(*parts, units=units)
    if chosen is Task.CLASSIFICATION:
        check_class_weights(dataset.y(), classes, dataset.weights())
    return dataset


def _build_unlabelled(raw: Raw, notes: list[str]) -> Dataset:
    """Put the dataset of a reconstruction together: every row is kept, whatever its label is."""
    name, source, table, roles, signals, told, *_ = raw
    sha256 = content_hash(table) if signals is None else hash_of_both(table, signals)
    if signals is not None:
        signals = replace(signals, targets=None)
        if signals.lengths is not None and signals.lengths.min() < signals.shape[0]:
            raise DataError(
                f"{source} holds series of unequal length, which cannot be reconstructed; cut them to one length"
            )
        signals, filled = signals.aligned().interpolated()
        if filled:
            notes.append(f"Filled in {filled:,} missing values of the series, linearly in time.")
        roles = roles.model_copy(update={"features": []})
    kept = np.arange(table.height)
    columns = find_columns(table, roles)
    if signals is None:
        check_features(table, columns, kept)
    check_role_values(table, roles, kept)
    if roles.target:
        notes.append(f"{listing(roles.target)}: kept as a label; no network learns from it.")
    notes.extend(_notes_on(columns))
    task = Task.RECONSTRUCTION
    parts = name, source, table, columns, roles, task, (), tuple(notes), sha256, kept, signals, told
    return Dataset(*parts, units=raw.units)


def _answered(
    table: pl.DataFrame, targets: list[str], signals: Signals | None, notes: list[str]
) -> tuple[pl.DataFrame, np.ndarray, pl.DataFrame]:
    """Return the rows that have a target, their positions, and the table that holds the targets."""
    if signals is None or signals.targets is None:
        table, kept = _with_target(table, targets, notes)
        return table, kept, table
    table, kept = with_step_targets(table, signals.targets, signals.lengths, notes)
    check_size(table, 1, "series with a target")
    return table, kept, signals.targets.real


def _with_target(table: pl.DataFrame, targets: list[str], notes: list[str]) -> tuple[pl.DataFrame, np.ndarray]:
    """Leave out the rows in which a target is missing, and say so."""
    present = np.ones(table.height, bool)
    for name in targets:
        series = table.get_column(name)
        if series.null_count() == len(series):
            raise DataError(f"the target {name!r} has no values")
        present &= series.is_not_null().to_numpy()
    kept = np.flatnonzero(present)
    left_out = table.height - len(kept)
    if left_out:
        notes.append(f"{left_out} row{'s' if left_out > 1 else ''} without a target left out.")
        table = table.filter(pl.Series(present))
    if table.height < LEAST_ROWS:
        raise DataError(f"only {table.height} rows have a target; at least {LEAST_ROWS} are needed")
    return table, kept


def _notes_on(columns: tuple[Column, ...]) -> list[str]:
    """Say which columns are left out and why, and which categories will be pooled."""
    notes = []
    reasons: dict[str, list[str]] = {}
    for column in columns:
        if column.role == "dropped":
            text = "they are the same in every row" if column.kind is Kind.CONSTANT else column.reason
            reasons.setdefault(text, []).append(column.name)
    for text, names in reasons.items():
        if len(names) == 1:
            text = next(column.reason for column in columns if column.name == names[0])
        text = text if len(names) == 1 else text.replace("it has", "they have").replace("it ", "they ")
        notes.append(f"Left out {listing(names)}: {text}.")
    for column in columns:
        if column.role == "feature" and column.kind is Kind.CATEGORY and column.distinct > MOST_LEVELS:
            notes.append(
                f"{column.name!r} has {column.distinct:,} categories; the {MOST_LEVELS} most frequent are "
                "told apart and the rest count as 'other'."
            )
    return notes
