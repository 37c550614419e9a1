"""NetCDF and Zarr: what xarray and the libraries of the formats write becomes the rows that xarray makes of it."""

from __future__ import annotations

import shutil
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from shoal.cli import main
from shoal.data.readers import Content, ReadOptions, read_path
from shoal.data.readers.tables.chosen_table import SeveralTables
from shoal.errors import DataError

xr = pytest.importorskip("xarray")
MEMORY = "shoal.data.readers.room.available_memory"


def read(path: Path, table: str | None = None) -> Content:
    return read_path(path, ReadOptions(table=table))


def weather() -> Any:
    draw = np.random.default_rng(0)
    temperature = draw.normal(280.0, 5.0, (4, 3, 2))
    temperature[1, 2, 0] = np.nan
    return xr.Dataset(
        {
            "temperature": (("time", "lat", "lon"), temperature, {"units": "K"}),
            "wind": (("time", "lat", "lon"), draw.normal(size=(4, 3, 2)), {"long_name": "wind speed [m/s]"}),
            "height": (("lat", "lon"), np.arange(6).reshape(3, 2), {"units": "m"}),
            "site": (("lat",), np.array(["a", "b", "c"], dtype=object)),
        },
        coords={
            "time": np.array(["2020-02-28", "2020-02-29", "2020-03-01", "2021-01-01T06:30"], "M8[ns]"),
            "lat": ("lat", [50.5, 51.5, 52.5], {"units": "degrees_north"}),
            "lon": [7.0, 8.0],
            "area": (("lat", "lon"), np.arange(6.0).reshape(3, 2), {"units": "km2"}),
        },
    )


def write(data: Any, path: Path, form: str) -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if form.startswith("zarr"):
            pytest.importorskip("zarr")
            data.to_zarr(path, zarr_format=int(form[4]), consolidated=False)
            if form.endswith("zip"):
                shutil.make_archive(str(path), "zip", path)
                path = path.with_name(f"{path.name}.zip")
        elif form == "netcdf3":
            data.to_netcdf(path, engine="scipy", format="NETCDF3_64BIT")
        else:
            data.to_netcdf(path, engine=pytest.importorskip("netCDF4").__name__.lower())
    return path


FORMS = {"netcdf3": "a.nc", "netcdf4": "a.nc4", "zarr2": "a.zarr", "zarr3": "a.zarr", "zarr3zip": "a.zarr"}


@pytest.mark.parametrize("form", FORMS)
def test_variables_over_the_same_dimensions_are_rows(form: str, tmp_path: Path) -> None:
    data = weather()
    path = write(data, tmp_path / FORMS[form], form)
    content = read(path, "time,lat,lon")
    expected = data[["temperature", "wind"]].to_dataframe().reset_index()
    assert sorted(content.table.columns) == sorted(expected.columns)
    for name in expected.columns:
        values = content.table[name].to_list()
        assert len(values) == 24
        wanted = expected[name].tolist()
        assert [None if value != value else value for value in wanted] == values, name
    units = {"temperature": "K", "wind": "m/s", "lat": "degrees_north", "area": "km2"}
    assert content.units == units
    assert read(path, "lat").table["site"].to_list() == ["a", "b", "c"]
    with pytest.raises(SeveralTables, match=r"time,lat,lon \(24 rows \(4 × 3 × 2\), 2 variables\)"):
        read(path)
    with pytest.raises(DataError, match=r"no table 'time'; it has: "):
        read(path, "time")


