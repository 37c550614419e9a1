"""Recurrent layers and wrappers beside parity: start values, masks through a network, random numbers, errors."""

from __future__ import annotations

import numpy as np
import pytest

from shoal.errors import NetworkError, SettingError
from shoal.networks import (
    GRU,
    LSTM,
    BatchNormalization,
    Bidirectional,
    Context,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    Masking,
    Network,
    Residual,
    SimpleRNN,
    TimeDistributed,
    numpy_namespace,
)
from shoal.streams import Stream, Streams


@pytest.mark.parametrize(
    "layer", [LSTM(3), GRU(2), SimpleRNN(2), Bidirectional(LSTM(2)), Residual([GRU(3, return_sequences=True)])]
)
def test_start_values_of_many_streams_are_those_of_each(layer) -> None:
    many = layer.initialize((4, 3), Streams(0, (5,), np.arange(8)))
    one = layer.initialize((4, 3), Stream(0, 5, 2))
    assert list(many) == list(one)
    for name, value in one.items():
        of_many = many[name][2] if many[name].ndim > value.ndim else many[name]
        np.testing.assert_allclose(of_many, value, rtol=1e-6, atol=1e-7)


def test_start_values_are_keras_own() -> None:
    values = LSTM(2).initialize((4, 3), Stream(0))
    assert values["bias"].tolist() == [0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0]
    np.testing.assert_allclose(values["recurrent_kernel"] @ values["recurrent_kernel"].T, np.eye(2), atol=1e-6)
    assert not LSTM(2, unit_forget_bias=False).initialize((4, 3), Stream(0))["bias"].any()


def test_bidirectional_directions_start_apart() -> None:
    values = Bidirectional(GRU(2)).initialize((4, 3), Stream(0))
    assert (values["forward/kernel"] != values["backward/kernel"]).any()


@pytest.mark.parametrize(
    "layer",
    [
        LSTM(3),
        GRU(3),
        GRU(3, reset_after=False),
        SimpleRNN(3, go_backwards=True),
        Bidirectional(LSTM(2), "sum"),
        Bidirectional(GRU(2, return_sequences=True)),
    ],
)
def test_padding_at_the_end_changes_nothing(layer) -> None:
    x = Stream(1).normal((3, 4, 2))
    padded = np.concatenate([x, np.zeros((3, 2, 2), np.float32)], axis=1)
    parameters = layer.initialize((4, 2), Stream(0))
    short, long = (Network([Masking(), layer], (n, 2)) for n in (4, 6))
    expected = short.apply([{}, parameters], x)
    got = long.apply([{}, parameters], padded)
    np.testing.assert_allclose(got[:, :4] if got.ndim == 3 else got, expected, rtol=1e-6)


def test_masks_flow_to_the_layer_behind_and_end_with_the_steps() -> None:
    mask = np.array([[True, True, False]])
    x = np.ones((1, 3, 2))
    assert LSTM(2).output_mask(numpy_namespace, x, mask) is None
    assert LSTM(2, return_sequences=True).output_mask(numpy_namespace, x, mask) is mask
    backwards = GRU(2, return_sequences=True, go_backwards=True)
    assert backwards.output_mask(numpy_namespace, x, mask).tolist() == [[False, True, True]]
    assert Residual([Dense(2)]).output_mask(numpy_namespace, x, mask) is mask
    assert Residual([Flatten(), Dense(2)], Flatten()).output_mask(numpy_namespace, x, mask) is None
    assert Embedding(3, 1, mask_zero=True).output_mask(numpy_namespace, np.array([[0, 2]]), None).tolist() == [
        [False, True]
    ]


@pytest.mark.slow
def test_networks_with_masks_equal_keras() -> None:
    import keras

    network = Network(
        [Embedding(5, 3, True), LSTM(4, return_sequences=True), Bidirectional(GRU(2)), Dense(1)], input_shape=(6,)
    )
    there = keras.Sequential(
        [
            keras.layers.Embedding(5, 3, mask_zero=True),
            keras.layers.LSTM(4, return_sequences=True),
            keras.layers.Bidirectional(keras.layers.GRU(2)),
            keras.layers.Dense(1),
        ]
    )
    x = np.floor(Stream(4).uniform((3, 6)) * 5)
    there.build((None, 6))
    parameters = network.initialize(Stream(0))
    there.set_weights([value for layer in parameters for value in layer.values()])
    np.testing.assert_allclose(network.predict(parameters, x), np.asarray(there(x)), rtol=1e-5, atol=1e-6)


def test_each_layer_within_draws_its_own_random_numbers() -> None:
    asked = []

    def random(source: int, shape: tuple[int, ...]) -> np.ndarray:
        asked.append(source)
        return np.full(shape, 0.9, np.float32)

    within = Residual([Dropout(0.5), Residual([Dropout(0.5), Dropout(0.5)]), Dropout(0.5)])
    network = Network([Dropout(0.5), within, TimeDistributed(Dropout(0.5))], (3, 2))
    network.apply(network.initialize(Stream(0)), np.ones((1, 3, 2)), training=True, random=random)
    assert asked == [0, 1, 2, 3, 4, 5]


