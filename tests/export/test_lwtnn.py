"""Single dense networks for lwtnn: its own formula gives what shoal says, and what it cannot say is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import shoal
from shoal.errors import ExportError
from shoal.export.lwtnn import ACTIVATIONS, FUNCTIONS
from shoal.networks import numpy_namespace
from shoal.networks.activations import apply_activation

SMALL: dict[str, Any] = {
    "networks": 2, "keep": 1, "epochs": 5, "batch_size": 32, "page": False, "seal_test": True,
    "feature_encoding": "plain",
}  # fmt: skip


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_are_those_of_shoal(name: str) -> None:
    z = np.random.default_rng(0).normal(size=(20, 3)) * 3.0
    there = ACTIVATIONS[name]
    function = FUNCTIONS[there if isinstance(there, str) else there["function"]]
    np.testing.assert_allclose(function(z), apply_activation(numpy_namespace, name, z), rtol=1e-10)


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("lwtnn") / "table.csv"
    draw = np.random.default_rng(0)
    x = draw.normal(size=(150, 2)) * [1.0, 100.0]
    y = x[:, 0] + 0.01 * x[:, 1]
    flag = np.where(draw.random(150) < 0.5, "true", "false")
    columns = {"a": x[:, 0], "b, c": x[:, 1], "on": flag, "gaps": np.where(draw.random(150) < 0.1, np.nan, y)}
    pl.DataFrame({**columns, "y": y * 50.0 + 3.0, "kind": np.where(y > 0, "up", "down")}).fill_nan(None).write_csv(path)
    return str(path)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("target", "ignore", "more"),
    [("kind", ("y", "gaps"), {"activation": "elu"}), ("y", ("kind", "gaps"), {"activation": "tanh"})],
)
def test_agrees(table: str, target: str, ignore: tuple[str, ...], more: dict[str, Any], tmp_path: Path) -> None:
    run = shoal.fit(table, target=target, ignore=ignore, hidden=(5, 4), out=str(tmp_path / "run"), **SMALL, **more)
    written = shoal.export_model(run, tmp_path / "m.lwtnn.json")
    assert written.agreement.holds, str(written.agreement)
    assert "error bars" in written.notes[0]
    document = json.loads(written.files[0].read_text())
    assert [field["name"] for field in document["inputs"]] == ["a", "b, c", "on"]
    assert [layer["architecture"] for layer in document["layers"]] == ["dense"] * 3
    assert len(document["layers"][0]["weights"]) == 3 * 5
    assert document["outputs"] == (["down", "up"] if target == "kind" else ["y"])
    one = shoal.export_model(run, tmp_path / "one.lwtnn.json", member="smallest")
    assert one.agreement.holds, str(one.agreement)
    assert one.notes[0].endswith("alone, uncalibrated, one of 1 that were kept.")


@pytest.mark.slow
def test_what_it_cannot_say_is_refused(table: str, tmp_path: Path) -> None:
    def refused(match: str, **more: Any) -> None:
        out = str(tmp_path / match.split()[1])
        run = shoal.fit(table, target="kind", out=out, **{**SMALL, "ignore": "y", **more})
        with pytest.raises(ExportError, match=match):
            shoal.export_model(run, tmp_path / "m.lwtnn.json")
        assert not (tmp_path / "m.lwtnn.json").exists()

    refused("ensembles, and this run keeps 2 networks", keep=2, hidden=(3,))
    refused("that the column 'gaps' is missing", hidden=(3,))
    refused("the layer PiecewiseEncoding", hidden=(3,), feature_encoding="piecewise", ignore=("y", "gaps"))
    refused("the activation 'gelu'", hidden=(3,), activation="gelu", ignore=("y", "gaps"))
