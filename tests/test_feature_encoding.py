"""Fits whose members choose how they read the numbers of a table, from the file to the saved model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import shoal
from shoal.errors import SettingError
from shoal.settings import check_settings
from shoal.steps.posing import Posed
from shoal.steps.proposing import pose_search
from shoal.steps.reading import read

ROWS = 240
SMALL: dict[str, Any] = {"epochs": 30, "batch_size": 32, "hidden": (8,), "learning_rate": 0.01, "page": False}


def table() -> pl.DataFrame:
    """Return a skewed number with errors, one with gaps, a category, and a target that waves along the first."""
    rng = np.random.default_rng(0)
    x, gap = rng.lognormal(size=ROWS), rng.normal(size=ROWS)
    kind = rng.choice(["a", "b", "c"], ROWS)
    y = np.sin(2.0 * np.log(x)) + (kind == "a") + 0.1 * rng.normal(size=ROWS)
    gaps = pl.Series(np.where(rng.random(ROWS) < 0.2, np.nan, gap)).fill_nan(None)
    return pl.DataFrame({"x": x, "gap": gaps, "kind": kind, "sx": 0.05 * x, "y": y})


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> shoal.Run:
    out = str(tmp_path_factory.mktemp("encodings") / "run")
    more = {"target": "y", "x_err": ("x=sx",), "cv": 3, "networks": 6, "keep": 3}
    return shoal.fit(table(), out=out, feature_encoding="plain; quantile; piecewise", **SMALL, **more)


def searched(data: Any, **settings: Any) -> dict[str, str]:
    checked = check_settings(settings)
    posed = Posed.of(*read(data, checked), checked)
    return dict(pose_search(posed).space.table())


def test_candidates_of_every_encoding_are_trained_and_ranked(run: shoal.Run) -> None:
    tried = {json.loads(text)["feature_encoding"] for text in run.networks["candidate"]}
    assert tried == {"plain", "quantile", "piecewise"}
    assert run.metrics["search"]["space"]["feature_encoding"] == "one of plain, quantile, piecewise"
    assert run.metrics["test"]["r2"]["value"] > run.metrics["baselines"]["linear_regression"]["r2"]["value"]


def test_the_saved_model_predicts_the_same_of_gaps_and_unknown_categories(run: shoal.Run) -> None:
    rows = pl.DataFrame({"x": [1.0, 1e6], "gap": [None, 0.0], "kind": ["never seen", None], "sx": [0.1, 0.1]})
    again = shoal.load(run.path).predict(rows)
    np.testing.assert_array_equal(again.mean, run.predict(rows).mean)
    assert again.outside.tolist() == [False, True]
    assert np.isfinite(again.mean).all()
    assert (again.input_spread > 0.0).any()


def test_knots_are_no_parameters(run: shoal.Run) -> None:
    for member in run.predictor.members:
        inputs, hidden = member.parameters[-2]["kernel"].shape
        assert member.network.parameter_count == (inputs + 1) * hidden + hidden + 1
        assert member.network.input_shape == (len(run.predictor.preparation.feature_names),)
    sizes = {member.parameters[-2]["kernel"].shape[0] for member in run.predictor.members}
    assert sizes <= {6, 6 + 2 * 12}


@pytest.mark.slow
def test_the_same_command_gives_the_same_files(tmp_path: Path) -> None:
    settings = {"target": "y", "ignore": "sx", "networks": 4, "seed": 2, "feature_encoding": "piecewise; plain"}
    few = {**SMALL, "epochs": 4}
    runs = [shoal.fit(table(), out=str(tmp_path / name), **few, **settings) for name in "ab"]
    for name in ("model.json", "weights.safetensors"):
        first, second = ((run.path / "model" / name).read_bytes() for run in runs)
        assert first == second


def test_the_default_space_of_a_table_with_numbers_has_both() -> None:
    assert searched("diabetes")["feature_encoding"] == "one of plain, piecewise"
    assert searched("diabetes", feature_encoding="quantile")["feature_encoding"] == "always quantile"
    assert "feature_encoding" not in searched("diabetes", network="10 8:relu 1")
    words = pl.DataFrame({"a": ["p", "q"] * 20, "b": ["r", "s", "s", "r"] * 10, "y": [0.1 * i for i in range(40)]})
    assert "feature_encoding" not in searched(words, target="y")


@pytest.mark.parametrize(
    ("data", "settings", "what"),
    [
        (pl.DataFrame({"a": ["p", "q"] * 20, "y": np.arange(40.0)}), {"target": "y"}, "a table without a column"),
        ("wine", {"reconstruct": True}, "a reconstruction"),
        ((np.zeros((40, 4, 4)) + np.arange(40)[:, None, None], np.arange(40) % 2), {"kind": "images"}, "images"),
    ],
    ids=["words", "reconstruction", "images"],
)
def test_where_there_are_no_numbers_to_encode_it_is_refused(data: Any, settings: dict[str, Any], what: str) -> None:
    with pytest.raises(SettingError, match=f"feature_encoding: there is nothing to encode in {what}"):
        searched(data, feature_encoding="piecewise", **settings)
    with pytest.raises(SettingError, match="network and feature_encoding both say what the networks are"):
        check_settings({"network": "4 8:relu 3:softmax", "feature_encoding": "quantile"})
