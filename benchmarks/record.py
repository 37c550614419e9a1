"""The results file: one JSON line for each measurement, so that a run that was killed goes on where it was."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import statistics
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

LIBRARIES = (
    "numpy",
    "jax",
    "optax",
    "scikit-learn",
    "joblib",
    "torch",
    "keras",
    "tensorflow",
    "tensorflow-cpu",
    "keras-tuner",
    "hyperoptax",
)


def machine() -> dict[str, Any]:
    """Return what the numbers depend on: processor, cores, memory, system, versions."""
    import shoal

    versions = {"shoal": shoal.__version__ + _commit()}
    for name in LIBRARIES:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "kernel": _kernel(),
        "versions": versions,
    }


def _kernel() -> str:
    """Return the instruction set of the native engine's kernel, `none` where it was not built."""
    from shoal.training.engines.native.library import best_kernel

    kernel = best_kernel()
    return kernel.name if kernel else "none"


def _processor() -> str:
    file = Path("/proc/cpuinfo")
    lines = file.read_text().splitlines() if file.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def _commit() -> str:
    """Return the last commit that changed the package, because the version alone does not tell what was measured."""
    folder = str(Path(__file__).parents[1])
    command = ["git", "-C", folder, "log", "-1", "--format=%h", "--", "src"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return ""
    return f" ({done.stdout.strip()})"


class Record:
    """The measurements of one machine, in memory and in a file.

    Raises:
        SystemExit: the file is of another machine or of other versions.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        text = file.read_text(encoding="utf-8") if file.exists() else ""
        if text and not text.endswith("\n"):  # a killed run has cut its last line
            text = text[: text.rfind("\n") + 1]
            file.write_text(text, encoding="utf-8")
        lines = [json.loads(line) for line in text.splitlines()]
        self.machine: dict[str, Any] = lines[0] if lines else {}
        self.lines: list[dict[str, Any]] = lines[1:]

    def begin(self, here: dict[str, Any]) -> None:
        """Write the machine into a new file, or check that it is the same."""
        if not self.machine:
            self.machine = here
            self._append(here)
        elif self.machine != here:
            different = [name for name in here if here[name] != self.machine.get(name)]
            raise SystemExit(
                f"{self.file} was measured elsewhere ({', '.join(different)} differ); "
                "choose another file with --results, or measure anew with --fresh"
            )

    def add(self, name: str, turn: int, outcome: dict[str, Any]) -> None:
        """Keep the outcome of a measurement."""
        line = {"name": name, "round": turn, **outcome}
        self.lines.append(line)
        self._append(line)

    def _append(self, line: dict[str, Any]) -> None:
        self.file.parent.mkdir(parents=True, exist_ok=True)
        with self.file.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(line) + "\n")

    @property
    def rounds(self) -> dict[int, int]:
        """The number of rounds of each workload that was measured."""
        rounds: dict[int, int] = {}
        for line in self.lines:
            workload = int(line["name"].split("/")[0])
            rounds[workload] = max(rounds.get(workload, 0), line["round"] + 1)
        return rounds

    def has(self, name: str, turn: int) -> bool:
        """Whether a measurement was made."""
        return any(line["name"] == name and line["round"] == turn for line in self.lines)

    def values(self, name: str, field: str = "seconds") -> dict[int, float]:
        """Return a number of a measurement by round."""
        return {line["round"]: line[field] for line in self.lines if line["name"] == name and field in line}

    def median(self, name: str, field: str = "seconds") -> float | None:
        """Return the median over the rounds, or None."""
        return median(self.values(name, field).values())

    def word(self, name: str, field: str) -> str | None:
        """Return the last word that a measurement has for a field, or None."""
        return next((line[field] for line in reversed(self.lines) if line["name"] == name and field in line), None)

    def why_not(self, name: str) -> str:
        """Return why a measurement has no number."""
        reasons = [line["failed"] for line in self.lines if line["name"] == name and "failed" in line]
        return reasons[-1] if reasons else "not measured"

    def ratio(self, above: str, below: str, fields: tuple[str, str] = ("seconds", "seconds")) -> float | None:
        """Return the median over the rounds of the ratio within a round, or None."""
        a, b = self.values(above, fields[0]), self.values(below, fields[1])
        return median(a[turn] / b[turn] for turn in a.keys() & b.keys() if b[turn] > 0.0)


def median(values: Iterable[float]) -> float | None:
    """Return the median, None of nothing."""
    known = list(values)
    return statistics.median(known) if known else None
