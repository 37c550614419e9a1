"""MATLAB files as SciPy and MATLAB write them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.io
from scipy import sparse

from shoal.data.readers import Content, ReadOptions, read_path
from shoal.data.readers.tables.chosen_table import SeveralTables
from shoal.errors import DataError

MEMORY = "shoal.data.readers.room.available_memory"
VARIABLES: dict[str, Any] = {
    "X": np.arange(8.0).reshape(4, 2),
    "y": np.array([[1, 0, 1, 0]], np.int32),
    "name": np.array([["a"], ["bb"], [""], ["d"]], dtype=object),
    "wave": np.ones((4, 3, 2)),
    "fit": {"E": np.array([1.5, np.nan, 3.0]), "label": np.array(["u", "v", "w"], dtype=object), "chi2": 2.0},
    "run": 7,
    "title": "a title",
}


def read(path: Path, table: str | None = None) -> Content:
    return read_path(path, ReadOptions(table=table))


def write_73(path: Path) -> None:
    """Write a file as MATLAB 7.3 does: HDF5 behind a block of text, arrays turned, letters as numbers."""
    h5py = pytest.importorskip("h5py")

    def put(place: Any, name: str, values: np.ndarray, kind: str) -> Any:
        node = place.create_dataset(name, data=values.T)
        node.attrs["MATLAB_class"] = np.bytes_(kind)
        return node

    def letters(text: str) -> np.ndarray:
        return np.array([[ord(letter) for letter in text]], np.uint16)

    def cells(place: Any, name: str, texts: list[str]) -> None:
        nodes = [put(references, f"{name}{i}", letters(text), "char") for i, text in enumerate(texts)]
        put(place, name, np.array([[node.ref] for node in nodes], dtype=h5py.ref_dtype), "cell")

    with h5py.File(path, "w", userblock_size=512) as file:
        references = file.create_group("#refs#")
        put(file, "X", VARIABLES["X"], "double")
        put(file, "y", VARIABLES["y"], "int32")
        put(file, "good", np.array([[1], [0], [1], [1]], np.uint8), "logical")
        cells(file, "name", ["a", "bb", "ccc", "d"])
        fit = file.create_group("fit")
        fit.attrs["MATLAB_class"] = np.bytes_("struct")
        put(fit, "E", np.array([[1.5], [np.nan], [3.0]]), "double")
        cells(fit, "label", ["u", "v", "w"])
        put(file, "T", np.zeros((1, 6), np.uint32), "table").attrs["MATLAB_object_decode"] = 3
    with path.open("r+b") as stream:
        stream.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(124) + b"\x00\x02IM")


@pytest.mark.parametrize("compressed", [True, False])
def test_variables_of_equal_length_and_structs_are_tables(tmp_path: Path, compressed: bool) -> None:
    path = tmp_path / "a.mat"
    scipy.io.savemat(path, VARIABLES, do_compression=compressed)
    with pytest.raises(SeveralTables, match=r"2 tables: X \(4 rows: X, y, name, wave\); fit \(3 rows: E, label\)"):
        read(path)
    content = read(path, "X")
    assert content.table.columns == ["X_1", "X_2", "y", "name"]
    assert content.table.rows()[:3] == [(0.0, 1.0, 1, "a"), (2.0, 3.0, 0, "bb"), (4.0, 5.0, 1, None)]
    assert content.notes == ("'X': a matrix, in X_1 to X_2.", "Left out wave (3 × 2 values a row).")
    assert read(path, "fit").table.rows() == [(1.5, "u"), (None, "v"), (3.0, "w")]


def test_structs_of_one_entry_each_and_sparse_matrices(tmp_path: Path) -> None:
    entries = np.array([(1.5, "a"), (2.5, "b")], dtype=[("E", object), ("kind", object)])
    scipy.io.savemat(tmp_path / "a.mat", {"events": entries})
    assert read(tmp_path / "a.mat").table.rows() == [(1.5, "a"), (2.5, "b")]
    scipy.io.savemat(tmp_path / "b.mat", {"A": sparse.csc_matrix(np.eye(40))})
    assert read(tmp_path / "b.mat").table.to_numpy().tolist() == np.eye(40).tolist()
    scipy.io.savemat(tmp_path / "c.mat", {"v": np.arange(5.0)}, format="4")
    assert read(tmp_path / "c.mat").table["v"].to_list() == [0.0, 1.0, 2.0, 3.0, 4.0]
    scipy.io.savemat(tmp_path / "d.mat", {"z": np.ones((3, 1)) * 1j})
    with pytest.raises(DataError, match=r"d.mat has no columns; .* Left out z \(complex numbers\)\."):
        read(tmp_path / "d.mat")


def test_files_of_version_7_3(tmp_path: Path) -> None:
    path = tmp_path / "a.mat"
    write_73(path)
    content = read(path, "X")
    assert content.table.columns == ["X_1", "X_2", "good", "name", "y"]
    assert content.table.rows()[1] == (2.0, 3.0, False, "bb", 0)
    assert content.notes[-1].startswith("Left out T (an object of MATLAB; save a table by table2struct")
    assert read(path, "fit").table.rows() == [(1.5, "u"), (None, "v"), (3.0, "w")]


def test_what_has_no_room_is_refused_before_it_is_expanded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scipy.io.savemat(tmp_path / "a.mat", {"X": np.zeros((100_000, 10))}, do_compression=True)
    assert (tmp_path / "a.mat").stat().st_size < 20_000
    write_73(tmp_path / "b.mat")
    for name, memory in (("a.mat", 5_000_000), ("b.mat", 100)):
        monkeypatch.setattr(MEMORY, lambda memory=memory: memory)
        with pytest.raises(DataError, match=rf"{name} holds .*: reading it takes about .* of memory"):
            read(tmp_path / name)


def test_damaged_files_of_matlab_itself(tmp_path: Path) -> None:
    (tmp_path / "a.mat").write_bytes(b"MATLAB 5.0 MAT-file".ljust(124) + b"\x00\x01IM" + b"\x0f\0\0\0\xff\xff\xff\x7fx")
    with pytest.raises(DataError, match="is no readable MATLAB file"):
        read(tmp_path / "a.mat")
