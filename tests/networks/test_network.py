from __future__ import annotations

import json

import numpy as np
import pytest

from shoal.errors import NetworkError
from shoal.networks import (
    Activation,
    Conv1D,
    Conv2D,
    Cropping1D,
    Dense,
    Dropout,
    Flatten,
    MaxPooling2D,
    Network,
    Reshape,
    ZeroPadding1D,
)
from shoal.streams import Stream


@pytest.mark.parametrize(
    ("text", "count"), [("1 4 4 1", 33), ("1 2 2 2 2 1", 25), ("4 8:relu 3:softmax", 67), ("1 1", 2)]
)
def test_parameter_counts_of_the_notes(text: str, count: int) -> None:
    network = Network.parse(text)
    assert network.parameter_count == count
    assert sum(p.size for layer in network.initialize(Stream(0)) for p in layer.values()) == count


@pytest.mark.slow
def test_equals_keras() -> None:
    import keras

    ours = Network.parse("4 8:relu dropout:0.3 5:tanh 3:softmax")
    p = ours.initialize(Stream(0))
    theirs = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(8, "relu"),
            keras.layers.Dropout(0.3),
            keras.layers.Dense(5, "tanh"),
            keras.layers.Dense(3, "softmax"),
        ]
    )
    theirs.set_weights([value for layer in p for value in layer.values()])
    x = Stream(1).normal((7, 4))
    np.testing.assert_allclose(ours.predict(p, x), theirs(x), rtol=2e-5, atol=1e-6)
    assert ours.parameter_count == theirs.count_params()


@pytest.mark.slow
def test_gradient_of_the_whole_equals_finite_differences(jax_namespace) -> None:
    import jax

    network = Network.parse("2 3:tanh 1")
    p, x = network.initialize(Stream(0)), Stream(1).normal((4, 2))
    gradient = jax.grad(lambda p: network.apply(p, x, xp=jax_namespace).sum())(p)
    for i, layer in enumerate(p):
        for name in layer:
            step = 1e-6
            precise = [{k: v.astype(np.float64) for k, v in q.items()} for q in p]
            flat = precise[i][name].reshape(-1)
            flat[0] += step
            up = network.apply(precise, x.astype(np.float64)).sum()
            flat[0] -= 2 * step
            down = network.apply(precise, x.astype(np.float64)).sum()
            assert np.asarray(gradient[i][name]).ravel()[0] == pytest.approx((up - down) / (2 * step), rel=1e-4)


def test_shapes_and_names() -> None:
    network = Network([Flatten(), Dense(8, "relu"), Dropout(0.5), Dense(3, name="out"), Dense(2)], (2, 2))
    assert network.names == ("flatten", "dense", "dropout", "out", "dense_1")
    assert network.shapes == ((4,), (8,), (8,), (3,), (2,))
    assert network.input_shapes == ((2, 2), (4,), (8,), (8,), (3,))
    assert network.output_shape == (2,)
    assert Network([Dense(1)], 4).input_shape == (4,)


def test_given_names_are_not_taken_twice() -> None:
    assert Network([Dense(2), Dense(2, name="dense"), Dense(2)], (1,)).names == (
        "dense_1",
        "dense",
        "dense_2",
    )
    with pytest.raises(NetworkError, match="two layers are called 'a'"):
        Network([Dense(2, name="a"), Dense(2, name="a")], (1,))


def test_equal_and_hashable_by_what_it_is() -> None:
    first, second = Network.parse("4 8:relu 3"), Network([Dense(8, "relu"), Dense(3)], input_shape=[4])
    assert first == second
    assert hash(first) == hash(second)
    assert first != Network.parse("4 8:tanh 3")
    with pytest.raises(AttributeError, match="cannot assign to field 'layers'"):
        first.layers = ()  # type: ignore[misc]


