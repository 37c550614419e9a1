"""Networks from Keras models and back: equal numbers, clear refusals, and files that mean harm."""

from __future__ import annotations

import functools
import io
import json
import random
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import layer_examples
import numpy as np
import pytest

from shoal import Dense, Network, NetworkError, SettingError, ShoalWarning, TrainedNetwork
from shoal.networks import Layer
from shoal.networks.layers import Branches, Masking, Residual

# Keras saves its variables by a way of NumPy that has changed.
pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*will therefore destroy the mask:UserWarning"),
]
NAMES = ("selu", "gelu", "mish", "squareplus", "sparse_plus", "hard_shrink", "threshold", "log_softmax", "exponential")
EXAMPLES = [each for kind, examples in layer_examples.EXAMPLES.items() if kind != "Embedding" for each in examples]
EXAMPLES += [(Dense(4, activation=name), (4,)) for name in NAMES]


def random_network(seed: int) -> Network:
    """Layers that fit behind each other, all with settings from their contract tests."""
    rng = np.random.default_rng(seed)
    first, shape = EXAMPLES[rng.integers(len(EXAMPLES))]
    layers: list[Layer] = [first]
    network = Network(layers, shape or (3,))
    for _ in range(300):
        layer = EXAMPLES[rng.integers(len(EXAMPLES))][0]
        if layer.name or isinstance(layer, Masking) or len(layers) > 1 + seed % 4:
            continue
        try:
            larger = Network([*layers, layer], network.input_shape)
        except NetworkError:
            continue
        if larger.values < 2000:
            layers, network = [*layers, layer], larger
    return network


def random_weights(network: Network, seed: int) -> list[dict[str, np.ndarray]]:
    rng = np.random.default_rng(seed)
    return [
        {
            n: (0.5 + abs(v) if "variance" in n else v + rng.normal(0, 0.2, v.shape)).astype(np.float32)
            for n, v in p.items()
        }
        for p in network.initialize(seed)
    ]


def assert_close(ours: np.ndarray, theirs: Any) -> None:
    np.testing.assert_allclose(ours, np.asarray(theirs), rtol=1e-5, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(30))
def test_random_networks_are_equal_in_keras_and_back(seed: int, tmp_path: Path) -> None:
    import keras

    network = random_network(seed)
    parameters = random_weights(network, seed)
    x = np.random.default_rng(seed).normal(size=(3, *network.input_shape)).astype(np.float32)
    expected = network.predict(parameters, x)
    model = keras.saving.load_model(network.to_keras(tmp_path / "a.keras", parameters), safe_mode=True)
    assert_close(expected, model(x))
    model.save(tmp_path / "b.keras")
    for source in (tmp_path / "a.keras", tmp_path / "b.keras", model):
        assert_close(TrainedNetwork.from_keras(source).predict(x), expected)


