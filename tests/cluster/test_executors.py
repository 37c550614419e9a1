"""What every executor holds: the members of one process, bit for bit, whoever trains, whatever is lost on the way."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from shoal.cluster import shared_folder
from shoal.cluster.dask import DaskExecutor
from shoal.cluster.executor import Executor, Here
from shoal.cluster.folder import FolderExecutor, _Watch
from shoal.cluster.job import job_of
from shoal.cluster.lots import Lot, deal, train_lot
from shoal.cluster.posting import PostingExecutor
from shoal.cluster.shared_folder import SharedFolder
from shoal.cluster.worker import work
from shoal.errors import RunError, SettingError
from shoal.results import Status
from shoal.runs.writing import cannot_write
from shoal.training.checkpointing import Checkpoint
from shoal.training.engine_choice import make_engine
from shoal.training.losses import get_loss
from shoal.training.member import Member
from shoal.training.planner import find_budget
from shoal.training.problem import Problem
from shoal.training.progress import Silent
from shoal.training.trainer import Stopped, Training, train

BUDGET = find_budget("1GB", 1)
ENGINE = make_engine("native", BUDGET)


class InThisProcess(FolderExecutor):
    """The shared folder with a worker in a thread of this process, so that most tests need no other."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.folder.open()  # so that the worker knows of a driver, and leaves with it
        self.worker = threading.Thread(target=work, args=(self.folder, BUDGET), kwargs={"patience": 3.0})
        self.worker.start()

    def close(self) -> None:
        super().close()
        self.worker.join()


@pytest.fixture(scope="module")
def dask() -> Iterator[Executor]:
    pytest.importorskip("distributed")
    made = DaskExecutor("local")
    try:
        yield made
    finally:
        made.close()


@pytest.fixture(
    params=[
        "here",
        "folder",
        pytest.param("processes", marks=pytest.mark.slow),
        pytest.param("dask", marks=pytest.mark.slow),
    ]
)
def executor(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Executor]:
    if request.param == "here":
        yield Here()
        return
    if request.param == "dask":
        yield request.getfixturevalue("dask")
        return
    made = InThisProcess(tmp_path / "run" / "work") if request.param == "folder" else processes(tmp_path)
    try:
        yield made
    finally:
        made.close()


def processes(tmp_path: Path, count: int = 2, **options: Any) -> FolderExecutor:
    return FolderExecutor(tmp_path / "run" / "work", count, memory="2GB", **options)


@pytest.fixture(scope="module")
def alone(problem: Problem, members: list[Member]) -> Training:
    return train(problem, members, ENGINE)


def assert_same(one: Training, other: Training) -> None:
    assert [t.member.id for t in one.members] == [t.member.id for t in other.members]
    for a, b in zip(one.members, other.members, strict=True):
        assert (a.best_epoch, a.status, a.network) == (b.best_epoch, b.status, b.network)
        assert np.array_equal(a.half_losses, b.half_losses)
        for layer, twin in zip(a.parameters, b.parameters, strict=True):
            assert layer.keys() == twin.keys()
            assert all(np.array_equal(layer[name], twin[name]) for name in layer)


def test_members_are_those_of_one_process(
    executor: Executor, problem: Problem, members: list[Member], alone: Training
) -> None:
    assert_same(executor.train(problem, members, ENGINE), alone)


def test_a_checkpoint_is_gone_on_with(
    executor: Executor, problem: Problem, members: list[Member], alone: Training
) -> None:
    half = Checkpoint({m.member.id: m for m in alone.members[:11]}, {}, "native")
    assert_same(executor.train(problem, members, ENGINE, checkpoint=half), alone)


def test_nothing_is_begun_where_nothing_is_missing(
    executor: Executor, problem: Problem, members: list[Member], alone: Training
) -> None:
    whole = Checkpoint({m.member.id: m for m in alone.members}, {}, "native")
    assert_same(executor.train(problem, members, ENGINE, checkpoint=whole), alone)


def test_halving_lets_go_whom_one_process_lets_go(executor: Executor, problem: Problem, members: list[Member]) -> None:
    alone = train(problem, members, ENGINE, rungs=(2, 4))
    assert {len(m.half_losses) for m in alone.members if m.status is Status.CUT} == {2}
    assert_same(executor.train(problem, members, ENGINE, rungs=(2, 4)), alone)


