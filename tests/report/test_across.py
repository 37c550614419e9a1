"""Decision boundaries and regression curves: what they say is what the ensemble predicts, and what is refused."""

from __future__ import annotations

import dataclasses
import datetime
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

import shoal
from shoal.cli.app import app
from shoal.errors import SettingError, ShoalWarning
from shoal.report.figures import FigureNumbers
from shoal.run import Run

FIXTURES = Path(__file__).parents[1] / "fixtures" / "runs" / "2"
LENGTH, WIDTH = "petal length (cm)", "petal width (cm)"


@pytest.fixture(scope="module")
def diabetes() -> Run:
    """A run with ten columns of numbers, to be read only."""
    return shoal.load(FIXTURES / "heads")


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory, tiny: dict[str, Any]) -> Run:
    """A run on a date, numbers of which some are missing, a category and a truth value."""
    rng = np.random.default_rng(1)
    days = [datetime.date(2020, 1, 1) + datetime.timedelta(days=int(day)) for day in rng.integers(0, 900, 120)]
    table = pl.DataFrame(
        {
            "day": days,
            "x": [None if row % 9 == 0 else float(v) for row, v in enumerate(rng.normal(size=120))],
            "colour": [("red", "red", "green", "blue")[row % 4] for row in range(120)],
            "ok": [row % 3 > 0 for row in range(120)],
            "z": rng.normal(size=120),
        }
    )
    table = table.with_columns(label=pl.Series(["yes" if z > 0 else "no" for z in table["z"]]))
    settings = {**tiny, "networks": 2, "epochs": 3, "engine": "native", "page": False}
    return shoal.fit(table, target="label", out=str(tmp_path_factory.mktemp("mixed") / "run"), **settings)


def test_the_boundary_is_what_the_ensemble_predicts(iris_run: Run) -> None:
    shown = iris_run.decision_boundary(LENGTH, WIDTH, at={"sepal length": 6.0})
    held = dict(shown.held)
    assert held["sepal length (cm)"] == "6"
    width = float(held["sepal width (cm)"])  # the median of the training rows
    x, y = (values.ravel() for values in np.meshgrid(*shown.grids, indexing="ij"))
    rows = {"sepal length (cm)": np.full(len(x), 6.0), "sepal width (cm)": np.full(len(x), width), LENGTH: x, WIDTH: y}
    prediction = iris_run.predict(pl.DataFrame(rows))
    np.testing.assert_allclose(shown.probabilities.reshape(len(x), 3), prediction.probabilities, atol=1e-6)
    np.testing.assert_allclose(shown.disagreement.ravel(), prediction.disagreement, atol=1e-6)
    np.testing.assert_array_equal(shown.outside.ravel(), prediction.outside)
    assert shown.table()["prediction"] == prediction.labels.tolist()
    assert shown.rows.values.shape == (2, 96)  # the training rows, without their classes
    assert shown.rows.truth is None
    iris = shoal.load_dataset("iris").table
    kept = {tuple(row) for row in np.round(shown.rows.values.T, 4).tolist()}
    assert kept <= set(iris.select(LENGTH, WIDTH).rows())


def test_the_curve_is_what_the_ensemble_predicts(diabetes: Run) -> None:
    shown = diabetes.regression_curve("bmi", at={"age": 0.01})
    rows = {encoder.column: encoder.fill for encoder in diabetes.predictor.preparation.encoders}
    table = pl.DataFrame({"bmi": shown.grid}).with_columns(
        **{name: pl.lit(value) for name, value in {**rows, "age": 0.01}.items() if name != "bmi"}
    )
    prediction = diabetes.predict(table)
    for name in ("mean", "low", "high", "spread"):
        np.testing.assert_allclose(getattr(shown, name), getattr(prediction, name), atol=1e-5)
    assert "not of those on this line alone" in shown.caption
    assert "Marks at the foot" in shown.caption


def test_columns_of_all_kinds_are_held_or_run_along(mixed: Run) -> None:
    shown = mixed.decision_boundary("day", "x", at={"ok": "false"})
    assert dict(shown.held)["colour"] == "red"
    assert dict(shown.held)["ok"] == "false"
    assert shown.kinds == ("date", "number")
    assert np.isfinite(shown.rows.values).all()  # rows without x are not drawn at its median
    assert shown.rows.values.shape[1] < 77
    known = mixed.predictor.preparation.encoders[0].low, mixed.predictor.preparation.encoders[0].high
    assert shown.grids[0][0] < known[0] < known[1] < shown.grids[0][-1]
    assert dict(mixed.decision_boundary("x", "z", at={"day": "2021-05-05"}).held)["day"] == "2021-05-05"


@pytest.mark.parametrize(
    ("columns", "at", "words"),
    [
        (("x", "colour"), {}, "'colour' holds categories, but .* numbers or dates: day, x, z"),
        (("ok", "x"), {}, "'ok' holds truth values"),
        (("x", "x"), {}, "two different columns are needed, got 'x' twice"),
        (("x", "days"), {}, "Did you mean 'day'"),
        (("x", "label"), {}, "'label' is none that the networks predict from"),
        (("x", "z"), {"z": 1}, "'z' is one that the cross section runs along"),
        (("x", "z"), {"colour": "rde"}, "no category 'rde'; it has blue, green, red.*Did you mean 'red'"),
        (("x", "z"), {"ok": "perhaps"}, "'ok' needs true or false, got 'perhaps'"),
        (("x", "z"), {"day": 3}, "'day' needs a date such as 2024-05-31, got 3"),
        (("day", "z"), {"x": "far"}, "'x' needs a number, got 'far'"),
        (("day", "z"), {"x": float("nan")}, "'x' needs a number, got nan"),
        (("day", "z"), {"clour": "red"}, "Did you mean 'colour'"),
    ],
)
def test_wrong_columns_and_values_are_refused(mixed: Run, columns: Any, at: dict[str, Any], words: str) -> None:
    with pytest.raises(SettingError, match=words):
        mixed.decision_boundary(*columns, at=at)


