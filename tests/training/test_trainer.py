"""The trainer: budgets, progress, interruptions. A pretended engine does the arithmetic."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from shoal.results import Status
from shoal.training import trainer
from shoal.training.checkpointing import Checkpoint
from shoal.training.engines.base import Chunk
from shoal.training.member import Member, TrainedMember, initial_parameters
from shoal.training.packing import member_network
from shoal.training.problem import Problem
from shoal.training.trainer import Saving, Stopped, Training, train

EPOCHS_OF_A_CHUNK = 4


@dataclass
class PretendedBlock:
    members: tuple[Member, ...]
    places: int
    problem: Problem


class PretendedEngine:
    """Loses 1/epoch in every epoch; like a real one it takes the state that it is given, so that none can be read."""

    name = "pretended"

    def __init__(self, places: int = 2, size: int = 4, seconds: float = 0.0, shrinks: bool = False) -> None:
        self.places, self.size, self.seconds, self.shrinks = places, size, seconds, shrinks
        self.computed = 0
        self.started = self.prepared = self.chunks = self.programs = 0

    def plan(self, problem: Problem, members: Sequence[Member]) -> list[PretendedBlock]:
        starts = range(0, len(members), self.size)
        return [PretendedBlock(tuple(members[i : i + self.size]), self.places, problem) for i in starts]

    def prepare(self, block: PretendedBlock) -> float:
        self.prepared += 1
        return 0.0

    def start(self, block: PretendedBlock) -> dict[str, Any]:
        self.started += 1
        return {"epoch": [0] * block.places, "epochs": [0] * block.places, "id": [0] * block.places}

    def admits(self, block: PretendedBlock, state: dict[str, Any]) -> bool:
        return True

    def enter(self, block: PretendedBlock, state: dict[str, Any], newcomers: dict[int, Member]) -> dict[str, Any]:
        for place, member in newcomers.items():
            state["epoch"][place] = 0
            state["epochs"][place], state["id"][place] = member.hyperparameters.epochs, member.id
        return state

    def advance(
        self, block: PretendedBlock, state: dict[str, Any], most: int | None = None
    ) -> tuple[dict[str, Any], Chunk]:
        before, epochs, ids = (np.asarray(state.pop(name)) for name in ("epoch", "epochs", "id"))
        self.chunks += 1
        self.computed += block.places
        assert len(before) == block.places
        time.sleep(self.seconds)
        at = before[:, None] + np.arange(1, min(EPOCHS_OF_A_CHUNK, most or EPOCHS_OF_A_CHUNK) + 1)
        loss = np.where(at <= epochs[:, None], ids[:, None] + 1.0 / at, np.nan)
        after = np.minimum(at[:, -1], epochs)
        status = np.where(after < epochs, Status.RUNNING, Status.FINISHED)
        halves = np.stack([loss, loss], axis=-1)
        new = {"epoch": after.tolist(), "epochs": epochs.tolist(), "id": ids.tolist()}
        return new, Chunk(loss, loss, halves, loss, status, after, after)

    def shrink(self, block: PretendedBlock, state: dict[str, Any], seats: Sequence[int]) -> Any:
        if not self.shrinks:
            return None
        small = {name: [numbers[place] for place in seats] for name, numbers in state.items()}
        return PretendedBlock(block.members, len(seats), block.problem), small

    def read_out(self, block: PretendedBlock, state: dict[str, Any], seats: dict[int, Member]) -> dict[int, Any]:
        return {
            place: initial_parameters(member_network(block.problem, member), 0, member.id)
            for place, member in seats.items()
        }

    def to_arrays(self, state: dict[str, Any]) -> dict[str, np.ndarray]:
        return {name: np.asarray(numbers) for name, numbers in state.items()}

    def from_arrays(self, block: PretendedBlock, arrays: dict[str, np.ndarray], seats: dict[int, Member]) -> Any:
        assert all(arrays["id"][place] == member.id for place, member in seats.items())
        state = self.start(block)
        for name, array in arrays.items():
            count = min(len(array), block.places)
            state[name][:count] = array[:count].tolist()
        return state


class Watcher:
    """Remembers what it is told and presses Ctrl-C at a given call."""

    def __init__(self, stop_at: int = 0) -> None:
        self.stop_at, self.calls, self.stages = stop_at, [], []  # type: ignore[var-annotated]

    def stage(self, text: str) -> None:
        self.stages.append(text)

    def training(self, **news: Any) -> None:
        self.calls.append(news)
        if len(self.calls) == self.stop_at:
            raise KeyboardInterrupt


@pytest.fixture
def five(members: Callable[..., list[Member]]) -> list[Member]:
    return members(*({"hidden": (4,), "epochs": epochs} for epochs in (10, 3, 8, 9, 4)))


@pytest.fixture
def keep_every_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trainer, "KEEP_SECONDS", 0.0)
    monkeypatch.setattr(trainer, "KEEP_SHARE", 0.0)


def assert_same(got: Training, expected: Training) -> None:
    assert [m.member.id for m in got.members] == [m.member.id for m in expected.members]
    for a, b in zip(got.members, expected.members, strict=True):
        assert (a.member, a.status, a.best_epoch) == (b.member, b.status, b.best_epoch)
        for name in ("train_loss", "validation_loss", "half_losses", "validation_metric"):
            np.testing.assert_array_equal(getattr(a, name), getattr(b, name))


def test_every_member_is_trained_to_its_end(problem: Problem, five: list[Member]) -> None:
    training = train(problem, five, PretendedEngine())
    assert [m.member for m in training.members] == five
    assert [len(m.train_loss) for m in training.members] == [10, 3, 8, 9, 4]
    assert [m.best_epoch for m in training.members] == [10, 3, 8, 9, 4]
    assert {m.status for m in training.members} == {Status.FINISHED}
    assert not training.stopped
    assert all(np.isfinite(m.half_losses).all() for m in training.members)


def test_members_come_back_in_the_order_of_their_identities(problem: Problem, five: list[Member]) -> None:
    training = train(problem, five[::-1], PretendedEngine())
    assert [m.member.id for m in training.members] == [0, 1, 2, 3, 4]


def test_finished_members_make_room_for_waiting_ones(problem: Problem, five: list[Member]) -> None:
    engine = PretendedEngine(places=2, size=5)
    train(problem, five, engine)
    # members 0 and 1, then 2 in the place of 1, then 3 and 4 in those of 0 and 2: 3 chunks and 3 chunks
    assert engine.chunks == 6
    assert (engine.started, engine.prepared) == (1, 1)


def test_places_do_not_change_the_outcome(problem: Problem, five: list[Member]) -> None:
    expected = train(problem, five, PretendedEngine(places=1, size=1))
    for places, size in ((1, 5), (3, 5), (5, 5), (2, 3)):
        assert_same(train(problem, five, PretendedEngine(places, size)), expected)


def test_an_emptying_block_shrinks(problem: Problem, five: list[Member]) -> None:
    usual, shrinking = PretendedEngine(places=5, size=5), PretendedEngine(places=5, size=5, shrinks=True)
    expected = train(problem, five, usual)
    assert_same(train(problem, five, shrinking), expected)
    # of epochs 10, 3, 8, 9, 4 two members go on after the second chunk
    assert (usual.computed, shrinking.computed) == (15, 12)


@pytest.mark.usefixtures("keep_every_chunk")
def test_a_shrunken_block_goes_on_where_it_was(problem: Problem, five: list[Member]) -> None:
    longer = [replace(m, hyperparameters=m.hyperparameters.model_copy(update={"epochs": 3 + 4 * m.id})) for m in five]
    expected = train(problem, longer, PretendedEngine(places=5, size=5))
    for stop_at in range(1, 6):
        engine = PretendedEngine(places=5, size=5, shrinks=True)
        with pytest.raises(Stopped, match="interrupted") as stopped:
            train(problem, longer, engine, progress=Watcher(stop_at))
        again = PretendedEngine(places=5, size=5, shrinks=True)
        assert_same(train(problem, longer, again, checkpoint=stopped.value.checkpoint), expected)


def test_a_spent_budget_leaves_what_was_reached(problem: Problem, five: list[Member]) -> None:
    training = train(problem, five, PretendedEngine(seconds=0.02), seconds=0.001)
    assert training.stopped == "minutes"
    assert [m.member.id for m in training.members] == [0, 1]
    assert [len(m.train_loss) for m in training.members] == [4, 3]
    assert [m.status for m in training.members] == [Status.RUNNING, Status.FINISHED]


class Clock:
    """Stands still but for what an engine takes."""

    now = 0.0

    def perf_counter(self) -> float:
        return self.now


class SlowEngine(PretendedEngine):
    """Takes a second for each chunk, and others to plan."""

    def __init__(self, clock: Clock, planning: float) -> None:
        super().__init__()
        self.clock, self.planning = clock, planning

    def plan(self, problem: Problem, members: Sequence[Member]) -> list[PretendedBlock]:
        self.clock.now += self.planning
        return super().plan(problem, members)

    def advance(
        self, block: PretendedBlock, state: dict[str, Any], most: int | None = None
    ) -> tuple[dict[str, Any], Chunk]:
        self.clock.now += 1.0
        return super().advance(block, state, most)


@pytest.mark.parametrize(("planning", "chunks"), [(0.0, 4), (1.4, 3), (3.0, 1)])
def test_a_budget_counts_from_the_call_and_ends_with_the_nearest_chunk(
    problem: Problem, five: list[Member], monkeypatch: pytest.MonkeyPatch, planning: float, chunks: int
) -> None:
    clock = Clock()
    monkeypatch.setattr(trainer, "time", clock)
    engine = SlowEngine(clock, planning)
    training = train(problem, five, engine, seconds=4.0)
    assert (training.stopped, engine.chunks) == ("minutes", chunks)


def test_a_budget_that_lasts_changes_nothing(problem: Problem, five: list[Member]) -> None:
    training = train(problem, five, PretendedEngine(), seconds=60.0)
    assert not training.stopped
    assert_same(training, train(problem, five, PretendedEngine()))


def test_progress_is_told(problem: Problem, five: list[Member]) -> None:
    watcher = Watcher()
    train(problem, five, PretendedEngine(), progress=watcher)
    assert [call["epoch"] for call in watcher.calls] == [4, 8, 10, 4, 8, 9, 4]
    assert [call["trained"] for call in watcher.calls] == [1, 1, 3, 3, 3, 4, 5]
    assert {call["total"] for call in watcher.calls} == {5}
    assert [call["best"] for call in watcher.calls[:3]] == [0.25, 0.125, 0.1]
    assert all(call["seconds_left"] >= 0.0 for call in watcher.calls)
    assert watcher.calls[-1]["seconds_left"] == pytest.approx(0.0, abs=1e-3)


def test_time_left_is_at_most_the_budget(problem: Problem, five: list[Member]) -> None:
    watcher = Watcher()
    train(problem, five, PretendedEngine(seconds=0.02), seconds=0.03, progress=watcher)
    assert all(call["seconds_left"] <= 0.03 for call in watcher.calls)


@pytest.mark.parametrize("stop_at", range(1, 8))
@pytest.mark.usefixtures("keep_every_chunk")
def test_an_interrupted_training_goes_on_where_it_was(problem: Problem, five: list[Member], stop_at: int) -> None:
    expected = train(problem, five, PretendedEngine())
    with pytest.raises(Stopped, match="interrupted") as stopped:
        train(problem, five, PretendedEngine(), progress=Watcher(stop_at))
    engine, watcher = PretendedEngine(), Watcher()
    got = train(problem, five, engine, checkpoint=stopped.value.checkpoint, progress=watcher)
    assert_same(got, expected)
    assert len(watcher.calls) <= 8 - stop_at  # at most the interrupted chunk is trained again


def test_an_interruption_before_anything_was_kept_starts_again(problem: Problem, five: list[Member]) -> None:
    with pytest.raises(Stopped, match="interrupted") as stopped:
        train(problem, five, PretendedEngine(), progress=Watcher(2))
    checkpoint = stopped.value.checkpoint
    assert checkpoint.halfway == {}
    assert sorted(checkpoint.finished) == [1]  # it was done by then
    got = train(problem, five, PretendedEngine(), checkpoint=checkpoint)
    assert_same(got, train(problem, five, PretendedEngine()))


@pytest.mark.usefixtures("keep_every_chunk")
def test_interrupted_twice(problem: Problem, five: list[Member]) -> None:
    checkpoint: Checkpoint | None = None
    for stop_at in (2, 3):
        with pytest.raises(Stopped, match="interrupted") as stopped:
            train(problem, five, PretendedEngine(), progress=Watcher(stop_at), checkpoint=checkpoint)
        checkpoint = stopped.value.checkpoint
    got = train(problem, five, PretendedEngine(), checkpoint=checkpoint)
    assert_same(got, train(problem, five, PretendedEngine()))


@pytest.mark.usefixtures("keep_every_chunk")
def test_checkpoints_are_saved_on_the_way(
    problem: Problem, five: list[Member], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trainer, "SAVE_SHARE", 0.0)
    saved: list[Checkpoint] = []
    expected = train(problem, five, PretendedEngine(), saving=Saving(saved.append, every=1e-9))
    assert len(saved) == 7
    for checkpoint in saved:
        assert_same(train(problem, five, PretendedEngine(), checkpoint=checkpoint), expected)


def test_a_finished_checkpoint_needs_no_training(problem: Problem, five: list[Member]) -> None:
    first = train(problem, five, PretendedEngine())
    finished = {member.member.id: member for member in first.members}
    engine = PretendedEngine()
    assert_same(train(problem, five, engine, checkpoint=Checkpoint(finished)), first)
    assert (engine.started, engine.prepared) == (0, 0)


@pytest.mark.usefixtures("keep_every_chunk")
def test_a_checkpoint_of_other_blocks_is_not_taken_for_these(problem: Problem, five: list[Member]) -> None:
    with pytest.raises(Stopped, match="interrupted") as stopped:
        train(problem, five, PretendedEngine(), progress=Watcher(2))
    checkpoint = stopped.value.checkpoint
    assert checkpoint.halfway
    expected = train(problem, five, PretendedEngine())
    for engine in (PretendedEngine(places=1), PretendedEngine(size=2), PretendedEngine(places=3, size=1)):
        assert_same(train(problem, five, engine, checkpoint=checkpoint), expected)


def test_an_error_of_the_engine_is_not_swallowed(problem: Problem, five: list[Member]) -> None:
    class Broken(PretendedEngine):
        def prepare(self, block: PretendedBlock) -> float:
            raise ValueError("this program cannot be made")

    with pytest.raises(ValueError, match="cannot be made"):
        train(problem, five, Broken())


def test_the_score_is_cross_fitted() -> None:
    halves = np.asarray([[3.0, 1.0], [1.0, 2.0], [2.0, 4.0]], np.float32)  # best at epoch 2 by one, 1 by the other

    def member(halves: np.ndarray, status: Status = Status.FINISHED) -> TrainedMember:
        mean = halves.mean(axis=1)
        curves = np.stack([mean, mean, *halves.T, mean])
        return TrainedMember(None, None, [], status, 1, curves)  # type: ignore[arg-type]

    assert member(halves).score == 0.5 * (2.0 + 3.0)
    assert member(halves, Status.DIVERGED).score == float("inf")
    assert member(np.full((2, 2), np.nan, np.float32)).score == float("inf")
