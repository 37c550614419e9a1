"""Fit the constants of `shoal/training/engines/native/cost.py` to what the kernel takes on this machine, on one core.

    python benchmarks/calibrate.py              # some minutes
    python benchmarks/calibrate.py --quick      # a small grid, to see that it works

Each measurement is one lane block of like members; its time is that of the processor in `Kernel.train`, the least of
some repeats, so that other programs disturb little. Errors are relative: each measurement counts alike. Behind the
constants as they stand and as they fit come other forms of the model, to see whether one is worth its constants.
"""

from __future__ import annotations

import argparse
import itertools
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from scipy.optimize import nnls
from shoal_side import members_of, problem_of
from work import Work, arrays_of

from shoal.training.engines.native import NativeEngine, cost
from shoal.training.engines.native import members as records
from shoal.training.engines.native.library import Kernel, best_kernel
from shoal.training.trainer import train

CONSTANTS = ("STEP", "PARAMETER", "CHEAP_PARAMETER", "FAR", "VALUE", "PRODUCT")
WIDTHS, BATCHES = (4, 8, 16, 32, 64, 128, 256), (8, 32, 128)
SIZES = ((4, 3), (64, 10))  # inputs and outputs
ACTIVATIONS, OPTIMIZERS = ("relu", "tanh"), ("sgd", "adam")
ENOUGH = 100_000.0  # microseconds that a measurement shall last
CACHES = (1, 2, 4)  # megabytes that may stay close to a core

Columns = dict[str, float]


@dataclass(frozen=True)
class TimedKernel(Kernel):
    """A kernel that notes the processor's seconds of each call."""

    seconds: list[float] = field(default_factory=list)

    def train(self, *given: Any) -> None:
        """Train as the kernel does."""
        began = time.process_time()
        super().train(*given)
        self.seconds.append(time.process_time() - began)


@dataclass(frozen=True)
class Case:
    """What a lane block trains, the columns of the model, and the microseconds of an epoch."""

    work: Work
    optimizer: str
    columns: Columns
    microseconds: float


def grid(quick: bool) -> Iterator[tuple[Work, str]]:
    """Return works and optimizers; the validation rows are a quarter, as in a usual split."""
    widths, batches = ((8, 64), (8, 32)) if quick else (WIDTHS, BATCHES)
    for (inputs, outputs), width, depth, batch in itertools.product(SIZES, widths, (1, 2), batches):
        for activation, optimizer in itertools.product(ACTIVATIONS, OPTIMIZERS):
            sizes = {"rows": 256, "validation_rows": 64, "features": inputs, "classes": outputs}
            yield Work("random", (width,) * depth, batch, 1, activation, **sizes), optimizer


