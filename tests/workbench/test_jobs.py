from __future__ import annotations

import errno
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from shoal.errors import DataError, RunError
from shoal.runs.writing import cannot_write
from shoal.workbench.jobs import Job, Jobs, Status
from shoal.workbench.state import State

SMALL = State("iris").changed(networks=2, epochs=3, hidden="4", cv="none", page=False)
LONG = State("iris").changed(networks=200, epochs=20000, patience=20000, batch_size=16, page=False, checkpoint_every=1)


@pytest.fixture
def jobs(tmp_path: Path) -> Iterator[Jobs]:
    """The runs of a folder; what still trains at the end of a test ends with it."""
    found = Jobs(tmp_path)
    yield found
    for process in found._processes.values():
        process.kill()
        process.wait()


def waited(jobs: Jobs, name: str, *, until: str, seconds: float = 60.0) -> Job:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        job = jobs.job(name)
        if job.status == until:
            return job
        time.sleep(0.1)
    raise AssertionError(f"{job}: {jobs.said(name)}")


@pytest.mark.slow
def test_a_fit_runs_to_its_end_and_is_found_by_others(jobs: Jobs, tmp_path: Path) -> None:
    name = jobs.start(SMALL)
    assert waited(jobs, name, until=Status.FINISHED).name == "iris-1"
    assert Jobs(tmp_path).all() == [Job("iris-1", Status.FINISHED, "", SMALL.link())]


@pytest.mark.slow
def test_two_that_start_the_same_get_the_same_and_one_can_stop_and_go_on(jobs: Jobs, tmp_path: Path) -> None:
    name = jobs.start(LONG)
    assert jobs.start(LONG) == name
    end = time.monotonic() + 60
    while not (tmp_path / "runs" / name / "checkpoint").exists() and time.monotonic() < end:
        time.sleep(0.1)
    later = Jobs(tmp_path)  # as after the server started again
    assert later.start(LONG) == name
    later.stop(name)
    assert "trained and kept" in waited(jobs, name, until=Status.STOPPED).message
    jobs.go_on(name)
    assert jobs.job(name).running
    jobs._processes[name].kill()
    jobs._processes[name].wait()
    assert "killed by signal 9" in jobs.job(name).message
    shutil.rmtree(tmp_path / "runs" / name)
    assert "nothing of it is left" in jobs.job(name).message
    with pytest.raises(RunError, match=r"is not there \(any more\)"):
        later.job(name)


@pytest.mark.slow
def test_what_fails_says_why(jobs: Jobs, tmp_path: Path) -> None:
    (tmp_path / "one.csv").write_text("a,b\n1,2\n")
    job = waited(jobs, jobs.start(State("one.csv").changed(target=("b",))), until=Status.FAILED)
    assert "row" in job.message
    assert "Traceback" not in jobs.said(job.name)


def test_names_lead_nowhere_else(tmp_path: Path) -> None:
    jobs = Jobs(tmp_path)
    for name in ("../x", "a/b", "..", ".workbench", ""):
        with pytest.raises(RunError, match="no name of a run"):
            jobs.path(name)
    with pytest.raises(DataError, match="no file"):
        jobs.start(State("none.csv"))
    assert jobs.all() == []


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("a file")
    with pytest.raises(RunError, match="cannot"):
        Jobs(tmp_path).start(SMALL)


def test_a_fit_that_cannot_be_kept_in_mind_is_not_left_alone(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, _: str) -> None:
        raise cannot_write(path, OSError(errno.ENOSPC, "No space left on device"))

    monkeypatch.setattr("shoal.workbench.jobs.write_atomically", full)
    with pytest.raises(RunError, match="The disk is full") as told:
        jobs.start(SMALL)
    assert str(told.value).count("cannot write") == 1
    assert jobs.all() == []


def test_a_full_disk_is_told_though_not_even_the_log_could_be_written(
    jobs: Jobs, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    name = jobs.start(SMALL)
    jobs._processes[name].kill()
    jobs._processes[name].wait()
    jobs._processes[name].returncode = 1
    (tmp_path / "runs" / ".workbench" / f"{name}.log").write_text("")
    monkeypatch.setattr("shoal.workbench.jobs.shutil.disk_usage", lambda _: type("Usage", (), {"free": 0})())
    assert "the disk is full" in jobs.job(name).message
    shutil.rmtree(tmp_path / "runs" / name)  # as a fit does that has nothing to keep
    assert jobs.job(name).status == Status.FAILED
    assert "nothing of it is left" in jobs.job(name).message
