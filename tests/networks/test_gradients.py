"""Gradients of outputs in the input equal central differences in double precision, for every layer."""

from __future__ import annotations

import numpy as np
import pytest
from layer_examples import EXAMPLES

from shoal.networks import Network
from shoal.networks.gradients import input_gradients
from shoal.networks.namespace import numpy_namespace
from shoal.networks.parsing import parse_network
from shoal.streams import Stream

STEP = 1e-6
WHOLE = ("Embedding",)
"""Layers whose inputs are whole numbers."""
CASES = [(kind, i) for kind, examples in EXAMPLES.items() if kind not in WHOLE for i in range(len(examples))]
NETWORKS = (
    "5 8:selu 6:softmax 3:softmax",
    "6x6x2 conv2d:3:2:gelu maxpooling2d:2 flatten 4:tanh 3:softmax",
    "7x2 lstm:3 4:silu 2",
    "7x2 gru:3 1:sigmoid",
    "4 6:sparsemax 5:mish 4:celu 3:log_softmax 2",
)


def random_parameters(network: Network) -> list[dict[str, np.ndarray]]:
    return [
        {
            name: Stream(3, i, j).uniform(shape) + 0.5 if "variance" in name else Stream(3, i, j).normal(shape)
            for j, (name, shape) in enumerate(of_layer.items())
        }
        for i, of_layer in enumerate(network.parameter_shapes)
    ]


def differences(network: Network, parameters: list[dict[str, np.ndarray]], x: np.ndarray, output: int) -> np.ndarray:
    """Return the gradient of one row by moving each number a little."""
    wide = [{name: np.asarray(value, np.float64) for name, value in layer.items()} for layer in parameters]
    steps = STEP * np.eye(x.size).reshape(x.size, *x.shape)
    rows = np.concatenate([x.astype(np.float64) + steps, x.astype(np.float64) - steps])
    scores = np.asarray(network.apply(wide, rows, xp=numpy_namespace, logits=True), np.float64)
    above, below = np.split(scores.reshape(len(rows), -1)[:, output], 2)
    return ((above - below) / (2 * STEP)).reshape(x.shape)


def compared(network: Network) -> None:
    parameters = random_parameters(network)
    x = np.random.default_rng(0).normal(size=(2, *network.input_shape)).astype(np.float32)
    output = np.array([0, int(np.prod(network.output_shape)) - 1])
    found = input_gradients(network, parameters, x, output)
    assert found.dtype == np.float32
    for row in range(2):
        np.testing.assert_allclose(
            found[row], differences(network, parameters, x[row], output[row]), rtol=2e-3, atol=2e-4
        )


@pytest.mark.parametrize(("kind", "number"), CASES)
def test_layers(kind: str, number: int) -> None:
    layer, shape = EXAMPLES[kind][number]
    compared(Network([layer], shape))


@pytest.mark.parametrize("text", NETWORKS)
def test_networks(text: str) -> None:
    compared(parse_network(text))


def test_a_network_that_does_not_look_at_its_input() -> None:
    network = parse_network("2 3:relu 1")
    parameters = [{"kernel": np.zeros((2, 3)), "bias": -np.ones(3)}, {"kernel": np.ones((3, 1)), "bias": np.zeros(1)}]
    assert not input_gradients(network, parameters, np.ones((4, 2)), np.zeros(4, int)).any()
