"""The interface of all who train in a measurement: a name, what must be installed, and one function."""

from __future__ import annotations

import importlib.util
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from work import Work


@dataclass(frozen=True)
class Timing:
    """The seconds of training, those of compiling apart, and the last validation loss, which shows that it learned."""

    seconds: float
    compile_seconds: float
    validation_loss: float


@dataclass(frozen=True)
class Peer:
    """One way to train networks.

    Attributes:
        name: in results files and on the command line.
        label: in the tables.
        needs: modules that must be installed.
        train: trains a population of networks that differ in their seed.
        together: trains many networks at a time; the others train one.
        validates: computes the validation loss after each epoch, as its users do.
    """

    name: str
    label: str
    needs: tuple[str, ...]
    train: Callable[[Work, int], Timing]
    together: bool = False
    validates: bool = True


def missing(needs: tuple[str, ...]) -> str | None:
    """Return why something cannot run here, or None."""
    absent = [name for name in needs if importlib.util.find_spec(name) is None]
    return f"not installed: {', '.join(absent)}" if absent else None


def one_epoch(work: Work) -> Work:
    """Return the work with one epoch, to warm up."""
    return replace(work, epochs=1)


def available_cores() -> int:
    """Return the cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def in_processes(call: Callable[..., Any], warm_up: list[Any], arguments: list[Any]) -> tuple[list[Any], float, float]:
    """Call a function in a process for each core, one thread each; return results, seconds, and those of starting.

    The processes start, and import what they need, with `warm_up`.
    """
    from joblib import Parallel, delayed, parallel_config

    with parallel_config("loky", inner_max_num_threads=1), Parallel(n_jobs=available_cores()) as parallel:
        began = time.perf_counter()
        parallel(delayed(call)(*each) for each in warm_up)
        started = time.perf_counter() - began
        began = time.perf_counter()
        results = list(parallel(delayed(call)(*each) for each in arguments))
        return results, time.perf_counter() - began, started


def time_epochs(run: Callable[[int], float], epochs: int, warm_up: int = 1) -> Timing:
    """Time `run(epochs)`, which returns the validation loss, after epochs that compile what is compiled."""
    began = time.perf_counter()
    run(warm_up)
    first = time.perf_counter() - began
    began = time.perf_counter()
    loss = run(epochs)
    seconds = time.perf_counter() - began
    return Timing(seconds, max(0.0, first - warm_up * seconds / epochs), loss)
