"""What replicas cost: the time of N replicas of a network beside that of the network alone, measured in pairs.

    python -m benchmarks.replica_cost                          # from the root, on a quiet machine
    python -m benchmarks.replica_cost --replicas 100 --pairs 7

Trained are 2 × 32 rectifiers on 10,000 rows of eight features with measured errors, for 30 epochs in batches of 64.
One after the other the network and its replicas are timed, in turned order from pair to pair, and the median of the
ratios is shown with all of them, beside that of processor times, which other programs disturb less.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from shoal.results import Task
from shoal.search.members import members_of, replicas_of
from shoal.training.engine_choice import choose_engine
from shoal.training.hyperparameters import Hyperparameters
from shoal.training.losses import get_loss
from shoal.training.member import Member
from shoal.training.planner import find_budget
from shoal.training.problem import Problem, make_problem
from shoal.training.trainer import train

ROWS, FEATURES, SIGMA = 10_000, 8, 0.1
NETWORK: dict[str, Any] = {"hidden": (32, 32), "activation": "relu", "optimizer": "adam", "batch_size": 64}


@dataclass(frozen=True)
class Seconds:
    """Wall time and processor time of a training."""

    wall: float
    processor: float


def problem(rows: int = ROWS) -> Problem:
    """Return a smooth law of eight features, four fifths of the rows for training."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(rows, FEATURES)).astype(np.float32)
    y = np.sin(x[:, :1]) + 0.5 * x[:, 1:2] * x[:, 2:3] + SIGMA * rng.normal(size=(rows, 1))
    train_rows = round(0.8 * rows)
    parts = [(x[some], y[some], None) for some in (slice(None, train_rows), slice(train_rows, None))]
    errors = np.full((rows, 1), SIGMA, np.float32)
    posed = make_problem(Task.REGRESSION, get_loss("mse"), *parts)
    return replace(posed, y_err=errors[:train_rows], validation_y_err=errors[train_rows:])


def timed(posed: Problem, members: list[Member], engine: str) -> Seconds:
    """Return how long a training takes, compilation left out."""
    made = choose_engine(posed, members, engine, find_budget()).make()
    wall, processor = time.perf_counter(), time.process_time()
    compiled = train(posed, members, made).compile_seconds
    return Seconds(time.perf_counter() - wall - compiled, time.process_time() - processor)


def pairs(count: int, replicas: int, epochs: int, engine: str, rows: int = ROWS) -> list[tuple[Seconds, Seconds]]:
    """Return the times of one network and of its replicas, once for each pair."""
    posed = problem(rows)
    one = members_of([Hyperparameters(**NETWORK, epochs=epochs, patience=epochs)])
    works = [one, replicas_of(one, replicas)]
    timed(posed, one, engine)  # whatever is done once
    found = []
    for pair in range(count):
        order = (0, 1) if pair % 2 == 0 else (1, 0)
        seconds = {which: timed(posed, works[which], engine) for which in order}
        found.append((seconds[0], seconds[1]))
    return found


def report(found: list[tuple[Seconds, Seconds]], replicas: int) -> str:
    """Return the ratios in words."""
    walls, processors = (
        [getattr(many, kind) / getattr(one, kind) for one, many in found] for kind in ("wall", "processor")
    )
    one, many = (np.median([pair[i].wall for pair in found]) for i in (0, 1))
    every = ", ".join(f"{ratio:.1f}" for ratio in sorted(walls))
    return (
        f"one network {one:.2f} s, {replicas} replicas {many:.2f} s: {np.median(walls):.1f} times as long "
        f"({every}); in processor time {np.median(processors):.1f} times"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--replicas", type=int, default=100)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--engine", default="native", choices=["native", "xla", "auto"])
    given = parser.parse_args()
    print(report(pairs(given.pairs, given.replicas, given.epochs, given.engine), given.replicas))


if __name__ == "__main__":
    main()
