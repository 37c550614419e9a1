"""The trainer: takes members through an engine, block by block and chunk by chunk.

Between chunks it shows progress, keeps the time budget and writes checkpoints; all arithmetic is the engine's.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from shoal.errors import DataError, RunError
from shoal.results import Status
from shoal.training.checkpointing import Checkpoint, Halfway
from shoal.training.engines.base import Chunk, Engine
from shoal.training.member import Member, TrainedMember
from shoal.training.packing import member_network
from shoal.training.problem import Problem
from shoal.training.progress import CurvePiece, Move, Progress, Silent, Watch, show_curves, show_moves
from shoal.training.rungs import score_at, weak_candidates
from shoal.training.seating import Seat, Seating, pieces_so_far

KEEP_SECONDS = 1.0  # an interruption costs no more of the block in training
KEEP_SHARE = 20.0  # unless keeping its state takes so long that it would slow training by a twentieth
SAVE_SHARE = 50.0  # saving takes a fiftieth of the time at most, whatever was asked for
COMPILERS = 2  # programs compiled at a time; compiling one uses little more than one core


@dataclass
class Training:
    """The outcome of training: the members in the order of their identities, where the time went, and what trained.

    `stopped` is the setting that ended it before all was trained, `minutes` or `until`, else empty. `programs` counts
    those that the members need, whether compiled now or found in the cache; `reason` says why this engine trained.
    """

    members: list[TrainedMember]
    compile_seconds: float
    train_seconds: float
    checkpoint: Checkpoint
    stopped: str = ""
    engine: str = ""
    programs: int = 0
    reason: str = ""


@dataclass(frozen=True)
class Saving:
    """How what is trained is saved: `save` is called with a checkpoint after a second, then every so many seconds.

    Where saving takes long, it is called less often, so that training is hardly slower.
    """

    save: Callable[[Checkpoint], None]
    every: float


class Stopped(KeyboardInterrupt):
    """Training was interrupted; the checkpoint holds what is done."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        super().__init__("training was interrupted")
        self.checkpoint = checkpoint


def train(
    problem: Problem,
    members: Sequence[Member],
    engine: Engine,
    *,
    seconds: float | None = None,
    progress: Progress | None = None,
    checkpoint: Checkpoint | None = None,
    saving: Saving | None = None,
    rungs: Sequence[int] = (),
    let_go: Sequence[Collection[int]] | None = None,
    enough: Callable[[TrainedMember], bool] | None = None,
) -> Training:
    """Train members and return each at its best epoch.

    Args:
        problem: the prepared rows.
        members: what to train; a member's result does not depend on the others.
        engine: what trains.
        seconds: wall-clock budget; when it is used up, members keep the best epoch that they have seen, and
            members that have not begun are left out. At least one chunk is trained.
        progress: a listener.
        checkpoint: an earlier checkpoint to go on from.
        saving: how what is trained is saved on the way.
        rungs: epochs, rising, after each of which all candidates are compared, and only the best train on, see
            `weak_candidates`; what is left of the others is their best epoch so far.
        let_go: the candidates that do not go on from the first of the rungs, as was found elsewhere among more members;
            training ends at the rung of which nothing is told, and goes on from its checkpoint once something is.
        enough: asked about each member that is done; where it says so, training ends as at the end of the time.

    Raises:
        Stopped: the user pressed Ctrl-C; its `checkpoint` holds what is done.
        RunError: rows that are read while networks train cannot be read any more; what is done is saved.
    """
    return _Session(
        problem, members, engine, seconds, progress or Silent(), checkpoint, saving, rungs, let_go, enough
    ).run()


