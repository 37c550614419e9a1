from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from shoal.errors import DataError, SettingError
from shoal.evaluation.systematics.variations import Variation, read_variations

FILE = """
[jet_energy_scale]
columns = ["jet_pt", "met"]
scale = 0.02

[noise]
columns = "met"
smear = 3.0

["pile up"]
weight_up = "w_up"
weight_down = "w_down"

[cross_section]
class = "background"
rate = 0.1

[generator]
file_up = "other.csv"
"""
TABLE = pl.DataFrame({"x": [1.0, None, 3.0], "n": [1, 2, 3], "s": [0.1, 0.2, 0.3], "text": ["a", "b", "c"]})


def one(**values: Any) -> Variation:
    (found,) = read_variations({"a": values})
    return found


def test_a_file_says_what_is_varied(tmp_path: Path) -> None:
    (tmp_path / "v.toml").write_text(FILE, encoding="utf-8")
    found = {variation.name: variation for variation in read_variations(tmp_path / "v.toml")}
    assert [variation.way for variation in found.values()] == ["scale", "smear", "weight", "rate", "file"]
    assert found["jet_energy_scale"].text == "jet_pt, met × (1 ± 0.02)"
    assert found["noise"].sides == found["generator"].sides == ("up",)
    assert found["pile up"].sides == ("up", "down")
    assert found["pile up"].where.endswith("v.toml, line 10, [pile up]")
    assert found["cross_section"].text == "weights of background × (1 ± 0.1)"


def test_columns_are_shifted_and_missing_values_stay_missing() -> None:
    both = one(columns=["x", "n"], scale=[0.1, -0.5])
    assert both.shifted(TABLE, "up")["x"].to_list() == pytest.approx([1.1, None, 3.3])
    assert both.shifted(TABLE, "up")["n"].to_list() == [0.5, 1.0, 1.5]
    assert both.shifted(TABLE, "down")["n"].to_list() == [1.5, 3.0, 4.5]
    assert one(columns="n", shift=2).shifted(TABLE, "down")["n"].to_list() == [-1.0, 0.0, 1.0]
    by_sigma = one(columns=["x", "n"], sigma_column="s")
    assert by_sigma.shifted(TABLE, "up")["n"].to_list() == pytest.approx([1.1, 2.2, 3.3])
    assert by_sigma.shifted(TABLE, "down")["x"].to_list() == pytest.approx([0.9, None, 2.7])
    assert both.shifted(TABLE, "up").columns == TABLE.columns


def test_noise_is_gaussian_of_its_size_and_the_same_each_time() -> None:
    table = pl.DataFrame({"x": np.zeros(20_000), "y": np.zeros(20_000)})
    smear = one(columns=["x", "y"], smear=[3.0, 0.5])
    found = smear.shifted(table, "up", seed=4)
    assert found["x"].std() == pytest.approx(3.0, rel=0.03)
    assert found["y"].std() == pytest.approx(0.5, rel=0.03)
    assert abs(np.corrcoef(found["x"], found["y"])[0, 1]) < 0.03
    assert found.equals(smear.shifted(table, "up", seed=4))
    assert not found.equals(smear.shifted(table, "up", seed=5))