def test_residual_adds_its_input_and_hands_on_records() -> None:
    layer = Residual([Dense(2, use_bias=False), BatchNormalization(0.5)], projection=Dense(2, use_bias=False))
    parameters = layer.initialize((3,), Stream(0))
    x, recorded = Stream(1).normal((4, 3)), {}
    context = Context(training=True, record=recorded.__setitem__)
    y = layer.apply(numpy_namespace, parameters, x, context)
    z = x @ parameters["0/kernel"]
    expected = (z - z.mean(0)) / np.sqrt(z.var(0) + 1e-3) + x @ parameters["projection/kernel"]
    np.testing.assert_allclose(y, expected, rtol=1e-4, atol=1e-5)
    assert tuple(recorded) == layer.moving == ("1/moving_mean", "1/moving_variance")
    assert layer.regularised == ("0/kernel", "projection/kernel")


def test_time_distributed_statistics_leave_out_padding() -> None:
    layer, recorded = TimeDistributed(BatchNormalization(0.5)), {}
    x, mask = Stream(2).normal((3, 4, 2)), Stream(3).uniform((3, 4)) < 0.6
    context = Context(training=True, record=recorded.__setitem__, mask=mask, present=np.ones(3, np.float32))
    layer.apply(numpy_namespace, layer.initialize((4, 2), Stream(0)), x, context)
    np.testing.assert_allclose(recorded["moving_mean"], 0.5 * x[mask].mean(0), rtol=1e-5, atol=1e-6)


def test_numbers_of_a_member_reach_the_layer_within() -> None:
    context = Context(training=True, numbers={"0/rate": np.float32(0.75)}, random=lambda shape, _: np.ones(shape))
    y = Residual([Dropout(0.5)]).apply(numpy_namespace, {}, np.ones((1, 2), np.float32), context)
    assert y.tolist() == [[5.0, 5.0]]


def test_numbers_outside_the_table_are_noticed(jax_namespace) -> None:
    parameters = {"embeddings": np.ones((3, 1), np.float32)}
    x = np.array([[-1.0, 0.0, 2.0, 3.0]])
    for xp in (numpy_namespace, jax_namespace):
        out = Embedding(3, 1).apply(xp, parameters, x, Context())
        np.testing.assert_array_equal(out[0, :, 0], [np.nan, 1.0, 1.0, np.nan])


@pytest.mark.slow
def test_recur_adds_the_biases_of_inputs_and_state(jax_namespace) -> None:
    x, one = np.ones((2, 3, 1), np.float32), np.ones((1, 1), np.float32)
    for xp in (numpy_namespace, jax_namespace):
        by = (one, np.full(1, 2.0, np.float32)), (one, np.full(1, 0.5, np.float32))
        along, last = xp.recur(lambda inputs, product, _: (inputs[0] + product[0],), x, *by, states=1)
        assert along[0, :, 0].tolist() == [3.5, 7.0, 10.5]
        assert last[0].tolist() == [10.5]


def test_layers_can_be_written_as_a_text() -> None:
    network = Network.parse("6x2 masking lstm:4:true bidirectional:gru:3 batchnormalization 1")
    assert network.layers == (
        Masking(),
        LSTM(4, return_sequences=True),
        Bidirectional(GRU(3)),
        BatchNormalization(),
        Dense(1),
    )


@pytest.mark.parametrize(
    ("layer", "shape", "message"),
    [
        (LSTM(2), (4,), r"needs series of shape \(time, features\), got rows of shape \(4,\)\. .*x\[\.\.\., None\]"),
        (Bidirectional(GRU(2, name="g")), (2, 2, 2), r"Bidirectional: layer 'g' \(GRU\) needs series"),
        (Masking(), (), "needs series"),
        (TimeDistributed(Dense(2)), (4,), r"TimeDistributed, at each step: layer Dense needs inputs"),
        (TimeDistributed(Dense(2)), (), r"needs series of shape \(time, \.\.\.\)"),
        (Residual([Dense(3)]), (4,), r"of shape \(3,\), but the input has shape \(4,\)\. .*projection=Dense\(3\)"),
        (Residual([Dense(3)], Dense(2)), (4,), r"but its projection makes of the input shape \(2,\)"),
        (Residual([LSTM(3)]), (4,), r"Residual, layers\[0\]: layer LSTM needs series"),
    ],
)
def test_shapes_that_do_not_fit_are_told(layer, shape: tuple[int, ...], message: str) -> None:
    with pytest.raises(NetworkError, match=message):
        layer.output_shape(shape)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: LSTM(0), "units must be a whole number"),
        (lambda: LSTM(2, "tanh", "sigmoid"), "return_sequences must be True or False, got 'sigmoid'"),
        (lambda: GRU(2, recurrent_activation="softmax"), "recurrent_activation must be one activation"),
        (lambda: SimpleRNN(2, ("tanh", "relu")), "activation must be one activation"),
        (lambda: Bidirectional(Dense(2)), "layer must be recurrent, such as LSTM"),
        (lambda: Bidirectional(LSTM(2), "add"), "merge_mode must be one of"),
        (lambda: TimeDistributed(3), "layer must be a layer such as Dense"),
        (lambda: Residual([]), "layers must be a list of layers"),
        (lambda: Residual([Dense(2), 3]), r"layers\[1\] must be a layer"),
        (lambda: Residual([Dense(2)], 3), "projection must be a layer"),
        (lambda: Masking("a"), "mask_value must be a number"),
        (lambda: Embedding(0, 2), "input_dim must be a whole number"),
    ],
)
def test_settings_are_checked(make, message: str) -> None:
    with pytest.raises(SettingError, match=message):
        make()
