"""Parameters in one vector: each layer's are views of it, in the order of the network, whatever order they came in."""

from __future__ import annotations

import numpy as np
import pytest

from shoal.errors import NetworkError
from shoal.networks import Network
from shoal.networks.parameter_vector import ParameterVector, joined


@pytest.mark.parametrize("text", ["3 4:relu 2", "6x1 gru:3 dropout:0.2 2", "6x6x1 conv2d:2:3 flatten 2"])
def test_the_layers_of_a_vector_are_those_that_were_joined(text: str) -> None:
    network = Network.parse(text)
    parameters = network.initialize(7)
    backwards = [dict(reversed(layer.items())) for layer in parameters]
    vector = joined(network, backwards)
    assert vector.shape == (network.parameter_count,)
    packed = ParameterVector(network, vector)
    network.check_parameters(packed)
    for layer, expected in zip(packed, parameters, strict=True):
        assert all(np.array_equal(layer[name], array) for name, array in expected.items())
        assert all(np.shares_memory(array, vector) for array in layer.values() if array.size)
    assert [layer.keys() for layer in packed[1:]] == [layer.keys() for layer in parameters[1:]]
    assert joined(network, packed) is vector
    x = np.random.default_rng(0).normal(size=(3, *network.input_shape)).astype(np.float32)
    assert np.array_equal(network.predict(packed, x), network.predict(parameters, x))


def test_a_vector_of_another_network_is_refused() -> None:
    with pytest.raises(NetworkError, match=r"has 7 parameters, got numbers \(6,\)"):
        ParameterVector(Network.parse("1 2 1"), np.zeros(6))
