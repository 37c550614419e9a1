from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from shoal.errors import SettingError
from shoal.networks import ACTIVATIONS, apply_table, get_activation, numpy_namespace
from shoal.networks.activations import ALIASES, activation_label, apply_activation, is_linear

NAMES = sorted(ACTIVATIONS)
ELEMENTWISE = [name for name in NAMES if ACTIVATIONS[name].elementwise]
# Kinks and both tails; an even number of columns so that glu can halve them.
POINTS = np.array(
    [
        [-30.0, -4.0, -3.0, -2.5, -1.0, -0.5, -0.3, -1e-4],
        [0.0, 1e-4, 0.3, 0.5, 1.0, 2.5, 3.0, 6.0],
        [7.0, 20.0, -0.7, 0.1, 1.5, -1.5, 0.0, 40.0],
    ],
    np.float32,
)
NAN = np.full((1, 8), np.nan, np.float32)
EXTREME = np.array([[-1e4, 1e4, 0.0, 0.0] * 2, [1e4] * 4 + [-1e4] * 4, [0.0] * 8], np.float32)


def keras_activation(name: str):
    import keras

    if name == "threshold":  # the only one for which Keras has no defaults
        return lambda z: keras.activations.threshold(z, 0.0, 0.0)
    return getattr(keras.activations, ACTIVATIONS[name].name)


def test_holds_all_of_keras() -> None:
    from keras.src.activations import ALL_OBJECTS_DICT

    ours = {a.name for a in ACTIVATIONS.values()} | set(ALIASES)
    assert set(ALL_OBJECTS_DICT) <= ours


def weights_of(z: np.ndarray, rows: int) -> np.ndarray:
    """Return what outputs weigh in the derivative: different for each of three rows and every column."""
    weights = np.linspace(-1.0, 2.0, z.size, dtype=np.float32).reshape(z.shape)
    return np.resize(weights, (rows, z.shape[1]))


