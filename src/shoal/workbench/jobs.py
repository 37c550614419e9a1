"""Training in processes of their own; their run folders are the truth, and outlive page, browser and server."""

from __future__ import annotations

import contextlib
import enum
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shoal.errors import RunError
from shoal.runs import lock
from shoal.runs.folder import RunFolder
from shoal.runs.new_folder import numbered, slug
from shoal.runs.writing import cannot_write, lives, write_atomically
from shoal.workbench.state import State

RUNS = "runs"
RECORDS = ".workbench"
"""In the folder of runs: what was started, and what it said."""
_NAME = re.compile(r"[^/\\\0]+")
_TAIL = 20_000  # bytes of what a process said that are looked at
_LITTLE = 1 << 16  # bytes of a disk with which nothing can be written


class Status(enum.StrEnum):
    """How far a run is."""

    TRAINING = "training"
    FINISHED = "finished"
    STOPPED = "stopped"
    FAILED = "failed"


@dataclass(frozen=True)
class Job:
    """A run and how far it is; `message` says in a sentence what went wrong, or what came last."""

    name: str
    status: Status
    message: str = ""
    link: str = ""

    @property
    def running(self) -> bool:
        """Whether a process works on it."""
        return self.status is Status.TRAINING


class Jobs:
    """The runs of a working folder.

    Args:
        folder: the working folder; its runs lie in `runs/`.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder).resolve()
        self.root = self.folder / RUNS
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._mutex = threading.Lock()

    def start(self, state: State) -> str:
        """Start a fit and return the name of its run; that of the same fit if it is training already.

        Raises:
            SettingError: a setting makes no sense.
            DataError: there are no such data.
            RunError: the folder cannot be written.
        """
        state.source(self.folder)
        words = state.words()
        key = hashlib.sha256(json.dumps(words).encode()).hexdigest()
        with self._mutex:
            for name in self._names():
                if self._record(name).get("key") == key and self.job(name).running:
                    return name
            try:
                path = numbered(self.root, slug(state.data))
            except OSError as error:
                raise cannot_write(self.root, error) from error
            self._spawn(path.name, [*words[1:], "--out", f"{RUNS}/{path.name}"], key, state.link())
        return path.name

    def go_on(self, name: str, *, minutes: float | None = None) -> None:
        """Go on with a run that was stopped.

        Args:
            name: of the run.
            minutes: how long it trains on at most; next to nothing finishes it with what is trained.

        Raises:
            RunError: there is nothing to go on with, or it is training.
        """
        record = self._record(name)
        with self._mutex:
            if self.job(name).running:
                return
            RunFolder.open(self.path(name)).check_unfinished()
            words = ["fit", "--resume", f"{RUNS}/{name}"]
            limit = [] if minutes is None else ["--minutes", f"{minutes:g}"]
            self._spawn(name, [*words, *limit], record.get("key", ""), record.get("link", ""))

    def stop(self, name: str) -> None:
        """Ask a process to keep what is trained and to end."""
        if self.job(name).running and (pid := self._pid(name)) is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)

    def path(self, name: str) -> Path:
        """Return the folder of a run.

        Raises:
            RunError: it is no name of a run.
        """
        if not _NAME.fullmatch(name) or name.startswith("."):
            raise RunError(f"{name!r} is no name of a run.")
        return self.root / name

    def all(self) -> list[Job]:
        """Return the runs of the folder, the newest first."""
        return [self.job(name) for name in reversed(self._names())]

    def job(self, name: str) -> Job:
        """Return how far a run is.

        Raises:
            RunError: there is no such run (any more).
        """
        path, process = self.path(name), self._processes.get(name)
        link = self._record(name).get("link", "")
        if not path.is_dir():
            if process is not None and process.poll() is None:
                return Job(name, Status.TRAINING, self._last_line(name), link)
            if process is not None and process.returncode:  # what ends with nothing to keep takes its folder along
                return Job(name, Status.FAILED, self._why(name, "nothing of it is left"), link)
            raise RunError(f"the run {name!r} is not there (any more): {str(path)!r} was moved or deleted.")
        ended = self._ended(name)
        if not ended:
            return Job(name, Status.TRAINING, self._last_line(name), link)
        folder = RunFolder(path)
        if folder.finished:
            return Job(name, Status.FINISHED, "", link)
        if folder.has_checkpoint:
            return Job(
                name, Status.STOPPED, self._why(name, "what is trained is kept; go on with it when you like"), link
            )
        return Job(name, Status.FAILED, self._why(name, "it ended before anything was trained"), link)

    def said(self, name: str) -> str:
        """Return the last lines that the process of a run wrote."""
        try:
            with (self.root / RECORDS / f"{name}.log").open("rb") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL))
                return file.read().decode("utf-8", "replace")
        except OSError:
            return ""

    def _names(self) -> list[str]:
        with contextlib.suppress(OSError):
            folders = [entry for entry in self.root.iterdir() if entry.is_dir() and not entry.name.startswith(".")]
            return [entry.name for entry in sorted(folders, key=_age)]
        return []

    def _spawn(self, name: str, words: list[str], key: str, link: str) -> None:
        records, process = self.root / RECORDS, None
        try:
            records.mkdir(parents=True, exist_ok=True)
            with (records / f"{name}.log").open("wb") as log:
                # A session of its own: closing the workbench must not end the training.
                process = subprocess.Popen(
                    [sys.executable, "-m", "shoal", *words],
                    cwd=self.folder,
                    env=environment(),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            record = {"key": key, "link": link, "pid": process.pid, "words": words}
            write_atomically(records / f"{name}.json", json.dumps(record))
        except OSError as error:
            if process is not None:  # nobody would know of it
                process.kill()
                process.wait()
            with contextlib.suppress(OSError):  # of a run that was there before it is not empty
                (self.root / name).rmdir()
            raise error if isinstance(error, RunError) else cannot_write(records, error) from error
        self._processes[name] = process

    def _record(self, name: str) -> dict[str, Any]:
        try:
            record = json.loads((self.root / RECORDS / f"{name}.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return record if isinstance(record, dict) else {}

    def _ended(self, name: str) -> bool:
        """Return whether no process works on a run, whoever started it."""
        process = self._processes.get(name)
        if process is not None:
            return process.poll() is not None
        if lock.writer(self.path(name)) is not None:
            return False
        # Before a run has its lock its data are read; a process number may belong to another program by now.
        return not (lives(self._record(name).get("pid")) and not any(self.path(name).iterdir()))

    def _pid(self, name: str) -> int | None:
        process = self._processes.get(name)
        return process.pid if process is not None else lock.writer_pid(self.path(name)) or self._record(name).get("pid")

    def _last_line(self, name: str) -> str:
        lines = [line.strip() for line in self.said(name).splitlines() if line.strip()]
        return lines[-1] if lines else "reading the data"

    def _why(self, name: str, otherwise: str) -> str:
        process = self._processes.get(name)
        code = None if process is None else process.poll()
        if code is not None and code in (-signal.SIGKILL, -getattr(signal, "SIGSEGV", 11)):
            return f"the process was killed by signal {-code}, perhaps since the memory was full; {otherwise}"
        errors = [line for line in self.said(name).splitlines() if line.startswith(("error: ", "shoal: error: "))]
        if errors:
            return errors[-1].removeprefix("shoal: ").removeprefix("error: ")
        with contextlib.suppress(OSError):
            if code not in (None, 0, 75, 130) and shutil.disk_usage(self.root).free < _LITTLE:
                return f"the disk is full, so that it could not say why it ended: free some space; {otherwise}"
        return otherwise if code in (None, 75, 130) or not self.said(name) else f"{otherwise}: {self._last_line(name)}"


def environment() -> dict[str, str]:
    """Return the environment of a process in another folder that shall find this shoal."""
    paths = [str(Path(__file__).parents[2]), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(os.path.abspath(path) for path in paths)}


def _age(path: Path) -> tuple[float, str]:
    try:
        return path.stat().st_ctime, path.name
    except OSError:
        return 0.0, path.name
