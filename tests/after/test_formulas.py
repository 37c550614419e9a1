"""Formulas for real, small runs: laws come back, with their misfit, the same each time; what has none is refused."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

import shoal
from shoal.after.formulas import folder_of, formula
from shoal.cli.app import app
from shoal.errors import RunError, SettingError
from shoal.run import Run
from shoal.statistics.metrics import METRICS

pytest.importorskip("pyoperon")
pytest.importorskip("sympy")
FIT: dict[str, Any] = {
    "networks": 8,
    "hidden": (16, 16),
    "activation": "tanh",
    "optimizer": "adam",
    "learning_rate": 0.01,
    "schedule": "cosine",
    "dropout": 0.0,
    "l2": 0.0,
    "batch_size": 16,
    "epochs": 400,
    "patience": 400,
    "seed": 1,
}
SEARCH: dict[str, Any] = {"evaluations": 20_000, "complexity": 14}
RNG = np.random.default_rng(4)
ROWS = 240


def table(**columns: np.ndarray) -> dict[str, np.ndarray]:
    return columns


TIME, LENGTH = RNG.uniform(-2.5, 2.5, ROWS), RNG.uniform(0.1, 3.0, ROWS)
X0, X1, X2 = RNG.uniform(0.5, 2.0, (3, ROWS))
NOISE = 0.01 * RNG.standard_normal(ROWS)
DATA = {
    "sine": {"t": TIME, "y": 2.3 * np.sin(1.7 * TIME) + 0.8 + NOISE},
    "quotient": {"x0": X0, "x1": X1, "x2": X2, "y": X0 * X1 / X2 + NOISE},
    "pendulum": {"L [m]": LENGTH, "T": 2.0 * np.pi * np.sqrt(LENGTH / 9.81) + NOISE},
}
LAWS = {
    "sine": (lambda d: 2.3 * np.sin(1.7 * d["t"]) + 0.8, 9),
    "quotient": (lambda d: d["x0"] * d["x1"] / d["x2"], 7),
    "pendulum": (lambda d: 2.0 * np.pi * np.sqrt(d["L [m]"] / 9.81), 6),
}


def invoke(*words: str) -> Any:
    return CliRunner().invoke(app, list(words), prog_name="shoal", env={"COLUMNS": "300", "NO_COLOR": "1"})


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One run for each law, and one of classes and one of two targets."""
    root = tmp_path_factory.mktemp("runs")
    monkeypatch = pytest.MonkeyPatch()
    monkeypatch.setattr(importlib.import_module("shoal.steps.writing"), "write_report", lambda *_: None)
    for name, data in DATA.items():
        pl.DataFrame(data).write_csv(root / f"{name}.csv")
        shoal.fit(str(root / f"{name}.csv"), target=list(data)[-1], out=str(root / name), **FIT)
    kind = np.where(RNG.random(ROWS) < 1.0 / (1.0 + np.exp(-3.0 * (X0 - X1))), "signal", "background")
    small = {**FIT, "networks": 4, "epochs": 30}
    shoal.fit({"x0": X0, "x1": X1, "kind": kind}, target="kind", out=str(root / "kinds"), cv=2, **small)
    DATA["kinds"] = {"x0": X0, "x1": X1, "kind": kind}
    both = {"x0": np.where(RNG.random(ROWS) < 0.05, np.nan, X0), "a": X0 + X1, "b": 2.0 * X0, "x1": X1}
    shoal.fit(both, target="a,b", out=str(root / "both"), keep=1, **small)
    DATA["both"] = both
    monkeypatch.undo()
    return root


@pytest.mark.slow
@pytest.mark.parametrize("name", LAWS)
def test_a_law_comes_back_from_a_fitted_ensemble(root: Path, name: str) -> None:
    law, length = LAWS[name]
    data = DATA[name]
    found = formula(root / name, **SEARCH)
    lengths, misfits = [one.complexity for one in found.formulas], [one.misfit for one in found.formulas]
    assert lengths == sorted(set(lengths))
    assert misfits == sorted(misfits, reverse=True)
    assert found.best.complexity <= length + 4
    at = next(one for one in found.formulas if one.complexity <= length and one.misfit < 3.0 * misfits[-1])
    # what all networks have in common is not in their spread, so that the law is some σ away from them, but less than
    # a fortieth of what the shortest formula is
    assert at.misfit < min(8.0, misfits[0] / 40.0)
    values, mean = found(data), shoal.load(root / name).predict(data).mean[:, 0]
    own, theirs = (np.sqrt(np.mean((guess - law(data)) ** 2)) for guess in (values, mean))
    assert own < 0.015
    assert own < theirs
    words = {word: np.asarray(data[column]) for word, column in found.variables.items()}
    np.testing.assert_allclose(eval(found.best.numpy, {"np": np, **words}), values, rtol=1e-6)