def models() -> dict[str, tuple[Callable[[Any, Any], Any], tuple[int, ...]]]:
    """Models as users write them, by name: a function of `keras` and its layers, and the shape of a row."""

    def merges(keras: Any, k: Any) -> Any:
        x = keras.Input((4,))
        y = k.Add()([x, k.Dense(4)(x)])
        y = k.Concatenate()([k.Dense(2, activation="relu")(y), y, k.Dense(3)(k.Dense(2)(y))])
        y = k.Subtract()([k.Dense(3)(y), k.Dense(3)(y)])
        return keras.Model(x, k.Dense(1)(y))

    def operators(keras: Any, k: Any) -> Any:
        x = keras.Input((4,))
        y = 1 - (k.Dense(4)(x) + x) * 2.0
        return keras.Model(x, y * (y / 4 - 0.5))

    def nested(keras: Any, k: Any) -> Any:
        inner = keras.Sequential([k.Dense(5, activation="tanh"), k.BatchNormalization()], name="inner")
        x = keras.Input((5,))
        deeper = keras.Model(x, k.Add()([x, k.Dense(5)(x)]))
        return keras.Sequential([keras.Input((4,)), inner, deeper, k.Dense(2, name="out")])

    def recurrent(keras: Any, k: Any) -> Any:
        x = keras.Input((6, 3))
        y = k.Bidirectional(k.GRU(3, return_sequences=True))(k.Masking()(x))
        y = k.RNN(k.LSTMCell(4), return_sequences=True)(k.Dense(4)(y))
        return keras.Model(x, k.Dense(1)(k.SimpleRNN(3)(k.LayerNormalization()(y))))

    def masks_that_are_dropped(keras: Any, k: Any) -> Any:
        norm = k.Normalization(mean=[1.0, 2.0, 3.0], variance=[1.0, 4.0, 2.0])
        return keras.Sequential([keras.Input((6, 3)), k.Masking(), norm, k.Conv1D(4, 3), k.LSTM(4)])

    def image(keras: Any, k: Any) -> Any:
        layers = [k.Rescaling(1 / 255), k.SeparableConv2D(4, 3, padding="same"), k.PReLU(shared_axes=[1, 2])]
        ends = [k.MaxPooling2D(), k.Softmax(axis=3), k.GlobalAveragePooling2D(), k.Dense(2, activation="softmax")]
        return keras.Sequential([keras.Input((8, 8, 1)), *layers, *ends])

    def adapted(keras: Any, k: Any) -> Any:
        norm = k.Normalization()
        norm.adapt(np.random.default_rng(0).normal(3, 2, (50, 4)))
        turned = k.Normalization(axis=None, mean=3.0, variance=2.0, invert=True)
        return keras.Sequential([keras.Input((4,)), norm, turned, k.ActivityRegularization(0.1), k.Dense(2)])

    return {
        "merges": (merges, (4,)),
        "operators": (operators, (4,)),
        "nested": (nested, (4,)),
        "recurrent": (recurrent, (6, 3)),
        "dropped": (masks_that_are_dropped, (6, 3)),
        "image": (image, (8, 8, 1)),
        "adapted": (adapted, (4,)),
    }


@pytest.mark.slow
@pytest.mark.parametrize("name", models())
def test_models_of_users_are_read(name: str, tmp_path: Path) -> None:
    import keras

    make, shape = models()[name]
    model = make(keras, keras.layers)
    x = np.random.default_rng(1).normal(size=(4, *shape)).astype(np.float32)
    x[0, len(shape) :] = 0.0
    if len(shape) == 2:
        x[1, 3:] = 0.0
    model.save(tmp_path / "m.keras")
    expected = np.asarray(model(x))
    for source in (model, tmp_path / "m.keras", str(tmp_path / "m.keras")):
        assert_close(TrainedNetwork.from_keras(source).predict(x), expected)
    if name not in ("nested", "operators"):
        with open(tmp_path / "old.h5", "wb") as file:  # Keras warns of the format
            file.write(old_file(model, tmp_path))
        assert_close(TrainedNetwork.from_keras(tmp_path / "old.h5").predict(x), expected)


def old_file(model: Any, folder: Path) -> bytes:
    import logging

    logging.disable()
    try:
        model.save(folder / "legacy.h5")
    finally:
        logging.disable(logging.NOTSET)
    return (folder / "legacy.h5").read_bytes()


