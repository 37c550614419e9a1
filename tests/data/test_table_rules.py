"""Derived columns and cuts: on the rows of a fit, and again on new rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

import shoal
from shoal.data.loading import load_dataset
from shoal.data.table_rules import RowCut, TableRules
from shoal.errors import DataError, SettingError
from shoal.repeating import command_line
from shoal.settings import check_settings

ROWS = 40
X = np.linspace(-2.0, 2.0, ROWS)
DATA: dict[str, Any] = {"x": X, "z": np.where(np.arange(ROWS) % 8 == 0, np.nan, X**2), "y": 3.0 * X}
SMALL = {"networks": 2, "hidden": (4,), "epochs": 2, "batch_size": 16, "page": False}


def test_columns_are_derived_in_order_and_rows_cut_one_after_the_other() -> None:
    dataset = load_dataset(DATA, target="y", derive={"r": "sqrt(z)", "s": "2 * r"}, where=["x > -1", "s < 3"])
    passed = (X > -1) & (np.arange(ROWS) % 8 != 0) & (2 * np.abs(X) < 3)
    assert dataset.kept.tolist() == np.flatnonzero(passed).tolist()
    assert dataset.table["s"].to_numpy() == pytest.approx(2 * np.abs(X[passed]))
    first, second = dataset.row_cuts
    assert first == RowCut("x > -1", ROWS, int((X > -1).sum()), 0)
    assert (second.rows, second.passed) == (first.passed, int(passed.sum()))
    assert second.missing == int(((X > -1) & (np.arange(ROWS) % 8 == 0)).sum())
    assert dataset.refinement[0] == "'r' is sqrt(z)."
    assert dataset.sha256 == load_dataset(DATA, target="y").sha256  # the data are the same


def test_a_target_may_be_derived_and_rows_of_a_test_file_are_cut_too() -> None:
    from shoal.data import load_with_test

    dataset, test = load_with_test(DATA, DATA, target="t", derive="t = y + 1", where="x > 0")
    assert dataset.targets == ("t",)
    assert dataset.rows == 2 * len(test) == ROWS


def test_missing_values_are_missing_in_expressions() -> None:
    from shoal.data.readers import ReadOptions

    data = {**DATA, "z": np.where(np.isnan(DATA["z"]), -999.0, DATA["z"])}
    dataset = load_dataset(data, target="y", derive="r = z + 1", options=ReadOptions(missing=("-999",)))
    assert dataset.table["r"].null_count() == ROWS // 8


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"derive": "x = 2 * x"}, "there is a column 'x' already"),
        ({"derive": ["a = x", "a = y"]}, "two columns are called alike"),
        ({"derive": "2 * x"}, "expected NAME = EXPRESSION"),
        ({"derive": "a == x"}, "expected NAME = EXPRESSION"),
        ({"derive": "a = "}, "expected NAME = EXPRESSION"),
        ({"derive": "a = xx"}, "derive: a: .*there is no column 'xx'.*Did you mean 'x'"),
        ({"where": "x"}, "where: expected a condition"),
        ({"where": "x > 0", "window": 3}, "rows are steps of series, which may not have gaps"),
        ({"where": "x > 0", "ignore": "nothing"}, "nothing"),
    ],
)
def test_what_makes_no_sense_is_told(options: dict[str, Any], message: str) -> None:
    with pytest.raises((SettingError, DataError), match=message):
        load_dataset(DATA, target="y", **options)


def test_cuts_that_leave_nothing_are_told() -> None:
    with pytest.raises(DataError, match=r"no row passes the cuts: x > 5: 0 of 40 rows pass"):
        load_dataset(DATA, target="y", where="x > 5")
    with pytest.raises(DataError, match="only 1 rows pass the cuts and have a target"):
        load_dataset(DATA, target="y", where="x > 1.95")


def test_new_rows_are_refined_as_far_as_their_columns_allow() -> None:
    rules = TableRules.of(["r = 2 * x", "s = r + w"], ["r > 0", "w < 3"])
    table = pl.DataFrame({"x": [1.0, -1.0], "r": [7.0, 7.0]})
    refined, notes = rules.apply_again(table, table)
    assert refined.table["r"].to_list() == [2.0, -2.0]  # computed anew
    assert refined.passed is not None
    assert refined.passed.tolist() == [True, False]
    assert notes == ("the cut 'w < 3' is not made, since the data lack 'w'",)
    assert TableRules.from_dict(rules.to_dict()) == rules


def test_the_command_repeats_expressions_with_commas() -> None:
    settings = check_settings({"derive": ("r = max(x, 1)",), "where": "x > -1"})
    assert "--derive 'r = max(x, 1)' --where 'x > -1'" in command_line(load_dataset("iris"), settings)


@pytest.mark.slow
def test_a_run_derives_and_cuts_again(tmp_path: Any) -> None:
    rules = {"derive": ("r = x * x",), "where": ("x > -1", "x < 1.5")}
    run = shoal.fit(DATA, target="y", out=str(tmp_path / "run"), **rules, **SMALL)
    assert run.metrics["data"]["derived"] == {"r": "x * x"}
    assert [cut["rows"] for cut in run.metrics["data"]["cuts"]] == [ROWS, int((X > -1).sum())]
    again = shoal.load(run.path)
    assert again.preparation.rules == TableRules.of(**rules)
    with pytest.warns(shoal.ShoalWarning, match="rows of 40 left out by the cuts of the fit"):
        prediction = again.predict(DATA)
    passed = (X > -1) & (X < 1.5)
    assert len(prediction.mean) == passed.sum()
    alone = again.predict(pl.DataFrame(DATA).filter(pl.Series(passed)))
    assert alone.mean == pytest.approx(prediction.mean)


@pytest.mark.slow
def test_the_command_keeps_the_order_of_rows(tmp_path: Any, capsys: pytest.CaptureFixture[str]) -> None:
    from shoal.cli import main

    path, run, out = (str(tmp_path / name) for name in ("data.csv", "run", "out.csv"))
    pl.DataFrame({"id": range(ROWS), **DATA}).with_columns(pl.col("z").fill_nan(None)).write_csv(path)
    fit = ["fit", path, "--target", "y", "--id", "id", "--derive", "r = hypot(x, 1)", "--where", "x > 0", "--out", run]
    fit += ["--networks", "2", "--hidden", "4", "--epochs", "2", "--batch-size", "16"]
    assert main([*fit, "-q"]) == 0
    assert main(["predict", run, path, "-o", out, "-q"]) == 0
    written = pl.read_csv(out)
    assert written["id"].to_list() == list(range(ROWS))
    assert written["passed"].to_list() == (X > 0).tolist()
    assert written["prediction"].is_null().to_list() == (X <= 0).tolist()
    assert written["r"].to_numpy() == pytest.approx(np.hypot(X, 1.0))
    page = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert "Derived columns" in page
    assert "x &gt; 0" in page
    capsys.readouterr()
    assert main(["describe", path, "--target", "y", "--where", "x > 0"]) == 0
    assert "x > 0: 20 of 40 rows pass." in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [
        {"target": "y"},
        {"target": "y", "loss": "gaussian_nll"},
        {"target": "y", "cv": 3},
        {"target": "z", "task": "classification"},
        {"reconstruct": True},
    ],
)
def test_new_rows_none_of_which_passes_keep_their_place(
    options: dict[str, Any], tmp_path: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    from shoal.cli import main

    data = pl.DataFrame(DATA).with_columns(pl.Series("z", np.where(X > 0.5, "a", "b")))
    run = shoal.fit(data, where="x > 0", out=str(tmp_path / "run"), **SMALL, **options)
    data.filter(pl.col("x") < 0).head(1).write_csv(tmp_path / "new.csv")
    new, out = str(tmp_path / "new.csv"), str(tmp_path / "out.csv")
    with pytest.warns(shoal.ShoalWarning, match="1 row of 1 left out by the cuts of the fit"):
        answer = run.anomaly_scores(new).score if run.reconstructs else run.predict(new).frame()
    assert len(answer) == 0
    assert main(["predict", str(run.path), new, "-o", out]) == 0
    assert "1 row, 0 of them with predictions" in capsys.readouterr().err
    assert pl.read_csv(out)["passed"].to_list() == [False]
    assert main(["evaluate", str(run.path), new]) == 2
    assert "no row passes the cuts: x > 0: 0 of 1 row pass" in capsys.readouterr().err
