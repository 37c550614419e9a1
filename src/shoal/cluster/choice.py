"""The executor that settings ask for."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

from shoal.cluster.executor import Executor, Here
from shoal.cluster.gpus import visible_gpus
from shoal.cluster.shared_folder import NAME

_JOBS: ContextVar[int | None] = ContextVar("jobs", default=None)


@contextmanager
def posting(jobs: int) -> Iterator[None]:
    """Let a fit within leave its networks as files for about so many jobs, and end there as if it were stopped."""
    token = _JOBS.set(jobs)
    try:
        yield
    finally:
        _JOBS.reset(token)


@contextmanager
def open_executor(
    workers: int | None, dask: str | None, run: str | Path, memory: str | None = None
) -> Iterator[Executor]:
    """Give the executor that trains, and let its workers go at the end.

    Args:
        workers: processes of this machine that train, to which others may come; 0: only others; None: this process
            trains.
        dask: address of a Dask scheduler, or `local`; None: no Dask.
        run: the run folder, in which workers find what is to be done.
        memory: the most that all processes of this machine may take, such as `4GB`.

    Raises:
        SettingError: Dask is not installed, or no scheduler answers.
    """
    jobs = _JOBS.get()
    if jobs is not None:
        from shoal.cluster.posting import PostingExecutor

        of_files = PostingExecutor(Path(run) / NAME, jobs)
        try:
            yield of_files
        finally:
            of_files.close()
    elif dask is not None:
        from shoal.cluster.dask import DaskExecutor

        of_dask = DaskExecutor(dask)
        try:
            yield of_dask
        finally:
            of_dask.close()
    elif workers is not None:
        from shoal.cluster.folder import FolderExecutor

        if workers and visible_gpus(os.environ):  # whose memory is the workers': this process takes none in advance
            os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
        of_folder = FolderExecutor(Path(run) / NAME, workers, memory=memory)
        try:
            yield of_folder
        finally:
            of_folder.close()
    else:
        yield Here()
