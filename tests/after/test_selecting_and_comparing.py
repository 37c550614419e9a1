"""Selections and comparisons on real, tiny runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

import shoal
from shoal.cli.app import app
from shoal.report.words import number

TINY: dict[str, Any] = {"networks": 4, "hidden": (4,), "epochs": 5, "batch_size": 64, "feature_encoding": "plain"}
RNG = np.random.default_rng(0)


def events(rows: int = 600) -> dict[str, Any]:
    signal = np.arange(rows) % 2 == 0
    weights = np.where(RNG.random(rows) < 0.1, -0.5, 1.0)
    x = RNG.normal(size=(rows, 2)) + 1.5 * signal[:, None]
    return {"x": x[:, 0], "z": x[:, 1], "w": weights, "kind": np.where(signal, "signal", "background")}


def invoke(*words: str) -> Any:
    return CliRunner().invoke(app, list(words), prog_name="shoal", env={"COLUMNS": "300", "NO_COLOR": "1"})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("runs")
    pl.DataFrame(events()).write_csv(root / "events.csv")
    for name, more in (("a", {}), ("b", {"learning_rate": 0.01}), ("c", {"seed": 1})):
        shoal.fit(str(root / "events.csv"), target="kind", weight="w", out=str(root / name), **TINY, **more)
    for name in ("d", "e"):
        rate = {"d": 0.001, "e": 0.01}[name]
        shoal.fit("iris", cv=3, learning_rate=rate, out=str(root / name), **TINY)
    return root


@pytest.mark.slow
def test_a_run_of_two_classes_tells_of_weights_overtraining_and_luck(folder: Path) -> None:
    metrics = shoal.load(folder / "a").metrics
    assert 0 < metrics["weights"]["negative_fraction"] < 0.3
    assert metrics["weights"]["effective_test_rows"] < metrics["rows"]["test"]
    assert set(metrics["overtraining"]["kolmogorov_smirnov"]) == {"signal", "background"}
    assert metrics["search"]["best_of_n_bias"]["noise"] > 0
    page = (folder / "a" / "report.html").read_text(encoding="utf-8")
    assert "What follows." in page
    assert "so far ahead of the others that luck hardly flatters it" in page
    assert any("negative weight" in warning for warning in metrics["data"]["warnings"])


@pytest.mark.slow
def test_the_cut_is_quoted_on_the_test_rows_and_counted(folder: Path, tmp_path: Path) -> None:
    before = shoal.load(folder / "a").metrics["test_openings"]
    words = ("--signal-yield", "30", "--background-yield", "500", "--background-uncertainty", "0.1")
    result = invoke("select", str(folder / "a"), *words, "--json", "-o", str(tmp_path / "cut"))
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)
    run = shoal.load(folder / "a")
    assert found["rows"] == [run.metrics["rows"]["validation"], run.metrics["rows"]["test"]]
    assert found["roc_auc"]["value"] == pytest.approx(run.metrics["test"]["roc_auc"]["value"])
    assert run.metrics["test_openings"] == before + 1
    table = pl.read_csv(tmp_path / "cut" / "significance.csv")
    assert {"cut", "asimov", "asimov_low", "asimov_where_chosen"} <= set(table.columns)
    assert "Asimov significance" in invoke("select", str(folder / "a"), *words).stdout


@pytest.mark.slow
def test_yields_of_a_fit_make_the_same_cut_and_stand_on_the_page(folder: Path) -> None:
    words = ("--signal-yield", "30", "--background-yield", "500", "--background-uncertainty", "0.1")
    tiny = (
        "--networks",
        "4",
        "--hidden",
        "4",
        "--epochs",
        "5",
        "--batch-size",
        "64",
        "--target",
        "kind",
        "--weight",
        "w",
    )
    result = invoke("fit", str(folder / "events.csv"), *tiny, *words, "--out", str(folder / "yields"))
    assert result.exit_code == 0, result.stderr
    found = shoal.load(folder / "yields").metrics["selection"]
    assert f"cut at a score of {number(found['cut'])}: Asimov significance" in result.stdout
    asked = json.loads(invoke("select", str(folder / "yields"), *words, "--json").stdout)
    assert asked == found
    page = (folder / "yields" / "report.html").read_text(encoding="utf-8")
    assert 'id="figure-significance"' in page
    assert "Selection</h2>" in page
    assert (folder / "yields" / "figures" / "significance.csv").is_file()
    assert page.count('<span class="openings">2 times</span>') == 2
    assert "selection" not in shoal.load(folder / "a").metrics


@pytest.mark.slow
def test_the_signal_of_a_fit_is_that_of_its_cut(tmp_path: Path) -> None:
    named: dict[str, Any] = {"signal_yield": 30.0, "background_yield": 500.0, "signal": "background"}
    run = shoal.fit(events(), target="kind", weight="w", out=str(tmp_path / "run"), page=False, **TINY, **named)
    usual = shoal.select(run, signal="signal", signal_yield=30.0, background_yield=500.0)
    turned = shoal.select(run, signal_yield=30.0, background_yield=500.0)
    assert turned.cut == run.metrics["selection"]["cut"] != usual.cut
    assert run.metrics["overtraining"]["kolmogorov_smirnov"].keys() == {"background", "signal"}
    assert next(iter(run.metrics["overtraining"]["kolmogorov_smirnov"])) == "background"


@pytest.mark.slow
def test_a_cut_that_cannot_be_chosen_is_told_and_loses_nothing(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise shoal.DataError("the weights of the background rows add up to -1")

    monkeypatch.setattr("shoal.evaluation.topics.selection.select", refuse)
    run = shoal.fit(
        events(), target="kind", weight="w", out=str(tmp_path / "run"), signal_yield=1, background_yield=9, **TINY
    )
    assert "selection" not in run.metrics
    told = "No cut was chosen for the expected yields: the weights of the background rows add up to -1"
    assert told in run.metrics["data"]["warnings"]
    assert told in run.report().read_text(encoding="utf-8")


@pytest.mark.slow
def test_other_rows_are_halved(folder: Path) -> None:
    found = shoal.select(folder / "a", events(301), signal_yield=10, background_yield=100)
    assert sorted(found.rows) == [150, 151]
    assert found.quoted_on == "the other half"


@pytest.mark.slow
def test_what_cannot_be_selected_is_refused(folder: Path) -> None:
    with pytest.raises(shoal.SettingError, match="two classes of rows; d predicts 3 classes"):
        shoal.select(folder / "d", signal_yield=1, background_yield=1)
    with pytest.raises(shoal.SettingError, match="signal must be one of background, signal, got 'sginal'"):
        shoal.select(folder / "a", signal_yield=1, background_yield=1, signal="sginal")


@pytest.mark.slow
def test_runs_are_compared_on_their_common_rows(folder: Path) -> None:
    result = invoke("compare", str(folder / "a"), str(folder / "b"), "--json")
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)
    scores = shoal.load(folder / "b").metrics["test"]
    assert found["scores"]["b"]["log_loss"]["value"] == pytest.approx(scores["log_loss"]["value"])
    difference = found["scores"]["b"]["log_loss"]["value"] - found["scores"]["a"]["log_loss"]["value"]
    assert found["differences"][0]["metrics"]["log_loss"]["value"] == pytest.approx(difference)
    assert "minus a, in pairs" in invoke("compare", str(folder / "a"), str(folder / "b")).stdout


@pytest.mark.slow
def test_runs_with_folds_get_the_corrected_t(folder: Path) -> None:
    (pair,) = shoal.compare(folder / "d", folder / "e").pairs
    assert pair.folds is not None
    assert (pair.folds.folds, pair.folds.repeats) == (3, 1)
    assert 0 < pair.folds.p <= 1


@pytest.mark.slow
def test_other_test_rows_are_refused(folder: Path) -> None:
    result = invoke("compare", str(folder / "a"), str(folder / "c"))
    assert result.exit_code == 2
    assert "their test rows differ" in result.stderr
    assert "different data" not in result.stderr
    with pytest.raises(shoal.RunError, match="given more than once"):
        shoal.compare(folder / "a", folder / "a")
