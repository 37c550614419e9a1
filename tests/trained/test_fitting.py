"""`Network.fit`: equal to Keras, the same on both engines, its history, frozen layers, and going on."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, f1_score, matthews_corrcoef

from shoal import between, choices
from shoal.errors import DataError, NetworkError, SettingError, ShoalWarning
from shoal.networks import Activation, BatchNormalization, Conv2D, Dense, Dropout, Flatten, GroupNormalization, Network
from shoal.streams import Stream
from shoal.trained.trained_network import TrainedNetwork
from shoal.training.purposes import ORDER

SPARSE = "sparse_categorical_crossentropy"


def keras_trained(network: Network, x: np.ndarray, y: np.ndarray, validation: Any, epochs: int, **compiled: Any) -> Any:
    """Return Keras' model and history of a dense network, from shoal's start and with shoal's batches of 8 rows."""
    import keras

    layers = [keras.layers.Dense(layer.units, activation=layer.activation) for layer in network.layers]  # type: ignore[attr-defined]
    model = keras.Sequential([keras.Input(network.input_shape), *layers])
    model.set_weights([array for layer in network.initialize(0) for array in layer.values()])
    model.compile(**compiled)
    history: dict[str, list[float]] = {}
    for epoch in range(epochs):
        rows = Stream(0, ORDER, 8, epoch).permutation(len(x))
        told = model.fit(x[rows], y[rows], batch_size=8, shuffle=False, verbose=0, validation_data=validation)
        for name, values in told.history.items():
            history.setdefault(name, []).extend(values)
    return model, history


@pytest.fixture(scope="module")
def in_keras(classifier: Network, classes: Any) -> Any:
    """Return model and history of the classifier after four epochs in Keras."""
    import keras

    x, y = classes
    compiled = {"loss": SPARSE, "metrics": ["accuracy"], "optimizer": keras.optimizers.Adam(0.01)}
    return keras_trained(classifier, x[:48], y[:48], (x[48:], y[48:]), 4, **compiled)


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["native", "xla"])
def test_it_equals_keras_from_the_same_start_and_batches(
    classifier: Network, classes: Any, in_keras: Any, engine: str
) -> None:
    (x, y), (model, history) = classes, in_keras
    options = {"epochs": 4, "batch_size": 8, "learning_rate": 0.01, "engine": engine}
    trained = classifier.fit(x, y, loss=SPARSE, metrics=["accuracy"], validation_split=0.2, **options)
    for name in ("loss", "val_loss", "val_accuracy"):
        np.testing.assert_allclose(trained.history[name], history[name], rtol=1e-4, atol=1e-6, err_msg=name)
    for ours, theirs in zip([a for p in trained.parameters for a in p.values()], model.weights, strict=True):
        np.testing.assert_allclose(ours, np.asarray(theirs.value), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(trained.predict(x), model.predict(x, verbose=0), rtol=1e-4, atol=1e-5)
    loss, accuracy = model.evaluate(x, y, verbose=0)
    assert trained.evaluate(x, y) == pytest.approx({"loss": loss, "accuracy": accuracy}, rel=1e-4)


@pytest.mark.slow
def test_weights_of_rows_count_as_in_keras(regressor: Network, numbers: Any) -> None:
    import keras

    x, y = numbers
    w = np.random.default_rng(0).uniform(0.5, 3.0, 60)
    options = {"epochs": 1, "batch_size": 60, "optimizer": "sgd"}
    trained = regressor.fit(x, y, loss="mse", sample_weight=w, validation_data=(x, y, w), **options)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(6, activation="tanh"), keras.layers.Dense(1)])
    model.set_weights([array for layer in regressor.initialize(0) for array in layer.values()])
    model.compile(optimizer=keras.optimizers.SGD(0.01), loss="mse")
    told = model.fit(x, y, sample_weight=w, batch_size=60, verbose=0, validation_data=(x, y, w)).history
    for name in ("loss", "val_loss"):
        np.testing.assert_allclose(trained.history[name], told[name], rtol=1e-5)


