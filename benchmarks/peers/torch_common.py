"""The training step in PyTorch that its peers share: rows in tensors, fused Adam, no copies in the loop."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from work import Arrays, Work, arrays_of

from peers.base import Timing, available_cores


class Rows:
    """The rows of a work as tensors."""

    def __init__(self, work: Work, threads: int | None = None) -> None:
        import torch

        torch.set_num_threads(threads or available_cores())
        arrays: Arrays = arrays_of(work)
        self.x, self.y = torch.from_numpy(arrays.x), torch.from_numpy(arrays.y)
        self.validation = torch.from_numpy(arrays.validation_x), torch.from_numpy(arrays.validation_y)
        self.classes = arrays.classes


def network(work: Work, rows: Rows, seed: int) -> Any:
    """Return one network; its last layer gives logits, as the loss wants them."""
    import torch

    torch.manual_seed(seed)
    activation = {"relu": torch.nn.ReLU, "tanh": torch.nn.Tanh}[work.activation]
    layers: list[Any] = []
    inputs = rows.x.shape[1]
    for units in work.hidden:
        layers += [torch.nn.Linear(inputs, units), activation()]
        inputs = units
    return torch.nn.Sequential(*layers, torch.nn.Linear(inputs, rows.classes))


def epochs_of(
    work: Work, rows: Rows, step: Callable[[Any, Any], Any], validate: Callable[[], Any]
) -> Callable[[int], float]:
    """Return a function that trains so many epochs and returns the last validation loss."""
    import torch

    def run(epochs: int) -> float:
        loss = 0.0
        for _ in range(epochs):
            for batch in torch.randperm(len(rows.x)).split(work.batch_size):
                step(rows.x[batch], rows.y[batch])
            with torch.no_grad():
                loss = float(validate())
        return loss

    return run


def time_best_threads(run: Callable[[int], float], epochs: int) -> Timing:
    """Time training with one thread or one a core, whichever is faster in a trial: small steps lose by sharing."""
    import torch

    first, trials = _seconds(run), {}
    for threads in (1, available_cores()):
        torch.set_num_threads(threads)
        trials[threads] = _seconds(run)
    torch.set_num_threads(min(trials, key=lambda threads: trials[threads]))
    began = time.perf_counter()
    loss = run(epochs)
    seconds = time.perf_counter() - began
    return Timing(seconds, max(0.0, first - seconds / epochs), loss)


def _seconds(run: Callable[[int], float]) -> float:
    began = time.perf_counter()
    run(1)
    return time.perf_counter() - began
