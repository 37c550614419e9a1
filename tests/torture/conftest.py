"""Attacks on shoal, many of them, and how they end: well (finished, or refused in words) or badly.

Every test draws its attacks from a fixed seed, counts each by its kind and fails if one ended badly. With the test
suite a few of each run; `scripts/torture` runs them all and writes the counts into docs/explanation/reliability.md.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

FULL = os.environ.get("SHOAL_TORTURE") == "full"
GIB = 1 << 30
BOUNDED = Path(__file__).with_name("bounded.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All of these are slow."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.slow)
            if FULL:
                item.add_marker(pytest.mark.timeout(4 * 3600))


@pytest.fixture
def attacks() -> Callable[[int, int], int]:
    """How many attacks to make: the first number with the test suite, the second in the whole torture."""
    return lambda short, full: full if FULL else short


@dataclass
class Tally:
    """How the attacks of a module ended, by kind."""

    well: dict[str, int] = field(default_factory=dict)
    bad: dict[str, list[str]] = field(default_factory=dict)

    def count(self, kind: str, fault: str | None) -> None:
        """Count one attack; `fault` says how it ended badly, None that it ended well."""
        if fault is None:
            self.well[kind] = self.well.get(kind, 0) + 1
        else:
            self.bad.setdefault(kind, []).append(fault)

    def check(self, kind: str) -> None:
        """Fail if an attack of this kind ended badly, or none was made."""
        faults = self.bad.get(kind, [])
        assert not faults, f"{len(faults)} of {len(faults) + self.well.get(kind, 0)} ended badly:\n" + "\n".join(faults)
        assert self.well.get(kind), f"no attack of the kind '{kind}' was made"


@pytest.fixture(scope="module")
def tally(request: pytest.FixtureRequest) -> Iterator[Tally]:
    """Count how the attacks of this module end; kept as a file where `scripts/torture` asks for it."""
    counts = Tally()
    yield counts
    if folder := os.environ.get("SHOAL_TORTURE_COUNTS"):
        kept = {kind: [counts.well.get(kind, 0), counts.bad.get(kind, [])] for kind in {**counts.well, **counts.bad}}
        worker = os.environ.get("PYTEST_XDIST_WORKER", "")
        Path(folder, f"{request.path.stem}{worker}.json").write_text(json.dumps(kept, indent=1))


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str
    seconds: float

    def fault(self, codes: Sequence[int] = (0, 2)) -> str | None:
        """Return what is bad about the end, or None: a signal, a traceback, an unexpected error, another exit code."""
        text = self.out + self.err
        for sign in ("Traceback (most recent call last)", "fault of shoal", "Warning:", "MemoryError"):
            if sign in text:
                return f"says '{sign}': {self.err[-600:]}"
        if self.code not in codes:
            return f"exit code {self.code}: {self.err[-600:]}"
        if self.code and "error" not in self.err.lower():
            return f"exit code {self.code} without an error message: {text[-300:]}"
        return None


@pytest.fixture
def shoal() -> Callable[..., Ended]:
    """Run a command of shoal, in its own process, within bounds of memory and time."""

    def run(
        *arguments: str,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        memory: float = 6 * GIB,
        seconds: float = 120,
        **streams: Any,
    ) -> Ended:
        pipes: dict[str, Any] = {
            "stdout": subprocess.PIPE,
            "stderr": subprocess.PIPE,
            "stdin": subprocess.DEVNULL,
            **streams,
        }
        started = time.monotonic()
        with subprocess.Popen(
            [sys.executable, "-S", str(BOUNDED), f"AS={memory:.0f}", sys.executable, "-m", "shoal", *arguments],
            cwd=cwd,
            env={**os.environ, **(env or {})},
            text=True,
            errors="replace",
            start_new_session=True,
            **pipes,
        ) as process:
            try:
                out, err = process.communicate(timeout=seconds)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.communicate()
                return Ended(-9, "", f"still running after {seconds} s", seconds)
        return Ended(process.returncode, out or "", err or "", time.monotonic() - started)

    return run
