"""`shoal.fit(network=...)`: a population of one network, and networks that do not fit the data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import shoal
from shoal import Conv2D, Dense, Network
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
