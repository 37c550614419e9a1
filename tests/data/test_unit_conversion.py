"""Conversions between units, and columns that look as if they were in another one."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shoal.data import Preparation, ReadOptions, load_dataset
from shoal.data.new_rows import read_new
from shoal.data.unit_clues import other_units
from shoal.data.unit_conversion import conversion, in_units
from shoal.data.units import is_unit, same_unit
from shoal.errors import DataError, ShoalWarning

FACTORS = [
    ("cm", "mm", 10.0),
    ("GeV", "MeV", 1000.0),
    ("GeV/c^2", "MeV/c^2", 1000.0),
    ("km/h", "m/s", 1 / 3.6),
    ("deg", "rad", math.pi / 180),
    ("mas", "arcsec", 1e-3),
    ("g cm^-3", "kg/m3", 1000.0),
    ("erg cm-2 s-1", "W/m^2", 1e-3),
    ("Å", "nm", 0.1),
    ("kpc", "pc", 1000.0),
    ("mbar", "Pa", 100.0),
    ("10^3 W", "W", 1000.0),
    ("kWh", "J", 3.6e6),
    ("%", "‰", 10.0),
    ("Gauss", "mT", 0.1),
]


@pytest.mark.parametrize(("unit", "wanted", "factor"), FACTORS)
def test_factors_there_and_back(unit: str, wanted: str, factor: float) -> None:
    there, back = conversion(unit, wanted), conversion(wanted, unit)
    assert there is not None
    assert back is not None
    assert there.factor == pytest.approx(factor, rel=1e-12)
    assert there.factor * back.factor == pytest.approx(1.0, rel=1e-12)
    assert not same_unit(unit, wanted)


@pytest.mark.parametrize(
    ("unit", "wanted"), [("kg", "m"), ("mag", "Jy"), ("dex", "%"), ("ha", "yr"), ("counts", "e-"), ("°C", "m")]
)
def test_what_cannot_be_converted(unit: str, wanted: str) -> None:
    assert conversion(unit, wanted) is None


@settings(derandomize=True, deadline=None, max_examples=50)
@given(st.floats(-270, 1e4), st.sampled_from(["°C", "K", "°F"]), st.sampled_from(["°C", "K", "degF"]))
def test_temperatures_come_back(value: float, unit: str, wanted: str) -> None:
    there, back = conversion(unit, wanted), conversion(wanted, unit)
    assert there is not None
    assert back is not None
    assert back.apply(there.apply(pl.Series([value])))[0] == pytest.approx(value, abs=1e-9)


def test_known_temperatures() -> None:
    fahrenheit = conversion("°F", "°C")
    assert fahrenheit is not None
    assert fahrenheit.apply(pl.Series([212.0, 32.0])).to_list() == pytest.approx([100.0, 0.0], abs=1e-9)
    assert str(conversion("°C", "K")) == "+ 273.15"


def test_a_number_is_no_unit_but_part_of_one() -> None:
    assert not is_unit("10^3")
    assert not same_unit("10^3 W", "W")
    assert load_dataset({"x (3)": range(5, 25), "y": range(3, 23)}, target="y").units == {}


def test_columns_are_refused_or_converted() -> None:
    table, units = pl.DataFrame({"length [cm]": [1.0], "T": [20.0], "n": [1]}), {"length [cm]": "cm", "T": "°C"}
    known = {"length [mm]": "mm", "T": "K"}
    with pytest.raises(DataError, match=r"new: column 'length \[cm\]' is in cm, .*cm × 10 = mm.*'T' is in °C.*convert"):
        in_units(table, units, known, convert=False, data="new")
    converted, said = in_units(table, units, known, convert=True, data="new")
    assert converted.to_dict(as_series=False) == {"length [mm]": [10.0], "T": [293.15], "n": [1]}
    assert len(said) == 2
    assert all(text.endswith("converted") for text in said)
    with pytest.raises(DataError, match=r"no conversion is known.*mend the unit"):
        in_units(table, {"T": "mag"}, known, convert=True, data="new")
    with pytest.raises(DataError, match=r"'T' is in °C"):  # a text is not converted
        in_units(pl.DataFrame({"T": ["warm"]}), {"T": "°C"}, known, convert=True, data="new")


RANDOM = np.random.default_rng(0)
TRAINED = {"length": RANDOM.normal(50, 10, 200), "angle": RANDOM.uniform(0, 360, 200), "T": RANDOM.normal(300, 9, 200)}


@pytest.fixture(scope="module")
def preparation() -> Preparation:
    dataset = load_dataset({**TRAINED, "flux": RANDOM.lognormal(3, 2, 200), "y": RANDOM.normal(size=200)}, target="y")
    return Preparation.from_dict(Preparation.fit(dataset, np.arange(200)).to_dict())


@pytest.mark.parametrize(
    ("name", "values", "told"),
    [
        ("length", TRAINED["length"] / 10, "times 10,"),
        ("length", TRAINED["length"] * 100, "divided by 100,"),
        ("length", TRAINED["length"] / 1000, "times 1,000,"),
        ("T", TRAINED["T"] - 273.15, "from °C to K,"),
        ("angle", np.degrees(TRAINED["angle"]), "from degrees to radians,"),
        ("length", np.log10(TRAINED["length"]), "as powers of ten,"),
    ],
)
def test_another_unit_shows_in_the_range(preparation: Preparation, name: str, values: np.ndarray, told: str) -> None:
    (clue,) = other_units(pl.DataFrame({name: values[:60]}), preparation)
    assert clue.startswith(f"'{name}': ")
    assert "lie outside the range of the training rows" in clue
    assert told in clue


def test_other_rows_of_the_same_kind_give_no_clue(preparation: Preparation) -> None:
    new = {"length": RANDOM.normal(55, 12, 50), "angle": RANDOM.uniform(0, 360, 50), "flux": RANDOM.lognormal(3, 2, 50)}
    assert list(other_units(pl.DataFrame(new), preparation)) == []
    shifted = {"length": RANDOM.normal(140, 10, 50), "T": RANDOM.normal(300, 60, 50)}
    assert list(other_units(pl.DataFrame(shifted), preparation)) == []


def test_stated_units_are_checked_where_rows_are_read(tmp_path: Path) -> None:
    columns = {"length [mm]": TRAINED["length"], "y": RANDOM.normal(size=200)}
    fitted = Preparation.fit(load_dataset(columns, target="y"), np.arange(200))
    (tmp_path / "new.csv").write_text("length [cm]\n5\n4\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"'length \[cm\]' is in cm, but was in mm in the fit \(cm × 10 = mm\)"):
        read_new(tmp_path / "new.csv", fitted)
    with pytest.warns(ShoalWarning, match="converted"):
        raw = read_new(tmp_path / "new.csv", fitted, ReadOptions(convert_units=True))
    assert raw.table["length [mm]"].to_list() == [50.0, 40.0]
    assert read_new(raw, fitted, ReadOptions(convert_units=True)).table["length [mm]"].to_list() == [50.0, 40.0]
