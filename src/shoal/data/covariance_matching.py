"""The covariance of the errors of a target, read from a file and matched with the rows of a dataset."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl

from shoal.data.covariance import Covariance, check_covariance
from shoal.data.covariance_files import read_covariance
from shoal.data.dataset import Dataset
from shoal.data.series.cutting import Cutting
from shoal.errors import DataError, SettingError, listing, suggest
from shoal.results import Task


def check_alone(y_err: Sequence[str], cutting: Cutting) -> None:
    """Refuse a covariance beside other errors, or of rows that are steps in time.

    Raises:
        SettingError: says which cannot go together.
    """
    if y_err:
        raise SettingError(
            f"y_cov and y_err={listing(y_err)} both say how large the errors are; give one of them. The standard "
            "errors of a covariance are the roots of its diagonal."
        )
    for name, given, row in (("window", cutting.window, "window"), ("series", cutting.series, "series")):
        if given is not None:
            raise SettingError(
                f"y_cov is the covariance of rows, but with {name} rows are steps of which each {row} holds many, and "
                "targets of several overlap; leave out one of them"
            )


def with_covariance(dataset: Dataset, path: str | Path, rows: int) -> Dataset:
    """Return the dataset with the covariance of its target.

    Args:
        dataset: a regression of one target.
        path: the file, see `read_covariance`.
        rows: how many there were before those without a target were left out.

    Raises:
        DataError: the file cannot be read, does not fit the rows, or holds no covariance.
        SettingError: the data have no single measured target.
    """
    if dataset.task is not Task.REGRESSION or len(dataset.targets) != 1 or dataset.step_targets is not None:
        raise SettingError(
            f"y_cov is the covariance of one measured target in many rows, but this is a {dataset.task_name}; leave "
            "it out"
        )
    matrix, names = read_covariance(path)
    matrix, how = _in_order(dataset, matrix, path, rows) if names is None else _by_name(dataset, matrix, names, path)
    covariance = Covariance(check_covariance(matrix, path, dataset.positions + 1), Path(path).name)
    digest = hashlib.sha256(f"{dataset.sha256}\0covariance\0".encode())
    digest.update(np.ascontiguousarray(covariance.matrix).tobytes())
    notes = (*dataset.notes, *_notes(dataset, covariance, how))
    return replace(dataset, covariance=covariance, notes=notes, sha256=digest.hexdigest())


def _in_order(dataset: Dataset, matrix: np.ndarray, path: str | Path, rows: int) -> tuple[np.ndarray, str]:
    """Return the rows of the matrix that belong to those of the dataset, which are in its order."""
    if len(matrix) != rows:
        left_out = "" if rows == dataset.rows else f", {rows - dataset.rows:,} of them without a target"
        raise DataError(
            f"y_cov: {path} is the covariance of {len(matrix):,} rows, but the data have {rows:,}{left_out}; give one "
            "row and column for each, in the same order, or names in its first line and column and --id COLUMN to "
            "match them (with --test, rows of both files, the test rows last)"
        )
    block = np.ix_(dataset.positions, dataset.positions)
    return matrix[block] if dataset.rows < rows else matrix, "in the order of the rows"


def _by_name(dataset: Dataset, matrix: np.ndarray, names: list[str], path: str | Path) -> tuple[np.ndarray, str]:
    """Return the rows of the matrix that have the names of those of the dataset."""
    column = dataset.roles.id
    if column is None:
        raise DataError(
            f"y_cov: {path} names its rows ({listing(names, 3)}); say which column of the data holds these names "
            "(--id COLUMN), or leave them out if its rows are in the order of the data"
        )
    ids = dataset.table.get_column(column).cast(pl.String).fill_null("").str.strip_chars().to_list()
    for what, several in ((f"column {column!r}", ids), (str(path), names)):
        if len(set(several)) < len(several):
            twice = next(name for i, name in enumerate(several) if name in several[:i])
            raise DataError(f"y_cov: {what} names {twice!r} twice, so that rows cannot be matched by name")
    place = {name: i for i, name in enumerate(names)}
    missing = [name for name in ids if name not in place]
    if missing:
        raise DataError(
            f"y_cov: {path} has no row for {len(missing):,} of the {len(ids):,} rows of the data, by their {column!r}: "
            f"{listing(missing, 5)}.{suggest(missing[0], names)}"
        )
    chosen = np.asarray([place[name] for name in ids])
    more = f"; {len(names) - len(ids):,} others of the file are not in the data" if len(names) > len(ids) else ""
    return matrix[np.ix_(chosen, chosen)], f"matched by {column!r}{more}"


def _notes(dataset: Dataset, errors: Covariance, how: str) -> list[str]:
    """Say what was read, and what looks odd."""
    sigma, target = errors.sigma, dataset.targets[0]
    correlation = errors.matrix / np.outer(sigma, sigma)
    np.fill_diagonal(correlation, 0.0)
    low, high = correlation.min(), correlation.max()
    notes = [
        f"The covariance of the measured errors of {target!r} is that of {errors.name}, {how}: standard errors from "
        f"{sigma.min():.3g} to {sigma.max():.3g}, correlations from {low:.2g} to {high:.2g}."
    ]
    if np.ptp(sigma) == 0.0 and sigma[0] == 1.0 and len(sigma) > 1:
        notes.append(f"Every variance in {errors.name} is 1. Is it a matrix of correlations? Covariances are needed.")
    elif sigma.min() > 3.0 * dataset.y().std():
        notes.append(
            f"The errors in {errors.name} are larger than the scatter of {target!r} itself. Is the covariance in its "
            "unit squared?"
        )
    return notes
