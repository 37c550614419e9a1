"""The XLA engine: member i of any block equals the same member alone, NumPy's float64 and Keras."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import jax
import numpy as np
import pytest

from shoal.errors import SettingError
from shoal.networks import ACTIVATIONS, numpy_namespace
from shoal.results import Status, Task
from shoal.streams import threefry, to_uniform
from shoal.training import grouping, trainer
from shoal.training.engines.xla import XlaEngine
from shoal.training.engines.xla import engine as engine_module
from shoal.training.engines.xla import program as program_module
from shoal.training.engines.xla import rows as rows_module
from shoal.training.engines.xla.lifts import xp
from shoal.training.engines.xla.program import MemberProgram
from shoal.training.grouping import structure_of
from shoal.training.losses import get_loss
from shoal.training.member import Member, Problem, TrainedMember, initial_parameters
from shoal.training.optimizers import Slots, update
from shoal.training.packing import batch_order, member_network, member_numbers, pad_parameters
from shoal.training.planner import HEADROOM, Budget, find_budget, member_bytes, shared_bytes
from shoal.training.problem import choose_loss, make_problem
from shoal.training.resampling import bootstrap_counts, resampling_numbers, target_noise
from shoal.training.schedules import learning_rate
from shoal.training.trainer import Stopped, Training, train

KERAS, REFERENCE, DIVERGING, PATIENT, EPOCHS = 0, 1, 2, 3, 12
POPULATION: tuple[dict[str, Any], ...] = (
    {"hidden": (8,), "activation": "relu", "learning_rate": 0.003, "l2": 3.0, "epochs": 3},
    {
        "hidden": (5,),
        "activation": "tanh",
        "optimizer": "sgd",
        "learning_rate": 0.1,
        "momentum": 0.9,
        "nesterov": True,
        "schedule": "cosine",
        "warmup_epochs": 1.0,
        "l2": 2.0,
        "l1": 0.2,
        "dropout": 0.3,
        "label_smoothing": 0.1,
    },
    {"hidden": (40,), "activation": "gelu", "learning_rate": 1e30},
    {"hidden": (33,), "optimizer": "rmsprop", "momentum": 0.5, "learning_rate": 0.05, "patience": 2, "epochs": 40},
    {"hidden": (64, 9), "activation": ("silu", "tanh"), "optimizer": "nadam", "dropout": 0.2, "learning_rate": 0.01},
    {"hidden": (4,), "activation": "elu", "optimizer": "lion", "l1": 0.5, "epochs": 11, "schedule": "exponential"},
    {"hidden": (17,), "optimizer": "adagrad", "learning_rate": 0.05, "kernel_initializer": "he_normal"},
    {"hidden": (6, 6), "optimizer": "adamw", "learning_rate": 0.02, "label_smoothing": 0.2, "weight_decay": 0.1},
    {"hidden": (10,), "activation": "sigmoid", "learning_rate": 0.05, "beta_1": 0.5, "beta_2": 0.9, "epsilon": 1e-3},
)
CURVES = ("train_loss", "validation_loss", "half_losses", "validation_metric")


def engine_of(layout: str, devices: int | None = None) -> XlaEngine:
    """Return an engine that uses one layout only, where it is possible."""
    made = XlaEngine(devices)
    made.layouts = (layout,)
    return made


@pytest.fixture(scope="module", params=["first", "last"])
def layout(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def engine(layout: str) -> XlaEngine:
    return engine_of(layout)


@pytest.fixture(scope="module")
def population(members: Callable[..., list[Member]]) -> list[Member]:
    return members(*({"batch_size": 8, "epochs": EPOCHS, "patience": 100, **h} for h in POPULATION))


@dataclass
class Mixed:
    """One training of the whole population."""

    members: list[TrainedMember]
    programs: int


@pytest.fixture(scope="module")
def mixed(problem: Problem, population: list[Member], layout: str) -> Mixed:
    engine = engine_of(layout)
    training = train(problem, population, engine)
    return Mixed(training.members, engine.programs)


def assert_equal(a: TrainedMember, b: TrainedMember, rtol: float = 0.0, atol: float = 0.0) -> None:
    """Compare parameters, curves and outcome; without tolerances bit by bit."""
    assert (a.member, a.status, a.best_epoch) == (b.member, b.status, b.best_epoch)
    for name in CURVES:
        np.testing.assert_allclose(getattr(a, name), getattr(b, name), rtol=rtol, atol=atol, err_msg=name)
    for layer, other in zip(a.parameters, b.parameters, strict=True):
        assert layer.keys() == other.keys()
        for name in layer:
            np.testing.assert_allclose(layer[name], other[name], rtol=rtol, atol=10 * atol, err_msg=name)


# one block


def test_a_mixed_population_is_one_program(
    problem: Problem, population: list[Member], mixed: Mixed, engine: XlaEngine, layout: str
) -> None:
    assert mixed.programs == 1
    (block,) = engine.plan(problem, population)
    assert block.structure.layout == layout
    assert block.structure.skips
    assert block.structure.masks


def test_every_member_has_its_own_epochs_and_end(mixed: Mixed) -> None:
    lengths = [len(member.train_loss) for member in mixed.members]
    assert [lengths[i] for i in (0, 1, 4, 5, 6, 7, 8)] == [3, 12, 12, 11, 12, 12, 12]
    patient, diverging = mixed.members[PATIENT], mixed.members[DIVERGING]
    assert patient.status is Status.STOPPED_EARLY
    assert len(patient.validation_loss) == patient.best_epoch + 2 < 40
    assert diverging.status is Status.DIVERGED
    assert not np.isfinite(diverging.train_loss[-1]) or not np.isfinite(diverging.validation_loss[-1])
    others = {m.status for i, m in enumerate(mixed.members) if i not in (PATIENT, DIVERGING)}
    assert others == {Status.FINISHED}


def test_the_best_epoch_is_the_lowest_validation_loss(mixed: Mixed) -> None:
    for i, member in enumerate(mixed.members):
        if i != DIVERGING:
            assert member.best_epoch == np.argmin(member.validation_loss) + 1
    assert mixed.members[PATIENT].best_epoch < len(mixed.members[PATIENT].validation_loss)


def numpy_losses(problem: Problem, output: np.ndarray) -> tuple[float, np.ndarray, float]:
    """Return the validation loss, that of each half, and the accuracy, of softmax outputs."""
    values = -np.sum(problem.validation_y * np.log(output), axis=1)
    weights = problem.validation_weights[:, 0].astype(np.float64)
    hit = output.argmax(axis=1) == problem.validation_y.argmax(axis=1)
    halves = [problem.validation_half == k for k in (0, 1)]
    each = np.asarray([np.average(values[half], weights=weights[half]) for half in halves])
    return float(np.average(values, weights=weights)), each, float(np.average(hit, weights=weights))


def test_the_parameters_are_those_of_the_best_epoch(problem: Problem, mixed: Mixed) -> None:
    for i, member in enumerate(mixed.members):
        if i == DIVERGING:
            continue
        output = member.network.predict(member.parameters, problem.validation_x).astype(np.float64)
        loss, halves, accuracy = numpy_losses(problem, output)
        at = member.best_epoch - 1
        np.testing.assert_allclose(member.validation_loss[at], loss, rtol=1e-5)
        np.testing.assert_allclose(member.half_losses[at], halves, rtol=1e-5)
        np.testing.assert_allclose(member.validation_metric[at], accuracy, rtol=1e-6)


def test_a_diverged_member_keeps_finite_parameters(mixed: Mixed) -> None:
    for layer in mixed.members[DIVERGING].parameters:
        assert all(np.isfinite(array).all() for array in layer.values())
    assert mixed.members[DIVERGING].score == float("inf")


def test_a_diverging_member_disturbs_no_other(
    problem: Problem, population: list[Member], mixed: Mixed, layout: str
) -> None:
    calm = list(population)
    hyperparameters = calm[DIVERGING].hyperparameters.model_copy(update={"learning_rate": 1e-3})
    calm[DIVERGING] = replace(calm[DIVERGING], hyperparameters=hyperparameters)
    training = train(problem, calm, engine_of(layout))
    assert training.members[DIVERGING].status is Status.FINISHED
    for i, member in enumerate(training.members):
        if i != DIVERGING:
            assert_equal(member, mixed.members[i])


# whoever shares the block


@pytest.mark.parametrize("which", [REFERENCE, PATIENT, 4, 7])
def test_a_member_alone_equals_itself_among_others(
    problem: Problem, population: list[Member], mixed: Mixed, engine: XlaEngine, which: int
) -> None:
    (alone,) = train(problem, [population[which]], engine).members
    assert_equal(alone, mixed.members[which], rtol=1e-5, atol=2e-6)
    assert alone.validation_loss.std() > 1e-3


def test_fewer_places_in_another_order_give_the_same(
    problem: Problem, population: list[Member], mixed: Mixed, layout: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_module, "members_at_once", lambda *_: 1)
    engine = engine_of(layout)
    (block,) = engine.plan(problem, population[::-1])
    assert block.places == len(engine.devices) < len(population)  # whoever is done makes room for the next
    training = train(problem, population[::-1], engine)
    assert engine.programs == 1
    for i, member in enumerate(training.members):
        if i != DIVERGING:
            assert_equal(member, mixed.members[i], rtol=1e-5, atol=2e-6)


def test_an_emptying_block_shrinks(
    problem: Problem, population: list[Member], mixed: Mixed, layout: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_module, "WORTH_SHRINKING", 0.0)
    engine = engine_of(layout)
    sizes: list[int] = []
    advance = engine.advance

    def watched(block: Any, state: Any) -> Any:
        sizes.append(block.places)
        return advance(block, state)

    monkeypatch.setattr(engine, "advance", watched)
    longest = [*population[:3], population[4], population[6]]
    ends = [replace(m, hyperparameters=m.hyperparameters.model_copy(update={"epochs": 8})) for m in longest]
    long = replace(population[8], hyperparameters=population[8].hyperparameters.model_copy(update={"epochs": 25}))
    last = train(problem, [*ends, long], engine).members[-1]
    assert sizes[0] >= 6
    assert sizes[-1] == 1
    (alone,) = train(problem, [long], engine_of(layout)).members
    assert_equal(last, alone, rtol=1e-5, atol=2e-6)


def test_the_layouts_agree(problem: Problem, population: list[Member], mixed: Mixed) -> None:
    which = [population[i] for i in (REFERENCE, 4, 5, 7)]
    for layout in ("first", "last"):
        for member in train(problem, which, engine_of(layout)).members:
            assert_equal(member, mixed.members[member.member.id], rtol=1e-4, atol=1e-5)


def test_on_one_device(problem: Problem, population: list[Member], mixed: Mixed, layout: str) -> None:
    training = train(problem, population[3:6], engine_of(layout, devices=1))
    for member in training.members:
        assert_equal(member, mixed.members[member.member.id], rtol=1e-5, atol=2e-6)


def test_identity_and_seed_name_the_numbers(problem: Problem, population: list[Member]) -> None:
    networks = [member_network(problem, population[KERAS])] * 3
    kernels = [
        initial_parameters(network, seed, member)[0]["kernel"]
        for network, (seed, member) in zip(networks, [(11, 0), (11, 1), (12, 0)], strict=True)
    ]
    assert not np.array_equal(kernels[0], kernels[1])
    assert not np.array_equal(kernels[0], kernels[2])


# against NumPy in float64 and Keras


def keep_mask(problem: Problem, member: Member, step: int, units: int) -> np.ndarray:
    """Return which neurons of the first layer stay: the numbers depend on step, row and neuron alone."""
    rows, layer = 8, 1
    key = member_numbers(problem, structure_of(problem, [member]), [member])["key"][0]
    row, pair = np.meshgrid(np.arange(rows), np.arange((units + 1) // 2), indexing="ij")
    where = ((row << 16) | pair).astype(np.uint32)
    when = np.full_like(where, step * program_module.SOURCES + layer)
    words = threefry((key[:1], key[1:]), (where, when), rounds=13)
    u = np.empty((rows, 2 * where.shape[1]), np.float32)
    u[:, 0::2], u[:, 1::2] = to_uniform(np, words[0]), to_uniform(np, words[1])
    return u[:, :units] >= member.hyperparameters.dropout


def gradients(
    problem: Problem, member: Member, p: list[np.ndarray], rows: np.ndarray, step: int
) -> tuple[float, list[np.ndarray]]:
    """Return loss and gradient of one batch of a network with one hidden layer of tanh, by hand."""
    h = member.hyperparameters
    x, y, w = (array[rows].astype(np.float64) for array in (problem.x, problem.y, problem.weights))
    hidden = np.tanh(x @ p[0] + p[1])
    keep = keep_mask(problem, member, step, h.hidden[0])[: len(rows)] / (1.0 - h.dropout)
    z = (hidden * keep) @ p[2] + p[3]
    q = np.exp(z - z.max(axis=1, keepdims=True))
    q /= q.sum(axis=1, keepdims=True)
    smooth = y * (1.0 - h.label_smoothing) + h.label_smoothing / y.shape[1]
    loss = float(np.sum(w[:, 0] * -np.sum(smooth * np.log(q), axis=1)) / len(rows))
    dz = w * (q - smooth) / len(rows)
    dhidden = (dz @ p[2].T) * keep * (1.0 - hidden**2)
    k = p[0].size + p[2].size

    def penalty(kernel: np.ndarray) -> np.ndarray:
        return h.l2 / k * kernel + h.l1 / k * np.sign(kernel)

    dropped = (hidden * keep).T @ dz
    return loss, [x.T @ dhidden + penalty(p[0]), dhidden.sum(axis=0), dropped + penalty(p[2]), dz.sum(axis=0)]


def test_training_equals_a_loop_in_float64(problem: Problem, population: list[Member], mixed: Mixed) -> None:
    member = population[REFERENCE]
    numbers = jax.tree.map(lambda a: a[0], member_numbers(problem, structure_of(problem, [member]), [member]))
    network = member_network(problem, member)
    start = initial_parameters(network, problem.seed, member.id)
    p = [array.astype(np.float64) for layer in start for array in layer.values()]
    slots = [Slots(np.zeros_like(a), np.zeros_like(a), np.float64(1.0)) for a in p]
    orders, step, best = batch_order(problem, 8, 10), 0, (np.inf, p)
    train_losses, losses = [], []
    for epoch in range(EPOCHS):
        total = 0.0
        for batch in orders[epoch % 10]:
            rows = batch[batch >= 0]
            loss, slopes = gradients(problem, member, p, rows, step)
            rate = learning_rate(np, float(step), numbers)
            both = [
                update(np, ("sgd",), a, g, s, rate, step + 1.0, numbers)
                for a, g, s in zip(p, slopes, slots, strict=True)
            ]
            p, slots = [a for a, _ in both], [s for _, s in both]
            total, step = total + loss * len(rows), step + 1
        train_losses.append(total / len(problem.x))
        hidden = np.tanh(problem.validation_x @ p[0] + p[1])
        z = hidden @ p[2] + p[3]
        output = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
        losses.append(numpy_losses(problem, output)[0])
        best = min(best, (losses[-1], p), key=lambda pair: pair[0])
    got = mixed.members[REFERENCE]
    np.testing.assert_allclose(got.train_loss, train_losses, rtol=1e-4)
    np.testing.assert_allclose(got.validation_loss, losses, rtol=1e-4)
    arrays = [array for layer in got.parameters for array in layer.values()]
    for ours, theirs in zip(arrays, best[1], strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-4)


def test_training_equals_keras(problem: Problem, population: list[Member], mixed: Mixed) -> None:
    import keras

    member, got = population[KERAS], mixed.members[KERAS]
    h = member.hyperparameters
    decay = h.l2 / (2 * (4 * 8 + 8 * 3))  # the notes' equation 1.10 in Keras' terms
    regularizer = keras.regularizers.L2(decay)
    layers = [
        keras.layers.Dense(8, activation="relu", kernel_regularizer=regularizer),
        keras.layers.Dense(3, activation="softmax", kernel_regularizer=regularizer),
    ]
    model = keras.Sequential([keras.Input((4,)), *layers])
    start = initial_parameters(got.network, problem.seed, member.id)
    model.set_weights([array for layer in start for array in layer.values()])
    model.compile(optimizer=keras.optimizers.Adam(h.learning_rate), loss="categorical_crossentropy")
    for order in batch_order(problem, 8, h.epochs):
        rows = order.ravel()[order.ravel() >= 0]
        w = problem.weights[rows, 0]
        model.fit(problem.x[rows], problem.y[rows], sample_weight=w, batch_size=8, shuffle=False, verbose=0)
    assert got.best_epoch == h.epochs == 3
    ours = [array for layer in got.parameters for array in layer.values()]
    for array, variable in zip(ours, model.weights, strict=True):
        np.testing.assert_allclose(array, np.asarray(variable.value), rtol=1e-4, atol=1e-5)
    assert np.abs(got.parameters[0]["kernel"] - start[0]["kernel"]).max() > 0.01


# other problems


def test_regression_with_weights_of_each_target(regression: Problem, members: Any, engine: XlaEngine) -> None:
    (got,) = train(regression, members({"hidden": (6,), "learning_rate": 0.02, "epochs": 10}), engine).members
    output = got.network.predict(got.parameters, regression.validation_x)
    squares = (regression.validation_y - output) ** 2
    w, at = regression.validation_weights, got.best_epoch - 1
    np.testing.assert_allclose(got.validation_loss[at], np.sqrt((w * squares).sum() / w.sum()), rtol=1e-5)
    for k in (0, 1):
        half = regression.validation_half == k
        expected = np.sqrt((w[half] * squares[half]).sum() / w[half].sum())
        np.testing.assert_allclose(got.half_losses[at, k], expected, rtol=1e-5)
    rows = w.mean(axis=1)
    np.testing.assert_allclose(
        got.validation_metric[at], np.sqrt(np.average(squares.mean(axis=1), weights=rows)), rtol=1e-5
    )
    assert got.validation_loss[-1] < got.validation_loss[0]


def test_a_loss_and_a_penalty_of_the_user(regression: Problem, members: Any, engine: XlaEngine) -> None:
    sizes: list[list[tuple[int, ...]]] = []

    def squares(xp: Any, target: Any, output: Any) -> Any:
        return (target - output) ** 2

    def half_l2(xp: Any, parameters: Any) -> Any:
        sizes.append([layer["kernel"].shape for layer in parameters])
        return 0.8 / (2 * (3 * 5 + 5 * 2)) * sum(xp.sum(layer["kernel"] ** 2) for layer in parameters)

    own = replace(regression, loss=get_loss(squares), penalties=(half_l2,))
    usual = replace(regression, loss=get_loss("mse"))
    settings = {"hidden": (5,), "epochs": 10, "learning_rate": 0.02}
    beside = {"hidden": (5,), "epochs": 10, "dropout": 0.5}
    got = train(own, members(settings, beside), engine).members[0]
    expected = train(usual, members({**settings, "l2": 0.8}), engine).members[0]
    np.testing.assert_allclose(got.validation_loss, expected.validation_loss, rtol=1e-5)
    np.testing.assert_allclose(got.parameters[0]["kernel"], expected.parameters[0]["kernel"], rtol=1e-4, atol=1e-5)
    assert sizes[0] == [(3, 5), (5, 2)]  # no padding, and no layers but those with weights


def test_no_hidden_layer(problem: Problem, members: Any, engine: XlaEngine) -> None:
    (got,) = train(problem, members({"hidden": (), "learning_rate": 0.05, "epochs": 10}), engine).members
    assert got.network.parameter_count == 4 * 3 + 3
    output = got.network.predict(got.parameters, problem.validation_x)
    np.testing.assert_allclose(got.validation_loss[got.best_epoch - 1], numpy_losses(problem, output)[0], rtol=1e-5)


@pytest.mark.parametrize(
    ("loss", "output", "expected"),
    [
        ("binary_crossentropy", [-0.1, 0.1, 0.4, -3.0], [0.0, 1.0, 0.0, 1.0]),  # before the sigmoid
        ("mse", [0.4, 0.6, 0.45, 0.0], [0.0, 1.0, 0.0, 1.0]),
    ],
)
def test_a_hit_of_two_classes(problem: Problem, members: Any, loss: str, output: Any, expected: Any) -> None:
    y = np.asarray([[1.0], [1.0], [0.0 if loss == "binary_crossentropy" else 1.0], [0.0]], np.float32)
    two = replace(problem, y=np.zeros((44, 1), np.float32), loss=get_loss(loss))
    structure = structure_of(two, members({}))
    assert structure.output_activation == "sigmoid"
    hits = program_module._hits(structure, xp, y, np.asarray(output, np.float32)[:, None])
    assert np.asarray(hits).tolist() == expected


def test_validation_in_batches_is_the_same(problem: Problem, members: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    (member,) = members({"hidden": (4,)})
    structure = structure_of(problem, [member], layouts=("first",))
    program = MemberProgram(structure)
    numbers = jax.tree.map(lambda array: array[0], member_numbers(problem, structure, [member]))
    flat = (pad_parameters(structure, initial_parameters(member_network(problem, member), 0, 0))[0],)
    whole = program.validate(flat, numbers, rows_module.shared_rows(problem, structure))
    monkeypatch.setattr(rows_module, "validation_batch", lambda _: 5)
    rows = jax.tree.map(jax.numpy.asarray, rows_module.shared_rows(problem, structure))
    assert rows.validation_x.shape == (4, 5, 4)
    for a, b in zip(program.validate(flat, numbers, rows), whole, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6)


# what one member sees of the rows

SMALL: dict[str, Any] = {"hidden": (5,), "activation": "tanh", "learning_rate": 0.02, "batch_size": 8, "epochs": 10}


def folded(problem: Problem, folds: np.ndarray) -> Problem:
    """Return the problem with folds of its training rows in place of its validation rows."""
    half = np.arange(len(problem.x)) % 2
    rows = {"validation_x": problem.x, "validation_y": problem.y, "validation_weights": problem.weights}
    return replace(problem, **rows, validation_half=half, folds=folds)


def test_a_member_learns_outside_its_fold_and_is_validated_in_it(
    problem: Problem, members: Any, engine: XlaEngine
) -> None:
    rng = np.random.default_rng(0)
    folds = np.stack([rng.permutation(44) % 4, rng.permutation(44) % 4], axis=1).astype(np.int32)
    h = members(SMALL)[0].hyperparameters
    each = [Member(4 * r + f, h, candidate=0, fold=f, repeat=r) for r in (0, 1) for f in range(4)]
    task = folded(problem, folds)
    trained = train(task, each, engine).members
    for member in trained:
        out = folds[:, member.member.repeat] == member.member.fold
        output = member.network.predict(member.parameters, problem.x[out]).astype(np.float64)
        values = -np.sum(problem.y[out] * np.log(output), axis=1)
        loss = np.average(values, weights=problem.weights[out, 0].astype(np.float64))
        np.testing.assert_allclose(member.validation_loss[member.best_epoch - 1], loss, rtol=1e-5)
        # its own rows taken away for good, the rest in the same batches: the same network
        alone = replace(task, weights=np.where(out[:, None], 0.0, problem.weights))
        nobody = replace(alone, folds=np.where(out[:, None], 0, 1).astype(np.int32))
        (again,) = train(nobody, [replace(member.member, fold=0, repeat=0)], engine).members
        assert_equal(replace(again, member=member.member), member, rtol=1e-5, atol=2e-6)


def test_the_targets_of_the_held_out_fold_teach_nothing(problem: Problem, members: Any, engine: XlaEngine) -> None:
    folds = (np.arange(44) % 3).astype(np.int32)[:, None]
    h = members(SMALL)[0].hyperparameters
    member = Member(0, h, fold=1)
    wrong = np.where(folds == 1, np.roll(problem.y, 1, axis=1), problem.y)
    task = folded(problem, folds)
    a, b = (train(replace(task, y=y), [member], engine).members[0] for y in (problem.y, wrong))
    np.testing.assert_array_equal(a.train_loss, b.train_loss)


def test_an_empty_batch_is_no_step(problem: Problem, members: Any, engine: XlaEngine) -> None:
    order = batch_order(problem, 8, 10)
    folds = np.ones((44, 1), np.int32)
    folds[order[0, 2]] = 0  # the whole third batch of the first epoch is held out
    member = Member(0, members({**SMALL, "epochs": 1})[0].hyperparameters, fold=0)
    (got,) = train(folded(problem, folds), [member], engine).members
    assert np.isfinite(got.train_loss).all()
    assert got.status is Status.FINISHED


def test_bootstrap_counts_weigh_the_rows(problem: Problem, members: Any, engine: XlaEngine) -> None:
    plain = members(SMALL)[0]
    member = replace(plain, bootstrap=True)
    numbers = {name: array[0] for name, array in resampling_numbers(problem.seed, [member]).items()}
    counts = bootstrap_counts(numpy_namespace, np.arange(44, dtype=np.uint32), numbers)
    assert 0.5 < counts.mean() < 1.5
    resampled, ordinary = train(problem, [member, replace(plain, id=1)], engine).members
    (alone,) = train(problem, [replace(plain, id=1)], engine).members
    assert_equal(ordinary, alone, rtol=1e-5, atol=2e-6)  # a neighbour that resamples changes nothing
    # one batch that holds all rows: the counts are weights, and divide by their own sum
    whole = replace(plain, hyperparameters=plain.hyperparameters.model_copy(update={"batch_size": 44}))
    (got,) = train(problem, [replace(whole, bootstrap=True)], engine).members
    scale = counts.sum() / 44
    weighted = replace(problem, weights=(problem.weights * counts[:, None] / scale).astype(np.float32))
    (expected,) = train(weighted, [whole], engine).members
    assert_equal(replace(got, member=whole), expected, rtol=1e-4, atol=1e-5)
    assert resampled.member.bootstrap


def test_a_replica_learns_from_its_own_redrawn_targets(regression: Problem, members: Any, engine: XlaEngine) -> None:
    plain = members({**SMALL, "activation": "relu"})[0]
    y_err = np.full(regression.y.shape, 0.3, np.float32)
    task = replace(regression, y_err=y_err)
    member = replace(plain, replica=True)
    numbers = {name: array[0] for name, array in resampling_numbers(task.seed, [member]).items()}
    at = np.arange(44, dtype=np.uint32)[:, None], np.arange(2, dtype=np.uint32)
    redrawn = task.y + y_err * target_noise(numpy_namespace, *at, numbers)
    assert 0.7 < (redrawn - task.y).std() / 0.3 < 1.3
    got = train(task, [member, replace(plain, id=1)], engine).members
    (expected,) = train(replace(regression, y=redrawn.astype(np.float32)), [plain], engine).members
    assert_equal(replace(got[0], member=plain), expected, rtol=1e-4, atol=1e-5)
    (ordinary,) = train(regression, [replace(plain, id=1)], engine).members
    assert_equal(got[1], ordinary, rtol=1e-5, atol=2e-6)


def test_every_activation_among_all_others_is_itself(problem: Problem, members: Any, engine: XlaEngine) -> None:
    names = [activation.name for activation in ACTIVATIONS.values() if activation.elementwise]
    each = members(*({**SMALL, "activation": name, "learning_rate": 0.005} for name in names))
    wide = members({**SMALL, "hidden": (7, 8)}, start=len(each))  # pads them, and makes them skip a layer
    mixed = train(problem, [*each, *wide], engine).members

    def nothing(xp: Any, parameters: Any) -> Any:  # a penalty sees the weights, so that nothing is padded
        return 0.0 * sum(xp.sum(layer["kernel"]) for layer in parameters)

    exact = train(replace(problem, penalties=(nothing,)), each, engine_of("first")).members
    for a, b in zip(exact, mixed, strict=False):
        assert_equal(a, b, rtol=2e-4, atol=2e-5)


def test_parameters_by_layer_give_the_same(
    problem: Problem, population: list[Member], mixed: Mixed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(program_module, "FLAT_UP_TO", 0)
    which = [population[i] for i in (REFERENCE, PATIENT, 4, 5, 7, 8)]
    for member in train(problem, which, engine_of("first")).members:
        assert_equal(member, mixed.members[member.member.id], rtol=1e-4, atol=1e-5)


@pytest.mark.skipif(jax.devices()[0].platform == "cpu", reason="this machine has no GPU")
def test_a_gpu_gives_the_same(problem: Problem, population: list[Member]) -> None:
    which = [population[i] for i in (REFERENCE, 4, 5, 7)]
    host = XlaEngine()
    host.devices = jax.devices("cpu")
    pairs = zip(train(problem, which, XlaEngine()).members, train(problem, which, host).members, strict=True)
    for a, b in pairs:
        assert_equal(a, b, rtol=1e-3, atol=1e-4)


def test_blocks_of_one_activation_share_a_program(problem: Problem, members: Any, layout: str) -> None:
    count = grouping.FEWEST_OF_ONE_ACTIVATION
    many = members(*[{**SMALL, "activation": name} for name in ("relu", "gelu") * count])
    engine = engine_of(layout)
    blocks = engine.plan(problem, many)
    assert [len(block.members) for block in blocks] == [count, count]
    got = train(problem, many, engine).members
    assert engine.programs == 1
    for member in train(problem, many[:4], engine).members:  # too few for blocks of their own: by a table
        assert_equal(member, got[member.member.id], rtol=1e-5, atol=2e-6)


# compiling, interrupting, devices

COMPILATIONS: list[str] = []


def watch_compilations() -> None:
    import jax

    def note(event: str, duration: float, **_: Any) -> None:
        if event.endswith("backend_compile_duration"):
            COMPILATIONS.append(event)

    jax.monitoring.register_event_duration_secs_listener(note)


def test_a_second_chunk_compiles_nothing(problem: Problem, population: list[Member], engine: XlaEngine) -> None:
    watch_compilations()
    member = population[REFERENCE]
    (block,) = engine.plan(problem, [member])
    before = len(COMPILATIONS)
    assert engine.prepare(block) > 0.0
    assert len(COMPILATIONS) > before  # the watch works
    assert engine.prepare(block) == 0.0
    state, _ = engine.advance(block, engine.enter(block, engine.start(block), {0: member}))
    before, programs = len(COMPILATIONS), engine.programs
    state, chunk = engine.advance(block, state)
    engine.read_out(block, state, {0: member})
    assert chunk.epoch.tolist() == [EPOCHS]
    assert (len(COMPILATIONS), engine.programs) == (before, programs)


class CtrlC:
    """Presses Ctrl-C at the second chunk."""

    def __init__(self) -> None:
        self.calls = 0

    def stage(self, text: str) -> None: ...

    def training(self, **news: Any) -> None:
        self.calls += 1
        if self.calls == 2:
            raise KeyboardInterrupt


def test_going_on_after_an_interruption_changes_no_bit(
    problem: Problem, population: list[Member], mixed: Mixed, layout: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from shoal.training.checkpointing import checkpoint_from_parts, checkpoint_to_parts

    monkeypatch.setattr(trainer, "KEEP_SECONDS", 0.0)
    with pytest.raises(Stopped, match="interrupted") as stopped:
        train(problem, population, engine_of(layout), progress=CtrlC())
    meta, arrays = checkpoint_to_parts(stopped.value.checkpoint)
    assert arrays
    back = checkpoint_from_parts(meta, arrays, problem, {member.id: member for member in population})
    training: Training = train(problem, population, engine_of(layout), checkpoint=back)
    for got, expected in zip(training.members, mixed.members, strict=True):
        assert_equal(got, expected)


def test_a_budget_leaves_one_chunk(problem: Problem, population: list[Member], mixed: Mixed, layout: str) -> None:
    training = train(problem, population, engine_of(layout), seconds=0.01)
    assert training.out_of_time
    assert [len(m.train_loss) for m in training.members] == [min(10, len(m.train_loss)) for m in mixed.members]
    got, whole = training.members[REFERENCE], mixed.members[REFERENCE]
    assert got.status is Status.RUNNING
    np.testing.assert_array_equal(got.validation_loss, whole.validation_loss[:10])


def test_a_second_problem_of_similar_size_compiles_nothing(members: Any, engine: XlaEngine) -> None:
    rng = np.random.default_rng(1)

    def similar(rows: int, features: int, seed: int) -> Problem:
        x, y = rng.normal(size=(rows, features)).astype(np.float32), rng.integers(0, 3, rows)
        loss = choose_loss(Task.CLASSIFICATION, 3, None)
        parts = (x[:-20], y[:-20], None), (x[-20:], y[-20:], None)
        return make_problem(Task.CLASSIFICATION, loss, *parts, classes=3, seed=seed)

    settings = ({"hidden": (9,), "epochs": 4}, {"hidden": (12, 3), "epochs": 7, "learning_rate": 0.1})
    others = ({"hidden": (10,), "epochs": 5, "l2": 0.1}, {"hidden": (16, 16), "epochs": 2, "patience": 1})
    train(similar(120, 9, 0), members(*settings), engine)
    second = engine_of(engine.layouts[0])
    training = train(similar(117, 10, 5), members(*others, start=7), second)
    assert [len(member.train_loss) for member in training.members] == [5, 2]
    assert (second.programs, second.programs_compiled) == (1, 0)
    third = engine_of(engine.layouts[0])
    train(similar(250, 9, 0), members(*settings), third)
    assert third.programs == 1  # twice the rows: another program, compiled unless an earlier session has done it


def test_programs_share_the_rows(problem: Problem, members: Any, engine: XlaEngine) -> None:
    a, b = engine.plan(problem, members({"batch_size": 8}, {"batch_size": 8}, {"batch_size": 16}, {"batch_size": 16}))
    assert a.program.rows.x is b.program.rows.x
    assert (int(a.program.rows.steps), int(b.program.rows.steps)) == (6, 3)
    (other,) = engine.plan(replace(problem, x=problem.x + 1.0), members({}))
    np.testing.assert_array_equal(np.asarray(other.program.rows.x)[:44, :4], problem.x + 1.0)


def test_little_memory_leaves_one_place(problem: Problem, members: Any) -> None:
    each = members(SMALL, {**SMALL, "learning_rate": 0.01}, {**SMALL, "epochs": 3})
    (roomy,) = XlaEngine().plan(problem, each)
    structure = roomy.structure
    widths = (*structure.hidden, structure.outputs)
    one = member_bytes(structure.network.parameter_count, widths, 8, len(problem.validation_x))
    needed = (shared_bytes(problem, len(jax.devices())) + 1.5 * one) / (1.0 - HEADROOM)
    engine = XlaEngine(budget=Budget(int(needed), 2))
    (block,) = engine.plan(problem, each)
    assert (roomy.places, block.places, block.program.mesh.size) == (4, 1, 1)
    for a, b in zip(train(problem, each, engine).members, train(problem, each, XlaEngine()).members, strict=True):
        assert_equal(a, b, rtol=1e-5, atol=2e-6)
    with pytest.raises(SettingError, match=r"training needs .* --memory 1MB allows no more"):
        XlaEngine(budget=find_budget("1MB")).plan(problem, each)


def test_places_are_few_and_filled(problem: Problem, members: Any, engine: XlaEngine) -> None:
    many: Sequence[Member] = members(*({"hidden": (4,)} for _ in range(300)))
    (block,) = engine.plan(problem, many)
    assert [member.id for member in block.members] == list(range(300))
    assert block.places % len(engine.devices) == 0
    assert block.places <= 300
    (few,) = engine.plan(problem, many[:5])
    assert 5 <= few.places <= 8
    assert problem.task is Task.CLASSIFICATION
