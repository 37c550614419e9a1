"""The interface of executors, and the driver that those share which hand out lots."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace

import numpy as np

from shoal.cluster.job import Arrays, Document, Job, job_of
from shoal.cluster.lots import Lot, deal
from shoal.training.checkpointing import Checkpoint, checkpoint_from_parts, checkpoint_to_parts
from shoal.training.engines.base import Engine
from shoal.training.member import Member, TrainedMember
from shoal.training.problem import Problem
from shoal.training.progress import CurvePiece, Move, Progress, Silent, Watch, show_curves, show_moves
from shoal.training.trainer import SAVE_SHARE, Saving, Stopped, Training, train, weak_after

Result = tuple[Document, Arrays]
"""What a lot leaves, as `train_lot` returns it."""


class Here:
    """This process trains, as all others do: bit for bit with the native engine."""

    train = staticmethod(train)


class Distributed(ABC):
    """Hands lots to workers and gathers what they leave; a lot that a lost worker had goes to others."""

    @property
    @abstractmethod
    def workers(self) -> int:
        """How many workers there are, or about as many, by which lots are dealt."""

    @abstractmethod
    def earlier(self, job: Job) -> Iterator[Result]:
        """Give what an earlier driver of the same job left ungathered."""

    @abstractmethod
    def hand_out(
        self, job: Job, lots: Sequence[Lot], seconds: float | None
    ) -> AbstractContextManager[Iterator[Result | None]]:
        """Hand out lots; give the result of each once, in any order, and None now and then while nothing comes.

        Left early, what is not begun is taken back.
        """

    def forget(self, job: Job) -> None:  # noqa: B027
        """Forget what lots of a job left, which is gathered now."""

    def train(
        self,
        problem: Problem,
        members: Sequence[Member],
        engine: Engine,
        *,
        seconds: float | None = None,
        progress: Progress | None = None,
        checkpoint: Checkpoint | None = None,
        saving: Saving | None = None,
        rungs: Sequence[int] = (),
        enough: Callable[[TrainedMember], bool] | None = None,
    ) -> Training:
        """Train members by workers, as `shoal.training.trainer.train` does here.

        Raises:
            SettingError: workers cannot have what the problem holds.
            RunError: workers fail, or all are gone.
            Stopped: Ctrl-C; its `checkpoint` holds what is done.
        """
        gathering = _Gathering(problem, members, rungs, engine.name, progress or Silent(), checkpoint, saving, enough)
        try:
            job = job_of(problem, engine.name)
            for left_over in self.earlier(job):
                gathering.take(left_over)
            left = [member for member in members if member.id not in gathering.finished]
            # at rungs lots stay as they were dealt, whoever has left, so that what they left there fits
            lots = gathering.begun(
                deal(job, members if rungs else left, self.workers, rungs, in_turn=seconds is not None)
            )
            while lots and not gathering.over(seconds):
                new = [lot for lot in lots if lot.key not in gathering.states]
                with self.hand_out(job, new, gathering.seconds_of(seconds)) if new else nullcontext(()) as results:
                    for result in results:
                        gathering.take(result)
                        if not gathering.missing or gathering.reached:
                            break
                lots = gathering.from_rung(lots)
            self.forget(job)
        except KeyboardInterrupt:
            raise Stopped(gathering.checkpoint) from None
        return gathering.training(seconds)


Executor = Here | Distributed
"""Trains members somewhere, by `train` with the arguments of `shoal.training.trainer.train`."""


class _Gathering:
    """What came of the members so far."""

    def __init__(
        self,
        problem: Problem,
        members: Sequence[Member],
        rungs: Sequence[int],
        engine: str,
        progress: Progress,
        before: Checkpoint | None,
        saving: Saving | None,
        enough: Callable[[TrainedMember], bool] | None,
    ) -> None:
        self.enough, self.reached = enough, False
        self.problem, self.engine, self.progress, self.saving = problem, engine, progress, saving
        self.members = {member.id: member for member in members}
        self.rungs, self.states = rungs, dict[str, Result]()
        self.halfway: dict[str, Checkpoint] = {}
        self.watch = Watch(members, rungs)
        self.began = self.last_save = time.perf_counter()
        self.save_seconds = 0.0 if saving is None else saving.every
        self.finished: dict[int, TrainedMember] = {}
        self.programs, self.notes = 0, set[str]()
        self._add((before or Checkpoint()).finished)

    @property
    def missing(self) -> int:
        """How many members are not trained yet."""
        return len(self.members) - len(self.finished)

    @property
    def checkpoint(self) -> Checkpoint:
        """What is done."""
        return Checkpoint(dict(self.finished), {}, self.engine)

    def take(self, result: Result | None) -> None:
        """Keep what a lot left; members that came already are not counted again."""
        if result is not None:
            document, arrays = result
            self.programs += document.get("programs", 0)
            note = document.get("note")
            if note and note not in self.notes:
                self.notes.add(note)
                self.progress.warn(note)
            came = checkpoint_from_parts(document, arrays, self.problem, self.members)
            self._add(came.finished)
            if came.halfway:
                self.states[document["lot"]], self.halfway[document["lot"]] = result, came
            self._save()
        self.progress.training(
            trained=len(self.finished),
            total=self.watch.total,
            epoch=0,
            best=self.watch.best,
            metric="validation loss",
            seconds_left=self.watch.seconds_left(time.perf_counter() - self.began),
        )

    def over(self, seconds: float | None) -> bool:
        """Whether nothing more is to be trained."""
        return not self.missing or self.reached or self.seconds_of(seconds) == 0.0

    def seconds_of(self, seconds: float | None) -> float | None:
        """Return what is left of a time budget."""
        return None if seconds is None else max(0.0, seconds - (time.perf_counter() - self.began))

    def begun(self, lots: Sequence[Lot]) -> list[Lot]:
        """Return the lots of which some member is missing, with those that are trained."""
        begun = []
        for lot in filter(self._lacks, lots):
            trained = {m.id: self.finished[m.id] for m in lot.members if m.id in self.finished}
            state = checkpoint_to_parts(Checkpoint(trained, {}, self.engine)) if trained else None
            begun.append(replace(lot, state=state))
        return begun

    def _lacks(self, lot: Lot) -> bool:
        return any(member.id not in self.finished for member in lot.members)

    def from_rung(self, lots: Sequence[Lot]) -> list[Lot]:
        """Return the lots that stand at a rung, as they train on from it; who is weak leaves as it is then."""
        here = [lot for lot in lots if lot.key in self.states and self._lacks(lot)]
        if not here:
            return []
        halfway = [half for lot in here for half in self.halfway.pop(lot.key).halfway.values()]
        weak = weak_after(self.rungs[len(here[0].let_go)], self.finished, halfway)
        return [lot.after_rung(weak, self.states.pop(lot.key)) for lot in here]

    def _save(self) -> None:
        """Save what is done now and then, so that it takes little of the driver's time however much there is."""
        began = time.perf_counter()
        if self.saving is None or began - self.last_save < self.save_seconds:
            return
        self.saving.save(self.checkpoint)
        self.last_save = time.perf_counter()
        self.save_seconds = max(self.saving.every, SAVE_SHARE * (self.last_save - began))

    def _add(self, finished: Mapping[int, TrainedMember]) -> None:
        new = {n: trained for n, trained in finished.items() if n in self.members and n not in self.finished}
        self.finished |= new
        for trained in new.values():
            self.watch.finished(trained)
            self.reached = self.reached or (self.enough is not None and self.enough(trained))
        curves: dict[int, np.ndarray] = {n: t.validation_loss for n, t in new.items() if not t.member.replica}
        show_curves(self.progress, (CurvePiece(n, 0, curve) for n, curve in curves.items()))
        show_moves(self.progress, (Move(n, -1, new[n].status) for n in curves))

    def training(self, seconds: float | None) -> Training:
        """Return the outcome; with a time budget members may be missing."""
        elapsed = time.perf_counter() - self.began
        late = self.missing > 0 or (seconds is not None and elapsed >= seconds)
        stopped = "until" if self.reached else "minutes" if late else ""
        trained = [self.finished[n] for n in sorted(self.finished)]
        return Training(trained, 0.0, elapsed, self.checkpoint, stopped, self.engine, self.programs)
