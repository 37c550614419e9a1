"""The choice of an engine: what is asked for, what an engine can, what is estimated to be done first."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from shoal.errors import SettingError
from shoal.results import Task
from shoal.training import engine_choice
from shoal.training.engine_choice import EngineChoice, choose_engine, xla_seconds
from shoal.training.engines.native.cost import native_seconds
from shoal.training.engines.native.library import kernels
from shoal.training.loss_choice import choose_loss
from shoal.training.planner import Budget
from shoal.training.problem import Problem, make_problem

BUDGET = Budget(bytes=4_000_000_000, cores=2)
needs_kernel = pytest.mark.skipif(not kernels(), reason="the native engine's kernel was not built")


def chosen(problem: Problem, members: Any, wanted: str = "auto", **hyperparameters: Any) -> EngineChoice:
    return choose_engine(problem, members({"hidden": (8,), **hyperparameters}), wanted, BUDGET)


@needs_kernel
def test_small_networks_are_the_native_engines(problem: Problem, members: Any) -> None:
    found = chosen(problem, members)
    assert (found.name, found.stage) == ("native", "training")
    assert "estimated" in found.reason
    assert found.make().name == "native"


@needs_kernel
@pytest.mark.parametrize(
    ("hidden", "rows", "epochs", "engine"), [((1024, 1024), 4_000, 200, "native"), ((8, 8), 100_000, 400, "xla")]
)
def test_one_network_fills_the_lanes_if_it_is_wide(
    members: Any, hidden: tuple[int, ...], rows: int, epochs: int, engine: str
) -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(rows, 64)).astype(np.float32), rng.normal(size=(rows, 1)).astype(np.float32)
    loss = choose_loss(Task.REGRESSION, 0, None)
    one = make_problem(Task.REGRESSION, loss, (x, y, None), (x[:400], y[:400], None))
    found = chosen(one, members, hidden=hidden, batch_size=256, epochs=epochs)
    assert found.name == engine
    assert "estimated" in found.reason


@pytest.mark.parametrize("wanted", ["native", "xla"])
def test_an_engine_that_is_asked_for_trains(problem: Problem, members: Any, wanted: str) -> None:
    if wanted == "native" and not kernels():
        pytest.skip("the native engine's kernel was not built")
    assert chosen(problem, members, wanted).name == wanted


@needs_kernel
@pytest.mark.parametrize(
    ("hyperparameters", "reason"),
    [({"layers": "groupnormalization:2"}, "no layer GroupNormalization"), ({"layers": "4:softmax"}, "no activation")],
)
def test_what_the_kernel_lacks(problem: Problem, members: Any, hyperparameters: Any, reason: str) -> None:
    assert reason in chosen(problem, members, **hyperparameters).reason
    with pytest.raises(SettingError, match=reason):
        chosen(problem, members, "native", **hyperparameters)


@needs_kernel
def test_losses_and_penalties_of_a_user(problem: Problem, members: Any) -> None:
    own = replace(problem, penalties=(lambda *_: 0.0,))
    assert "user's own" in chosen(own, members).reason


def test_without_a_kernel_xla_serves_and_says_so(problem: Problem, members: Any, monkeypatch: Any) -> None:
    for module in ("engine_choice", "engines.native.suits"):
        monkeypatch.setattr(f"shoal.training.{module}.best_kernel", lambda: None)
    found = chosen(problem, members)
    assert found.name == "xla"
    assert "C++ compiler" in found.stage
    with pytest.raises(SettingError, match="leave out engine"):
        chosen(problem, members, "native")


def test_much_work_goes_to_a_gpu(problem: Problem, members: Any, monkeypatch: Any) -> None:
    if not kernels():
        pytest.skip("the native engine's kernel was not built")
    monkeypatch.setattr(engine_choice, "_has_gpu", lambda: True)
    monkeypatch.setattr(engine_choice, "WORTH_A_LOOK", 0.0)
    assert chosen(problem, members).reason == "there is a GPU, and much to train"


def test_more_members_cost_more(problem: Problem, members: Any) -> None:
    one, many = members({"hidden": (8,)}), members(*[{"hidden": (8,)}] * 64)
    for seconds in (xla_seconds, native_seconds):
        assert 0.0 < seconds(problem, one, 2) < seconds(problem, many, 2)
