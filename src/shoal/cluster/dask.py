"""The executor of a Dask cluster, of a scheduler at an address, or `local` workers of this machine."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from queue import Empty, Queue
from typing import Any

from shoal.cluster.executor import Distributed, Result
from shoal.cluster.job import Arrays, Document, Job, job_from_parts
from shoal.cluster.lots import Lot, lot_from_parts, lot_to_parts, train_lot
from shoal.errors import RunError, SettingError
from shoal.resources import available_cores
from shoal.training.planner import find_budget

LOCAL = "local"
CONNECT_SECONDS = 10.0
START_SECONDS = 180.0  # for the first worker of this machine to begin, on a busy one, too
WAIT_SECONDS = 2.0  # for a result, between two looks
ATTEMPTS = 3  # at a lot whose workers are lost
_JOBS: dict[str, Job] = {}  # of a worker: the one that it trains


class DaskExecutor(Distributed):
    """Hands lots to the workers of a Dask cluster, which train one lot on one core in each of their threads.

    Args:
        address: of a scheduler, such as `tcp://host:8786`; or `local`: workers of this machine, one for each core.

    Raises:
        SettingError: Dask is not installed, or no scheduler or worker answers.
        RunError: no local worker began in time.
    """

    def __init__(self, address: str) -> None:
        try:
            from distributed import Client
            from distributed.deploy.subprocess import SubprocessCluster
        except ImportError:
            raise SettingError("dask: needs Dask's distributed; install it with: pip install 'shoal[dask]'") from None
        self._cluster: Any = None
        where: Any = address
        if address == LOCAL:
            # processes of their own: they do not run the user's script once more, as those of multiprocessing do
            ending = f"from shoal.cluster.ending import end_with; end_with({os.getpid()})"
            self._cluster = where = SubprocessCluster(
                n_workers=available_cores(),
                threads_per_worker=1,
                dashboard_address=":0",
                silence_logs=logging.CRITICAL,
                scheduler_kwargs={"preload": ending},
                worker_class="shoal.cluster.dask_nanny.EndingNanny",
                worker_kwargs={"driver": os.getpid()},
            )
        try:
            self._client = Client(where, timeout=CONNECT_SECONDS, set_as_default=False)
        except (OSError, ValueError, TypeError, ImportError) as error:
            raise SettingError(
                f"dask: no scheduler answers at {address!r} ({error or type(error).__name__}); start one with "
                "`dask scheduler`, or use --dask local"
            ) from None
        try:
            self._client.wait_for_workers(1, timeout=CONNECT_SECONDS if self._cluster is None else START_SECONDS)
        except TimeoutError:
            self.close()
            if address == LOCAL:
                raise RunError(f"dask: no worker of this machine began within {START_SECONDS:.0f} s") from None
            raise SettingError(
                f"dask: the scheduler at {address!r} has no workers; start some with `dask worker {address}`"
            ) from None

    @property
    def workers(self) -> int:
        """How many tasks the cluster does at a time."""
        return max(1, sum(self._client.nthreads().values()))

    def earlier(self, job: Job) -> Iterator[Result]:  # noqa: ARG002
        """Give nothing: what a lost driver did not gather is lost."""
        return iter(())

    @contextmanager
    def hand_out(self, job: Job, lots: Sequence[Lot], seconds: float | None) -> Iterator[Iterator[Result | None]]:
        """Send the job once to each worker, and a task for each lot."""
        done: Queue[Any] = Queue()
        left = set()
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Sending large graph", UserWarning)
            # a task, which is done again where all workers that held the job are lost; what is scattered would be gone
            parts = self._client.submit(_handed_on, job.document, job.arrays, pure=False, retries=ATTEMPTS)
        for lot in lots:
            key = f"shoal-{lot.key}"
            task = self._client.submit(_train, parts, lot_to_parts(lot), seconds, key=key, retries=ATTEMPTS)
            left.add(task)
            task.add_done_callback(done.put)
        try:
            yield self._results(left, done)
        finally:
            self._client.cancel([*left, parts], force=True)

    def _results(self, left: set[Any], done: Queue[Any]) -> Iterator[Result | None]:
        while left:
            try:
                task = done.get(timeout=WAIT_SECONDS)
            except Empty:
                yield None
                continue
            left.discard(task)
            yield _result(task)
            task.release()  # or the cluster would keep what is gathered

    def close(self) -> None:
        """Let the cluster go."""
        self._client.close()
        if self._cluster is not None:
            with suppress(KeyError):  # Dask looks up a worker that was killed, after all else is closed
                self._cluster.close()


def _result(task: Any) -> Result:
    try:
        result: Result = task.result()
    except Exception as error:  # of the user's cluster, whatever it is
        raise RunError(f"a worker of Dask failed: {error or type(error).__name__}") from None
    return result


def _handed_on(document: Document, arrays: Arrays) -> tuple[Document, Arrays]:
    """Return a job as a worker keeps it for the lots."""
    return document, arrays


def _train(
    parts: tuple[Document, Arrays], lot: tuple[Document, Arrays], seconds: float | None
) -> tuple[Document, Arrays]:
    """Train a lot in a worker of Dask."""
    document, arrays = parts
    its = lot_from_parts(*lot)
    job = _JOBS.get(its.job)
    if job is None:
        job = job_from_parts(its.job, document, arrays)
        _JOBS.clear()
        _JOBS[its.job] = job
    return train_lot(job, its, find_budget(most_cores=1), seconds=seconds)