def test_dropout_in_between_changes_no_start_value() -> None:
    plain = Network.parse("4 8:relu 3").initialize(Stream(3))
    other = Network.parse("4 8:relu dropout:0.2 3").initialize(Stream(3))
    np.testing.assert_array_equal(plain[1]["kernel"], other[2]["kernel"])
    assert not np.array_equal(plain[0]["kernel"], Network.parse("4 8 3").initialize(Stream(4))[0]["kernel"])


def test_each_layer_gets_its_own_numbers_and_random_numbers() -> None:
    network = Network.parse("3 dropout:0.5 3 dropout:0.5")
    asked = []

    def random(index, shape):
        asked.append((index, shape))
        return np.full(shape, 0.6, np.float32)

    p = network.initialize(Stream(0))
    numbers = [{}, {}, {"rate": np.float32(0.9)}]
    x = np.ones((2, 3), np.float32)
    out = network.apply(p, x, training=True, numbers=numbers, random=random)
    assert asked == [(0, (2, 3)), (2, (2, 3))]
    assert (out == 0).all()
    assert (network.apply(p, x, training=True, random=random) != 0).any()


@pytest.mark.slow
def test_padded_network_equals_the_narrow_one(jax_namespace) -> None:
    import jax

    table = ("relu", "tanh")
    narrow = Network.parse("4 3:tanh 5:relu 2:softmax")
    wide = Network([Dense(8, table=table), Dense(8, table=table), Dense(2, "softmax")], (4,))
    p, x = narrow.initialize(Stream(0)), Stream(1).normal((6, 4))
    padded = [
        {"kernel": np.pad(p[0]["kernel"], ((0, 0), (0, 5))), "bias": np.pad(p[0]["bias"], (0, 5))},
        {"kernel": np.pad(p[1]["kernel"], ((0, 5), (0, 3))), "bias": np.pad(p[1]["bias"], (0, 3))},
        {"kernel": np.pad(p[2]["kernel"], ((0, 3), (0, 0))), "bias": p[2]["bias"]},
    ]
    numbers = [
        {"activation": np.full(8, 1, np.int32)},
        {"activation": np.full(8, 0, np.int32)},
        {},
    ]
    for logits in (False, True):
        alone = narrow.apply(p, x, xp=jax_namespace, logits=logits)
        run = jax.jit(lambda p, n, lg=logits: wide.apply(p, x, xp=jax_namespace, numbers=n, logits=lg))
        out = run(padded, numbers)
        np.testing.assert_allclose(out, alone, rtol=2e-5, atol=1e-6)


def test_logits_belong_to_the_last_layer_only() -> None:
    p = Network.parse("4 8:relu 3:softmax").initialize(Stream(0))
    x = Stream(1).normal((6, 4))
    logits = Network.parse("4 8:relu 3").predict(p, x)
    both = [Network.parse("4 8:relu 3:softmax"), Network.parse("4 8:relu 3 activation:softmax")]
    for network, own in zip(both, [p, [*p, {}]], strict=True):
        np.testing.assert_array_equal(network.apply(own, x, logits=True), logits)
        assert network.output_activation == "softmax"


def test_predict_keeps_the_parameters_number_type() -> None:
    network = Network.parse("4 8:gelu 3:softmax")
    p, x = network.initialize(Stream(0)), Stream(1).normal((6, 4)).astype(np.float64)
    assert network.predict(p, x).dtype == np.float32
    precise = [{k: v.astype(np.float64) for k, v in layer.items()} for layer in p]
    assert network.predict(precise, x.tolist()).dtype == np.float64
    assert network.predict(p, np.empty((0, 4))).shape == (0, 3)


def test_infinite_predictions_are_shown_without_a_warning() -> None:
    network = Network.parse("1 1:exponential")
    p = [{"kernel": np.ones((1, 1), np.float32), "bias": np.zeros(1, np.float32)}]
    assert network.predict(p, [[1e4]]).tolist() == [[np.inf]]


