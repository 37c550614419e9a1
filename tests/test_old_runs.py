"""Runs that earlier versions wrote stay readable: they open, predict the same, are drawn, compared and explained."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import shoal
from shoal.prediction.predictor import Predictor
from shoal.report.figures.kept import kept
from shoal.report.redraw import redraw
from shoal.results import Status

FIXTURES = Path(__file__).parent / "fixtures"
SETS = sorted((FIXTURES / "runs").iterdir())
RUNS = [path.parent for old in SETS for path in sorted(old.glob("*/config.toml"))]
FIGURES = sorted(path.parent for old in SETS for path in old.rglob("numbers.safetensors"))


def name(path: Path) -> str:
    return path.relative_to(FIXTURES / "runs").as_posix()


def script() -> Any:
    """Return the module that wrote the runs."""
    spec = importlib.util.spec_from_file_location("write_runs", FIXTURES / "write_runs.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def copy(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A copy of a run, since looking at test rows again is counted in it."""
    return Path(shutil.copytree(request.param, tmp_path / request.param.name))


def test_each_kind_of_run_is_kept() -> None:
    kinds = set(script().RUNS)
    assert len(kinds) == 10
    assert all({path.name for path in RUNS if path.parent == old} == kinds for old in SETS)


@pytest.mark.slow
@pytest.mark.parametrize("path", RUNS, ids=name)
def test_an_old_run_predicts_what_it_did(path: Path) -> None:
    writer = script()
    now = writer.answers(shoal.load(path), writer.RUNS[path.name][0])
    then = pl.read_parquet(path.with_suffix(".parquet"))
    assert now.columns == then.columns
    for column in then.columns:
        if then[column].dtype.is_float():
            np.testing.assert_allclose(now[column], then[column], rtol=2e-5, atol=1e-6, err_msg=column)
        else:
            assert now[column].to_list() == then[column].to_list(), column


@pytest.mark.parametrize("path", RUNS, ids=name)
def test_the_numbers_of_an_old_run_are_there(path: Path) -> None:
    run = shoal.load(path)
    assert run.metrics["networks"]["trained"] == run.networks.height
    assert run.candidates.height == run.metrics["search"]["candidates_looked_at"]
    assert run.curves["epoch"].max() <= 12
    assert run.replicas.height == (run.metrics["networks"]["kept"] * 3 if path.name == "errors" else 0)
    assert {*run.networks["status"], *run.replicas["status"]} <= {status.code for status in Status}


@pytest.mark.parametrize("path", RUNS, ids=name)
def test_the_model_of_an_old_run_is_written_again_as_it_was(path: Path) -> None:
    predictor = shoal.load(path).predictor
    document, arrays = predictor.to_parts()
    again, arrays_again = Predictor.from_parts(document, arrays).to_parts()
    assert document == again
    assert {key: value.tobytes() for key, value in arrays.items()} == {
        key: value.tobytes() for key, value in arrays_again.items()
    }


@pytest.mark.slow
@pytest.mark.parametrize("path", FIGURES, ids=name)
def test_the_figures_of_an_old_run_are_drawn_again(path: Path, tmp_path: Path) -> None:
    figures = kept(path)
    assert figures
    drawn = redraw(path, formats=("svg",), out=tmp_path)
    assert [file.stem for file in drawn] == list(figures)
    assert all("<svg" in file.read_text(encoding="utf-8") for file in drawn)
    assert all((tmp_path / f"{one}.csv").stat().st_size for one in figures)


@pytest.mark.slow
@pytest.mark.parametrize("copy", [p for p in RUNS if p.name != "reconstruction"], ids=name, indirect=True)
def test_an_old_run_is_compared(copy: Path, tmp_path: Path) -> None:
    other = Path(shutil.copytree(copy, tmp_path / "other"))
    found = shoal.compare(copy, other)
    assert set(found.as_dict()["scores"]) == {copy.name, "other"}


@pytest.mark.slow
@pytest.mark.parametrize("path", [p for p in RUNS if p.name in ("classes", "errors", "folds", "heads")], ids=name)
def test_an_old_run_is_explained(path: Path) -> None:
    # damped_oscillation was not rounded when these runs were written: its last bits hung on the processor
    data = "damped_oscillation" if path.name == "errors" else None
    found = shoal.explain(path, data, repeats=2, interactions=0, most_rows=40)
    assert found.importance is not None
    assert found.effects
