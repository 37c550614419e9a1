"""Autoencoders from data to codes: against principal components, with anomalies, saved and loaded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

import shoal
from shoal.cli.app import app
from shoal.errors import DataError, SettingError
from shoal.evaluation.baselines.pca import Principal
from shoal.networks import Flatten, Network
from shoal.prediction.autoencoder import anomaly_scores, scaled_inputs
from shoal.run import Run

QUICK: dict[str, Any] = {"reconstruct": True, "networks": 1, "batch_size": 32, "seed": 0}


def auc(usual: np.ndarray, strange: np.ndarray) -> float:
    return float((strange[:, None] > usual).mean())


def low_rank(rows: int, columns: int = 6, rank: int = 2, noise: float = 0.0, seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    mixing = np.random.default_rng(9).normal(size=(rank, columns))
    x = rng.normal(size=(rows, rank)) @ mixing + noise * rng.normal(size=(rows, columns))
    return {f"x{i}": x[:, i] for i in range(columns)}


@pytest.fixture(scope="module")
def table_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A linear autoencoder on rows near a plane, with a label and a date beside them."""
    data: dict[str, Any] = low_rank(3000, noise=0.1)
    data["kind"] = ["a", "b", None] * 1000
    out = str(tmp_path_factory.mktemp("runs") / "plane")
    settings = {"layers": "code:2", "hidden": (), "epochs": 40, "learning_rate": 0.01, "false_alarm_rate": 0.05}
    return shoal.fit(data, target="kind", out=out, **{**QUICK, **settings})


