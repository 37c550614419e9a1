"""Files that hold a matrix, one row and column for each row of data: arrays of NumPy, or text of many layouts."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import numpy as np

from shoal.data.readers.files import load_bytes, usable_path
from shoal.data.readers.numpy_arrays import array_headers, check_arrays
from shoal.data.readers.tables.decoding import decode_text
from shoal.errors import DataError, listing, suggest

NAMES = ("covariance", "cov", "y_cov")
"""How the matrix may be called in an NPZ file with several arrays."""
_COPIES = 3  # the matrix, its rows in the order of the data, and its factor
_NUMBER = re.compile(r"[+-]?(\d+[.,]?\d*|[.,]\d+)([eE][+-]?\d+)?|[+-]?(nan|inf(inity)?)", re.IGNORECASE)


def read_covariance(path: str | Path) -> tuple[np.ndarray, list[str] | None]:
    """Return the matrix in a file and the names of its rows, None where they have none.

    Args:
        path: NPY with a square array; NPZ with one, perhaps beside `ids`; else text: numbers separated by commas,
            semicolons, tabs or spaces, a line for each row. A first line of names says of which row each column is; a
            first column may repeat them. Or one number in each line, the rows one after the other, behind their number.

    Raises:
        DataError: no such file, or no square matrix in it.
    """
    path = usable_path(path)
    try:
        if path.suffix.lower() in (".npy", ".npz"):
            matrix, names = _from_numpy(path)
        else:
            matrix, names = _from_text(decode_text(load_bytes(path), path), path)
    except OSError as error:
        near = suggest(path.name, [other.name for other in path.parent.glob("*")])
        raise DataError(f"y_cov: cannot read {str(path)!r}: {error.strerror or error}.{near}") from None
    if matrix.ndim == 2 and matrix.shape[1] == 1:
        matrix = _from_list(matrix[:, 0])
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        shape = " × ".join(f"{size:,}" for size in matrix.shape)
        raise DataError(
            f"y_cov: {path} must hold a square matrix, one row and column for each row of data, got {shape}"
        )
    if names is not None and len(names) != len(matrix):
        raise DataError(f"y_cov: {path} has {len(names):,} names for {len(matrix):,} rows")
    return matrix, names


def _from_numpy(path: Path) -> tuple[np.ndarray, list[str] | None]:
    try:
        check_arrays(path, array_headers(path), _COPIES)
        with path.open("rb") as file:
            content = np.load(file, allow_pickle=False)
            arrays = {"": content} if isinstance(content, np.ndarray) else dict(content)
    except (DataError, OSError):
        raise
    except Exception as error:  # zipfile and NumPy's header parser raise nearly anything on damaged bytes
        raise DataError(f"y_cov: {path} is no {path.suffix} file of numbers: {error}") from None
    names = arrays.pop("ids", None)
    chosen = next((name for name in NAMES if name in arrays), None) if len(arrays) > 1 else next(iter(arrays), None)
    if chosen is None:
        raise DataError(
            f"y_cov: {path} must hold one array, or one called {' or '.join(NAMES)} (and perhaps ids), got "
            f"{listing(arrays) or 'none'}"
        )
    if not np.issubdtype(arrays[chosen].dtype, np.number):
        raise DataError(f"y_cov: {path} must hold numbers, got {arrays[chosen].dtype}")
    return np.asarray(arrays[chosen], np.float64), None if names is None else [str(name) for name in names.tolist()]


def _from_text(text: str, path: Path) -> tuple[np.ndarray, list[str] | None]:
    lines = [(i, line) for i, line in enumerate(text.split("\n"), 1) if line.strip() and line.lstrip()[0] != "#"]
    if not lines:
        raise DataError(f"y_cov: {path} is empty; expected a square matrix of numbers")
    delimiter = next((mark for mark in "\t;," if mark in lines[0][1]), None)
    header, head = _cells(lines[0][1], delimiter), None
    if not all(_NUMBER.fullmatch(cell) for cell in header):
        lines = lines[1:]
        if len(header) not in (len(lines), len(lines) + 1):
            raise DataError(
                f"y_cov: {path} names {len(header):,} columns in its first line and has {len(lines):,} rows; expected "
                "as many, and one column more if the first holds the names of the rows"
            )
        head = header[len(header) - len(lines) :]
    rows, ids = [], []
    for number, line in lines:
        cells = _cells(line, delimiter)
        if head is not None and len(cells) == len(head) + 1:
            ids.append(cells.pop(0))
        rows.append(_numbers(cells, delimiter, f"{path}, line {number}"))
        if len(rows[-1]) != len(rows[0]):
            raise DataError(
                f"y_cov: {path}, line {number} has {len(rows[-1]):,} numbers, the lines before {len(rows[0]):,}"
            )
    return _columns_like_rows(np.stack(rows), head, ids, path)


def _numbers(cells: list[str], delimiter: str | None, where: str) -> np.ndarray:
    if delimiter != "," and any("," in cell for cell in cells):
        cells = [cell.replace(",", ".") for cell in cells]  # 0,5;0,1
    try:
        return np.asarray(cells, np.float64)
    except ValueError:
        wrong = next((cell for cell in cells if not _NUMBER.fullmatch(cell)), cells[0])
        raise DataError(f"y_cov: {where}: {wrong!r} is no number") from None


def _columns_like_rows(
    matrix: np.ndarray, head: list[str] | None, ids: list[str], path: Path
) -> tuple[np.ndarray, list[str] | None]:
    """Return the matrix with its columns in the order of its rows, and the names of both."""
    if head is None or not ids or head == ids:
        return matrix, head
    if sorted(head) != sorted(ids) or len(set(ids)) < len(ids):
        other = sorted(set(head) ^ set(ids)) or sorted({name for name in ids if ids.count(name) > 1})
        raise DataError(
            f"y_cov: {path} must name the same rows in its first line and column, but for {listing(other, 5)}"
        )
    place = {name: i for i, name in enumerate(head)}
    return matrix[:, [place[name] for name in ids]], ids


def _cells(line: str, delimiter: str | None) -> list[str]:
    if delimiter is None:
        return [cell.strip('"') for cell in line.split()]
    cells = next(csv.reader([line], delimiter=delimiter)) if '"' in line else line.split(delimiter)
    return [cell.strip() for cell in cells]


def _from_list(numbers: np.ndarray) -> np.ndarray:
    """Return the matrix whose rows stand one after the other, perhaps behind their number."""
    size = int(np.sqrt(len(numbers)))
    if len(numbers) == size**2 + 1 and numbers[0] == size and size > 1:
        numbers = numbers[1:]
    return numbers.reshape(size, size) if len(numbers) == size**2 and size > 1 else numbers[:, None]