def test_round_trip_through_json() -> None:
    network = Network(
        [Flatten(), Dense(2, ("relu", "tanh"), name="first"), Dropout(0.1), Activation("elu"), Dense(1)],
        (2, 2),
    )
    assert Network.from_dict(json.loads(json.dumps(network.to_dict()))) == network


def test_bad_files_are_explained() -> None:
    good = Network.parse("4 3").to_dict()
    with pytest.raises(NetworkError, match=r"format 2, this shoal reads format 1\. Install a newer shoal"):
        Network.from_dict({**good, "format": 2})
    with pytest.raises(NetworkError, match=r"no layer is called 'Desne'\. Did you mean 'Dense'\?"):
        Network.from_dict({**good, "layers": [{"class": "Desne"}]})
    with pytest.raises(NetworkError, match="the entry 'layers' is missing"):
        Network.from_dict({"format": 1, "input_shape": [4]})
    with pytest.raises(NetworkError, match=r"Dense: 'units' is missing"):
        Network.from_dict({**good, "layers": [{"class": "Dense"}]})


def test_functions_cannot_be_kept_in_a_file() -> None:
    network = Network([Dense(3), Dense(2, lambda _, z: z)], (4,))
    with pytest.raises(NetworkError, match=r"layer 'dense_1' \(Dense\): activation is the Python function"):
        network.to_dict()


def test_shape_errors_name_the_layer_and_both_shapes() -> None:
    message = (
        r"layer 'dense_1' \(Dense\) has outputs of shape \(3,\) but 2 activations.*"
        r"layer 1; it follows layer 'dense' with output \(8,\)"
    )
    with pytest.raises(NetworkError, match=message):
        Network([Dense(8), Dense(3, ("relu", "tanh"))], (4,))
    with pytest.raises(NetworkError, match=r"needs inputs of shape .* layer 0; it follows the network's input \(\)"):
        Network([Dense(8)], ())


def test_rows_are_checked() -> None:
    network = Network.parse("4 3")
    p = network.initialize(Stream(0))
    with pytest.raises(NetworkError, match=r"layer 'dense' \(Dense\) expects input of shape \(rows, 4\), got \(2, 5\)"):
        network.predict(p, np.ones((2, 5)))
    with pytest.raises(NetworkError, match=r"got \(4,\)\. For a single row write x\[None\]"):
        network.predict(p, np.ones(4))
    with pytest.raises(NetworkError, match=r"expects input of shape \(rows, 4\), got \(\)"):
        network.predict(p, 1.0)


def test_parameters_are_checked() -> None:
    network, other = Network.parse("4 3"), Network.parse("5 3")
    message = r"layer 'dense' \(Dense\) needs parameters kernel \(4, 3\), bias \(3,\), got kernel \(5, 3\), bias"
    with pytest.raises(NetworkError, match=message):
        network.predict(other.initialize(Stream(0)), np.ones((2, 4)))
    with pytest.raises(NetworkError, match="the network has 1 layers but got parameters for 0"):
        network.predict([], np.ones((2, 4)))


@pytest.mark.parametrize("shape", [(0,), (-1,), (2.5,), (True,)])
def test_input_shape_is_checked(shape: tuple) -> None:
    with pytest.raises(NetworkError, match="input_shape must hold whole numbers of at least 1"):
        Network([Dense(1)], shape)


def test_layers_are_checked() -> None:
    with pytest.raises(NetworkError, match="a network needs at least one layer"):
        Network([], (4,))
    with pytest.raises(NetworkError, match="layer 1 must be a layer such as Dense"):
        Network([Dense(1), 8], (4,))  # type: ignore[list-item]


