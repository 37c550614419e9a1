"""The same loop with its network compiled by `torch.compile`; gradients are compiled with it.

Shapes are fixed, and two epochs warm up: the network is compiled once for a batch and once for the validation rows.
"""

from __future__ import annotations

from typing import Any

from work import Work

from peers.base import Peer, Timing, time_epochs
from peers.torch_common import Rows
from peers.torch_loop import loop


def train(work: Work, population: int) -> Timing:
    """Train one network."""
    assert population == 1
    import torch

    def compiled(model: Any) -> Any:
        return torch.compile(model, dynamic=False)

    return time_epochs(loop(work, Rows(work), seed=0, compiled=compiled), work.epochs, warm_up=2)


COMPILED = Peer("torch_compile", "torch.compile", ("torch",), train)
