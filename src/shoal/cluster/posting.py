"""The executor that leaves lots as files for jobs that see no folder of the driver, and goes on when they are back."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from shoal.cluster.executor import Result
from shoal.cluster.folder import FolderExecutor
from shoal.cluster.job import Job
from shoal.cluster.lots import LOTS_OF_A_WORKER, Lot


class PostingExecutor(FolderExecutor):
    """Posts the lots that no job has trained yet, and stops the run, which is gone on with when results are there.

    Args:
        path: the folder that will hold them.
        jobs: how many lots there shall be, or about as many.
    """

    def __init__(self, path: str | Path, jobs: int) -> None:
        super().__init__(path)
        self.jobs = jobs

    @property
    def workers(self) -> int:
        """As many as have a lot for each job together."""
        return max(1, self.jobs // LOTS_OF_A_WORKER)

    @contextmanager
    def hand_out(self, job: Job, lots: Sequence[Lot], seconds: float | None) -> Iterator[Iterator[Result | None]]:
        """Post lots, and stop."""
        for key in self.folder.keys("waiting"):
            self.folder.withdraw(key)
        self.folder.post_job(job)
        for lot in lots:
            self.folder.post(lot, seconds)
        (self.folder.path / "done").mkdir(exist_ok=True)
        if lots:
            raise KeyboardInterrupt
        yield iter(())

    def close(self) -> None:
        """Keep the folder while lots wait in it."""
        if not self.folder.keys("waiting"):
            shutil.rmtree(self.folder.path, ignore_errors=True)
