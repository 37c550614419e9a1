"""The covariance of measured targets: every way to write it down, matched with the rows, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from shoal.data import load_dataset, load_with_test
from shoal.data.covariance import Covariance, check_covariance
from shoal.data.covariance_files import read_covariance
from shoal.data.dataset import Dataset
from shoal.errors import DataError, SettingError

RNG = np.random.default_rng(0)
N = 12
IDS = [f"m{i}" for i in range(N)]
_ROOT = RNG.normal(size=(N, N)) / 5.0
C = _ROOT @ _ROOT.T + 0.01 * np.eye(N)
TABLE = pl.DataFrame({"name": IDS, "x": RNG.normal(size=N), "y": RNG.normal(size=N)})


def written(path: Path, matrix: np.ndarray = C, ids: list[str] | None = None) -> Path:
    if path.suffix == ".npy":
        np.save(path, matrix)
    elif path.suffix == ".npz":
        np.savez(path, **({} if ids is None else {"ids": np.asarray(ids)}), covariance=matrix)
    elif ids is None:
        np.savetxt(path, matrix, delimiter="," if path.suffix == ".csv" else " ", fmt="%.17g")
    else:
        pd.DataFrame(matrix, ids, ids).to_csv(path, sep="," if path.suffix == ".csv" else "\t")
    return path


def loaded(path: Path, data: Any = TABLE, **options: Any) -> Dataset:
    return load_dataset(data, **{"target": "y", "id": "name", "y_cov": str(path), **options})


@pytest.mark.parametrize("name", ["c.csv", "c.txt", "c.npy", "c.npz"])
@pytest.mark.parametrize("named", [False, True])
def test_a_covariance_is_read_from_any_format(tmp_path: Path, name: str, named: bool) -> None:
    if named and name == "c.npy":
        pytest.skip("an array has no names")
    order = RNG.permutation(N) if named else np.arange(N)
    path = written(tmp_path / name, C[np.ix_(order, order)], [IDS[i] for i in order] if named else None)
    dataset = loaded(path)
    assert dataset.covariance is not None
    np.testing.assert_allclose(dataset.covariance.matrix, C, rtol=1e-14)
    np.testing.assert_allclose(dataset.y_err(), np.sqrt(np.diag(C))[:, None])
    how = "matched by 'name'" if named else "in the order of the rows"
    assert f"The covariance of the measured errors of 'y' is that of {name}, {how}: standard" in dataset.notes[-1]
    assert dataset.covariance.name == name


TEXTS = {
    "comments": "# by hand\n1 0.5\n0.5 2\n",
    "decimal commas": "1;0,5\n0,5;2\n",
    "one number in each line": "2\n1\n0.5\n0.5\n2\n",
    "without their number": "1\n0.5\n0.5\n2\n",
    "a byte order mark": "\ufeff1,0.5\n0.5,2\n",
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_text_may_be_laid_out_in_many_ways(tmp_path: Path, text: str) -> None:
    (tmp_path / "c.txt").write_text(text, encoding="utf-8")
    matrix, names = read_covariance(tmp_path / "c.txt")
    assert names is None
    np.testing.assert_array_equal(matrix, [[1.0, 0.5], [0.5, 2.0]])


@pytest.mark.parametrize(
    "text",
    [
        "id,b,a\nb,1,0.5\na,0.5,2\n",
        ",b,a\nb,1,0.5\na,0.5,2\n",
        ",a,b\nb,0.5,1\na,2,0.5\n",  # columns in another order
        "b,a\n1,0.5\n0.5,2\n",  # a first line only
        "b a\nb 1 0.5\na 0.5 2\n",  # as R writes it
        '"","b","a"\n"b",1,0.5\n"a",0.5,2\n',
    ],
)
def test_names_may_stand_in_the_first_line_and_column(tmp_path: Path, text: str) -> None:
    (tmp_path / "c.csv").write_text(text, encoding="utf-8")
    matrix, names = read_covariance(tmp_path / "c.csv")
    assert names == ["b", "a"]
    np.testing.assert_array_equal(matrix, [[1.0, 0.5], [0.5, 2.0]])


def test_names_may_be_numbers_and_the_file_may_have_more(tmp_path: Path) -> None:
    numbers = [str(100 + i) for i in range(N)]
    path = written(tmp_path / "c.csv", C, numbers)
    table = TABLE.with_columns(name=pl.Series(range(100, 100 + N)))
    dataset = loaded(path, table[[*range(N - 1, 0, -1)]])
    assert dataset.covariance is not None
    np.testing.assert_allclose(dataset.covariance.matrix, C[:0:-1, :0:-1])
    assert "matched by 'name'; 1 others of the file are not in the data" in dataset.notes[-1]


def test_rows_without_a_target_leave_the_covariance_too(tmp_path: Path) -> None:
    table = TABLE.with_columns(y=pl.when(pl.col("name") == "m3").then(None).otherwise(pl.col("y")))
    dataset = loaded(written(tmp_path / "c.npy"), table)
    kept = np.delete(np.arange(N), 3)
    assert dataset.covariance is not None
    np.testing.assert_allclose(dataset.covariance.matrix, C[np.ix_(kept, kept)])


def test_a_file_of_test_rows_comes_behind_the_others(tmp_path: Path) -> None:
    options = {"target": "y", "id": "name", "y_cov": str(written(tmp_path / "c.npy"))}
    dataset, rows = load_with_test(TABLE[:10], TABLE[10:], **options)
    assert rows.tolist() == [10, 11]
    assert dataset.covariance is not None
    np.testing.assert_allclose(dataset.covariance.of(rows), C[10:, 10:])


def test_the_checksum_holds_the_covariance_whatever_its_format(tmp_path: Path) -> None:
    sums = [loaded(written(tmp_path / name)).sha256 for name in ("c.npy", "c.csv")]
    named = loaded(written(tmp_path / "d.csv", C[::-1, ::-1], IDS[::-1])).sha256
    other = loaded(written(tmp_path / "e.npy", 1.01 * C)).sha256
    assert sums[0] == sums[1] == named
    assert len({sums[0], other, load_dataset(TABLE, target="y", id="name").sha256}) == 3


@pytest.mark.slow
def test_errors_that_the_data_bring_with_them_are_left_out(tmp_path: Path) -> None:
    table = TABLE.with_columns(y_err=pl.lit(0.1))
    dataset = loaded(written(tmp_path / "c.npy"), table)
    assert [column.name for column in dataset.features] == ["x"]
    assert "'y_err': left out, since the covariance says how large the errors are." in dataset.notes
    path = written(tmp_path / "o.npy", 0.01 * np.eye(400))
    own = load_dataset("damped_oscillation", y_cov=path)
    assert own.roles.y_err == []
    np.testing.assert_allclose(own.y_err(), 0.1)
    assert own.covariance is not None
    assert not own.covariance.correlated


def test_odd_sizes_are_told(tmp_path: Path) -> None:
    unit = loaded(written(tmp_path / "one.npy", np.eye(N))).notes
    assert "Is it a matrix of correlations?" in unit[-1]
    large = loaded(written(tmp_path / "large.npy", 400.0 * np.eye(N))).notes
    assert "are larger than the scatter of 'y' itself. Is the covariance in its unit squared?" in large[-1]


def changed(row: int, column: int, value: float, *, both: bool = True) -> np.ndarray:
    matrix = C.copy()
    matrix[row, column] = value
    if both:
        matrix[column, row] = value
    return matrix


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        (C[:-1, :-1], "is the covariance of 11 rows, but the data have 12; give one row and column for each"),
        (C[:, :-1], "must hold a square matrix, one row and column for each row of data, got 12 × 11"),
        (changed(2, 3, np.nan), "must hold finite numbers, but the covariance of rows 3 and 4 is nan"),
        (changed(4, 4, np.inf), "must hold finite numbers, but the covariance of row 5 is inf"),
        (changed(4, 4, -0.1), r"must be positive, but that of row 5 \(on the diagonal\) is -0.1"),
        (changed(4, 4, 0.0), r"must be positive, but that of row 5 \(on the diagonal\) is 0"),
        (changed(1, 0, C[0, 1] + 0.01, both=False), "must be symmetric, but the covariance of rows 1 and 2 is .* and "),
        (changed(1, 0, 5.0), r"the correlation of rows 1 and 2 is \d.*, beyond ±1\. Does the diagonal hold variances"),
        (
            np.eye(N) - 0.2 * (1 - np.eye(N)),
            r"is no covariance: of its 12 eigenvalues 1 is negative, the smallest -1.2 \(the largest is 1.2\)",
        ),
    ],
)
def test_what_is_no_covariance_of_the_rows_is_refused(tmp_path: Path, matrix: np.ndarray, message: str) -> None:
    with pytest.raises(DataError, match=message):
        loaded(written(tmp_path / "c.npy", matrix))


def test_messages_count_rows_as_the_file_does(tmp_path: Path) -> None:
    table = TABLE.with_columns(y=pl.when(pl.col("name") == "m3").then(None).otherwise(pl.col("y")))
    with pytest.raises(DataError, match="that of row 6 "):
        loaded(written(tmp_path / "c.npy", changed(5, 5, -1.0)), table)
    with pytest.raises(DataError, match="11 rows, but the data have 12, 1 of them without a target"):
        loaded(written(tmp_path / "d.npy", C[:-1, :-1]), table)


def test_rounded_numbers_are_no_fault(tmp_path: Path) -> None:
    common = np.full((N, N), 0.04) + np.diag(np.linspace(1e-9, 2e-9, N))
    for digits in (7, 9):
        path = tmp_path / f"{digits}.txt"
        np.savetxt(path, common, fmt=f"%.{digits}g")
        assert loaded(path).covariance is not None
    lopsided = C.copy()
    lopsided[0, 1] *= 1.0 + 1e-7
    matrix = check_covariance(lopsided, "c")
    np.testing.assert_array_equal(matrix, matrix.T)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty; expected a square matrix"),
        ("# nothing\n", "is empty"),
        ("1 2\n2 x\n", "c.txt, line 2: 'x' is no number"),
        ("1 2\n\n2 1 3\n", "c.txt, line 3 has 3 numbers, the lines before 2"),
        ("id,a,b,c,d\na,1,0\nb,0,1\n", "names 5 columns in its first line and has 2 rows"),
        (",a,b\na,1,0\nc,0,1\n", "must name the same rows in its first line and column, but for b, c"),
        ("1\n2\n3\n", "must hold a square matrix, .* got 3 × 1"),
    ],
)
def test_damaged_text_is_told_by_its_line(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "c.txt").write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=message):
        read_covariance(tmp_path / "c.txt")


def test_damaged_and_missing_files_are_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"y_cov: cannot read '.*none\.npy': No such file"):
        read_covariance(tmp_path / "none.npy")
    (tmp_path / "c.npy").write_bytes(b"no array")
    with pytest.raises(DataError, match=r"c\.npy is no \.npy file of numbers"):
        read_covariance(tmp_path / "c.npy")
    np.savez(tmp_path / "two.npz", a=C, b=C)
    with pytest.raises(DataError, match=r"must hold one array, or one called covariance or cov or y_cov .* got a, b"):
        read_covariance(tmp_path / "two.npz")
    np.savez(tmp_path / "few.npz", cov=C, ids=np.asarray(IDS[:3]))
    with pytest.raises(DataError, match="has 3 names for 12 rows"):
        read_covariance(tmp_path / "few.npz")
    np.save(tmp_path / "words.npy", np.full((2, 2), "a"))
    with pytest.raises(DataError, match="must hold numbers, got <U1"):
        read_covariance(tmp_path / "words.npy")


def test_names_must_be_those_of_the_rows(tmp_path: Path) -> None:
    path = written(tmp_path / "c.csv", C, [*IDS[:-1], "m_11"])
    with pytest.raises(DataError, match=r"has no row for 1 of the 12 rows of the data, by their 'name': m11\..*'m_11'"):
        loaded(path)
    with pytest.raises(DataError, match=r"names its rows \(m0, m1, m2.*\); say which column of the data holds these"):
        loaded(path, TABLE.drop("name"), id=None)
    with pytest.raises(DataError, match=r"names 'm0' twice, so that rows cannot be matched"):
        loaded(written(tmp_path / "d.npz", C, [*IDS[:-1], "m0"]))
    twice = TABLE.with_columns(name=pl.Series([*IDS[:-1], "m1"]))
    with pytest.raises(DataError, match="column 'name' names 'm1' twice"):
        loaded(written(tmp_path / "e.csv", C, IDS), twice)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"y_err": "x"}, "y_cov and y_err=x both say how large the errors are"),
        ({"target": ["x", "y"]}, "covariance of one measured target in many rows, but this is a regression, 2 targets"),
        ({"target": "kind", "task": "classification"}, "but this is a binary classification; leave it out"),
        ({"window": 3}, "with window rows are steps of which each window holds many"),
        ({"series": "kind"}, "with series rows are steps of which each series holds many"),
        ({"reconstruct": True, "target": None}, "reconstruct learns the inputs and has no targets; leave out y_cov"),
    ],
)
def test_it_is_for_one_measured_target_of_rows(tmp_path: Path, options: dict[str, Any], message: str) -> None:
    table = TABLE.with_columns(kind=pl.Series(["a", "b"] * 6))
    with pytest.raises(SettingError, match=message):
        loaded(written(tmp_path / "c.npy"), table, **options)


def test_the_root_and_what_rows_share() -> None:
    found = Covariance(C, "c")
    rows, others = np.asarray([7, 1, 4, 2, 9]), np.asarray([3, 0, 4])
    root, shared = found.root(rows), found.shared(rows, others)
    np.testing.assert_allclose(root @ root.T, C[np.ix_(rows, rows)])
    np.testing.assert_allclose(shared @ root.T, C[np.ix_(others, rows)], atol=1e-12)
    np.testing.assert_allclose(shared[2], root[2], atol=1e-12)  # of the rows themselves: their own errors
    flat = Covariance(np.ones((4, 4)) + np.diag([0.0, 0.0, 0.0, 0.5]), "flat")
    root = flat.root(np.arange(3))
    np.testing.assert_allclose(root @ root.T, np.ones((3, 3)), atol=1e-12)
    shared = flat.shared(np.arange(3), np.asarray([3, 0]))
    np.testing.assert_allclose(shared @ root.T, np.ones((2, 3)), atol=1e-7)
    np.testing.assert_allclose(shared @ shared.T, np.ones((2, 2)), atol=1e-7)
