"""A worker: takes lots from a shared folder and trains them, until the driver is done or its time is over."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Unpack

from shoal.cluster.job import Job
from shoal.cluster.lots import train_lot
from shoal.cluster.shared_folder import SharedFolder
from shoal.errors import RunError, ShoalError
from shoal.training.planner import Budget
from shoal.training.progress import Silent, TrainingNews
from shoal.training.trainer import Stopped

BEAT_SECONDS = 2.0  # between two signs of life
LOOK_SECONDS = 0.05  # between two looks at a folder in which nothing waits
PATIENCE_SECONDS = 600.0  # that a worker waits for a driver


def name_of(process: int) -> str:
    """Return how a process of this machine is known to others, fit for the name of a file."""
    return f"{socket.gethostname()}-{process}"


def work(
    folder: SharedFolder,
    budget: Budget,
    *,
    seconds: float | None = None,
    patience: float = PATIENCE_SECONDS,
    say: Callable[[str], None] = lambda _: None,
) -> int:
    """Train lots until the driver is done, and return how many.

    A lot that an interruption finds in training waits again, for others.

    Args:
        folder: where the lots are.
        budget: what training may use.
        seconds: after which no lot is begun; the one in training keeps the best epochs that it has seen by then.
        patience: how long to wait while no lot is there and none is in training.
        say: hears of what is worth a line.

    Raises:
        RunError: another version of shoal than the driver's, or the folder cannot be written.
        KeyboardInterrupt: Ctrl-C.
    """
    jobs: dict[str, Job] = {}
    name, trained, began = name_of(os.getpid()), 0, time.monotonic()
    last_work, seen, beats = began, False, folder.beats()
    while seconds is None or time.monotonic() - began < seconds:
        opened = folder.is_open
        over, seen = seen and not opened, seen or opened  # a worker may come before its driver
        claimed = folder.claim(name) if opened else None
        if claimed is None:
            earlier, beats = beats, folder.beats()
            if beats != earlier:  # others train; what a lost worker took does not move
                last_work = time.monotonic()
            if over or time.monotonic() - last_work > patience:
                break
            time.sleep(LOOK_SECONDS)
            continue
        lot, most = claimed
        left = None if seconds is None else seconds - (time.monotonic() - began)
        limits = [limit for limit in (most, left) if limit is not None]
        try:
            if lot.job not in jobs:
                jobs = {lot.job: folder.job(lot.job)}
            with _alive(folder, lot.key, name):
                result = train_lot(
                    jobs[lot.job], lot, budget, seconds=min(limits, default=None), progress=_UntilClosed(folder)
                )
            folder.finish(lot.key, name, result)
        except (Stopped, KeyboardInterrupt):
            folder.give_back(lot.key, name)
            if not folder.is_open:
                break
            raise KeyboardInterrupt from None
        except (ShoalError, MemoryError, OSError) as error:
            folder.give_back(lot.key, name)
            with contextlib.suppress(RunError):  # the disk may be full
                folder.fail(lot.key, f"{name}: {error or type(error).__name__}")
            raise
        trained, last_work = trained + 1, time.monotonic()
        say("; ".join(filter(None, [f"{len(lot.members)} networks trained ({lot.key})", result[0]["note"]])))
    return trained


class _UntilClosed(Silent):
    """Stops training when the driver is gone: its work is done by others, or no longer wanted."""

    def __init__(self, folder: SharedFolder) -> None:
        self.folder = folder

    def training(self, **_: Unpack[TrainingNews]) -> None:
        """Look whether the driver is done."""
        if not self.folder.is_open:
            raise KeyboardInterrupt


@contextmanager
def _alive(folder: SharedFolder, key: str, worker: str) -> Iterator[None]:
    """Touch a lot while it is in training, so that the driver knows."""
    over = threading.Event()

    def beat() -> None:
        while not over.wait(BEAT_SECONDS):
            folder.touch(key, worker)

    thread = threading.Thread(target=beat, name="alive", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
