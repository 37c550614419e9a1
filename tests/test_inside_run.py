"""Looking inside finished runs on images, series, windows and tables."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import shoal
from shoal.run import Run

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 17, (60, 8, 8)).astype(np.uint8)
IMAGE_LABELS = np.where(IMAGES[:, :4].mean(axis=(1, 2)) > IMAGES[:, 4:].mean(axis=(1, 2)), "above", "below")
SERIES = RNG.normal(size=(60, 12, 2)).cumsum(axis=1)
LEVEL = {"level": np.sin(np.arange(150.0) / 5), "rain": np.cos(np.arange(150.0) / 7)}


@pytest.fixture(scope="module")
def image_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    out = str(tmp_path_factory.mktemp("images") / "run")
    layers = "conv2d:4:3:relu maxpooling2d:2"
    return shoal.fit((IMAGES, IMAGE_LABELS), networks=2, epochs=2, layers=layers, hidden=(8,), out=out)


@pytest.fixture(scope="module")
def series_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    out = str(tmp_path_factory.mktemp("series") / "run")
    return shoal.fit((SERIES, SERIES[:, -1, 0]), networks=1, epochs=2, layers="gru:4", hidden=(8,), out=out)


@pytest.fixture(scope="module")
def forecast_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    out = str(tmp_path_factory.mktemp("forecast") / "run")
    return shoal.fit(LEVEL, target="level", window=8, networks=1, epochs=2, layers="gru:4", hidden=(8,), out=out)


def figures(run: Run) -> set[str]:
    return {path.stem for path in (run.path / "figures").glob("*.svg")}


@pytest.mark.slow
def test_a_run_on_images_shows_what_its_networks_see(image_run: Run, tmp_path: Path) -> None:
    assert image_run.filters().values.shape == (4, 3, 3, 1)
    maps = image_run.feature_maps(IMAGES, rows=[0, 5])
    assert [values.shape for values in maps.layers.values()] == [(2, 6, 6, 4), (2, 3, 3, 4)]
    seen = image_run.saliency(IMAGES, rows=slice(3), of="below")
    assert seen.values.shape == (3, 8, 8, 1)
    assert seen.maps.shape == (3, 8, 8)
    assert (seen.values >= 0).all()
    assert seen.labels[0].said.startswith("below\t")
    for shown in (image_run.filters(), maps, seen):
        shown.draw(tmp_path / "figure.svg")
    assert {"example_images", "filters", "feature_maps", "saliency"} <= figures(image_run)


@pytest.mark.slow
def test_the_page_of_images_is_small_and_has_their_sections(image_run: Run) -> None:
    page = image_run.report().read_text(encoding="utf-8")
    assert len(page) < 1_000_000
    assert 'id="examples"' in page
    assert 'id="inside"' in page
    assert "8 × 8 pixels" in page.replace("\u00a0", " ")


@pytest.mark.slow
def test_a_run_on_series_shows_what_it_remembers(series_run: Run) -> None:
    states = series_run.hidden_states(SERIES)
    assert [values.shape for values in states.layers.values()] == [(8, 12, 4)]
    assert states.draw().axes
    seen = series_run.saliency(SERIES, rows=2)
    assert seen.values.shape == (1, 12, 2)
    assert seen.draw().axes
    assert {"example_series", "hidden_states", "saliency"} <= figures(series_run)


@pytest.mark.slow
def test_a_forecast_is_drawn_beside_the_last_value_again(forecast_run: Run) -> None:
    assert {"forecast", "hidden_states", "saliency"} <= figures(forecast_run)
    assert "example_series" not in figures(forecast_run)
    assert forecast_run.hidden_states(LEVEL, rows=0).inputs.shape == (1, 8, 2)


@pytest.mark.slow
def test_what_is_not_there_is_said(image_run: Run, series_run: Run, iris_run: Run) -> None:
    with pytest.raises(shoal.NetworkError, match="no convolution: its layers are GRU"):
        series_run.filters()
    with pytest.raises(shoal.NetworkError, match="no recurrent layer"):
        image_run.hidden_states(IMAGES)
    with pytest.raises(shoal.SettingError, match=r"expected one of the classes above, below, got 'belo'.*'below'"):
        image_run.saliency(IMAGES, of="belo")
    with pytest.raises(shoal.DataError, match="a table of columns"):
        iris_run.saliency("iris")
    with pytest.raises(shoal.DataError, match="trained on images"):
        image_run.feature_maps(SERIES)
    with pytest.raises(shoal.DataError, match="60 rows"):
        image_run.saliency(IMAGES, rows=60)
