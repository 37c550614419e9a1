"""Looking inside: filters, maps, states and saliency of small networks whose numbers are known."""

from __future__ import annotations

import numpy as np
import pytest

from shoal.errors import NetworkError
from shoal.evaluation.explanation.activations import feature_maps, filters, hidden_states, saliency
from shoal.networks import LAYERS, Network
from shoal.streams import Stream

RECURRENT = [name for name in ("SimpleRNN", "GRU", "LSTM") if name in LAYERS]
needs_recurrent = pytest.mark.skipif(not RECURRENT, reason="no recurrent layers yet")


def made(text: str, seed: int = 0) -> tuple[Network, list[dict[str, np.ndarray]]]:
    network = Network.parse(text)
    return network, network.initialize(Stream(seed))


def doubled(parameters: list[dict[str, np.ndarray]]) -> list[dict[str, np.ndarray]]:
    return [{name: np.asarray(value, np.float64) for name, value in layer.items()} for layer in parameters]


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("8x8x3 conv2d:4:3x2 flatten 2", (4, 3, 2, 3)),
        ("9x2 conv1d:5:3 flatten 2", (5, 3, 2)),
        ("8x8x3 depthwiseconv2d:3 flatten 2", (3, 3, 3, 1)),
        ("8x8x3 separableconv2d:4:3 flatten 2", (3, 3, 3, 1)),
        ("8x8x3 conv2dtranspose:4:3 flatten 2", (4, 3, 3, 3)),
        ("4x4x1 maxpooling2d:2 conv2d:6:2 flatten 2", (6, 2, 2, 1)),
    ],
)
def test_filters_stand_first_and_their_channels_last(text: str, shape: tuple[int, ...]) -> None:
    assert filters(*made(text)).shape == shape


def test_a_filter_is_what_the_convolution_weighs_its_patch_with() -> None:
    network, parameters = made("3x3x2 conv2d:4:3 flatten")
    x = np.random.default_rng(0).normal(size=(5, 3, 3, 2)).astype(np.float32)
    by_hand = np.einsum("nijc,fijc->nf", x, filters(network, parameters))
    np.testing.assert_allclose(network.predict(parameters, x), by_hand, rtol=1e-4, atol=1e-5)


def test_feature_maps_are_what_convolutions_and_poolings_hand_on() -> None:
    network, parameters = made("8x8x1 conv2d:4:3:relu dropout:0.5 maxpooling2d:2 globalaveragepooling2d 3:softmax")
    x = np.random.default_rng(0).integers(0, 255, (2, 8, 8, 1)).astype(np.uint8)
    maps = feature_maps(network, parameters, x)
    assert {name: values.shape for name, values in maps.items()} == {
        "conv2d": (2, 6, 6, 4),
        "max_pooling2d": (2, 3, 3, 4),
    }
    blocks = maps["conv2d"].reshape(2, 3, 2, 3, 2, 4)
    np.testing.assert_array_equal(maps["max_pooling2d"], blocks.max(axis=(2, 4)))


@needs_recurrent
@pytest.mark.parametrize("kind", RECURRENT)
@pytest.mark.parametrize("more", [{}, {"go_backwards": True}, {"return_sequences": True}])
def test_the_last_hidden_state_is_what_the_layer_hands_on(kind: str, more: dict[str, bool]) -> None:
    network = Network([LAYERS[kind](3, **more), LAYERS["Flatten"](), LAYERS["Dense"](1)], (6, 2))
    parameters = network.initialize(Stream(1))
    x = np.random.default_rng(0).normal(size=(4, 6, 2)).astype(np.float32)
    (name,) = states = hidden_states(network, parameters, x)
    along, handed_on = states[name], network.outputs(parameters, x)[0]
    assert along.shape == (4, 6, 3)
    if handed_on.ndim == 3:
        np.testing.assert_allclose(along, handed_on, rtol=1e-6)
    else:
        np.testing.assert_allclose(along[:, 0 if more else -1], handed_on, rtol=1e-6)


@needs_recurrent
def test_the_states_of_both_directions_lie_side_by_side() -> None:
    network = Network([LAYERS["Bidirectional"](LAYERS["GRU"](3)), LAYERS["Dense"](1)], (6, 2))
    parameters = network.initialize(Stream(1))
    x = np.random.default_rng(0).normal(size=(4, 6, 2)).astype(np.float32)
    (along,) = hidden_states(network, parameters, x).values()
    handed_on = network.outputs(parameters, x)[0]
    np.testing.assert_allclose(along[:, -1, :3], handed_on[:, :3], rtol=1e-6)
    np.testing.assert_allclose(along[:, 0, 3:], handed_on[:, 3:], rtol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("text", ["6x6x2 conv2d:3:3:tanh maxpooling2d:2 flatten 4:tanh 3:softmax", "4 8:gelu 3"])
def test_saliency_agrees_with_finite_differences(text: str) -> None:
    network, parameters = made(text, seed=3)
    rng = np.random.default_rng(0)
    x, output = rng.normal(size=(2, *network.input_shape)), np.array([2, 0])
    exact, step = doubled(parameters), 1e-6

    def scores(rows: np.ndarray) -> np.ndarray:
        return np.asarray(network.apply(exact, rows, logits=True))[np.arange(2), output]

    slopes = np.zeros_like(x)
    for place in np.ndindex(*network.input_shape):
        above, below = x.copy(), x.copy()
        above[(slice(None), *place)] += step
        below[(slice(None), *place)] -= step
        slopes[(slice(None), *place)] = (scores(above) - scores(below)) / (2 * step)
    found = saliency([(network, parameters)], x, output)
    np.testing.assert_allclose(found, np.abs(slopes), rtol=2e-3, atol=2e-5)


def test_saliency_is_the_mean_over_networks_and_one_output_stands_for_two_classes() -> None:
    members = [made("3 1:sigmoid", seed) for seed in (0, 1)]
    x = np.ones((2, 3), np.uint8)
    kernels = np.stack([np.abs(parameters[0]["kernel"][:, 0]) for _, parameters in members])
    np.testing.assert_allclose(saliency(members, x, np.array([0, 1])), np.tile(kernels.mean(axis=0), (2, 1)), rtol=1e-6)


@pytest.mark.slow
def test_saliency_of_large_networks_is_found_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    member = made("6x6x1 conv2d:3:3:tanh flatten 3:softmax")
    x = np.random.default_rng(0).normal(size=(5, 6, 6, 1))
    output = np.array([0, 1, 2, 1, 0])
    whole = saliency([member], x, output)
    monkeypatch.setattr("shoal.evaluation.explanation.activations.NUMBERS_AT_ONCE", 2 * member[0].values)
    np.testing.assert_allclose(saliency([member], x, output), whole, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize(
    ("look", "what"),
    [
        (lambda n, p: filters(n, p), "no convolution: its layers are Dense"),
        (lambda n, p: feature_maps(n, p, np.zeros((1, 4))), "no convolution or pooling"),
        (lambda n, p: hidden_states(n, p, np.zeros((1, 4))), "no recurrent layer.*layers='lstm:32'"),
    ],
)
def test_a_network_without_such_layers_says_so(look: object, what: str) -> None:
    assert callable(look)
    with pytest.raises(NetworkError, match=what):
        look(*made("4 8:relu 3:softmax"))
