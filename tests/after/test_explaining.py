"""Explanations of real, tiny runs: in Python, on the command line, and what is said of what cannot be explained."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

import shoal
from shoal.after.explaining import check_explainable, validation_rows
from shoal.cli.app import app

TINY: dict[str, Any] = {"networks": 3, "hidden": (6,), "activation": "tanh", "epochs": 30, "batch_size": 32}


def invoke(*words: str) -> Any:
    return CliRunner().invoke(app, list(words), prog_name="shoal", env={"COLUMNS": "300", "NO_COLOR": "1"})


def measured(rows: int = 400) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    a = rng.normal(size=rows)
    table = {
        "a [m]": a,
        "twin": a + 0.1 * rng.normal(size=rows),
        "b": rng.normal(size=rows),
        "colour": rng.choice(["red", "blue"], rows),
        "w": np.where(rng.random(rows) < 0.1, -0.5, 1.0),
        "tube": rng.integers(0, 40, rows),
    }
    table["y"] = 2 * a + table["b"] + (table["colour"] == "red") + 0.1 * rng.normal(size=rows)
    return table


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Hold a file and two runs on it: with weights and groups, and with folds."""
    root = tmp_path_factory.mktemp("explain")
    path = str(root / "table.csv")
    pl.DataFrame(measured()).write_csv(path)
    more = {"weight": "w", "group": "tube", "learning_rate": 0.02}
    shoal.fit(path, target="y", out=str(root / "plain"), **TINY, **more)
    shoal.fit(path, target="y", out=str(root / "folds"), cv=3, weight="w", ignore="tube", **TINY, page=False)
    return root


@pytest.mark.slow
def test_the_command_tells_and_writes(root: Path, tmp_path: Path) -> None:
    opened = shoal.load(root / "plain").metrics["test_openings"]
    result = invoke("explain", str(root / "plain"), "-o", str(tmp_path), "--ice")
    assert result.exit_code == 0, result.stderr
    said = " ".join(result.stdout.split())
    assert "a [m] + twin" in said or "twin + a [m]" in said
    assert "(alone)" in said
    assert "misleads: the others stand in for it" in said
    assert "accumulated effects" in said
    assert "Friedman's H" in said
    for name in ("importance", "partial_dependence", "interactions"):
        assert all((tmp_path / f"{name}.{end}").stat().st_size for end in ("svg", "pdf", "csv"))
    found = json.loads((tmp_path / "explanation.json").read_text(encoding="utf-8"))
    assert found["format"] == 1
    assert found["importance"]["groups"][0]["rmse"]["error"] > 0
    assert len(found["effects"][0]["curves"]) > 1
    table = pl.read_csv(tmp_path / "importance.csv")
    assert table.height == 3 + 2
    assert {"rmse", "rmse_error", "rmse_rows", "rmse_members"} <= set(table.columns)
    assert shoal.load(root / "plain").metrics["test_openings"] == opened


@pytest.mark.slow
def test_the_rows_are_those_of_validation_and_the_scores_those_of_the_run(root: Path) -> None:
    for name in ("plain", "folds"):
        run = shoal.load(root / name)
        subject = validation_rows(run)
        kept = run.folder.scored("validation")
        # with folds the scores are those of the rows that judged a network, and half of the others stopped one
        places = slice(None) if name == "plain" else np.isin(subject.y[:, 0], kept.truth[:, 0])
        np.testing.assert_allclose(np.sort(subject.y[places], axis=0), np.sort(kept.truth, axis=0))
        found = shoal.explain(run, interactions=0, repeats=2)
        assert found.importance is not None
        near = 1e-4 if name == "plain" else 0.2
        assert found.importance.score["rmse"] == pytest.approx(run.metrics["validation"]["rmse"]["value"], rel=near)
    assert found.on == "320 rows out of fold"


@pytest.mark.slow
def test_the_page_and_the_numbers_hold_the_importance(root: Path) -> None:
    metrics = shoal.load(root / "plain").metrics["importance"]
    assert {"a [m]", "twin"} == set(metrics["groups"][0]["columns"])
    page = (root / "plain" / "report.html").read_text(encoding="utf-8")
    assert "What the networks look at" in page
    assert 'id="figure-importance"' in page
    assert (root / "plain" / "figures" / "importance.csv").is_file()


def test_other_rows_may_have_no_targets(root: Path) -> None:
    rows = {name: values[:150] for name, values in measured().items() if name != "y"}
    found = shoal.explain(root / "plain", rows, interactions=2)
    assert found.importance is None
    assert "no importance could be measured" in found.notes[0]
    assert found.effects[0].column == "a [m]"
    assert found.interactions is not None
    labelled = {name: values[:150] for name, values in measured().items()}
    again = shoal.explain(root / "plain", labelled, columns=["b", "colour"], interactions=0, most_rows=100)
    assert again.importance is not None
    assert [one.column for one in again.effects] == ["b", "colour"]
    assert again.notes == ("100 of the 150 rows given were drawn",)


