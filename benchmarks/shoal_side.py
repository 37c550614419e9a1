"""All that the benchmarks use of shoal's rooms: training a population, and a search in a process of its own.

python benchmarks/shoal_side.py digits --candidates 1000
"""

from __future__ import annotations

import argparse
import json
import time
from functools import partial
from typing import Any

from candidates import draw_candidates
from peers.base import Peer, Timing
from work import Arrays, Work, arrays_of, split_set

LABEL = "shoal"


def _problem(rows: Arrays) -> Any:
    from shoal.results import Task
    from shoal.training.problem import choose_loss, make_problem

    task = Task.CLASSIFICATION
    parts = (rows.x, rows.y, None), (rows.validation_x, rows.validation_y, None)
    return make_problem(task, choose_loss(task, rows.classes, None), *parts, classes=rows.classes)


def _train(rows: Arrays, candidates: list[dict[str, Any]], engine: str = "auto") -> Any:
    from shoal.training.choice import choose_engine
    from shoal.training.hyperparameters import Hyperparameters
    from shoal.training.member import Member
    from shoal.training.planner import find_budget
    from shoal.training.trainer import train

    known = {tuple(each.items()): Hyperparameters.model_validate(each) for each in candidates}
    members = [Member(i, known[tuple(each.items())]) for i, each in enumerate(candidates)]
    problem = _problem(rows)
    return train(problem, members, choose_engine(problem, members, engine, find_budget()).make())


def train(work: Work, population: int, engine: str = "auto") -> Timing:
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
    training = _train(arrays_of(work), [candidate] * population, engine)
    losses = [float(member.validation_loss[-1]) for member in training.members]
    return Timing(training.train_seconds, training.compile_seconds, sum(losses) / len(losses))


SHOAL = Peer("shoal", LABEL, ("shoal", "jax"), train, together=True)
ENGINES = {
    name: Peer(name, label, ("shoal", "jax"), partial(train, engine=name.removeprefix("shoal_")), together=True)
    for name, label in (("shoal_native", "shoal, native engine"), ("shoal_xla", "shoal, XLA engine"))
}


def search(name: str, count: int, epochs: int) -> dict[str, Any]:
    """Train a mixed search on a set and return the seconds, the number of programs and the best validation loss."""
    began = time.perf_counter()
    candidates = [{**each, "batch_size": 32, "epochs": epochs, "patience": epochs} for each in draw_candidates(count)]
    training = _train(split_set(name), candidates)
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