def test_a_lot_at_a_rung_may_go_on_elsewhere(problem: Problem, members: list[Member]) -> None:
    """Where a worker divides the members otherwise, it trains them from the beginning, to the same."""
    (lot,) = deal(job := job_of(problem, "native"), members[:8], 1, (2, 3))
    document, arrays = train_lot(job, lot, BUDGET)
    later = lot.after_rung({0, 3}, (document, arrays))
    lost = replace(later, state=({**document, "halfway": {}}, arrays))
    (_, went_on), (_, anew) = (train_lot(job, each, BUDGET) for each in (later, lost))
    assert went_on.keys() == anew.keys()
    assert all(np.array_equal(went_on[name], anew[name]) for name in went_on)


def test_two_trainings_follow_each_other(executor: Executor, problem: Problem, members: list[Member]) -> None:
    first, second = (executor.train(problem, part, ENGINE) for part in (members[:6], members[6:]))
    assert [t.member.id for t in (*first.members, *second.members)] == [m.id for m in members]


def test_progress_is_told(executor: Executor, problem: Problem, members: list[Member]) -> None:
    told: list[tuple[int, int]] = []

    class Listener(Silent):
        def training(self, **news: Any) -> None:
            told.append((news["trained"], news["total"]))

        def curves(self, pieces: Any) -> None:
            list(pieces)

    executor.train(problem, members, ENGINE, progress=Listener())
    assert told == sorted(told)
    assert all(total == len(members) for _, total in told)


def test_functions_of_the_user_are_refused(tmp_path: Path, problem: Problem, members: list[Member]) -> None:
    own = replace(problem, loss=get_loss(lambda y, f: (y - f) ** 2))
    with pytest.raises(SettingError, match="functions of your own"):
        FolderExecutor(tmp_path / "work").train(own, members, ENGINE)


@pytest.mark.parametrize("name", ["gaussian_nll", "pinball", "poisson", "huber"])
def test_losses_travel(name: str, problem: Problem, members: list[Member], tmp_path: Path) -> None:
    positive = replace(problem, y=np.abs(problem.y), validation_y=np.abs(problem.validation_y), loss=get_loss(name))
    executor = InThisProcess(tmp_path / "work")
    try:
        assert_same(executor.train(positive, members[:4], ENGINE), train(positive, members[:4], ENGINE))
    finally:
        executor.close()