def refusals() -> list[tuple[Callable[[Any, Any], Any], str]]:
    def shared(keras: Any, k: Any) -> Any:
        x, dense = keras.Input((4,)), k.Dense(4, name="twice")
        return keras.Model(x, dense(dense(x)))

    def outputs(keras: Any, k: Any) -> Any:
        x = keras.Input((4,))
        return keras.Model(x, [k.Dense(2)(x), k.Dense(1)(x)])

    def crossed(keras: Any, k: Any) -> Any:
        x = keras.Input((4,))
        y = k.Dense(4, name="crossing")(x)
        return keras.Model(x, k.Concatenate()([x, y, k.Dense(4)(k.Add()([x, y]))]))

    def one(layer: str, *given: Any, **settings: Any) -> Callable[[Any, Any], Any]:
        return lambda keras, k: keras.Sequential([keras.Input((4, 4)), getattr(k, layer)(*given, **settings)])

    return [
        (shared, r"'twice' \(Dense\) is shared: the model calls it 2 times"),
        (outputs, "has 2 outputs, and networks of shoal one"),
        (crossed, r"'crossing' \(Dense\) feeds layers that do not meet again"),
        (one("Lambda", lambda x: x, output_shape=(4, 4)), r"'lambda\w*' \(Lambda\) holds code, which shoal never runs"),
        (one("AlphaDropout", 0.1), r"\(AlphaDropout\) has no like in shoal. The nearest is Dropout"),
        (one("UnitNormalization"), "The nearest is LayerNormalization"),
        (one("Conv1D", 4, 3, groups=2), r"has groups=2, which shoal's Conv1D lacks"),
        (one("Conv1D", 4, 3, data_format="channels_first"), "has data_format='channels_first'"),
        (one("LSTM", 4, recurrent_dropout=0.1), "has recurrent_dropout=0.1"),
        (one("BatchNormalization", axis=1), "works along the last"),
        (one("Dense", 4, activation="sparsemax"), "computes otherwise"),
    ]


@pytest.mark.slow
@pytest.mark.parametrize("number", range(len(refusals())))
def test_what_cannot_be_said_is_refused_by_name(number: int) -> None:
    import keras

    make, message = refusals()[number]
    with pytest.raises(NetworkError, match=message):
        Network.from_keras(make(keras, keras.layers))


@pytest.mark.slow
def test_weights_find_their_layers_in_branches_of_any_depth(tmp_path: Path) -> None:
    import keras

    deep = (Dense(3, activation="tanh"), Dense(3), Residual((Dense(3), Dense(3))))
    network = Network([Branches(((Dense(3),), deep, (), (Dense(2), Dense(3))), "average"), Dense(3), Dense(3)], 3)
    parameters, x = random_weights(network, 1), np.random.default_rng(1).normal(size=(4, 3)).astype(np.float32)
    model = keras.saving.load_model(network.to_keras(tmp_path / "m.keras", parameters))
    assert_close(network.predict(parameters, x), model(x))
    assert_close(network.predict(parameters, x), TrainedNetwork.from_keras(tmp_path / "m.keras").predict(x))


@pytest.mark.slow
def test_names_and_start_values() -> None:
    import keras

    layers = keras.layers
    given = keras.Sequential([keras.Input((None, 3)), layers.LSTM(4, dropout=0.2), layers.Dense(3, name="classes")])
    network = Network.from_keras(given, input_shape=(5, 3))
    assert network.names == ("spatial_dropout1d", "lstm", "classes")
    with pytest.raises(NetworkError, match=r"of any length; .*input_shape=\(20, 3\)"):
        Network.from_keras(given)
    with pytest.raises(NetworkError, match=r"takes rows of shape \(None, 3\), not of \(5, 4\)"):
        Network.from_keras(given, input_shape=(5, 4))
    own = keras.initializers.RandomNormal(stddev=0.3)
    with pytest.warns(ShoalWarning, match="kernel_initializer is 'glorot_uniform'"):
        Network.from_keras(keras.Sequential([keras.Input((4,)), layers.Dense(2, kernel_initializer=own)]))


def test_a_network_comes_back_as_it_was(tmp_path: Path) -> None:
    text = "8x8x1 conv2d:4:3:relu maxpooling2d:2 flatten dropout:0.2 16:tanh 3:softmax"
    network = Network.parse(text)
    first = network.to_keras(tmp_path / "a.keras").read_bytes()
    assert Network.from_keras(tmp_path / "a.keras") == network
    assert network.to_keras(tmp_path / "b.keras").read_bytes() == first
    frozen = network.freeze("conv2d").to_keras(tmp_path / "frozen.keras")
    assert [layer.trainable for layer in Network.from_keras(frozen).layers] == [False] + [True] * 5
    with pytest.raises(SettingError, match=r"end in .keras, got 'model.h5'"):
        network.to_keras(tmp_path / "model.h5")
    with pytest.raises(NetworkError, match="Python function as activation"):
        Network([Dense(3, activation=lambda z: z)], 4).to_keras(tmp_path / "c.keras")


