"""Several devices, GPUs or cores of a CPU: all of them are used, and each member is what it is on one of them."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import jax
import numpy as np
import pytest

from shoal.training.engines.xla import XlaEngine
from shoal.training.forward import predict
from shoal.training.member import Member
from shoal.training.problem import Problem
from shoal.training.trainer import train

CHOICES: tuple[dict[str, Any], ...] = tuple({"hidden": (5 + k,), "epochs": 4 + k % 3, "l2": 0.1 * k} for k in range(9))


@pytest.fixture
def gpus() -> list[Any]:
    if jax.default_backend() == "cpu":
        pytest.skip("jax finds no GPU here; run on a machine that has one, with jax[cuda12] or jax[rocm]")
    return list(jax.devices())


def on_the_cpu() -> XlaEngine:
    engine = XlaEngine()
    engine.devices = jax.devices("cpu")
    return engine


def devices_in_use(engine: XlaEngine, problem: Problem, members: list[Member]) -> set[Any]:
    """Return the devices that hold members of the first block while it trains."""
    block = engine.plan(problem, members)[0]
    engine.prepare(block)
    state = engine.enter(block, engine.start(block), dict(enumerate(block.members[: block.places])))
    state, _ = engine.advance(block, state)
    return set.union(*(leaf.sharding.device_set for leaf in jax.tree.leaves(state.state)))


def assert_devices_do_not_matter(problem: Problem, members: list[Member], assert_equal: Any) -> None:
    several = XlaEngine()
    assert devices_in_use(several, problem, members) == set(several.devices)
    one = train(problem, members, XlaEngine(devices=1)).members
    for a, b in zip(train(problem, members, several).members, one, strict=True):
        assert_equal(a, b, rtol=1e-5, atol=2e-6)


@pytest.mark.gpu
@pytest.mark.usefixtures("gpus")
def test_all_gpus_train(problem: Problem, members: Any, assert_equal: Any) -> None:
    assert_devices_do_not_matter(problem, members(*CHOICES), assert_equal)


@pytest.mark.gpu
@pytest.mark.usefixtures("gpus")
def test_a_gpu_gives_what_a_cpu_gives(problem: Problem, population: list[Member], assert_equal: Any) -> None:
    which = [population[i] for i in (1, 4, 5, 7)]
    pairs = zip(train(problem, which, XlaEngine()).members, train(problem, which, on_the_cpu()).members, strict=True)
    for a, b in pairs:
        assert_equal(a, b, rtol=1e-3, atol=1e-4)


@pytest.mark.gpu
@pytest.mark.usefixtures("gpus")
def test_what_a_gpu_trained_a_cpu_predicts(problem: Problem, members: Any) -> None:
    for trained in train(problem, members({"hidden": (6,)}, {"hidden": (9, 4)}), XlaEngine()).members:
        chances = predict(trained.network, trained.parameters, problem.validation_x)
        rows = -np.log((chances * problem.validation_y).sum(axis=1))
        loss = np.average(rows, weights=problem.validation_weights.ravel())
        assert loss == pytest.approx(trained.validation_loss[trained.best_epoch - 1], rel=1e-4)


@pytest.mark.slow
def test_four_devices_train_as_one() -> None:
    """In a process of its own, whose CPU is four devices: the same code as for GPUs."""
    program = (
        "import sys, pytest; from shoal.training.engines.xla import devices; devices.available_cores = lambda: 4; "
        f"failed = pytest.main([{__file__!r}, '-q', '-p', 'no:cacheprovider', '-k', 'of_this_process']); "
        "import jax; sys.exit(failed or len(jax.devices()) != 4)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout


@pytest.mark.slow
def test_all_devices_of_this_process_train(problem: Problem, members: Any, assert_equal: Any) -> None:
    assert_devices_do_not_matter(problem, members(*CHOICES), assert_equal)
