"""Measure recurrent networks in processor time on one core, shoal's native engine beside a PyTorch loop.

    python benchmarks/series.py            # a few minutes; writes docs/explanation/benchmarks_series.md
    python benchmarks/series.py --print    # prints the table alone

Each case is one training of like networks with Adam; a time is that of the processor, of one epoch and one network, the
least of some repeats, so that other programs disturb little. PyTorch trains one network, in one thread; the other
networks would take as long each. Compiling, start values and validation are left out. Behind these come the time of
predicting images and series, and whole commands:
`shoal fit` of 62 series of 150 steps by its defaults, by either engine, with nothing cached.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

PAGE = Path(__file__).resolve().parent.parent / "docs" / "explanation" / "benchmarks_series.md"
REPEATS, CLASSES = 3, 10


@dataclass(frozen=True)
class Case:
    """So many networks with a recurrent layer and ten classes by its last state, on series of random numbers."""

    cell: str
    units: int
    networks: int
    rows: int
    steps: int
    features: int
    batch: int
    epochs: int

    @property
    def words(self) -> str:
        """The case as the table names it."""
        series = f"{self.rows:,} × {self.steps} × {self.features}, batch {self.batch}"
        return f"{self.networks} {self.cell.upper()} of {self.units} units | {series}"


LARGE = {"rows": 1_280, "steps": 100, "features": 8, "batch": 64, "epochs": 3}
SMALL = {"rows": 50, "steps": 150, "features": 1, "batch": 16, "epochs": 20}
CASES = (
    Case("lstm", 64, 1, **LARGE),
    Case("lstm", 64, 8, **LARGE),
    Case("gru", 64, 1, **LARGE),
    *(Case("lstm", units, 16, **SMALL) for units in (4, 8, 16, 32)),
    Case("gru", 16, 16, **SMALL),
)


def arrays(case: Case) -> tuple[np.ndarray, np.ndarray]:
    """Return series and classes."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(case.rows, case.steps, case.features)).astype(np.float32)
    return x, rng.integers(0, CLASSES, case.rows)


def by_shoal(case: Case) -> float:
    """Return the seconds of the processor for an epoch of one of the networks."""
    from shoal.results import Task
    from shoal.training.engines.native import NativeEngine
    from shoal.training.hyperparameters import Hyperparameters
    from shoal.training.loss_choice import choose_loss
    from shoal.training.member import Member
    from shoal.training.problem import make_problem
    from shoal.training.trainer import train

    kernel = _timed_kernel()
    x, y = arrays(case)
    parts = (x, y, None), (x[:10], np.arange(CLASSES), None)
    problem = make_problem(
        Task.CLASSIFICATION, choose_loss(Task.CLASSIFICATION, CLASSES, None), *parts, classes=CLASSES
    )
    lasts = {"epochs": case.epochs, "patience": case.epochs, "batch_size": case.batch, "learning_rate": 1e-3}
    h = Hyperparameters(layers=f"{case.cell}:{case.units}", hidden=(), **lasts)
    taken = []
    for _ in range(REPEATS):
        kernel.seconds.clear()
        train(problem, [Member(i, h) for i in range(case.networks)], NativeEngine(cores=1, kernel=kernel))
        taken.append(sum(kernel.seconds))
    return min(taken) / case.epochs / case.networks


def _timed_kernel() -> Any:
    from calibrate import TimedKernel

    from shoal.training.engines.native.library import best_kernel

    best = best_kernel()
    if best is None:
        raise SystemExit("the kernel of the native engine was not built")
    return TimedKernel(best.name, best.lanes, best.handle)


def by_torch(case: Case) -> float:
    """Return the seconds of the processor for an epoch of one network."""
    import torch

    torch.set_num_threads(1)
    x, y = (torch.from_numpy(array) for array in arrays(case))
    layer = getattr(torch.nn, case.cell.upper())(case.features, case.units, batch_first=True)
    dense = torch.nn.Linear(case.units, CLASSES)
    adam = torch.optim.Adam([*layer.parameters(), *dense.parameters()], lr=1e-3)
    taken = []
    for _ in range(REPEATS + 1):
        began = time.process_time()
        for rows in torch.randperm(case.rows).split(case.batch):
            adam.zero_grad()
            torch.nn.functional.cross_entropy(dense(layer(x[rows])[0][:, -1]), y[rows]).backward()
            adam.step()
        taken.append(time.process_time() - began)
    return min(taken[1:])