def test_the_scores_are_those_of_the_validation_rows(root: Path) -> None:
    run = shoal.load(root / "pendulum")
    found = formula(run, **SEARCH)
    kept = run.folder.scored("validation")
    frame = pl.read_csv(root / "pendulum.csv")[kept.rows]
    values = found(frame)[:, None]
    score = found.best.scores["validation"]
    assert score.value == pytest.approx(METRICS["rmse"](kept.truth, values))
    assert score.low < score.value < score.high
    ensemble = METRICS["rmse"](kept.truth, kept.guess)
    assert found.ensemble["validation"].value == pytest.approx(ensemble)
    assert found.best.beside["validation"].value == pytest.approx(score.value - ensemble)
    # the shortest within one standard error of the best
    scores = [one.scores["validation"].value for one in found.formulas]
    assert min(scores) <= score.value
    assert all(s > score.value for s in scores[: found.taken])
    assert found.rows == {"validation": len(kept.rows)}
    assert found.points[0] == 192
    assert 700 < found.points[1] <= 808


@pytest.mark.slow
def test_the_misfit_is_in_units_of_the_error_of_the_ensemble(root: Path) -> None:
    run = shoal.load(root / "sine")
    found = formula(run, **SEARCH)
    t = np.linspace(-2.4, 2.4, 400)
    prediction = run.predict({"t": t})
    off = (found({"t": t}) - prediction.mean[:, 0]) / np.maximum(
        prediction.spread[:, 0], 0.1 * np.median(prediction.spread)
    )
    assert np.sqrt(np.mean(off**2)) == pytest.approx(found.best.misfit, rel=0.35)


@pytest.mark.slow
def test_the_same_command_writes_the_same_files(root: Path) -> None:
    written = []
    for _ in range(2):
        result = invoke("formula", str(root / "quotient"), "--evaluations", "20000", "--complexity", "9")
        assert result.exit_code == 0, result.stderr
        folder = root / "quotient" / "formula"
        written.append({path.name: path.read_bytes() for path in folder.iterdir()})
    assert written[0] == written[1]
    assert {"formula.json", "front.csv", "formula.svg", "formula.pdf"} <= set(written[0])
    document = json.loads(written[0]["formula.json"])
    assert document["format"] == 1
    assert document["taken"]["text"] in result.stdout
    assert "misfit [σ]" in result.stdout
    front = pl.read_csv(root / "quotient" / "formula" / "front.csv")
    assert front["complexity"].to_list() == [one["complexity"] for one in document["formulas"]]
    assert front.filter(front["taken"])["text"].to_list() == [document["taken"]["text"]]
    assert "cut short" not in result.stdout


@pytest.mark.slow
def test_the_test_rows_are_opened_only_if_asked_for(root: Path) -> None:
    run = shoal.load(root / "sine")
    before = run.metrics["test_openings"]
    formula(run, **SEARCH)
    assert shoal.load(run.path).metrics["test_openings"] == before
    found = formula(run, test=True, **SEARCH)
    assert shoal.load(run.path).metrics["test_openings"] == before + 1
    kept = run.folder.scored("test")
    values = found(pl.read_csv(root / "sine.csv")[kept.rows])[:, None]
    assert found.best.scores["test"].value == pytest.approx(METRICS["rmse"](kept.truth, values))
    assert "test rows" in found.sentences[1]
    assert "favour" not in found.sentences[1]