def test_weights_are_replaced_multiplied_or_changed_for_a_class() -> None:
    weights, truth, classes = np.array([1.0, -2.0, 3.0]), np.array([0, 1, 1]), ("b", "s")
    rest = weights, truth, classes
    assert one(weight_up="s").reweighted(TABLE, "up", *rest).tolist() == [0.1, 0.2, 0.3]
    assert one(factor_down="n").reweighted(TABLE, "down", *rest).tolist() == [1.0, -4.0, 9.0]
    rate = one(**{"class": "s", "rate": 0.5})
    assert rate.reweighted(TABLE, "up", *rest).tolist() == [1.0, -3.0, 4.5]
    assert rate.reweighted(TABLE, "down", *rest).tolist() == [1.0, -1.0, 1.5]
    with pytest.raises(DataError, match="column 'x' holds no weight in row 2"):
        one(weight_up="x").reweighted(TABLE, "up", *rest)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"columns": "x", "scale": 0.1, "shift": 1.0}, r"\[a\] gives scale and shift; a variation does one thing"),
        ({"columns": "x", "scale": 0.1, "weight_up": "w"}, r"gives scale and weight"),
        ({"columns": "x"}, "says nothing to vary; give one of scale, shift"),
        ({"scale": 0.1}, "gives scale without columns"),
        ({"columns": "x", "weight_up": "w"}, "weight takes no columns"),
        ({"columns": "x", "scal": 0.1}, r"has no key 'scal'; known are: .* Did you mean 'scale'\?"),
        ({"columns": "x", "scale": "much"}, r"\[a\] scale: expected a number"),
        ({"columns": "x", "scale": float("nan")}, r"\[a\] scale: expected a finite number"),
        ({"columns": ["x", "n", "s"], "shift": [1.0, 2.0]}, "shift has 2 entries for 3 columns"),
        ({"columns": "x", "smear": 0.0}, "must be positive"),
        ({"rate": 0.1}, "rate and class go together"),
        ({"class": "s", "weight_up": "w"}, "rate and class go together"),
        ({}, "says nothing to vary"),
    ],
)
def test_variations_that_make_no_sense_are_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        one(**values)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"columns": "xx", "scale": 0.1}, r"there is no column 'xx'; there are: x, n, s, text"),
        ({"columns": "text", "scale": 0.1}, "column 'text' must hold numbers to be varied, but row 1 holds 'a'"),
        ({"columns": "x", "sigma_column": "text"}, "column 'text' must hold numbers"),
        ({"weight_down": "w"}, "there is no column 'w'"),
        ({"file_up": "v.tom"}, r"file_up '.*v.tom' does not exist\. Did you mean 'v.toml'\?"),
    ],
)
def test_what_a_table_lacks_is_named(values: dict[str, Any], message: str, tmp_path: Path) -> None:
    (tmp_path / "v.toml").touch()
    with pytest.raises(DataError, match=message):
        one(**values).check(TABLE, ("b", "s"), tmp_path)


def test_an_unknown_class_is_named() -> None:
    wrong = one(**{"class": "signl", "rate": 0.1})
    with pytest.raises(SettingError, match=r"no class 'signl'; the classes are background, signal. Did you mean 'sign"):
        wrong.check(TABLE, ("background", "signal"), Path())
    with pytest.raises(SettingError, match="the run predicts numbers"):
        wrong.check(TABLE, (), Path())


def test_columns_of_truth_values_and_dates_are_no_numbers() -> None:
    table = pl.DataFrame({"b": [True, False], "d": ["2024-01-01", "2024-01-02"], "i": [1.0, float("inf")]})
    for name, held in (("b", "row 1 holds true"), ("d", "row 1 holds 2024-01-01"), ("i", "row 2 holds inf")):
        with pytest.raises(DataError, match=f"(?i){held}"):
            one(columns=name, scale=0.1).shifted(table, "up")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[a]\nscale = = 1\n", r"is not TOML: .*line 2"),
        ("[a]\nscale=1\n[a]\nscale=1\n", r"is not TOML: .*\(at line 3"),
        ("a = 1\n", "a stands outside of any table"),
        ("", "there are no variations"),
        ("\n\n[b]\nscale = 1\n", r"v.toml, line 3, \[b\] gives scale without columns"),
    ],
)
def test_files_that_cannot_be_read_are_told_with_their_line(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "v.toml").write_text(text)
    with pytest.raises(SettingError, match=message):
        read_variations(tmp_path / "v.toml")


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "variations.toml").touch()
    with pytest.raises(SettingError, match=r"does not exist. Did you mean 'variations.toml'\?"):
        read_variations(tmp_path / "variation.toml")
    with pytest.raises(SettingError, match="and neither does its folder"):
        read_variations(tmp_path / "no" / "v.toml")
