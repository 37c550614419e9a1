"""The training step in PyTorch that its peers share: rows in tensors, fused Adam, no copies in the loop."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from layers import layers_of, width_behind
from work import Arrays, Work, arrays_of

from peers.base import Timing, available_cores


class Rows:
    """The rows of a work as tensors; images in the format that PyTorch has by default, or with channels last."""

    def __init__(self, work: Work, threads: int | None = None, *, channels_last: bool = False) -> None:
        import torch

        torch.set_num_threads(threads or available_cores())
        arrays: Arrays = arrays_of(work)
        self.format = torch.channels_last if channels_last else torch.contiguous_format
        self.x, self.y = self._features(arrays.x), torch.from_numpy(arrays.y)
        self.validation = self._features(arrays.validation_x), torch.from_numpy(arrays.validation_y)
        self.classes = arrays.classes

    def _features(self, x: Any) -> Any:
        import torch

        tensor = torch.from_numpy(x)
        return tensor.permute(0, 3, 1, 2).contiguous(memory_format=self.format) if tensor.ndim == 4 else tensor


def network(work: Work, rows: Rows, seed: int) -> Any:
    """Return one network; its last layer gives logits, as the loss wants them."""
    import torch

    torch.manual_seed(seed)
    activation = {"relu": torch.nn.ReLU, "tanh": torch.nn.Tanh}[work.activation]
    layers = _before(work, activation)
    inputs = width_behind(work.layers, tuple(work.shape or rows.x.shape[1:]))
    for units in work.hidden:
        layers += [torch.nn.Linear(inputs, units), activation()]
        inputs = units
    return torch.nn.Sequential(*layers, torch.nn.Linear(inputs, rows.classes)).to(memory_format=rows.format)


def _before(work: Work, activation: Any) -> list[Any]:
    """Return the layers before the dense ones."""
    import torch

    class LastState(torch.nn.LSTM):
        def forward(self, x: Any) -> Any:
            return super().forward(x)[1][0][-1]

    layers: list[Any] = []
    for layer in layers_of(work.layers, work.shape):
        if layer.kind == "conv2d":
            layers += [torch.nn.Conv2d(layer.before[-1], *layer.numbers), activation()]
        elif layer.kind == "maxpooling2d":
            layers.append(torch.nn.MaxPool2d(*layer.numbers))
        else:
            layers.append(LastState(layer.before[-1], *layer.numbers, batch_first=True))
    return [*layers, torch.nn.Flatten()] if layers else []


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