class _Session:
    """One call of `train`."""

    def __init__(
        self,
        problem: Problem,
        members: Sequence[Member],
        engine: Engine,
        seconds: float | None,
        progress: Progress,
        checkpoint: Checkpoint | None,
        saving: Saving | None,
        rungs: Sequence[int],
        let_go: Sequence[Collection[int]] | None,
        enough: Callable[[TrainedMember], bool] | None,
    ) -> None:
        self.problem, self.engine, self.progress, self.saving = problem, engine, progress, saving
        self.deadline = None if seconds is None else time.perf_counter() + seconds
        blocks = engine.plan(problem, members)
        self.blocks = [wave for block in blocks for wave in _waves(block)] if rungs else blocks
        self.enough, self.reached = enough, False
        self.rungs, self.let_go, self.weak = tuple(rungs), let_go, set[int]()
        self.watch = Watch(members, rungs)
        self.began = time.perf_counter()
        before = checkpoint or Checkpoint()
        ids = {member.id for member in members}
        self.finished: dict[int, TrainedMember] = {}
        for identity in before.finished.keys() & ids:
            self._finish(before.finished[identity])
        curves = {n: trained.validation_loss for n, trained in self.finished.items() if not trained.member.replica}
        show_curves(self.progress, (CurvePiece(n, 0, curve) for n, curve in curves.items()))
        show_moves(self.progress, (Move(n, -1, self.finished[n].status) for n in curves))
        halfway = before.halfway if before.engine in ("", engine.name) else {}
        self.halfway = {n: half for n, half in halfway.items() if self._fits(n, half)}
        show_curves(self.progress, pieces_so_far(s for half in self.halfway.values() for s in half.seats.values()))
        self.last_save = self.last_keep = self.began
        self.keep_least = KEEP_SECONDS if saving is None else min(KEEP_SECONDS, saving.every)
        self.keep_seconds = self.keep_least
        self.save_seconds = 0.0
        self.compile_seconds = self.chunk_seconds = 0.0

    def run(self) -> Training:
        """Train all blocks; the next block's program compiles while one trains."""
        prepared: dict[int, Future[float]] = {}
        out_of_time = False
        compiler = ThreadPoolExecutor(max_workers=COMPILERS)
        todo = [i for i, block in enumerate(self.blocks) if any(m.id not in self.finished for m in block.members)]
        try:
            for i in todo:
                prepared[i] = compiler.submit(self.engine.prepare, self.blocks[i])
            for number, rung in enumerate((*self.rungs, None)):
                for i in todo:
                    if self._is_done(i):
                        continue
                    if self._late() and self.finished and i not in self.halfway:
                        out_of_time = True
                        continue
                    self._wait_for(prepared[i])
                    self._train_block(i, rung)
                if rung is None or self._waits(number):
                    break
                self.weak = self._weak(number)
        except KeyboardInterrupt:
            raise Stopped(self._checkpoint()) from None
        except DataError as error:  # of rows that are read meanwhile
            if self.saving is not None:
                self.saving.save(self._checkpoint())
            raise RunError(str(error)) from error
        finally:
            compiler.shutdown(wait=False, cancel_futures=True)  # a program that is compiling now is not waited for
        trained = [self.finished[identity] for identity in sorted(self.finished)]
        elapsed = time.perf_counter() - self.began
        seconds = self.compile_seconds, elapsed - self.compile_seconds
        late, engine = out_of_time or self._late(), self.engine
        stopped = "until" if self.reached else "minutes" if late else ""
        return Training(trained, *seconds, self._checkpoint(), stopped, engine.name, engine.programs)

    def _fits(self, number: int, half: Halfway) -> bool:
        """Whether a state fits the block of this number: another number of cores may deal the members anew."""
        if number >= len(self.blocks):
            return False
        block = self.blocks[number]
        ids = {member.id for member in block.members}
        return max(half.seats, default=-1) < block.places and {s.member.id for s in half.seats.values()} <= ids

    def _is_done(self, number: int) -> bool:
        return all(member.id in self.finished for member in self.blocks[number].members)

    def _late(self) -> bool:
        if self.reached or self.deadline is None:
            return self.reached
        return time.perf_counter() + 0.5 * self.chunk_seconds >= self.deadline  # what ends nearest to it

    def _wait_for(self, prepared: Future[float]) -> None:
        """Wait until a program is ready, counting only the time that nothing trained."""
        began = time.perf_counter()
        if not prepared.done():
            self.progress.stage("compiling")
        prepared.result()
        self.compile_seconds += time.perf_counter() - began

    def _train_block(self, number: int, rung: int | None) -> None:
        """Train a block to its end, or set it aside at a rung, where all of its members stand at the same epoch."""
        block, half = self.blocks[number], self.halfway.get(number)
        seats = {} if half is None else half.seats
        seats = {place: seat for place, seat in seats.items() if seat.member.id not in self.finished}
        seating = Seating((m for m in block.members if m.id not in self.finished), block.places, seats)
        sitting = {place: seat.member for place, seat in seats.items()}
        self._show_places(sitting)
        if half is not None and sitting:
            state = self.engine.from_arrays(block, half.state, sitting)
        else:
            state = self.engine.start(block)
        weak = seating.of_candidates(self.weak)
        self._read_out(block, state, seating, weak, Status.CUT)
        if half is not None and weak and seating.seats:  # or they would train on, for nobody
            state = self.engine.from_arrays(block, half.state, {n: seat.member for n, seat in seating.seats.items()})
        late = self._late() and bool(self.finished) and bool(seating.seats)
        if late:
            self._read_out(block, state, seating, list(seating.seats))
        while not late:
            newcomers = seating.admit() if self.engine.admits(block, state) else {}
            if newcomers:
                state = self.engine.enter(block, state, newcomers)
                self._show_places(newcomers)
            if not seating.seats:
                break
            if not seating.waiting and 2 * len(seating.seats) <= block.places:
                block, state = self._shrunk(block, state, seating)
            ahead = None if rung is None else rung - seating.epoch
            if ahead is not None and ahead <= 0:
                self.halfway[number] = _halfway(self.engine, state, seating)
                return
            began = time.perf_counter()
            state, chunk = self.engine.advance(block, state, ahead)
            self.chunk_seconds = time.perf_counter() - began
            seating.note(chunk)
            show_curves(self.progress, seating.pieces())
            late = self._late()
            furthest = int(seating.epochs().max())
            self._read_out(block, state, seating, list(seating.seats) if late else seating.done())
            if not late and self._late():  # what just ended was enough
                late = True
                self._read_out(block, state, seating, list(seating.seats))
            self._show(furthest, seating, chunk)
            self._remember(number, state, seating)
        self.halfway.pop(number, None)

    def _shrunk(self, block: Any, state: Any, seating: Seating) -> tuple[Any, Any]:
        """Return a smaller block where the engine finds that it pays: most places stand empty and nobody waits."""
        smaller = self.engine.shrink(block, state, list(seating.seats))
        if smaller is None:
            return block, state
        seating.move_together(smaller[0].places)
        self._show_places({place: seat.member for place, seat in seating.seats.items()})
        return smaller

    def _waits(self, number: int) -> bool:
        """Whether the others must say who goes on from a rung."""
        return self.let_go is not None and number >= len(self.let_go)

    def _weak(self, number: int) -> set[int]:
        """Return the candidates that do not go on from a rung; they leave when their block comes next."""
        if self.let_go is not None:
            return set(self.let_go[number])
        return weak_after(self.rungs[number], self.finished, self.halfway.values())

    def _read_out(
        self, block: Any, state: Any, seating: Seating, leaving: list[int], status: Status | None = None
    ) -> None:
        """Take the members that are done, or all when the time is up, or those that are let go, out of their places."""
        if not leaving:
            return
        seats = {place: seating.seat(place) for place in leaving}
        parameters = self.engine.read_out(block, state, {place: seat.member for place, seat in seats.items()})
        for place, seat in seats.items():
            trained = _trained(self.problem, seat, parameters[place])
            self._finish(trained if status is None else replace(trained, status=status))
        left = {place: seat.member for place, seat in seats.items() if not seat.member.replica}
        show_moves(self.progress, (Move(m.id, place, self.finished[m.id].status) for place, m in left.items()))
        seating.leave(leaving)

    def _show_places(self, seated: Mapping[int, Member]) -> None:
        moves = (Move(m.id, place, Status.RUNNING) for place, m in seated.items() if not m.replica)
        show_moves(self.progress, moves)

    def _finish(self, trained: TrainedMember) -> None:
        self.finished[trained.member.id] = trained
        self.watch.finished(trained)
        if self.enough is not None and not self.reached:
            self.reached = self.enough(trained)

    def _remember(self, number: int, state: Any, seating: Seating) -> None:
        """Keep the state of the block now and then: Ctrl-C mostly comes while the engine holds the state."""
        now = time.perf_counter()
        if now - self.last_keep < self.keep_seconds:
            return
        self.halfway[number] = _halfway(self.engine, state, seating)
        self.last_keep = time.perf_counter()
        self.keep_seconds = max(self.keep_least, KEEP_SHARE * (self.last_keep - now))
        if self.saving is not None and self.last_keep - self.last_save >= self.save_seconds:
            self.saving.save(self._checkpoint())
            self.last_save = time.perf_counter()
            self.save_seconds = max(self.saving.every, SAVE_SHARE * (self.last_save - self.last_keep))

    def _checkpoint(self) -> Checkpoint:
        return Checkpoint(dict(self.finished), dict(self.halfway), self.engine.name)

    def _show(self, epoch: int, seating: Seating, chunk: Chunk) -> None:
        self.watch.training(seating.epochs(), chunk)
        elapsed = time.perf_counter() - self.began - self.compile_seconds
        left = self.watch.seconds_left(elapsed)
        if self.deadline is not None and left is not None:
            left = max(0.0, min(left, self.deadline - time.perf_counter()))
        self.progress.training(
            trained=len(self.finished),
            total=self.watch.total,
            epoch=epoch,
            best=self.watch.best,
            metric="validation loss",
            seconds_left=left,
        )


