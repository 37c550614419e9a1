"""Recurrent layers in the native engine: slopes of float64, curves of XLA, the same bits everywhere, masks and all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from shoal.networks import Layer, Network, numpy_namespace
from shoal.networks.layers import (
    GRU,
    LSTM,
    BatchNormalization,
    Bidirectional,
    Conv1D,
    Dense,
    Dropout,
    GlobalAveragePooling1D,
    LayerNormalization,
    Masking,
    MaxPooling1D,
    Residual,
    SimpleRNN,
)
from shoal.results import Task
from shoal.search.spaces.series import series_layers, step_layers
from shoal.training.building import hyperparameters_of
from shoal.training.engine_choice import choose_engine
from shoal.training.engines.native import NativeEngine, engine, suits
from shoal.training.engines.native.cost import in_channels
from shoal.training.engines.native.graphs import graph_of
from shoal.training.engines.native.library import Kernel, kernels
from shoal.training.engines.native.suits import unsuited
from shoal.training.engines.xla import XlaEngine
from shoal.training.hyperparameters import Hyperparameters
from shoal.training.loss_choice import choose_loss
from shoal.training.member import CURVES, Member, TrainedMember, initial_parameters
from shoal.training.packing import batch_order, member_scalars
from shoal.training.penalties import weight_penalty
from shoal.training.planner import Budget
from shoal.training.problem import Problem, make_problem
from shoal.training.trainer import train

pytestmark = pytest.mark.skipif(not kernels(), reason="the native engine's kernel was not built")

PADDING = -9.0
ROWS, VALIDATION, STEPS, FEATURES = 37, 19, 7, 2
BOTH = Bidirectional(GRU(5, return_sequences=True, bias_initializer="random_normal"), "ave")
LAYERS: dict[str, tuple[Layer, ...]] = {
    "lstm": (LSTM(18),),
    "gru": (GRU(17, bias_initializer="random_normal"),),
    "gru that resets before the product": (
        Masking(PADDING),
        GRU(18, return_sequences=True, reset_after=False, bias_initializer="ones"),
        GRU(3, "silu", reset_after=False, go_backwards=True),
    ),
    "simple": (SimpleRNN(19),),
    "one behind the other": (LSTM(3, return_sequences=True), Dropout(0.2), GRU(5)),
    "other activations": (
        LSTM(5, "softsign", True, recurrent_activation="hard_sigmoid"),
        GRU(18, "silu", True, recurrent_activation="hard_sigmoid", use_bias=False),
        SimpleRNN(4, "elu"),
    ),
    "from the end": (LSTM(5, go_backwards=True, return_sequences=True), GRU(4, go_backwards=True)),
    "both ways": (Bidirectional(LSTM(18, return_sequences=True)), Bidirectional(SimpleRNN(3), "sum")),
    "both ways, multiplied": (Bidirectional(GRU(4, return_sequences=True, go_backwards=True), "mul"), LSTM(3)),
    "normalised by the batch": (
        Conv1D(18, 2, use_bias=False),  # a bias would have no slope but rounding, which adam makes steps of
        BatchNormalization(0.9),
        LSTM(3),
        BatchNormalization(0.5, center=False),
    ),
    "normalised by the real steps of the batch": (Masking(PADDING), BatchNormalization(scale=False), GRU(3)),
    "normalised": (LSTM(17, return_sequences=True), LayerNormalization(), GRU(3), LayerNormalization(center=False)),
    "series of unequal length": (Masking(PADDING), LSTM(5, go_backwards=True, return_sequences=True), GRU(18)),
    "padded and averaged": (
        Masking(PADDING),
        BOTH,
        Conv1D(4, 3, padding="same"),
        MaxPooling1D(2),
        SimpleRNN(4, return_sequences=True),
        GlobalAveragePooling1D(),
    ),
    "padded, both ways": (
        Masking(PADDING),
        Bidirectional(SimpleRNN(3, "relu", return_sequences=True, go_backwards=True), "mul"),
        GRU(4),
    ),
    "padded, with a branch": (
        Masking(PADDING),
        Conv1D(4, 1),
        Residual([GRU(4, return_sequences=True)]),
        Residual([LSTM(5, return_sequences=True, go_backwards=True)], Conv1D(5, 1)),
        GlobalAveragePooling1D(),
    ),
    "padded before a convolution with stride": (Masking(PADDING), Conv1D(4, 3, 2), LSTM(17)),
    "long": (GRU(3, return_sequences=True), GlobalAveragePooling1D()),
}
LONG = {"long": 40}  # more steps than the slopes of weights take at once
PADDED = [name for name, layers in LAYERS.items() if isinstance(layers[0], Masking)]


def problem_of(name: str, repeat: int = 1) -> Problem:
    """Return series of three classes, some of them padded, some to nothing; some rows have no weight."""
    rng, training, steps = np.random.default_rng(3), ROWS * repeat, LONG.get(name, STEPS)
    rows = training + VALIDATION
    y = rng.integers(0, 3, rows)
    x = rng.normal(size=(rows, steps, FEATURES)).astype(np.float32) + 0.3 * y.reshape(-1, 1, 1).astype(np.float32)
    for i in range(rows if name in PADDED else 0):
        x[i, rng.integers(0 if i % 5 == 0 else 3, STEPS + 1) :] = PADDING
        if i % 4 == 0:
            x[i, 2] = PADDING
    weights = rng.uniform(0.5, 2.0, rows)
    weights[::7] = 0.0
    parts = [(x[of], y[of], weights[of]) for of in (slice(0, training), slice(training, rows))]
    network = Network([*LAYERS[name], Dense(3, activation="softmax")], (steps, FEATURES))
    loss = choose_loss(Task.CLASSIFICATION, 3, None)
    return replace(make_problem(Task.CLASSIFICATION, loss, *parts, classes=3, seed=17), network=network)


def in_folds(problem: Problem) -> Problem:
    """Return the problem with folds of its training rows in place of its validation rows."""
    folds = (np.arange(ROWS) % 3)[:, None].astype(np.int32)
    validation = {f"validation_{of}": getattr(problem, of) for of in ("x", "y", "weights")}
    return replace(problem, folds=folds, validation_half=np.arange(ROWS) % 2, **validation)


def resampled(members: Sequence[Member]) -> list[Member]:
    return [replace(member, fold=i % 3, bootstrap=i % 3 == 1) for i, member in enumerate(members)]


def labelled(task: Task, repeat: int = 1) -> Problem:
    """Return padded series with a target for each step, but for those of the padding and some others."""
    plain = problem_of("series of unequal length", repeat)
    rng, parts = np.random.default_rng(4), []
    for x, rows in ((plain.x, len(plain.x)), (plain.validation_x, VALIDATION)):
        real = (x != PADDING).any(axis=2) & (rng.random(x.shape[:2]) > 0.1)
        sums = np.where(x == PADDING, 0.0, x).cumsum(axis=1)
        y = np.where(real, (sums[..., 0] > 0.5).astype(int) + (sums[..., 1] > 0.5), -1)
        numbers = np.where(real[..., None], sums, np.nan)
        parts.append((x, y if task is Task.CLASSIFICATION else numbers, rng.uniform(0.5, 2.0, rows)))
    loss = choose_loss(task, 3, None)
    return replace(make_problem(task, loss, *parts, classes=3, seed=17), stem=(Masking(PADDING),))


def searched(count: int = 3, **settings: Any) -> list[Member]:
    """Return members as the search for labelled steps has them, of which some drop out."""
    usual = {"layers": "bidirectional:gru:3:true conv1d:17:3:1:same", "hidden": (6,), "epochs": 3, "batch_size": 8}
    each = ({"dropout": 0.3}, {"l2": 0.5, "dropout": 0.1}, {"activation": "tanh"})
    return [Member(i, Hyperparameters(**{**usual, **each[i % 3], **settings})) for i in range(count)]


def several(problem: Problem, count: int, **settings: Any) -> list[Member]:
    own = hyperparameters_of(problem.network) | {"batch_size": 8, "epochs": 3, "learning_rate": 0.01, "l2": 0.1}
    return [Member(i, Hyperparameters(**{**own, **settings})) for i in range(count)]


def by_native(problem: Problem, members: Sequence[Member], kernel: Kernel | None = None, cores: int = 2) -> Any:
    return train(problem, members, NativeEngine(cores, kernel=kernel)).members


def assert_same(got: Sequence[TrainedMember], expected: Sequence[TrainedMember]) -> None:
    for ours, theirs in zip(got, expected, strict=True):
        for name in CURVES:
            np.testing.assert_array_equal(getattr(ours, name), getattr(theirs, name))
        for layer, other in zip(ours.parameters, theirs.parameters, strict=True):
            for name in layer:
                np.testing.assert_array_equal(layer[name], other[name])


@pytest.mark.parametrize("kernel", kernels(), ids=lambda kernel: kernel.name)
@pytest.mark.parametrize("name", LAYERS)
def test_alone_or_together_in_either_layout_gives_the_same_bits(
    kernel: Kernel, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    problem = problem_of(name)
    members, known = several(problem, 18), []
    for single in (True, False):
        monkeypatch.setattr(engine, "in_channels", lambda *_, single=single: single)
        known.append(by_native(problem, members, kernel))
        assert_same(by_native(problem, members[4:5], kernel, cores=1), known[-1][4:5])
    assert_same(*known)


@pytest.mark.parametrize("kernel", kernels(), ids=lambda kernel: kernel.name)
def test_parts_of_a_batch_give_the_same_bits_on_any_number_of_cores(
    kernel: Kernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    problem = problem_of("series of unequal length", repeat=3)
    members = several(problem, 2, batch_size=90)
    alone = by_native(problem, members, kernel, cores=1)
    for cores in (2, 3, 7):
        assert_same(by_native(problem, members[1:], kernel, cores), alone[1:])
    monkeypatch.setattr(engine, "in_channels", lambda *_: False)
    assert_same(by_native(problem, members, kernel), alone)


@pytest.mark.parametrize("name", [name for name in LAYERS if name.startswith("normalised by")])
def test_rows_held_out_or_resampled_count_alike_in_either_layout(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    problem, known = in_folds(problem_of(name)), []
    for single in (True, False):
        monkeypatch.setattr(engine, "in_channels", lambda *_, single=single: single)
        known.append(by_native(problem, resampled(several(problem, 6))))
    assert_same(*known)


@pytest.mark.parametrize("name", LAYERS)
def test_the_first_step_is_that_of_float64(name: str) -> None:
    problem = problem_of(name)
    quiet = [layer for layer in problem.network.layers if not isinstance(layer, Dropout)]  # type: ignore[union-attr]
    network = Network(quiet, problem.network.input_shape)  # type: ignore[union-attr]
    problem = replace(problem, network=network)
    settings = {"optimizer": "sgd", "learning_rate": 1.0, "momentum": 0.0, "batch_size": ROWS, "epochs": 1}
    member = several(problem, 1, **settings, l1=0.1)[0]
    numbers, start = member_scalars(problem, ROWS, [member]), initial_parameters(network, problem.seed, member.id)
    ours = by_native(problem, [member])[0].parameters
    rows = batch_order(problem, ROWS, 1)[0][0]
    x, y, weights = (array[rows].astype(np.float64) for array in (problem.x, problem.y, problem.weights))

    def cost(parameters: Any) -> float:
        output = network.apply(parameters, x, logits=True, training=True)
        values = problem.loss.values_of_logits(numpy_namespace, y, output, numbers)  # type: ignore[misc]
        penalised = [
            layer[each] for kind, layer in zip(network.layers, parameters, strict=True) for each in kind.regularised
        ]
        return float(np.mean(weights * values) + weight_penalty(numpy_namespace, penalised, numbers)[0])

    rng = np.random.default_rng(0)
    for i, layer in enumerate(start):
        for key, array in layer.items():
            if key in network.layers[i].moving:
                continue
            for at in rng.choice(array.size, min(array.size, 6), replace=False):
                sides = []
                for way in (1e-6, -1e-6):
                    moved = [{k: v.astype(np.float64) for k, v in each.items()} for each in start]
                    moved[i][key].flat[at] += way
                    sides.append(cost(moved))
                slope = (sides[0] - sides[1]) / 2e-6
                change = float(array.flat[at]) - float(ours[i][key].flat[at])
                assert change == pytest.approx(slope, rel=1e-4, abs=2e-6), f"{i} {key} {at}"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["one behind the other", "padded and averaged", "normalised by the batch"])
def test_curves_are_those_of_xla(name: str) -> None:
    problem = in_folds(problem_of(name))
    members = resampled(several(problem, 3))
    expected = train(problem, members, XlaEngine()).members
    for kernel in kernels():
        for ours, theirs in zip(by_native(problem, members, kernel), expected, strict=True):
            assert (ours.member, ours.status, ours.best_epoch) == (theirs.member, theirs.status, theirs.best_epoch)
            for curve in CURVES:
                np.testing.assert_allclose(getattr(ours, curve), getattr(theirs, curve), rtol=1e-5, atol=4e-6)


@pytest.mark.slow
@pytest.mark.parametrize("task", [Task.CLASSIFICATION, Task.REGRESSION])
def test_targets_at_steps_are_those_of_xla(task: Task) -> None:
    problem, members = labelled(task), searched()
    assert unsuited(problem, members) is None
    expected = train(problem, members, XlaEngine()).members
    for kernel in kernels():
        for ours, theirs in zip(by_native(problem, members, kernel), expected, strict=True):
            for curve in CURVES:
                np.testing.assert_allclose(getattr(ours, curve), getattr(theirs, curve), rtol=1e-5, atol=4e-6)


@pytest.mark.parametrize("kernel", kernels(), ids=lambda kernel: kernel.name)
def test_targets_at_steps_give_the_same_bits_everywhere(kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    problem = labelled(Task.CLASSIFICATION, repeat=3)
    members, known = searched(20, batch_size=90), []
    for single in (True, False):
        monkeypatch.setattr(engine, "in_channels", lambda *_, single=single: single)
        known.append(by_native(problem, members, kernel))
        for cores in (1, 7):
            assert_same(by_native(problem, members[4:5], kernel, cores), known[-1][4:5])
    assert_same(*known)


def test_frozen_layers_stay() -> None:
    problem = problem_of("both ways")
    first, *others = problem.network.layers  # type: ignore[union-attr]
    frozen = Network([replace(first, trainable=False), *others], (STEPS, FEATURES))
    problem = replace(problem, network=frozen)
    (trained,) = by_native(problem, several(problem, 1))
    start = initial_parameters(frozen, problem.seed, 0)
    for name, array in start[0].items():
        np.testing.assert_array_equal(trained.parameters[0][name], array)
    assert np.abs(trained.parameters[1]["forward/kernel"] - start[1]["forward/kernel"]).max() > 1e-3


@pytest.mark.parametrize("shape", [(5, 2), (48, 1), (300, 3)])
@pytest.mark.parametrize("padded", [True, False])
def test_what_is_searched_for_series_needs_no_other_engine(shape: tuple[int, int], padded: bool) -> None:
    rng, stem = np.random.default_rng(0), (Masking(PADDING),) if padded else ()
    x, loss = rng.normal(size=(20, *shape)), choose_loss(Task.CLASSIFICATION, 3, None)
    for y, layers in ((rng.integers(0, 3, 20), series_layers), (rng.integers(0, 3, (20, shape[0])), step_layers)):
        parts = [(x, y, None)] * 2
        problem = replace(make_problem(Task.CLASSIFICATION, loss, *parts, classes=3), stem=stem)
        for text in layers(shape):
            member = Member(0, Hyperparameters(layers=text, hidden=(16,), dropout=0.1))
            assert choose_engine(problem, [member], "auto", Budget(1 << 30, 2)).name == "native", text


def test_what_the_kernel_lacks_is_named() -> None:
    problem = problem_of("gru")
    wanted: dict[str, tuple[Layer, ...]] = {
        "a user's own": (LSTM(3, activation=lambda xp, z: xp.tanh(z)),),
        "Masking behind": (LSTM(3, return_sequences=True), Masking(), GRU(3)),
    }
    for reason, layers in wanted.items():
        network = Network([*layers, Dense(3, activation="softmax")], (STEPS, FEATURES))
        found = unsuited(replace(problem, network=network), several(problem, 1))
        assert found is not None
        assert reason in found


@pytest.mark.parametrize(("units", "single"), [(4, False), (8, False), (16, False), (32, True), (64, True)])
def test_many_small_networks_share_lanes_and_large_ones_do_not(units: int, single: bool) -> None:
    network = Network([LSTM(units), Dense(3)], (150, 1))
    assert in_channels(graph_of(network, 0.0), False, 64, 32, 16, 2) is single


def test_large_batches_are_not_normalised_in_the_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = problem_of("normalised by the batch")
    assert unsuited(problem, several(problem, 1)) is None
    monkeypatch.setattr(suits, "MOST_OF_BATCH", 1_000)
    assert "batch normalisation needs" in str(unsuited(problem, several(problem, 1)))