def measure(work: Work, optimizer: str, kernel: Kernel, repeats: int) -> Case:
    """Return a case with the least time of some trainings."""
    problem, steps = problem_of(arrays_of(work)), -(-work.rows // work.batch_size)

    def members(epochs: int) -> list[Any]:
        candidate = {"hidden": work.hidden, "activation": work.activation, "optimizer": optimizer}
        sizes = {"batch_size": work.batch_size, "epochs": epochs, "patience": epochs}
        return members_of([{**candidate, **sizes, "learning_rate": 1e-3}] * kernel.lanes)

    h = members(1)[0].hyperparameters
    epochs = 10 * max(1, min(200, round(ENOUGH / 10 / lane_block_epoch(problem, h, steps, kernel.lanes))))
    taken = []
    for _ in range(repeats):
        timed = TimedKernel(kernel.name, kernel.lanes, kernel.handle)
        with patch.object(records, "LARGE", 10**9):  # all have lanes of their own
            train(problem, members(epochs), NativeEngine(cores=1, kernel=timed))
        taken.append(1e6 * sum(timed.seconds) / epochs)
    return Case(work, optimizer, columns(problem, h, steps, kernel.lanes), min(taken))


def lane_block_epoch(problem: Any, h: Any, steps: int, lanes: int) -> float:
    """Return the microseconds that the model tells for one epoch of a lane block of dense networks."""
    return cost.epoch_of(problem, cost.dense_work(problem, h.hidden), h.optimizer, steps, lanes)


def columns(problem: Any, h: Any, steps: int, lanes: int) -> Columns:
    """Return what each constant of the model is multiplied by: the model with that one 1 and the others 0."""
    found = {}
    for name in CONSTANTS:
        with patch.multiple(cost, **{each: float(each == name) for each in CONSTANTS}):
            found[name] = lane_block_epoch(problem, h, steps, lanes)
    for size in CACHES:  # the column FAR, if so many megabytes stay close
        with patch.multiple(cost, CACHE=1e6 * size, **{each: float(each == "FAR") for each in CONSTANTS}):
            found[f"FAR_{size}"] = lane_block_epoch(problem, h, steps, lanes)
    return found


def _plain(case: Case) -> Columns:
    return {name: case.columns[name] for name in CONSTANTS}


def _apart(case: Case, name: str, kind: str) -> Columns:
    """Return the columns with a constant of its own for each kind."""
    return {f"{key} of {kind}" if key == name else key: value for key, value in _plain(case).items()}


def _within(size: int, case: Case) -> Columns:
    """Return the columns with a cache of so many megabytes."""
    return {**_plain(case), "FAR": case.columns[f"FAR_{size}"]}


def _without_far(case: Case) -> Columns:
    return {name: value for name, value in _plain(case).items() if name != "FAR"}


FORMS: dict[str, Callable[[Case], Columns]] = {
    "the constants": _plain,
    "a value by its activation": lambda case: _apart(case, "VALUE", case.work.activation),
    "no parameter is far": _without_far,
    **{f"parameters beyond {size} MB are far": partial(_within, size) for size in CACHES},
}


def fit(cases: list[Case], form: Callable[[Case], Columns]) -> tuple[Columns, np.ndarray]:
    """Return the constants, none below zero, with the least squares of relative errors, and predicted over measured."""
    rows = [form(case) for case in cases]
    names = list(dict.fromkeys(name for row in rows for name in row))
    table = np.asarray([[row.get(name, 0.0) for name in names] for row in rows])
    relative = table / np.asarray([case.microseconds for case in cases])[:, None]
    scale = np.maximum(relative.max(axis=0), 1e-30)  # constants of any size are found equally well
    found = nnls(relative / scale, np.ones(len(cases)))[0] / scale
    return dict(zip(names, found.tolist(), strict=True)), relative @ found


def report(cases: list[Case]) -> str:
    """Return the constants of each form and how far each is off."""
    now = {name: getattr(cost, name) for name in CONSTANTS}
    ratios = np.asarray([sum(now[key] * case.columns[key] for key in now) / case.microseconds for case in cases])
    parts = [_paragraph("as cost.py has them", now, ratios, cases)]
    parts += [_paragraph(name, *fit(cases, form), cases) for name, form in FORMS.items()]
    return "\n\n".join(parts)


def _paragraph(title: str, constants: Columns, ratios: np.ndarray, cases: list[Case]) -> str:
    errors = np.abs(ratios - 1.0)
    lines = [f"{title}: " + ", ".join(f"{name} = {value:.3g}" for name, value in constants.items())]
    lines.append(
        f"  off by {np.sqrt(np.mean(errors**2)):.1%} (root mean square), {np.median(errors):.1%} (median), "
        f"{np.quantile(errors, 0.9):.1%} (nine of ten); predicted over measured {ratios.min():.2f} to "
        f"{ratios.max():.2f}"
    )
    for i in np.argsort(errors)[: -4 if len(cases) > 3 else None : -1]:
        lines.append(f"  {ratios[i]:.2f}: {_words(cases[i])}, {cases[i].microseconds:.4g} µs")
    return "\n".join(lines)


def _words(case: Case) -> str:
    work = case.work
    widths = "-".join(map(str, (work.features, *work.hidden, work.classes)))
    return f"{widths}, batch {work.batch_size}, {work.activation}, {case.optimizer}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a small grid, each measured once")
    parser.add_argument("--repeats", type=int, help="of which the least counts: 3 if not given, 1 with --quick")
    parser.add_argument("--out", type=Path, help="file for what was measured, one JSON line each")
    given = parser.parse_args()
    kernel = best_kernel()
    if kernel is None:
        raise SystemExit("the kernel of the native engine was not built")
    cases = []
    for work, optimizer in grid(given.quick):
        cases.append(measure(work, optimizer, kernel, given.repeats or (1 if given.quick else 3)))
        print(f"{_words(cases[-1])}: {cases[-1].microseconds:.4g} µs an epoch", flush=True)
    if given.out:
        lines = [
            {"work": case.work.plain(), "optimizer": case.optimizer, **case.columns, "microseconds": case.microseconds}
            for case in cases
        ]
        given.out.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    print(f"\n{len(cases)} cases, kernel {kernel.name}, {kernel.lanes} lanes; microseconds of one core\n")
    print(report(cases))


if __name__ == "__main__":
    main()
