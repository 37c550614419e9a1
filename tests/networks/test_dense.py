from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from shoal.errors import NetworkError, SettingError
from shoal.networks import ACTIVATIONS, Context, Dense, numpy_namespace
from shoal.networks.activations import apply_activation, get_activation
from shoal.streams import Stream

X = Stream(1).normal((6, 4))


def parameters(layer: Dense, seed: int = 2) -> dict[str, np.ndarray]:
    return {n: Stream(seed, i).normal(s) for i, (n, s) in enumerate(layer.parameter_shapes((4,)).items())}


KERAS_NAMES = [name for name in ACTIVATIONS if name not in ("threshold", "sparsemax")]  # see test_activations
KERAS_CASES = [*((name, True) for name in KERAS_NAMES), ("tanh", False)]


@pytest.fixture(scope="module")
def both(jax_namespace):
    """Values and gradients for parameters and rows, here and in Keras, from one compiled program."""
    import jax
    import keras

    cases = {case: Dense(6, *case) for case in KERAS_CASES}

    def loss(apply, p, x):
        out = apply(p, x)
        return (out * out).sum(), out

    def of_keras(name, use_bias):
        layer = keras.layers.Dense(6, name, use_bias)
        layer.build((None, 4))
        return lambda p, x: layer.stateless_call([p[k] for k in ("kernel", "bias") if k in p], [], x)[0]

    theirs = {case: of_keras(*case) for case in cases}  # Keras must not make variables while it is traced

    def everything(p, x):
        results = {}
        for case, layer in cases.items():
            own = p if case[1] else {"kernel": p["kernel"]}
            here = partial(layer.apply, jax_namespace, context=Context())
            results[case] = [
                jax.value_and_grad(partial(loss, f), argnums=(0, 1), has_aux=True)(own, x)
                for f in (lambda p, x, here=here: here(parameters=p, x=x), theirs[case])
            ]
        return [results[case] for case in cases]

    return dict(zip(cases, jax.jit(everything)(parameters(Dense(6)), X), strict=True))


@pytest.mark.slow
@pytest.mark.parametrize(("name", "use_bias"), KERAS_CASES)
def test_values_and_gradients_equal_keras(name: str, use_bias: bool, both) -> None:
    ((_, out), gradients), ((_, expected), expected_gradients) = both[name, use_bias]
    np.testing.assert_allclose(out, expected, rtol=2e-5, atol=2e-6)
    numpy = Dense(6, name, use_bias).apply(numpy_namespace, parameters(Dense(6)), X, Context())
    np.testing.assert_allclose(numpy, expected, rtol=2e-5, atol=2e-6)
    assert gradients[0].keys() == expected_gradients[0].keys()
    for key in gradients[0]:
        np.testing.assert_allclose(gradients[0][key], expected_gradients[0][key], rtol=2e-4, atol=2e-5)
    np.testing.assert_allclose(gradients[1], expected_gradients[1], rtol=2e-4, atol=2e-5)


def test_is_one_matrix_product_with_the_bias_as_an_extra_column() -> None:
    """Equation 1.5 of the notes: W x + b = (W b) (x 1)."""
    layer = Dense(3)
    p = {name: value.astype(np.float64) for name, value in parameters(layer).items()}
    x = X.astype(np.float64)
    extended = np.vstack([p["kernel"], p["bias"]])
    np.testing.assert_allclose(
        layer.apply(numpy_namespace, p, x, Context()), np.hstack([x, np.ones((6, 1))]) @ extended, rtol=1e-14
    )


def test_one_activation_per_neuron() -> None:
    names = ("relu", "tanh", "sigmoid")
    layer, plain = Dense(3, activation=list(names)), Dense(3)
    z = plain.apply(numpy_namespace, parameters(plain), X, Context())
    out = layer.apply(numpy_namespace, parameters(plain), X, Context())
    for i, name in enumerate(names):
        np.testing.assert_array_equal(out[:, i], ACTIVATIONS[name].function(numpy_namespace, z[:, i]))


def test_activation_may_be_a_function() -> None:
    layer = Dense(3, activation=lambda xp, z: xp.sin(z))
    p = parameters(layer)
    np.testing.assert_allclose(layer.apply(numpy_namespace, p, X, Context()), np.sin(X @ p["kernel"] + p["bias"]))
    with pytest.raises(NetworkError, match="activation is the Python function '<lambda>', which cannot be kept"):
        layer.to_dict()


def padded(p: dict[str, np.ndarray], units: int) -> dict[str, np.ndarray]:
    extra = units - p["bias"].size
    return {"kernel": np.pad(p["kernel"], ((0, 0), (0, extra))), "bias": np.pad(p["bias"], (0, extra))}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["relu", "tanh", "exponential", "sigmoid"])
