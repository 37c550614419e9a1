"""Is a run the same whatever is killed on the way? Kills a worker, then the driver, at random moments, and goes on.

    python -m benchmarks.kills                       # from the root, 20 moments of each executor, half an hour
    python -m benchmarks.kills --moments 2 --only dask
    python -m benchmarks.kills --only dask --kill worker --networks 320      # the driver of a longer search lives on

Each moment is a run of its own on processes of this machine, on a shared folder with workers that came by themselves,
or on a local Dask cluster. SIGKILL ends one of its workers and then its driver, at two moments drawn evenly from the
time of an undisturbed run; where the worker is not there yet, or no longer, only the driver is killed. Where workers
alone are killed, time begins with the first of them. A run whose last kill came too late is made once more. Then it
goes on as an array of jobs does: with `--resume` if it had begun, else anew. What is compared byte by byte with a run
of one process: the model, the scored rows, the log, and the numbers in `metrics.json` but for the seconds. No process
of a Dask whose driver is gone may be left. The script ends with 1 if anything differs.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

FIT = ("diabetes", "--search", "halving", "--epochs", "40", "--patience", "40", "--batch-size", "8", "--no-page", "-q")
FIT += ("--engine", "native", "--checkpoint-every", "0.5")
KILLED = ("worker", "driver")
END_SECONDS = 30.0  # that the processes of a killed driver have to end
EXECUTORS = {"processes": ("--workers", "2"), "folder": ("--workers", "0"), "dask": ("--dask", "local")}
SAME = (
    "model/model.json",
    "model/weights.safetensors",
    "scored.safetensors",
    "figures/numbers.safetensors",
    "log.sqlite",
)
APART = ("seconds", "checksums", "sha256")  # of `metrics.json`: the times, and sums of files that name the executor


@dataclass(frozen=True)
class Kill:
    """What was killed: the process, how many seconds after the start, and whether it was there to be killed."""

    what: str
    after: float
    hit: bool


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--moments", type=int, default=20)
    parser.add_argument("--only", choices=EXECUTORS, nargs="*", default=list(EXECUTORS))
    parser.add_argument("--kill", choices=KILLED, nargs="*", default=list(KILLED), help="what, in this order")
    parser.add_argument("--networks", type=int, default=96, help="of the search, which take about 30 ms of a core each")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        trial = Trial(Path(folder), (*FIT, "--networks", str(given.networks)), given.kill, given.moments, given.seed)
        trial.finish(trial.alone, ())
        sound = [trial.same(name) for name in given.only]
    sys.exit(0 if all(sound) else 1)


@dataclass(frozen=True)
class Trial:
    """Runs of one command that are disturbed.

    Attributes:
        root: the folder of all of them.
        fit: the words of the command.
        kill: what is killed in each, in this order.
        moments: how many runs of each executor.
        seed: of the moments.
    """

    root: Path
    fit: tuple[str, ...]
    kill: Sequence[str]
    moments: int
    seed: int

    @property
    def alone(self) -> Path:
        """The run of one process."""
        return self.root / "alone"

    def same(self, name: str) -> bool:
        """Return whether the runs of an executor are all the same, and print a line for each."""
        draw, began = random.Random(f"{self.seed} {name}"), time.monotonic()
        self.finish(self.root / name, EXECUTORS[name], helped=name == "folder")
        length = time.monotonic() - began
        wrong = [difference(self.root / name, self.alone)]
        print(f"{name}: undisturbed {length:.1f} s, {wrong[0] or 'the same'}", flush=True)
        hits = moment = 0
        while hits < self.moments:
            moment, run = moment + 1, self.root / f"{name}-{moment}"
            kills, left = self.disturbed(run, name, sorted(draw.uniform(0.0, length) for _ in self.kill))
            hits += kills[-1].hit
            self.finish(run, EXECUTORS[name], helped=name == "folder")
            wrong.append(", ".join(filter(None, (difference(run, self.alone), left))))
            told = ", ".join(f"{kill.what} at {kill.after:.1f} s" + ("" if kill.hit else " (none)") for kill in kills)
            print(f"{name} {moment}: {told}: {wrong[-1] or 'the same'}", flush=True)
        return not any(wrong)

    def disturbed(self, run: Path, name: str, moments: Sequence[float]) -> tuple[list[Kill], str]:
        """Start a run and kill; return what was hit, and in words what was left when the driver was gone."""
        driver = self.start(run, EXECUTORS[name])
        outside = [start_worker(run) for _ in range(2)] if name == "folder" else []
        while "driver" not in self.kill and driver.poll() is None and worker_of(driver.pid, outside) is None:
            time.sleep(0.05)
        began = time.monotonic()
        kills, family = [], dict[int, psutil.Process]()
        for what, moment in zip(self.kill, moments, strict=True):
            time.sleep(max(0.0, began + moment - time.monotonic()))
            family |= {each.pid: each for each in family_of(driver.pid)}
            found = driver.pid if what == "driver" else worker_of(driver.pid, outside)
            hit = found is not None and driver.poll() is None
            if hit and found is not None:
                os.kill(found, signal.SIGKILL)
            kills.append(Kill(what, moment, hit))
        driver.wait()
        for process in outside:  # they may go on or not; here they end with their driver, as on a machine that is gone
            process.kill()
            process.wait()
        if "driver" not in self.kill and driver.returncode != 0:
            return kills, f"the driver ended with {driver.returncode}"
        return kills, left_of(list(family.values())) if name == "dask" else ""  # others go on for the next driver

    def finish(self, run: Path, options: Sequence[str], *, helped: bool = False) -> None:
        """Begin a run or go on with it until it is finished."""
        if (run / "metrics.json").exists() and not (run / "checkpoint").exists():
            return
        driver = self.start(run, options)
        outside = [start_worker(run) for _ in range(2)] if helped else []
        if driver.wait() != 0:
            raise SystemExit(f"{run}: the driver ended with {driver.returncode}")
        for process in outside:
            process.terminate()  # it may have come when all was done
            process.wait()

    def start(self, run: Path, options: Sequence[str]) -> subprocess.Popen[bytes]:
        """Start a driver that begins a run or goes on with it."""
        begun = (run / "config.toml").exists()
        words = ["--resume", str(run), "-q"] if begun else [*self.fit, "--out", str(run)]
        return subprocess.Popen([sys.executable, "-m", "shoal", "fit", *words, *options], stdout=subprocess.DEVNULL)


def family_of(driver: int) -> list[psutil.Process]:
    """Return the processes that a driver started, and those that they started."""
    try:
        return psutil.Process(driver).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def left_of(family: Sequence[psutil.Process]) -> str:
    """Return which processes do not end, in words, and end them."""
    _, left = psutil.wait_procs(family, timeout=END_SECONDS)
    for process in left:
        process.kill()
    return f"{len(left)} processes were left" if left else ""


def worker_of(driver: int, outside: Sequence[subprocess.Popen[bytes]]) -> int | None:
    """Return a process that trains for a driver: one from outside, or the last of its children."""
    if outside:
        return outside[0].pid
    workers = [each.pid for each in family_of(driver) if _trains(each)]
    return workers[-1] if workers else None


def _trains(process: psutil.Process) -> bool:
    try:
        words = " ".join(process.cmdline())
    except psutil.Error:
        return False
    return "shoal work" in words or "spawn_main" in words  # the last: a worker of Dask under its nanny


def start_worker(run: Path) -> subprocess.Popen[bytes]:
    """Start a worker that comes from outside, on one core."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "shoal", "work", str(run), "--quiet", "--wait", "9"]
    return subprocess.Popen(command, env=environment)


def difference(run: Path, alone: Path) -> str:
    """Return in what a run differs from that of one process, empty if in nothing."""
    found = [name for name in SAME if (run / name).read_bytes() != (alone / name).read_bytes()]
    here, there = (numbers(json.loads((each / "metrics.json").read_text())) for each in (run, alone))
    found += sorted(f"metrics.json: {name}" for name in here.keys() | there.keys() if here.get(name) != there.get(name))
    return ", ".join(found)


def numbers(metrics: dict[str, Any]) -> dict[str, Any]:
    """Return what `metrics.json` says of the networks, not of how and when they were trained."""
    return {name: value for name, value in metrics.items() if name not in APART}


if __name__ == "__main__":
    main()