def test_the_last_rows_validate_and_the_history_is_that_of_evaluate(classifier: Network, classes: Any) -> None:
    x, y = classes
    options = {"loss": SPARSE, "metrics": ["accuracy", "log_loss"], "epochs": 12, "learning_rate": 0.05}
    split = classifier.fit(x, y, validation_split=0.25, **options)
    given = classifier.fit(x[:45], y[:45], validation_data=(x[45:], y[45:]), **options)
    assert split.history == given.history
    last = {f"val_{name}": value for name, value in split.evaluate(x[45:], y[45:]).items()}
    assert last == pytest.approx({name: curve[-1] for name, curve in split.history.items() if name in last}, rel=1e-5)
    assert split.evaluate(x[:45], y[:45])["accuracy"] == split.history["accuracy"][-1]
    assert split.history["log_loss"][-1] < split.history["log_loss"][0]


def test_one_hot_and_numbered_classes_train_alike(classifier: Network, classes: Any) -> None:
    x, y = classes
    numbered = classifier.fit(x, y, loss=SPARSE, epochs=3)
    one_hot = classifier.fit(x.tolist(), np.eye(3)[y], loss="categorical_crossentropy", epochs=3)
    assert numbered.history == one_hot.history


def test_metrics_judge_the_best_guess_of_a_distribution(numbers: Any) -> None:
    x, y = numbers
    trained = Network([Dense(2)], 4).fit(x, y, loss="gaussian_nll", epochs=2, metrics=["rmse", "mse"])
    expected = float(np.mean((trained.predict(x)[:, 0] - y) ** 2))
    assert trained.evaluate(x, y)["mse"] == pytest.approx(expected, rel=1e-5)
    assert trained.history["rmse"][-1] == pytest.approx(expected**0.5, rel=1e-5)


def test_several_labels_a_row(numbers: Any) -> None:
    x, _ = numbers
    labels = x[:, :3] > 0
    network = Network([Dense(3, activation="sigmoid")], 4)
    trained = network.fit(x, labels, loss="binary_crossentropy", metrics=["accuracy"], epochs=20, learning_rate=0.1)
    assert trained.history["accuracy"][-1] == np.mean((trained.predict(x) > 0.5) == labels) > 0.9


def test_all_metrics_of_the_registry_equal_scikit_learn(classifier: Network, classes: Any) -> None:
    x, y = classes
    names = ["f1_macro", "matthews_corrcoef", "balanced_accuracy_score"]
    trained = classifier.fit(x, y, loss=SPARSE, epochs=4, learning_rate=0.05, metrics=names)
    answers, scores = trained.predict(x).argmax(axis=1), trained.evaluate(x, y)
    assert scores["f1_macro"] == pytest.approx(f1_score(y, answers, average="macro"))
    assert scores["matthews_corrcoef"] == pytest.approx(matthews_corrcoef(y, answers))
    assert trained.history["balanced_accuracy_score"][-1] == pytest.approx(balanced_accuracy_score(y, answers))


def test_metrics_do_not_change_the_training(classifier: Network, classes: Any) -> None:
    plain = classifier.fit(*classes, loss=SPARSE, epochs=23)
    watched = classifier.fit(*classes, loss=SPARSE, epochs=23, metrics="accuracy")
    assert plain.history["loss"] == watched.history["loss"]
    assert len(watched.history["accuracy"]) == 23
    np.testing.assert_array_equal(plain.weights["dense"]["kernel"], watched.weights["dense"]["kernel"])


def test_the_last_epoch_by_default_the_best_on_request(regressor: Network, numbers: Any) -> None:
    x, y = numbers
    options = {"loss": "mse", "epochs": 40, "learning_rate": 0.5, "validation_split": 0.2}
    last, best = regressor.fit(x, y, **options), regressor.fit(x, y, restore_best_weights=True, **options)
    assert last.history == best.history
    assert best.best_epoch == 1 + int(np.argmin(best.history["val_loss"])) < 40
    assert best.evaluate(x[48:], y[48:])["loss"] == pytest.approx(min(best.history["val_loss"]), rel=1e-5)
    assert last.evaluate(x[48:], y[48:])["loss"] == pytest.approx(last.history["val_loss"][-1], rel=1e-5)
    stopped = regressor.fit(x, y, **{**options, "patience": 3})
    assert len(stopped.history["loss"]) == stopped.best_epoch + 3


def test_activations_of_each_neuron_train_natively(numbers: Any) -> None:
    x, y = numbers
    mixed = Network([Dense(3, activation=("relu", "tanh", "sigmoid")), Dense(1)], 4)
    trained = mixed.fit(x, y, loss="mse", epochs=2, batch_size=60, optimizer="sgd")
    assert trained.engine == "native"
    start, names = mixed.initialize(0), ("relu", "tanh", "sigmoid")
    parts = [Network([Dense(3, activation=name), Dense(1)], 4).outputs(start, x)[0] for name in names]
    hidden = np.stack([part[:, i] for i, part in enumerate(parts)], axis=1)
    output = hidden @ start[1]["kernel"]
    assert trained.history["loss"][0] == pytest.approx(float(np.mean((output[:, 0] - y) ** 2)), rel=1e-5)