def test_describe_lists_the_dimensions(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(weather(), tmp_path / "a.nc", "netcdf3")
    assert main(["describe", str(path)]) == 0
    assert "lat,lon" in capsys.readouterr().out
    assert main(["describe", str(path), "--table", "time,lat,lon", "--target", "temperature"]) == 0
    assert "degrees_north" in capsys.readouterr().out


@pytest.mark.parametrize("form", ["NETCDF3_CLASSIC", "NETCDF4"])
def test_fill_values_packing_and_texts_of_netcdf(form: str, tmp_path: Path) -> None:
    netcdf = pytest.importorskip("netCDF4")
    with netcdf.Dataset(tmp_path / "a.nc", "w", format=form) as file:
        file.createDimension("n", 4)
        file.createDimension("letters", 3)
        packed = file.createVariable("packed", "i2", ("n",), fill_value=-1)
        packed.setncatts({"scale_factor": 0.5, "add_offset": 10.0, "valid_max": np.int16(100)})
        packed.set_auto_maskandscale(False)
        packed[:] = [0, 4, -1, 200]
        file.createVariable("unwritten", "f8", ("n",))[:2] = [1.0, 2.0]
        file.createVariable("name", "S1", ("n", "letters"))[:] = np.array(
            [list("abc"), ["d", "", ""], ["e", "f", ""], ["", "", ""]], "S1"
        )
        file.createVariable("grid", "i4", ())
        noleap = file.createVariable("when", "f8", ("n",))
        noleap.units, noleap.calendar = "days since 2000-01-01", "noleap"
        noleap[:] = range(4)
    with netcdf.Dataset(tmp_path / "a.nc") as file:
        expected = [None if np.ma.is_masked(v) else float(v) for v in file["packed"][:]]
    content = read(tmp_path / "a.nc")
    assert content.table["packed"].to_list() == expected == [10.0, 12.0, None, None]
    assert content.table["unwritten"].to_list() == [1.0, 2.0, None, None]
    assert content.table["name"].to_list() == ["abc", "d", "ef", None]
    assert content.table["when"].to_list() == [0.0, 1.0, 2.0, 3.0]
    assert content.units == {"when": "days since 2000-01-01"}


def test_netcdf_that_is_not_read_is_told(tmp_path: Path) -> None:
    netcdf = pytest.importorskip("netCDF4")
    with netcdf.Dataset(tmp_path / "a.nc", "w", format="NETCDF3_64BIT_DATA") as file:
        file.createDimension("n", 4)
    with pytest.raises(DataError, match=r"64-bit data \(CDF-5\), which is not read. Convert it: nccopy -k nc4"):
        read(tmp_path / "a.nc")
    with netcdf.Dataset(tmp_path / "b.nc", "w") as file:
        file.createDimension("n", None)
        group = file.createGroup("run")
        group.createDimension("m", 2)
        group.createVariable("x", "f4", ("n", "m"))[:] = [[1.0, 2.0], [3.0, 4.0]]
        file.createVariable("t", "i8", ("n",))[:] = [5, 6]
    assert read(tmp_path / "b.nc", "n,run/m").table.columns == ["run/x"]
    assert read(tmp_path / "b.nc", "n").table["t"].to_list() == [5, 6]


def test_arrays_of_zarr_that_could_run_code_are_refused(tmp_path: Path) -> None:
    zarr, numcodecs = pytest.importorskip("zarr"), pytest.importorskip("numcodecs")
    group = zarr.create_group(tmp_path / "a.zarr", zarr_format=2)
    group.create_array("x", data=np.arange(3.0), filters=None, compressors=None)
    group["x"].attrs["_ARRAY_DIMENSIONS"] = ["n"]
    assert read(tmp_path / "a.zarr").table["x"].to_list() == [0.0, 1.0, 2.0]
    text = (tmp_path / "a.zarr" / "x" / ".zarray").read_text()
    filters = f'"filters": [{{"id": "{numcodecs.Pickle.codec_id}", "protocol": 5}}]'
    (tmp_path / "a.zarr" / "x" / ".zarray").write_text(text.replace('"filters": null', filters))
    with pytest.raises(DataError, match=r"no readable Zarr group .*pickle|by the codec 'pickle'"):
        read(tmp_path / "a.zarr")


@pytest.mark.parametrize("form", ["netcdf3", "netcdf4", "zarr3"])
def test_what_has_no_room_is_refused(form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(weather(), tmp_path / FORMS[form], form)
    monkeypatch.setattr(MEMORY, lambda: 1000)
    with pytest.raises(DataError, match=rf"{path.name} .*reading it takes about .* of memory"):
        read(path, "time,lat,lon")


def test_a_declared_zarr_array_is_not_made(tmp_path: Path) -> None:
    zarr = pytest.importorskip("zarr")
    group = zarr.create_group(tmp_path / "a.zarr", zarr_format=3)
    group.create_array("x", shape=(10**12,), chunks=(10**8,), dtype="f8", dimension_names=["n"])
    with pytest.raises(DataError, match=r"declares 1,000,000,000,000 rows of 1 variable along n: reading it takes"):
        read(tmp_path / "a.zarr")


def test_missing_packages_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib.util

    paths = [write(weather(), tmp_path / FORMS[form], form) for form in ("netcdf4", "zarr3")]
    known: Any = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *_: None if name in ("h5py", "zarr") else known(name))
    for path, extra in zip(paths, ("science", "zarr"), strict=True):
        with pytest.raises(DataError, match=rf"pip install 'shoal\[{extra}\]'"):
            read(path)
