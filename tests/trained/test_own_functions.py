"""A hundred losses, activations and metrics of a user's own: right, or refused in words that name the fault."""

from __future__ import annotations

import linecache
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shoal.errors import SettingError
from shoal.networks import Dense, Network, numpy_namespace
from shoal.networks.activations import apply_activation
from shoal.settings import check_settings
from shoal.trained.rows import checked_rows
from shoal.trained.scores import scores_of
from shoal.training.losses import get_loss
from shoal.training.penalties import user_penalty

# Expressions in e, by whether they need xp; with them, what spoils a function and what its message must say.
PLAIN = ("e**2", "abs(e)", "e * e * 0.5", "(e**2 + 1.0) ** 0.5", "1.0 / (1.0 + e**2)")
WITH_XP = (
    "xp.abs(e)",
    "xp.log1p(e**2)",
    "xp.where(e > 0, 2.0 * e, -e)",
    "xp.exp(-xp.abs(e))",
    "xp.maximum(e, 0.1 * e)",
)
ENDS = ("{}", "({}).mean(axis=-1)", "({}).sum(axis=-1, keepdims=True)")
FAULTS = (
    ("np.abs({})", "NumPy's functions cannot be differentiated"),
    ("({0}) if ({0}).sum() > 0 else ({0})", "write xp.where"),
    ("({}).mean()", r"must return .* got \(\) of float32"),
    ("({}) > 0", "of bool"),
    ("({}).T[:1, :1]", "must return"),
    ("None and ({})", "got NoneType None"),
    ("[({})]", "got list"),
    ("({}) + nothing", "NameError: name 'nothing' is not defined"),
    ("({}).foo", "AttributeError"),
    ("({}) / 0 if False else 1 / 0", "ZeroDivisionError"),
)


def made(head: str, body: str) -> Callable[..., Any]:
    """Return the function of a source text, whose lines a traceback can show."""
    text = f"def mine({head}):\n    e = {'y_pred - y_true' if 'y_true' in head else 'z'}\n    return {body}\n"
    name = f"<mine {hash(text)}>"
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    space: dict[str, Any] = {"np": np}
    exec(compile(text, name, "exec"), space)
    function: Callable[..., Any] = space["mine"]
    return function


@st.composite
def functions(draw: Any, arguments: str, ends: tuple[str, ...] = ENDS) -> tuple[Callable[..., Any], str, str]:
    """Draw a function, its expression in e, and what its message must say, empty where it is right."""
    with_xp = draw(st.booleans())
    parts = draw(st.lists(st.sampled_from(PLAIN + WITH_XP if with_xp else PLAIN), min_size=1, max_size=3))
    numbers = draw(st.lists(st.floats(-3, 3), min_size=3, max_size=3))
    body = " + ".join(f"{number} * ({part})" for number, part in zip(numbers, parts, strict=False))
    body = draw(st.sampled_from(ends)).format(body)
    fault, message = draw(st.sampled_from((*FAULTS, *[("{}", "")] * len(FAULTS))))
    return made(f"xp, {arguments}" if with_xp else arguments, fault.format(body)), body, message


@pytest.fixture(scope="module")
def xp() -> Any:
    from shoal.training.engines.xla.lifts import xp

    return xp


