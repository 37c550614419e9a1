"""`torch.func`: an ensemble as one vmapped network; its members share each batch.

One backward pass through the vmapped loss was faster here than `vmap(grad(...))`, and stacked parameters let one
fused Adam serve all members.
"""

from __future__ import annotations

import copy
from typing import Any

from work import Work

from peers.base import Peer, Timing
from peers.torch_common import Rows, epochs_of, network, time_best_threads


def train(work: Work, population: int) -> Timing:
    """Train a population together."""
    import torch
    from torch.func import functional_call, stack_module_state, vmap

    rows = Rows(work)
    members = [network(work, rows, seed) for seed in range(population)]
    stacked, _ = stack_module_state(members)
    base = copy.deepcopy(members[0]).to("meta")
    adam = torch.optim.Adam(list(stacked.values()), lr=work.learning_rate, fused=True)

    def loss(parameters: Any, x: Any, y: Any) -> Any:
        return torch.nn.functional.cross_entropy(functional_call(base, parameters, (x,)), y)

    losses = vmap(loss, in_dims=(0, None, None))

    def step(x: Any, y: Any) -> None:
        adam.zero_grad()
        losses(stacked, x, y).sum().backward()
        adam.step()

    def validate() -> Any:
        return losses(stacked, *rows.validation).mean()

    return time_best_threads(epochs_of(work, rows, step, validate), work.epochs)


VMAP = Peer("torch_vmap", "torch.func vmap", ("torch",), train, together=True)
