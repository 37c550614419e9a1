"""The executor of a shared folder: processes of this machine train, and any other that sees the folder and joins."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from shoal.cluster.executor import Distributed, Result
from shoal.cluster.gpus import of_process, visible_gpus
from shoal.cluster.job import Job
from shoal.cluster.lots import Lot
from shoal.cluster.shared_folder import SharedFolder
from shoal.cluster.worker import name_of
from shoal.errors import RunError
from shoal.resources import available_cores
from shoal.training.planner import find_budget

SILENT_SECONDS = 60.0  # without a sign of life, after which a lot goes to others
LOOK_SECONDS = 0.02  # between two looks at the folder, at first
SLOWEST_LOOK = 1.0
LEAVE_SECONDS = 10.0  # that a process has to leave
ATTEMPTS = 3  # at a lot that fails
SLOW = 3.0  # times the usual time of a lot, after which an idle worker begins it, too
OUTSIDE = 16  # workers that lots are dealt for where they come from outside


class FolderExecutor(Distributed):
    """Hands out lots in a folder, to so many processes of its own and to those that join by `shoal work`.

    Args:
        path: the folder, which all workers must see.
        processes: to start here; 0: all workers come from outside.
        memory: that these processes may take together, such as `4GB`; by default what is free.
        silent_seconds: after which a worker that gives no sign of life has lost its lot.

    Raises:
        RunError: the folder cannot be written.
    """

    def __init__(
        self,
        path: str | Path,
        processes: int = 0,
        *,
        memory: str | None = None,
        silent_seconds: float = SILENT_SECONDS,
    ) -> None:
        self.folder, self.processes, self.silent_seconds = SharedFolder(path), processes, silent_seconds
        self.memory, self.lost = memory, 0
        self._running: dict[int, subprocess.Popen[str]] = {}  # by their numbers, from 0

    @property
    def workers(self) -> int:
        """How many processes of its own, or as many as may join."""
        return self.processes or OUTSIDE

    def earlier(self, job: Job) -> Iterator[Result]:
        """Give what lots left while no driver was there."""
        for _, result in self.folder.results(job.key):
            yield result

    @contextmanager
    def hand_out(self, job: Job, lots: Sequence[Lot], seconds: float | None) -> Iterator[Iterator[Result | None]]:
        """Post lots, and give what comes back; at the end what was posted is removed."""
        self.folder.open()
        for key in self.folder.keys("waiting"):  # of an earlier driver, which dealt otherwise
            self.folder.withdraw(key)
        self.folder.post_job(job)
        for lot in lots:
            self.folder.post(lot, seconds)
        try:
            self._start()
            yield self._results(job, {lot.key: lot for lot in lots}, seconds)
        finally:
            for lot in lots:
                self.folder.withdraw(lot.key)

    def forget(self, job: Job) -> None:
        """Remove what lots left."""
        self.folder.forget_job(job.key)

    def _results(self, job: Job, lots: dict[str, Lot], seconds: float | None) -> Iterator[Result | None]:
        watch = _Watch(self.folder, self.silent_seconds)
        end = None if seconds is None else time.monotonic() + seconds
        pause = LOOK_SECONDS
        while lots:
            before = len(lots)
            for key, result in self.folder.results(job.key, lots):
                del lots[key]
                watch.done(key)
                yield result
            if len(lots) == before:
                self._check_failures(watch)
                watch.look(lots.values(), seconds)
                if end is not None and time.monotonic() > end + self.silent_seconds:
                    return
                self._check_processes()
                yield None
                time.sleep(pause)
            pause = LOOK_SECONDS if len(lots) < before else min(SLOWEST_LOOK, 1.2 * pause)

    def _start(self) -> None:
        """Start the processes that are not there."""
        cores = max(1, available_cores() // max(1, self.processes))
        # numerical libraries take as many threads as this says, and `available_cores` hears it
        environment = {**os.environ, "OMP_NUM_THREADS": str(cores)}
        gpus = visible_gpus(os.environ)
        share = find_budget(self.memory).bytes // max(1, self.processes)
        run, limit = str(self.folder.path.parent), f"{share}B"
        command = [sys.executable, "-P", "-m", "shoal", "work", run, "--memory", limit, "--quiet"]
        for number in range(self.processes):
            if number in self._running and self._running[number].poll() is None:
                continue
            own = environment | of_process(number, self.processes, gpus)
            self._running[number] = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=own, start_new_session=True
            )

    def _check_processes(self) -> None:
        """Start others in place of those that were lost, unless none could begin."""
        ended = {number: process for number, process in self._running.items() if process.poll() is not None}
        for number, process in ended.items():
            del self._running[number]
            said = process.communicate()[1].strip()
            self.lost += 1
            if process.returncode == 2 or self.lost > ATTEMPTS * self.processes:
                why = said.removeprefix("error: ") or f"exit code {process.returncode}"
                raise RunError(f"workers cannot train: {why}")
            for key, worker in self.folder.takers():
                if worker == name_of(process.pid):
                    self.folder.give_back(key, worker)
        if ended:
            self._start()

    def _check_failures(self, watch: _Watch) -> None:
        for key, why in self.folder.failures().items():
            if watch.failed(key) >= ATTEMPTS:
                raise RunError(f"a lot of networks failed {ATTEMPTS} times, the last time on {why}")

    def close(self) -> None:
        """Let all workers leave; the folder stays where it holds something that was not gathered."""
        self.folder.close()
        for process in self._running.values():
            process.terminate()  # it may not have come so far that it knows of a driver
        for process in self._running.values():
            try:
                process.wait(timeout=LEAVE_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
            process.communicate()
        self._running = {}
        if not self.folder.keys("done"):
            shutil.rmtree(self.folder.path, ignore_errors=True)


class _Watch:
    """Which lots seem lost or slow: a clock of its own, since those of other machines may differ."""

    def __init__(self, folder: SharedFolder, silent_seconds: float) -> None:
        self.folder, self.silent_seconds = folder, silent_seconds
        self.beats: dict[tuple[str, str], tuple[int, float]] = {}
        self.begun: dict[str, float] = {}
        self.took: list[float] = []
        self.failures: dict[str, int] = {}
        self.again: set[str] = set()

    def done(self, key: str) -> None:
        """Note how long a lot took."""
        if key in self.begun:
            self.took.append(time.monotonic() - self.begun.pop(key))

    def failed(self, key: str) -> int:
        """Count a failure of a lot, and return how many there were."""
        self.failures[key] = self.failures.get(key, 0) + 1
        return self.failures[key]

    def look(self, missing: Iterable[Lot], seconds: float | None) -> None:
        """Give lots back whose worker is silent; once nothing waits, offer slow ones a second time."""
        now, beats = time.monotonic(), self.folder.beats()
        for taker, beat in beats.items():
            self.begun.setdefault(taker[0], now)
            if self.beats.get(taker, (None,))[0] != beat:
                self.beats[taker] = beat, now
            elif now - self.beats[taker][1] > self.silent_seconds:
                self.folder.give_back(*taker)
                del self.beats[taker]
                self.begun.pop(taker[0], None)
        if self.took and not self.folder.keys("waiting"):
            usual = max(1.0, median(self.took))
            for lot in missing:
                slow = now - self.begun.get(lot.key, now) > SLOW * usual
                if slow and lot.key not in self.again:
                    self.again.add(lot.key)
                    self.folder.post(lot, seconds)
