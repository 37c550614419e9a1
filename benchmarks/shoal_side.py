"""All that the benchmarks use of shoal's rooms: training a population, and a search in a process of its own.

python benchmarks/shoal_side.py digits --candidates 1000
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass
from functools import partial
from typing import Any

from candidates import draw_candidates
from peers.base import Peer, Timing
from work import Arrays, Work, arrays_of, split_set

LABEL = "shoal"
KERNEL = "shoal.training.engines.native._kernel"


@dataclass(frozen=True)
class ShoalTiming(Timing):
    """What a training by shoal tells besides its seconds.

    Attributes:
        whole_seconds: those of loading and starting the engine, of planning, compiling and training.
        engine: who trained.
        chosen: whom `auto` takes.
        native_estimate: the seconds of the native engine that the choice rests on; None if it cannot train these.
        xla_estimate: those of the XLA engine, with starting and compiling.
    """

    whole_seconds: float
    engine: str
    chosen: str
    native_estimate: float | None
    xla_estimate: float


def problem_of(rows: Arrays) -> Any:
    """Return the problem that rows pose."""
    from shoal.results import Task
    from shoal.training.loss_choice import choose_loss
    from shoal.training.problem import make_problem

    task = Task.CLASSIFICATION
    parts = (rows.x, rows.y, None), (rows.validation_x, rows.validation_y, None)
    return make_problem(task, choose_loss(task, rows.classes, None), *parts, classes=rows.classes)


def members_of(candidates: list[dict[str, Any]]) -> list[Any]:
    """Return one member for each candidate; equal ones share their hyperparameters."""
    from shoal.training.hyperparameters import Hyperparameters
    from shoal.training.member import Member

    known = {tuple(each.items()): Hyperparameters.model_validate(each) for each in candidates}
    return [Member(i, known[tuple(each.items())]) for i, each in enumerate(candidates)]


def _train(problem: Any, members: list[Any], engine: str = "auto") -> Any:
    from shoal.training.engine_choice import choose_engine
    from shoal.training.planner import find_budget
    from shoal.training.trainer import train

    return train(problem, members, choose_engine(problem, members, engine, find_budget()).make())


def _choice(problem: Any, members: list[Any]) -> tuple[str, float | None, float]:
    """Return the engine that `auto` takes, and the seconds that are estimated for either."""
    from shoal.training.engine_choice import choose_engine, xla_seconds
    from shoal.training.engines.native.cost import native_seconds
    from shoal.training.engines.native.suits import unsuited
    from shoal.training.planner import find_budget

    budget = find_budget()
    native = None if unsuited(problem, members) else native_seconds(problem, members, budget.cores)
    name = choose_engine(problem, members, "auto", budget).name
    return name, native, xla_seconds(problem, members, budget.cores)


def train(work: Work, population: int, engine: str = "auto") -> ShoalTiming:
    """Train a population together, each network through all epochs."""
    candidate = {
        "layers": work.layers,
        "hidden": work.hidden,
        "activation": work.activation,
        "optimizer": "adam",
        "learning_rate": work.learning_rate,
        "batch_size": work.batch_size,
        "epochs": work.epochs,
        "patience": work.epochs,
    }
    problem, members = problem_of(arrays_of(work)), members_of([candidate] * population)
    choice = _choice(problem, members)
    began = time.perf_counter()
    training = _train(problem, members, engine)
    whole = time.perf_counter() - began
    losses = [float(member.validation_loss[-1]) for member in training.members]
    seconds = training.train_seconds, training.compile_seconds, sum(losses) / len(losses)
    return ShoalTiming(*seconds, whole, training.engine, *choice)


SHOAL = Peer("shoal", LABEL, ("shoal", "jax"), train, together=True)
ENGINES = {
    name: Peer(name, label, ("shoal", needs), partial(train, engine=name.removeprefix("shoal_")), together=True)
    for name, label, needs in (
        ("shoal_native", "shoal, native engine", KERNEL),
        ("shoal_xla", "shoal, XLA engine", "jax"),
    )
}
NATIVE, XLA = ENGINES
SHOALS = {SHOAL.name: SHOAL, **ENGINES}


def search(name: str, count: int, epochs: int) -> dict[str, Any]:
    """Train a mixed search on a set and return the seconds, the number of programs and the best validation loss."""
    began = time.perf_counter()
    candidates = [{**each, "batch_size": 32, "epochs": epochs, "patience": epochs} for each in draw_candidates(count)]
    training = _train(problem_of(split_set(name)), members_of(candidates))
    best = min(float(min(member.validation_loss)) for member in training.members)
    return {
        "seconds": time.perf_counter() - began,
        "candidates": count,
        "engine": training.engine,
        "programs": training.programs,
        "compile_seconds": training.compile_seconds,
        "validation_loss": best,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", choices=("iris", "breast_cancer", "digits"))
    parser.add_argument("--candidates", type=int, default=1000)
    parser.add_argument("--epochs", type=int, default=100)
    given = parser.parse_args()
    print(json.dumps(search(given.data, given.candidates, given.epochs)))


if __name__ == "__main__":
    main()