def computed(functions: dict, z: np.ndarray) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return value and gradient of every function, from one compiled program."""
    import jax

    def value_and_gradient(function, z):
        out, pull_back = jax.vjp(function, z)
        return out, pull_back(weights_of(out[:3], len(out)))[0]

    program = jax.jit(lambda z: {name: value_and_gradient(f, z) for name, f in functions.items()})
    return {name: (np.asarray(v), np.asarray(g)) for name, (v, g) in program(z).items()}


@pytest.fixture(scope="module")
def ours(jax_namespace):
    functions = {name: partial(ACTIVATIONS[name].function, jax_namespace) for name in NAMES}
    rows = computed(functions, np.concatenate([POINTS, EXTREME, NAN]))  # rows do not see each other
    parts = {"points": slice(0, 3), "extreme": slice(3, 6), "nan": slice(6, 7)}
    return {key: {name: (v[part], g[part]) for name, (v, g) in rows.items()} for key, part in parts.items()}


@pytest.fixture(scope="module")
def keras():
    return computed({name: keras_activation(name) for name in NAMES}, POINTS)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in NAMES if name != "sparsemax"])
def test_values_equal_keras(name: str, ours, keras) -> None:
    expected, _ = keras[name]
    numpy = ACTIVATIONS[name].function(numpy_namespace, POINTS)
    np.testing.assert_allclose(numpy, expected, rtol=2e-6, atol=2e-6)
    np.testing.assert_allclose(ours["points"][name][0], expected, rtol=2e-6, atol=2e-6)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "sparsemax"])
def test_gradients_equal_keras(name: str, ours, keras) -> None:
    got, expected = ours["points"][name][1], keras[name][1]
    kinks = np.isclose(np.abs(POINTS), 1.0) & (name in ("sparse_sigmoid", "hard_tanh"))  # one-sided choices
    np.testing.assert_allclose(np.where(kinks, 0, got), np.where(kinks, 0, expected), rtol=3e-5, atol=3e-6)


def test_sparsemax_is_the_nearest_distribution(ours) -> None:
    """Keras 3.15 sums cumulated sums, so the definition is the judge: max(z - tau, 0) that adds up to 1."""
    p = ours["points"]["sparsemax"][0]
    np.testing.assert_allclose(p.sum(axis=-1), 1.0, rtol=1e-6)
    for z, row in zip(POINTS, p, strict=True):
        tau = (z - row)[row > 0]
        assert np.ptp(tau) < 2e-6
        assert (z[row == 0] <= tau[0]).all()
    assert (p[0] > 0).sum() == 3


def test_sparsemax_gradient_equals_finite_differences(ours) -> None:
    z, step = POINTS[:1].astype(np.float64), 1e-6
    function = ACTIVATIONS["sparsemax"].function
    for i in range(z.shape[1]):
        shift = step * (np.arange(z.shape[1]) == i)
        change = function(numpy_namespace, z + shift) - function(numpy_namespace, z - shift)
        slope = (weights_of(POINTS, 1) * change).sum() / (2 * step)
        assert ours["points"]["sparsemax"][1][0, i] == pytest.approx(slope, abs=1e-5)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_number_type_is_kept(name: str, dtype: type, ours) -> None:
    z = POINTS.astype(dtype)
    assert ACTIVATIONS[name].function(numpy_namespace, z).dtype == dtype
    if dtype is np.float32:
        assert ours["points"][name][0].dtype == dtype


@pytest.mark.parametrize("name", NAMES)
def test_float32_agrees_with_float64(name: str) -> None:
    precise = ACTIVATIONS[name].function(numpy_namespace, POINTS.astype(np.float64))
    np.testing.assert_allclose(ACTIVATIONS[name].function(numpy_namespace, POINTS), precise, rtol=2e-6, atol=2e-6)


@pytest.mark.parametrize("name", NAMES)
def test_extreme_inputs_leave_no_nan(name: str, ours) -> None:
    value, gradient = ours["extreme"][name]
    assert not np.isnan(value).any()
    assert not np.isnan(gradient).any()
    if name != "exponential":  # exp(1e4) is infinite in any float
        assert np.isfinite(gradient).all()
        assert np.isfinite(ACTIVATIONS[name].function(numpy_namespace, EXTREME)).all()  # and NumPy does not warn


@pytest.mark.parametrize("name", NAMES)
def test_nan_is_not_hidden(name: str, ours) -> None:
    assert np.isnan(ours["nan"][name][0]).any()
    assert np.isnan(ACTIVATIONS[name].function(numpy_namespace, NAN)).any()


def test_gelu_is_precise_in_both_tails() -> None:
    z = np.array([-3.0, 3.0])
    np.testing.assert_allclose(get_activation("gelu").function(numpy_namespace, z), [-0.0040496940952, 2.9959503059])


@pytest.mark.parametrize("name", ["softmax", "sparsemax"])
def test_probabilities_add_up_to_one(name: str) -> None:
    p = ACTIVATIONS[name].function(numpy_namespace, POINTS.astype(np.float64))
    np.testing.assert_allclose(p.sum(axis=-1), 1.0)
    assert (p >= 0).all()


def test_table_chooses_for_each_neuron(jax_namespace) -> None:
    import jax

    names = tuple(ELEMENTWISE)
    z = np.linspace(-2, 2, 3 * len(names), dtype=np.float32).reshape(3, len(names))
    choice = np.arange(len(names))[::-1].copy()
    expected = np.stack(
        [ACTIVATIONS[names[c]].function(numpy_namespace, z[:, i]) for i, c in enumerate(choice)], axis=1
    )
    np.testing.assert_array_equal(apply_table(numpy_namespace, names, choice, z), expected)
    compiled = jax.jit(partial(apply_table, jax_namespace, names))
    np.testing.assert_allclose(compiled(choice, z), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.slow
def test_table_gradient_ignores_functions_that_were_not_chosen(jax_namespace) -> None:
    import jax

    for names in (("exponential", "tanh"), ("tanh", "exponential")):
        choice = np.array([names.index("tanh")])
        z = np.array([[1e4]], np.float32)
        gradient = jax.grad(lambda z, n=names, c=choice: apply_table(jax_namespace, n, c, z).sum())(z)
        assert np.asarray(gradient).tolist() == [[0.0]]


def test_table_refuses_softmax() -> None:
    with pytest.raises(SettingError, match="softmax acts on all neurons of a layer together"):
        apply_table(np, ("relu", "softmax"), np.array([0]), np.ones((1, 1)))


def test_unknown_name_suggests_the_nearest() -> None:
    with pytest.raises(SettingError, match=r"no activation is called 'rleu'\. Did you mean 'relu'\?"):
        get_activation("rleu")


@pytest.mark.parametrize(
    ("alias", "name"),
    [
        ("swish", "silu"),
        ("hard_swish", "hard_silu"),
        (None, "linear"),
        ("ReLU", "relu"),
        ("exp", "exponential"),
    ],
)
def test_aliases(alias: str | None, name: str) -> None:
    assert get_activation(alias).name == name


def test_every_way_to_give_an_activation() -> None:
    z = np.array([[-1.0, 2.0]])
    assert apply_activation(np, None, z).tolist() == [[-1.0, 2.0]]
    assert apply_activation(np, "relu", z).tolist() == [[0.0, 2.0]]
    assert apply_activation(np, ("relu", "linear"), z).tolist() == [[0.0, 2.0]]
    assert apply_activation(np, lambda xp, z: xp.sin(z), z).tolist() == np.sin(z).tolist()


def test_labels_and_linearity() -> None:
    assert activation_label(("relu", "tanh", "relu")) == "relu, tanh"
    assert activation_label(np.sin) == "sin"
    assert is_linear(None)
    assert is_linear(("linear", "linear"))
    assert not is_linear(("linear", "relu"))
    assert not is_linear(lambda _, z: z)
