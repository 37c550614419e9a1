"""What does handing out a lot cost, and what does that mean for a thousand workers?

    python -m benchmarks.lots                  # from the root, two minutes; writes lots.json and the figure
    python -m benchmarks.lots --draw           # docs/howto/clusters.svg from lots.json

Ten thousand lots go through each executor to two workers, processes of this machine, which return at once what 16
networks of 1,000 weights would leave. Measured are the seconds of the wall and of the processors of driver and (Dask)
scheduler, and the memory of the driver at the first, middle and last lot.

The figure simulates workers of which each takes the next lot when it is done. The one process through which all lots go
(Dask's scheduler, or the driver of a shared folder) serves them one after the other, each for as long as was measured.
Lots differ in length by a lognormal factor of 30 %, and there are twenty for each worker.
"""

from __future__ import annotations

import argparse
import heapq
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from shoal.cluster.executor import Distributed
from shoal.cluster.job import Arrays, Document, Job, job_of
from shoal.cluster.lots import Lot, deal
from shoal.results import Task
from shoal.training.hyperparameters import Hyperparameters
from shoal.training.losses import get_loss
from shoal.training.member import Member
from shoal.training.problem import make_problem

HERE = Path(__file__).parent
FIGURE = HERE.parent / "docs" / "howto" / "clusters.svg"
NUMBERS = 16 * 1000  # float32, of what a lot leaves
SECONDS = (1, 10, 60, 600)  # of a lot, in the figure
WORKERS = (1, 3, 10, 30, 100, 300, 1000)
LOTS_EACH, SCATTER = 20, 0.3