@pytest.mark.slow
def test_classes_have_a_formula_for_their_logit(root: Path) -> None:
    found = formula(root / "kinds", DATA["kinds"], **SEARCH)
    assert found.what == "logit of signal"
    assert found.metric == "log_loss"
    assert "tanh" in found.searched["functions"]
    true = 3.0 * (X0 - X1)
    assert np.corrcoef(found(DATA["kinds"]), true)[0, 1] > 0.9
    other = formula(root / "kinds", DATA["kinds"], of="background", **SEARCH)
    assert np.corrcoef(other(DATA["kinds"]), true)[0, 1] < -0.9
    assert any("in other folds" in note for note in found.notes)


@pytest.mark.slow
def test_targets_are_named_and_rows_without_values_left_out(root: Path) -> None:
    with pytest.raises(SettingError, match="a formula is for one target: name it with --target, one of a, b"):
        formula(root / "both", DATA["both"])
    found = formula(root / "both", DATA["both"], target="b", functions="", **SEARCH)
    assert found.what == "b"
    assert found.searched["functions"] == []
    assert "one network has no spread" in found.sigma
    assert any("missing value" in note for note in found.notes)


@pytest.mark.slow
def test_the_time_is_told_if_it_ends_the_search(root: Path) -> None:
    found = formula(root / "sine", evaluations=1_000_000_000, seconds=1.0)
    assert not found.whole
    assert any("cut short" in sentence for sentence in found.sentences)


@pytest.mark.slow
def test_what_has_no_formula(root: Path, tmp_path: Path, tiny: dict[str, Any]) -> None:
    data = {**DATA["sine"], "kind": np.where(TIME > 0, "a", "b"), "on": TIME > 1.0}
    run = shoal.fit(data, target="y", out=str(tmp_path / "mixed"), page=False, **tiny)
    with pytest.raises(SettingError, match=r"'kind' holds categories, 'on' holds true or false; .*--ignore kind,on"):
        formula(run, data)
    with pytest.raises(RunError, match="not kept; hand them over again"):
        formula(root / "kinds")
    with pytest.raises(RunError, match="checksums differ"):
        formula(root / "sine", {"t": TIME, "y": TIME})
    with pytest.raises(SettingError, match=r"there is no class 'sginal'.*Did you mean 'signal'\?"):
        formula(root / "kinds", DATA["kinds"], of="sginal")
    with pytest.raises(SettingError, match="predicts numbers: name a target with --target"):
        formula(root / "sine", of="a")
    with pytest.raises(SettingError, match="complexity: expected 3 or more, got 1"):
        formula(root / "sine", complexity=1)
    signals = shoal.fit("chirps", out=str(tmp_path / "chirps"), networks=1, epochs=1, layers="flatten", page=False)
    with pytest.raises(SettingError, match=r"made of the columns of a table, but .* predicts from series"):
        formula(signals)


def test_the_command_tells_what_is_missing(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyoperon.sklearn", None)
    result = invoke("formula", str(root / "sine"))
    assert result.exit_code == 2
    assert "pip install 'shoal[formula]'" in result.stderr
    assert not (root / "sine" / "formula").exists()


@pytest.mark.slow
def test_a_run_is_replaced_with_its_formulas(tmp_path: Path, tiny: dict[str, Any]) -> None:
    run: Run = shoal.fit(DATA["sine"], target="y", out=str(tmp_path / "run"), page=False, **tiny)
    (run.path / "formula").mkdir()
    (run.path / "formula" / "formula.json").write_text("{}")
    shoal.fit(DATA["sine"], target="y", out=str(tmp_path / "run"), page=False, force=True, **tiny)
    assert not (run.path / "formula").exists()


@pytest.mark.slow
def test_each_class_has_a_folder_of_its_own(tmp_path: Path, tiny: dict[str, Any]) -> None:
    for name, classes, expected in (
        ("words", ("a", "b c", "d"), ["a", "b-c", "d"]),
        ("signs", ("<5", ">5", "=5"), ["1-5", "3-5", "2-5"]),
    ):
        kinds = np.asarray(classes, object)[np.arange(ROWS) % 3]
        run = shoal.fit({"t": TIME, "kind": kinds}, target="kind", out=str(tmp_path / name), page=False, **tiny)
        folders = [folder_of(run, f"logit of {one}").name for one in classes]
        assert folders == expected
    assert folder_of(run, "logit of <5").parent == run.path / "formula"


def test_the_help_names_the_extra() -> None:
    assert "pip install 'shoal[formula]'" in " ".join(invoke("formula", "--help").stdout.split())
