"""The trainer: takes members through an engine, block by block and chunk by chunk.

Between chunks it shows progress, keeps the time budget and writes checkpoints; all arithmetic is the engine's.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from shoal.results import Status
from shoal.training.engines.base import Chunk, Engine
from shoal.training.member import Member, Problem, TrainedMember
from shoal.training.packing import member_network
from shoal.training.progress import Progress, Silent

CHECKPOINT_SECONDS = 30.0
KEEP_SECONDS = 1.0  # an interruption costs no more of the block in training
COMPILERS = 2  # programs compiled at a time; compiling one uses little more than one core


@dataclass
class Checkpoint:
    """What has been trained so far: finished members, and the state of the block in training.

    `states` maps the number of a block to its state as arrays, `curves` to its chunks so far, `ids` to its members.
    """

    finished: dict[int, list[TrainedMember]] = field(default_factory=dict)
    states: dict[int, dict[str, np.ndarray]] = field(default_factory=dict)
    curves: dict[int, list[Chunk]] = field(default_factory=dict)
    ids: dict[int, list[int]] = field(default_factory=dict)


@dataclass
class Training:
    """The outcome of training: the members in the order of their identities, and where the time went."""

    members: list[TrainedMember]
    compile_seconds: float
    train_seconds: float
    checkpoint: Checkpoint
    out_of_time: bool = False


class Stopped(Exception):
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
    save: Callable[[Checkpoint], None] | None = None,
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
        save: called with a checkpoint every half minute.

    Raises:
        Stopped: the user pressed Ctrl-C; its `checkpoint` holds what is done.
    """
    return _Session(problem, members, engine, seconds, progress or Silent(), checkpoint, save).run()


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
        save: Callable[[Checkpoint], None] | None,
    ) -> None:
        self.problem, self.engine, self.progress, self.save = problem, engine, progress, save
        self.blocks = engine.plan(problem, members)
        self.total = len(members)
        self.began = time.perf_counter()
        self.deadline = None if seconds is None else self.began + seconds
        before = self._fitting(checkpoint or Checkpoint())
        self.finished = dict(before.finished)
        self.curves = {number: list(before.curves[number]) for number in before.states}
        # state of a block beside the number of its chunks, in one so that an interruption cannot part them
        self.kept = {number: (state, len(before.curves[number])) for number, state in before.states.items()}
        self.last_save = self.last_keep = self.began
        self.compile_seconds = 0.0

    def run(self) -> Training:
        """Train all blocks; the next block's program compiles while one trains."""
        prepared: dict[int, Future[float]] = {}
        out_of_time = False
        with ThreadPoolExecutor(max_workers=COMPILERS) as compiler:
            todo = [i for i in range(len(self.blocks)) if i not in self.finished]
            for i in todo:
                prepared[i] = compiler.submit(self.engine.prepare, self.blocks[i])
            try:
                for i in todo:
                    if self._late() and self.finished:
                        out_of_time = True
                        break
                    self._wait_for(prepared[i])
                    self._train_block(i)
            except KeyboardInterrupt:
                raise Stopped(self._checkpoint()) from None
            finally:
                for future in prepared.values():
                    future.cancel()
        trained = [member for block in self.finished.values() for member in block]
        trained.sort(key=lambda each: each.member.id)
        elapsed = time.perf_counter() - self.began
        seconds = self.compile_seconds, elapsed - self.compile_seconds
        return Training(trained, *seconds, self._checkpoint(), out_of_time or self._late())

    def _fitting(self, before: Checkpoint) -> Checkpoint:
        """Return what of a checkpoint fits the blocks of today: another number of cores deals the members anew."""
        ids = {number: [member.id for member in block.members] for number, block in enumerate(self.blocks)}
        finished = {
            number: members
            for number, members in before.finished.items()
            if ids.get(number) == [each.member.id for each in members]
        }
        states = {n: state for n, state in before.states.items() if ids.get(n) == before.ids.get(n)}
        return Checkpoint(finished, states, {number: before.curves[number] for number in states})

    def _late(self) -> bool:
        return self.deadline is not None and time.perf_counter() >= self.deadline

    def _wait_for(self, prepared: Future[float]) -> None:
        """Wait until a program is ready, counting only the time that nothing trained."""
        began = time.perf_counter()
        if not prepared.done():
            self.progress.stage("compiling")
        prepared.result()
        self.compile_seconds += time.perf_counter() - began

    def _train_block(self, number: int) -> None:
        block, chunks = self.blocks[number], self.curves.setdefault(number, [])
        kept = self.kept.get(number)
        state = self.engine.start(block) if kept is None else self.engine.from_arrays(block, kept[0])
        while not chunks or (chunks[-1].status == Status.RUNNING).any():
            if chunks and self._late():
                break
            state, chunk = self.engine.advance(block, state)
            chunks.append(chunk)
            self._show(number, chunk)
            self._remember(number, state)
        self.finished[number] = _finished(self.problem, block, chunks, self.engine.read_out(block, state))
        self.kept.pop(number, None)
        self.curves.pop(number, None)

    def _remember(self, number: int, state: Any) -> None:
        """Keep the state of the block now and then: Ctrl-C mostly comes while the engine holds the state."""
        now = time.perf_counter()
        if now - self.last_keep < KEEP_SECONDS:
            return
        self.kept[number] = self.engine.to_arrays(state), len(self.curves[number])
        self.last_keep = now
        if self.save is not None and now - self.last_save >= CHECKPOINT_SECONDS:
            self.save(self._checkpoint())
            self.last_save = time.perf_counter()

    def _checkpoint(self) -> Checkpoint:
        """Return what is done, the curves no longer than what the kept states have seen."""
        states = {number: state for number, (state, _) in self.kept.items()}
        curves = {number: self.curves[number][:chunks] for number, (_, chunks) in self.kept.items()}
        ids = {number: [member.id for member in self.blocks[number].members] for number in states}
        return Checkpoint(dict(self.finished), states, curves, ids)

    def _show(self, number: int, chunk: Chunk) -> None:
        finished = [member for block in self.finished.values() for member in block]
        resting = int((chunk.status != Status.RUNNING).sum())
        best = self._best(finished)
        epochs = max(m.hyperparameters.epochs for m in self.blocks[number].members)
        share = float(chunk.epoch.max()) / epochs * len(self.blocks[number].members)
        self.progress.training(
            trained=len(finished) + resting,
            total=self.total,
            epoch=int(chunk.epoch.max()),
            best=best,
            metric="validation loss",
            seconds_left=self._seconds_left((len(finished) + share) / self.total),
        )

    def _best(self, finished: list[TrainedMember]) -> float | None:
        losses = [np.nanmin(m.validation_loss) for m in finished if np.isfinite(m.validation_loss).any()]
        for chunks in self.curves.values():
            for chunk in chunks:
                if np.isfinite(chunk.validation_loss).any():
                    losses.append(np.nanmin(chunk.validation_loss))
        return float(min(losses)) if losses else None

    def _seconds_left(self, share: float) -> float | None:
        elapsed = time.perf_counter() - self.began - self.compile_seconds
        left = elapsed * (1.0 - share) / share if share > 0.0 else None
        if self.deadline is None or left is None:
            return left
        return max(0.0, min(left, self.deadline - time.perf_counter()))


def _finished(
    problem: Problem,
    block: Any,
    chunks: list[Chunk],
    parameters: list[list[dict[str, np.ndarray]]],
) -> list[TrainedMember]:
    """Return the members of a block with their curves, cut where each ended."""
    train_loss = np.concatenate([chunk.train_loss for chunk in chunks], axis=1)
    loss = np.concatenate([chunk.validation_loss for chunk in chunks], axis=1)
    halves = np.concatenate([chunk.half_losses for chunk in chunks], axis=1)
    metric = np.concatenate([chunk.validation_metric for chunk in chunks], axis=1)
    last = chunks[-1]
    trained = []
    for i, member in enumerate(block.members):
        ran = int(last.epoch[i])
        trained.append(
            TrainedMember(
                member=member,
                network=member_network(problem, member),
                parameters=parameters[i],
                status=Status(int(last.status[i])),
                best_epoch=int(last.best_epoch[i]),
                train_loss=train_loss[i, :ran],
                validation_loss=loss[i, :ran],
                half_losses=halves[i, :ran],
                validation_metric=metric[i, :ran],
            )
        )
    return trained