def weak_after(rung: int, finished: Mapping[int, TrainedMember], halfway: Iterable[Halfway]) -> set[int]:
    """Return the candidates that do not go on from a rung, by all members that came so far."""
    scores: dict[int, list[float]] = {}
    for trained in finished.values():
        if trained.status is Status.CUT and len(trained.half_losses) < rung:
            continue
        score = score_at(trained.half_losses, trained.status, rung)
        scores.setdefault(trained.member.candidate, []).append(score)
    for half in halfway:
        for seat in (seat for seat in half.seats.values() if seat.member.id not in finished):
            score = score_at(seat.curves()[2:4].T, seat.status, rung)
            scores.setdefault(seat.member.candidate, []).append(score)
    return weak_candidates(scores)


def _waves(block: Any) -> Iterator[Any]:
    """Give parts of a block whose members all find a place at once."""
    for at in range(0, len(block.members), block.places):
        yield replace(block, members=block.members[at : at + block.places])


def _halfway(engine: Engine, state: Any, seating: Seating) -> Halfway:
    return Halfway(engine.to_arrays(state), {place: seating.seat(place) for place in seating.seats})


def _trained(problem: Problem, seat: Seat, parameters: list[dict[str, np.ndarray]]) -> TrainedMember:
    """Return what training leaves of a member that gives up its seat."""
    network = member_network(problem, seat.member)
    encoding: list[dict[str, np.ndarray]] = [{}] * (len(network.layers) - len(parameters))  # which has no parameters
    return TrainedMember(seat.member, network, [*encoding, *parameters], seat.status, seat.best_epoch, seat.curves())
