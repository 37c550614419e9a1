"""What large tables cost: peak memory and seconds of a fit and of predictions, each in processes of its own.

Seconds are those of the clock and those that the cores worked, which other work on the machine hardly changes.

    python -m benchmarks.large            # all of it, some minutes; prints the rows of docs/explanation/reliability.md
    python -m benchmarks.large wide       # only cases whose name holds this

Memory is the proportional set size of the command and all of its children together, looked at every 0.1 s.
"""

from __future__ import annotations

import re
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl

SHORT = ["--networks", "16", "--epochs", "3", "--patience", "3", "-q"]
CASES = {
    "1,000,000 × 20": (1_000_000, 20, []),
    "1,000,000 × 20, `--memory 1GB`": (1_000_000, 20, ["--memory", "1GB"]),
    "2,000 × 2,000 (wide)": (2_000, 2_000, []),
    "2,000 × 2,000 (wide), `--memory 1GB`": (2_000, 2_000, ["--memory", "1GB"]),
}


def main(wanted: str = "") -> None:
    """Print a row of Markdown for each case and command."""
    print("| table | command | peak memory | seconds | of the cores |\n| --- | --- | ---: | ---: | ---: |")
    with tempfile.TemporaryDirectory() as folder:
        for name, (rows, columns, options) in CASES.items():
            if wanted not in name:
                continue
            for ending in ("parquet", "csv"):
                table, run = Path(folder, f"table.{ending}"), Path(folder, f"run-{ending}")
                write(table, rows, columns)
                fit = ["fit", str(table), "--target", "y", "--out", str(run), "--force", *SHORT, *options]
                answers = ["predict", str(run), str(table), "-o", str(Path(folder, f"answers.{ending}")), "--force"]
                for what, command in (("fit", fit), ("predict", answers)):
                    print(f"| {name} | {what}, {ending} | {' | '.join(measured(command))} |", flush=True)


def write(path: Path, rows: int, columns: int) -> None:
    """Write a table whose target is a smooth function of three columns with noise."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(rows, columns)).astype(np.float32)
    y = x[:, 0] * x[:, 1] + np.sin(2 * x[:, 2]) + 0.3 * rng.normal(size=rows).astype(np.float32)
    table = pl.DataFrame({**{f"x{i}": x[:, i] for i in range(columns)}, "y": y})
    if path.suffix == ".csv":
        table.write_csv(path)
    else:
        table.write_parquet(path)


def measured(arguments: list[str]) -> tuple[str, str, str]:
    """Run a command of shoal; return its peak memory, its seconds or how it ended, and those of the cores."""
    started, before, peak = time.monotonic(), cores(), 0
    command = [sys.executable, "-m", "shoal", *arguments]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        while process.poll() is None:
            peak = max(peak, sum(map(memory, family(process.pid))))
            time.sleep(0.1)
        message = process.stderr.read() if process.stderr else ""
    seconds = time.monotonic() - started
    said = f"{seconds:.1f}" if process.returncode == 0 else f"exit code {process.returncode}: {message.strip()}"
    return f"{peak / 1e9:.2f} GB", said, f"{cores() - before:.1f}"


def cores() -> float:
    """Return the seconds that processes which have ended worked."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def family(pid: int) -> list[int]:
    """Return a process and its children, and theirs."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [pid, *(other for child in children for other in family(int(child)))]


def memory(pid: int) -> int:
    """Return the proportional set size of a process in bytes."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    return 1024 * int(re.search(r"^Pss:\s+(\d+)", text, re.MULTILINE)[1])  # type: ignore[index]


if __name__ == "__main__":
    main(*sys.argv[1:2])