def test_the_data_of_the_fit_give_its_validation_rows(root: Path) -> None:
    found = shoal.explain(root / "plain", str(root / "table.csv"), interactions=0, repeats=2)
    assert "validation rows" in found.on
    run = shoal.fit(measured(), target="y", out=str(root / "python"), **TINY, page=False)
    with pytest.raises(shoal.RunError, match="fitted on data from Python, which are not kept; hand them over again"):
        shoal.explain(run)
    assert shoal.explain(run, measured(), interactions=0, repeats=2).on == "64 validation rows"


@pytest.mark.slow
def test_single_answers_are_taken_apart(root: Path, tmp_path: Path) -> None:
    words = ("explain", str(root / "plain"), str(root / "table.csv"), "--row", "3", "--row", "5", "-o", str(tmp_path))
    result = invoke(*words)
    assert result.exit_code == 0, result.stderr
    assert "row 3: answer for 'y' " in result.stdout
    assert "Shapley values by sampling" in result.stdout
    found = json.loads((tmp_path / "attribution.json").read_text(encoding="utf-8"))["attributions"]
    prediction = shoal.load(root / "plain").predict({name: v[[2, 4]] for name, v in measured().items()})
    assert prediction.mean is not None
    for one, mean in zip(found, prediction.mean[:, 0], strict=True):
        assert one["answer"] == pytest.approx(mean, rel=1e-4)
        assert sum(part["part"] for part in one["parts"]) == pytest.approx(one["answer"] - one["baseline"], rel=1e-6)
    assert (tmp_path / "attribution_5.pdf").is_file()
    assert "gradients" in invoke(*words[:-4], "--method", "gradients", "-o", str(tmp_path)).stdout


@pytest.mark.slow
def test_the_same_command_writes_the_same_files(iris_run: Any, tmp_path: Path) -> None:
    for name in ("one", "two"):
        assert invoke("explain", str(iris_run.path), "-o", str(tmp_path / name), "-q").exit_code == 0
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()


@pytest.mark.slow
def test_several_classes_are_shown_together_or_one(iris_run: Any) -> None:
    found = shoal.explain(iris_run, interactions=2, repeats=2)
    assert found.effects[0].outputs == ("setosa", "versicolor", "virginica")
    assert list(found.importance.score) == ["log_loss", "accuracy"]  # type: ignore[union-attr]
    one = shoal.explain(iris_run, of="virginica", interactions=2, repeats=2)
    np.testing.assert_allclose(one.effects[0].partial.mean[:, 0], found.effects[0].partial.mean[:, 2])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ("--column", "twim"),
            "column 'twim' is none that the networks predict from; those are a [m], twin, b, colour.",
        ),
        (("--row", "4000"), "there is no row 4000: there are"),
        (("--of", "z"), "of: expected the target y, got 'z'"),
        (("--interactions", "1"), "2 or more, got 1"),
        (("--most-rows", "1"), "most_rows must be 2 or more, got 1"),
        (("--method", "shap", "--row", "1"), "method must be one of auto, gradients, shapley, got 'shap'"),
    ],
)
def test_wrong_words_are_named(root: Path, words: tuple[str, ...], message: str) -> None:
    result = invoke("explain", str(root / "plain"), *words)
    assert result.exit_code == 2
    assert message in result.stderr
    assert not (root / "plain" / "explanation").exists()


@pytest.mark.slow
def test_data_that_are_gone_or_changed_are_named(root: Path, tmp_path: Path) -> None:
    path = tmp_path / "moving.csv"
    pl.DataFrame(measured(100)).write_csv(path)
    run = shoal.fit(str(path), target="y", out=str(tmp_path / "run"), **{**TINY, "epochs": 2}, page=False)
    pl.DataFrame(measured(101)).write_csv(path)
    with pytest.raises(shoal.RunError, match="have changed since run was fitted"):
        shoal.explain(run)
    path.unlink()
    with pytest.raises(shoal.RunError, match="the validation rows of run cannot be read again"):
        shoal.explain(run)
    one = {name: values[:1] for name, values in measured(100).items()}
    found = shoal.explain(run, one, rows=0)
    assert "which are few: 1" in found.notes[0]
    with pytest.raises(shoal.DataError, match="an explanation needs two rows at least, got 1"):
        shoal.explain(run, one)


def test_what_is_no_table_is_told_where_to_look(tmp_path: Path) -> None:
    images = SimpleNamespace(kind="images")
    run = SimpleNamespace(name="photos-1", reconstructs=False)
    run.predictor = SimpleNamespace(preparation=SimpleNamespace(signals=images))
    with pytest.raises(shoal.SettingError, match="photos-1 predicts from images; where its networks look is shown"):
        check_explainable(run)  # type: ignore[arg-type]
    run.reconstructs = True
    with pytest.raises(shoal.SettingError, match="reconstructs and predicts nothing that could be explained"):
        check_explainable(run)  # type: ignore[arg-type]
