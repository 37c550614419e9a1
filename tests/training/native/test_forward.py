"""Outputs by the kernel: those of NumPy, the same bits for one row or many and on any number of cores."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from shoal.networks import Network
from shoal.networks.layers import (
    GRU,
    LSTM,
    BatchNormalization,
    Bidirectional,
    Conv1D,
    Conv2D,
    Dense,
    Dropout,
    GlobalAveragePooling1D,
    Layer,
    LayerNormalization,
    Masking,
    Normalization,
    PiecewiseEncoding,
    Residual,
    SimpleRNN,
)
from shoal.networks.parsing import parse_layers
from shoal.training import forward
from shoal.training.engines.native.library import Kernel, kernels
from shoal.training.forward import BoundNetwork, predict

pytestmark = pytest.mark.skipif(not kernels(), reason="the native engine's kernel was not built")

PADDING = -9.0
IMAGE, SERIES = (6, 7, 2), (9, 2)


def of(text: str) -> list[Layer]:
    return list(parse_layers(text))


NETWORKS: dict[str, tuple[tuple[int, ...], list[Layer]]] = {
    "images": (
        IMAGE,
        [
            Normalization((0.5, -0.2), (2.0, 0.5)),
            *of("conv2d:18:3:1:same:relu maxpooling2d:2 conv2d:37:3:1:same:silu maxpooling2d:2"),
            *of("flatten 7:gelu 3:softmax"),
        ],
    ),
    "strides, gaps and no padding": (
        (9, 8, 1),
        of("conv2d:5:3:2 conv2d:6:2:1:valid:2 spatialdropout2d:0.3 flatten 2:sigmoid"),
    ),
    "an image of each image": (IMAGE, of("conv2d:5:3:1:same:tanh minpooling2d:2:2:same upsampling2d:2 conv2d:2:3:1")),
    "means": (IMAGE, of("averagepooling2d:3:2:same conv2d:5:3:1:same globalmaxpooling2d 3:exponential")),
    "series": (SERIES, of("conv1d:17:7:1:same:relu maxpooling1d:2 conv1d:20:3:1:same globalaveragepooling1d 3")),
    "causal": (SERIES, of("dropout:0.2 conv1d:5:3:1:causal:2 averagepooling1d:3:1 conv1d:4:5:3:same 3:softmax")),
    "reshaped": ((8,), of("12:tanh reshape:2x3x2 conv2d:3:2:1:same dropout:0.1 flatten 2:softplus")),
    "residual": (
        IMAGE,
        [
            *of("conv2d:4:3:1:same:tanh"),
            Residual(of("conv2d:6:3:1:same:relu conv2d:6:3:1:same"), Conv2D(6, 1)),
            BatchNormalization(),
            *of("activation:relu flatten 1:sigmoid"),
        ],
    ),
    "lstm": (SERIES, [LSTM(18), Dense(3, activation="softmax")]),
    "gru at the end": (SERIES, [Conv1D(5, 2, activation="relu"), GRU(17)]),
    "a target at each step": (SERIES, [GRU(5, return_sequences=True, reset_after=False), Dense(3, "softmax")]),
    "both ways": (SERIES, [Bidirectional(LSTM(18, return_sequences=True)), Bidirectional(SimpleRNN(3), "mul")]),
    "normalised": (SERIES, [LSTM(17, return_sequences=True), LayerNormalization(), BatchNormalization(), GRU(3)]),
    "padded": (SERIES, [Masking(PADDING), LSTM(5, return_sequences=True), Dropout(0.1), GlobalAveragePooling1D()]),
}
Drawn = tuple[Network, list[dict[str, np.ndarray]], np.ndarray]


def drawn(name: str, rows: int = 41) -> Drawn:
    """Return a network with weights of which none is 0 or 1, and rows, some of which are padded."""
    shape, layers = NETWORKS[name]
    network, rng = Network(layers, shape), np.random.default_rng(4)
    parameters = [
        {key: (array + rng.uniform(-0.1, 0.1, array.shape)).astype(np.float32) for key, array in layer.items()}
        for layer in network.initialize(3)
    ]
    x = rng.normal(size=(rows, *shape)).astype(np.float32)
    if name == "padded":
        x[::3, 4:] = PADDING
    return network, parameters, x


@pytest.fixture(params=kernels(), ids=lambda kernel: kernel.name)
def kernel(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Kernel:
    monkeypatch.setattr(forward, "best_kernel", lambda: request.param)
    monkeypatch.setattr(BoundNetwork, "_by_numpy", None)
    chosen: Kernel = request.param
    return chosen


@pytest.mark.parametrize("name", NETWORKS)
def test_outputs_are_those_of_numpy(kernel: Kernel, name: str) -> None:
    network, parameters, x = drawn(name)
    for logits in (False, True):
        expected = network.apply(parameters, x, logits=logits)
        got = predict(network, parameters, x, logits=logits)
        assert (got.dtype, got.shape) == (np.float32, expected.shape)
        np.testing.assert_allclose(got, expected, rtol=1e-5, atol=4e-6, err_msg=kernel.name)
    assert predict(network, dict(network.named(parameters)), x[:2]).shape == (2, *network.output_shape)


@pytest.mark.parametrize("name", NETWORKS)
def test_one_row_or_many_on_any_cores_give_the_same_bits(kernel: Kernel, name: str) -> None:
    network, parameters, x = drawn(name)
    many = predict(network, parameters, x, cores=1)
    for cores in (2, 3, 50):
        np.testing.assert_array_equal(predict(network, parameters, x, cores=cores), many, err_msg=kernel.name)
    for i in range(len(x)):
        np.testing.assert_array_equal(predict(network, parameters, x[i : i + 1]), many[i : i + 1])
    np.testing.assert_array_equal(predict(network, parameters, x[::-1]), many[::-1])


def test_bytes_are_read_as_they_are(kernel: Kernel) -> None:
    network, parameters, x = drawn("images")
    pixels = np.clip(128 + 40 * x, 0, 255).astype(np.uint8)
    stem = Normalization((120.0, 90.0), (1600.0, 2500.0))
    network = Network([stem, *network.layers[1:]], network.input_shape)
    as_numbers = predict(network, parameters, pixels.astype(np.float32))
    np.testing.assert_array_equal(predict(network, parameters, pixels), as_numbers)
    np.testing.assert_allclose(as_numbers, network.predict(parameters, pixels), rtol=1e-5, atol=4e-6)


def test_numpy_answers_where_the_kernel_cannot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BoundNetwork, "_by_kernel", None)
    monkeypatch.setattr(forward, "NUMBERS_AT_ONCE", 1000)  # few rows at a time
    network, parameters, x = drawn("strides, gaps and no padding")

    def assert_by_numpy(network: Network, parameters: Any, x: np.ndarray, **settings: Any) -> None:
        got, expected = predict(network, parameters, x, **settings), network.apply(parameters, x, **settings)
        np.testing.assert_allclose(got, expected, rtol=1e-6, atol=1e-6)
        assert got.dtype == expected.dtype

    doubled = [{key: array.astype(np.float64) for key, array in layer.items()} for layer in parameters]
    assert_by_numpy(network, doubled, x.astype(np.float64))
    assert_by_numpy(network, parameters, x[:0])
    endless = [{key: array * np.float32(np.inf) for key, array in layer.items()} for layer in parameters]
    with np.errstate(all="ignore"):
        assert_by_numpy(network, endless, x)
    own = Network([replace(network.layers[0], activation=_bent), *network.layers[1:]], network.input_shape)
    assert_by_numpy(own, parameters, x, logits=True)
    halved = Network([*of("conv2d:4:2"), replace(Conv2D(4, 2), activation="glu")], IMAGE)
    assert_by_numpy(halved, halved.initialize(1), drawn("images")[2])
    dense = Network.parse("4 5:relu 3:softmax")
    assert_by_numpy(dense, dense.initialize(1), np.ones((3, 4), np.float32))
    monkeypatch.setattr(forward, "best_kernel", lambda: None)
    assert_by_numpy(network, parameters, x)


def _bent(z: Any) -> Any:
    return z * 0.5


@pytest.mark.parametrize("encoding", [None, PiecewiseEncoding(((-1.0, 0.0, 0.5), (), (-0.5, 1.0)))])
def test_many_rows_of_dense_layers_go_through_the_kernel(
    monkeypatch: pytest.MonkeyPatch, encoding: PiecewiseEncoding | None
) -> None:
    layers = [] if encoding is None else [encoding]
    network = Network([*layers, Dense(9, "silu"), Dense(7, "tanh"), Dense(3, "softmax")], (3,))
    parameters = network.initialize(1)
    x = np.random.default_rng(0).normal(size=(400, 3)).astype(np.float32)
    expected = network.predict(parameters, x)
    seen = []
    by_kernel = BoundNetwork._by_kernel
    monkeypatch.setattr(BoundNetwork, "_by_kernel", lambda *a: seen.append(1) or by_kernel(*a))
    with forward.sharing_beginnings():
        for _ in range(2):
            np.testing.assert_allclose(predict(network, parameters, x), expected, rtol=1e-5, atol=1e-6)
    assert len(seen) == 2
    np.testing.assert_allclose(predict(network, parameters, x[:5]), expected[:5], rtol=1e-5, atol=1e-6)
    assert len(seen) == 2


def test_of_what_is_shared_little_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    network = Network([PiecewiseEncoding(((-1.0, 0.0, 0.5),)), Dense(1)], (1,))
    parameters = network.initialize(1)
    with forward.sharing_beginnings():
        for i in range(9):
            x = np.full((80, 1), float(i), np.float32)
            np.testing.assert_allclose(predict(network, parameters, x), network.predict(parameters, x), rtol=1e-6)
        shared = forward._SHARED.get()
        assert shared is not None
        assert len(shared) == forward.MOST_SHARED


def test_rows_that_are_not_finite_are_answered_as_by_numpy() -> None:
    network, parameters, x = drawn("images")
    many = predict(network, parameters, x)
    x[3, 2, 2, 0], x[5, 0, 0, 1] = np.nan, np.inf
    with np.errstate(all="ignore"):
        got, expected = predict(network, parameters, x), network.predict(parameters, x)
    np.testing.assert_array_equal(np.isnan(got), np.isnan(expected))
    assert np.isnan(got[3]).all()
    np.testing.assert_array_equal(np.delete(got, (3, 5), 0), np.delete(many, (3, 5), 0))