@dataclass(frozen=True)
class Overhead:
    """What lots cost an executor.

    Attributes:
        executor: `dask` or `folder`.
        lots: how many.
        wall: seconds of each lot, on this machine with two workers.
        driver: processor seconds of the driver for each lot.
        scheduler: the same of Dask's scheduler.
        megabytes: of the driver's memory after the first, half and all of the lots.
    """

    executor: str
    lots: int
    wall: float
    driver: float
    scheduler: float
    megabytes: tuple[float, ...]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lots", type=int, default=10_000)
    parser.add_argument("--only", choices=("dask", "folder"), nargs="*", default=["dask", "folder"])
    parser.add_argument("--draw", action="store_true", help="the figure alone, from lots.json")
    parser.add_argument("--work", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.work:
        return work(given.work)
    kept = HERE / "lots.json"
    if not given.draw:
        found = [measured(name, given.lots) for name in given.only]
        for overhead in found:
            print(overhead, flush=True)
        kept.write_text(json.dumps([asdict(overhead) for overhead in found], indent=1) + "\n")
    draw([Overhead(**{**entry, "megabytes": tuple(entry["megabytes"])}) for entry in json.loads(kept.read_text())])
    return None


def measured(name: str, count: int) -> Overhead:
    """Return what so many lots cost an executor."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(1000, 10)).astype(np.float32), rng.normal(size=(1000, 1)).astype(np.float32)
    problem = make_problem(Task.REGRESSION, get_loss("mse"), (x, y, None), (x, y, None))
    job, choice = job_of(problem, "native"), Hyperparameters()
    lots = [lot for number in range(count) for lot in deal(job, [Member(number, choice)], 1)]
    with opened(name) as executor:
        return handed_out(name, executor, job, lots)


def handed_out(name: str, executor: Distributed, job: Job, lots: Sequence[Lot]) -> Overhead:
    """Hand lots out, and return what they cost."""
    memory, process = [], psutil.Process()
    wall, driver, scheduler = time.perf_counter(), time.process_time(), scheduler_seconds(executor)
    with executor.hand_out(job, lots, None) as results:
        came = 0
        for result in results:
            came += result is not None
            if result is not None and came in (1, len(lots) // 2, len(lots)):
                memory.append(process.memory_info().rss / 1e6)
    spent = time.perf_counter() - wall, time.process_time() - driver, scheduler_seconds(executor) - scheduler
    each = [seconds / len(lots) for seconds in spent]
    return Overhead(name, len(lots), *each, tuple(round(size, 1) for size in memory))


@contextmanager
def opened(name: str) -> Iterator[Distributed]:
    """Give an executor with two workers that train nothing."""
    if name == "dask":
        from shoal.cluster.dask import DaskExecutor

        executor = DaskExecutor("local")
        executor._client.wait_for_workers(2)
        executor._client.run(stub)
        try:
            yield executor
        finally:
            executor.close()
        return
    from shoal.cluster.folder import FolderExecutor

    with tempfile.TemporaryDirectory() as folder:
        of_folder = FolderExecutor(Path(folder) / "work")
        command = [sys.executable, "-m", "benchmarks.lots", "--work", str(of_folder.folder.path)]
        workers = [subprocess.Popen(command) for _ in range(2)]
        try:
            yield of_folder
        finally:
            of_folder.close()
            for worker in workers:
                worker.wait()


def scheduler_seconds(executor: Distributed) -> float:
    """Return the processor seconds that Dask's scheduler has taken."""
    client = getattr(executor, "_client", None)
    return 0.0 if client is None else float(client.run_on_scheduler(time.process_time))


def stub() -> None:
    """Let this process train nothing."""
    import shoal.cluster.dask
    import shoal.cluster.worker

    shoal.cluster.dask.train_lot = shoal.cluster.worker.train_lot = nothing


def nothing(job: Job, lot: Lot, *_: Any, **__: Any) -> tuple[Document, Arrays]:  # noqa: ARG001
    """Return what a lot leaves, in size."""
    document = {"finished": [], "halfway": {}, "engine": "native", "lot": lot.key, "programs": 0, "note": None}
    return document, {"weights": np.zeros(NUMBERS, np.float32)}


def work(folder: str) -> None:
    """Be a worker of a shared folder that trains nothing."""
    from shoal.cluster.shared_folder import SharedFolder
    from shoal.cluster.worker import work as work_in
    from shoal.training.planner import find_budget

    stub()
    work_in(SharedFolder(folder), find_budget("1GB", 1), patience=60.0)


def speed_up(workers: int, seconds: float, overhead: float, seed: int = 0) -> float:
    """Return how many times as fast workers are as one without overhead, by simulation.

    Args:
        workers: how many.
        seconds: of a lot, on average.
        overhead: seconds of each lot in the one process through which all go.
        seed: of the lengths of lots.
    """
    rng = np.random.default_rng(seed)
    lengths = seconds * rng.lognormal(-0.5 * SCATTER**2, SCATTER, LOTS_EACH * workers)
    free = [0.0] * workers  # when each worker asks for the next lot
    served = 0.0
    for length in lengths:
        served = max(served, heapq.heappop(free)) + overhead
        heapq.heappush(free, served + length)
    return float(lengths.sum() / max(free))


def draw(found: Sequence[Overhead]) -> None:
    """Draw how much faster many workers are, for lots of several lengths."""
    import matplotlib.pyplot as plt

    figure, each = plt.subplots(1, len(found), figsize=(4.2 * len(found), 3.8), sharey=True, squeeze=False)
    titles = {"dask": "Dask", "folder": "shared folder"}
    for axes, overhead in zip(each[0], found, strict=True):
        cost = max(overhead.driver, overhead.scheduler)
        axes.plot(WORKERS, WORKERS, color="0.75", linewidth=1)
        for seconds in SECONDS:
            axes.plot(WORKERS, [speed_up(n, seconds, cost) for n in WORKERS], marker=".", label=f"{seconds} s")
        axes.set(
            xscale="log",
            yscale="log",
            xlabel="workers",
            title=f"{titles[overhead.executor]}, {1e3 * cost:.1f} ms a lot",
        )
        axes.grid(alpha=0.3)
    each[0][0].set_ylabel("speed-up")
    each[0][0].legend(title="a lot takes", frameon=False)
    figure.tight_layout()
    figure.savefig(FIGURE, metadata={"Date": None})
    for overhead in found:
        cost = max(overhead.driver, overhead.scheduler)
        print(
            overhead.executor, {s: round(speed_up(1000, s, cost)) for s in SECONDS}, "times as fast with 1,000 workers"
        )


if __name__ == "__main__":
    main()
