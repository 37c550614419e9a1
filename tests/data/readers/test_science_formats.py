"""Tables of the sciences: what their own libraries write is read, and what shoal writes they read, alike."""

from __future__ import annotations

import datetime
import gzip
import sqlite3
import tracemalloc
import warnings
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import shoal
from shoal.cli import main
from shoal.data.loading import load_dataset
from shoal.data.readers import Content, ReadOptions, read_path
from shoal.data.readers.tables.chosen_table import SeveralTables
from shoal.data.table_writers import WRITERS, Output, content_of
from shoal.errors import DataError

QUICK = ["--networks", "2", "--hidden", "4", "--epochs", "2", "--batch-size", "16", "--no-page", "-q"]


def read(path: Path, table: str | None = None) -> Content:
    return read_path(path, ReadOptions(table=table))


def test_fits_columns_nulls_units_and_byte_order(tmp_path: Path) -> None:
    tables = pytest.importorskip("astropy.table")
    fits, units = pytest.importorskip("astropy.io.fits"), pytest.importorskip("astropy.units")
    table = tables.Table()
    table["id"] = np.arange(4)
    table["count"] = tables.MaskedColumn([5, 6, 7, 8], mask=[False, True, False, False])
    table["flux"] = np.array([1.5, np.nan, 3.0, 4.0], np.float32) * units.Jy
    table["name"] = ["a", "bb", "", "d"]
    table["good"] = [True, False, True, True]
    table["port"] = np.array([1, 65535, 3, 4], np.uint16)
    table["rgb"] = np.arange(12.0).reshape(4, 3)
    table["spectrum"] = np.ones((4, 50))
    table["phase"] = np.ones(4) * 1j
    path = tmp_path / "a.fits"
    table.write(path)
    content = read(path)
    assert content.table["count"].to_list() == [5, None, 7, 8]
    assert content.table["flux"].to_list() == [1.5, None, 3.0, 4.0]
    assert content.table["name"].to_list() == ["a", "bb", None, "d"]
    assert content.table["good"].to_list() == [True, False, True, True]
    assert content.table["port"].to_list() == [1, 65535, 3, 4]
    assert content.table["rgb_3"].to_list() == [2.0, 5.0, 8.0, 11.0]
    assert content.units == {"flux": "Jy"}
    assert content.notes == (
        "'rgb': a vector, in rgb_1 to rgb_3.",
        "Left out spectrum (50 values a row), phase (complex numbers).",
    )
    with fits.open(path) as file:
        assert file[1].data.dtype["id"].byteorder == ">"
    scaled = fits.BinTableHDU.from_columns(
        [
            fits.Column("n", "J", array=np.array([1, -99, 3], np.int32), null=-99),
            fits.Column("v", "PD()", array=[[1.0], [], [2.0]]),
        ]
    )
    scaled.header["TSCAL1"], scaled.header["TZERO1"] = 0.5, 10.0
    scaled.writeto(tmp_path / "b.fits")
    scaled = read(tmp_path / "b.fits")
    assert scaled.table["n"].to_list() == [10.5, None, 11.5]
    assert scaled.notes == ("'v': the first 4 of a list, in v_1 to v_4.",)


def test_fits_with_several_tables_images_and_compressed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fits = pytest.importorskip("astropy.io.fits")
    tables = [
        fits.BinTableHDU.from_columns([fits.Column("x", "D", array=np.arange(n, dtype=float))], name=name)
        for name, n in (("EVENTS", 30), ("GTI", 2))
    ]
    path = tmp_path / "a.fits.gz"
    fits.HDUList([fits.PrimaryHDU(), *tables]).writeto(path)
    with pytest.raises(SeveralTables, match=r"holds 2 tables: EVENTS \(30 rows, 1 column\); GTI .*--table NAME"):
        read(path)
    assert read(path, "GTI").table.height == 2
    with pytest.raises(DataError, match=r"no table 'EVENT'; it has: EVENTS, GTI. Did you mean 'EVENTS'"):
        read(path, "EVENT")
    assert main(["describe", str(path)]) == 0
    assert "EVENTS" in capsys.readouterr().out
    fits.PrimaryHDU(np.zeros((5, 6))).writeto(tmp_path / "image.fits")
    with pytest.raises(DataError, match="holds no table, but an image of 5 × 6"):
        read(tmp_path / "image.fits")


