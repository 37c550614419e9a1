"""Making one measurement: a process with a known environment, its wall-clock seconds, and what it printed last."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from peers.base import available_cores
from plan import Measurement

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")
FORBIDDEN = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")  # they choose slower products for numpy
GRACE = 300.0  # seconds beyond a search's time limit
DISTURBED, TRIES = 0.1, 3  # a share of the machine that makes a measurement doubtful, and how often it is tried
SHORT, PAUSE = 60.0, 20.0  # seconds up to which one is made again, and those that a quiet moment is waited for


def environment(measurement: Measurement, cache: str) -> dict[str, str]:
    """Return the variables of a measurement: all cores for everyone, no GPU, empty caches of compiled programs."""
    kept = {name: value for name, value in os.environ.items() if name not in FORBIDDEN}
    threads = dict.fromkeys(THREADS, str(available_cores()))
    caches = {"SHOAL_CACHE_DIR": f"{cache}/shoal", "TORCHINDUCTOR_CACHE_DIR": f"{cache}/torch"}
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "MPLBACKEND": "Agg", "PYTHONWARNINGS": "ignore"}
    alike = {"CUDA_VISIBLE_DEVICES": "", "JAX_PLATFORMS": "cpu"}
    return {**kept, **threads, **caches, **quiet, **alike, **measurement.environment}


def make(measurement: Measurement, limit: float, tries: int = TRIES) -> dict[str, Any]:
    """Return the outcome of a measurement, `{"failed": why}` where it has none.

    `wall` is the whole process. `others` is the share of the machine that other programs took meanwhile: where it
    is large, a short measurement is made again, and the least disturbed one counts; a single try waits for nothing.
    """
    outcomes: list[dict[str, Any]] = []
    while len(outcomes) < tries:
        if tries > 1:
            _wait_for_quiet()
        outcomes.append(_make_once(measurement, limit))
        last = outcomes[-1]
        if "failed" in last or last["others"] < DISTURBED or last["wall"] > SHORT:
            break
    return min(outcomes, key=lambda outcome: outcome.get("others", 1.0))


def _wait_for_quiet() -> None:
    """Wait a while for other programs to pause."""
    end = time.perf_counter() + PAUSE
    while time.perf_counter() < end:
        before, began = _busy_seconds(), time.perf_counter()
        time.sleep(0.2)
        elapsed = time.perf_counter() - began
        if _busy_seconds() - before < DISTURBED * elapsed * (os.cpu_count() or 1):
            return


def _make_once(measurement: Measurement, limit: float) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        first = _run(measurement, folder, limit + GRACE, 0)
        if not measurement.twice or "failed" in first:
            return first
        second = _run(measurement, folder, limit + GRACE, 1)
        if "failed" in second:
            return second
        warm = {f"warm_{name}": value for name, value in second.items()}
        return {**first, **warm, "others": max(first["others"], second["others"])}


def _run(measurement: Measurement, folder: str, limit: float, number: int) -> dict[str, Any]:
    written = (measurement.out, f"{folder}/out-{number}") if measurement.out else ()
    busy, ours, began = _busy_seconds(), _child_seconds(), time.perf_counter()
    process = subprocess.Popen(
        [*measurement.command, *written],
        env=environment(measurement, folder),
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        output, errors = process.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        _stop(process)
        return {"failed": f"took longer than {limit:.0f} s"}
    except BaseException:  # however this run ends, its measurement ends with it
        _stop(process)
        raise
    wall = time.perf_counter() - began
    if process.returncode != 0:
        return {"failed": (errors.strip().splitlines() or ["no message"])[-1][:200]}
    others = ((_busy_seconds() - busy) - (_child_seconds() - ours)) / (wall * (os.cpu_count() or 1))
    found = {**_printed(output), **_told(Path(written[-1]) if written else None)}
    return {"seconds": wall, **found, "wall": wall, "others": round(min(1.0, max(0.0, others)), 3)}


def _stop(process: subprocess.Popen[str]) -> None:
    """End a process and those that it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def _printed(output: str) -> dict[str, float]:
    """Return the numbers that a measurement printed in its last line, if it did."""
    last = (output.strip().splitlines() or [""])[-1]
    if not last.startswith("{"):
        return {}
    numbers: dict[str, float] = json.loads(last)
    return numbers


def _told(run: Path | None) -> dict[str, Any]:
    """Return what the folder of a run tells: who trained, and the seconds of training and of writing the page."""
    file = None if run is None else run / "metrics.json"
    if file is None or not file.exists():
        return {}
    metrics = json.loads(file.read_text(encoding="utf-8"))
    seconds = {f"{name}_seconds": metrics["seconds"][name] for name in ("train", "report")}
    return {"engine": metrics["engine"]["name"], **seconds}


def _busy_seconds() -> float:
    """Return the seconds that the cores of this machine have worked since it started, 0 where it does not tell."""
    file = Path("/proc/stat")
    if not file.exists():
        return 0.0
    user, nice, system, _, _, *interrupts = map(int, file.read_text().splitlines()[0].split()[1:])
    return (user + nice + system + sum(interrupts[:3])) / os.sysconf("SC_CLK_TCK")


def _child_seconds() -> float:
    times = os.times()
    return times.children_user + times.children_system