def test_a_trained_network_goes_out_and_comes_in(tmp_path: Path) -> None:
    x = np.random.default_rng(0).normal(size=(20, 2)).astype(np.float32)
    trained = Network.parse("2 4:tanh 1").fit(x, x.sum(axis=1), loss="mse", epochs=2, batch_size=20)
    back = TrainedNetwork.from_keras(trained.to_keras(tmp_path / "model.keras"))
    np.testing.assert_array_equal(back.predict(x), trained.predict(x))
    assert "0 epochs" in repr(back)
    with pytest.raises(SettingError, match="the loss of a model of Keras is not read"):
        back.evaluate(x, x.sum(axis=1))
    assert back.fit(x, x.sum(axis=1), loss="mse", epochs=1, batch_size=20).history["loss"][0] < 100
    back.save(tmp_path / "saved")
    np.testing.assert_array_equal(TrainedNetwork.load(tmp_path / "saved").predict(x), trained.predict(x))


# Files that mean harm, or are old.


@functools.cache
def parts() -> tuple[dict[str, Any], bytes]:
    """Configuration and weights of a model with a branch and a recurrent layer."""
    from shoal.keras.writing import keras_bytes
    from shoal.networks import LSTM, Conv1D, Residual

    network = Network([Residual((Conv1D(2, 3, padding="same"),)), LSTM(3), Dense(2)], (4, 2))
    with zipfile.ZipFile(io.BytesIO(keras_bytes(network, network.initialize()))) as archive:
        return json.loads(archive.read("config.json")), archive.read("model.weights.h5")