@pytest.mark.parametrize("name", ["images", "series", "windows", "steps", "reconstruction"])
def test_runs_without_columns_or_answers_are_refused(name: str) -> None:
    run = shoal.load(FIXTURES / name)
    words = (
        "reconstructs and predicts nothing"
        if name == "reconstruction"
        else "but this run predicts from (images|series)"
    )
    for draw in (lambda: run.decision_boundary("a", "b"), lambda: run.regression_curve("a")):
        with pytest.raises(SettingError, match=words):
            draw()


def test_each_figure_is_of_its_own_task(iris_run: Run, diabetes: Run) -> None:
    with pytest.raises(SettingError, match="of numbers, which this run does not predict; use decision_boundary"):
        iris_run.regression_curve(LENGTH)
    with pytest.raises(SettingError, match="of classes, which this run does not predict; use regression_curve"):
        diabetes.decision_boundary("bmi", "bp")


def test_one_network_has_no_second_panel(iris_run: Run) -> None:
    shown = dataclasses.replace(iris_run.decision_boundary(LENGTH, WIDTH), networks=1)
    assert "One network was kept" in shown.caption
    assert len(shown.draw().axes) == 1


def test_a_run_draws_its_network_with_names(diabetes: Run, iris_run: Run) -> None:
    texts = {text.get_text() for text in diabetes.draw_network().axes[0].texts}
    assert {"bmi", "s6", "progression", "log s of progression"} <= texts
    texts = {text.get_text() for text in iris_run.draw_network(show_weights="values").axes[0].texts}
    assert {LENGTH, "setosa", f"{iris_run.weights['dense']['kernel'][0, 0]:.2g}".replace("-", "−")} <= texts


def test_test_rows_over_it_count_as_a_look(iris_run: Run, tmp_path: Path) -> None:
    run = shoal.load(shutil.copytree(iris_run.path, tmp_path / "copy"))
    before = run.looks.count
    some = shoal.load_dataset("iris").table.head(20)
    assert (run.decision_boundary(LENGTH, WIDTH, some).rows.truth == 0).all()
    assert run.looks.count == before
    with pytest.warns(ShoalWarning, match="hold the test rows"):
        shown = run.decision_boundary(LENGTH, WIDTH, "iris")
    assert shown.rows.truth.tolist() == [0] * 50 + [1] * 50 + [2] * 50
    assert run.looks.count == before + 1


@pytest.mark.slow
def test_both_figures_hold_what_every_figure_promises(
    iris_run: Run, diabetes: Run, mixed: Run, looks: Any, tmp_path: Path
) -> None:
    some = shoal.load_dataset("iris").table.gather_every(3)
    figures = {
        "points": iris_run.decision_boundary(LENGTH, WIDTH, some),
        "dates": mixed.decision_boundary("day", "z"),
        "curve": diabetes.regression_curve("bmi"),
        "truth": diabetes.regression_curve("bmi", shoal.load_dataset("diabetes").table.head(60)),
        "single": shoal.load(FIXTURES / "errors").regression_curve("t"),
    }
    for name, numbers in figures.items():
        (tmp_path / name).mkdir()
        assert not list(looks.broken_promises(FigureNumbers(name, numbers), tmp_path / name)), name


def invoke(*words: str) -> Any:
    return CliRunner().invoke(app, list(words))


def test_the_command_draws_over_the_validation_rows(iris_run: Run, tmp_path: Path) -> None:
    wanted = ("--decision-boundary", "petal length", "petal width", "--at", "sepal length=6")
    result = invoke("explain", str(iris_run.path), *wanted, "-o", str(tmp_path / "out"))
    assert result.exit_code == 0, result.stderr
    assert "sepal length (cm) held at 6" in result.stdout
    assert "24 validation rows with their true values" in result.stdout
    assert {"decision_boundary.svg", "decision_boundary.pdf", "decision_boundary.csv"} <= {
        path.name for path in (tmp_path / "out").iterdir()
    }
    again = invoke("figures", str(tmp_path / "out"), "--format", "png", "-o", str(tmp_path / "paper"))
    assert again.exit_code == 0, again.stderr
    assert (tmp_path / "paper" / "decision_boundary.png").stat().st_size > 1000


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--at", "x=1"), "--at holds columns of --decision-boundary"),
        (("--regression-curve", "a", "--decision-boundary", "a", "b"), "give one of them"),
        (("--decision-boundary", LENGTH, WIDTH, "--at", "6"), "--at expects COLUMN=VALUE, got '6'"),
        (("--decision-boundary", LENGTH, "petal"), "'petal' is none that the networks predict from"),
        (("--regression-curve", LENGTH), "use decision_boundary"),
    ],
)
def test_the_command_refuses_in_words(iris_run: Run, options: tuple[str, ...], words: str, tmp_path: Path) -> None:
    result = invoke("explain", str(iris_run.path), *options, "-o", str(tmp_path / "out"))
    assert result.exit_code == 2
    assert words in result.stderr
    assert not (tmp_path / "out").exists()
