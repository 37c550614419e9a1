"""The covariance of measured targets: read from a file, matched with the rows, and checked.

Errors of measurements are seldom independent: a calibration, a background or a lamp moves many rows together. The
matrix `C` holds the variance of each row on its diagonal and the covariance of each pair beside it, in units of the
target squared.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from shoal.data.matrix_files import read_covariance
from shoal.errors import DataError, SettingError, listing, suggest
from shoal.results import Task

if TYPE_CHECKING:
    from shoal.data.dataset import Dataset

ASYMMETRY = 1e-5
"""Of the product of two standard errors: so much may the two covariances of a pair differ, as rounded numbers do."""
NEGATIVE = 1e-7
"""Of the largest eigenvalue: so far below zero may the smallest lie, as rounded numbers leave it."""


@dataclass(frozen=True, eq=False)
class Covariance:
    """The covariance of the measured errors of the target.

    Attributes:
        matrix: `(rows, rows)` float64, symmetric and positive semi-definite, in units of the target squared.
        name: of the file that it was read from.
    """

    matrix: np.ndarray
    name: str

    @property
    def sigma(self) -> np.ndarray:
        """The standard error of each row, `(rows,)`."""
        return np.sqrt(np.diagonal(self.matrix))

    def of(self, rows: np.ndarray) -> np.ndarray:
        """Return the covariance of some rows, `(rows, rows)`."""
        return self.matrix[np.ix_(rows, rows)]

    @property
    def correlated(self) -> bool:
        """Whether any two rows have to do with each other; else the standard errors say everything."""
        return bool(np.count_nonzero(self.matrix) > len(self.matrix))

    def root(self, rows: np.ndarray) -> np.ndarray:
        """Return a matrix `L` with `L Lᵀ = C` for some rows, by which independent errors become correlated.

        It is Cholesky's, or that of the eigenvalues where some combination of rows has no error.
        """
        part = self.of(rows)
        try:
            return np.linalg.cholesky(part)
        except np.linalg.LinAlgError:
            values, vectors = _sound_eigenvalues(part)
            return vectors * np.sqrt(values)

    def shared(self, rows: np.ndarray, others: np.ndarray) -> np.ndarray:
        """Return the matrix `B` by which errors `L z` of some rows tell those of others: `B z` on average.

        What is left is independent of `z`, with the covariance `C - B Bᵀ` of the others.

        Args:
            rows: those with `L`, their `root`.
            others: any, also some of the same.
        """
        from scipy.linalg import solve_triangular

        part, between = self.of(rows), self.matrix[np.ix_(others, rows)]
        try:
            return np.asarray(solve_triangular(np.linalg.cholesky(part), between.T, lower=True).T)
        except np.linalg.LinAlgError:
            values, vectors = _sound_eigenvalues(part)
            inverse = np.divide(1.0, np.sqrt(values), out=np.zeros_like(values), where=values > 0.0)
            return np.asarray(between @ vectors * inverse)


def _sound_eigenvalues(part: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return eigenvalues and eigenvectors of a covariance; those that rounding alone holds up are zero."""
    values, vectors = np.linalg.eigh(part)
    floor = max(len(values) * np.finfo(np.float64).eps * values[-1], -3.0 * values[0])
    return np.where(values > floor, values, 0.0), vectors


def check_alone(y_err: Sequence[str], window: int | None, series: str | None) -> None:
    """Refuse a covariance beside other errors, or of rows that are steps in time.

    Raises:
        SettingError: says which cannot go together.
    """
    if y_err:
        raise SettingError(
            f"y_cov and y_err={listing(y_err)} both say how large the errors are; give one of them. The standard "
            "errors of a covariance are the roots of its diagonal."
        )
    for name, given, row in (("window", window, "window"), ("series", series, "series")):
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
    found = Covariance(check_covariance(matrix, path, _numbers(dataset)), Path(path).name)
    digest = hashlib.sha256(f"{dataset.sha256}\0covariance\0".encode())
    digest.update(np.ascontiguousarray(found.matrix).tobytes())
    notes = (*dataset.notes, *_notes(dataset, found, how))
    return replace(dataset, covariance=found, notes=notes, sha256=digest.hexdigest())


def _in_order(dataset: Dataset, matrix: np.ndarray, path: str | Path, rows: int) -> tuple[np.ndarray, str]:
    """Return the rows of the matrix that belong to those of the dataset, which are in its order."""
    if len(matrix) != rows:
        left_out = "" if rows == dataset.rows else f", {rows - dataset.rows:,} of them without a target"
        raise DataError(
            f"y_cov: {path} is the covariance of {len(matrix):,} rows, but the data have {rows:,}{left_out}; give one "
            "row and column for each, in the same order, or names in its first line and column and --id COLUMN to "
            "match them (with --test, rows of both files, the test rows last)"
        )
    kept = dataset.kept if len(dataset.kept) == dataset.rows else np.arange(dataset.rows)
    return matrix[np.ix_(kept, kept)] if dataset.rows < rows else matrix, "in the order of the rows"


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


