"""What is about XLA alone: programs, layouts, padding, compilations, devices; the contract is in test_engines.py."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import jax
import numpy as np
import pytest

from shoal.errors import SettingError
from shoal.networks import ACTIVATIONS
from shoal.results import Task
from shoal.training import grouping
from shoal.training.engines.xla import XlaEngine, storage
from shoal.training.engines.xla import engine as engine_module
from shoal.training.engines.xla import program as program_module
from shoal.training.engines.xla import rows as rows_module
from shoal.training.engines.xla.lifts import xp
from shoal.training.engines.xla.program import MemberProgram
from shoal.training.grouping import structure_of
from shoal.training.loss_choice import choose_loss
from shoal.training.losses import get_loss
from shoal.training.member import Member, initial_parameters
from shoal.training.packing import member_network, member_numbers, pad_parameters
from shoal.training.planner import HEADROOM, Budget, find_budget, member_bytes, shared_bytes
from shoal.training.problem import Problem, make_problem
from shoal.training.trainer import train

REFERENCE, PATIENT, EPOCHS = 1, 3, 12  # of the population
SMALL: dict[str, Any] = {"hidden": (5,), "activation": "tanh", "learning_rate": 0.02, "batch_size": 8, "epochs": 10}


@pytest.fixture(scope="module", params=["first", "last"])
def layout(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def engine(layout: str, xla_of: Any) -> XlaEngine:
    return xla_of(layout)


@pytest.fixture(scope="module")
def mixed(mixed_by: Callable[..., Any], layout: str, xla_of: Callable[..., XlaEngine]) -> Any:
    return mixed_by(f"xla-{layout}", lambda: xla_of(layout))


# one block


@pytest.mark.slow
def test_a_mixed_population_is_one_program(
    problem: Problem, population: list[Member], mixed: Any, engine: XlaEngine, layout: str
) -> None:
    assert mixed.programs == 1
    (block,) = engine.plan(problem, population)
    assert block.structure.layout == layout
    assert block.structure.skips
    assert block.structure.masks


@pytest.mark.slow
def test_an_emptying_block_shrinks(
    problem: Problem,
    population: list[Member],
    mixed: Any,
    layout: str,
    monkeypatch: pytest.MonkeyPatch,
    assert_equal: Any,
    xla_of: Any,
) -> None:
    monkeypatch.setattr(engine_module, "WORTH_SHRINKING", 0.0)
    engine = xla_of(layout)
    sizes: list[int] = []
    advance = engine.advance

    def watched(block: Any, state: Any, most: int | None = None) -> Any:
        sizes.append(block.places)
        return advance(block, state, most)

    monkeypatch.setattr(engine, "advance", watched)
    longest = [*population[:3], population[4], population[6]]
    ends = [replace(m, hyperparameters=m.hyperparameters.model_copy(update={"epochs": 8})) for m in longest]
    long = replace(population[8], hyperparameters=population[8].hyperparameters.model_copy(update={"epochs": 25}))
    last = train(problem, [*ends, long], engine).members[-1]
    assert sizes[0] >= 6
    assert sizes[-1] == 1
    (alone,) = train(problem, [long], xla_of(layout)).members
    assert_equal(last, alone, rtol=1e-5, atol=2e-6)


@pytest.mark.slow
def test_the_layouts_agree(
    problem: Problem, population: list[Member], mixed: Any, assert_equal: Any, xla_of: Any
) -> None:
    which = [population[i] for i in (REFERENCE, 4, 5, 7)]
    for layout in ("first", "last"):
        for member in train(problem, which, xla_of(layout)).members:
            assert_equal(member, mixed.members[member.member.id], rtol=1e-4, atol=1e-5)


# other problems


@pytest.mark.slow
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


@pytest.mark.slow
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


# members of one program


@pytest.mark.slow
def test_every_activation_among_all_others_is_itself(
    problem: Problem, members: Any, engine: XlaEngine, assert_equal: Any, xla_of: Any
) -> None:
    names = [activation.name for activation in ACTIVATIONS.values() if activation.elementwise]
    each = members(*({**SMALL, "activation": name, "learning_rate": 0.005} for name in names))
    wide = members({**SMALL, "hidden": (7, 8)}, start=len(each))  # pads them, and makes them skip a layer
    mixed = train(problem, [*each, *wide], engine).members

    def nothing(xp: Any, parameters: Any) -> Any:  # a penalty sees the weights, so that nothing is padded
        return 0.0 * sum(xp.sum(layer["kernel"]) for layer in parameters)

    exact = train(replace(problem, penalties=(nothing,)), each, xla_of("first")).members
    for a, b in zip(exact, mixed, strict=False):
        assert_equal(a, b, rtol=2e-4, atol=2e-5)


@pytest.mark.slow
def test_parameters_by_layer_give_the_same(
    problem: Problem,
    population: list[Member],
    mixed: Any,
    monkeypatch: pytest.MonkeyPatch,
    assert_equal: Any,
    xla_of: Any,
) -> None:
    monkeypatch.setattr(storage, "FLAT_UP_TO", 0)
    which = [population[i] for i in (REFERENCE, PATIENT, 4, 5, 7, 8)]
    for member in train(problem, which, xla_of("first")).members:
        assert_equal(member, mixed.members[member.member.id], rtol=1e-4, atol=1e-5)


@pytest.mark.slow
def test_blocks_of_one_activation_share_a_program(
    problem: Problem, members: Any, layout: str, assert_equal: Any, xla_of: Any
) -> None:
    count = grouping.FEWEST_OF_ONE_ACTIVATION
    many = members(*[{**SMALL, "activation": name} for name in ("relu", "gelu") * count])
    engine = xla_of(layout)
    blocks = engine.plan(problem, many)
    assert [len(block.members) for block in blocks] == [count, count]
    got = train(problem, many, engine).members
    assert engine.programs == 1
    for member in train(problem, many[:4], engine).members:  # too few for blocks of their own: by a table
        assert_equal(member, got[member.member.id], rtol=1e-5, atol=2e-6)


# compiling, memory, places

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


@pytest.mark.slow
def test_a_second_problem_of_similar_size_compiles_nothing(members: Any, engine: XlaEngine, xla_of: Any) -> None:
    rng = np.random.default_rng(1)

    def similar(rows: int, features: int, seed: int) -> Problem:
        x, y = rng.normal(size=(rows, features)).astype(np.float32), rng.integers(0, 3, rows)
        loss = choose_loss(Task.CLASSIFICATION, 3, None)
        parts = (x[:-20], y[:-20], None), (x[-20:], y[-20:], None)
        return make_problem(Task.CLASSIFICATION, loss, *parts, classes=3, seed=seed)

    settings = ({"hidden": (9,), "epochs": 4}, {"hidden": (12, 3), "epochs": 7, "learning_rate": 0.1})
    others = ({"hidden": (10,), "epochs": 5, "l2": 0.1}, {"hidden": (16, 16), "epochs": 2, "patience": 1})
    train(similar(120, 9, 0), members(*settings), engine)
    second = xla_of(engine.layouts[0])
    training = train(similar(117, 10, 5), members(*others, start=7), second)
    assert [len(member.train_loss) for member in training.members] == [5, 2]
    assert (second.programs, second.programs_compiled) == (1, 0)
    third = xla_of(engine.layouts[0])
    train(similar(250, 9, 0), members(*settings), third)
    assert third.programs == 1  # twice the rows: another program, compiled unless an earlier session has done it


def test_programs_share_the_rows(problem: Problem, members: Any, engine: XlaEngine) -> None:
    a, b = engine.plan(problem, members({"batch_size": 8}, {"batch_size": 8}, {"batch_size": 16}, {"batch_size": 16}))
    assert a.program.rows.x is b.program.rows.x
    assert (int(a.program.rows.steps), int(b.program.rows.steps)) == (6, 3)
    (other,) = engine.plan(replace(problem, x=problem.x + 1.0), members({}))
    np.testing.assert_array_equal(np.asarray(other.program.rows.x)[:44, :4], problem.x + 1.0)


@pytest.mark.slow
def test_little_memory_leaves_one_place(problem: Problem, members: Any, assert_equal: Any) -> None:
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
