"""A finished run as its user holds it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
import pytest

import shoal
from shoal.run import Run
from shoal.runs.model_file import save_model

FEATURES = ["sepal length (cm)", "sepal width (cm)", "petal length (cm)", "petal width (cm)"]


@pytest.fixture(scope="module")
def table() -> pl.DataFrame:
    return shoal.load_dataset("iris").table


def test_a_run_is_found_again(iris_run: Run) -> None:
    run = shoal.load(str(iris_run.path))
    assert run.name == "run"
    assert run.metrics == iris_run.metrics
    assert run.path == iris_run.path
    assert repr(run).startswith(f"Run({str(run.path)!r}: species, 3-class classification, accuracy ")
    shown = repr(run.predict("iris"))
    assert shown.startswith("ClassPrediction(targets=('species',), outside=<150>, classes=('setosa', 'versicolor', ")
    assert "probabilities=<150×3>" in shown
    assert "None" not in shown
    assert len(shown) < 400
    assert np.array_equal(run.predict("iris").probabilities, iris_run.predict("iris").probabilities)  # type: ignore[arg-type]


def test_no_run_no_folder(tmp_path: Path) -> None:
    with pytest.raises(shoal.RunError, match="there is no run folder"):
        shoal.load(tmp_path / "nowhere")


def test_data_of_every_kind_give_the_same(iris_run: Run, table: pl.DataFrame, tmp_path: Path) -> None:
    expected = iris_run.predict("iris").probabilities
    table.write_csv(tmp_path / "iris.csv")
    shuffled = table.select(["species", *FEATURES[::-1]]).with_columns(extra=pl.lit("more"))
    kinds: list[Any] = [
        table,
        table.to_pandas(),
        table.to_dict(as_series=False),
        table.select(FEATURES).to_numpy(),
        str(tmp_path / "iris.csv"),
        tmp_path / "iris.csv",
        shuffled,
        table.drop("species"),
    ]
    for data in kinds:
        np.testing.assert_allclose(iris_run.predict(data).probabilities, expected, rtol=1e-6)


def test_predictions_stand_beside_their_rows(iris_run: Run, table: pl.DataFrame) -> None:
    rows, prediction = iris_run.predict_table(table[:5])
    assert rows.equals(table[:5])
    frame = prediction.frame()
    added = ["disagreement", "set", "outside"]
    assert frame.columns == ["prediction", *(f"probability_{name}" for name in prediction.classes), *added]
    assert frame.height == 5
    assert prediction.probability_std is not None
    assert prediction.probability_std.max() > 0.0


def test_a_missing_column_is_named(iris_run: Run, table: pl.DataFrame) -> None:
    with pytest.raises(shoal.DataError, match=r"'petal width \(cm\)'"):
        iris_run.predict(table.drop("petal width (cm)"))
    with pytest.raises(shoal.DataError, match="'species'"):
        iris_run.evaluate(table.drop("species"))


@pytest.fixture
def own(iris_run: Run, tmp_path: Path) -> Run:
    """The run in a folder that may be written in."""
    return shoal.load(shutil.copytree(iris_run.path, tmp_path / "run"))


def test_evaluating(own: Run, table: pl.DataFrame) -> None:
    table = table.sample(fraction=1.0, shuffle=True, seed=0)
    scores = own.evaluate(table)
    prediction = own.predict(table)
    assert prediction.labels is not None
    share = np.mean(prediction.labels == table["species"].cast(pl.String).to_numpy())
    assert scores["accuracy"].value == pytest.approx(share)
    assert scores["accuracy"].low < share < scores["accuracy"].high
    assert scores == own.evaluate(table.to_dict(as_series=False))
    assert own.metrics["test_openings"] == 1


def test_the_use_of_the_test_rows_is_counted_everywhere(own: Run, table: pl.DataFrame) -> None:
    assert '<span class="openings">once</span>' in own.report().read_text(encoding="utf-8")
    with pytest.warns(shoal.ShoalWarning, match="opened 2 times now; scores of the other rows flatter"):
        own.evaluate("iris")
    with pytest.warns(shoal.ShoalWarning, match="opened 3 times now$"):
        scores = own.evaluate(table[own.folder.scored("test").rows])
    assert scores["log_loss"].value == pytest.approx(own.metrics["test"]["log_loss"]["value"])
    assert own.metrics["test_openings"] == shoal.load(own.path).metrics["test_openings"] == 3
    page = own.report().read_text(encoding="utf-8")
    assert page.count('<span class="openings">3 times</span>') == 2
    assert "once" not in page.split("</style>")[1]


def test_unknown_categories(iris_run: Run, table: pl.DataFrame) -> None:
    assert sum(iris_run.unknown_categories(table).values()) == 0


def test_weights_count_in_an_evaluation(iris_run: Run, table: pl.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    prediction = iris_run.predict(table)
    assert prediction.labels is not None
    hit = prediction.labels == table["species"].cast(pl.String).to_numpy()
    weighed = table.with_columns(w=pl.Series(np.where(hit, 1.0, 3.0)))
    run = shoal.load(iris_run.path)
    table, weighed = table[::-1], weighed[::-1]  # else these were the rows of the fit
    hit = hit[::-1]
    plain = run.evaluate(weighed)["accuracy"].value
    monkeypatch.setattr(type(run.folder), "config", {"data": {"weight": "w"}, "settings": {}})
    assert run.evaluate(weighed)["accuracy"].value == pytest.approx(hit.sum() / (hit.sum() + 3 * (~hit).sum()))
    with pytest.warns(shoal.ShoalWarning, match="no column 'w', by which the rows of the fit were weighted"):
        assert run.evaluate(table)["accuracy"].value == plain
    with pytest.raises(shoal.DataError, match="column 'w' holds no finite number in row 1"):
        run.evaluate(table.with_columns(w=pl.lit("heavy")))


def test_the_verdict_and_the_page(iris_run: Run) -> None:
    assert iris_run.summary() == iris_run.metrics["verdict"]["text"]
    assert iris_run.report().is_file()


def test_in_a_notebook(iris_run: Run) -> None:
    page = iris_run._repr_html_()
    assert "<b>run</b>" in page
    assert "<td>accuracy</td>" in page
    assert f"{iris_run.metrics['test']['accuracy']['value']:.4g}" in page
    assert "report.html" in page
    assert page.count("<table>") == page.count("</table>") == 1


@pytest.mark.slow
def test_predicting_needs_no_jax(iris_run: Run) -> None:
    code = (
        "import sys, shoal\n"
        f"run = shoal.load({str(iris_run.path)!r})\n"
        "assert run.predict('iris').probabilities.shape == (150, 3)\n"
        "loaded = {'jax', 'jaxlib', 'keras', 'matplotlib'} & set(sys.modules)\n"
        "assert not loaded, loaded\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment, timeout=120)


def damaged(iris_run: Run, folder: Path, name: str, change: Any) -> Path:
    """Return a copy of a run in which a file is changed."""
    shutil.copytree(iris_run.path, folder)
    data = bytearray((folder / name).read_bytes())
    (folder / name).write_bytes(change(data))
    return folder


def flipped(place: int) -> Any:
    def flip(data: bytearray) -> bytearray:
        data[place % len(data)] ^= 4
        return data

    return flip


@pytest.mark.parametrize("place", [-1, -9, -100, 200, 1000])
def test_a_flipped_bit_changes_no_comparison(iris_run: Run, tmp_path: Path, place: int) -> None:
    other = damaged(iris_run, tmp_path / "other", "scored.safetensors", flipped(place))
    with pytest.raises(shoal.RunError, match=r"scored\.safetensors' is damaged.*needed for comparisons"):
        shoal.compare(iris_run, other)
    assert (
        shoal.load(other).predict("iris").frame().equals(iris_run.predict("iris").frame())
    )  # which needs no such file


@pytest.mark.parametrize("place", [40, -30, -5000])
def test_a_flipped_bit_of_the_log_or_the_settings_is_named(iris_run: Run, tmp_path: Path, place: int) -> None:
    other = damaged(iris_run, tmp_path / "log", "log.sqlite", flipped(place))
    with pytest.raises(shoal.RunError, match=r"log\.sqlite' is damaged.*needed for candidates, networks and curves"):
        _ = shoal.load(other).curves
    other = damaged(
        iris_run, tmp_path / "config", "config.toml", lambda data: data.replace(b"epochs = ", b"epochs = 1")
    )
    with pytest.raises(shoal.RunError, match=r"config\.toml' is damaged, changed, or of another run"):
        _ = shoal.load(other).folder.source
    other = damaged(iris_run, tmp_path / "numbers", "metrics.json", lambda data: data.replace(b"0.9", b"0.8", 1))
    with pytest.raises(shoal.RunError, match=r"metrics\.json' is damaged: its content does not match its checksum"):
        _ = shoal.load(other).metrics
    assert shoal.load(other).predict("iris").frame().equals(iris_run.predict("iris").frame())


def test_weights_that_are_no_numbers_predict_nothing(iris_run: Run, tmp_path: Path) -> None:
    shutil.copytree(iris_run.path, tmp_path / "run")
    predictor = iris_run.predictor
    document, arrays = predictor.to_parts()
    name = next(name for name in arrays if name.startswith("members/"))
    spoiled = {**arrays, name: np.full_like(arrays[name], np.nan)}
    save_model(tmp_path / "run" / "model", SimpleNamespace(to_parts=lambda: (document, spoiled)))
    (tmp_path / "run" / "metrics.json").unlink()  # which keeps the checksum of the model, too
    with pytest.raises(shoal.RunError, match=rf"weights\.safetensors' is damaged: '{name}' holds what is no number"):
        shoal.load(tmp_path / "run").predict("iris")


@pytest.mark.parametrize("name", ["metrics.json", "model/model.json", "model/weights.safetensors", "config.toml"])
def test_damage_is_named(iris_run: Run, tmp_path: Path, name: str) -> None:
    shutil.copytree(iris_run.path, tmp_path / "run")
    path = tmp_path / "run" / name
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(shoal.RunError, match=path.name):
        _ = shoal.load(tmp_path / "run").metrics, shoal.load(tmp_path / "run").predict("iris")
