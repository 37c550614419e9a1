"""What every reader of the registry keeps to; a new reader needs one line in READERS and an example here."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image

from shoal.data.hashing import data_hash
from shoal.data.readers import READERS, Content, Reader, ReadOptions, read_path, signal_reader
from shoal.data.roles import Roles
from shoal.errors import DataError

ANY = ReadOptions()
PLAIN = (pl.Int64, pl.Float64, pl.String, pl.Boolean, pl.Date, pl.Datetime)
TABLE = pl.DataFrame({"n": [1, 2, 3], "f": [0.5, None, -2.0], "s": ["a", "b", None]})
SERIES = np.arange(60.0).reshape(3, 10, 2)


def _image_folder(folder: Path) -> Path:
    for i in range(3):
        path = folder / "photos" / f"class {i % 2}" / f"{i}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((8, 9, 3), i, np.uint8)).save(path)
    return folder / "photos"


def _numpy_signals(folder: Path) -> Path:
    np.savez(folder / "a.npz", X=SERIES, y=[0, 1, 0])
    return folder / "a.npz"


def _hdf5(folder: Path) -> Path:
    h5py = pytest.importorskip("h5py")
    with h5py.File(folder / "a.h5", "w") as file:
        file["X"], file["y"] = SERIES, [0, 1, 0]
    return folder / "a.h5"


def _excel(folder: Path) -> Path:
    pytest.importorskip("xlsxwriter")
    TABLE.write_excel(folder / "a.xlsx")
    return folder / "a.xlsx"


def _numpy_table(folder: Path) -> Path:
    np.savez(folder / "a.npz", X=np.ones((3, 2)), y=[0.5, 1.0, 2.0])
    return folder / "a.npz"


def _fits_images(folder: Path) -> Path:
    fits = pytest.importorskip("astropy.io.fits")
    fits.PrimaryHDU(np.arange(192.0).reshape(3, 8, 8)).writeto(folder / "cube.fits")
    return folder / "cube.fits"


def _fits(folder: Path) -> Path:
    table = pytest.importorskip("astropy.table").Table
    table({"n": [1, 2, 3], "f": [0.5, np.nan, -2.0], "s": ["a", "b", ""]}).write(folder / "a.fits")
    return folder / "a.fits"


def _ecsv(folder: Path) -> Path:
    table = pytest.importorskip("astropy.table").Table
    table({"n": [1, 2, 3], "f": [0.5, np.nan, -2.0], "s": ["a", "b", "c"]}).write(folder / "a.ecsv")
    return folder / "a.ecsv"


def _root(folder: Path) -> Path:
    uproot = pytest.importorskip("uproot")
    with uproot.recreate(folder / "a.root") as file:
        file.mktree("t", {"n": "int32", "f": "float64"})
        file["t"].extend({"n": np.arange(3, dtype=np.int32), "f": np.array([0.5, np.nan, -2.0])})
    return folder / "a.root"


def _hdf5_table(folder: Path) -> Path:
    h5py = pytest.importorskip("h5py")
    with h5py.File(folder / "a.h5", "w") as file:
        file["n"], file["f"] = np.arange(3), np.array([0.5, np.nan, -2.0])
    return folder / "a.h5"


def _sqlite(folder: Path) -> Path:
    with closing(sqlite3.connect(folder / "a.sqlite")) as database:
        database.execute("CREATE TABLE t (n INTEGER, f REAL, s TEXT)")
        database.executemany("INSERT INTO t VALUES (?, ?, ?)", TABLE.rows())
        database.commit()
    return folder / "a.sqlite"


def _netcdf(folder: Path) -> Path:
    from scipy.io import netcdf_file

    with netcdf_file(folder / "a.nc", "w") as file:
        file.createDimension("time", 3)
        for name, kind, values in (("time", "i4", [1, 2, 3]), ("f", "f8", [0.5, np.nan, -2.0])):
            file.createVariable(name, kind, ("time",))[:] = values
    return folder / "a.nc"


def _zarr(folder: Path) -> Path:
    zarr = pytest.importorskip("zarr")
    group = zarr.create_group(folder / "a.zarr", zarr_format=3)
    for name, values in (("time", np.arange(3)), ("f", np.array([0.5, np.nan, -2.0]))):
        group.create_array(name, data=values, dimension_names=["time"])
    return folder / "a.zarr"


def _matlab(folder: Path) -> Path:
    from scipy.io import savemat

    savemat(folder / "a.mat", {"n": np.arange(3)[:, None], "f": np.array([[0.5], [np.nan], [-2.0]])})
    return folder / "a.mat"


def _statistics(folder: Path) -> Path:
    pyreadstat = pytest.importorskip("pyreadstat")
    pyreadstat.write_sav(TABLE, folder / "a.sav")
    return folder / "a.sav"


def _idl(folder: Path) -> Path:
    import scipy.io

    saved = Path(scipy.io.__file__).parent / "tests" / "data" / "struct_scalars_replicated.sav"
    if not saved.exists():
        pytest.skip("this SciPy comes without files of IDL, which nothing writes")
    (folder / "a.sav").write_bytes(saved.read_bytes())
    return folder / "a.sav"


def _duckdb(folder: Path) -> Path:
    duckdb = pytest.importorskip("duckdb")
    with duckdb.connect(folder / "a.duckdb") as database:
        database.execute("CREATE TABLE t (n INTEGER, f DOUBLE, s VARCHAR)")
        database.executemany("INSERT INTO t VALUES (?, ?, ?)", TABLE.rows())
    return folder / "a.duckdb"


def _text(name: str, content: str) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        (folder / name).write_text(content, encoding="utf-8")
        return folder / name

    return write


def _polars(name: str, method: str) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        with (folder / name).open("wb") as file:
            getattr(TABLE, method)(file)
        return folder / name

    return write


EXAMPLES: dict[str, Callable[[Path], Path]] = {
    "image folder": _image_folder,
    "numpy signals": _numpy_signals,
    "hdf5": _hdf5,
    "ts": _text("a.ts", "@classLabel true a b\n@data\n1,2,3:a\n4,5:b\n"),
    "fits images": _fits_images,
    "text": _text("a.csv", "n,f,s\n1,0.5,a\n2,,b\n"),
    "parquet": _polars("a.parquet", "write_parquet"),
    "arrow": _polars("a.arrow", "write_ipc"),
    "json lines": _polars("a.jsonl", "write_ndjson"),
    "excel": _excel,
    "numpy table": _numpy_table,
    "fits": _fits,
    "root": _root,
    "hdf5 table": _hdf5_table,
    "astronomers' text": _ecsv,
    "sqlite": _sqlite,
    "netcdf": _netcdf,
    "zarr": _zarr,
    "duckdb": _duckdb,
    "matlab": _matlab,
    "statistics": _statistics,
    "idl": _idl,
    "arff": _text("a.arff", "@relation r\n@attribute n integer\n@attribute s {a, b}\n@data\n1,a\n2,?\n"),
}
each_reader = pytest.mark.parametrize("key", READERS)


@pytest.fixture
def example(key: str, tmp_path: Path) -> Path:
    """A file or folder that the reader takes."""
    return EXAMPLES[key](tmp_path)


def test_every_reader_has_an_example() -> None:
    assert set(EXAMPLES) == set(READERS)


@each_reader
def test_its_name_and_extensions(key: str) -> None:
    reader = READERS[key]
    assert isinstance(reader, Reader)
    assert reader.name.strip()
    assert all(e.startswith(".") and e == e.lower() for e in reader.extensions)


@pytest.mark.parametrize("signals", [False, True])
def test_an_extension_belongs_to_one_reader(signals: bool) -> None:
    extensions = [e for reader in READERS.values() if reader.gives_signals is signals for e in reader.extensions]
    assert len(set(extensions)) == len(extensions)


@each_reader
def test_it_takes_its_example_before_all_others(key: str, example: Path) -> None:
    taking = [other for other, reader in READERS.items() if reader.takes(example, ANY)]
    assert taking[0] == key
    assert (signal_reader(example, ANY) is READERS[key]) is READERS[key].gives_signals


@each_reader
def test_signals_are_not_read_as_such_where_a_table_is_wanted(key: str, example: Path) -> None:
    assert signal_reader(example, ReadOptions(kind="table")) is None


@each_reader
def test_what_it_gives(key: str, example: Path) -> None:
    content = READERS[key].read(example, ANY)
    assert isinstance(content, Content)
    assert content.table.height > 0
    assert content.table.width > 0
    assert all(name.strip() for name in content.table.columns)
    assert all(dtype in PLAIN for dtype in content.table.dtypes)
    assert isinstance(content.roles, Roles)
    content.roles.check(content.table.columns)
    assert set(content.units) <= set(content.table.columns)
    assert all(note.endswith(".") for note in content.notes)
    assert (content.signals is not None) is READERS[key].gives_signals
    if content.signals is not None:
        assert len(content.signals) == content.table.height


@each_reader
def test_the_same_path_gives_the_same_content(key: str, example: Path) -> None:
    first, second = READERS[key].read(example, ANY), read_path(example, ANY)
    assert first.table.equals(second.table)
    assert first[3:] == second[3:]
    assert data_hash(first.table, first.signals) == data_hash(second.table, second.signals)


@each_reader
def test_looking_does_not_change_the_file(key: str, example: Path) -> None:
    files = [example] if example.is_file() else sorted(path for path in example.rglob("*") if path.is_file())
    before = [path.read_bytes() for path in files]
    READERS[key].takes(example, ANY)
    READERS[key].read(example, ANY)
    assert [path.read_bytes() for path in files] == before


@each_reader
@pytest.mark.parametrize("damage", [b"", b"\0\1\2", b"PK\x03\x04", b"\x89HDF\r\n\x1a\n", b"{"])
def test_what_it_cannot_read_it_refuses_in_one_line(key: str, example: Path, damage: bytes) -> None:
    files = [example] if example.is_file() else [path for path in example.rglob("*") if path.is_file()]
    for path in files:
        path.write_bytes(damage)
    with pytest.raises(DataError, match=example.name) as caught:
        READERS[key].read(example, ANY)
    assert "\n" not in str(caught.value)


@each_reader
def test_a_path_that_is_not_there_is_refused(key: str, tmp_path: Path) -> None:
    extension = next(iter(READERS[key].extensions), "")
    with pytest.raises(DataError, match=r"does not exist|has the extension"):
        read_path(tmp_path / "missing" / f"a{extension}", ANY)


def test_asking_for_readers_loads_no_library_of_a_format() -> None:
    libraries = {
        "h5py",
        "PIL",
        "fastexcel",
        "pyarrow",
        "pandas",
        "astropy",
        "uproot",
        "awkward",
        "zarr",
        "xarray",
        "pyreadstat",
        "duckdb",
    }
    code = f"import sys, shoal.data.readers; print({libraries} & set(sys.modules))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "set()"