def test_padded_layer_equals_the_narrow_one(name: str, jax_namespace) -> None:
    import jax

    table = ("exponential", "relu", "sigmoid", "tanh")
    narrow, wide = Dense(3, name), Dense(8, table=table)
    p = parameters(narrow)
    numbers = {"activation": np.full(8, table.index(name), np.int32)}
    context = Context(numbers=numbers)
    out = wide.apply(jax_namespace, padded(p, 8), X, context)
    np.testing.assert_allclose(out[:, :3], narrow.apply(jax_namespace, p, X, Context()), rtol=1e-6)
    silent = get_activation(name).keeps_zero
    assert (np.asarray(out[:, 3:]) == 0).all() == silent == (name in ("relu", "tanh"))

    def loss(p, layer, numbers):  # the weights behind padding are zero, so only the real neurons count
        return (layer.apply(jax_namespace, p, X, Context(numbers=numbers))[:, :3] ** 2).sum()

    wide_gradient = jax.jit(jax.grad(loss), static_argnums=1)(padded(p, 8), wide, numbers)
    narrow_gradient = jax.jit(jax.grad(loss), static_argnums=1)(p, narrow, {})
    for key in p:
        np.testing.assert_allclose(wide_gradient[key][..., :3], narrow_gradient[key], rtol=1e-5)
        assert (np.asarray(wide_gradient[key])[..., 3:] == 0).all()


@pytest.mark.slow
def test_members_of_different_width_and_activation_share_one_program(jax_namespace) -> None:
    import jax

    table, choices = ("relu", "tanh"), [("relu", 3), ("tanh", 8), ("tanh", 1)]
    layers = [Dense(units, name) for name, units in choices]
    members = [parameters(layer, seed) for seed, layer in enumerate(layers)]
    block = {key: np.stack([padded(m, 8)[key] for m in members]) for key in ("kernel", "bias")}
    numbers = {"activation": np.array([[table.index(name)] * 8 for name, _ in choices], np.int32)}
    wide = Dense(8, table=table)
    out = jax.vmap(lambda p, n: wide.apply(jax_namespace, p, X, Context(numbers=n)))(block, numbers)
    for m, (layer, member) in enumerate(zip(layers, members, strict=True)):
        alone = layer.apply(numpy_namespace, member, X, Context())
        np.testing.assert_allclose(out[m, :, : layer.units], alone, rtol=2e-5, atol=2e-6)


def test_activation_numbers_need_a_table() -> None:
    context = Context(numbers={"activation": np.zeros(3, np.int32)})
    with pytest.raises(NetworkError, match=r"got the number 'activation' but has no table"):
        Dense(3).apply(numpy_namespace, parameters(Dense(3)), X, context)


def test_logits_of_softmax_are_the_weighted_sums() -> None:
    layer = Dense(3, "softmax")
    p = parameters(layer)
    logits = layer.apply(numpy_namespace, p, X, Context(logits=True))
    np.testing.assert_allclose(logits, X @ p["kernel"] + p["bias"])
    np.testing.assert_array_equal(
        apply_activation(numpy_namespace, "softmax", logits), layer.apply(numpy_namespace, p, X, Context())
    )


@pytest.mark.parametrize("units", [0, -1, 2.5, "8", True, None])
def test_units_must_be_a_whole_number(units: object) -> None:
    with pytest.raises(SettingError, match="units must be a whole number, at least 1, got"):
        Dense(units)  # type: ignore[arg-type]


def test_bad_settings_name_the_layer() -> None:
    with pytest.raises(SettingError, match=r"layer 'hidden' \(Dense\): no activation is called 'rel'"):
        Dense(3, "rel", name="hidden")
    with pytest.raises(SettingError, match="softmax acts on all neurons of a layer together"):
        Dense(2, ("relu", "softmax"))
    with pytest.raises(SettingError, match="no initializer is called 'glorot'"):
        Dense(3, kernel_initializer="glorot")


def test_shape_errors() -> None:
    with pytest.raises(NetworkError, match=r"layer Dense needs inputs of shape \(features,\)"):
        Dense(3).output_shape(())
    with pytest.raises(NetworkError, match=r"layer 'a' \(Dense\) has outputs of shape \(3,\) but 2 activations"):
        Dense(3, ("relu", "tanh"), name="a").output_shape((4,))
    with pytest.raises(NetworkError, match=r"glu halves the last number of the shape, so \(3,\) must end in an"):
        Dense(3, "glu").output_shape((4,))
