from __future__ import annotations

import errno
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from shoal.errors import RunError
from shoal.runs import lock
from shoal.runs.folder import RunFolder
from shoal.runs.lock import Lock, locked, writer
from shoal.runs.writing import is_part, remove_parts, written_beside

HOLD = """
import sys, time
from shoal.runs.lock import Lock
held = Lock(sys.argv[1])
held.acquire()
print("held", flush=True)
time.sleep(60)
"""


def holder(folder: Path) -> subprocess.Popen[str]:
    """Start a process that holds the lock of a folder."""
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(folder)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_second_process_is_refused_and_told_who_writes(tmp_path: Path) -> None:
    with holder(tmp_path) as process:
        who = rf"is being written by process {process.pid} on {socket.gethostname()} since 20"
        with pytest.raises(RunError, match=who):
            Lock(tmp_path).acquire()
        with pytest.raises(RunError, match=who):
            RunFolder.create(tmp_path, "iris")
        with pytest.raises(RunError, match=who), locked(tmp_path, wait=0.1):
            pass
        process.kill()
    # what a killed process leaves holds nobody up
    assert (tmp_path / lock.NAME).exists()
    assert writer(tmp_path) is None
    Lock(tmp_path).acquire()
    assert RunFolder.create(tmp_path, "iris").path == tmp_path


def test_the_file_is_there_only_while_somebody_writes(tmp_path: Path) -> None:
    with locked(tmp_path):
        assert [path.name for path in tmp_path.iterdir()] == [lock.NAME]
        with pytest.raises(RunError, match=rf"process {os.getpid()} on"):
            Lock(tmp_path).acquire()
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(RunError, match="cannot write"):
        Lock(tmp_path / "nowhere").acquire()


def test_those_that_write_for_a_moment_take_turns(tmp_path: Path) -> None:
    inside: list[int] = []

    def write() -> None:
        for _ in range(5):
            with locked(tmp_path, wait=60.0):
                inside.append(1)
                time.sleep(0.001)
                assert len(inside) == 1
                inside.pop()

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert list(tmp_path.iterdir()) == []


def test_where_a_disk_knows_no_locks_the_process_decides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_lock(_: int) -> None:
        raise OSError(errno.ENOLCK, "no locks available")

    monkeypatch.setattr(lock, "_lock", no_lock)
    path = tmp_path / lock.NAME
    here = {"pid": os.getpid(), "host": socket.gethostname(), "since": "2026-01-01T00:00:00+00:00"}
    for content, held in ((here, True), ({**here, "pid": 999999999}, False), ({**here, "host": "elsewhere"}, True)):
        path.write_text(json.dumps(content))
        assert (writer(tmp_path) is not None) == held
    with pytest.raises(RunError, match=r"process \d+ on elsewhere since 2026-01-01"):
        Lock(tmp_path).acquire()
    path.write_text("half a")
    Lock(tmp_path).acquire()


def test_a_run_is_begun_or_gone_on_with_by_one_only(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path / "run", "iris")
    held = folder.lock(resumed=False)
    with pytest.raises(RunError, match="is being written by"):
        RunFolder(folder.path).lock(resumed=False)
    folder.write_config({}, data={"name": "iris", "source": "built in", "sha256": "0"})
    with pytest.raises(RunError, match="is being written by"):
        RunFolder(folder.path).check_unfinished()
    with pytest.raises(RunError, match=r"is not finished; it is being written by process"):
        RunFolder(folder.path).check_finished()
    held.release()
    with pytest.raises(RunError, match="exists and is not empty"):  # by another, meanwhile
        RunFolder(folder.path).lock(resumed=False)
    RunFolder(folder.path).lock(resumed=True).release()
    assert [path.name for path in folder.path.iterdir()] == ["config.toml"]


def test_what_killed_processes_left_goes_and_what_living_ones_write_stays(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path / "run", "iris")
    with written_beside(folder.path / "a") as beside:
        beside.write_text("")
        mark = beside.name.rpartition("-")[2][:4]
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as living:
        names = [f".a.999999999-{mark}0000.part", f".a.{living.pid}-{mark}0000.part", ".a.1-00000000.part"]
        for place in (folder.path, folder.path / "figures" / "deep", folder.path / "checkpoint"):
            place.mkdir(parents=True, exist_ok=True)
            for name in names:
                (place / name).write_text("half")
                assert is_part(place / name)
        remove_parts(folder.path)
        assert not (folder.path / names[0]).exists()
        assert (folder.path / names[2]).exists()  # of another machine
        folder.lock(resumed=False).release()
        left = sorted(path.name for path in folder.path.rglob("*.part"))
        assert left == [names[1]] * 3
        living.send_signal(signal.SIGKILL)
    with written_beside(folder.path / "a") as beside:
        beside.write_text("being written")
        remove_parts(folder.path, alone=True)
        assert beside.exists()
    assert (folder.path / "a").read_text() == "being written"
