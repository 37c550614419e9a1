"""`shoal.fit(network=...)`: a population of one network, and networks that do not fit the data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import shoal
from shoal import Conv2D, Dense, Network
from shoal.cli import main
from shoal.settings import check_settings

IRIS = Network([Dense(8, activation=("relu", "tanh") * 4), Dense(3, activation="softmax")], 4)


@pytest.mark.slow
def test_a_population_of_a_given_network(tmp_path: Path) -> None:
    options: dict[str, Any] = {"networks": 3, "epochs": 3, "page": False, "batch_size": 32, "engine": "native"}
    run = shoal.fit("iris", network=IRIS, **{**options, "out": str(tmp_path / "run")})
    assert run.metrics["networks"]["parameters"] == [67] * run.metrics["networks"]["kept"]
    kept = run.folder.config["settings"]
    assert check_settings(kept).network == IRIS
    members = run.predictor.members
    assert {member.network for member in members} == {IRIS}
    assert run.candidates["activation"].unique().to_list() == ["relu, tanh"]
    text = shoal.fit("iris", network="4 8:relu 3:softmax", **{**options, "out": str(tmp_path / "text")})
    assert text.metrics["networks"]["parameters"][0] == 67


@pytest.mark.slow
def test_a_population_of_a_keras_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import keras

    model = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(8, activation="relu"),
            keras.layers.Dense(3, activation="softmax", name="species"),
        ]
    )
    options: dict[str, Any] = {"networks": 2, "epochs": 3, "page": False, "batch_size": 32, "engine": "native"}
    run = shoal.fit("iris", network=model, out=str(tmp_path / "live"), **options)
    file = Network.from_keras(model).to_keras(tmp_path / "model.keras")
    words = [
        str(word)
        for pair in options.items()
        if pair[0] != "page"
        for word in (f"--{pair[0].replace('_', '-')}", pair[1])
    ]
    assert main(["fit", "iris", "--network", str(file), "--out", str(tmp_path / "file"), "--no-page", *words]) == 0
    capsys.readouterr()
    again = shoal.load(tmp_path / "file")
    for one, other in zip(run.predictor.members, again.predictor.members, strict=True):
        assert one.network.names == other.network.names == ("dense", "species")
        np.testing.assert_array_equal(one.weights["species"]["kernel"], other.weights["species"]["kernel"])
    assert check_settings(again.folder.config["settings"]).network == Network.from_keras(model)


def test_keras_models_that_do_not_fit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = Network.parse("5 8:relu 3:softmax").to_keras(tmp_path / "model.keras")
    assert main(["fit", "iris", "--network", str(file), "--out", str(tmp_path / "run")]) == 2
    assert "takes rows of shape (5,), but the prepared data have (4,)" in " ".join(capsys.readouterr().err.split())
    assert main(["fit", "iris", "--network", str(tmp_path / "none.keras"), "--out", str(tmp_path / "run")]) == 2
    assert "does not exist" in " ".join(capsys.readouterr().err.split())


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"network": Network([Dense(2, activation="softmax")], 4)}, r"\(2,\) and activation 'softmax'; .*\(3,\)"),
    ({"network": Network([Dense(3)], 4)}, r"need \(3,\) and 'softmax': end it with Dense\(3, activation='softmax'\)"),
    ({"network": Network([Dense(3, activation="softmax")], 5)}, r"shape \(5,\), but the prepared data have \(4,\)"),
    ({"network": IRIS, "hidden": (8,)}, "network and hidden both say"),
    ({"network": IRIS, "dropout": 0.2}, "network and dropout both say"),
    ({"network": 7}, "expected a Network"),
    ({"network": "16"}, "write networks=16"),
    ({"network": "4 8:rel 3"}, "Did you mean 'relu'"),
    ({"network": Network([Dense(3, activation=lambda z: z)], 4)}, "cannot be kept in a file"),
]


@pytest.mark.parametrize(("settings", "message"), WRONG)
def test_networks_that_do_not_fit(tmp_path: Path, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        shoal.fit("iris", out=str(tmp_path / "run"), **settings)
    assert isinstance(caught.value, shoal.ShoalError)
    assert not (tmp_path / "run").exists()


def test_a_network_of_layers_without_a_word_is_described() -> None:
    image = Network([Conv2D(2, 3), shoal.Flatten(), Dense(4), Dense(3, activation="softmax")], (5, 5, 1))
    fixed = check_settings({"network": image}).fixed()
    assert (fixed["layers"], fixed["hidden"], fixed["activation"]) == ("conv2d flatten", (4,), ("linear",))
