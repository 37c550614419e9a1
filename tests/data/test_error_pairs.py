"""Columns that by their names hold measured errors are proposed as such, with the option that takes them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from shoal.cli import main
from shoal.data.error_pairs import error_pairs
from shoal.data.loading import load_dataset

DRAW = np.random.default_rng(0)
ROWS = 40
X, ERRORS = DRAW.normal(size=(3, ROWS)), DRAW.uniform(0.1, 0.2, (3, ROWS))


@pytest.mark.parametrize(
    ("error", "of"),
    [
        ("flux_err", "flux"), ("magerr_u", "mag_u"), ("e_Vmag", "Vmag"), ("σ_E", "E"), ("X_error", "X"),
        ("sigma_z", "z"), ("mag_unc", "mag"), ("flux_g_err", "flux_g"), ("flux_err_g", "flux_g"), ("magErr", "mag"),
        ("E error [GeV]", "E [GeV]"), ("err.x", "x"),
    ],
)  # fmt: skip
def test_names_that_belong_together(error: str, of: str) -> None:
    assert error_pairs([of, error, "other"]) == {error: of}


@pytest.mark.parametrize(
    "names", [["e", "x"], ["err", "x"], ["x_err", "y"], ["serr", "x"], ["e_x", "y"], ["terror", "x"], ["mag_e", "mag"]]
)
def test_names_that_do_not(names: list[str]) -> None:
    assert error_pairs(names) == {}


def proposed(table: dict[str, object], **options: object) -> tuple[str, ...]:
    return tuple(text for text in load_dataset(table, **options).cautions if "measured errors" in text)  # type: ignore[arg-type]


def test_errors_of_features_and_targets_are_proposed() -> None:
    table = {"mag_u": X[0], "magerr_u": ERRORS[0], "z": X[1], "e_z": ERRORS[1]}
    assert proposed(table, target="z") == (
        "'e_z' may hold the measured errors of 'z'; --y-err e_z takes it as such.",
        "'magerr_u' may hold the measured errors of 'mag_u'; --x-err mag_u=magerr_u takes it as such.",
    )
    assert len(proposed(table, target="z", y_err="e_z")) == 1
    assert proposed(table, target="z", y_err="e_z", ignore="magerr_u") == ()
    assert proposed(table, target="z", features=["mag_u"]) == ()
    spaced = {"E [GeV]": X[0], "E error [GeV]": ERRORS[0], "p": X[2], "p_err": ERRORS[2], "y": X[1]}
    assert proposed(spaced, target="y")[0].endswith("--x-err 'E [GeV]=E error [GeV],p=p_err' takes them as such.")


def test_what_cannot_be_errors_is_not_proposed() -> None:
    y = X[1]
    assert proposed({"x": X[0], "x_err": X[2], "y": y}, target="y") == ()  # negative
    assert proposed({"x": ["a", "b"] * 20, "x_err": ERRORS[0], "y": y}, target="y") == ()
    assert proposed({"x [m]": X[0], "x_err [s]": ERRORS[0], "y": y}, target="y") == ()
    assert proposed({"x": X[0], "n": [0, 1] * 20, "e_n": ERRORS[0]}, target="n") == ()  # classes have no errors


def test_describe_and_the_option_that_is_proposed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.csv"
    pl.DataFrame({"x": X[0], "e_x": ERRORS[0], "flux": X[1], "e_flux": ERRORS[1]}).write_csv(path)
    assert main(["describe", str(path), "--target", "flux"]) == 0
    told = capsys.readouterr()
    words = " ".join((told.out + told.err).split())
    assert "--y-err e_flux takes it as such" in words
    assert "--x-err x=e_x takes it as such" in words
    assert main(["describe", str(path), "--target", "flux", "--y-err", "e_flux"]) == 0
    assert "--y-err" not in capsys.readouterr().err
