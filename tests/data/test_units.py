"""Units: what names, files and rows of units tell, and what is done with them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
import pytest

from shoal.data import Preparation, ReadOptions, Roles, load_dataset, load_with_test, roles_from_toml
from shoal.data.readers import read_table_file
from shoal.data.unit_sources import units_of_python
from shoal.data.units import (
    check_errors,
    full_name,
    is_unit,
    labelled,
    same_unit,
    split_unit,
    squared,
    unit_row,
    units_of_names,
)
from shoal.errors import DataError, SettingError

RNG = np.random.default_rng(0)
ROWS = 40
X = RNG.normal(size=ROWS)
Y = 2 * X + RNG.normal(size=ROWS)


@pytest.mark.parametrize(
    ("name", "quantity", "unit"),
    [
        ("E [GeV]", "E", "GeV"),
        ("E[GeV]", "E", "GeV"),
        ("E (GeV)", "E", "GeV"),
        ("p / Pa", "p", "Pa"),
        ("E / kJ mol-1", "E", "kJ mol-1"),
        ("v / (m/s)", "v", "m/s"),
        ("E / m (GeV)", "E / m", "GeV"),
        ("density (kg/m³)", "density", "kg/m³"),
        ("flux [erg cm^-2 s^-1]", "flux", "erg cm^-2 s^-1"),
        ("k (W/(m K))", "k", "W/(m K)"),
        ("rate (1/s)", "rate", "1/s"),
        ("Γ (10^-3 eV)", "Γ", "10^-3 eV"),
        ("noise (V/√Hz)", "noise", "V/√Hz"),
        ("T (°C)", "T", "°C"),
        ("humidity (%)", "humidity", "%"),
        ("price [EUR]", "price", "EUR"),
        ("efficiency [-]", "efficiency", ""),
    ],
)
def test_a_unit_stands_at_the_end_of_a_name(name: str, quantity: str, unit: str) -> None:
    assert split_unit(name) == (quantity, unit)


@pytest.mark.parametrize(
    "name",
    ["E", "E_GeV", "x[1]", "x [1]", "p[x]", "score (old)", "f (x)", "group (b)", "S / B", "a / b", "F (S/N)",
     "soil (pH)", "(cm)", "[cm]", "x ()", "x (()", "day (Monday)", "x" * 300 + " (cm)"],
)  # fmt: skip
def test_what_is_no_unit_stays_part_of_the_name(name: str) -> None:
    assert split_unit(name) == (name, None)


def test_names_are_looked_at_together() -> None:
    assert units_of_names(["E / m", "m", "p / Pa"]) == {"p / Pa": "Pa"}
    assert units_of_names(["E / m", "p / Pa"]) == {"E / m": "m", "p / Pa": "Pa"}
    assert units_of_names(["T (min)", "T (max)"]) == {}
    assert units_of_names(["t (min)", "E [-]"]) == {"t (min)": "min"}


def test_units_are_compared_by_what_they_mean() -> None:
    assert same_unit("m/s", "m·s⁻¹")
    assert same_unit("J/(mol K)", "J/mol/K")
    assert same_unit("foo", "foo")
    assert not same_unit("GeV", "MeV")
    assert not same_unit("foo", "bar")
    assert not is_unit("")
    assert squared("arb. units") == "(arb. units)²"


def test_labels_are_all_written_in_one_way() -> None:
    assert labelled("E (GeV)", "GeV") == labelled("E / GeV", "GeV") == labelled("E", "GeV") == "E [GeV]"
    assert labelled("x", "") == "x"


def test_a_name_may_leave_its_unit_out_while_that_is_clear() -> None:
    assert full_name("E", ["E [GeV]", "m"]) == "E [GeV]"
    assert full_name("E", ["E", "E [GeV]"]) == "E"
    with pytest.raises(DataError, match=r"'E' may be any of 'E \[GeV\]', 'E \[MeV\]'; give the whole name"):
        full_name("E", ["E [GeV]", "E [MeV]"])


def test_columns_are_named_without_their_units() -> None:
    table = {"x [mm]": X, "E [GeV]": Y, "dE [GeV]": np.full(ROWS, 0.1), "w [kg]": np.ones(ROWS)}
    dataset = load_dataset(table, target="E", y_err="dE", weight="w")
    assert (dataset.targets, dataset.roles.y_err, dataset.roles.weight) == (("E [GeV]",), ["dE [GeV]"], "w [kg]")
    assert dataset.units == {"x [mm]": "mm", "E [GeV]": "GeV", "dE [GeV]": "GeV", "w [kg]": "kg"}
    with pytest.raises(DataError, match="no column 'p' for the role target"):
        load_dataset(table, target="p")


def test_targets_and_errors_are_found_by_names_with_units() -> None:
    dataset = load_dataset({"x": X, "y [cm]": Y, "y_err [cm]": np.full(ROWS, 0.1)})
    assert (dataset.targets, dataset.roles.y_err) == (("y [cm]",), ["y_err [cm]"])


def test_errors_in_another_unit_are_refused() -> None:
    with pytest.raises(DataError, match=r"errors in 'dE \[MeV\]' are in MeV, but 'E \[GeV\]' is in GeV"):
        load_dataset({"x": X, "E [GeV]": Y, "dE [MeV]": np.full(ROWS, 100.0)}, target="E", y_err="dE")
    check_errors({"v": "dv"}, {"v": "m/s", "dv": "m s-1"})
    check_errors({"v": "dv"}, {"v": "m/s"})


def test_a_roles_file_gives_units(tmp_path: Path) -> None:
    path = tmp_path / "roles.toml"
    path.write_text('target = "E"\nunits = {E = "GeV", x = "mm"}', encoding="utf-8")
    dataset = load_dataset({"x [cm]": X, "E": Y}, roles=roles_from_toml(path))
    assert dataset.units == {"x [cm]": "mm", "E": "GeV"}
    with pytest.raises(DataError, match="no column 'z' to have a unit"):
        load_dataset({"x": X, "E": Y}, roles=Roles(target=["E"], units={"z": "m"}))
    path.write_text('units = "GeV"', encoding="utf-8")
    with pytest.raises(SettingError, match="units must be a table of a unit for each column"):
        roles_from_toml(path)


def test_a_row_of_units_below_the_header_is_no_data(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("x,E,kind\n[mm],GeV,\n1,2.5,a\n2,3.5,b\n", encoding="utf-8")
    content = read_table_file(path)
    table, units = content.table, content.units
    assert table.rows() == [(1, 2.5, "a"), (2, 3.5, "b")]
    assert units == {"x": "mm", "E": "GeV"}
    path.write_text("x E\nmm GeV\n1 2.5\n2 oops\n", encoding="utf-8")
    assert read_table_file(path).table.height == 3  # not a row of units: E holds text
    path.write_text("x,E\nmm,GeV\n" + "1,2\n" * 20 + "1,oops\n", encoding="utf-8")
    with pytest.raises(DataError, match="line 23"):
        read_table_file(path)


@pytest.mark.parametrize(
    ("fields", "below"),
    [
        (["m", "s"], []),
        (["m", "s"], [[False, False]]),
        (["-", ""], [[True, True]]),
        (["1.5", "GeV"], [[True, True]]),
        (["red", "GeV"], [[True, True]]),
    ],
)
def test_rows_that_are_no_units(fields: list[str], below: list[list[bool]]) -> None:
    assert unit_row(fields, below) is None


def test_excel_has_rows_of_units_too(tmp_path: Path) -> None:
    import xlsxwriter

    with xlsxwriter.Workbook(str(tmp_path / "t.xlsx")) as book:
        sheet = book.add_worksheet()
        for i, row in enumerate([["x", "E"], ["mm", "[GeV]"], [1, 2.5], [2, 3.5]]):
            sheet.write_row(i, 0, row)
    content = read_table_file(tmp_path / "t.xlsx")
    table, units = content.table, content.units
    assert table.rows() == [(1, 2.5), (2, 3.5)]
    assert units == {"x": "mm", "E": "GeV"}


def arrow_table() -> pa.Table:
    field = pa.field("E", pa.float64(), metadata={"unit": "GeV"})
    schema = pa.schema([pa.field("x", pa.float64()), field, pa.field("p", pa.float64(), metadata={b"units": b"Pa"})])
    return pa.table({"x": X, "E": Y, "p": X}, schema=schema)


def test_fields_of_arrow_tell_units(tmp_path: Path) -> None:
    pyarrow.parquet.write_table(arrow_table(), tmp_path / "t.parquet")
    pyarrow.feather.write_feather(arrow_table(), tmp_path / "t.feather")
    with pa.ipc.new_stream(tmp_path / "s.arrow", arrow_table().schema) as stream:
        stream.write_table(arrow_table())
    for name in ("t.parquet", "t.feather", "s.arrow"):
        assert load_dataset(tmp_path / name, target="E").units == {"E": "GeV", "p": "Pa"}
    assert load_dataset(arrow_table(), target="E").units == {"E": "GeV", "p": "Pa"}
    pl.DataFrame({"unit": [1.0], "x": [2.0]}).write_parquet(tmp_path / "plain.parquet")
    assert read_table_file(tmp_path / "plain.parquet").units == {}


def test_data_frames_tell_units() -> None:
    frame = pd.DataFrame({"x": X, "E": Y})
    frame.attrs["units"] = {"E": "GeV", "x": ""}
    assert units_of_python(frame) == {"E": "GeV"}
    assert load_dataset(frame, target="E").units == {"E": "GeV"}
    x = pd.DataFrame({"x": X})
    x.attrs["units"] = {"x": "mm"}
    assert load_dataset((x, Y)).units == {"x": "mm"}
    assert units_of_python(pl.DataFrame({"x": X})) == {}


def test_units_are_saved_with_the_preparation() -> None:
    dataset = load_dataset({"x [mm]": X, "E [GeV]": Y}, target="E")
    preparation = Preparation.fit(dataset, np.arange(30))
    assert Preparation.from_dict(preparation.to_dict()).units == {"x [mm]": "mm", "E [GeV]": "GeV"}
    plain = Preparation.fit(load_dataset({"x": X, "y": Y}), np.arange(30)).to_dict()
    assert "units" not in plain
    assert Preparation.from_dict(plain).units == {}


def test_forecast_values_have_the_unit_of_their_target() -> None:
    dataset = load_dataset({"level [m]": np.arange(60.0)}, target="level", window=5, horizon=2)
    assert dataset.units["level [m] +2"] == "m"


def test_another_unit_is_noticed(tmp_path: Path) -> None:
    for name, unit in (("a", "GeV"), ("b", "MeV")):
        rows = "\n".join(f"{x},{y}" for x, y in zip(X, Y, strict=True))
        (tmp_path / f"{name}.csv").write_text(f"x,E\n,{unit}\n{rows}\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"column 'E' is in MeV, .* \(MeV × 0.001 = GeV\).*--convert-units"):
        load_with_test(tmp_path / "a.csv", tmp_path / "b.csv", target="E")
    options = ReadOptions(convert_units=True)
    both, rows = load_with_test(tmp_path / "a.csv", tmp_path / "b.csv", target="E", options=options)
    np.testing.assert_allclose(both.y()[rows], 1e-3 * both.y()[: len(rows)])
    assert any("converted" in note for note in both.notes)
    assert load_with_test(tmp_path / "a.csv", tmp_path / "a.csv", target="E")[0].units == {"E": "GeV"}
