from __future__ import annotations

import numpy as np
import pytest

from shoal.errors import NetworkError
from shoal.networks import Activation, Dense, Network
from shoal.streams import Stream

X = Stream(1).normal((9, 4)).astype(np.float64)


def precise(network: Network) -> list[dict[str, np.ndarray]]:
    return [
        {k: Stream(5, i, j).normal(v.shape).astype(np.float64) for j, (k, v) in enumerate(layer.items())}
        for i, layer in enumerate(network.initialize(Stream(0)))
    ]


@pytest.mark.parametrize(
    ("text", "merged_text"),
    [
        ("4 8 3", "4 3"),
        ("4 8 5 6 3:softmax", "4 3:softmax"),
        ("4 8:relu 5 3:softmax", "4 8:relu 3:softmax"),
        ("4 8 5:relu 3", "4 5:relu 3"),
        ("4 8:relu 3", "4 8:relu 3"),
        ("4 2:linear,linear 3", "4 3"),
        ("4 8 activation:linear 3", "4 3"),
        ("4 8 dropout:0.5 3", "4 8 dropout:0.5 3"),
        ("4 8 activation:relu 3", "4 8 activation:relu 3"),
        ("4 activation:linear", "4 activation:linear"),
        ("4 activation:linear activation:linear", "4 activation:linear activation:linear"),
    ],
)
def test_predictions_stay_the_same(text: str, merged_text: str) -> None:
    """Equation 1.7 of the notes: consecutive layers without activation are one layer."""
    network = Network.parse(text)
    p = precise(network)
    merged, values = network.merge_linear(p)
    assert merged == Network.parse(merged_text)
    np.testing.assert_allclose(merged.predict(values, X), network.predict(p, X), rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("biases", [(True, False), (False, True), (False, False)])
def test_biases_are_kept(biases: tuple[bool, bool]) -> None:
    network = Network([Dense(5, use_bias=biases[0]), Dense(2, use_bias=biases[1])], (4,))
    p = precise(network)
    merged, values = network.merge_linear(p)
    assert merged == Network([Dense(2, use_bias=any(biases))], (4,))
    np.testing.assert_allclose(merged.predict(values, X), network.predict(p, X), rtol=1e-12)


def test_float32_stays_float32() -> None:
    network = Network.parse("4 8 3")
    _, values = network.merge_linear(network.initialize(Stream(0)))
    assert [v.dtype for v in values[0].values()] == [np.float32, np.float32]


def test_functions_are_not_taken_for_linear() -> None:
    network = Network([Dense(3, lambda _, z: z), Dense(2), Activation(None)], (4,))
    assert len(network.merge_linear(network.initialize(Stream(0)))[0].layers) == 2


def test_parameters_are_checked() -> None:
    with pytest.raises(NetworkError, match="got parameters for 1"):
        Network.parse("4 8 3").merge_linear([{}])