@pytest.mark.slow
def test_the_engines_agree_on_a_network_with_dropout_and_two_kinds_of_neurons(numbers: Any) -> None:
    x, y = numbers
    network = Network([Dense(4, activation=("relu", "tanh") * 2), Dropout(0.3), Dense(1)], 4)
    each = [network.fit(x, y, loss="mse", epochs=3, l2=1.0, engine=engine) for engine in ("native", "xla")]
    np.testing.assert_allclose(each[0].history["loss"], each[1].history["loss"], rtol=1e-5)
    np.testing.assert_allclose(each[0].predict(x), each[1].predict(x), rtol=1e-4, atol=1e-6)


@pytest.mark.slow
def test_frozen_layers_stay_as_they_are_bit_for_bit(numbers: Any) -> None:
    x, y = numbers
    layers = [Dense(6, activation="tanh"), BatchNormalization(), Dense(5, activation="relu"), Dense(1)]
    network = Network(layers, 4)
    frozen = network.freeze("dense", "batch_normalization")
    start = network.initialize(7)
    start[1]["moving_mean"] += 0.5
    options = {"loss": "mse", "epochs": 3, "l2": 5.0, "optimizer": "adamw", "learning_rate": 0.05, "weights": start}
    trained = frozen.fit(x, y, **options)
    before = network.named(start)
    for name in ("dense", "batch_normalization"):
        for key, array in trained.weights[name].items():
            np.testing.assert_array_equal(array, before[name][key])
    assert (trained.weights["dense_1"]["kernel"] != before["dense_1"]["kernel"]).all()
    # what the frozen layers hand on is fixed, so that those behind them train as a network of their own
    behind = Network(layers[2:], 6).fit(network.outputs(start, x)[1], y, **{**options, "weights": start[2:]})
    np.testing.assert_allclose(trained.history["loss"], behind.history["loss"], rtol=1e-5)


@pytest.mark.slow
def test_layers_within_layers_are_frozen_too(numbers: Any) -> None:
    from shoal.networks import Residual

    x, y = numbers
    network = Network([Residual([Dense(4, activation="tanh", trainable=False), Dense(4)]), Dense(1)], 4)
    trained = network.fit(x, y, loss="mse", epochs=2, learning_rate=0.1)
    start = network.initialize(0)[0]
    same = {name: bool((array == start[name]).all()) for name, array in trained.parameters[0].items()}
    assert same == {"0/kernel": True, "0/bias": True, "1/kernel": False, "1/bias": False}
    assert Network.from_dict(network.to_dict()) == network


def test_training_goes_on_from_the_present_weights(classifier: Network, classes: Any) -> None:
    x, y = classes
    first = classifier.fit(x[:30], y[:30], loss=SPARSE, metrics=["accuracy"], epochs=5, learning_rate=0.02)
    second = first.fit(x[30:], y[30:], epochs=2)
    alone = classifier.fit(
        x[30:], y[30:], loss=SPARSE, metrics=["accuracy"], epochs=2, learning_rate=0.02, weights=first.weights
    )
    assert second.history == alone.history
    assert second.history["loss"][0] != first.history["loss"][0]


def test_some_layers_begin_with_given_weights(classifier: Network, classes: Any) -> None:
    x, y = classes
    first = classifier.fit(x, y, loss=SPARSE, epochs=1)
    other = Network([*classifier.layers[:1], Dense(2, activation="softmax", name="head")], 4)
    tuned = other.fit(x, y % 2, loss=SPARSE, epochs=1, learning_rate=1e-30, weights={"dense": first.weights["dense"]})
    np.testing.assert_array_equal(tuned.weights["dense"]["kernel"], first.weights["dense"]["kernel"])
    np.testing.assert_array_equal(tuned.weights["head"]["kernel"], other.initialize(0)[1]["kernel"])
    with pytest.raises(NetworkError, match=r"layer 'dense_1' .*\(8, 3\).*got kernel \(4, 8\)"):
        classifier.fit(x, y, loss=SPARSE, weights={"dense_1": first.weights["dense"]})
    with pytest.raises(NetworkError, match=r"no layer is called 'dens'\. Did you mean 'dense'"):
        classifier.fit(x, y, loss=SPARSE, weights={"dens": {}})


