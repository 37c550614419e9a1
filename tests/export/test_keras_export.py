"""Runs as models of Keras: loaded without shoal they say what shoal says of the test rows."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import shoal
from shoal.after.exporting import REFUSALS, example_rows, read_rows_of_fit
from shoal.cli import main
from shoal.data import Preparation
from shoal.data.signals import PADDED, SignalPreparation, Signals
from shoal.errors import ExportError, SettingError
from shoal.export.example_rows import ExampleRows
from shoal.export.exporters import EXPORTERS
from shoal.export.keras import compared, run_keras
from shoal.export.plain_network import chosen_member
from shoal.networks import GRU, LSTM, Dense, Masking, Network
from shoal.prediction.calibration import Calibration, fit_isotonic
from shoal.prediction.predictor import EnsembleMember, Predictor
from shoal.results import Task

# Keras saves and loads its variables by a way of NumPy that has changed.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
ROWS = 120
SMALL: dict[str, Any] = {"networks": 3, "keep": 2, "epochs": 5, "batch_size": 32, "page": False, "learning_rate": 0.01}
KERAS = EXPORTERS[".keras"]


def mixed() -> pl.DataFrame:
    """Return numbers, tiny and large ones too, with gaps; categories, truths, dates, classes and counts."""
    draw = np.random.default_rng(0)
    x, gaps = draw.normal(size=ROWS), draw.random(ROWS) < 0.2
    kind = draw.choice(["a", "b", "c"], ROWS)
    y = 2.0 * x + (kind == "c") + 0.3 * draw.normal(size=ROWS)
    columns = {"x": x, "gap": np.where(gaps, np.nan, x**2), "tiny": 1e-9 * draw.normal(size=ROWS), "kind": kind}
    more = {
        "on": draw.random(ROWS) < 0.5,
        "far": 4000.0 + draw.integers(0, 9, ROWS),
        "y": y,
        "n": draw.poisson(3.0, ROWS),
    }
    table = pl.DataFrame({**columns, **more, "label": np.where(y > 0.5, "up", "down")})
    day = pl.date(2024, 1, 1) + pl.duration(days=pl.Series(draw.integers(0, 300, ROWS)))
    unknown = pl.when(gaps).then(None).otherwise(pl.col("kind")).alias("kind")
    return table.with_columns(pl.col("gap").fill_nan(None), unknown, day.alias("day"))


CASES: dict[str, dict[str, Any]] = {
    "classes": {"target": "label", "ignore": ("y", "n")},
    "folds": {"target": "y", "ignore": ("label", "n"), "cv": 3, "networks": 2},
    "gaussian": {"target": ("y", "x"), "ignore": ("label", "n"), "loss": "gaussian_nll"},
    "robust": {"target": "y", "ignore": ("label", "n"), "normalization": "robust"},
    "quantiles": {"target": "y", "ignore": ("label", "n"), "normalization": "quantile", "loss": "pinball"},
    "counts": {"target": "n", "ignore": ("label", "y"), "loss": "poisson", "task": "regression"},
    "reconstruction": {"reconstruct": True, "ignore": ("label", "n", "day")},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keras")
    mixed().write_parquet(folder / "mixed.parquet")
    draw, y = np.random.default_rng(1), np.arange(ROWS) % 2
    images = (draw.normal(size=(ROWS, 8, 8)) + y[:, None, None]).astype(np.float32)
    np.savez(folder / "images.npz", X=images, y=y)
    return folder


RUNS: dict[str, shoal.Run] = {}


def run_of(folder: Path, case: str) -> shoal.Run:
    """Return the run of a case, fitted once."""
    if case not in RUNS:
        data, options = folder / "mixed.parquet", CASES.get(case, {})
        if case == "images":
            data, options = folder / "images.npz", {"kind": "images", "layers": "conv2d:3:3 maxpooling2d:2"}
        RUNS[case] = shoal.fit(str(data), out=str(folder / case), hidden=(6,), **{**SMALL, **options})
    return RUNS[case]


def rows_of(run: shoal.Run) -> ExampleRows:
    fit = read_rows_of_fit(run, REFUSALS)
    return example_rows(run.predictor, fit.dataset.inputs(fit.split.test), "test")


def assert_agrees(predictor: Predictor, rows: ExampleRows, folder: Path, which: str | None = None) -> tuple[str, ...]:
    """Write a model, run it by Keras here, and return what it says that it leaves out."""
    path = folder / "model.keras"
    if which is None:
        written = KERAS.written(predictor, path, rows)
    else:
        written, given = KERAS.written_member(predictor, chosen_member(predictor, which), path, rows)
        assert given is not None
        rows = given
    path.write_bytes(written.files[path])
    outputs, version = run_keras(str(path), rows.inputs, "jax")
    agreement = compared(outputs, rows, f"by Keras {version}")
    assert agreement.holds, str(agreement)
    assert agreement.largest is not None
    assert agreement.largest < 3e-6
    return written.notes


@pytest.mark.slow
@pytest.mark.parametrize("case", [*CASES, "images"])
def test_whole_models_agree(folder: Path, case: str, tmp_path: Path) -> None:
    run = run_of(folder, case)
    notes = assert_agrees(run.predictor, rows_of(run), tmp_path)
    if case == "classes":
        assert "'kind' is a code: 0 'a', 1 'b', 2 'c'; -1 is any other, NaN or -2 missing." in notes
        assert "Inputs come in single precision, which may lose digits that count in far, day." in notes
        assert "Left out: sets of classes, and whether a row lies outside the region of the training rows." in notes


@pytest.mark.slow
def test_series_of_unequal_lengths_agree(tmp_path: Path) -> None:
    draw = np.random.default_rng(2)
    signals = SignalPreparation("series", (5, 2), ("u", "v"), (1.0, -2.0), (0.5, 3.0), padded=True)
    ones = np.ones(1)
    preparation = Preparation(
        (), "standard", Task.CLASSIFICATION, ("label",), ("a", "b"), 0 * ones, ones, signals=signals
    )
    network = Network([Masking(PADDED), LSTM(3, return_sequences=True), GRU(2), Dense(2, activation="softmax")], (5, 2))
    members = tuple(EnsembleMember(i, {}, network, network.initialize(i)) for i in range(2))
    predictor = Predictor(preparation, members, ones, ones)
    lengths = np.array([5, 3, 1, 4])
    series = Signals("series", draw.normal(size=(4, 5, 2)).astype(np.float32), ("u", "v"), lengths)
    rows = example_rows(predictor, series, "test")
    assert np.isnan(rows.inputs[1, 3:]).all()
    assert_agrees(predictor, rows, tmp_path)


@pytest.mark.slow
def test_calibrated_probabilities_agree(folder: Path, tmp_path: Path) -> None:
    run = run_of(folder, "classes")
    averaged = run.predict(str(folder / "mixed.parquet")).averaged
    rising = fit_isotonic(averaged, (mixed().get_column("label") == "up").to_numpy().astype(int))
    for calibration in (Calibration(), Calibration("temperature", 0.4), rising):
        predictor = replace(run.predictor, calibration=calibration)
        rows = rows_of(run)
        said = predictor.predict_features(rows.features)
        answers = {**rows.answers, "probabilities": said.probabilities}
        assert_agrees(predictor, replace(rows, answers=answers), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("case", ["classes", "gaussian", "counts", "images"])
def test_single_networks_agree(folder: Path, case: str, tmp_path: Path) -> None:
    run = run_of(folder, case)
    notes = assert_agrees(run.predictor, rows_of(run), tmp_path, "smallest")
    sizes = [member.network.parameter_count for member in run.predictor.members]
    assert f"of {min(sizes)} parameters, one of 2 that were kept" in notes[0]


@pytest.mark.slow
def test_what_cannot_be_written_is_told(folder: Path, tmp_path: Path) -> None:
    robust = run_of(folder, "robust")
    with pytest.raises(ExportError, match=r"'x' is scaled by 'robust'.*leave out --member"):
        shoal.export_model(robust, tmp_path / "m.keras", member="smallest")
    with pytest.raises(ExportError, match="C is written whole, not network"):
        shoal.export_model(robust, tmp_path / "m.c", member="smallest")
    with pytest.raises(SettingError, match="no network number 77 was kept; expected 'smallest' or one of"):
        shoal.export_model(robust, tmp_path / "m.keras", member=77)
    with pytest.raises(ExportError, match="predicts something else"):
        shoal.export_model(run_of(folder, "reconstruction"), tmp_path / "m.keras", member="smallest")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_the_command_runs_keras_beside(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = run_of(folder, "classes")
    assert main(["export", str(run.path), str(tmp_path / "m.keras")]) == 0
    said = capsys.readouterr()
    assert "Run by Keras 3" in said.out
    assert "it agrees with shoal: 24 test rows: largest difference" in said.out
    assert said.err == ""
    first = (tmp_path / "m.keras").read_bytes()
    assert main(["export", str(run.path), str(tmp_path / "m.keras")]) == 2
    assert main(["export", str(run.path), str(tmp_path / "n.keras"), "--json"]) == 0
    assert (tmp_path / "n.keras").read_bytes() == first


@pytest.mark.slow
def test_without_keras_it_says_so(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "keras" else object())
    written = shoal.export_model(run_of(folder, "classes"), tmp_path / "m.keras")
    assert str(written.agreement) == "Keras is not installed here to check it with: pip install keras."


def test_flat_differences_are_measured() -> None:
    rows = ExampleRows({}, np.zeros((2, 1)), np.zeros((2, 1)), {"mean": np.array([1.0, 2.0])}, "test")
    agreement = compared({"": np.array([[1.0], [2.3]])}, rows, "by Keras")
    assert agreement.largest == pytest.approx(0.1)
    assert not agreement.holds
    assert not compared({"mean": np.array([1.0, np.nan])}, rows, "by Keras").holds