def test_a_cube_of_fits_images_is_images_with_the_table_beside_it(tmp_path: Path) -> None:
    fits, tables = pytest.importorskip("astropy.io.fits"), pytest.importorskip("astropy.table")
    cube = np.random.default_rng(0).normal(size=(30, 9, 7)).astype(np.float32)
    kinds = tables.Table({"kind": ["star", "galaxy"] * 15, "flux": np.arange(30.0)})
    path, alone = tmp_path / "a.fits", tmp_path / "b.fits.gz"
    fits.HDUList([fits.PrimaryHDU(cube), fits.BinTableHDU(kinds, name="CATALOG")]).writeto(path)
    fits.PrimaryHDU((cube * 100).astype(np.int16)).writeto(alone)
    content = read(path)
    assert content.signals is not None
    np.testing.assert_array_equal(content.signals.values[..., 0], cube)
    assert content.table["kind"].to_list() == kinds["kind"].tolist()
    assert read_path(path, ReadOptions(kind="table")).signals is None
    with pytest.raises(DataError, match="an image of 30 × 9 × 7, read with --kind images"):
        read(alone)
    images = read_path(alone, ReadOptions(kind="images")).signals
    assert images is not None
    np.testing.assert_array_equal(images.values[..., 0], (cube * 100).astype(np.int16))
    fits.HDUList([fits.PrimaryHDU(cube), fits.BinTableHDU(kinds[:20])]).writeto(tmp_path / "other.fits")
    assert read(tmp_path / "other.fits").table.height == 20
    fits.PrimaryHDU(np.zeros((3, 4, 5, 6))).writeto(tmp_path / "channels.fits")
    with pytest.raises(DataError, match="3 × 4 × 5 × 6; expected one cube"):
        read_path(tmp_path / "channels.fits", ReadOptions(kind="images"))


@pytest.mark.slow
def test_a_fit_of_fits_images_predicts_from_the_file(tmp_path: Path) -> None:
    fits, tables = pytest.importorskip("astropy.io.fits"), pytest.importorskip("astropy.table")
    cube = np.random.default_rng(0).normal(size=(30, 9, 7)).astype(np.float32)
    kinds = tables.Table({"kind": ["star", "galaxy"] * 15, "flux": np.arange(30.0)})
    path, run, out = tmp_path / "a.fits", str(tmp_path / "run"), tmp_path / "out.fits"
    fits.HDUList([fits.PrimaryHDU(cube), fits.BinTableHDU(kinds, name="CATALOG")]).writeto(path)
    assert main(["fit", str(path), "--target", "kind", "--ignore", "flux", "--out", run, *QUICK]) == 0
    assert main(["predict", run, str(path), "-o", str(out), "-q"]) == 0
    written = tables.Table.read(out)
    assert written["kind"].tolist() == kinds["kind"].tolist()
    assert set(written["prediction"]) <= {"star", "galaxy"}


def test_lists_of_different_lengths_give_their_first_values(tmp_path: Path) -> None:
    fits, uproot = pytest.importorskip("astropy.io.fits"), pytest.importorskip("uproot")
    ak = pytest.importorskip("awkward")
    lists = [[1.5, 2.5], [], [3.5, 4.5, 5.5, 6.5, 7.5, 8.5]]
    array = np.array([np.array(each, np.float32) for each in lists], object)
    column, texts = fits.Column("jet", "PE()", array=array), fits.Column("note", "PA()", array=["a", "bb", ""])
    fits.BinTableHDU.from_columns([column, texts]).writeto(tmp_path / "a.fits")
    with uproot.recreate(tmp_path / "a.root") as file:
        file.mktree("t", {"jet": "var * float32"})
        file["t"].extend({"jet": ak.values_astype(ak.Array(lists), np.float32)})
    for name, first in (("a.fits", None), ("a.fits", 6), ("a.root", 6), ("a.root", 1)):
        content = read_path(tmp_path / name, ReadOptions(list_values=first))
        assert content.table["jet_count"].to_list() == [2, 0, 6]
        for i in range(first or 4):
            assert content.table[f"jet_{i + 1}"].to_list() == [each[i] if i < len(each) else None for each in lists]
        assert f"jet_{(first or 4) + 1}" not in content.table.columns
    assert "Left out note" in read(tmp_path / "a.fits").notes[-1]


def test_a_fits_file_that_is_cut_off_is_told(tmp_path: Path) -> None:
    fits = pytest.importorskip("astropy.io.fits")
    path = tmp_path / "a.fits"
    fits.BinTableHDU.from_columns([fits.Column("x", "D", array=np.arange(9999.0))]).writeto(path)
    path.write_bytes(path.read_bytes()[:20000])
    with pytest.raises(DataError, match=r"is cut off: its header declares 9,999 rows of 8 bytes|no readable FITS file"):
        read(path)


