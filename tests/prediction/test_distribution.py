"""Predicted distributions against closed forms, numerical integrals, and laws that are known."""

from __future__ import annotations

import importlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy.stats import kstest, norm

import shoal
from shoal.cli import main
from shoal.errors import SettingError
from shoal.prediction.distribution import (
    Distribution,
    NormalMixture,
    QuantileDistribution,
    check_density,
    parsed_grid,
)
from shoal.results import Task
from shoal.run import Run
from shoal.training.heads import VALUE, PoissonHead

RANDOM = np.random.default_rng(5)
LEVELS = norm.cdf([-2.0, -1.0, 0.0, 1.0, 2.0])
MIXTURE = NormalMixture(("y", "z"), RANDOM.normal(size=(4, 6, 2)), RANDOM.uniform(0.2, 1.5, (4, 6, 2)))
QUANTILES = QuantileDistribution(("y", "z"), LEVELS, np.cumsum(RANDOM.uniform(0.1, 1.0, (6, 2, 5)), axis=-1) - 1.0)
VALUES = RANDOM.normal(size=(6, 2))


@pytest.fixture(autouse=True)
def no_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.import_module("shoal.steps.writing"), "write_report", lambda *_: None)


def test_of_one_normal_distribution_as_in_closed_form() -> None:
    mean, std = RANDOM.normal(size=(6, 2)), RANDOM.uniform(0.2, 2.0, (6, 2))
    z = (VALUES - mean) / std
    closed = std * (z * (2.0 * norm.cdf(z) - 1.0) + 2.0 * norm.pdf(z) - 1.0 / np.sqrt(np.pi))
    normal = NormalMixture(("y", "z"), mean[None], std[None])
    quantiles = QuantileDistribution(("y", "z"), LEVELS, mean[..., None] + std[..., None] * norm.ppf(LEVELS))
    grid = np.linspace(-3.0, 3.0, 7)
    for law, exact in ((normal, 1e-12), (quantiles, 3e-4)):
        np.testing.assert_allclose(law.crps(VALUES), closed, rtol=0, atol=exact)
        np.testing.assert_allclose(law.cdf(VALUES), norm.cdf(z), atol=1e-12)
        np.testing.assert_allclose(law.density(grid), norm.pdf(grid, mean[..., None], std[..., None]), atol=1e-12)


@pytest.mark.parametrize("law", [MIXTURE, QUANTILES])
def test_cdf_and_score_are_integrals_of_the_density(law: Distribution) -> None:
    fine = np.linspace(-12.0, 14.0, 400_001)
    for row, target in ((0, 0), (3, 1)):
        one, value = law.at(slice(row, row + 1)), VALUES[row, target]
        density = one.density(fine)[0, target]
        below = np.cumsum(density) * (fine[1] - fine[0])
        assert below[-1] == pytest.approx(1.0, abs=1e-4)
        assert law.cdf(VALUES)[row, target] == pytest.approx(np.interp(value, fine, below), abs=1e-4)
        squares = (below - (fine >= value)) ** 2
        assert law.crps(VALUES)[row, target] == pytest.approx(np.trapezoid(squares, fine), rel=2e-3)


def test_the_score_of_a_mixture_is_that_of_many_draws() -> None:
    which, draws = RANDOM.integers(4, size=20_000), RANDOM.normal(size=20_000)
    drawn = np.sort(MIXTURE.means[which, 0, 0] + MIXTURE.stds[which, 0, 0] * draws)
    between = np.sum((2 * np.arange(1, 20_001) - 20_001) * drawn) / 20_000**2  # half of E|X - X'|
    expected = np.abs(drawn - VALUES[0, 0]).mean() - between
    assert MIXTURE.crps(VALUES)[0, 0] == pytest.approx(expected, abs=0.02)


def test_a_grid_holds_both_ends() -> None:
    np.testing.assert_allclose(parsed_grid("0:3:0.01"), np.arange(301) / 100)
    np.testing.assert_allclose(parsed_grid("1:0:-0.3"), [1.0, 0.7, 0.4, 0.1])
    for text in ("0:3", "0:3:0", "3:0:1", "a:b:c", "0:inf:1", "nan:1:0.1", "0:1:1e-9", "0:0:1"):
        with pytest.raises(SettingError, match="START:STOP:STEP"):
            parsed_grid(text)


