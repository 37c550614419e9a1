"""The contract of every engine: member i of any block equals the same member alone, NumPy's float64 and Keras."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import jax
import numpy as np
import pytest

from shoal.networks import numpy_namespace
from shoal.results import Status
from shoal.streams import threefry, to_uniform
from shoal.training import trainer
from shoal.training.checkpointing import checkpoint_from_parts, checkpoint_to_parts
from shoal.training.engines.base import Engine
from shoal.training.engines.native import NativeEngine
from shoal.training.engines.native.library import kernels
from shoal.training.engines.xla import engine as xla_engine
from shoal.training.engines.xla.program import SOURCES
from shoal.training.grouping import structure_of
from shoal.training.member import Member, initial_parameters
from shoal.training.optimizers import Slots, update
from shoal.training.packing import batch_order, member_network, member_numbers
from shoal.training.problem import Problem
from shoal.training.resampling import bootstrap_counts, resampling_numbers, target_noise
from shoal.training.schedules import learning_rate
from shoal.training.trainer import Stopped, train

KERAS, REFERENCE, DIVERGING, PATIENT, EPOCHS = 0, 1, 2, 3, 12  # of the population
LAYOUTS = ("first", "last")
NO_KERNEL = pytest.mark.skip(reason="the native engine's kernel was not built")
KINDS = [
    *(pytest.param(("xla", layout), id=f"xla-{layout}") for layout in LAYOUTS),
    *(pytest.param(("native", kernel), id=f"native-{kernel.name}") for kernel in kernels()),
    *(() if kernels() else [pytest.param(("native", None), id="native", marks=NO_KERNEL)]),
]


@dataclass(frozen=True)
class Kind:
    """A way to train: an engine with one choice made.

    Attributes:
        name: of both.
        make: returns a new engine, for a number of devices or cores.
        exact: whether neighbours, places and cores change no bit, rather than only the rounding.
    """

    name: str
    make: Callable[..., Engine]
    exact: bool

    @property
    def rounding(self) -> dict[str, float]:
        """The tolerances for a member that trains among others."""
        return {} if self.exact else {"rtol": 1e-5, "atol": 2e-6}

    def with_few_places(self, monkeypatch: pytest.MonkeyPatch) -> Engine:
        """Return an engine that trains one or two members at a time."""
        if self.exact:
            monkeypatch.setattr(NativeEngine, "_fitting", lambda *_: 2)
        else:
            monkeypatch.setattr(xla_engine, "members_per_core", lambda *_: 1)
        return self.make()


@pytest.fixture(scope="module", params=KINDS)
def kind(request: pytest.FixtureRequest, xla_of: Callable[..., Engine]) -> Kind:
    engine, choice = request.param
    if engine == "xla":
        return Kind(f"xla-{choice}", lambda devices=None: xla_of(choice, devices), exact=False)
    return Kind(f"native-{choice.name}", lambda cores=None: NativeEngine(cores, kernel=choice), exact=True)


@pytest.fixture(scope="module")
def engine(kind: Kind) -> Engine:
    return kind.make()


@pytest.fixture(scope="module")
def mixed(mixed_by: Callable[..., Any], kind: Kind) -> Any:
    return mixed_by(kind.name, kind.make)


# one block


@pytest.mark.slow
def test_every_member_has_its_own_epochs_and_end(mixed: Any) -> None:
    lengths = [len(member.train_loss) for member in mixed.members]
    assert [lengths[i] for i in (0, 1, 4, 5, 6, 7, 8)] == [3, 12, 12, 11, 12, 12, 12]
    patient, diverging = mixed.members[PATIENT], mixed.members[DIVERGING]
    assert patient.status is Status.STOPPED_EARLY
    assert len(patient.validation_loss) == patient.best_epoch + 2 < 40
    assert diverging.status is Status.DIVERGED
    assert not np.isfinite(diverging.train_loss[-1]) or not np.isfinite(diverging.validation_loss[-1])
    others = {m.status for i, m in enumerate(mixed.members) if i not in (PATIENT, DIVERGING)}
    assert others == {Status.FINISHED}


@pytest.mark.slow
def test_the_best_epoch_is_the_lowest_validation_loss(mixed: Any) -> None:
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


@pytest.mark.slow
def test_the_parameters_are_those_of_the_best_epoch(problem: Problem, mixed: Any) -> None:
    for i, member in enumerate(mixed.members):
        if i == DIVERGING:
            continue
        output = member.network.predict(member.parameters, problem.validation_x).astype(np.float64)
        loss, halves, accuracy = numpy_losses(problem, output)
        at = member.best_epoch - 1
        np.testing.assert_allclose(member.validation_loss[at], loss, rtol=1e-5)
        np.testing.assert_allclose(member.half_losses[at], halves, rtol=1e-5)
        np.testing.assert_allclose(member.validation_metric[at], accuracy, rtol=1e-6)


@pytest.mark.slow
def test_a_diverged_member_keeps_finite_parameters(mixed: Any) -> None:
    for layer in mixed.members[DIVERGING].parameters:
        assert all(np.isfinite(array).all() for array in layer.values())
    assert mixed.members[DIVERGING].score == float("inf")


@pytest.mark.slow
def test_a_diverging_member_disturbs_no_other(
    problem: Problem, population: list[Member], mixed: Any, kind: Kind, assert_equal: Any
) -> None:
    calm = list(population)
    hyperparameters = calm[DIVERGING].hyperparameters.model_copy(update={"learning_rate": 1e-3})
    calm[DIVERGING] = replace(calm[DIVERGING], hyperparameters=hyperparameters)
    training = train(problem, calm, kind.make())
    assert training.members[DIVERGING].status is Status.FINISHED
    for i, member in enumerate(training.members):
        if i != DIVERGING:
            assert_equal(member, mixed.members[i])


@pytest.mark.slow
def test_a_root_of_nothing_hides_no_divergence(regression: Problem, members: Any, engine: Engine) -> None:
    wild = {"hidden": (6,), "learning_rate": 1e30}  # its loss becomes NaN
    calm, diverged = train(regression, members({"hidden": (6,)}, wild), engine).members
    assert (calm.status, diverged.status) == (Status.FINISHED, Status.DIVERGED)
    assert diverged.score == float("inf")


@pytest.mark.skipif(not kernels(), reason="the native engine's kernel was not built")
def test_a_block_where_nobody_trains_stays_as_it_is(problem: Problem, population: list[Member]) -> None:
    engine = NativeEngine()
    (block,) = engine.plan(problem, [population[REFERENCE]])
    _, chunk = engine.advance(block, engine.start(block), 3)
    assert set(chunk.status.tolist()) == {int(Status.FINISHED)}


# whoever shares the block


@pytest.mark.slow
@pytest.mark.parametrize("which", [REFERENCE, PATIENT, 4, 7])
def test_a_member_alone_equals_itself_among_others(
    problem: Problem, population: list[Member], mixed: Any, engine: Engine, which: int, assert_equal: Any, kind: Kind
) -> None:
    (alone,) = train(problem, [population[which]], engine).members
    assert_equal(alone, mixed.members[which], **kind.rounding)
    assert alone.validation_loss.std() > 1e-3


def test_candidates_of_one_size_in_turn_are_each_what_they_are_alone(
    problem: Problem, population: list[Member], engine: Engine, assert_equal: Any, kind: Kind
) -> None:
    """As replicas are: draw after draw of all kept candidates."""
    base = population[REFERENCE].hyperparameters.model_copy(update={"hidden": (5,), "epochs": 4})
    each = [base.model_copy(update={"activation": (name,)}) for name in ("relu", "tanh")]
    members = [Member(i, each[i % 2]) for i in range(4)]
    for member, together in zip(members, train(problem, members, engine).members, strict=True):
        (alone,) = train(problem, [member], engine).members
        assert_equal(together, alone, **kind.rounding)


@pytest.mark.slow
def test_fewer_places_in_another_order_give_the_same(
    problem: Problem,
    population: list[Member],
    mixed: Any,
    kind: Kind,
    monkeypatch: pytest.MonkeyPatch,
    assert_equal: Any,
) -> None:
    engine = kind.with_few_places(monkeypatch)
    (block,) = engine.plan(problem, population[::-1])
    assert block.places <= 2 < len(population)  # whoever is done makes room for the next
    training = train(problem, population[::-1], engine)
    assert training.programs == mixed.programs
    for i, member in enumerate(training.members):
        if i != DIVERGING:
            assert_equal(member, mixed.members[i], **kind.rounding)


@pytest.mark.slow
def test_one_device_or_core_gives_the_same(
    problem: Problem, population: list[Member], mixed: Any, kind: Kind, assert_equal: Any
) -> None:
    training = train(problem, population[3:6], kind.make(1))
    for member in training.members:
        assert_equal(member, mixed.members[member.member.id], **kind.rounding)


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
    when = np.full_like(where, step * SOURCES + layer)
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


@pytest.mark.slow
def test_training_equals_a_loop_in_float64(problem: Problem, population: list[Member], mixed: Any) -> None:
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


@pytest.mark.slow
def test_training_equals_keras(problem: Problem, population: list[Member], mixed: Any) -> None:
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


@pytest.mark.slow
def test_the_engines_agree(
    mixed_by: Callable[..., Any], xla_of: Callable[..., Engine], mixed: Any, assert_equal: Any
) -> None:
    expected = mixed_by("xla-first", lambda: xla_of("first")).members
    for got, other in zip(mixed.members, expected, strict=True):
        if got.member.id != DIVERGING:
            assert_equal(got, other, rtol=1e-4, atol=1e-5)


# other problems


@pytest.mark.slow
def test_regression_with_weights_of_each_target(regression: Problem, members: Any, engine: Engine) -> None:
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


@pytest.mark.slow
def test_no_hidden_layer(problem: Problem, members: Any, engine: Engine) -> None:
    (got,) = train(problem, members({"hidden": (), "learning_rate": 0.05, "epochs": 10}), engine).members
    assert got.network.parameter_count == 4 * 3 + 3
    output = got.network.predict(got.parameters, problem.validation_x)
    np.testing.assert_allclose(got.validation_loss[got.best_epoch - 1], numpy_losses(problem, output)[0], rtol=1e-5)


# what one member sees of the rows

SMALL: dict[str, Any] = {"hidden": (5,), "activation": "tanh", "learning_rate": 0.02, "batch_size": 8, "epochs": 10}


def folded(problem: Problem, folds: np.ndarray) -> Problem:
    """Return the problem with folds of its training rows in place of its validation rows."""
    half = np.arange(len(problem.x)) % 2
    rows = {"validation_x": problem.x, "validation_y": problem.y, "validation_weights": problem.weights}
    return replace(problem, **rows, validation_half=half, folds=folds)


@pytest.mark.slow
def test_a_member_learns_outside_its_fold_and_is_validated_in_it(
    problem: Problem, members: Any, engine: Engine, assert_equal: Any, kind: Kind
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
        assert_equal(replace(again, member=member.member), member, **kind.rounding)


@pytest.mark.slow
def test_the_targets_of_the_held_out_fold_teach_nothing(problem: Problem, members: Any, engine: Engine) -> None:
    folds = (np.arange(44) % 3).astype(np.int32)[:, None]
    h = members(SMALL)[0].hyperparameters
    member = Member(0, h, fold=1)
    wrong = np.where(folds == 1, np.roll(problem.y, 1, axis=1), problem.y)
    task = folded(problem, folds)
    a, b = (train(replace(task, y=y), [member], engine).members[0] for y in (problem.y, wrong))
    np.testing.assert_array_equal(a.train_loss, b.train_loss)


@pytest.mark.slow
def test_an_empty_batch_is_no_step(problem: Problem, members: Any, engine: Engine) -> None:
    order = batch_order(problem, 8, 10)
    folds = np.ones((44, 1), np.int32)
    folds[order[0, 2]] = 0  # the whole third batch of the first epoch is held out
    member = Member(0, members({**SMALL, "epochs": 1})[0].hyperparameters, fold=0)
    (got,) = train(folded(problem, folds), [member], engine).members
    assert np.isfinite(got.train_loss).all()
    assert got.status is Status.FINISHED


@pytest.mark.slow
def test_bootstrap_counts_weigh_the_rows(
    problem: Problem, members: Any, engine: Engine, assert_equal: Any, kind: Kind
) -> None:
    plain = members(SMALL)[0]
    member = replace(plain, bootstrap=True)
    numbers = {name: array[0] for name, array in resampling_numbers(problem.seed, [member]).items()}
    counts = bootstrap_counts(numpy_namespace, np.arange(44, dtype=np.uint32), numbers)
    assert 0.5 < counts.mean() < 1.5
    resampled, ordinary = train(problem, [member, replace(plain, id=1)], engine).members
    (alone,) = train(problem, [replace(plain, id=1)], engine).members
    assert_equal(ordinary, alone, **kind.rounding)  # a neighbour that resamples changes nothing
    # one batch that holds all rows: the counts are weights, and divide by their own sum
    whole = replace(plain, hyperparameters=plain.hyperparameters.model_copy(update={"batch_size": 44}))
    (got,) = train(problem, [replace(whole, bootstrap=True)], engine).members
    scale = counts.sum() / 44
    weighted = replace(problem, weights=(problem.weights * counts[:, None] / scale).astype(np.float32))
    (expected,) = train(weighted, [whole], engine).members
    assert_equal(replace(got, member=whole), expected, rtol=1e-4, atol=1e-5)
    assert resampled.member.bootstrap


@pytest.mark.slow
def test_a_replica_learns_from_its_own_redrawn_targets(
    regression: Problem, members: Any, engine: Engine, assert_equal: Any, kind: Kind
) -> None:
    plain = members({**SMALL, "activation": "relu"})[0]
    y_err, validation_y_err = (np.full((rows, 2), 0.3, np.float32) for rows in (44, 17))
    task = replace(regression, y_err=y_err, validation_y_err=validation_y_err)
    member = replace(plain, replica=True)
    numbers = {name: array[0] for name, array in resampling_numbers(task.seed, [member]).items()}
    at = np.arange(61, dtype=np.uint32)[:, None], np.arange(2, dtype=np.uint32)
    noise = target_noise(numpy_namespace, *at, numbers).astype(np.float32)
    assert 0.7 < noise.std() < 1.3
    redrawn = {"y": task.y + 0.3 * noise[:44], "validation_y": task.validation_y + 0.3 * noise[44:]}
    got = train(task, [member, replace(plain, id=1)], engine).members
    (expected,) = train(replace(regression, **redrawn), [plain], engine).members
    assert_equal(replace(got[0], member=plain), expected, rtol=1e-4, atol=1e-5)
    (ordinary,) = train(regression, [replace(plain, id=1)], engine).members
    assert_equal(got[1], ordinary, **kind.rounding)


def test_replicas_of_one_draw_and_of_one_origin_share_their_numbers(members: Any) -> None:
    first, second, third = (
        replace(members(SMALL)[0], id=i, replica=True, draw=draw, origin=origin)
        for i, (draw, origin) in enumerate([(0, 7), (0, 8), (1, 7)])
    )
    keys = resampling_numbers(3, [first, second, third])
    assert (keys["replica_key"][0] == keys["replica_key"][1]).all()
    assert (keys["replica_key"][0] != keys["replica_key"][2]).any()
    assert (keys["bootstrap_key"][0] == keys["bootstrap_key"][2]).all()
    assert (keys["bootstrap_key"][0] != keys["bootstrap_key"][1]).any()


@pytest.mark.slow
def test_a_member_begins_as_its_origin_does(
    regression: Problem, members: Any, engine: Engine, assert_equal: Any, kind: Kind
) -> None:
    plain = members(SMALL)[0]
    (expected,) = train(regression, [plain], engine).members
    (got,) = train(regression, [replace(plain, id=99, origin=plain.id)], engine).members
    assert_equal(replace(got, member=plain), expected, **kind.rounding)


# interruptions and budgets


class CtrlC:
    """Presses Ctrl-C at a chunk."""

    def __init__(self, at: int = 2) -> None:
        self.left = at

    def stage(self, text: str) -> None: ...

    def training(self, **news: Any) -> None:
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt


@pytest.mark.slow
def test_going_on_after_an_interruption_changes_no_bit(
    problem: Problem, population: list[Member], kind: Kind, monkeypatch: pytest.MonkeyPatch, assert_equal: Any
) -> None:
    monkeypatch.setattr(trainer, "KEEP_SECONDS", 0.0)
    epochs = {"epochs": 25}  # so that most are in the midst of it
    longer = [replace(m, hyperparameters=m.hyperparameters.model_copy(update=epochs)) for m in population]
    expected = train(problem, longer, kind.make()).members
    with pytest.raises(Stopped, match="interrupted") as stopped:
        train(problem, longer, kind.make(), progress=CtrlC())
    (half,) = stopped.value.checkpoint.halfway.values()
    assert [seat.epoch for seat in half.seats.values()] == [10] * 7  # one has diverged, one was stopped
    meta, arrays = checkpoint_to_parts(stopped.value.checkpoint)
    back = checkpoint_from_parts(meta, arrays, problem, {member.id: member for member in longer})
    training = train(problem, longer, kind.make(), checkpoint=back)
    for got, other in zip(training.members, expected, strict=True):
        assert_equal(got, other)


@pytest.mark.slow
@pytest.mark.parametrize("at", [3, 4])  # nobody sat, or who sat is done by now
def test_an_interruption_while_others_wait_changes_no_bit(
    problem: Problem, population: list[Member], kind: Kind, at: int, monkeypatch: pytest.MonkeyPatch, assert_equal: Any
) -> None:
    monkeypatch.setattr(trainer, "KEEP_SECONDS", 0.0)
    monkeypatch.setattr(trainer, "KEEP_SHARE", 0.0)
    engine = kind.with_few_places(monkeypatch)
    expected = train(problem, population, engine).members
    with pytest.raises(Stopped, match="interrupted") as stopped:
        train(problem, population, engine, progress=CtrlC(at))
    meta, arrays = checkpoint_to_parts(stopped.value.checkpoint)
    back = checkpoint_from_parts(meta, arrays, problem, {member.id: member for member in population})
    for got, other in zip(train(problem, population, engine, checkpoint=back).members, expected, strict=True):
        assert_equal(got, other)


@pytest.mark.slow
def test_a_budget_leaves_one_chunk(problem: Problem, population: list[Member], mixed: Any, kind: Kind) -> None:
    training = train(problem, population, kind.make(), seconds=1e-6)
    assert training.stopped == "minutes"
    assert [len(m.train_loss) for m in training.members] == [min(10, len(m.train_loss)) for m in mixed.members]
    got, whole = training.members[REFERENCE], mixed.members[REFERENCE]
    assert got.status is Status.RUNNING
    np.testing.assert_array_equal(got.validation_loss, whole.validation_loss[:10])
