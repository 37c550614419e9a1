"""Runs of every kind: each figure has its numbers as CSV, and all are drawn again without the data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import shoal
from shoal.cli import main
from shoal.report.figures.kept import kept

SMALL: dict[str, Any] = {"networks": 2, "hidden": (4,), "epochs": 2, "batch_size": 64, "page": False}
KINDS: dict[str, tuple[str, dict[str, Any], set[str]]] = {
    "classes": ("signal_background", {}, {"confusion_matrix", "overtraining", "calibration"}),
    "numbers": ("damped_oscillation", {"replicas": 2}, {"predicted_true", "residuals", "pulls", "coverage"}),
    "images": ("digit_images", {"layers": "conv2d:2:3"}, {"example_images", "filters", "feature_maps", "saliency"}),
    "series": ("chirps", {"layers": "lstm:2"}, {"example_series", "hidden_states"}),
    "forecasts": ("driven_pendulum", {"window": 4, "layers": "flatten"}, {"forecast"}),
    "steps": ("bursts", {"layers": "lstm:2:true"}, {"labelled_steps"}),
    "codes": ("iris", {"reconstruct": True, "bottleneck": 2, "hidden": None}, {"codes_plane", "anomaly_scores"}),
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_every_figure_of_a_run_has_numbers_and_is_drawn_again(kind: str, tmp_path: Path) -> None:
    data, options, expected = KINDS[kind]
    run = shoal.fit(data, out=str(tmp_path / "run"), **{**SMALL, **options})
    assert sorted(path.name for path in run.folder.figures.iterdir()) == ["numbers.safetensors"]
    opened = run.folder.metrics()["test_openings"]
    paths = run.figures("svg", width="single")
    assert expected | {"learning_curves", "baselines"} <= {path.stem for path in paths}
    for path in paths:
        table = pl.read_csv(path.with_suffix(".csv"))
        assert table.height, path.stem
        assert path.stat().st_size > 500
    assert run.folder.metrics()["test_openings"] == opened
    assert sum(path.stat().st_size for path in run.folder.figures.glob("*.safetensors")) < 1_000_000


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on a table with units in its names."""
    folder = tmp_path_factory.mktemp("units")
    rows = "\n".join(f"{0.1 * i},{(0.1 * i) ** 2 + 0.01 * (i % 7)}" for i in range(120))
    (folder / "e.csv").write_text(f"x [mm],E [GeV]\n{rows}\n", encoding="utf-8")
    small = ["--networks", "2", "--hidden", "4", "--epochs", "3", "--target", "E", "-q"]
    assert main(["fit", str(folder / "e.csv"), *small, "--out", str(folder / "run")]) == 0
    return folder


@pytest.mark.slow
def test_units_reach_tables_figures_and_the_saved_model(measured: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = shoal.load(measured / "run")
    assert run.metrics["units"] == {
        "columns": {"x [mm]": "mm", "E [GeV]": "GeV"},
        "scores": {"rmse": "GeV", "mae": "GeV"},
    }
    assert run.predictor.preparation.units == {"x [mm]": "mm", "E [GeV]": "GeV"}
    numbers = kept(run.folder.figures)["residuals"].numbers
    assert "E_residual [GeV]" in numbers.table()
    page = run.report().read_text(encoding="utf-8")
    for text in ("RMSE of E [GeV]", "RMSE [GeV]", "true − predicted [GeV]", "predicted E [GeV]"):
        assert text in page
    assert main(["evaluate", str(run.path), str(measured / "e.csv"), "-q"]) == 0
    assert "RMSE [GeV]" in capsys.readouterr().out
    assert main(["runs", str(measured)]) == 0
    assert "RMSE [GeV]" in capsys.readouterr().out
    assert main(["describe", str(measured / "e.csv")]) == 0
    assert "unit" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.filterwarnings("default::shoal.errors.ShoalWarning")
def test_other_units_are_told_at_prediction(measured: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (measured / "other.csv").write_text("x [mm],E [GeV]\nm,\n0.001,2\n0.003,4\n", encoding="utf-8")
    words = ["predict", str(measured / "run"), str(measured / "other.csv"), "-o", str(measured / "p.csv")]
    assert main(words) != 0
    told = capsys.readouterr().err
    assert "column 'x [mm]' is in m, but was in mm in the fit (m × 1000 = mm)" in told
    assert "--convert-units" in told
    assert main([*words, "--convert-units"]) == 0
    assert "column 'x [mm]' is in m, but was in mm in the fit (m × 1000 = mm); converted" in capsys.readouterr().err
    (measured / "named.csv").write_text("x [cm]\n0.1\n0.3\n", encoding="utf-8")
    words = ["predict", str(measured / "run"), str(measured / "named.csv"), "-o", str(measured / "n.csv")]
    assert main([*words, "--convert-units"]) == 0
    first, second = (pl.read_csv(measured / f"{name}.csv").get_column("prediction").to_list() for name in "pn")
    assert first == second


@pytest.mark.slow
def test_the_command_draws_what_is_named(measured: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["figures", str(measured / "run"), "--width", "single", "-o", str(measured / "paper")]
    assert main([*words, "--only", "pulls,baselines", "--only", "coverage", "--format", "pdf,svg"]) == 0
    written = capsys.readouterr().out.split()
    assert sorted({Path(path).stem for path in written}) == ["baselines", "coverage", "pulls"]
    assert all(Path(path).is_file() for path in written)
    assert main([*words, "--only", "pulls", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"figures": [str(measured / "paper" / "pulls.pdf")]}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--only", "pull"], "Did you mean 'pulls'"),
        (["--format", "gif"], "format must be one of"),
        (["--width", "wide"], "width must be single"),
    ],
)
def test_wrong_words_are_told(
    measured: Path, words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["figures", str(measured / "run"), *words]) == 2
    assert message in capsys.readouterr().err