def _numbers(dataset: Dataset) -> np.ndarray:
    """Return the number of each row in the data as read, from 1."""
    return (dataset.kept if len(dataset.kept) == dataset.rows else np.arange(dataset.rows)) + 1


def check_covariance(matrix: np.ndarray, path: str | Path, numbers: np.ndarray | None = None) -> np.ndarray:
    """Return a matrix, exactly symmetric, that is a covariance.

    Args:
        matrix: `(rows, rows)`.
        path: where it comes from, for messages.
        numbers: what the rows are called in messages; default: from 1.

    Raises:
        DataError: a value that is not finite, a variance that is not positive, two covariances of one pair, a
            correlation above one, or a negative eigenvalue; the message names the rows.

    Example:
        >>> check_covariance(np.array([[1.0, 0.5], [0.5, 4.0]]), "c.npy").tolist()
        [[1.0, 0.5], [0.5, 4.0]]
    """
    numbers = np.arange(1, len(matrix) + 1) if numbers is None else numbers

    def pair(wrong: np.ndarray) -> tuple[int, int, str]:
        i, j = (int(k) for k in np.unravel_index(int(wrong.argmax()), wrong.shape))
        return i, j, f"rows {numbers[i]} and {numbers[j]}" if i != j else f"row {numbers[i]}"

    finite = np.isfinite(matrix)
    if not finite.all():
        i, j, which = pair(~finite)
        raise DataError(f"y_cov: {path} must hold finite numbers, but the covariance of {which} is {matrix[i, j]:g}")
    variance = np.diagonal(matrix)
    if not (variance > 0.0).all():
        i = int((variance > 0.0).argmin())
        raise DataError(
            f"y_cov: {path}: the variance of a measured value must be positive, but that of row {numbers[i]} (on the "
            f"diagonal) is {variance[i]:g}"
        )
    size = np.sqrt(variance)
    limit = np.outer(size, size)
    wrong = np.abs(matrix - matrix.T) > ASYMMETRY * limit
    if wrong.any():
        i, j, which = pair(wrong)
        raise DataError(
            f"y_cov: {path} must be symmetric, but the covariance of {which} is {matrix[i, j]:g} in one place and "
            f"{matrix[j, i]:g} in the other"
        )
    wrong = np.abs(matrix) > (1.0 + ASYMMETRY) * limit
    if wrong.any():
        i, j, which = pair(wrong)
        raise DataError(
            f"y_cov: {path}: the correlation of {which} is {matrix[i, j] / limit[i, j]:.4g}, beyond ±1. Does the "
            "diagonal hold variances, the squares of the standard errors?"
        )
    matrix = 0.5 * (matrix + matrix.T)
    _check_eigenvalues(matrix, path)
    return matrix


def _check_eigenvalues(matrix: np.ndarray, path: str | Path) -> None:
    try:
        np.linalg.cholesky(matrix)
    except np.linalg.LinAlgError:
        values = np.linalg.eigvalsh(matrix)
        negative = int((values < -NEGATIVE * values[-1]).sum())
        if negative:
            raise DataError(
                f"y_cov: {path} is no covariance: of its {len(values):,} eigenvalues {negative:,} "
                f"{'is' if negative == 1 else 'are'} negative, the smallest {values[0]:.4g} (the largest is "
                f"{values[-1]:.4g}), so that some combination of the rows would have a negative variance. Was it "
                "rounded, or put together from parts? Add a little to the diagonal, or set these eigenvalues to zero."
            ) from None


def _notes(dataset: Dataset, found: Covariance, how: str) -> list[str]:
    """Say what was read, and what looks odd."""
    sigma, target = found.sigma, dataset.targets[0]
    correlation = found.matrix / np.outer(sigma, sigma)
    np.fill_diagonal(correlation, 0.0)
    low, high = correlation.min(), correlation.max()
    notes = [
        f"The covariance of the measured errors of {target!r} is that of {found.name}, {how}: standard errors from "
        f"{sigma.min():.3g} to {sigma.max():.3g}, correlations from {low:.2g} to {high:.2g}."
    ]
    if np.ptp(sigma) == 0.0 and sigma[0] == 1.0 and len(sigma) > 1:
        notes.append(f"Every variance in {found.name} is 1. Is it a matrix of correlations? Covariances are needed.")
    elif sigma.min() > 3.0 * dataset.y().std():
        notes.append(
            f"The errors in {found.name} are larger than the scatter of {target!r} itself. Is the covariance in its "
            "unit squared?"
        )
    return notes