@pytest.mark.slow
def test_images_in_images_out(classes: Any) -> None:
    x = np.random.default_rng(0).uniform(size=(20, 4, 4, 1)).astype(np.float32)
    network = Network([Conv2D(2, 3, padding="same", activation="relu"), Conv2D(1, 3, padding="same")], (4, 4, 1))
    trained = network.fit(x, x, loss="mse", epochs=3, learning_rate=0.01, metrics=["mae"], validation_split=0.2)
    assert trained.predict(x).shape == x.shape
    last = trained.evaluate(x[16:], x[16:])
    assert last["loss"] == pytest.approx(trained.history["val_loss"][-1], rel=1e-5)
    assert last["mae"] == pytest.approx(np.abs(trained.predict(x[16:]) - x[16:]).mean(), rel=1e-5)


def test_a_diverging_network_is_warned_of_and_keeps_its_curve(regressor: Network, numbers: Any) -> None:
    with pytest.warns(ShoalWarning, match="training diverged: the loss of epoch 1"):
        trained = regressor.fit(*numbers, loss="mse", epochs=9, learning_rate=1e30)
    assert len(trained.history["loss"]) == 1
    assert np.isfinite(trained.weights["dense"]["kernel"]).all()


def test_sorted_rows_are_warned_of(classifier: Network, classes: Any) -> None:
    x, y = classes
    order = np.argsort(y)
    with pytest.warns(ShoalWarning, match=r"the last rows as they stand: they hold the classes \[2\]"):
        classifier.fit(x[order], y[order], loss=SPARSE, validation_split=0.1)


# what is refused


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"loss": "mse", "callbacks": []}, "no callbacks: patience and restore_best_weights"),
    ({"loss": "mse", "verbose": 0}, "no verbose: training is silent"),
    ({"loss": "mse", "class_weight": {}}, "sample_weight=np.where"),
    ({"loss": "mse", "momntum": 0.9}, "Did you mean 'momentum'"),
    ({"loss": "mse", "hidden": (8,)}, "said in the layers of the network"),
    ({"loss": "mse", "epochs": 0}, "epochs: expected 1 or more, got epochs=0"),
    ({"loss": "mse", "batch_size": 2.5}, "batch_size: expected a whole number"),
    ({"loss": "mse", "learning_rate": -1}, "learning_rate: expected more than 0"),
    ({"loss": "mse", "optimizer": "adamm"}, "Did you mean 'adam'"),
    ({"loss": "mse", "optimizer": object()}, "Its numbers stand beside it"),
    ({"loss": "mse", "seed": -1}, "seed: expected a whole number of 0 or more"),
    ({"loss": "mse", "engine": "gpu"}, "engine: expected one of auto, native, xla"),
    ({}, "give a loss, by its name or as a function"),
    ({"loss": "msee"}, "Did you mean 'mse'"),
    ({"loss": 3}, r"loss: expected a name or a function \(y_true, y_pred\), got 3"),
    ({"loss": "binary_crossentropy"}, "takes probabilities; give the last layer activation='sigmoid'"),
    ({"loss": "mse", "restore_best_weights": True}, "goes by the validation loss"),
    ({"loss": "mse", "patience": 1, "epochs": 5}, "patience goes by the validation loss"),
    ({"loss": "mse", "validation_split": 1.5}, "validation_split must leave rows"),
    ({"loss": "mse", "validation_split": 0.1, "validation_data": (1, 2)}, "leave one out"),
    ({"loss": "mse", "validation_data": 3}, r"validation_data must be \(x, y\)"),
    ({"loss": "mse", "metrics": ["acuracy"]}, "Did you mean 'accuracy'"),
    ({"loss": "mse", "metrics": ["accuracy"]}, "needs probabilities of classes"),
    ({"loss": SPARSE, "learning_rate": choices(0.1, 0.2)}, "one network takes one value, got '0.1; 0.2'"),
    ({"loss": SPARSE, "l2": between(0, 1)}, "l2: one network takes one value"),
    ({"loss": "mse", "metrics": ["mae", "mae"]}, "'mae' stands twice"),
    ({"loss": "mse", "metrics": [3]}, "expected names or functions"),
]