@pytest.mark.parametrize(
    ("text", "layers", "shape"),
    [
        ("4 8:relu 3:softmax", [Dense(8, "relu"), Dense(3, "softmax")], (4,)),
        ("  4\t8:swish  3 ", [Dense(8, "silu"), Dense(3)], (4,)),
        ("2 2:relu,tanh dropout:0.2 1", [Dense(2, ("relu", "tanh")), Dropout(0.2), Dense(1)], (2,)),
        ("8x8 flatten activation:tanh 3", [Flatten(), Activation("tanh"), Dense(3)], (8, 8)),
        ("8x8x1 conv2d:4:3:relu max_pooling2d:2", [Conv2D(4, 3, activation="relu"), MaxPooling2D(2)], (8, 8, 1)),
        ("8x8x1 conv2d:2:3x2:1:same:tanh", [Conv2D(2, (3, 2), 1, "same", activation="tanh")], (8, 8, 1)),
        ("4 reshape:2x2x1 conv2d:2:1:relu,tanh", [Reshape((2, 2, 1)), Conv2D(2, 1, activation=("relu", "tanh"))], (4,)),
        ("6x2 cropping1d:1x2 zeropadding1d", [Cropping1D((1, 2)), ZeroPadding1D()], (6, 2)),
        ("6x2 conv1d:3:2:1:causal", [Conv1D(3, 2, 1, "causal")], (6, 2)),
    ],
)
def test_parse(text: str, layers: list, shape: tuple[int, ...]) -> None:
    assert Network.parse(text) == Network(layers, shape)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "'' names no layer"),
        ("4", "'4' names no layer"),
        ("four 3", "'four' in 'four 3' is not a number of inputs"),
        ("4 3:rleu", r"'3:rleu' in '4 3:rleu'.*Did you mean 'relu'"),
        ("4 2:relu,rlu", "no activation is called 'rlu'"),
        ("4 3.5", "'3.5' in '4 3.5' is not a layer"),
        ("4 3:", "'3:' in '4 3:' is not a layer"),
        ("4 0", "units must be a whole number"),
        ("4 dropout:2 3", "rate is the share of inputs left out"),
        ("4 dropout 3", "'dropout' in '4 dropout 3' is not a layer"),
        ("4 flatten:2 3", "is not a layer"),
        ("8x8x1 conv2:3:3", "Did you mean 'conv2d'.*Known: dense, "),
        ("8x8x1 conv2d:3", "Conv2D needs kernel_size, in the order filters:kernel_size:strides"),
        ("8x8x1 conv2d:3:3:rleu", "Did you mean 'relu'"),
        ("8x8x1 conv2d:3:3:1:smae", "Conv2D.*padding must be one of valid, same.*Did you mean 'same'"),
        ("8x8x1 flatten maxpooling2d:2", "needs inputs of shape .height, width, channels., got .64,."),
        ("3x3x1 maxpooling2d:4", "'max_pooling2d' .MaxPooling2D. has a window of size .4, 4., larger than its input"),
        ("0 3", "input_shape must hold whole numbers of at least 1"),
        ("4 3:relu,tanh", r"has outputs of shape \(3,\) but 2 activations"),
    ],
)
def test_parse_errors(text: str, message: str) -> None:
    with pytest.raises(NetworkError, match=message):
        Network.parse(text)


def test_summary_shows_sizes() -> None:
    text = Network.parse("28x28x1 conv2d:32:3:relu maxpooling2d:2x1 flatten 3").summary()
    assert "conv2d (Conv2D)               3×3 relu    (rows, 26, 26, 32)         320" in text.splitlines()
    assert "max_pooling2d (MaxPooling2D)  2×1         (rows, 13, 26, 32)           0" in text.splitlines()


def test_summary() -> None:
    text = Network.parse("64 1000:relu dropout:0.25 10:softmax").summary()
    lines = text.splitlines()
    assert lines[0].split() == ["Layer", "(type)", "Activation", "Output", "shape", "Parameters"]
    assert "dense (Dense)      relu        (rows, 1000)      65,000" in lines
    assert lines[-1] == "75,010 parameters"
    assert len({len(line) for line in lines[3:6]}) == 1