@pytest.fixture(scope="module")
def image_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A small autoencoder on digits without eights."""
    out = str(tmp_path_factory.mktemp("runs") / "digits")
    images, digits = digit_images()
    settings = {"bottleneck": 8, "epochs": 30, "learning_rate": 0.003}
    return shoal.fit(images[digits != 8], out=out, **{**QUICK, **settings})


def digit_images() -> tuple[np.ndarray, np.ndarray]:
    from sklearn.datasets import load_digits

    bunch = load_digits()
    return bunch.images.astype(np.uint8)[..., None], bunch.target


@pytest.mark.slow
def test_a_linear_autoencoder_reaches_principal_components(table_run: Run) -> None:
    error = table_run.metrics["test"]["reconstruction_error"]["value"]
    least = table_run.metrics["baselines"]["pca"]["reconstruction_error"]["value"]
    assert 0.95 * least < error < 1.1 * least
    assert table_run.metrics["test"]["explained_variance"]["value"] > 0.9
    assert table_run.metrics["baselines"]["mean"]["reconstruction_error"]["value"] > 0.8


@pytest.mark.slow
def test_the_share_of_false_alarms_is_about_what_was_asked_for(table_run: Run) -> None:
    share = table_run.anomaly_scores(low_rank(5000, noise=0.1, seed=1)).is_anomaly.mean()
    assert 0.03 < share < 0.075  # the threshold itself comes from 480 rows
    told = table_run.metrics["reconstruction"]["anomalies"]
    assert told["false_alarm_rate"] == 0.05
    assert told["test"]["low"] < 0.05 < told["test"]["high"]


@pytest.mark.slow
def test_rows_off_the_plane_are_anomalies(table_run: Run) -> None:
    usual = table_run.anomaly_scores(low_rank(500, noise=0.1, seed=2))
    strange = table_run.anomaly_scores(low_rank(500, noise=1.0, seed=3))
    assert auc(usual.score, strange.score) > 0.97
    assert strange.is_anomaly.mean() > 0.8
    assert len(strange) == 500


@pytest.mark.slow
def test_codes_and_reconstructions_have_their_shape_and_unit(table_run: Run) -> None:
    rows = low_rank(50, noise=0.1, seed=4)
    assert table_run.encode(rows).shape == (50, 2)
    made = table_run.reconstruct(rows)
    assert isinstance(made, pl.DataFrame)
    assert made.columns == [f"x{i}" for i in range(6)]
    for name, values in rows.items():
        assert np.abs(made[name].to_numpy() - values).std() < 0.3


@pytest.mark.slow
def test_a_label_is_kept_and_not_learnt(table_run: Run) -> None:
    assert table_run.metrics["target"] == []
    assert "kind" not in table_run.metrics["data"]["features"]
    assert sum(table_run.metrics["rows"].values()) == 3000  # a missing label costs no row
    page = table_run.report().read_text(encoding="utf-8")
    assert "label, not learned from" in page
    assert "The strangest test rows" in page


@pytest.mark.slow
@pytest.mark.parametrize("which", ["table_run", "image_run"])
def test_a_loaded_run_says_the_same(which: str, request: pytest.FixtureRequest) -> None:
    run: Run = request.getfixturevalue(which)
    data: Any = low_rank(20) if which == "table_run" else digit_images()[0][:20]
    again = shoal.load(run.path)
    np.testing.assert_array_equal(again.encode(data), run.encode(data))
    np.testing.assert_array_equal(again.anomaly_scores(data).score, run.anomaly_scores(data).score)
    np.testing.assert_array_equal(np.asarray(again.reconstruct(data)), np.asarray(run.reconstruct(data)))
    assert again.predictor.alarm == run.predictor.alarm


@pytest.mark.slow
def test_digits_of_a_class_never_seen_are_stranger_and_noise_is_strangest(image_run: Run) -> None:
    images, digits = digit_images()
    usual = image_run.anomaly_scores(images[digits != 8]).score
    unseen = image_run.anomaly_scores(images[digits == 8]).score
    noise = image_run.anomaly_scores(np.random.default_rng(0).integers(0, 17, (200, 8, 8, 1)).astype(np.uint8))
    assert auc(usual, unseen) > 0.7
    assert auc(usual, noise.score) > 0.99
    assert noise.is_anomaly.all()


@pytest.mark.slow
def test_images_beat_principal_components(image_run: Run) -> None:
    error = image_run.metrics["test"]["reconstruction_error"]
    assert error["high"] < image_run.metrics["baselines"]["pca"]["reconstruction_error"]["value"]
    assert image_run.metrics["verdict"]["beats_baselines"]
    made = image_run.reconstruct(digit_images()[0][:5])
    assert isinstance(made, np.ndarray)
    assert made.shape == (5, 8, 8, 1)
    assert 3 < made.mean() < 7  # in the unit of the pixels, 0 to 16


@pytest.mark.slow
def test_the_engine_and_the_predictor_agree(image_run: Run) -> None:
    images, digits = digit_images()
    networks = image_run.networks
    rows = images[digits != 8]
    from shoal.data import load_dataset, split_rows

    validation = split_rows(load_dataset(rows, reconstruct=True)).validation
    scores = anomaly_scores(image_run.predictor, rows[validation])
    assert scores.mean() == pytest.approx(networks["validation_loss"][0], rel=1e-4)


@pytest.mark.slow
def test_noise_acts_on_tables_and_leaves_the_target_clean(tmp_path: Path) -> None:
    data = low_rank(400)
    runs = [
        shoal.fit(data, out=str(tmp_path / f"{noise}"), layers="16 code:2", epochs=5, noise=noise, **QUICK)
        for noise in (0.0, 1.0)
    ]
    losses = [run.curves["train_loss"].to_numpy()[-1] for run in runs]
    assert losses[1] > 1.05 * losses[0]


@pytest.mark.slow
def test_several_bottlenecks_are_tried_and_the_smallest_good_one_kept(tmp_path: Path) -> None:
    data = low_rank(600, noise=0.02)
    run = shoal.fit(
        data,
        out=str(tmp_path / "a"),
        networks=6,
        epochs=60,
        noise=0.0,
        learning_rate=0.01,
        hidden=(16,),
        reconstruct=True,
    )
    found = run.metrics["reconstruction"]
    best = {int(size): score for size, score in found["best_score_by_bottleneck"].items()}
    good = [size for size, score in best.items() if score <= 1.05 * min(best.values())]
    assert found["bottleneck"] == min(good)
    assert run.encode(data).shape == (600, found["bottleneck"])


@pytest.mark.slow
def test_the_same_call_gives_the_same_numbers(tmp_path: Path) -> None:
    settings = {**QUICK, "networks": 2, "bottleneck": 2, "epochs": 3}
    runs = [shoal.fit(low_rank(100), out=str(tmp_path / name), **settings) for name in "ab"]
    files = [{**run.metrics, "seconds": None} for run in runs]
    assert files[0] == files[1]
    weights = [(run.path / "model" / "weights.safetensors").read_bytes() for run in runs]
    assert weights[0] == weights[1]


@pytest.mark.slow
def test_encode_and_predict_on_the_command_line(table_run: Run, image_run: Run, tmp_path: Path) -> None:
    rows = tmp_path / "rows.csv"
    pl.DataFrame({"name": ["p", "q"], **{k: v[:2] for k, v in low_rank(20).items()}}).write_csv(rows)
    runner = CliRunner()
    told = runner.invoke(app, ["encode", str(table_run.path), str(rows), "-o", str(tmp_path / "codes.csv")])
    assert told.exit_code == 0, told.output
    written = pl.read_csv(tmp_path / "codes.csv")
    assert written.columns == ["name", *(f"x{i}" for i in range(6)), "code_1", "code_2", "anomaly_score", "anomaly"]
    np.testing.assert_allclose(written["code_1"], table_run.encode(str(rows))[:, 0], rtol=1e-6)
    assert runner.invoke(app, ["predict", str(table_run.path), str(rows), "-o", str(tmp_path / "p.csv")]).exit_code == 0
    assert "x3_reconstructed" in pl.read_csv(tmp_path / "p.csv").columns
    refused = runner.invoke(app, ["predict", str(image_run.path), "digit_images"])
    assert refused.exit_code != 0
    assert "shoal encode" in refused.output


@pytest.mark.slow
def test_evaluate_scores_other_rows(table_run: Run) -> None:
    scores = table_run.evaluate(low_rank(300, noise=0.1, seed=5))
    assert set(scores) == {"reconstruction_error", "explained_variance"}
    assert scores["explained_variance"].value > 0.9


@pytest.mark.slow
def test_series_of_one_length_are_reconstructed(tmp_path: Path) -> None:
    t = np.linspace(0, 6, 24)
    rng = np.random.default_rng(0)
    series = np.sin(t + rng.uniform(0, 6, (200, 1)))[..., None]
    run = shoal.fit(series, kind="series", out=str(tmp_path / "s"), bottleneck=2, epochs=20, **QUICK)
    made = run.reconstruct(series[:3])
    assert isinstance(made, np.ndarray)
    assert made.shape == (3, 24, 1)
    assert "reconstructed" in {path.stem for path in (run.path / "figures").iterdir()}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"bottleneck": 6}, "bottleneck: the code must be smaller than a row, which has 6 numbers, got 6"),
        ({"layers": "16 8"}, "needs a bottleneck"),
        ({"layers": "16 code:9"}, "smaller than a row"),
        ({"layers": "8 code:2", "bottleneck": 3}, "disagrees with code:2"),
        ({"layers": "8 code:2 6:relu", "hidden": ()}, "must be linear.*6:linear"),
        ({"cv": 5}, "cannot be combined with cv"),
        ({"shift": 1.0}, "cannot be combined with shift"),
        ({"task": "regression"}, "cannot be combined with task"),
        ({"window": 3}, "cannot be combined with window"),
    ],
)
def test_what_makes_no_sense_is_refused(settings: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=message):
        shoal.fit(low_rank(60), out=str(tmp_path / "x"), **{**QUICK, **settings})


def test_settings_of_reconstructions_need_it() -> None:
    with pytest.raises(SettingError, match="bottleneck is for reconstructions"):
        shoal.fit(low_rank(60), bottleneck=2)


def test_a_single_column_cannot_be_compressed(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="at least two numbers"):
        shoal.fit({"x": np.arange(40.0) ** 1.5}, out=str(tmp_path / "x"), **QUICK)


@pytest.mark.slow
def test_runs_that_predict_have_no_codes(tmp_path: Path) -> None:
    run = shoal.fit("iris", networks=1, epochs=1, out=str(tmp_path / "iris"))
    with pytest.raises(SettingError, match="has no codes"):
        run.encode("iris")


@pytest.mark.slow
def test_a_missing_column_is_named(table_run: Run) -> None:
    with pytest.raises(DataError, match="x5"):
        table_run.encode({f"x{i}": np.zeros(3) for i in range(5)})


def test_principal_components_agree_with_a_singular_value_decomposition() -> None:
    rng = np.random.default_rng(0)
    for shape in ((50, 8), (8, 50)):
        x = rng.normal(size=shape)
        found = Principal.fit(x, 3)
        centred = x - x.mean(axis=0)
        _, values, directions = np.linalg.svd(centred, full_matrices=False)
        np.testing.assert_allclose(np.abs(np.sum(found.directions * directions[:3], axis=1)), 1.0, rtol=1e-9)
        np.testing.assert_allclose(found.shares, values[:3] ** 2 / np.sum(values**2), rtol=1e-9)


@pytest.mark.slow
def test_scaled_inputs_are_the_pixels_behind_the_scaling(image_run: Run) -> None:
    images = digit_images()[0][:7]
    preparation = image_run.predictor.preparation
    scaled = scaled_inputs(preparation, images)
    stem = Network([image_run.predictor.members[0].network.layers[0], Flatten()], (8, 8, 1))
    own = stem.predict([{}, {}], images)
    np.testing.assert_allclose(scaled, own, rtol=1e-5, atol=1e-6)
    assert preparation.signals is not None
    np.testing.assert_allclose(preparation.signals.unscaled(scaled), images, atol=1e-4)