@pytest.mark.parametrize(("arguments", "message"), REFUSED)
def test_arguments_that_make_no_sense(regressor: Network, numbers: Any, arguments: Any, message: str) -> None:
    with pytest.raises(SettingError, match=message) as caught:
        regressor.fit(*numbers, **arguments)
    assert caught.traceback[-1].name == "fit"  # none of shoal's own lines below


def test_a_metric_of_two_classes_is_refused_where_there_are_three(classifier: Network) -> None:
    with pytest.raises(SettingError, match="judges one of two classes, here are 3; take f1_macro"):
        classifier.fit(X, Y, loss=SPARSE, metrics=["f1"])


X, Y = np.zeros((6, 4), np.float32), np.arange(6) % 3
DIFFERENT: list[tuple[Any, Any, str, str]] = [
    (X[:, :3], Y, SPARSE, r"x has shape \(6, 3\), but layer 'dense' \(Dense\) takes \(rows, 4\): axis 1 has 3 for 4"),
    (X[0], Y, SPARSE, r"For a single row write x\[None\]"),
    (X.reshape(6, 2, 2), Y, SPARSE, r"Write x.reshape\(len\(x\), 4\)"),
    (X[:0], Y[:0], SPARSE, "x has no rows"),
    (X[:3], Y, SPARSE, "x has 3 rows, but y has 6"),
    (np.where(np.arange(4) == 2, np.nan, X), Y, SPARSE, r"x\[0, 2\] is nan"),
    (np.full((6, 4), 1e300), Y, SPARSE, r"x\[0, 0\] is 1e\+300"),
    ([["a"] * 4] * 6, Y, SPARSE, "x must hold numbers, got 'a'"),
    ([[1.0], [1.0, 2.0]], Y, SPARSE, "x must be an array of numbers"),
    (X, np.asarray(list("abcabc")), SPARSE, r"np.unique\(y, return_inverse=True\)\[1\]"),
    (X, Y + 1, SPARSE, "class numbers from 0 to 2, one for each of the network's 3 outputs, got 3"),
    (X, Y + 0.5, SPARSE, "got 0.5"),
    (X, np.eye(3)[Y], SPARSE, "For a column for each class use categorical_crossentropy"),
    (X, Y, "categorical_crossentropy", f"For class numbers use loss='{SPARSE}'"),
    (X, np.ones((6, 3)), "categorical_crossentropy", "add up to 1 in each row"),
    (X, np.eye(4)[Y], "categorical_crossentropy", r"y has shape \(6, 4\), but the outputs .* \(rows, 3\)"),
    (X, Y, "mse", "For one number a row, the last layer has one unit"),
    (X, 2.0 * np.eye(3)[Y], "binary_crossentropy", "between 0 and 1, got 2.0"),
]


@pytest.mark.parametrize(("x", "y", "loss", "message"), DIFFERENT)
def test_arrays_that_do_not_fit(classifier: Network, x: Any, y: Any, loss: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        classifier.fit(x, y, loss=loss)


def test_networks_that_cannot_be_trained(numbers: Any) -> None:
    x, y = numbers
    with pytest.raises(NetworkError, match="no weights that training may change"):
        Network([Activation("relu")], 4).fit(x, x, loss="mse")
    with pytest.raises(NetworkError, match="no weights that training may change"):
        Network([Dense(1, trainable=False)], 4).fit(x, y, loss="mse")
    with pytest.raises(SettingError, match="softmax of one is always 1"):
        Network([Dense(1, activation="softmax")], 4).fit(x, y, loss="mse")
    with pytest.raises(SettingError, match="trainable must be True or False, got 'no'"):
        Network([Dense(1, trainable="no")], 4)  # type: ignore[arg-type]
    with pytest.raises(SettingError, match="engine native cannot train these networks: it has no"):
        Network([GroupNormalization(2), Dense(1)], 4).fit(x, y, loss="mse", engine="native")


def test_nothing_is_said_where_nothing_is_wrong(classifier: Network, classes: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        trained = classifier.fit(*classes, loss=SPARSE, epochs=2, validation_split=0.3)
    assert isinstance(trained, TrainedNetwork)
    assert repr(trained).startswith("TrainedNetwork(67 parameters, 2 epochs, loss=")


def test_the_network_of_a_trained_one_may_be_frozen(classifier: Network) -> None:
    assert [layer.trainable for layer in classifier.freeze().layers] == [False, True]
    assert replace(classifier.layers[0], name="dense", trainable=False) == classifier.freeze().layers[0]
    assert Network([Flatten(), *classifier.layers], 4).freeze("dense").layers[0].trainable
