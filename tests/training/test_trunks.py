"""Networks with layers before the hidden ones: in a block as alone, as Keras has them, on images as they are stored."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from shoal.errors import NetworkError
from shoal.networks import Flatten
from shoal.results import Task
from shoal.row_view import TakenRows, aligned_empty
from shoal.training import cost
from shoal.training.building import build_trunk
from shoal.training.engines.xla import XlaEngine
from shoal.training.engines.xla import engine as engine_module
from shoal.training.grouping import group_members, structure_of
from shoal.training.loss_choice import choose_loss
from shoal.training.member import Member, initial_parameters
from shoal.training.packing import batch_order, member_network
from shoal.training.problem import Problem, make_problem
from shoal.training.trainer import train

CONV = "conv2d:4:3 maxpooling2d:2"
POPULATION: tuple[dict[str, Any], ...] = (
    {"activation": "relu"},
    {"activation": "tanh", "hidden": (5,), "dropout": 0.3, "optimizer": "sgd", "learning_rate": 0.1},
    {"activation": "silu", "hidden": (7,), "l2": 2.0},
    {"activation": "relu", "learning_rate": 1e30},
    {"activation": "relu", "shift": 1.0, "rotation": 20.0, "noise": 0.1, "dropout": 0.2},
)


def bars(rng: np.random.Generator, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Return images of 8 × 8 pixels, 8 bits each, with a bar that lies or stands."""
    y = rng.integers(0, 2, rows)
    x = rng.integers(0, 60, (rows, 8, 8, 1))
    for i, place in enumerate(rng.integers(0, 8, rows)):
        x[(i, place) if y[i] else (i, slice(None), place)] += 150
    return x.astype(np.uint8), y


@pytest.fixture(scope="module")
def images() -> Problem:
    rng = np.random.default_rng(2)
    training, validation = bars(rng, 60), bars(rng, 21)
    loss = choose_loss(Task.CLASSIFICATION, 2, None)
    parts = [(x.astype(np.float32) / 100.0, y, None) for x, y in (training, validation)]
    return make_problem(Task.CLASSIFICATION, loss, *parts, classes=2, seed=4)


@pytest.fixture(scope="module")
def population(members: Callable[..., list[Member]]) -> list[Member]:
    return members(*({"layers": CONV, "hidden": (6,), "epochs": 4, **h} for h in POPULATION))


def test_members_of_one_text_share_a_program(images: Problem, population: list[Member], members: Any) -> None:
    assert len(group_members(images, population)) == 1
    other = members({"layers": "conv2d:4:3", "hidden": (6,)}, start=9)
    assert len(group_members(images, [*population, *other])) == 2
    assert structure_of(images, population).layout == "first"


@pytest.mark.slow
def test_a_member_in_a_block_is_the_member_alone(images: Problem, population: list[Member]) -> None:
    together = train(images, population, XlaEngine()).members
    for member, mixed in zip([*population[:3], population[4]], [*together[:3], together[4]], strict=True):
        alone = train(images, [member], XlaEngine(1)).members[0]
        assert alone.network == mixed.network
        for name in ("train_loss", "validation_loss", "half_losses"):
            np.testing.assert_allclose(getattr(alone, name), getattr(mixed, name), rtol=2e-3, atol=1e-5)
    assert together[3].score == float("inf")
    without = train(images, population[:3], XlaEngine()).members
    for member, other in zip(without, together, strict=False):  # a diverging neighbour disturbs nobody
        np.testing.assert_allclose(member.train_loss, other.train_loss, rtol=1e-5)


@pytest.mark.slow
def test_curves_are_those_of_the_parameters(images: Problem, population: list[Member]) -> None:
    for member in train(images, population[:3], XlaEngine()).members:
        output = member.network.predict(member.parameters, images.validation_x)[:, 0]
        y = images.validation_y[:, 0]
        loss = -np.mean(y * np.log(output) + (1 - y) * np.log1p(-output))
        assert loss == pytest.approx(member.validation_loss[member.best_epoch - 1], rel=1e-4)