MANY = settings(max_examples=100, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
Y, F = np.array([[0.5], [1.0], [-2.0], [0.0]], np.float32), np.array([[1.5], [1.0], [0.5], [-1.0]], np.float32)


def value_of(body: str, e: np.ndarray) -> np.ndarray:
    """Return what an expression is, by NumPy alone."""
    value: np.ndarray = eval(body, {"e": e.astype(np.float64), "xp": np, "abs": abs})
    return value if value.ndim == e.ndim else value[..., None]


@pytest.mark.slow
@MANY
@given(functions("y_true, y_pred"))
def test_a_loss(xp: Any, drawn: tuple[Any, str, str]) -> None:
    import jax

    function, body, message = drawn
    loss = get_loss(function)
    compiled = jax.jit(lambda y, f: loss.values(xp, y, f, {}))
    if message:
        with pytest.raises(SettingError, match=message) as caught:
            compiled(Y, F)
        assert "the loss 'mine'" in str(caught.value)
        return
    np.testing.assert_allclose(compiled(Y, F), value_of(body, F - Y), rtol=1e-4, atol=1e-5)
    slope = jax.grad(lambda f: jax.numpy.sum(loss.values(xp, Y, f, {})))(F)
    assert np.isfinite(np.asarray(slope)).all()


@pytest.mark.slow
@MANY
@given(functions("z", ends=ENDS[:1]))
def test_an_activation(xp: Any, drawn: tuple[Any, str, str]) -> None:
    import jax

    function, body, message = drawn
    z = np.linspace(-2, 2, 12, dtype=np.float32).reshape(4, 3)
    (activation,) = (layer.activation for layer in Network([Dense(3, activation=function)], 2).layers)  # type: ignore[attr-defined]
    compiled = jax.jit(lambda z: apply_activation(xp, activation, z))
    if message:
        message = message.replace(r"\(\) of", "shape .* of").replace("NoneType None", "None")
        with pytest.raises(SettingError, match=message) as caught:
            compiled(z)
        assert "the activation 'mine'" in str(caught.value)
        return
    expected = value_of(body, z)
    np.testing.assert_allclose(compiled(z), expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(apply_activation(numpy_namespace, activation, z), expected, rtol=1e-4, atol=1e-5)


METRIC_FAULTS = (
    ("({}).mean(axis=0).tolist() + [1]", "must return one number, got list"),
    ("({})", "must return one number, got an array of shape"),
    ("None and ({})", "must return one number, got NoneType"),
    ("'good' or ({})", "must return one number, got str 'good'"),
    ("({}).foo.mean()", "AttributeError"),
    ("nothing + ({}).mean()", "NameError"),
)


@MANY
@given(st.sampled_from(PLAIN), st.sampled_from((*METRIC_FAULTS, *[("({}).mean()", "")] * len(METRIC_FAULTS))))
def test_a_metric(body: str, fault: tuple[str, str]) -> None:
    function, message = made("y_true, y_pred", fault[0].format(body)), fault[1]
    network = Network([Dense(1)], 1)
    rows = checked_rows(network, get_loss("mse"), False, np.zeros((4, 1)), Y[:, 0], None)
    (score,) = scores_of(function, network, get_loss("mse"))
    if message:
        with pytest.raises(SettingError, match=message) as caught:
            score.of(rows, F)
        assert "the metric 'mine'" in str(caught.value)
        return
    assert score.of(rows, F) == pytest.approx(float(value_of(body, F - Y).mean()), rel=1e-5)


@pytest.mark.parametrize(
    ("function", "what"),
    [
        (lambda y: y, r"takes \(y\)"),
        (lambda a, b, c, d: a + b + c + d, r"takes \(a, b, c, d\)"),
        (lambda a, b, *, c: a + b + c, r"takes \(a, b, \*, c\)"),
        (max, "must be a Python function"),
    ],
)
def test_the_arguments_are_checked_before_anything_is_compiled(function: Any, what: str) -> None:
    with pytest.raises(SettingError, match=f"the loss .* {what}"):
        get_loss(function)
    with pytest.raises(SettingError, match="the metric"):
        scores_of([function], Network([Dense(1)], 1), get_loss("mse"))


def test_further_arguments_may_have_defaults() -> None:
    loss = get_loss(lambda y_true, y_pred, delta=2.0: delta * (y_true - y_pred) ** 2)
    np.testing.assert_allclose(loss.values(numpy_namespace, Y, F, {}), 2.0 * (Y - F) ** 2)


def wrong_at_once(y_true: Any, y_pred: Any) -> Any:
    """Fail as losses fail."""
    return np.exp(y_pred - y_true)


@pytest.mark.slow
def test_a_loss_that_fails_shows_its_own_line(numbers: Any, regressor: Network) -> None:
    with pytest.raises(SettingError) as caught:
        regressor.fit(*numbers, loss=wrong_at_once)
    text = str(caught.value)
    assert f"the loss 'wrong_at_once' failed in {__file__}, line " in text
    assert "return np.exp(y_pred - y_true)" in text
    assert "def wrong_at_once(xp, y_true, y_pred), and write xp.exp for np.exp" in text
    assert caught.traceback[-1].name == "fit"
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


@pytest.mark.slow
def test_one_penalty_or_several(numbers: Any, regressor: Network) -> None:
    def decay(weights: Any) -> Any:
        return 0.05 * sum((layer["kernel"] ** 2).sum() for layer in weights)

    def half(xp: Any, weights: Any) -> Any:
        return 0.025 * sum(xp.sum(layer["kernel"] ** 2) for layer in weights)

    options = {"loss": "mse", "epochs": 2, "learning_rate": 0.1, "optimizer": "sgd"}
    trained = regressor.fit(*numbers, penalties=[decay, half], **options)
    known = regressor.fit(*numbers, l2=2 * 0.075 * (4 * 6 + 6), **options)
    np.testing.assert_allclose(trained.weights["dense"]["kernel"], known.weights["dense"]["kernel"], rtol=1e-5)
    assert check_settings({"penalties": decay}).penalties == (decay,)
    with pytest.raises(SettingError, match=r"the penalty 'of_three' must take \(weights\)"):
        regressor.fit(*numbers, penalties=of_three, **options)
    with pytest.raises(SettingError, match=r"the penalty 'wide' must return one number, got shape \(4, 6\)"):
        user_penalty(wide)(numpy_namespace, regressor.initialize())


def of_three(a: Any, b: Any, c: Any) -> Any:
    """Take one argument too many."""
    return a + b + c


def wide(weights: Any) -> Any:
    """Return what is no number."""
    return weights[0]["kernel"]
