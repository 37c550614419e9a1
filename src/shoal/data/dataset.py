"""From a file, a name or Python data to a dataset: a table whose columns have types and roles."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from shoal.data.builtin import BUILTIN
from shoal.data.columns import MOST_LEVELS, Column, Kind, check_features, find_columns
from shoal.data.conversion import first_row, is_date, is_plain, tidy, to_days, to_numbers
from shoal.data.cutting import check_cutting, cut_table
from shoal.data.readers import ReadOptions, from_python, read_table
from shoal.data.recipe import Cut
from shoal.data.roles import Roles
from shoal.data.signal_readers import is_signals, signal_reader, signals_from_python
from shoal.data.signals import Signals
from shoal.data.step_targets import StepTargets, numbers_of, with_step_targets
from shoal.data.targets import (
    check_classes,
    check_targets_vary,
    class_indices,
    class_names,
    find_errors,
    find_target,
    infer_task,
    read_task,
    target_numbers,
)
from shoal.errors import DataError, SettingError, listing, suggest
from shoal.results import Task

LEAST_ROWS = 10
Inputs = pl.DataFrame | Signals
"""What can be predicted from."""


class Raw(NamedTuple):
    """Data as they were read: name, source, table, the roles that they bring with them, and images or series.

    `notes` say in sentences what the reader did beside reading. `part` is 1 for rows of a table of test rows of its
    own: series may not run on from one to the other. `cut` says where series come from that were cut before.
    """

    name: str
    source: str
    table: pl.DataFrame
    roles: Roles
    signals: Signals | None = None
    notes: tuple[str, ...] = ()
    part: np.ndarray | None = None
    cut: Cut | None = None

    @property
    def inputs(self) -> Inputs:
        """What a preparation transforms."""
        return self.table if self.signals is None else self.signals


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """A table whose columns have types and roles, and the task that they define.

    `kept` holds the positions in `source` of the rows of `table`; rows without a target are left out.
    `sha256` is that of the whole content as read. `classes` is empty in a regression. `signals` are the images or
    series to predict from, one for each row of the table, or None where its columns are the features. `read_notes` are
    those of the `notes` that the reader gave. `cut` says where series come from that were cut from a table of steps.
    In a reconstruction there are no targets; a column of that role is a label that nothing learns from.
    """

    name: str
    source: str
    table: pl.DataFrame
    columns: tuple[Column, ...]
    roles: Roles
    task: Task
    classes: tuple[str, ...]
    notes: tuple[str, ...]
    sha256: str
    kept: np.ndarray = field(default_factory=lambda: np.empty(0, np.int64))
    signals: Signals | None = None
    read_notes: tuple[str, ...] = ()
    cut: Cut | None = None

    def inputs(self, rows: np.ndarray) -> Inputs:
        """Return what a preparation transforms of some rows: their images or series, or their part of the table."""
        return self.table[rows] if self.signals is None else self.signals[rows]

    def __repr__(self) -> str:
        return f"Dataset({self.name!r}: {self.rows:,} rows, {len(self.features)} features, {self.task_name})"

    @property
    def rows(self) -> int:
        """The number of rows that have a target."""
        return self.table.height

    @property
    def features(self) -> tuple[Column, ...]:
        """The columns to predict from."""
        return tuple(column for column in self.columns if column.role == "feature")

    @property
    def targets(self) -> tuple[str, ...]:
        """The names of the columns to predict."""
        return () if self.task is Task.RECONSTRUCTION else tuple(self.roles.target)

    @property
    def label(self) -> str | None:
        """The column that says what the rows of a reconstruction are, if one is known; nothing learns from it."""
        return self.roles.target[0] if self.task is Task.RECONSTRUCTION and self.roles.target else None

    @property
    def task_name(self) -> str:
        """The task in words, e.g. `3-class classification` or `regression, 2 targets`."""
        if self.task is Task.CLASSIFICATION:
            name = ("binary" if len(self.classes) == 2 else f"{len(self.classes)}-class") + " classification"
        elif self.task is Task.RECONSTRUCTION:
            name = "reconstruction"
        else:
            name = "regression" if len(self.targets) == 1 else f"regression, {len(self.targets)} targets"
        return name if self.step_targets is None else f"{name} of every step"

    def feature_table(self) -> pl.DataFrame:
        """Return the feature columns only, in the order of the file."""
        return pl.DataFrame([self.table.get_column(column.name) for column in self.features])

    def y(self) -> np.ndarray:
        """Return `(rows,)` int64 class positions, or `(rows, targets)` float64 values; none in a reconstruction.

        With a target for each step `(rows, time)`, -1 where there is none, or `(rows, time, targets)`, NaN there.
        """
        steps = self.step_targets
        if steps is not None:
            return steps.classes(self.classes) if self.task is Task.CLASSIFICATION else steps.numbers()
        if self.task is Task.CLASSIFICATION:
            return class_indices(self.table.get_column(self.targets[0]), self.classes)
        return target_numbers(self.table, list(self.targets))

    @property
    def step_targets(self) -> StepTargets | None:
        """The targets of the steps of series; None where each row has its target."""
        return None if self.signals is None else self.signals.targets

    def strata(self) -> np.ndarray | None:
        """Return the class of each row, by which splits keep proportions, or None without classes.

        Of series whose steps have classes it is the most frequent one.
        """
        if self.task is not Task.CLASSIFICATION:
            return None
        y = self.y()
        return y if y.ndim == 1 else (y[:, :, None] == np.arange(len(self.classes))).sum(axis=1).argmax(axis=1)

    def y_err(self) -> np.ndarray | None:
        """Return `(rows, targets)` measured errors of the targets, or None."""
        if not self.roles.y_err:
            return None
        columns = [to_numbers(self.table.get_column(name)) for name in self.roles.y_err]
        errors = np.stack([column.to_numpy() for column in columns], axis=1)
        return np.ascontiguousarray(np.broadcast_to(errors, (self.rows, len(self.targets))))

    def weights(self) -> np.ndarray | None:
        """Return `(rows,)` float64 weights, or None."""
        name = self.roles.weight
        return None if name is None else to_numbers(self.table.get_column(name)).to_numpy().copy()

    def groups(self) -> np.ndarray | None:
        """Return `(rows,)` int64 group numbers, or None; rows with the same number belong together."""
        name = self.roles.group
        if name is None:
            return None
        ranks = self.table.get_column(name).cast(pl.String).rank("dense").cast(pl.Int64) - 1
        return ranks.to_numpy().copy()

    def times(self) -> np.ndarray | None:
        """Return `(rows,)` float64 times (dates in days since 1970), or None."""
        name = self.roles.time
        return None if name is None else _read_time(self.table.get_column(name)).to_numpy().copy()


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
        weight: column of row weights, zero or positive.
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
        _check_reconstruction(task=task, y_err=y_err, window=window, series=series)
    name, source, raw, own, signals, told, part, before = read_any(data, options)
    _check_names(raw)
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
    given = {**(roles or Roles()).named(), **flags.named()}
    roles = _adapted(own, given).replaced(**given)
    table = _plain_columns(tidy(raw), roles)
    answers = signals.targets.table.columns if signals is not None and signals.targets is not None else []
    roles.check([*table.columns, *answers])
    if reconstruct:
        _check_size(table, 1)
        labels = [label for label in roles.target if label not in answers]  # those of steps label no row
        roles = roles.model_copy(update={"y_err": [], "target": labels})
        found = Raw(name, source, table, roles, signals, told, None, before)
        return _build_unlabelled(found, list(told))
    _check_labelled(Raw(name, source, table, roles, signals), table, roles)
    _check_size(table, 2 if signals is None and window is None else 1)
    roles, notes = _complete(table, roles, window, series)
    notes = [*told, *notes]
    if before is not None and before.recipe.window is not None:
        task = _forecast_task(task)
    found = Raw(name, source, table, roles, signals, told, None, before)
    if window is None and series is None:
        if per_step and not answers and before is None:
            raise SettingError("per_step needs series: the column that says to which series a row belongs (--series)")
        return _build(found, task, notes)
    if signals is not None:
        raise DataError(f"{name} holds {signals.kind} already; window and series are for tables whose rows are steps")
    if window is not None:
        task = _forecast_task(task)
    how = {"window": window, "horizon": horizon, "series": series, "season": season, "per_step": bool(per_step)}
    made = cut_table(table, roles, part=part, **how)  # type: ignore[arg-type]
    found = Raw(name, source, made.table, made.roles, made.signals, told, None, made.cut)
    _check_size(made.table, 1, "series" if window is None else "windows")
    return _build(found, task, [*notes, *made.notes], content_hash(table))


def _forecast_task(task: Task | str | None) -> Task:
    if task is not None and read_task(task) is not Task.REGRESSION:
        raise SettingError("a window predicts numbers; leave out task=classification, or window")
    return Task.REGRESSION


def _build(raw: Raw, task: Task | str | None, notes: list[str], sha256: str | None = None) -> Dataset:
    """Check the rows, infer the task and put the dataset together."""
    name, source, table, roles, signals, told, _, cut = raw
    if sha256 is None:
        sha256 = content_hash(table) if signals is None else _both_hashed(table, signals)
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
        _check_classes(raw, answers, classes, counted)
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
    _check_role_values(table, roles, kept)
    notes.extend(_notes_on(columns))
    cut = cut if cut is None else cut[kept]
    return Dataset(name, source, table, columns, roles, chosen, classes, tuple(notes), sha256, kept, signals, told, cut)


def _check_reconstruction(**given: Any) -> None:
    for name, value in given.items():
        if value is not None:
            raise SettingError(f"reconstruct learns the inputs and has no targets; leave out {name}={value!r}")


def _build_unlabelled(raw: Raw, notes: list[str]) -> Dataset:
    """Put the dataset of a reconstruction together: every row is kept, whatever its label is."""
    name, source, table, roles, signals, told, *_ = raw
    sha256 = content_hash(table) if signals is None else _both_hashed(table, signals)
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
    _check_role_values(table, roles, kept)
    if roles.target:
        notes.append(f"{listing(roles.target)}: kept as a label; no network learns from it.")
    notes.extend(_notes_on(columns))
    task = Task.RECONSTRUCTION
    return Dataset(name, source, table, columns, roles, task, (), tuple(notes), sha256, kept, signals, told)


def _answered(
    table: pl.DataFrame, targets: list[str], signals: Signals | None, notes: list[str]
) -> tuple[pl.DataFrame, np.ndarray, pl.DataFrame]:
    """Return the rows that have a target, their positions, and the table that holds the targets."""
    if signals is None or signals.targets is None:
        table, kept = _with_target(table, targets, notes)
        return table, kept, table
    table, kept = with_step_targets(table, signals.targets, signals.lengths, notes)
    _check_size(table, 1, "series with a target")
    return table, kept, signals.targets.real


def _check_classes(raw: Raw, table: pl.DataFrame, classes: tuple[str, ...], kept: np.ndarray | None) -> None:
    """Check the classes; images and series may come from many files, so messages name where they are."""
    try:
        check_classes(table, raw.roles.target, classes, kept)
    except DataError as error:
        raise error if raw.signals is None else DataError(f"{raw.source}: {error}") from None


def _check_labelled(raw: Raw, table: pl.DataFrame, roles: Roles) -> None:
    """Refuse images or series that come without targets; they are for predictions."""
    if raw.signals is None or roles.target or set(table.columns) - {name for _, name in roles.pairs()}:
        return
    mend = "one folder for each class, or a table labels.csv that names files and targets"
    mend = "targets beside them, as y" if raw.signals.kind == "series" or "file" not in table.columns else mend
    raise DataError(
        f"{raw.source} holds {raw.signals.kind} without targets, from which nothing can be learnt; give {mend}"
    )


def _both_hashed(table: pl.DataFrame, signals: Signals) -> str:
    steps = "" if signals.targets is None else content_hash(signals.targets.table)
    return hashlib.sha256(f"{content_hash(table)}{signals.sha256()}{steps}".encode()).hexdigest()


def read_any(data: Any, options: ReadOptions) -> Raw:
    """Return the data with their name, their source and the roles that they bring with them."""
    if isinstance(data, Raw):
        return data
    if isinstance(data, Dataset):
        return Raw(data.name, data.source, data.table, data.roles, data.signals, data.read_notes, None, data.cut)
    if isinstance(data, str) and data in BUILTIN:
        return Raw(data, "built in", *BUILTIN[data].load())
    if isinstance(data, str | Path):
        path = Path(data)
        is_name = isinstance(data, str) and not path.suffix and "/" not in data and "\\" not in data
        if is_name and not path.exists():
            raise DataError(
                f"there is no file and no built-in data set {data!r}; built in are: {listing(BUILTIN)}."
                + suggest(str(data), BUILTIN)
            )
        name = Path(path.name.removesuffix(".gz")).stem or path.name
        reader = signal_reader(path, options)
        if reader is not None:
            return Raw(name, str(data), *reader.read(path, options))
        _check_kind(f"{path} is", options)
        return Raw(name, str(data), read_table(path, options), Roles())
    if is_signals(data):
        return Raw("data", "python", *signals_from_python(data, options))
    _check_kind("the data are", options)
    return Raw("data", "python", from_python(data), Roles())


def _check_kind(what: str, options: ReadOptions) -> None:
    """Refuse a table where images or series were announced."""
    if options.kind in ("images", "series"):
        where = "a folder of image files, " if options.kind == "images" else ""
        raise DataError(
            f"{what} a table, not {options.kind}, which come in {where}NumPy or HDF5 files or as an array of "
            f"three or four axes; leave out kind={options.kind!r} to predict from the columns"
        )


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


def _check_names(table: pl.DataFrame) -> None:
    for position, name in enumerate(table.columns, 1):
        if not name.strip():
            raise DataError(f"column {position} has no name; give every column one")


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


def _check_size(table: pl.DataFrame, columns: int, what: str = "rows") -> None:
    if table.width < columns:
        raise DataError(
            f"the table has only one column, {table.columns[0]!r}; it needs a target and at least one "
            "feature. For a text file, is the delimiter right?"
        )
    if table.height < LEAST_ROWS:
        raise DataError(f"the table has {table.height} {what}; at least {LEAST_ROWS} are needed")


def _complete(table: pl.DataFrame, roles: Roles, window: int | None, series: str | None) -> tuple[Roles, list[str]]:
    """Fill in the target and its errors where none were named; windows can forecast columns of numbers only."""
    notes = []
    table = table.drop([series] if series in table.columns and series not in roles.target else [])
    if window is not None:
        table = table.drop([c.name for c in table.get_columns() if c.dtype == pl.String and c.name not in roles.target])
    if not roles.target:
        target, why = find_target(table, roles)
        roles = roles.model_copy(update={"target": target})
        notes.append(why)
    if not roles.y_err:
        errors = find_errors(table, roles.target, roles)
        if errors:
            roles = roles.model_copy(update={"y_err": errors})
            notes.append(f"{listing(errors)}: taken by name as measured errors of {listing(roles.target)}.")
    return roles, notes


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


def _check_role_values(table: pl.DataFrame, roles: Roles, kept: np.ndarray) -> None:
    """Check target errors, weights, groups and times.

    Raises:
        DataError: names the column and the row.
    """
    for name in roles.y_err:
        series = table.get_column(name)
        _refuse(series, ~(to_numbers(series) > 0), "a measured error must be a positive number", kept)
        _refuse(series, to_numbers(series).is_infinite(), "a measured error must be finite", kept)
    if roles.weight is not None:
        series = table.get_column(roles.weight)
        numbers = to_numbers(series)
        _refuse(series, ~(numbers >= 0), "a weight must be a number that is zero or positive", kept)
        _refuse(series, numbers.is_infinite(), "a weight must be finite", kept)
        if not (numbers > 0).any():
            raise DataError(f"the weights in column {roles.weight!r} are all zero")
    if roles.group is not None:
        series = table.get_column(roles.group)
        _refuse(series, series.is_null(), "every row needs a group", kept)
    if roles.time is not None:
        series = table.get_column(roles.time)
        _refuse(series, ~_read_time(series).is_finite(), "every row needs a time (a number or a date)", kept)


def _refuse(series: pl.Series, wrong: pl.Series, expected: str, kept: np.ndarray) -> None:
    wrong = wrong.fill_null(True)
    if wrong.any():
        value = series.filter(wrong)[0]
        held = "nothing" if value is None else repr(value)
        raise DataError(f"column {series.name!r}: {expected}, but row {first_row(wrong, kept)} holds {held}")


def _read_time(series: pl.Series) -> pl.Series:
    return to_days(series) if is_date(series) else to_numbers(series)


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


def content_hash(table: pl.DataFrame) -> str:
    """Return the SHA-256 of names, types and values, the same wherever the table came from."""
    digest = hashlib.sha256()
    for series in table.get_columns():
        digest.update(f"{series.name}\0{series.dtype}\0{len(series)}\0".encode())
        digest.update(np.packbits(series.is_null().to_numpy()).tobytes())
        if series.dtype == pl.String:
            digest.update(series.str.len_bytes().fill_null(0).cast(pl.Int64).to_numpy().tobytes())
            digest.update((series.str.join("")[0] or "").encode())
        else:
            kind = pl.Float64 if series.dtype == pl.Float64 else pl.Int64
            digest.update(np.ascontiguousarray(series.to_physical().cast(kind).fill_null(0).to_numpy()).tobytes())
    return digest.hexdigest()