@pytest.mark.slow
@pytest.mark.parametrize("loss", ["mse", "gaussian_nll", "pinball"])
def test_pit_is_flat_where_the_law_is_learned(loss: str, tmp_path: Path) -> None:
    def sample(count: int) -> dict[str, Any]:
        x = RANDOM.uniform(0.0, 1.0, count)
        return {"x": x, "y": 2.0 * x + (0.3 if loss == "mse" else 0.1 + 0.4 * x) * RANDOM.normal(size=count)}

    network = {"networks": 4, "keep": 2, "hidden": (8,), "activation": "tanh", "learning_rate": 0.01, "epochs": 80}
    run = shoal.fit(sample(3000), target="y", loss=loss, seed=1, out=str(tmp_path / "run"), **network)
    new = sample(2000)
    law, prediction = run.distribution(new), run.predict(new)
    y = np.asarray(new["y"])[:, None]
    std = 0.3 if loss == "mse" else 0.1 + 0.4 * np.asarray(new["x"])
    assert law.crps(y).mean() == pytest.approx(np.mean(std) / np.sqrt(np.pi), rel=0.06)  # that of the true law
    assert kstest(law.cdf(y)[:, 0], "uniform").statistic < 0.07  # networks learn the law nearly
    assert run.metrics["crps"]["y"]["low"] < law.crps(y).mean() < run.metrics["crps"]["y"]["high"]
    grid = np.linspace(-4.0, 6.0, 4001)
    density = law.at(slice(0, 20)).density(grid)[:, 0] * (grid[1] - grid[0])
    mean = density @ grid
    np.testing.assert_allclose(density.sum(axis=1), 1.0, atol=2e-3)
    if loss != "pinball":
        np.testing.assert_allclose(mean, prediction.mean[:20, 0], atol=1e-6)
        np.testing.assert_allclose(np.sqrt(density @ grid**2 - mean**2), prediction.std[:20, 0], atol=1e-6)


def test_densities_go_into_files_that_hold_vectors(
    tmp_path: Path, tiny: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    tables, h5py = pytest.importorskip("astropy.table"), pytest.importorskip("h5py")
    xarray, uproot = pytest.importorskip("xarray"), pytest.importorskip("uproot")
    x = np.linspace(0.0, 1.0, 90)
    data = {"x": x, "z": x**2, "n": np.arange(90) % 4}
    pl.DataFrame(data).write_csv(tmp_path / "a.csv")
    run = shoal.fit(data, target="z", ignore="n", where=["x > 0.1"], out=str(tmp_path / "run"), **tiny)
    expected = run.distribution({"x": x[x > 0.1]}).density(np.linspace(0.0, 1.0, 5))[:, 0]
    arguments = ["predict", str(run.path), str(tmp_path / "a.csv"), "--density", "0:1:0.25", "-q", "-o"]
    for end in ("fits", "vot", "ecsv", "h5", "nc", "root", "parquet", "jsonl"):
        assert main([*arguments, str(tmp_path / f"out.{end}")]) == 0
    with h5py.File(tmp_path / "out.h5") as file, uproot.open(tmp_path / "out.root") as friend:
        read = {
            "h5": file["predictions/density"][:],
            "root": friend["shoal"]["density"].array(library="np"),
            "parquet": np.stack(pl.read_parquet(tmp_path / "out.parquet")["density"].fill_null([np.nan] * 5).to_list()),
            "nc": xarray.open_dataset(tmp_path / "out.nc", engine="h5netcdf")["density"].values,
        }
        assert file["predictions"].attrs["grid of the density"] == "0:1:0.25"
    for end in ("fits", "vot", "ecsv"):
        read[end] = np.ma.filled(tables.Table.read(tmp_path / f"out.{end}")["density"], np.nan)
    for density in read.values():
        np.testing.assert_allclose(density[x > 0.1], expected, rtol=1e-5, atol=1e-30)
        assert np.isnan(density[x <= 0.1]).all()
    assert main([*arguments, str(tmp_path / "out.csv")]) == 2
    assert "which .csv does not hold" in capsys.readouterr().err


def test_what_has_no_density_is_refused(iris_run: Run) -> None:
    with pytest.raises(SettingError, match="predicts classes"):
        iris_run.distribution("iris")
    numbers = replace(iris_run.predictor.preparation, task=Task.REGRESSION)
    for head in (PoissonHead(), VALUE):
        predictor = replace(iris_run.predictor, preparation=numbers, head=head)
        if head.counts:
            with pytest.raises(SettingError, match="predicts counts"):
                check_density(predictor)
        else:
            check_density(predictor)