def test_root_trees_and_lists(tmp_path: Path) -> None:
    uproot, ak = pytest.importorskip("uproot"), pytest.importorskip("awkward")
    path = tmp_path / "a.root"
    with uproot.recreate(path) as file:
        file.mktree("events", {"pt": "float32", "n": "int64", "good": "bool", "jet": "var * float32"})
        jets = ak.Array([[1.0, 2.0], [], [1.0, 2.0, 3.0, 4.0, 5.0]])
        flat = {
            "pt": np.array([1.0, np.nan, 3.0], np.float32),
            "n": np.arange(3),
            "good": np.array([True, False, True]),
        }
        file["events"].extend({**flat, "jet": jets})
        file["h"] = np.histogram([1.0, 2.0])
    content = read(path)
    assert content.table["pt"].to_list() == [1.0, None, 3.0]
    assert content.table["good"].to_list() == [True, False, True]
    assert content.table["jet_count"].to_list() == [2, 0, 5]
    assert content.table["jet_2"].to_list() == [2.0, None, 2.0]
    assert "jet_5" not in content.table.columns
    assert content.notes == ("'jet': the first 4 of a list, in jet_1 to jet_4.",)
    with uproot.recreate(tmp_path / "new.root") as file:
        file["t"] = {"x": np.arange(3.0), "s": ak.Array(["a", "b", "c"]), "deep": ak.Array([[[1]], [[2]], [[3]]])}
    content = read(tmp_path / "new.root")  # an RNTuple
    assert content.table["s"].to_list() == ["a", "b", "c"]
    assert "Left out deep (var * var * int64; write each of its values as a branch of its own)." in content.notes
    with uproot.recreate(tmp_path / "none.root") as file:
        file["h"] = np.histogram([1.0, 2.0])
    with pytest.raises(DataError, match=r"holds no table, but h \(TH1D\)"):
        read(tmp_path / "none.root")


def test_hdf5_tables(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "a.h5", "w") as file:
        records = [(1, 2.5, b"a"), (2, np.nan, b"bb")]
        file["t/records"] = np.array(records, [("n", "<i4"), ("x", ">f4"), ("s", "S3")])
        file["events/px"], file["events/label"] = np.arange(3.0), ["a", "b", "c"]
        file["events/px"].attrs["units"] = "GeV"
    assert read(tmp_path / "a.h5", "t/records").table.rows() == [(1, 2.5, "a"), (2, None, "bb")]
    events = read(tmp_path / "a.h5", "/events")
    assert events.units == {"px": "GeV"}
    assert sorted(events.table.columns) == ["label", "px"]
    with pytest.raises(SeveralTables, match=r"events .*; t/records"):
        read(tmp_path / "a.h5")
    with h5py.File(tmp_path / "b.h5", "w") as file:  # as pandas writes its fixed format
        file["df/axis0"], file["df/axis1"] = [b"a", b"b"], np.arange(3)
        file["df/block0_items"], file["df/block0_values"] = [b"a", b"b"], np.arange(6.0).reshape(3, 2)
    assert read(tmp_path / "b.h5").table.to_dict(as_series=False) == {"a": [0.0, 2.0, 4.0], "b": [1.0, 3.0, 5.0]}
    with h5py.File(tmp_path / "c.h5", "w") as file:  # images stay images
        file["X"], file["y"] = np.zeros((3, 8, 8)), [0, 1, 0]
    assert read(tmp_path / "c.h5").signals is not None


@pytest.mark.parametrize("ending", [".ecsv", ".vot", ".ipac"])
def test_text_tables_of_astronomers(tmp_path: Path, ending: str) -> None:
    tables, units = pytest.importorskip("astropy.table"), pytest.importorskip("astropy.units")
    table = tables.Table()
    table["flux"] = np.array([1.0, 2.0, 3.0]) * units.Jy
    table["n"] = tables.MaskedColumn([1, 2, 3], mask=[False, True, False])
    table["s"] = ["a", "b", "c"]
    formats = {".ecsv": "ascii.ecsv", ".vot": "votable", ".ipac": "ascii.ipac"}
    table.write(tmp_path / f"a{ending}", format=formats[ending])
    content = read(tmp_path / f"a{ending}")
    assert content.table.rows() == [(1.0, 1, "a"), (2.0, None, "b"), (3.0, 3, "c")]
    assert content.units == {"flux": "Jy"}
    dataset = load_dataset(table[np.arange(30) % 3], target="flux", task="regression")
    assert dataset.units == {"flux": "Jy"}
    assert dataset.table["n"].null_count() == 10


