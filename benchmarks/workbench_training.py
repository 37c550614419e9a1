"""What `live.curves`, and a client that reads it, cost training: pairs of fits, with and without, one after the other.

python benchmarks/workbench_training.py 9 1000     nine pairs of each, of 1,000 networks on iris for so many epochs

The fit has one core for itself, its reader another one. Times are from the first epochs to the last; that of the
processor is disturbed less by other programs on the machine. A pair's number is the second over the first less one;
printed are the quartiles of the pairs.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

READ = """
import asyncio, sys
from pathlib import Path
from shoal.workbench.frames import FIELDS, HEADER, Followed, Have

async def read() -> None:
    followed, have = Followed(), Have()
    while True:
        numbers = HEADER.unpack_from(await followed.answer(Path(sys.argv[1]), have))[2:]
        have = Have(*numbers[:5])

asyncio.run(read())
"""


def fit(folder: str, epochs: int, writes: bool) -> None:
    """Fit and print seconds of training."""
    os.sched_setaffinity(0, {0})
    import shoal
    from shoal.steps import session
    from shoal.training.engines.native.engine import NativeEngine

    if not writes:
        session.LiveFile = _Mute  # type: ignore[assignment, misc]
    spent: list[tuple[float, float]] = []
    advance = NativeEngine.advance

    def timed(self: Any, *arguments: Any) -> Any:
        spent.append((time.perf_counter(), time.process_time()))
        done = advance(self, *arguments)
        spent.append((time.perf_counter(), time.process_time()))
        return done

    NativeEngine.advance = timed  # type: ignore[method-assign]
    shoal.fit(
        "iris", networks=200, cv=5, search="random", hidden=(8,), batch_size=32, epochs=epochs, patience=epochs,
        engine="native", page=False, out=folder,
    )  # fmt: skip
    wall, processor = (end - begin for begin, end in zip(spent[0], spent[-1], strict=True))
    print(json.dumps({"wall": wall, "processor": processor, "chunks": len(spent) // 2}))


class _Mute:
    """What stands for the file where none is written."""

    def __init__(self, _: Any, progress: Any) -> None:
        self.stage, self.note, self.warn, self.training = (
            progress.stage,
            progress.note,
            progress.warn,
            progress.training,
        )

    def ended(self, well: bool) -> None:
        """Nothing is written."""


def measured(epochs: int, *, writes: bool, reads: bool) -> dict[str, float]:
    """Return what one fit in a process of its own says."""
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "run")
        reader = subprocess.Popen(["taskset", "-c", "1", sys.executable, "-c", READ, path]) if reads else None
        try:
            said = subprocess.run(
                [sys.executable, __file__, "fit", path, str(epochs), str(int(writes))],
                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True,
            ).stdout  # fmt: skip
        finally:
            if reader is not None:
                reader.kill()
                reader.wait()
    return dict(json.loads(said.splitlines()[-1]))


def main(pairs: int, epochs: int) -> None:
    """Measure and print one line of JSON for each comparison."""
    for what, first, second in (
        ("writing", {"writes": False, "reads": False}, {"writes": True, "reads": False}),
        ("a reader", {"writes": True, "reads": False}, {"writes": True, "reads": True}),
    ):
        found: list[tuple[dict[str, float], dict[str, float]]] = []
        for number in range(pairs):
            order = (first, second) if number % 2 == 0 else (second, first)
            one, other = (measured(epochs, **each) for each in order)
            found.append((one, other) if number % 2 == 0 else (other, one))
        result: dict[str, Any] = {"what": what, "pairs": pairs, "wall": [round(a["wall"], 2) for a, _ in found]}
        for clock in ("wall", "processor"):
            more = [100 * (b[clock] / a[clock] - 1) for a, b in found]
            result[f"{clock}_percent"] = [round(float(q), 1) for q in np.quantile(more, [0.25, 0.5, 0.75])]
        print(json.dumps({**result, "chunks": found[0][1]["chunks"]}), flush=True)


if __name__ == "__main__":
    if sys.argv[1] == "fit":
        fit(sys.argv[2], int(sys.argv[3]), sys.argv[4] == "1")
    else:
        main(int(sys.argv[1]), int(sys.argv[2]))