@pytest.mark.slow
def test_training_equals_keras(images: Problem, members: Any) -> None:
    import keras

    (member,) = members({"layers": CONV, "hidden": (6,), "activation": "tanh", "epochs": 2, "learning_rate": 0.01})
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            keras.layers.Conv2D(4, 3, activation="tanh"),
            keras.layers.MaxPooling2D(2),
            keras.layers.Flatten(),
            keras.layers.Dense(6, activation="tanh"),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )
    start = initial_parameters(member_network(images, member), images.seed, member.id)
    model.set_weights([array for layer in start for array in layer.values()])
    model.compile(keras.optimizers.Adam(0.01), "binary_crossentropy")
    for epoch in batch_order(images, 16, 2):
        for rows in epoch:
            real = rows[rows >= 0]
            model.train_on_batch(images.x[real], images.y[real])
    theirs = model.evaluate(images.validation_x, images.validation_y, verbose=0)
    ours = train(images, [member], XlaEngine()).members[0].validation_loss[-1]
    assert ours == pytest.approx(theirs, rel=1e-3)


def test_unfit_layers_say_why(images: Problem, members: Any) -> None:
    (member,) = members({"layers": "conv2d:4:9"})
    with pytest.raises(NetworkError, match=r"conv2d"):
        member_network(images, member)


@pytest.mark.slow
def test_images_without_layers_are_flattened(images: Problem, members: Any) -> None:
    assert build_trunk("", (8, 8, 1)) == (Flatten(),)
    (trained,) = train(images, members({"hidden": (4,), "epochs": 2}), XlaEngine()).members
    assert trained.network.output_shape == (1,)


@pytest.mark.slow
def test_short_calls_change_nothing(images: Problem, population: list[Member], monkeypatch: pytest.MonkeyPatch) -> None:
    many = [replace(population[i % 3], id=i) for i in range(11)]  # more than there are places for
    monkeypatch.setattr(engine_module, "members_per_core", lambda *_: 2)
    whole = train(images, many, XlaEngine()).members
    monkeypatch.setattr(cost, "LONGEST_MICROSECONDS", 0.0)
    assert structure_of(images, many).chunk == 1
    for a, b in zip(train(images, many, XlaEngine()).members, whole, strict=True):
        np.testing.assert_array_equal(a.train_loss, b.train_loss)


@pytest.mark.slow
def test_rows_taken_from_all_images_train_as_a_copy_of_them(images: Problem, population: list[Member]) -> None:
    order = np.random.default_rng(0).permutation(81)
    whole = aligned_empty((81, 8, 8, 1), np.float32)
    whole[order[:60]], whole[order[60:]] = images.x, images.validation_x
    taken = replace(images, x=TakenRows(whole, order[:60]), validation_x=TakenRows(whole, order[60:]))
    copied = train(images, population[:2], XlaEngine()).members
    for a, b in zip(train(taken, population[:2], XlaEngine()).members, copied, strict=True):
        np.testing.assert_allclose(a.train_loss, b.train_loss, rtol=1e-5)
        np.testing.assert_allclose(a.validation_loss, b.validation_loss, rtol=1e-5)


@pytest.mark.slow
def test_folds_of_images(images: Problem, population: list[Member]) -> None:
    folds = (np.arange(len(images.x)) % 3)[:, None].astype(np.int32)
    rows = {"validation_x": images.x, "validation_y": images.y, "validation_weights": images.weights}
    folded = replace(images, **rows, validation_half=np.arange(len(images.x)) // 3 % 2, folds=folds)
    each = [replace(population[0], id=f, candidate=0, fold=f) for f in range(3)]
    for trained in train(folded, each, XlaEngine()).members:
        assert np.isfinite(trained.score)
