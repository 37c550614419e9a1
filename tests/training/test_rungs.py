"""Rungs: candidates that are compared on the way, and let go, are what they would have been alone until then."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from shoal.results import Status
from shoal.training.engines.base import Chunk
from shoal.training.engines.native import NativeEngine
from shoal.training.engines.native.engine import NativeBlock, NativeState
from shoal.training.member import Member, TrainedMember
from shoal.training.problem import Problem
from shoal.training.rungs import FINALISTS, going_on, most_epochs, score_at
from shoal.training.trainer import Stopped, train

RUNGS = (3, 9)
EPOCHS = 24


@pytest.fixture
def thirty(members: Callable[..., list[Member]]) -> list[Member]:
    batches = (8, 16)
    return members(
        *({"hidden": (4,), "learning_rate": 10 ** (-4 + n / 10), "epochs": EPOCHS, "batch_size": batches[n % 2]}
          for n in range(30))
    )  # fmt: skip


def by_id(trained: Sequence[TrainedMember]) -> dict[int, TrainedMember]:
    return {each.member.id: each for each in trained}


def same(one: TrainedMember, other: TrainedMember) -> bool:
    """Whether two members are equal to the bit."""
    pairs = zip(one.parameters, other.parameters, strict=True)
    layers = all(np.array_equal(a[name], b[name]) for a, b in pairs for name in a)
    return layers and np.array_equal(one.half_losses, other.half_losses) and one.status == other.status


def test_of_each_rung_the_best_third_goes_on(problem: Problem, thirty: list[Member]) -> None:
    full = by_id(train(problem, thirty, NativeEngine()).members)
    halved = by_id(train(problem, thirty, NativeEngine(), rungs=RUNGS).members)
    left = set(full)
    for rung in RUNGS:
        ranked = sorted(left, key=lambda n: (score_at(full[n].half_losses, full[n].status, rung), n))
        weak = set(ranked[going_on(len(ranked)) :])
        for n in weak:
            assert halved[n].status is Status.CUT
            assert np.array_equal(halved[n].half_losses, full[n].half_losses[:rung])
        left -= weak
    assert len(left) == FINALISTS
    assert all(same(halved[n], full[n]) for n in left)
    assert (
        sum(len(each.train_loss) for each in halved.values()) <= most_epochs(thirty, RUNGS) == 30 * 3 + 10 * 6 + 8 * 15
    )


def test_who_is_let_go_trains_no_more(problem: Problem, thirty: list[Member]) -> None:
    class Counting(NativeEngine):
        epochs = 0

        def advance(
            self, block: NativeBlock, seated: NativeState, most: int | None = None
        ) -> tuple[NativeState, Chunk]:
            running = len(seated.running)
            seated, chunk = super().advance(block, seated, most)
            self.epochs += running * chunk.train_loss.shape[1]
            return seated, chunk

    engine = Counting()
    halved = train(problem, thirty, engine, rungs=RUNGS).members
    assert engine.epochs <= most_epochs(thirty, RUNGS)
    assert engine.epochs >= sum(len(each.train_loss) for each in halved)


def test_what_a_candidate_is_depends_neither_on_cores_nor_on_places(problem: Problem, thirty: list[Member]) -> None:
    class Narrow(NativeEngine):
        def _fitting(self, problem: Problem, members: Sequence[Member]) -> int:
            return 4

    usual = by_id(train(problem, thirty, NativeEngine(cores=2), rungs=RUNGS).members)
    narrow = by_id(train(problem, thirty, Narrow(cores=1), rungs=RUNGS).members)
    assert all(same(usual[n], narrow[n]) for n in usual)


@pytest.mark.parametrize("stop_at", [1, 2, 3, 4, 5])
def test_an_interruption_between_rungs_changes_nothing(problem: Problem, thirty: list[Member], stop_at: int) -> None:
    class Stops:
        calls = 0

        def stage(self, text: str) -> None:
            """Ignore."""

        note = warn = stage

        def training(self, **_: object) -> None:
            """Press Ctrl-C once."""
            self.calls += 1
            if self.calls == stop_at:
                raise KeyboardInterrupt

    expected = by_id(train(problem, thirty, NativeEngine(), rungs=RUNGS).members)
    with pytest.raises(Stopped) as stopped:
        train(problem, thirty, NativeEngine(), rungs=RUNGS, progress=Stops())
    checkpoint = stopped.value.checkpoint
    resumed = by_id(train(problem, thirty, NativeEngine(), rungs=RUNGS, checkpoint=checkpoint).members)
    assert all(same(resumed[n], expected[n]) for n in expected)


def test_folds_of_a_candidate_go_or_stay_together(problem: Problem, thirty: list[Member]) -> None:
    pairs = [Member(m.id, m.hyperparameters, candidate=m.id // 2) for m in thirty]
    halved = train(problem, pairs, NativeEngine(), rungs=(3,)).members
    cut = {each.member.candidate for each in halved if each.status is Status.CUT}
    stay = {each.member.candidate for each in halved if each.status is not Status.CUT}
    assert not cut & stay
    assert len(stay) == FINALISTS


def test_when_the_time_is_over_all_that_was_begun_is_read_out(problem: Problem, thirty: list[Member]) -> None:
    out = train(problem, thirty, NativeEngine(), rungs=RUNGS, seconds=1e-9)
    assert out.stopped == "minutes"
    assert 0 < len(out.members) < 30
    assert {each.status for each in out.members} == {Status.RUNNING}
