"""The lecture notes' own numbers: a course on networks computes these by hand, and shoal gives the same."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.model_selection import train_test_split

import shoal
from shoal.errors import NetworkError
from shoal.networks import numpy_namespace
from shoal.training.losses import get_loss

X = np.array([[1.0, 2.0, 3.0], [0.0, 1.0, 0.0]])
W = np.array([[0.5, -1.0, 2.0], [1.0, 0.0, -0.5]])
BIASES = np.array([0.1, -0.2])
Z = np.array([[4.6, -0.7], [-0.9, -0.2]])


def test_one_neuron_and_two_with_the_bias_as_a_column() -> None:
    one = shoal.Network.parse("3 1")
    assert one.predict([{"kernel": W[:1].T, "bias": BIASES[:1]}], X)[0, 0] == pytest.approx(0.5 - 2.0 + 6.0 + 0.1)
    two = shoal.Network.parse("3 2").predict([{"kernel": W.T, "bias": BIASES}], X)
    column = np.hstack([X, np.ones((2, 1))]) @ np.hstack([W, BIASES[:, None]]).T
    np.testing.assert_allclose([two, column], [Z, Z], atol=1e-12)


def test_layers_are_computed_one_after_the_other_and_two_linear_ones_are_one() -> None:
    network = shoal.Network.parse("3 2 1")
    weights = [{"kernel": W.T, "bias": BIASES}, {"kernel": np.array([[1.0], [-2.0]]), "bias": np.array([0.5])}]
    a, y = network.outputs(weights, X)
    np.testing.assert_allclose(a, Z, atol=1e-12)
    np.testing.assert_allclose(y, [[4.6 + 1.4 + 0.5], [-0.9 + 0.4 + 0.5]], atol=1e-12)
    merged, its_weights = network.merge_linear(weights)
    assert len(merged.layers) == 1
    np.testing.assert_allclose(merged.predict(its_weights, X), y, atol=1e-12)


def test_each_neuron_may_have_its_activation() -> None:
    network = shoal.Network([shoal.Dense(2, activation=("relu", "sigmoid"))], 3)
    values = network.predict([{"kernel": W.T, "bias": BIASES}], X)
    np.testing.assert_allclose(values, [[4.6, 1 / (1 + np.exp(0.7))], [0.0, 1 / (1 + np.exp(0.2))]], atol=1e-12)


@pytest.mark.parametrize(("name", "value"), [("mse", 0.0525), ("rmse", 0.0525**0.5), ("mae", 0.175)])
def test_losses(name: str, value: float) -> None:
    y, predicted = np.array([[1.0], [2.0], [3.0], [4.0]]), np.array([[1.1], [1.8], [3.4], [4.0]])
    loss = get_loss(name)
    assert loss.finish(numpy_namespace, loss.values(numpy_namespace, y, predicted, {}).mean()) == pytest.approx(value)


@pytest.mark.parametrize("engine", ["native", pytest.param("xla", marks=pytest.mark.slow)])
def test_the_cost_has_lambda_over_2k_times_the_squares_of_the_weights(engine: str) -> None:
    x, y = np.array([[1.0], [2.0]]), np.array([1.0, 3.0])
    network, start = shoal.Network.parse("1 2 1"), [2.0, -1.0]
    weights: Any = {
        "dense": {"kernel": np.array([start]), "bias": np.zeros(2)},
        "dense_1": {"kernel": np.array([[1.0], [1.0]]), "bias": np.zeros(1)},
    }
    trained = network.fit(
        x, y, loss="mse", optimizer="sgd", learning_rate=0.1, epochs=1, l2=8.0, weights=weights, engine=engine
    )
    slope = np.mean(2 * (x[:, 0] - y) * x[:, 0])  # of the mean loss by each hidden weight; the prediction is x
    k, by_hand = 4, [w - 0.1 * (slope + 8.0 / (2 * 4) * 2 * w) for w in start]
    assert k == sum(layer["kernel"].size for layer in weights.values())
    np.testing.assert_allclose(trained.weights["dense"]["kernel"][0], by_hand, rtol=1e-6)


def test_iris_from_file_to_test_rows() -> None:
    dataset = shoal.load_dataset("iris")
    x, y = dataset.table.select([c.name for c in dataset.features]).to_numpy(), dataset.y()
    assert (x.shape, y.shape, len(dataset.classes)) == ((150, 4), (150,), 3)
    rest, test = train_test_split(np.arange(150), test_size=0.2, stratify=y, random_state=0)
    train, validation = train_test_split(rest, test_size=0.2, stratify=y[rest], random_state=0)
    assert [len(rows) for rows in (train, validation, test)] == [96, 24, 30]
    x = (x - x[train].mean(axis=0)) / x[train].std(axis=0)
    network = shoal.Network.parse("4 8:relu 3:softmax")
    trained = network.fit(
        x[train], y[train], validation_data=(x[validation], y[validation]), loss="sparse_categorical_crossentropy",
        metrics=["accuracy"], epochs=200, batch_size=8,
    )  # fmt: skip
    right = trained.predict(x[test]).argmax(axis=1) == y[test]
    assert trained.evaluate(x[test], y[test])["accuracy"] == pytest.approx(right.mean())
    assert right.mean() > 0.9
    assert trained.history["val_loss"][-1] < trained.history["val_loss"][0]


def test_shapes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(NetworkError, match="layers must be a list"):
        shoal.Network(shoal.Dense(3), 4)  # type: ignore[arg-type]


def test_a_small_network_on_few_noisy_rows_overfits_and_a_penalty_helps() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 3))
    y = x[:, 0] + rng.normal(size=60)
    network = shoal.Network.parse("3 64:tanh 1")
    options: Any = {"loss": "mse", "epochs": 400, "learning_rate": 0.01, "validation_split": 0.5, "batch_size": 30}
    free, held = (network.fit(x, y, l2=l2, **options).history for l2 in (0.0, 100.0))
    best = int(np.argmin(free["val_loss"]))
    assert free["loss"][-1] < 0.5 * free["loss"][best]
    assert free["val_loss"][-1] > 1.2 * free["val_loss"][best]
    assert held["val_loss"][-1] < free["val_loss"][-1]


def test_wide_and_deep_with_the_same_neurons_have_33_and_25_parameters() -> None:
    assert [shoal.Network.parse(text).parameter_count for text in ("1 4 4 1", "1 2 2 2 2 1")] == [33, 25]


IMAGE = np.array([[int(pixel) for pixel in row] for row in (
    "0111000", "0011100", "0001110", "0001100", "0011000", "0110000", "1100000",
)])  # fmt: skip


def test_padding_stride_and_filters_change_the_size() -> None:
    assert shoal.convolve(IMAGE, np.ones((3, 3))).shape == (5, 5)
    for text, shape, parameters in (
        ("7x7x1 conv2d:1:3", (5, 5, 1), 10),
        ("6000x7200x1 conv2d:1:3", (5998, 7198, 1), 10),
    ):
        network = shoal.Network.parse(text)
        assert (network.output_shape, network.parameter_count) == (shape, parameters)
    colours = shoal.Network([shoal.Conv2D(4, 3, padding="same", strides=2)], (8, 8, 3))
    assert (colours.output_shape, colours.parameter_count) == ((4, 4, 4), 4 * (3 * 9 + 1))


def test_pooling_halves_and_upsampling_doubles() -> None:
    network = shoal.Network([shoal.MaxPooling2D(2), shoal.UpSampling2D(2)], (6, 6, 1))
    assert (network.shapes, network.parameter_count) == (((3, 3, 1), (6, 6, 1)), 0)
    pooled, scaled = network.outputs([{}, {}], IMAGE[None, :6, :6, None].astype(float))
    blocks = IMAGE[:6, :6].reshape(3, 2, 3, 2).max(axis=(1, 3))
    np.testing.assert_array_equal(pooled[0, :, :, 0], blocks)
    np.testing.assert_array_equal(scaled[0, :, :, 0], np.kron(blocks, np.ones((2, 2))))


def test_a_recurrent_neuron_takes_its_last_output() -> None:
    network = shoal.Network([shoal.SimpleRNN(1, return_sequences=True)], (4, 1))
    weights = [{"kernel": np.array([[0.8]]), "recurrent_kernel": np.array([[0.5]]), "bias": np.array([0.1])}]
    series, h, by_hand = [1.0, 0.0, -0.5, 2.0], 0.0, []
    for value in series:
        h = np.tanh(0.8 * value + 0.5 * h + 0.1)
        by_hand.append(h)
    np.testing.assert_allclose(network.predict(weights, np.array(series)[None, :, None])[0, :, 0], by_hand, atol=1e-12)
