"""Rolling folds from end to end: who makes the ensemble, what scores and error bars are made of, what is written."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import shoal
from shoal.after.comparing import compare
from shoal.cli import main
from shoal.cli.fit import candidates_line
from shoal.data import Preparation
from shoal.report import keep_figures
from shoal.run import Run
from shoal.settings import check_settings
from shoal.steps.posing import pose
from shoal.steps.reading import read

FOLDS, REPEATS = 3, 2
RNG = np.random.default_rng(2)
X, TIME = RNG.uniform(-2.0, 2.0, 200), RNG.permutation(200)
DRIFTING = {"t": TIME, "x": X, "y": (1.0 + TIME / 100.0) * np.sin(X) + 0.1 * RNG.standard_normal(200)}
SETTINGS: dict[str, Any] = {"target": "y", "time": "t", "cv": FOLDS, "repeats": REPEATS, "networks": 3, "keep": 2}


@pytest.fixture(scope="module")
def settings(tiny: dict[str, Any]) -> dict[str, Any]:
    return {**tiny, **SETTINGS, "learning_rate": 0.02, "epochs": 40}


@pytest.fixture(scope="module")
def record(settings: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Any]:
    """Return a run on a signal that grows in time, and its record; no page."""
    records: list[Any] = []
    module = importlib.import_module("shoal.steps.writing")
    with pytest.MonkeyPatch.context() as patch:

        def kept(record: Any, folder: Any, *_: Any) -> None:
            records.append(record)
            keep_figures(record, folder)

        patch.setattr(module, "write_report", kept)
        run = shoal.fit(DRIFTING, out=str(tmp_path_factory.mktemp("rolling") / "run"), **settings)
    return run, records[0]


@pytest.fixture(scope="module")
def run(record: tuple[Run, Any]) -> Run:
    return record[0]


def test_the_networks_of_the_last_fold_make_the_ensemble(run: Run) -> None:
    assert len(run.networks) == 3 * FOLDS * REPEATS
    assert [(m.fold, m.repeat) for m in run.predictor.members] == [(FOLDS - 1, r) for r in (0, 1)] * 2
    kept = run.networks.filter("kept")
    assert sorted(kept["id"]) == sorted(member.id for member in run.predictor.members)
    assert run.metrics["networks"]["kept"] == 2 * REPEATS
    assert run.candidates["kept"].sum() == 2
    best = run.candidates.filter("kept")["id"].to_list()
    assert sorted(best) == sorted(kept["candidate_id"].unique())
    scores = run.networks["score"].to_numpy().reshape(3, -1)
    np.testing.assert_allclose(run.candidates["score"], scores.mean(axis=1))
    loaded = shoal.load(run.path).predict(DRIFTING)
    np.testing.assert_array_equal(loaded.high, run.predict(DRIFTING).high)  # type: ignore[arg-type]


def test_validation_scores_are_of_networks_that_know_earlier_rows_only(run: Run, settings: dict[str, Any]) -> None:
    options = check_settings(settings)
    dataset, split = read(DRIFTING, options)
    assert split.rolling is not None
    assert run.metrics["rows"] == {"train": 160, "validation": 0, "test": 40}
    assert run.metrics["search"]["rolling"] == {"train": 120, "validation": 120}
    assert TIME[split.train].max() < TIME[split.test].min()
    # the last fold answers for the last part alone: no other network has been judged on it
    last = split.train[split.rolling.part == FOLDS - 1]
    of_last = run.predict({name: np.asarray(values)[last] for name, values in DRIFTING.items()})
    assert of_last.mean is not None
    stored = run.folder.scored("validation")
    place = np.searchsorted(stored.rows, last)
    np.testing.assert_allclose(stored.guess[place], of_last.mean)
    np.testing.assert_array_equal(stored.rows, split.validation)
    assert run.metrics["validation"]["rmse"]["value"] == pytest.approx(
        np.sqrt(np.mean((stored.truth - stored.guess) ** 2))
    )
    others = np.setdiff1d(split.validation, last)
    early = run.predict({name: np.asarray(values)[others] for name, values in DRIFTING.items()}).mean
    assert (stored.guess[np.searchsorted(stored.rows, others)] != early).all()
    problem = pose(dataset, split, Preparation.fit(dataset, split.train), options)
    assert problem.rolling


def test_what_is_said_of_it(record: tuple[Run, Any]) -> None:
    from shoal.report.page import page_html

    run, found = record
    line = candidates_line(run.metrics["search"])
    assert line.startswith("3 candidates, each trained in 3 rolling folds × 2 repeats; the best scored")
    assert (
        "conformal quantile of 40 rows that trained no weight, which are the last part"
        in run.metrics["coverage"]["made"]
    )
    assert "learns from rows before it only" in run.metrics["data"]["split"]
    page = page_html(found, {})
    for words in (
        "the next part (120 rows)",
        "training (120 rows)",
        "3 rolling folds × 2 repeats",
        "The networks of the last fold of each candidate that is kept make the ensemble",
        "From part to part the best candidate scored",
    ):
        assert words in page
    assert "Barber et al. 2021" not in page
    config = run.folder.config["settings"]
    assert (config["time"], config["cv"]) == ("t", FOLDS)


def test_the_same_command_gives_the_same_numbers_and_a_comparison_without_a_t_test(
    run: Run, settings: dict[str, Any], tmp_path: Path
) -> None:
    again = shoal.fit(DRIFTING, out=str(tmp_path / "again"), page=False, **settings)
    first, second = (json.loads((r.path / "metrics.json").read_text(encoding="utf-8")) for r in (run, again))
    assert {**first, "seconds": 0} == {**second, "seconds": 0}
    assert compare(run, again).pairs[0].folds is None


def test_few_rows_in_the_last_part_leave_the_intervals_to_all(settings: dict[str, Any], tmp_path: Path) -> None:
    few = {name: np.asarray(values)[TIME < 90] for name, values in DRIFTING.items()}
    run = shoal.fit(few, out=str(tmp_path / "run"), **{**settings, "networks": 2, "repeats": 1}, page=False)
    made = run.metrics["coverage"]["made"]
    assert (
        "conformal quantile of 54 rows that trained no weight, each by the networks that learned from rows before"
        in made
    )


@pytest.mark.slow
def test_classes_windows_and_replicas_have_rolling_folds_too(tiny: dict[str, Any], tmp_path: Path) -> None:
    options = {**tiny, "networks": 2, "cv": 2, "page": False}
    label = np.where(X + 0.01 * TIME > 1.0, "up", "down").tolist()
    run = shoal.fit({**DRIFTING, "y": label}, target="y", time="t", out=str(tmp_path / "classes"), **options)
    assert {member.fold for member in run.predictor.members} == {1}
    assert run.metrics["validation"]["accuracy"]["value"] > 0.5
    assert run.metrics["calibration"]["log_loss"]["validation"]["after"]["value"] > 0.0
    noisy = {**DRIFTING, "sigma": np.full(200, 0.1)}
    run = shoal.fit(noisy, target="y", time="t", y_err="sigma", replicas=3, out=str(tmp_path / "replicas"), **options)
    assert {replica.fold for replica in run.predictor.replicas} == {1}
    assert (run.predict({"x": [0.0], "t": [300]}).data_spread > 0.0).all()  # type: ignore[operator]
    assert run.metrics["measured_errors"]["targets"]["y"]["validation"]["ndf"] == 106.0
    level = {"level": np.sin(np.arange(120) / 6.0) + 0.01 * np.arange(120), "t": np.arange(120)}
    told = {"target": "level", "time": "t", "window": 8, "horizon": 2, "layers": "flatten"}
    run = shoal.fit(level, out=str(tmp_path / "windows"), **told, **options)
    assert "Up to 1 windows that predict values that those that judge predict" in run.metrics["data"]["split"]


def test_wrong_use_is_told_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("t,x,y\n" + "".join(f"{i // 20},{i % 7},{i % 5 + 0.5 * i}\n" for i in range(60)), encoding="utf-8")
    assert main(["fit", str(path), "--target", "y", "--time", "t", "--cv", "3", "-o", str(tmp_path / "run")]) != 0
    error = capsys.readouterr().err
    assert "cv: 3 rolling folds need at least 4 different times; in 't' outside the test rows there are 2." in error
    assert "Choose --cv" not in error
    assert not (tmp_path / "run").exists()
