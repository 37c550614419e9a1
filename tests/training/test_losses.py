"""Losses: values and gradients equal to Keras', from probabilities and from what stands before them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from shoal.errors import SettingError
from shoal.networks import numpy_namespace
from shoal.results import Task
from shoal.training.loss_choice import check_loss_suits
from shoal.training.losses import LOSSES, Loss, get_loss

RNG = np.random.default_rng(0)
NUMBERS = RNG.normal(size=(7, 3)).astype(np.float32)
GUESSES = (3.0 * RNG.normal(size=(7, 3))).astype(np.float32)
ONE_HOT = np.eye(3, dtype=np.float32)[RNG.integers(0, 3, 7)]
BITS = RNG.integers(0, 2, (7, 3)).astype(np.float32)
SCORES = (4.0 * RNG.normal(size=(7, 3))).astype(np.float32)
SOFTMAX = np.exp(SCORES) / np.exp(SCORES).sum(axis=1, keepdims=True)
SIGMOID = 1.0 / (1.0 + np.exp(-SCORES))
SMOOTHING = 0.1


def keras_loss(name: str, **options: Any) -> Callable[[Any, Any], Any]:
    import keras

    function = getattr(keras.losses, name)
    return lambda y, f: keras.ops.mean(function(y, f, **options))


def root_of_keras_mse(y: Any, f: Any) -> Any:
    return keras_loss("mean_squared_error")(y, f) ** 0.5


def mean_cost(loss: Loss, values: Callable[..., Any], numbers: dict[str, float]) -> Callable[[Any, Any], Any]:
    from shoal.training.engines.xla.lifts import xp

    return lambda y, f: loss.finish(xp, xp.mean(values(xp, y, f, numbers)))


def assert_same(ours: Callable[[Any, Any], Any], theirs: Callable[[Any, Any], Any], y: Any, f: Any) -> None:
    """Compare values and gradients by the output."""
    import jax
    import jax.numpy as jnp

    got = jax.value_and_grad(lambda out: ours(jnp.asarray(y), out))(jnp.asarray(f, jnp.float32))
    expected = jax.value_and_grad(lambda out: theirs(jnp.asarray(y), out))(jnp.asarray(f, jnp.float32))
    np.testing.assert_allclose(got[0], expected[0], rtol=2e-6)
    np.testing.assert_allclose(got[1], expected[1], rtol=2e-5, atol=1e-7)
    assert np.abs(expected[1]).max() > 1e-3


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "theirs", "numbers"),
    [
        ("mse", keras_loss("mean_squared_error"), {}),
        ("rmse", root_of_keras_mse, {}),
        ("mae", keras_loss("mean_absolute_error"), {}),
        ("huber", keras_loss("huber"), {}),
        ("huber", keras_loss("huber", delta=2.5), {"huber_delta": 2.5}),
        ("log_cosh", keras_loss("log_cosh"), {}),
    ],
)
def test_losses_of_numbers_equal_keras(name: str, theirs: Any, numbers: dict[str, float]) -> None:
    loss = get_loss(name)
    assert_same(mean_cost(loss, loss.values, numbers), theirs, NUMBERS, GUESSES)


@pytest.mark.slow
@pytest.mark.parametrize("smoothing", [0.0, SMOOTHING])
@pytest.mark.parametrize(
    ("name", "target", "probabilities"),
    [("categorical_crossentropy", ONE_HOT, SOFTMAX), ("binary_crossentropy", BITS, SIGMOID)],
)
def test_cross_entropies_equal_keras(name: str, target: Any, probabilities: Any, smoothing: float) -> None:
    loss, numbers = get_loss(name), {"label_smoothing": smoothing}
    theirs = keras_loss(name, label_smoothing=smoothing)
    assert_same(mean_cost(loss, loss.values, numbers), theirs, target, probabilities)
    assert loss.values_of_logits is not None
    theirs = keras_loss(name, label_smoothing=smoothing, from_logits=True)
    assert_same(mean_cost(loss, loss.values_of_logits, numbers), theirs, target, SCORES)


@pytest.mark.parametrize(
    ("name", "target", "activation"),
    [("categorical_crossentropy", ONE_HOT, "softmax"), ("binary_crossentropy", BITS, "sigmoid")],
)
def test_the_fused_form_is_the_loss_of_the_activation(name: str, target: Any, activation: str) -> None:
    from shoal.networks import ACTIVATIONS

    loss = get_loss(name)
    assert loss.fused == activation
    assert loss.values_of_logits is not None
    scores = SCORES.astype(np.float64)
    plain = loss.values(numpy_namespace, target, ACTIVATIONS[activation].function(numpy_namespace, scores), {})
    np.testing.assert_allclose(loss.values_of_logits(numpy_namespace, target, scores, {}), plain, rtol=1e-5)


@pytest.mark.parametrize("name", ["categorical_crossentropy", "binary_crossentropy"])
def test_the_fused_form_is_exact_where_exp_overflows(name: str) -> None:
    values = LOSSES[name].values_of_logits
    assert values is not None
    target = np.asarray([[1.0, 0.0]], np.float32)
    wrong = values(numpy_namespace, target, np.asarray([[-500.0, 500.0]], np.float32), {})
    right = values(numpy_namespace, target, np.asarray([[500.0, -500.0]], np.float32), {})
    assert wrong.max() == (1000.0 if name.startswith("cat") else 500.0)
    assert right.max() == 0.0


def test_log_cosh_does_not_overflow() -> None:
    values = LOSSES["log_cosh"].values(numpy_namespace, np.zeros((1, 1)), np.full((1, 1), 1e4), {})
    assert values[0, 0] == pytest.approx(1e4 - np.log(2.0))


@pytest.mark.slow
def test_the_root_has_a_finite_gradient_at_zero() -> None:
    import jax

    from shoal.training.engines.xla.lifts import xp

    assert float(jax.grad(lambda mean: LOSSES["rmse"].finish(xp, mean))(0.0)) == 0.0


@pytest.mark.slow
def test_a_mean_that_is_no_number_has_no_root() -> None:
    import jax.numpy as jnp

    from shoal.training.engines.xla.lifts import xp

    means, roots = [np.nan, 4.0, 0.0, -1.0], [np.nan, 2.0, 0.0, 0.0]
    np.testing.assert_array_equal(LOSSES["rmse"].finish(numpy_namespace, np.asarray(means)), roots)
    np.testing.assert_array_equal(LOSSES["rmse"].finish(xp, jnp.asarray([*means, np.inf])), [*roots, np.inf])


@pytest.mark.parametrize("name", LOSSES)
def test_shapes_that_disagree_are_refused(name: str) -> None:
    loss, target, output = LOSSES[name], np.zeros((4, 1)), np.zeros((4, 3))
    message = r"target of shape \(4, 1\) and output of shape \(4, 3\) must agree"
    with pytest.raises(SettingError, match=message):
        loss.values(numpy_namespace, target, output, {})
    if loss.values_of_logits is not None:
        with pytest.raises(SettingError, match=message):
            loss.values_of_logits(numpy_namespace, target, output, {})


def test_a_callable_is_a_loss() -> None:
    def quartic(xp: Any, target: Any, output: Any) -> Any:
        return (target - output) ** 4

    loss = get_loss(quartic)
    assert (loss.name, loss.fused, loss.root) == ("quartic", None, False)
    np.testing.assert_array_equal(loss.values(numpy_namespace, NUMBERS, GUESSES, {}), (NUMBERS - GUESSES) ** 4)
    assert get_loss(loss) is loss


def test_a_callable_may_give_one_value_per_row() -> None:
    loss = get_loss(lambda xp, target, output: xp.mean((target - output) ** 2, axis=-1))
    assert loss.values(numpy_namespace, NUMBERS, GUESSES, {}).shape == (7, 1)


@pytest.mark.parametrize("result", [np.zeros(()), np.zeros(5), np.zeros((3, 7)), np.zeros((7, 2))])
def test_a_callable_with_values_of_another_shape_is_refused(result: np.ndarray) -> None:
    loss = get_loss(lambda *_: result)
    with pytest.raises(SettingError, match=r"must return \(7, 3\), \(7, 1\) or \(7,\)"):
        loss.values(numpy_namespace, NUMBERS, GUESSES, {})


def test_unknown_names_get_a_suggestion() -> None:
    with pytest.raises(SettingError, match="Did you mean 'huber'"):
        get_loss("hubber")


def test_names_of_keras_are_known() -> None:
    assert get_loss("mean_squared_error") is LOSSES["mse"]
    assert get_loss("root_mean_squared_error") is LOSSES["rmse"]
    assert get_loss("logcosh") is LOSSES["log_cosh"]


def test_cross_entropy_does_not_suit_numbers() -> None:
    check_loss_suits(LOSSES["mse"], Task.CLASSIFICATION)
    with pytest.raises(SettingError, match=r"not suit regression; choose one of mse, .*, gaussian_nll, "):
        check_loss_suits(LOSSES["categorical_crossentropy"], Task.REGRESSION)
