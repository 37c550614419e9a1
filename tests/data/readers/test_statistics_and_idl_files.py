"""Files of SAS, SPSS and Stata as pyreadstat and pandas write them, and of IDL as SciPy has them for its own tests."""

from __future__ import annotations

import ctypes
import datetime
import struct
import warnings
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.io

from shoal.data.readers import Content, ReadOptions, read_path
from shoal.data.readers.tables.chosen_table import SeveralTables
from shoal.errors import DataError

MEMORY = "shoal.data.readers.room.available_memory"
SAVED = Path(scipy.io.__file__).parent / "tests" / "data"
FRAME = pd.DataFrame(
    {
        "n": [1.5, 2.0, np.nan],
        "s": ["a", "b", ""],
        "sex": [1.0, 2.0, 1.0],
        "answer": [1.0, 2.0, 3.0],
        "day": [datetime.date(2020, 2, 29), None, datetime.date(2021, 1, 1)],
    }
)
LABELS = {"sex": {1: "male", 2: "female"}, "answer": {1: "never", 3: "always"}}


def read(path: Path, table: str | None = None) -> Content:
    return read_path(path, ReadOptions(table=table))


def write(path: Path) -> Path:
    pyreadstat = pytest.importorskip("pyreadstat")
    more: dict[str, Any] = {"column_labels": ["length [mm]", "", "", "", ""]}
    kind = path.suffix[1:]
    if kind in ("sav", "zsav"):
        pyreadstat.write_sav(FRAME, path, compress=kind == "zsav", variable_value_labels=LABELS, **more)
    elif kind == "dta":
        pyreadstat.write_dta(FRAME, path, variable_value_labels=LABELS, **more)
    elif kind == "xpt":
        pyreadstat.write_xport(FRAME, path, **more)
    else:
        pyreadstat.write_por(FRAME, path, **more)
    return path


def write_sas7bdat(path: Path) -> None:
    """Write three columns by the library in pyreadstat, which can, though pyreadstat itself only reads the format."""
    from pyreadstat import _readstat_writer

    library = ctypes.CDLL(_readstat_writer.__file__)
    for name in ("readstat_writer_init", "readstat_add_variable"):
        getattr(library, name).restype = ctypes.c_void_p
    library.readstat_insert_double_value.argtypes = ctypes.c_void_p, ctypes.c_void_p, ctypes.c_double
    content = bytearray()

    @ctypes.CFUNCTYPE(ctypes.c_ssize_t, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p)
    def keep(data: int, size: int, _: int) -> int:
        content.extend(ctypes.string_at(data, size))
        return size

    writer = ctypes.c_void_p(library.readstat_writer_init())
    library.readstat_set_data_writer(writer, keep)
    number, text, day = (
        ctypes.c_void_p(library.readstat_add_variable(writer, name, kind, ctypes.c_size_t(width)))
        for name, kind, width in ((b"n", 5, 8), (b"s", 0, 12), (b"day", 5, 8))  # doubles and a text
    )
    library.readstat_variable_set_label(number, b"length [mm]")
    library.readstat_variable_set_format(day, b"DATE9")
    assert library.readstat_begin_writing_sas7bdat(writer, None, ctypes.c_long(len(FRAME))) == 0
    for n, s, date in FRAME[["n", "s", "day"]].itertuples(index=False):
        library.readstat_begin_row(writer)
        for column, value in ((number, n), (day, (date - datetime.date(1960, 1, 1)).days if date else np.nan)):
            if np.isnan(value):
                library.readstat_insert_missing_value(writer, column)
            else:
                library.readstat_insert_double_value(writer, column, value)
        library.readstat_insert_string_value(writer, text, s.encode())
        assert library.readstat_end_row(writer) == 0
    assert library.readstat_end_writing(writer) == 0
    library.readstat_writer_free(writer)
    path.write_bytes(content)


def test_sas7bdat_as_pandas_reads_it(tmp_path: Path) -> None:
    pytest.importorskip("pyreadstat")
    write_sas7bdat(tmp_path / "a.sas7bdat")
    content = read(tmp_path / "a.sas7bdat")
    frame = pd.read_sas(tmp_path / "a.sas7bdat", encoding="utf-8")
    assert content.table["n"].to_list() == [1.5, 2.0, None] == [None if np.isnan(n) else n for n in frame["n"]]
    assert [text or None for text in content.table["s"].to_list()] == ["a", "b", None]
    assert content.table["day"].to_list() == FRAME["day"].to_list()
    assert [None if pd.isna(day) else day.date() for day in frame["day"]] == FRAME["day"].to_list()
    assert content.units == {"n": "mm"}
    (tmp_path / "a.sas7bdat").write_bytes((tmp_path / "a.sas7bdat").read_bytes()[:3000])
    with pytest.raises(DataError, match="no readable SAS file"):
        read(tmp_path / "a.sas7bdat")


