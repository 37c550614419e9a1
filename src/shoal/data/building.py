"""From data whose roles are known to a dataset: checked, without rows that have no target, its columns described."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from shoal.data.checks import check_class_weights, check_role_values
from shoal.data.column_reading import ColumnReading
from shoal.data.columns import check_features, find_columns, notes_on_columns
from shoal.data.dataset import NO_AND_YES, Dataset
from shoal.data.hashing import data_hash
from shoal.data.raw import Raw
from shoal.data.target_rows import learnable_classes, rows_with_target
from shoal.data.targets import MULTILABEL, are_few_numbers, infer_task, read_task
from shoal.errors import DataError, counted, listing
from shoal.results import Task


def build_supervised(raw: Raw, task: Task | str | None, notes: Sequence[str], sha256: str | None = None) -> Dataset:
    """Check the rows, infer the task and put the dataset together.

    Args:
        raw: the data, with their roles.
        task: None: it is inferred.
        notes: what was done so far, in sentences.
        sha256: of the data as read, where `raw` was made of them; None: that of `raw`.

    Raises:
        DataError: the data cannot be used; the message names the column and the row.
    """
    sha256 = hash_as_read(raw) if sha256 is None else sha256
    raw, filled = _with_sound_signals(raw)
    rows = rows_with_target(raw)
    notes = [*notes, *filled, *rows.notes]
    if task is None:
        task, why = infer_task(rows.targets, raw.roles.target, bool(raw.roles.y_err))
        notes.append(why)
        if len(raw.roles.target) == 1 and are_few_numbers(rows.targets.get_column(raw.roles.target[0])):
            raw = raw._replace(choice=replace(raw.choice, task_reason=why))
    multilabel = task == MULTILABEL
    task = read_task(task)
    classes = learnable_classes(raw, rows, task)
    signals, kept = raw.signals, rows.kept
    if signals is not None and len(kept) < len(signals):
        signals = signals[kept]
    raw = raw._replace(table=rows.table, signals=signals, cut=None if raw.cut is None else raw.cut[kept])
    dataset = _assembled(raw, kept, task, classes, notes, sha256)
    if multilabel and not dataset.is_multilabel:
        raise DataError(_no_labels(dataset))
    if task is Task.CLASSIFICATION:
        for each in dataset.of_each_target:
            check_class_weights(each.y(), each.classes, each.weights())
    return dataset


def _no_labels(dataset: Dataset) -> str:
    """Return why targets are no labels any number of which may be true."""
    if len(dataset.targets) == 1:
        what = f"got {dataset.targets[0]!r} alone"
    else:
        odd = (each for each in dataset.of_each_target if tuple(map(str.lower, each.classes)) not in NO_AND_YES)
        what = next(f"but {each.targets[0]!r} holds {listing(map(repr, each.classes))}" for each in odd)
    return (
        "task multilabel expects several targets of 0 and 1, no and yes or false and true, a column for each label, "
        f"{what}; set the task to classification, or leave it out"
    )


def build_reconstruction(raw: Raw) -> Dataset:
    """Put the dataset of a reconstruction together: every row is kept, whatever its label is.

    Raises:
        DataError: series of unequal length, or data that cannot be used.
    """
    sha256 = hash_as_read(raw)
    labels = [name for name in raw.roles.target if name not in raw.step_target_names]  # those of steps label no row
    raw = raw._replace(roles=replace(raw.roles, y_err=[], target=labels), cut=None)
    if raw.signals is not None:
        if raw.signals.lengths is not None and raw.signals.lengths.min() < raw.signals.shape[0]:
            raise DataError(
                f"{raw.source} holds series of unequal length, which cannot be reconstructed; cut them to one length"
            )
        raw = raw._replace(signals=replace(raw.signals, targets=None))
    raw, filled = _with_sound_signals(raw)
    notes = [*raw.notes, *filled]
    if labels:
        notes.append(f"{listing(map(repr, labels))}: kept as a label; no network learns from it.")
    kept = np.arange(raw.table.height)
    if raw.passed is not None:
        kept = np.flatnonzero(raw.passed)
        raw = raw._replace(table=raw.table[kept], signals=None if raw.signals is None else raw.signals[kept])
    return _assembled(raw, kept, Task.RECONSTRUCTION, {}, notes, sha256)


def hash_as_read(raw: Raw) -> str:
    """Return the SHA-256 of data as they were read, without derived columns."""
    return data_hash(raw.table.drop(list(raw.rules.definitions), strict=False), raw.signals)


def build_known(raw: Raw, task: Task, classes: Mapping[str, tuple[str, ...]]) -> Dataset:
    """Put the dataset of a table together whose roles, features among them, and task are known; every row is kept.

    Args:
        raw: a tidied table, where every row has a target.
        task: classification, regression or reconstruction.
        classes: of each target, in their order.

    Raises:
        DataError: nothing to predict from, or infinite numbers.
    """
    return _assembled(raw, np.arange(raw.table.height), task, classes, [], "")


def _with_sound_signals(raw: Raw) -> tuple[Raw, list[str]]:
    """Return images or series as they are learnt from, instead of columns: aligned in memory, without gaps."""
    signals, notes = raw.signals, []
    if signals is None:
        return raw, []
    if signals.targets is not None:
        signals = replace(signals, targets=signals.targets.only(raw.roles.target))
    signals, filled = signals.aligned().interpolated()
    if filled:
        notes.append(f"Filled in {counted(filled, 'missing value')} of the series, linearly in time.")
    return raw._replace(signals=signals, roles=replace(raw.roles, features=[])), notes


def _assembled(
    raw: Raw, kept: np.ndarray, task: Task, classes: Mapping[str, tuple[str, ...]], notes: Sequence[str], sha256: str
) -> Dataset:
    """Return the dataset of rows that are all kept, with its columns checked and described; `classes` by target."""
    columns = find_columns(raw.table, raw.roles)
    if raw.signals is None:
        check_features(raw.table, columns, kept)
    check_role_values(raw.table, raw.roles, kept)
    return Dataset(
        name=raw.name,
        source=raw.source,
        table=raw.table,
        columns=columns,
        roles=raw.roles,
        task=task,
        classes=next(iter(classes.values())) if len(classes) == 1 else (),
        classes_by_target=classes if len(classes) > 1 else {},
        notes=(*notes, *notes_on_columns(columns)),
        sha256=sha256,
        kept=kept,
        signals=raw.signals,
        read_notes=raw.notes,
        cut=raw.cut,
        units=raw.units,
        choice=raw.choice,
        reading=ColumnReading(raw.formats, raw.missing),
        cautions=raw.cautions,
        rules=raw.rules,
        row_cuts=() if raw.refined is None else raw.refined.cuts,
    )