def test_a_lot_has_one_worker(tmp_path: Path, problem: Problem, members: list[Member]) -> None:
    folder, job = SharedFolder(tmp_path / "work"), job_of(problem, "native")
    lots = deal(job, members, 4)
    for lot in lots:
        folder.post(lot)
    taken: list[str] = []

    def claim() -> None:
        while (claimed := folder.claim("me")) is not None:
            taken.append(claimed[0].key)

    threads = [threading.Thread(target=claim) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == sorted(lot.key for lot in lots)


def test_a_silent_worker_loses_its_lot(
    tmp_path: Path, problem: Problem, members: list[Member], alone: Training
) -> None:
    executor = FolderExecutor(tmp_path / "work", silent_seconds=0.2)
    gone = threading.Event()

    def vanish() -> None:  # claims a lot and is never heard of again
        while executor.folder.claim("lost") is None:
            time.sleep(0.01)
        gone.set()
        work(executor.folder, BUDGET, patience=30.0)

    worker = threading.Thread(target=vanish)
    worker.start()
    try:
        assert_same(executor.train(problem, members, ENGINE), alone)
        assert gone.is_set()
    finally:
        executor.close()
        worker.join()


def test_a_driver_that_was_stopped_goes_on(
    tmp_path: Path, problem: Problem, members: list[Member], alone: Training
) -> None:
    class StopsAfter(Silent):
        def __init__(self, enough: int) -> None:
            self.enough = enough

        def training(self, **news: Any) -> None:
            if news["trained"] >= self.enough:
                raise KeyboardInterrupt

    first = InThisProcess(tmp_path / "work")
    try:
        with pytest.raises(Stopped) as stopped:
            first.train(problem, members, ENGINE, progress=StopsAfter(5))
    finally:
        first.close()
    kept = stopped.value.checkpoint
    assert 5 <= len(kept.finished) < len(members)
    second = InThisProcess(tmp_path / "work")
    try:
        assert_same(second.train(problem, members, ENGINE, checkpoint=kept), alone)
    finally:
        second.close()


def test_jobs_that_see_no_folder_bring_a_search_to_its_end(
    tmp_path: Path, problem: Problem, members: list[Member]
) -> None:
    alone = train(problem, members, ENGINE, rungs=(2, 4))
    for _ in range(3):
        executor = PostingExecutor(tmp_path / "work", 8)
        with pytest.raises(Stopped) as stopped:
            executor.train(problem, members, ENGINE, rungs=(2, 4))
        executor.close()
        for key in executor.folder.keys("waiting"):
            there = SharedFolder(tmp_path / f"machine-{key}")
            shutil.copytree(tmp_path / "work", there.path)
            there.open()
            assert work(there, BUDGET, patience=0.0) == len(executor.folder.keys("waiting"))
            shutil.copy(there.path / "done" / f"{key}.safetensors", tmp_path / "work" / "done")
    kept = stopped.value.checkpoint
    executor = PostingExecutor(tmp_path / "work", 8)
    assert_same(executor.train(problem, members, ENGINE, rungs=(2, 4), checkpoint=kept), alone)
    executor.close()
    assert not executor.folder.path.exists()


def test_a_full_disk_is_told_and_the_lot_goes_back(
    tmp_path: Path, problem: Problem, members: list[Member], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, (lot, *_) = posted(tmp_path, problem, members)

    def full(path: Path, _: bytes) -> None:
        raise cannot_write(path, OSError(errno.ENOSPC, "No space left on device"))

    monkeypatch.setattr(shared_folder, "write_atomically", full)
    with pytest.raises(RunError, match="No space left"):
        work(folder, BUDGET)
    assert (folder.keys("waiting"), folder.takers()) == ([lot.key], [])


def test_a_worker_of_another_version_is_refused(tmp_path: Path, problem: Problem, members: list[Member]) -> None:
    folder, (lot, *_) = posted(tmp_path, problem, members)
    job = folder.job(lot.job)
    kernel = job.document["versions"]["kernel"]
    with pytest.raises(RunError, match=r"has shoal \S+, the driver 0.1; install the same version on both"):
        train_lot(replace(job, document={**job.document, "versions": {"shoal": "0.1", "kernel": kernel}}), lot, BUDGET)
    other = {**job.document["versions"], "kernel": "another"}
    document, _ = train_lot(replace(job, document={**job.document, "versions": other}), lot, BUDGET)
    assert "the driver has another: results may differ" in document["note"]


def test_a_worker_does_not_wait_for_one_that_is_gone(tmp_path: Path, problem: Problem, members: list[Member]) -> None:
    folder, _ = posted(tmp_path, problem, members)
    assert folder.claim("gone") is not None
    assert work(folder, BUDGET, patience=0.1) == 0


@pytest.mark.parametrize("hours", [-30, 0, 30])
def test_clocks_of_other_machines_do_not_count(
    hours: int, tmp_path: Path, problem: Problem, members: list[Member]
) -> None:
    folder, (lot, *_) = posted(tmp_path, problem, members)
    assert folder.claim("far") is not None
    watch, taken = _Watch(folder, silent_seconds=0.05), folder.path / "taken" / f"{lot.key}~far.safetensors"
    for sign in range(3):  # each other than the one before
        os.utime(taken, (at := time.time() + 3600 * hours + sign, at))
        watch.look([lot], None)
        time.sleep(0.06)
    assert folder.takers() == [(lot.key, "far")]
    watch.look([lot], None)
    assert folder.keys("waiting") == [lot.key]


def test_no_scheduler_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed")
    from shoal.cluster import dask

    monkeypatch.setattr(dask, "CONNECT_SECONDS", 0.2)
    with pytest.raises(SettingError, match=r"no scheduler answers at 'tcp://127.0.0.1:1'.*start one with `dask"):
        dask.DaskExecutor("tcp://127.0.0.1:1")


@pytest.mark.slow
def test_lots_are_sent_again_when_all_workers_that_hold_the_job_are_lost(
    dask: Any, problem: Problem, members: list[Member], alone: Training
) -> None:
    class Killing(DaskExecutor):
        """An executor of the same cluster, whose workers are killed as soon as it has sent its lots."""

        def __init__(self) -> None:
            self._client, self._cluster, self.killed = dask._client, None, list[int]()

        @contextmanager
        def hand_out(self, job: Any, lots: Any, seconds: float | None) -> Iterator[Iterator[Any]]:
            with super().hand_out(job, lots, seconds) as results:
                self.killed = list(self._client.run(os.getpid).values())
                for process in self.killed:
                    os.kill(process, signal.SIGKILL)
                yield results

    executor = Killing()
    assert_same(executor.train(problem, members, ENGINE), alone)
    assert executor.killed


@pytest.mark.slow
def test_a_dask_of_this_machine_ends_with_a_driver_that_is_killed_while_it_starts() -> None:
    pytest.importorskip("distributed")
    psutil = pytest.importorskip("psutil")
    program = "from shoal.cluster.dask import DaskExecutor; DaskExecutor('local')"
    driver = subprocess.Popen([sys.executable, "-c", program])
    family: list[Any] = []
    while len(family) < 2:  # the scheduler, and a nanny that has not begun
        family = psutil.Process(driver.pid).children(recursive=True)
        assert driver.poll() is None
        time.sleep(0.01)
    driver.kill()
    driver.wait()
    _, left = psutil.wait_procs(family, timeout=60.0)
    for process in left:
        process.kill()
    assert not left


def posted(tmp_path: Path, problem: Problem, members: list[Member]) -> tuple[SharedFolder, list[Lot]]:
    folder, job = SharedFolder(tmp_path / "work"), job_of(problem, "native")
    lots = deal(job, members[:1], 1)
    folder.open()
    folder.post_job(job)
    for lot in lots:
        folder.post(lot)
    return folder, lots


def test_a_damaged_result_is_told(tmp_path: Path) -> None:
    folder = SharedFolder(tmp_path / "work")
    path = folder.path / "done" / "a-b.safetensors"
    path.parent.mkdir(parents=True)
    for damage in (b"", b"\xff" * 20, b"\x02" + bytes(7) + b"{}" + b"nothing"):
        path.write_bytes(damage)
        with pytest.raises(RunError, match="is damaged"):
            list(folder.results("a"))


def test_a_lot_that_always_fails_ends_the_run(tmp_path: Path, problem: Problem, members: list[Member]) -> None:
    executor = FolderExecutor(tmp_path / "work")
    over = threading.Event()

    def fail() -> None:
        while not over.is_set():
            if (claimed := executor.folder.claim("bad")) is not None:
                executor.folder.fail(claimed[0].key, "bad: out of memory")
                executor.folder.give_back(claimed[0].key, "bad")
            time.sleep(0.01)

    worker = threading.Thread(target=fail)
    worker.start()
    try:
        with pytest.raises(RunError, match="failed 3 times, the last time on bad: out of memory"):
            executor.train(problem, members[:1], ENGINE)
    finally:
        over.set()
        worker.join()
        executor.close()


@pytest.mark.slow
def test_killed_processes_are_replaced(
    tmp_path: Path, problem: Problem, alone: Training, members: list[Member]
) -> None:
    executor = processes(tmp_path)

    def kill() -> None:
        while not executor.folder.takers():
            time.sleep(0.005)
        os.kill(executor._running[0].pid, signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        assert_same(executor.train(problem, members, ENGINE), alone)
    finally:
        killer.join()
        executor.close()
    assert not executor.folder.path.exists()


def test_processes_that_cannot_train_say_why(
    tmp_path: Path, problem: Problem, members: list[Member], monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "python"
    program.write_text("#!/bin/sh\necho 'error: this processor is of another kind' >&2; exit 2\n")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))
    executor = processes(tmp_path)
    with pytest.raises(RunError, match="workers cannot train: this processor is of another kind"):
        executor.train(problem, members, ENGINE)
    executor.close()
