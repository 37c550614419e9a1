"""Networks of any layers in the native engine: curves of XLA, gradients of float64, the same bits everywhere."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from layer_examples import EXAMPLES

from shoal.networks import Network, numpy_namespace
from shoal.networks.layers import (
    Branches,
    Conv1D,
    Conv2D,
    Dense,
    Flatten,
    GlobalMaxPooling1D,
    Layer,
    MaxPooling1D,
    MaxPooling2D,
    MinPooling1D,
    Normalization,
    Residual,
)
from shoal.networks.parsing import parse_layers
from shoal.results import Task
from shoal.training.engines.native import NativeEngine, engine
from shoal.training.engines.native.graphs import UnsuitedError, graph_of
from shoal.training.engines.native.library import Kernel, kernels
from shoal.training.engines.native.members import plainly_dense
from shoal.training.engines.native.suits import unsuited
from shoal.training.engines.xla import XlaEngine
from shoal.training.forward import predict
from shoal.training.hyperparameters import Hyperparameters
from shoal.training.loss_choice import choose_loss
from shoal.training.member import CURVES, Member, TrainedMember, initial_parameters
from shoal.training.packing import batch_order, member_network, member_scalars
from shoal.training.penalties import weight_penalty
from shoal.training.problem import Problem, make_problem
from shoal.training.trainer import train

pytestmark = pytest.mark.skipif(not kernels(), reason="the native engine's kernel was not built")

RTOL, ATOL = 1e-5, 4e-6  # as for dense layers; more terms stand in a sum
ROWS, VALIDATION = 37, 19
IMAGE, SERIES = (6, 7, 2), (24, 2)
NETWORKS: dict[str, tuple[tuple[int, ...], str]] = {
    "as searched for images": (IMAGE, "conv2d:18:3:1:same maxpooling2d:2 conv2d:37:3:1:same maxpooling2d:2"),
    "strides, gaps and no padding": ((9, 8, 1), "conv2d:5:3:2 conv2d:6:2:1:valid:2 spatialdropout2d:0.3"),
    "up and down": (IMAGE, "minpooling2d:2 conv2d:5:3:2:same upsampling2d:2 averagepooling2d:3:2:same"),
    "as searched for series": (SERIES, "conv1d:17:7:1:same maxpooling1d:2 conv1d:20:3:1:same globalaveragepooling1d"),
    "causal": (SERIES, "dropout:0.2 conv1d:5:3:1:causal:2 averagepooling1d:3:1 conv1d:4:5:3:same globalmaxpooling1d"),
    "reshaped": ((8,), "12:tanh reshape:2x3x2 conv2d:3:2:1:same dropout:0.1"),
    "rectified": (IMAGE, "conv2d:5:3:1:same:relu maxpooling2d:2 conv2d:6:3:2:same:relu minpooling2d:2"),
    "random kernels": (SERIES, "minirocket:90:1x2"),
    "no windows": (IMAGE, ""),
}
STEPS: tuple[dict[str, Any], ...] = (
    {"optimizer": "adam", "activation": "silu", "l2": 0.5},
    {"optimizer": "sgd", "momentum": 0.9, "activation": "tanh", "dropout": 0.3},
    {"optimizer": "adamw", "activation": "relu", "hidden": (9, 5), "schedule": "cosine", "dropout": 0.1},
    {"optimizer": "nadam", "activation": "gelu", "l1": 0.2, "label_smoothing": 0.1},
    {"optimizer": "rmsprop", "activation": "silu", "hidden": (), "l2": 0.1, "l1": 0.1},
)


def drawn(
    shape: tuple[int, ...],
    task: Task = Task.CLASSIFICATION,
    seed: int = 3,
    pixels: bool = False,
    repeat: int = 1,
) -> Problem:
    """Return a small problem of rows of a shape; weights of several sizes, and none for some."""
    rng, training = np.random.default_rng(seed), ROWS * repeat
    rows = training + VALIDATION
    x = rng.normal(size=(rows, *shape)).astype(np.float32)
    y: Any = rng.integers(0, 3, rows)
    x += 0.3 * y.reshape(-1, *[1] * len(shape)).astype(np.float32)
    if pixels:
        x = np.clip(128 + 40 * x, 0, 255).astype(np.uint8)
    if task is Task.REGRESSION:
        y = x.reshape(rows, -1)[:, :2] / np.float32(np.std(x)) + 0.1 * rng.normal(size=(rows, 2)).astype(np.float32)
    weights = rng.uniform(0.5, 2.0, rows)
    weights[::7] = 0.0
    parts = [(x[of], y[of], weights[of]) for of in (slice(0, training), slice(training, rows))]
    return make_problem(task, choose_loss(task, 3, None), *parts, classes=3, seed=17)


def several(text: str, count: int = 5, **settings: Any) -> list[Member]:
    usual = {"hidden": (7,), "layers": text, "batch_size": 8, "epochs": 3, "learning_rate": 0.01}
    return [Member(i, Hyperparameters(**{**usual, **STEPS[i % len(STEPS)], **settings})) for i in range(count)]


def by_native(problem: Problem, members: Sequence[Member], kernel: Kernel | None = None, cores: int = 2) -> Any:
    return train(problem, members, NativeEngine(cores, kernel=kernel)).members


def assert_close(got: Sequence[TrainedMember], expected: Sequence[TrainedMember]) -> None:
    for ours, theirs in zip(got, expected, strict=True):
        assert (ours.member, ours.status, ours.best_epoch) == (theirs.member, theirs.status, theirs.best_epoch)
        for name in CURVES:
            a, b = getattr(ours, name), getattr(theirs, name)
            np.testing.assert_allclose(a, b, rtol=RTOL, atol=ATOL, err_msg=f"{name} of {ours.member.hyperparameters}")


def assert_same(got: Sequence[TrainedMember], expected: Sequence[TrainedMember]) -> None:
    for ours, theirs in zip(got, expected, strict=True):
        for name in CURVES:
            np.testing.assert_array_equal(getattr(ours, name), getattr(theirs, name))
        for layer, other in zip(ours.parameters, theirs.parameters, strict=True):
            for name in layer:
                np.testing.assert_array_equal(layer[name], other[name])


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
def test_curves_are_those_of_xla(name: str) -> None:
    shape, text = NETWORKS[name]
    problem, members = drawn(shape), several(text)
    expected = train(problem, members, XlaEngine()).members
    for kernel in kernels():
        assert_close(by_native(problem, members, kernel), expected)


@pytest.mark.slow
@pytest.mark.parametrize("text", ["conv1d:5:3:1:same maxpooling1d:2", "lstm:4", "minirocket:90:1x2"])
def test_series_moved_and_stretched_while_training_are_those_of_xla(text: str) -> None:
    problem = drawn(SERIES)
    changes = ({"shift": 2.5}, {"zoom": 0.3}, {"shift": 1.0, "zoom": 0.2, "noise": 0.1}, {})
    members = [Member(i, several(text, **change)[i].hyperparameters) for i, change in enumerate(changes)]
    expected = train(problem, members, XlaEngine()).members
    for kernel in kernels():
        assert_close(by_native(problem, members, kernel), expected)


@pytest.mark.slow
def test_pixels_changed_while_training_are_those_of_xla() -> None:
    pixels = replace(drawn((7, 6, 2), pixels=True), stem=(Normalization((120.0, 90.0), (1600.0, 2500.0)),))
    changes = ({"shift": 1.5}, {"flip": 1.0, "zoom": 0.3}, {"rotation": 40.0}, {"shift": 1.0, "rotation": 9.0}, {})
    text = "conv2d:4:3:1:same maxpooling2d:2"
    members = [Member(i, several(text, **change)[i].hyperparameters) for i, change in enumerate(changes)]
    expected = train(pixels, members, XlaEngine()).members
    for kernel in kernels():
        assert_close(by_native(pixels, members, kernel), expected)


AUTOENCODERS = {
    "images": (
        (8, 6, 2),
        "conv2d:4:3:1:same maxpooling2d:2 flatten code:3 36 reshape:4x3x3 upsampling2d:2 conv2d:2:3:1:same:linear",
    ),
    "tables": ((9,), "6 code:2 6 9:linear"),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", AUTOENCODERS)
def test_autoencoders_are_those_of_xla(name: str) -> None:
    shape, text = AUTOENCODERS[name]
    problem = drawn(shape, Task.REGRESSION)
    loss = choose_loss(Task.RECONSTRUCTION, 0, None)
    nothing = {"y": np.zeros((ROWS, 0), np.float32), "validation_y": np.zeros((VALIDATION, 0), np.float32)}
    stem = (Normalization(0.5, 2.0),) if len(shape) > 1 else ()
    problem = replace(problem, **nothing, task=Task.RECONSTRUCTION, loss=loss, reconstruct=True, stem=stem)
    members = [
        replace(m, hyperparameters=m.hyperparameters.model_copy(update={"hidden": (), "noise": 0.3 * (m.id % 3)}))
        for m in several(text)
    ]
    expected = train(problem, members, XlaEngine()).members
    for kernel in kernels():
        assert_close(by_native(problem, members, kernel), expected)


@pytest.mark.slow
def test_folds_bootstrap_and_redrawn_targets_are_those_of_xla() -> None:
    problem = drawn(SERIES, Task.REGRESSION)
    rng = np.random.default_rng(5)
    folds = np.stack([rng.permutation(ROWS) % 3, rng.permutation(ROWS) % 4], axis=1).astype(np.int32)
    y_err = rng.uniform(0.1, 0.4, problem.y.shape).astype(np.float32)
    validation = {f"validation_{name}": getattr(problem, name) for name in ("x", "y", "weights")}
    halves = {"validation_half": np.arange(ROWS) % 2, "y_err": y_err, "validation_y_err": y_err, "folds": folds}
    problem = replace(problem, **validation, **halves)
    members = [
        replace(member, fold=i % 3, repeat=i // 3 % 2, bootstrap=i % 2 == 0, replica=i % 3 == 0)
        for i, member in enumerate(several("conv1d:5:3:1:same globalaveragepooling1d", 6, label_smoothing=0.0))
    ]
    expected = train(problem, members, XlaEngine()).members
    for kernel in kernels():
        assert_close(by_native(problem, members, kernel), expected)


def residual() -> Network:
    """Return a network whose branches meet, within one another, one behind a projection."""
    inner = Residual(parse_layers("conv2d:4:3:1:same:relu conv2d:4:3:1:same"))
    outer = Residual(
        [*parse_layers("conv2d:6:3:1:same:tanh dropout:0.2"), inner_of_six()], parse_layers("conv2d:6:1")[0]
    )
    return Network(
        [*parse_layers("conv2d:4:3:1:same:tanh"), inner, outer, *parse_layers("flatten 5:silu 3:softmax")], IMAGE
    )


def branched(merge: str) -> Network:
    """Return a network with branches of several layers, within branches, one of which hands on what it gets."""
    inner = Branches([parse_layers("conv1d:4:3:1:same:tanh"), parse_layers("dropout:0.2 conv1d:4:1")], "average")
    paths = [parse_layers("conv1d:4:5:1:same:relu batchnormalization"), [inner], []]
    ends = parse_layers("globalaveragepooling1d 5:silu 3:softmax")
    return Network([*parse_layers("conv1d:4:3:1:same:tanh"), Branches(paths, merge), *ends], SERIES)


@pytest.mark.slow
@pytest.mark.parametrize("merge", ["concatenate", "add", "multiply"])
def test_branches_are_those_of_xla(merge: str) -> None:
    problem, members = given_members(branched(merge))
    expected = train(problem, members, XlaEngine()).members
    for kernel in kernels():
        assert_close(by_native(problem, members, kernel), expected)


def test_branches_may_begin_with_the_input_itself() -> None:
    network = Network([Branches([[], parse_layers("conv1d:3:1:linear")]), *parse_layers("flatten 3")], (4, 3))
    x, parameters = np.random.default_rng(0).normal(size=(5, 4, 3)).astype(np.float32), network.initialize(0)
    assert graph_of(network, 0.0).key
    np.testing.assert_allclose(predict(network, parameters, x), network.predict(parameters, x), rtol=1e-5, atol=1e-6)


def test_branches_by_an_extreme_are_refused() -> None:
    network = Network([Branches([[], []], "maximum"), *parse_layers("flatten 3")], (4, 3))
    with pytest.raises(UnsuitedError, match="branches that are merged by 'maximum'"):
        graph_of(network, 0.0)


def inner_of_six() -> Residual:
    return Residual(parse_layers("activation:tanh conv2d:6:3:1:same"))


def given_members(network: Network) -> tuple[Problem, list[Member]]:
    from shoal.training.building import hyperparameters_of

    problem = replace(drawn(network.input_shape), network=network)
    own = hyperparameters_of(network) | {"batch_size": 8, "epochs": 3, "learning_rate": 0.01}
    return problem, [Member(i, Hyperparameters(**own)) for i in range(3)]


@pytest.mark.slow
def test_residuals_are_those_of_xla() -> None:
    problem, members = given_members(residual())
    expected = train(problem, members, XlaEngine()).members
    for kernel in kernels():
        assert_close(by_native(problem, members, kernel), expected)


def test_frozen_layers_stay_and_biases_may_be_left_out() -> None:
    first, *others = parse_layers("conv2d:4:3 flatten 3:softmax")
    network = Network([replace(first, use_bias=False, trainable=False), *others], IMAGE)
    problem, members = given_members(network)
    for trained in by_native(problem, members):
        start = initial_parameters(network, problem.seed, trained.member.id)
        assert list(trained.parameters[0]) == ["kernel"]
        np.testing.assert_array_equal(trained.parameters[0]["kernel"], start[0]["kernel"])
        assert np.abs(trained.parameters[-1]["kernel"] - start[-1]["kernel"]).max() > 1e-3


@pytest.mark.parametrize("kernel", kernels(), ids=lambda kernel: kernel.name)
@pytest.mark.parametrize("name", NETWORKS)
def test_alone_or_together_in_either_layout_gives_the_same_bits(
    kernel: Kernel, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shape, text = NETWORKS[name]
    problem = drawn(shape)
    members = [Member(i, several(text)[i % 3].hyperparameters) for i in range(20)]
    known = []
    for single in (True, False):
        monkeypatch.setattr(engine, "in_channels", lambda *_, single=single: single)
        known.append(by_native(problem, members, kernel))
        assert_same(by_native(problem, members[4:5], kernel, cores=1), known[-1][4:5])
    assert_same(*known)


@pytest.mark.parametrize("kernel", kernels(), ids=lambda kernel: kernel.name)
def test_parts_of_a_batch_give_the_same_bits_on_any_number_of_cores(
    kernel: Kernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    shape, text = NETWORKS["as searched for images"]
    problem = drawn(shape, seed=8, repeat=3)  # batches of 90 rows make four parts, those of 37 two
    for batch_size in (90, 37):
        members = several(text, 2, batch_size=batch_size)
        other = members[1].hyperparameters.model_copy(update={"optimizer": "adam"})
        members.append(Member(2, other))  # in lanes, beside the one before
        alone = by_native(problem, members, kernel, cores=1)
        for cores in (2, 3, 7):
            assert_same(by_native(problem, members[1:2], kernel, cores), alone[1:2])
        monkeypatch.setattr(engine, "in_channels", lambda *_: False)
        assert_same(by_native(problem, members, kernel), alone)
        monkeypatch.undo()


@pytest.mark.parametrize("name", [name for name in NETWORKS if name != "random kernels"])  # which do not learn
def test_the_first_step_is_that_of_float64(name: str) -> None:
    shape, text = NETWORKS[name]
    problem = drawn(shape)
    settings = {"activation": "tanh", "dropout": 0.0, "optimizer": "sgd", "learning_rate": 1.0, "momentum": 0.0}
    quiet = " ".join(part for part in text.split() if "dropout" not in part)
    member = several(quiet, 1, **settings, l1=0.1, batch_size=ROWS, epochs=1)[0]
    network, numbers = member_network(problem, member), member_scalars(problem, ROWS, [member])
    start = initial_parameters(network, problem.seed, member.id)
    ours = by_native(problem, [member])[0].parameters
    rows = batch_order(problem, ROWS, 1)[0][0]
    x, y, weights = (array[rows].astype(np.float64) for array in (problem.x, problem.y, problem.weights))

    def cost(parameters: Any) -> float:
        output = network.apply(parameters, x, logits=True)
        values = problem.loss.values_of_logits(numpy_namespace, y, output, numbers)  # type: ignore[misc]
        kernels_ = [layer["kernel"] for layer in parameters if layer]
        return float(np.mean(weights * values) + weight_penalty(numpy_namespace, kernels_, numbers)[0])

    rng = np.random.default_rng(0)
    for i, layer in enumerate(start):
        for key, array in layer.items():
            for at in rng.choice(array.size, min(array.size, 12), replace=False):
                sides = []
                for way in (1e-6, -1e-6):
                    moved = [{k: v.astype(np.float64) for k, v in each.items()} for each in start]
                    moved[i][key].flat[at] += way
                    sides.append(cost(moved))
                slope = (sides[0] - sides[1]) / 2e-6
                change = float(array.flat[at]) - float(ours[i][key].flat[at])
                assert change == pytest.approx(slope, rel=1e-4, abs=2e-6), f"{i} {key} {at}"


# All weights are one, so that the first windows, of (0, 3) and of (3, 0), give the same number.
TIES: dict[str, tuple[Layer, int, list[float]]] = {
    "largest": (MaxPooling1D(2), 3, [0.0, 1.0]),
    "smallest": (MinPooling1D(2), 3, [0.0, 1.0]),
    "largest of a long row": (GlobalMaxPooling1D(), 12, [0.5, 0.5]),
}


@pytest.mark.parametrize("single", [True, False])
@pytest.mark.parametrize("name", TIES)
def test_of_equal_numbers_the_first_learns_or_in_long_rows_all(
    name: str, single: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "in_channels", lambda *_: single)
    pooling, length, shares = TIES[name]
    ones = {"kernel_initializer": "ones", "use_bias": False}
    network = Network([Conv1D(1, 2, **ones), pooling, Flatten(), Dense(1, **ones)], (length, 1))
    x = np.zeros((2, length, 1), np.float32)
    x[:, 1] = 3.0
    rows = x, np.full((2, 1), 2.0, np.float32), None
    problem = make_problem(Task.REGRESSION, choose_loss(Task.REGRESSION, 0, "mse"), rows, rows)
    settings = {"optimizer": "sgd", "learning_rate": 0.01, "momentum": 0.0, "epochs": 1, "batch_size": 2}
    (member,) = by_native(replace(problem, network=network), [Member(0, Hyperparameters(**settings))])
    slope = 2.0 * (3.0 - 2.0)  # of the squared error
    expected = 1.0 - 0.01 * slope * 3.0 * np.asarray(shares)
    np.testing.assert_allclose(member.parameters[0]["kernel"].ravel(), expected, rtol=1e-6)


@pytest.mark.parametrize("folded", [True, False])
def test_targets_are_redrawn_alike_in_either_layout(folded: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    problem, known = drawn(SERIES, Task.REGRESSION), []
    errors = {f"{of}y_err": np.full_like(getattr(problem, f"{of}y"), 0.3) for of in ("", "validation_")}
    problem = replace(problem, **errors)
    members = [replace(m, replica=i % 3 > 0) for i, m in enumerate(several("conv1d:5:3", 6, label_smoothing=0.0))]
    if folded:
        validation = {f"validation_{of}": getattr(problem, of) for of in ("x", "y", "weights", "y_err")}
        folds = (np.arange(ROWS) % 3)[:, None].astype(np.int32)
        problem = replace(problem, **validation, validation_half=np.arange(ROWS) % 2, folds=folds)
        members = [replace(m, fold=i % 3, bootstrap=i % 2 == 0) for i, m in enumerate(members)]
    for single in (True, False):
        monkeypatch.setattr(engine, "in_channels", lambda *_, single=single: single)
        known.append(by_native(problem, members))
    assert_same(*known)


def test_a_diverged_member_disturbs_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "in_channels", lambda *_: False)
    problem = drawn(IMAGE)
    members = [Member(i, several(NETWORKS["as searched for images"][1])[0].hyperparameters) for i in range(6)]
    calm = by_native(problem, members)
    wild = members[2].hyperparameters.model_copy(update={"learning_rate": 1e30})
    got = by_native(problem, [*members[:2], Member(2, wild), *members[3:]])
    assert got[2].status.name == "DIVERGED"
    assert_same([*got[:2], *got[3:]], [*calm[:2], *calm[3:]])


def test_what_the_kernel_lacks_is_named() -> None:
    wanted = {
        "groupnormalization:2": "layer GroupNormalization",
        "conv1d:4:3:1:same:softmax": "activation 'softmax'",
        "maxpooling1d:3:1": "windows that overlap",
    }
    for text, reason in wanted.items():
        assert reason in str(unsuited(drawn(SERIES), several(text, 1)))


def test_every_layer_is_taken_or_refused_by_name() -> None:
    for examples in EXAMPLES.values():
        for layer, shape in examples:
            network = Network([layer, *parse_layers("flatten 2")], shape)
            with contextlib.suppress(UnsuitedError):
                assert graph_of(network, 0.0).key


LARGE_DENSE = {"hidden": (200, 200), "epochs": 2, "batch_size": 8}


@pytest.mark.parametrize("loss", ["categorical_crossentropy", "rmse"])
@pytest.mark.parametrize(
    "more",
    [
        {},
        {"dropout": 0.3, "l2": 0.1},
        {"dropout": 0.3, "batch_size": ROWS},  # a batch in two parts
        {"optimizer": "sgd", "schedule": "cosine"},
    ],
)
def test_large_dense_networks_learn_the_same_by_either_way(
    more: dict[str, Any], loss: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = Task.REGRESSION if loss == "rmse" else Task.CLASSIFICATION
    problem = replace(drawn((60,), task), loss=choose_loss(task, 3, loss))
    members = [Member(i, Hyperparameters(**{**LARGE_DENSE, **more})) for i in range(3)]
    assert not any(plainly_dense(problem, member) for member in members)
    together = by_native(problem, members)
    assert_same([by_native(problem, [member])[0] for member in members], together)
    assert_same(by_native(problem, members, cores=1), together)
    monkeypatch.setattr("shoal.training.engines.native.members.LARGE", 10**9)
    assert all(plainly_dense(problem, member) for member in members)
    assert_close(by_native(problem, members), together)


def test_dense_networks_on_very_many_rows_fill_the_lanes_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    problem, members = drawn((20,)), [Member(i, Hyperparameters(hidden=(30, 20 + i), epochs=2)) for i in range(3)]
    in_lanes = by_native(problem, members)
    monkeypatch.setattr("shoal.training.engines.native.members.VERY_MANY_ROWS", ROWS)
    assert not any(plainly_dense(problem, member) for member in members)
    assert plainly_dense(problem, Member(0, Hyperparameters(hidden=(8,))))
    alone = by_native(problem, members)
    assert_same([by_native(problem, [member])[0] for member in members], alone)
    assert_close(alone, in_lanes)


def test_small_and_unusual_dense_networks_have_a_lane_each() -> None:
    problem = drawn((60,))
    assert plainly_dense(problem, Member(0, Hyperparameters(hidden=(32, 32))))
    assert plainly_dense(problem, Member(0, Hyperparameters(hidden=(200, 200), activation="softmax")))


@pytest.mark.parametrize(
    ("filters", "members", "batch", "single"),
    [(8, 16, 64, False), (8, 16, 8, False), (8, 4, 64, True), (32, 16, 64, True), (32, 64, 64, True)],
)
def test_lanes_are_members_where_filters_are_few_and_a_block_keeps_all_cores_busy(
    filters: int, members: int, batch: int, single: bool
) -> None:
    network = Network([Conv2D(filters, 3), Conv2D(2 * filters, 3), MaxPooling2D(2), Flatten(), Dense(10)], (8, 8, 1))
    assert engine.in_channels(graph_of(network, 0.0), False, members, batch, 16, 2) is single