def written(path: Path, config: Any, weights: bytes, compression: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("config.json", config if isinstance(config, (bytes, str)) else json.dumps(config))
        archive.writestr("model.weights.h5", weights)
    return path


def hostile(folder: Path, kind: str) -> Path:
    import h5py

    config, weights = parts()
    path, memory = folder / "m.keras", io.BytesIO(weights)
    dense = "layers/dense/vars/0"
    if kind == "deep":
        return written(path, '{"a":' * 100_000 + "1" + "}" * 100_000, weights)
    if kind == "large configuration":
        return written(path, b" " * (17 * 2**20), weights)
    if kind == "zip bomb":
        return written(path, b" " * 2**26, b"\0" * 2**26, zipfile.ZIP_DEFLATED)
    if kind == "huge layer":
        text = json.dumps(config).replace('"units": 2', '"units": 1000000000000')
        return written(path, text, weights)
    if kind == "truncated":
        path.write_bytes(written(path, config, weights).read_bytes()[:-40])
        return path
    with h5py.File(memory, "r+") as file:
        values = file[dense][()]
        del file[dense]
        if kind == "external link":
            file[dense] = h5py.ExternalLink("/etc/passwd", "/x")
        elif kind == "soft link":
            file[dense] = h5py.SoftLink("/layers/dense/vars/1")
        elif kind == "external data":
            file.create_dataset(dense, values.shape, "f4", external=[("/etc/passwd", 0, 24)])
        elif kind == "nothing stored":
            file.create_dataset(dense, values.shape, "f4", chunks=True, compression="gzip")
        elif kind == "not finite":
            file[dense] = values * np.float32(np.nan)
        else:
            file.create_dataset(dense, (10**9, 10**3), "f4", chunks=(100, 100))
    return written(path, config, memory.getvalue())


HOSTILE = {
    "deep": "too deep to be one",
    "large configuration": "larger than 16,777,216 bytes",
    "zip bomb": "is compressed",
    "huge layer": "needs the weights kernel",
    "truncated": "no model of Keras, or cut off",
    "external link": "is a link, which Keras never writes",
    "soft link": "is a link, which Keras never writes",
    "external data": "no array of numbers in this file",
    "nothing stored": "compressed or not wholly in the file",
    "not finite": "no finite numbers, in kernel",
    "huge array": "compressed or not wholly in the file",
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_files_that_mean_harm_are_refused_in_little_memory(tmp_path: Path, kind: str) -> None:
    path = hostile(tmp_path, kind)
    tracemalloc.start()
    with pytest.raises(NetworkError, match=HOSTILE[kind]):
        TrainedNetwork.from_keras(path)
    assert tracemalloc.get_traced_memory()[1] < 2**25
    tracemalloc.stop()


def damaged(config: Any, rng: random.Random) -> Any:
    """Return a configuration with one entry anywhere missing or something else."""
    if isinstance(config, dict) and config:
        key = rng.choice(list(config))
        if rng.random() < 0.2:
            return {k: v for k, v in config.items() if k != key}
        return {**config, key: damaged(config[key], rng)}
    if isinstance(config, list) and config and rng.random() < 0.9:
        i = rng.randrange(len(config))
        return [*config[:i], damaged(config[i], rng), *config[i + 1 :]]
    return rng.choice([None, -1, 10**20, "../../x", [], {}, [None], True, 0.5, {"class_name": "__lambda__"}])


@pytest.mark.parametrize(
    ("registered", "module"), [("Mine>Dense", None), (None, "my_package.layers"), ("Lambda", "keras.layers")]
)
def test_classes_of_others_are_never_taken_for_layers(tmp_path: Path, registered: str | None, module: str) -> None:
    config, weights = parts()
    changed = json.loads(json.dumps(config))
    entry = changed["config"]["layers"][-1]
    entry |= {"registered_name": registered, "module": module}
    if registered == "Lambda":
        entry["class_name"], entry["config"] = "Lambda", {"name": "dense", "function": {"class_name": "__lambda__"}}
    with pytest.raises(NetworkError, match=r"(, whose|holds) code,? (which )?shoal never runs"):
        Network.from_keras(written(tmp_path / "m.keras", changed, weights))


@pytest.mark.slow
def test_damaged_files_are_refused_or_read_but_never_crash(tmp_path: Path) -> None:
    config, weights = parts()
    whole = written(tmp_path / "whole.keras", config, weights).read_bytes()
    refused = 0
    for seed in range(400):
        rng = random.Random(seed)
        if seed % 2:
            path = written(tmp_path / "m.keras", damaged(config, rng), weights)
        else:
            torn = bytearray(whole)
            for _ in range(rng.choice([1, 10])):
                torn[rng.randrange(len(torn))] = rng.randrange(256)
            path = tmp_path / "m.keras"
            path.write_bytes(bytes(torn))
        try:
            TrainedNetwork.from_keras(path)
        except NetworkError:
            refused += 1
    assert 200 < refused < 400


def test_files_of_older_keras_are_read(tmp_path: Path) -> None:
    import h5py

    config, weights = parts()
    expected = TrainedNetwork.from_keras(written(tmp_path / "new.keras", config, weights))
    for layer in config["config"]["layers"]:
        layer["config"]["batch_input_shape"] = layer["config"].pop("batch_shape", None)
        names = [name for name in json.dumps(layer["inbound_nodes"]).split('"') if name in expected_names(config)]
        layer["inbound_nodes"] = [[[name, 0, 0, {}] for name in names]] if names else []
    memory = io.BytesIO(weights)
    with h5py.File(memory, "r+") as file:
        file.move("layers", "_layer_checkpoint_dependencies")
    older = TrainedNetwork.from_keras(written(tmp_path / "old.keras", config, memory.getvalue()))
    x = np.random.default_rng(0).normal(size=(3, 4, 2)).astype(np.float32)
    np.testing.assert_array_equal(older.predict(x), expected.predict(x))


def expected_names(config: dict[str, Any]) -> set[str]:
    return {layer["name"] for layer in config["config"]["layers"]}
