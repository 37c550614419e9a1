"""Random kernels: what they tell of series, fitted to rows and done once for all members."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from shoal.errors import NetworkError
from shoal.networks import BatchNormalization, Branches, Conv1D, Masking, Network
from shoal.networks.minirocket import PLACES, beginning_of, random_kernels, rest_of, spread_dilations
from shoal.networks.parsing import parse_layers
from shoal.results import Task
from shoal.training.engines.native import NativeEngine
from shoal.training.engines.native.library import kernels
from shoal.training.engines.xla import XlaEngine
from shoal.training.forward import predict, sharing_beginnings
from shoal.training.frozen import GAIN, behind_beginning, fitted_beginning
from shoal.training.hyperparameters import Hyperparameters
from shoal.training.loss_choice import choose_loss
from shoal.training.member import Member
from shoal.training.packing import member_network, shares_beginning, trained_network
from shoal.training.problem import Problem, make_problem
from shoal.training.trainer import train

PADDING, STEPS, TEXT = -9.0, 20, "minirocket:90:1x2"
RNG = np.random.default_rng(5)


def posed(channels: int = 1, padded: bool = False, rows: int = 24, seed: int = 1) -> Problem:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, STEPS, channels)).astype(np.float32).cumsum(axis=1)
    if padded:
        for row, length in enumerate(rng.integers(9, STEPS + 1, rows)):
            x[row, length:] = PADDING
    y = np.arange(rows) % 3
    loss = choose_loss(Task.CLASSIFICATION, 3, None)
    problem = make_problem(Task.CLASSIFICATION, loss, (x, y, None), (x[:9] + 0.1, y[:9], None), classes=3, seed=seed)
    return replace(problem, stem=(Masking(PADDING),) if padded else ())


def member(number: int = 0, **settings: Any) -> Member:
    usual = {"layers": TEXT, "hidden": (), "epochs": 4, "batch_size": 8, "learning_rate": 0.01}
    return Member(number, Hyperparameters(**{**usual, **settings}))


def test_the_text_says_filters_and_dilations() -> None:
    (layer,) = parse_layers("minirocket:84:1x4")
    assert layer == random_kernels(84, (1, 4))
    assert [path[0].dilation_rate for path in layer.paths] == [(1,), (4,)]
    assert Network.parse("50x2 minirocket:84:3 3:softmax").output_shape == (3,)
    assert Network.from_dict(Network.parse("50x2 minirocket:84:3 3").to_dict()).layers[0] == random_kernels(84, 3)


@pytest.mark.parametrize(
    "text", ["minirocket", "minirocket:84", "minirocket:0:1", "minirocket:84:1x0", "minirocket:8:a"]
)
def test_other_texts_say_what_is_expected(text: str) -> None:
    with pytest.raises(NetworkError, match="minirocket:84:1x3x9"):
        parse_layers(text)


def test_dilations_span_the_series_and_kernels_are_the_84() -> None:
    assert spread_dilations(5) == (1,)
    assert max(spread_dilations(1000)) * 8 < 1000
    assert len(set(PLACES)) == 84


@pytest.mark.parametrize(("channels", "padded"), [(1, False), (3, False), (1, True), (2, True)])
def test_shares_are_those_of_steps_above_quantiles_of_a_plain_convolution(channels: int, padded: bool) -> None:
    problem = posed(channels, padded)
    network = member_network(problem, member())
    (values,) = (layer for layer in fitted_beginning(problem, network) if layer)
    for path, dilation in enumerate((1, 2)):
        kernel, bias = values[f"{path}.0/kernel"], values[f"{path}.0/bias"]
        for number in (0, 50, 83):
            used = np.abs(kernel[:, :, number]).max(axis=0) > 0
            weights = kernel[:, used, number] / np.abs(kernel[:, used, number]).min()
            expected = np.full(9, -1.0)
            expected[list(PLACES[number])] = 2.0
            np.testing.assert_allclose(weights, expected[:, None].repeat(used.sum(), axis=1), rtol=1e-5)
        shares = [_shares_of(problem, row, kernel, bias, dilation, padded) for row in range(len(problem.x))]
        np.testing.assert_allclose(values[f"{path}.2/moving_mean"], np.mean(shares, axis=0), rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(values[f"{path}.2/moving_variance"], np.var(shares, axis=0), rtol=1e-3, atol=1e-5)
        np.testing.assert_array_equal(values[f"{path}.2/gamma"], np.float32(GAIN))


def _shares_of(
    problem: Problem, row: int, kernel: np.ndarray, bias: np.ndarray, dilation: int, padded: bool
) -> np.ndarray:
    """Return the shares of one row by loops over its steps."""
    x = np.asarray(problem.x[row], np.float64)
    length = int((x != PADDING).any(axis=1).sum()) if padded else len(x)
    total = np.zeros(len(bias))
    for step in range(length):
        z = np.array(bias, np.float64)
        for tap in range(9):
            at = step + (tap - 4) * dilation
            if 0 <= at < length:
                z += x[at] @ kernel[tap]
        total += 1.0 / (1.0 + np.exp(-z))
    return total / length


def test_few_or_flat_series_give_finite_numbers() -> None:
    problem = posed()
    flat = replace(problem, x=np.ones_like(problem.x))
    for layer in fitted_beginning(flat, member_network(flat, member())):
        assert all(np.isfinite(array).all() for array in layer.values())


def test_what_is_shared_and_what_remains() -> None:
    problem = posed(padded=True)
    network = member_network(problem, member(hidden=(5,), dropout=0.2))
    assert beginning_of(network) == 2
    assert rest_of(network).input_shape == (180,)
    assert trained_network(problem, member()).shapes == ((3,),)
    assert not shares_beginning(problem, member(noise=0.1))
    assert not shares_beginning(problem, member(layers="conv1d:4:3"))
    plain = Network(
        [Branches([[Conv1D(4, 1)], [BatchNormalization()]], name="other"), *parse_layers("flatten 3")], (9, 4)
    )
    assert beginning_of(plain) == 0
    assert rest_of(plain) is plain


def test_rows_are_what_the_beginning_hands_on_and_networks_are_whole_again() -> None:
    problem = posed(2)
    whole = member_network(problem, member())
    behind = behind_beginning(problem, whole)
    beginning = Network(whole.layers[:1], problem.input_shape)
    expected = beginning.predict(fitted_beginning(problem, whole), problem.x)
    np.testing.assert_allclose(behind.x, expected, rtol=1e-4, atol=2e-6)
    np.testing.assert_allclose(behind.x.mean(axis=0), 0.0, atol=1e-5)
    trained = train(problem, [member()], NativeEngine()).members[0]
    assert trained.network == whole
    np.testing.assert_array_equal(
        trained.parameters[0]["0.0/kernel"], fitted_beginning(problem, whole)[0]["0.0/kernel"]
    )
    with sharing_beginnings():
        once, again = (predict(whole, trained.parameters, problem.x) for _ in range(2))
    np.testing.assert_array_equal(once, again)
    np.testing.assert_array_equal(once, predict(whole, trained.parameters, problem.x))
    np.testing.assert_allclose(once, whole.predict(trained.parameters, problem.x), rtol=1e-4, atol=1e-5)


@pytest.mark.slow
@pytest.mark.skipif(not kernels(), reason="the native engine's kernel was not built")
@pytest.mark.parametrize("padded", [False, True])
def test_both_engines_learn_the_same_behind_random_kernels(padded: bool) -> None:
    problem = posed(2, padded)
    settings: tuple[dict[str, Any], ...] = ({}, {"hidden": (6,), "dropout": 0.2}, {"noise": 0.2}, {"l2": 0.5})
    members = [member(number, **each) for number, each in enumerate(settings)]
    ours, theirs = (train(problem, members, engine).members for engine in (NativeEngine(), XlaEngine()))
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a.train_loss, b.train_loss, rtol=3e-5, atol=1e-5)
        np.testing.assert_allclose(a.validation_loss, b.validation_loss, rtol=3e-5, atol=1e-5)


def test_a_member_is_the_same_alone_and_among_others() -> None:
    problem = posed(2)
    members = [
        member(number, **each) for number, each in enumerate(({}, {"dropout": 0.2}, {"layers": "conv1d:4:3"}, {}))
    ]
    together = train(problem, members, NativeEngine()).members
    for one, trained in zip(members, together, strict=True):
        (alone,) = train(problem, [one], NativeEngine()).members
        np.testing.assert_array_equal(alone.validation_loss, trained.validation_loss)
        for layer, other in zip(alone.parameters, trained.parameters, strict=True):
            for name, array in layer.items():
                np.testing.assert_array_equal(array, other[name])
