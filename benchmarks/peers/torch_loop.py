"""A plain PyTorch loop: one network at a time, or a share of the networks in a process for each core."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from work import Work

from peers.base import Peer, Timing, available_cores, in_processes, one_epoch
from peers.torch_common import Rows, epochs_of, network, time_best_threads


def loop(work: Work, rows: Rows, seed: int, compiled: Callable[[Any], Any] | None = None) -> Callable[[int], float]:
    """Return a function that trains one network for so many epochs."""
    import torch

    model = network(work, rows, seed)
    adam = torch.optim.Adam(model.parameters(), lr=work.learning_rate, fused=True)
    cross_entropy = torch.nn.functional.cross_entropy
    called = model if compiled is None else compiled(model)

    def step(x: Any, y: Any) -> None:
        adam.zero_grad()
        cross_entropy(called(x), y).backward()
        adam.step()

    x, y = rows.validation
    return epochs_of(work, rows, step, lambda: cross_entropy(called(x), y))


def train(work: Work, population: int, *, channels_last: bool = False) -> Timing:
    """Train one network."""
    assert population == 1
    return time_best_threads(loop(work, Rows(work, channels_last=channels_last), seed=0), work.epochs)


def _train_one(work: Work, seed: int, channels_last: bool) -> float:
    return loop(work, Rows(work, threads=1, channels_last=channels_last), seed)(work.epochs)


def train_in_processes(work: Work, population: int, *, channels_last: bool = False) -> Timing:
    """Train networks one after the other in a process for each core; starting the processes counts as compiling."""
    warm_up = [(one_epoch(work), seed, channels_last) for seed in range(available_cores())]
    each = [(work, seed, channels_last) for seed in range(population)]
    losses, seconds, started = in_processes(_train_one, warm_up, each)
    return Timing(seconds, started, float(losses[0]))


LOOP = Peer("torch_loop", "PyTorch loop", ("torch",), train)
PROCESSES = Peer("torch_processes", "PyTorch loop in joblib", ("torch", "joblib"), train_in_processes, together=True)
CHANNELS_LAST = (
    Peer("torch_channels_last", "PyTorch loop, channels last", ("torch",), partial(train, channels_last=True)),
    Peer(
        "torch_channels_last_processes",
        "PyTorch loop, channels last, in joblib",
        ("torch", "joblib"),
        partial(train_in_processes, channels_last=True),
        together=True,
    ),
)
