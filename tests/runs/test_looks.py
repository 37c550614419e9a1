"""All looks at the same test rows in a folder of runs."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import shoal
from shoal.cli.app import app
from shoal.runs.folder import RunFolder
from shoal.runs.looks import looks_at, looks_in

TINY: dict[str, Any] = {"networks": 1, "hidden": (4,), "epochs": 5, "batch_size": 64}
RATES = (0.001, 0.003, 0.01, 0.03)


def fit(folder: Path, rate: float, **more: Any) -> shoal.Run:
    return shoal.fit("iris", learning_rate=rate, out=str(folder), **{"page": False, **TINY, **more})


def invoke(*words: str) -> str:
    result = CliRunner().invoke(app, list(words), prog_name="shoal", env={"COLUMNS": "300", "NO_COLOR": "1"})
    assert result.exit_code == 0, result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four runs with four learning rates, the last one with a page, and one with another split."""
    root = tmp_path_factory.mktemp("runs")
    for i, rate in enumerate(RATES):
        fit(root / f"iris-{i}", rate, page=i == 3)
    fit(root / "other", 0.01, seed=1)
    return root


@pytest.fixture
def root(made: Path, tmp_path: Path) -> Path:
    return shutil.copytree(made, tmp_path / "runs")


@pytest.mark.slow
def test_four_runs_and_a_comparison_are_five_looks(root: Path) -> None:
    page = root / "iris-3" / "report.html"
    assert page.read_text().count("the same test rows were looked at 4 times, by 4 runs.") == 2
    assert "iris-0, iris-1, iris-2 and iris-3: In this folder of runs the same test rows were looked at 4 times" in (
        invoke("runs", str(root))
    )
    runs = [str(root / f"iris-{i}") for i in range(4)]
    assert "looked at 5 times, by 4 runs and 1 time later" in invoke("compare", *runs)
    assert page.read_text().count("looked at 5 times, by 4 runs and 1 time later") == 2
    counts = {run["name"]: run["test_looks"] for run in json.loads(invoke("runs", str(root), "--json"))}
    assert counts == {"iris-0": 5, "iris-1": 5, "iris-2": 5, "iris-3": 5, "other": None}
    later = fit(root / "later", 0.1, page=True)
    assert "looked at 6 times, by 5 runs and 1 time later" in later.report().read_text()
    assert later.looks.count == 6
    assert later.metrics["test_openings"] == 1
    assert json.loads(invoke("compare", *runs, "--json"))["test_looks"]["looks"] == 7


@pytest.mark.slow
def test_copies_and_repeated_fits_are_no_new_looks(root: Path, tmp_path: Path) -> None:
    invoke("compare", str(root / "iris-0"), str(root / "iris-1"))
    shutil.copytree(root / "iris-0", root / "copy")
    again = fit(root / "again", RATES[0])
    assert looks_at([again.folder]).count == 5
    moved = shutil.move(root, tmp_path / "moved")
    assert looks_at([RunFolder(Path(moved) / "copy")]).count == 5
    assert len(looks_in(moved)) == 1


@pytest.mark.slow
def test_a_run_that_is_replaced_stays_counted(root: Path) -> None:
    first = fit(root / "iris-0", 0.2, force=True)
    assert first.looks.sentence.startswith(
        "In this folder of runs the same test rows were looked at 5 times, by 5 runs (1 of them replaced since)."
    )
    kept = (root / "iris-0" / "metrics.json").read_text()
    same = fit(root / "iris-0", 0.2, force=True)
    assert same.looks.count == 5
    del (before := json.loads(kept))["seconds"], (after := same.metrics)["seconds"]
    assert before == after


@pytest.mark.slow
def test_scoring_the_test_rows_again_is_a_look_and_explaining_is_none(root: Path) -> None:
    run = shoal.load(root / "iris-0")
    shoal.explain(run, columns="petal width (cm)", interactions=0)
    run.predict("iris")
    assert run.looks.count == 4
    with pytest.warns(shoal.ShoalWarning, match="opened 2 times"):
        run.evaluate("iris")
    assert run.looks.count == 5
    assert [look["by"] for look in run.metrics["test_looks"]] == ["evaluate"]


@pytest.mark.slow
def test_runs_of_an_earlier_shoal_and_damaged_ones(root: Path) -> None:
    path = root / "iris-0" / "metrics.json"
    metrics = json.loads(path.read_text())
    for unknown in ("test_checksum", "checksums", "sha256"):  # to an earlier shoal; the scored rows tell
        del metrics[unknown]
    path.write_text(json.dumps(metrics))
    assert looks_at([RunFolder(root / "iris-0")]).runs == 4
    (root / "iris-1" / "metrics.json").write_text("{")
    assert looks_at([RunFolder(root / "iris-0")]).runs == 3
