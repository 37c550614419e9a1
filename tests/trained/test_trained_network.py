"""What `Network.fit` returns: saved and loaded, damaged files refused, its figures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import shoal
from shoal.errors import DataError, NetworkError, RunError, SettingError
from shoal.networks import Dense, Network
from shoal.trained.trained_network import TrainedNetwork

SPARSE = "sparse_categorical_crossentropy"


@pytest.fixture(scope="module")
def trained(classifier: Network, classes: Any) -> TrainedNetwork:
    """A network that was trained for three epochs, with a metric and validation rows."""
    return classifier.fit(*classes, loss=SPARSE, epochs=3, metrics=["accuracy"], validation_split=0.2)


def test_what_is_saved_comes_back(trained: TrainedNetwork, classes: Any, tmp_path: Path) -> None:
    trained.save(tmp_path / "net")
    loaded = shoal.TrainedNetwork.load(tmp_path / "net")
    assert {path.name for path in (tmp_path / "net").iterdir()} == {"model.json", "weights.safetensors"}
    assert (loaded.network, loaded.history, loaded.best_epoch) == (trained.network, trained.history, trained.best_epoch)
    np.testing.assert_array_equal(loaded.predict(classes[0]), trained.predict(classes[0]))
    assert loaded.evaluate(*classes) == trained.evaluate(*classes)
    assert loaded.fit(*classes, epochs=2).history == trained.fit(*classes, epochs=2).history


def test_functions_are_not_saved(regressor: Network, numbers: Any, tmp_path: Path) -> None:
    def spread(y_true: Any, y_pred: Any) -> float:
        return float(np.std(y_true - y_pred))

    trained = regressor.fit(*numbers, loss="mse", metrics=[spread, "mae"], epochs=1)
    loaded = TrainedNetwork.load(trained.save(tmp_path / "net"))
    assert sorted(loaded.evaluate(*numbers)) == ["loss", "mae"]
    assert loaded.history == trained.history
    lost = TrainedNetwork(trained.network, trained.parameters, trained.history, {**trained.arguments, "loss": spread})
    loaded = TrainedNetwork.load(lost.save(tmp_path / "other"))
    with pytest.raises(SettingError, match="the loss was a function, which no file keeps"):
        loaded.evaluate(*numbers)
    with pytest.raises(SettingError, match="give a loss"):
        loaded.fit(*numbers)
    own = Network([Dense(1, activation=lambda z: z)], 4)
    with pytest.raises(NetworkError, match="cannot be kept in a file"):
        TrainedNetwork(own, own.initialize(), {"loss": []}, trained.arguments).save(tmp_path / "third")


@pytest.mark.parametrize("name", ["model.json", "weights.safetensors"])
def test_damaged_files_are_refused(trained: TrainedNetwork, tmp_path: Path, name: str) -> None:
    folder = trained.save(tmp_path / "net")
    data = (folder / name).read_bytes()
    for damaged in (data[:-20], data.replace(b"dense", b"dance", 1) + b" ", b""):
        if damaged.strip() != data.strip():
            (folder / name).write_bytes(damaged)
            with pytest.raises(RunError, match=f"{name}.*train the network again"):
                TrainedNetwork.load(folder)
    (folder / name).unlink()
    with pytest.raises(RunError, match=name):
        TrainedNetwork.load(folder)


def test_a_saved_predictor_is_no_trained_network() -> None:
    run = Path(__file__).parents[1] / "fixtures/runs/2/classes/model"
    with pytest.raises(RunError, match=r"holds no trained network; shoal.load opens the folder of a run"):
        TrainedNetwork.load(run)


def test_its_figures(trained: TrainedNetwork, tmp_path: Path) -> None:
    figure = trained.plot(tmp_path / "history.svg")
    assert [axes.get_ylabel() for axes in figure.axes] == ["loss", "accuracy"]
    lines = {line.get_label(): line.get_ydata() for line in figure.axes[0].get_lines()}
    np.testing.assert_allclose(lines["training"], trained.history["loss"])
    np.testing.assert_allclose(lines["validation"], trained.history["val_loss"])
    trained.draw(tmp_path / "network.svg", feature_names=list("abcd"))
    assert (tmp_path / "history.svg").stat().st_size > 1000
    with pytest.raises(SettingError, match="its name must end in one of"):
        trained.plot(tmp_path / "history.xyz")


def test_weights_by_keras_names_are_those_that_a_network_takes(trained: TrainedNetwork, classes: Any) -> None:
    network, weights = trained.network, trained.weights
    assert {name: sorted(layer) for name, layer in weights.items()} == {
        "dense": ["bias", "kernel"],
        "dense_1": ["bias", "kernel"],
    }
    np.testing.assert_array_equal(network.apply(weights, classes[0]), trained.predict(classes[0]))
    np.testing.assert_array_equal(network.predict(weights, classes[0]), trained.predict(classes[0]))
    assert network.outputs(weights, classes[0])[0].shape == (60, 8)
    with pytest.raises(DataError, match="axis 1 has 3 for 4"):
        trained.predict(classes[0][:, :3])
    with pytest.raises(NetworkError, match="no layer is called 'dense_2'"):
        network.apply({**weights, "dense_2": {}}, classes[0])
    with pytest.raises(NetworkError, match=r"layer 'dense_1' \(Dense\) needs parameters kernel .* got none"):
        network.apply({"dense": weights["dense"]}, classes[0])