def predicting() -> str:
    """Return a sentence on the time in which images and series are predicted, by the kernel and by NumPy."""
    from shoal.networks import Network
    from shoal.networks.parsing import parse_layers
    from shoal.training.forward import predict

    images = "conv2d:16:3:1:same:relu maxpooling2d:2 conv2d:32:3:1:same:relu maxpooling2d:2 flatten 64:relu 10:softmax"
    cases = {
        "2,000 images of 64 × 64 × 3 by two convolutions": ((64, 64, 3), images, 2000),
        "500 series of 150 steps by an LSTM of 32 units": ((150, 1), "lstm:32 10:softmax", 500),
    }
    parts = []
    for words, (shape, layers, rows) in cases.items():
        network = Network(parse_layers(layers), shape)
        given = network.initialize(0), np.random.default_rng(0).normal(size=(rows, *shape)).astype(np.float32)
        taken = []
        for way in (lambda *given, of=network: predict(of, *given, cores=1), network.predict):
            each = []
            for _ in range(REPEATS):
                began = time.process_time()
                way(*given)
                each.append(time.process_time() - began)
            taken.append(1e3 * min(each))
        parts.append(f"{words} take {taken[0]:.3g} ms of the processor by the kernel and {taken[1]:.4g} ms by NumPy")
    return f"To predict, {'; '.join(parts)}."


def commands() -> dict[str, float]:
    """Return the seconds of the processor that `shoal fit` of short series takes by either engine."""
    rng = np.random.default_rng(0)
    y, t = np.arange(62) % 2, np.linspace(0.0, 1.0, 150)
    width, late = (0.15 + 0.02 * y)[:, None], 0.03 * rng.normal(size=(62, 1))
    dip = 0.25 * y[:, None] * np.exp(-(((t - 0.25) / 0.03) ** 2))
    x = np.exp(-(((t - 0.5 - late) / width) ** 4)) + dip + 0.03 * rng.normal(size=(62, 150))
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        np.savez(f"{folder}/gestures.npz", x=x[..., None].astype(np.float32), y=y)
        for engine in ("native", "xla"):
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            say = "from shoal.cli import run; run()"
            given = ["fit", f"{folder}/gestures.npz", "--engine", engine, "-o", f"{folder}/{engine}"]
            caches = os.environ | {"XDG_CACHE_HOME": f"{folder}/cache"}
            subprocess.run([sys.executable, "-c", say, *given], check=True, capture_output=True, env=caches)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            found[engine] = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return found


def page(whole: bool) -> str:
    """Return the page with what was measured."""
    lines = ["| networks | series | shoal | PyTorch loop | ratio |", "| --- | --- | --: | --: | --: |"]
    for case in CASES:
        ours, theirs = by_shoal(case), by_torch(case)
        lines.append(f"| {case.words} | {1e3 * ours:.3g} ms | {1e3 * theirs:.3g} ms | {theirs / ours:.2g} × |")
        print(lines[-1], file=sys.stderr, flush=True)
    parts = ["\n".join(lines)]
    parts.append(predicting())
    if whole:
        taken = commands()
        parts.append(
            "`shoal fit` of 62 series of 150 steps by its defaults, page included and nothing cached, takes "
            f"{taken['native']:.3g} s of the processor by the native engine and {taken['xla']:.3g} s by the XLA engine."
        )
    return "\n\n".join(parts)


def _opening() -> str:
    import torch

    from shoal.training.engines.native.library import best_kernel

    kernel = getattr(best_kernel(), "name", "none")
    model = next((line.split(":", 1)[1] for line in _lines("/proc/cpuinfo") if line.startswith("model name")), "?")
    return (
        "# Benchmarks of recurrent networks\n\n"
        "Written by `python benchmarks/series.py`: milliseconds of the processor for an epoch of one network, with "
        f"Adam and ten classes by the last state, on one core of {model.strip()}; kernel {kernel}, "
        f"PyTorch {torch.__version__} in one thread. shoal deals networks, and the parts of large batches of one, to "
        "all cores that are free.\n\n"
    )


def _lines(path: str) -> list[str]:
    return Path(path).read_text(encoding="utf-8").splitlines() if Path(path).exists() else []


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--print", action="store_true", help="print the table, without whole commands")
    given = parser.parse_args()
    if given.print:
        print(page(whole=False))
    else:
        PAGE.write_text(_opening() + page(whole=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