def test_a_votable_with_several_tables_and_compressed(tmp_path: Path) -> None:
    tables, votable = pytest.importorskip("astropy.table"), pytest.importorskip("astropy.io.votable")
    file = votable.from_table(tables.Table({"x": [1.0, 2.0]}))
    file.resources[0].tables[0].name = "stars"
    file.resources[0].tables.append(votable.from_table(tables.Table({"u": [1, 2, 3]})).get_first_table())
    file.resources[0].tables[1].name = "galaxies"
    file.to_xml(str(tmp_path / "a.vot"))
    (tmp_path / "b.vot.gz").write_bytes(gzip.compress((tmp_path / "a.vot").read_bytes()))
    for path in (tmp_path / "a.vot", tmp_path / "b.vot.gz"):
        assert read(path, "galaxies").table["u"].to_list() == [1, 2, 3]
        with pytest.raises(SeveralTables, match=r"stars \(2 rows, 1 column\); galaxies \(3 rows, 1 column\)"):
            read(path)


def test_sqlite_is_only_read(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with closing(sqlite3.connect(path)) as database:
        database.execute('CREATE TABLE "odd ""name" (x, s, m)')
        database.executemany(
            'INSERT INTO "odd ""name" VALUES (?, ?, ?)', [(1, "a", 1), (2.5, None, "b"), (None, "c", 2)]
        )
        database.execute("CREATE TABLE blobs (b)")
        database.execute("INSERT INTO blobs VALUES (x'00')")
        database.commit()
    before = path.read_bytes()
    assert read(path, 'odd "name').table.rows() == [(1.0, "a", "1"), (2.5, None, "b"), (None, "c", "2")]
    with pytest.raises(DataError, match="column 'b' holds bytes"):
        read(path, "blobs")
    assert path.read_bytes() == before


WRITTEN = Output(
    pl.DataFrame({"n": [1, None, 3], "x": [0.5, None, -2.0], "s": ["a", None, "c"], "b": [True, False, True]}),
    units={"x": "km/s"},
    provenance={"run": "r", "command": "c" * 200},
)


@pytest.mark.parametrize("ending", sorted(WRITERS))
def test_what_is_written_is_read_again(tmp_path: Path, ending: str) -> None:
    pytest.importorskip({".root": "uproot", ".h5": "h5py", ".hdf5": "h5py", ".nc": "h5py"}.get(ending, "astropy"))
    path = tmp_path / f"a{ending}"
    path.write_bytes(content_of(WRITTEN, path))
    content = read(path)
    assert content.table["n"].to_list() == [1, None, 3]
    assert content.table["x"].to_list() == [0.5, None, -2.0]
    assert [value or None for value in content.table["s"].to_list()] == ["a", None, "c"]
    assert [str(value).lower() for value in content.table["b"].to_list()] == ["true", "false", "true"]
    if ending in (".fits", ".vot", ".votable", ".ecsv", ".h5", ".hdf5", ".nc", ".sqlite", ".db"):
        assert content.units["x"] in ("km / s", "km s-1", "km/s", "km.s**-1")
    if ending != ".root":  # which holds the time at which it was written
        assert content_of(WRITTEN, path) == path.read_bytes()


def test_the_libraries_of_the_formats_read_what_is_written(tmp_path: Path) -> None:
    astropy, h5py = pytest.importorskip("astropy.table"), pytest.importorskip("h5py")
    votable, xr = pytest.importorskip("astropy.io.votable"), pytest.importorskip("xarray")
    paths = {ending: tmp_path / f"a{ending}" for ending in (".ecsv", ".vot", ".h5", ".nc", ".db")}
    moment = [datetime.datetime(2020, 2, 29, 6, 30), None, datetime.datetime(2021, 1, 1)]
    table = WRITTEN.table.with_columns(pl.Series("p / Pa", [1.0, 2.0, 3.0]), pl.Series("t", moment), row=pl.lit(1))
    for path in paths.values():
        path.write_bytes(content_of(Output(table, (), WRITTEN.units, WRITTEN.provenance), path))
    ecsv = astropy.Table.read(paths[".ecsv"], format="ascii.ecsv")
    assert str(ecsv["x"].unit) == "km / s"
    assert ecsv["n"].tolist() == [1, None, 3]
    assert ecsv.meta["shoal"] == WRITTEN.provenance
    resource = votable.parse(paths[".vot"]).resources[0]
    assert {info.name: info.value for info in resource.infos if info.name.startswith("shoal")} == {
        "shoal_run": "r",
        "shoal_command": "c" * 200,
    }
    assert resource.tables[0].to_table()["n"].mask.tolist() == [False, True, False]
    with h5py.File(paths[".h5"]) as file:
        assert dict(file["predictions"].attrs) == WRITTEN.provenance
        assert file["predictions/x"].attrs["units"] == "km/s"
        assert file["predictions/p _ Pa"].attrs["long_name"] == "p / Pa"
    for engine in ("netcdf4", "h5netcdf"):
        pytest.importorskip(engine if engine == "h5netcdf" else "netCDF4")
        with xr.open_dataset(paths[".nc"], engine=engine) as data:
            assert data.attrs["shoal_command"] == "c" * 200
            assert data["x"].attrs["units"] == "km/s"
            assert data["x"].dims == ("row",)
            assert not data.coords
            assert data["b"].dtype == bool
            assert data["n"].values.tolist()[::2] == [1.0, 3.0]
            assert np.isnan(data["n"].values[1])
            assert data["t"].values[0] == np.datetime64("2020-02-29T06:30")
            assert data["row_"].values.tolist() == [1, 1, 1]
    with closing(sqlite3.connect(paths[".db"])) as database:
        assert database.execute("SELECT n, x, s, b FROM predictions").fetchall()[1] == (None, None, None, 0)
        assert database.execute("SELECT * FROM shoal_units").fetchall() == [("x", "km/s")]
        assert dict(database.execute("SELECT * FROM shoal_provenance").fetchall()) == WRITTEN.provenance


@pytest.mark.slow
def test_predictions_go_back_into_fits_and_a_friend_tree(tmp_path: Path) -> None:
    tables, uproot = pytest.importorskip("astropy.table"), pytest.importorskip("uproot")
    from astropy import units

    x = np.linspace(0.0, 1.0, 60)
    table = tables.Table({"id": np.arange(60), "x": x, "y": 2.0 * x * units.km})
    fits, run = tmp_path / "a.fits", str(tmp_path / "run")
    table.write(fits)
    assert main(["fit", str(fits), "--target", "y", "--id", "id", "--where", "x > 0.2", "--out", run, *QUICK]) == 0
    assert main(["predict", run, str(fits), "-o", str(tmp_path / "out.fits"), "-q"]) == 0
    written = tables.Table.read(tmp_path / "out.fits")
    assert written["id"].tolist() == list(range(60))
    assert written["prediction"].unit == units.km
    assert np.isnan(np.ma.filled(written["prediction"].value, np.nan)).tolist() == (x <= 0.2).tolist()
    assert any("shoal run: run" in line for line in written.meta["comments"])
    for name in ("out.nc", "out.h5", "out.vot", "out.ecsv", "out.db"):
        assert main(["predict", run, str(fits), "-o", str(tmp_path / name), "-q"]) == 0
        content = read(tmp_path / name)
        assert content.table["id"].to_list() == list(range(60))
        assert content.units["prediction"] == "km"
        expected = np.ma.filled(written["prediction"].value, np.nan)
        assert content.table["prediction"].to_numpy() == pytest.approx(expected, nan_ok=True)
    with uproot.recreate(tmp_path / "a.root") as file:
        file.mktree("events", {"x": "float64"})
        file["events"].extend({"x": x})
    assert main(["predict", run, str(tmp_path / "a.root"), "-o", str(tmp_path / "friend.root"), "-q"]) == 0
    friend = uproot.open(tmp_path / "friend.root")["shoal"]
    assert friend.num_entries == 60
    assert "x" not in friend.keys()  # noqa: SIM118 (a tree is no mapping)
    expected = shoal.load(run).predict({"x": x[x > 0.2]}).mean[:, 0]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert friend["prediction"].array(library="np")[x > 0.2] == pytest.approx(expected)


def test_a_missing_package_is_told_with_its_install_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib.util

    known: Any = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *_: None if name in ("astropy", "uproot") else known(name)
    )
    for name, extra in (("a.fits", "astro"), ("a.root", "hep"), ("a.ecsv", "astro")):
        start = {"a.fits": b"SIMPLE  =", "a.root": b"root\0"}.get(name, b"# %ECSV")
        (tmp_path / name).write_bytes(start + b"x" * 100)
        with pytest.raises(DataError, match=rf"pip install 'shoal\[{extra}\]'"):
            read(tmp_path / name)
    assert main(["predict", "run", "data.csv", "-o", str(tmp_path / "x.root")]) == 2


def test_columns_of_fits_are_held_once(tmp_path):
    tables, path = pytest.importorskip("astropy.table"), tmp_path / "long.fits"
    tables.Table({f"x{i}": np.arange(20_000.0) + i for i in range(20)}).write(path)
    read_path(path, ReadOptions())  # what is imported does not count
    tracemalloc.start()
    content = read_path(path, ReadOptions())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert content.table["x19"][-1] == 20_018.0
    assert peak < 1.5 * 20 * 20_000 * 8