@pytest.mark.parametrize("ending", ["sav", "zsav", "dta", "xpt", "por"])
def test_files_of_spss_stata_and_sas(tmp_path: Path, ending: str) -> None:
    content = read(write(tmp_path / f"a.{ending}"))
    table = content.table.rename(str.lower)
    assert table["n"].to_list() == [1.5, 2.0, None]
    assert [text or None for text in table["s"].to_list()] == ["a", "b", None]
    assert table["answer"].to_list() == [1.0, 2.0, 3.0]
    assert table["day"].to_list() == FRAME["day"].tolist()
    labelled = ending not in ("xpt", "por")
    assert table["sex"].to_list() == (["male", "female", "male"] if labelled else [1.0, 2.0, 1.0])
    assert {name.lower(): unit for name, unit in content.units.items()} == {"n": "mm"}
    assert [note.lower() for note in content.notes] == ["'sex': the labels of the values are taken."] * labelled


def test_a_file_of_stata_that_pandas_wrote(tmp_path: Path) -> None:
    pytest.importorskip("pyreadstat")
    frame = pd.DataFrame({"x": [1.0, None, 3.0], "n": [1, 2, 3], "c": pd.Categorical(["u", "v", "u"])})
    frame.to_stata(tmp_path / "a.dta", write_index=False)
    assert read(tmp_path / "a.dta").table.rows() == [(1.0, 1, "u"), (None, 2, "v"), (3.0, 3, "u")]


def test_what_has_no_room_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = [write(tmp_path / f"a.{ending}") for ending in ("sav", "zsav", "dta", "xpt")]
    monkeypatch.setattr(MEMORY, lambda: 1000)
    for path in paths:
        with pytest.raises(DataError, match=r"declares \d+ rows of 5 columns: reading it takes about .* of memory"):
            read(path)


def test_a_missing_package_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib.util

    path, known = write(tmp_path / "a.sav"), importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *_: None if name == "pyreadstat" else known(name))
    with pytest.raises(DataError, match=r"a.sav: SPSS files need .* pip install 'shoal\[stats\]'"):
        read(path)


def saved(name: str, folder: Path, change: Any = bytes) -> Path:
    if not (SAVED / name).exists():
        pytest.skip("this SciPy comes without files of IDL, which nothing writes")
    (folder / name).write_bytes(change((SAVED / name).read_bytes()))
    return folder / name


def test_structures_arrays_and_pointers_of_idl(tmp_path: Path) -> None:
    content = read(saved("struct_scalars_replicated.sav", tmp_path))
    assert content.table.columns == ["a", "b", "c", "d", "e"]
    assert content.table.rows() == [(1, 2, 3.0, 4.0, "spam")] * 5
    assert content.notes == ("Left out f (complex numbers).",)
    content = read(saved("struct_arrays_replicated.sav", tmp_path))
    assert content.table.rows()[4] == (1, 2, 3, 4.0, 5.0, 6.0, 7.0)
    assert read(saved("array_float32_2d.sav", tmp_path)).table.shape == (22, 12)
    assert read(saved("struct_pointers_replicated.sav", tmp_path)).table.rows() == [(4.0, 4.0)] * 5
    path = saved("various_compressed.sav", tmp_path)
    with pytest.raises(SeveralTables, match=r"arrays.a \(3 rows: a, d\); arrays.b \(4 rows: b\)"):
        read(path)
    assert read(path, "arrays.b").table["b"].to_list() == [4.0, 5.0, 6.0, 7.0]


def _bombed(data: bytes) -> bytes:
    """Return the first record of a compressed file with a body that becomes much when it is decompressed."""
    kind, _, _, unknown = struct.unpack_from(">iIII", data, 4)
    body = zlib.compress(bytes(50_000_000))
    return data[:4] + struct.pack(">iIII", kind, 20 + len(body), 0, unknown) + body + data[20:]


def test_compressed_files_of_idl_are_bounded_and_damage_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = saved("various_compressed.sav", tmp_path, _bombed)
    monkeypatch.setattr(MEMORY, lambda: 20_000_000)
    with pytest.raises(DataError, match=r"various_compressed.sav holds at least 1[0-9.]+ MB: reading it takes about"):
        read(path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        path = saved("struct_scalars_replicated.sav", tmp_path, lambda data: data[:700])
        with pytest.raises(DataError, match="is no readable IDL file"):
            read(path)
    path.write_bytes(b"neither one nor the other")
    with pytest.raises(DataError, match="begins neither as files of IDL nor of SPSS do"):
        read(path)
