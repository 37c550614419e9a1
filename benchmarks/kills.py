"""Is a run the same whatever is killed on the way? Kills a worker, then the driver, at random moments, and goes on.

    python -m benchmarks.kills                       # from the root, 20 moments of each executor, half an hour
    python -m benchmarks.kills --moments 2 --only dask

Each moment is a run of its own on processes of this machine, on a shared folder with workers that came by themselves,
or on a local Dask cluster. SIGKILL ends one of its workers and then its driver, at two moments drawn evenly from the
time of an undisturbed run; where the worker is not there yet, or no longer, only the driver is killed, and a run that
was over is made once more. Then it goes on as an array of jobs does: with `--resume` if it had begun, else anew.
What is compared byte by byte with a run of one process: the model, the scored rows, the log, and the numbers in
`metrics.json` but for the seconds. The script ends with 1 if anything differs.
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

FIT = (
    "diabetes",
    "--search",
    "halving",
    "--networks",
    "96",
    "--epochs",
    "40",
    "--patience",
    "40",
    "--batch-size",
    "8",
    "--no-page",
    "-q",
)
FIT += ("--engine", "native", "--checkpoint-every", "0.5")
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
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        finish(root / "alone", ())
        sound = [tried(root, name, given.moments, given.seed) for name in given.only]
    sys.exit(0 if all(sound) else 1)


def tried(root: Path, name: str, moments: int, seed: int) -> bool:
    """Return whether the runs of an executor are all the same, and print a line for each."""
    draw, began = random.Random(f"{seed} {name}"), time.monotonic()
    finish(root / name, EXECUTORS[name], helped=name == "folder")
    length = time.monotonic() - began
    wrong = [difference(root / name, root / "alone")]
    print(f"{name}: undisturbed {length:.1f} s, {wrong[0] or 'the same'}", flush=True)
    hits = moment = 0
    while hits < moments:
        moment, run = moment + 1, root / f"{name}-{moment}"
        kills = disturbed(run, name, sorted(draw.uniform(0.0, length) for _ in range(2)))
        hits += kills[-1].hit  # or the run was over
        finish(run, EXECUTORS[name], helped=name == "folder")
        wrong.append(difference(run, root / "alone"))
        told = ", ".join(f"{kill.what} at {kill.after:.1f} s" + ("" if kill.hit else " (none)") for kill in kills)
        print(f"{name} {moment}: {told}: {wrong[-1] or 'the same'}", flush=True)
    return not any(wrong)


def disturbed(run: Path, name: str, moments: Sequence[float]) -> list[Kill]:
    """Start a run, kill a worker and then the driver, and return what was hit."""
    began = time.monotonic()
    driver = start(run, EXECUTORS[name])
    outside = [start_worker(run) for _ in range(2)] if name == "folder" else []
    kills = []
    for what, moment in zip(("worker", "driver"), moments, strict=True):
        time.sleep(max(0.0, began + moment - time.monotonic()))
        found = driver.pid if what == "driver" else worker_of(driver.pid, outside)
        hit = found is not None and driver.poll() is None
        if hit and found is not None:
            os.kill(found, signal.SIGKILL)
        kills.append(Kill(what, moment, hit))
    driver.wait()
    for (
        process
    ) in outside:  # the others may go on or not; here they end with their driver, as on a machine that is gone
        process.kill()
        process.wait()
    return kills


def worker_of(driver: int, outside: Sequence[subprocess.Popen[bytes]]) -> int | None:
    """Return a process that trains for a driver: one from outside, or the last of its children."""
    if outside:
        return outside[0].pid
    family = psutil.Process(driver).children(recursive=True) if psutil.pid_exists(driver) else []
    workers = [each.pid for each in family if _trains(each)]
    return workers[-1] if workers else None


def _trains(process: psutil.Process) -> bool:
    try:
        words = " ".join(process.cmdline())
    except psutil.Error:
        return False
    return "shoal work" in words or "spawn_main" in words  # the last: a worker of Dask under its nanny


def finish(run: Path, options: Sequence[str], *, helped: bool = False) -> None:
    """Begin a run or go on with it until it is finished."""
    if (run / "metrics.json").exists() and not (run / "checkpoint").exists():
        return
    driver = start(run, options)
    outside = [start_worker(run) for _ in range(2)] if helped else []
    if driver.wait() != 0:
        raise SystemExit(f"{run}: the driver ended with {driver.returncode}")
    for process in outside:
        process.terminate()  # it may have come when all was done
        process.wait()


def start(run: Path, options: Sequence[str]) -> subprocess.Popen[bytes]:
    """Start a driver that begins a run or goes on with it."""
    words = (
        ["--resume", str(run), "-q", *options]
        if (run / "config.toml").exists()
        else [*FIT, "--out", str(run), *options]
    )
    return subprocess.Popen([sys.executable, "-m", "shoal", "fit", *words], stdout=subprocess.DEVNULL)


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
