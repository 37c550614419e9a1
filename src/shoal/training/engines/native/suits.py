"""What the native engine can train."""

from __future__ import annotations

from collections.abc import Sequence

from shoal.networks import Dense
from shoal.training.engines.native.cost import batch_bytes
from shoal.training.engines.native.graphs import UnsuitedError, graph_of
from shoal.training.engines.native.library import best_kernel
from shoal.training.engines.native.members import augments, plainly_dense
from shoal.training.engines.native.records import HEADS, MOST_LEVELS
from shoal.training.heads import MultivariateGaussianHead, QuantileHead
from shoal.training.member import Member
from shoal.training.packing import by_encoding, trained_network
from shoal.training.problem import Problem

MOST_OF_BATCH = 1_000_000_000  # bytes on each core


def unsuited(problem: Problem, members: Sequence[Member]) -> str | None:
    """Return why the native engine cannot train these members, or None if it can."""
    if best_kernel() is None:
        return "its kernel is not there: shoal was installed without a C++ compiler, or in another version"
    if problem.per_step and (problem.y_err is not None or problem.y_noise is not None):
        return "it redraws no targets at the steps of series"
    loss = problem.loss
    if isinstance(loss.head, MultivariateGaussianHead):
        return f"it has no loss {loss.name!r}"
    if isinstance(loss.head, QuantileHead) and len(loss.head.levels) > MOST_LEVELS:
        return f"it knows no more than {MOST_LEVELS} quantiles"
    if loss.user or problem.penalties:
        return "it has no losses and penalties of a user's own"
    activation = problem.output_activation
    if activation not in HEADS and not loss.absorbs(activation):
        return f"its last layer has one of the activations {', '.join(HEADS)}"
    for behind, part in by_encoding(problem, members):
        for member in {id(member.hyperparameters): member for member in part}.values():
            reason = _unsuited_member(behind, member)
            if reason is not None:
                return reason
    return None


def _unsuited_member(problem: Problem, member: Member) -> str | None:
    """Return why the native engine cannot train the network of this member, or None if it can."""
    h = member.hyperparameters
    network = trained_network(problem, member)
    if plainly_dense(problem, member):
        user = any(callable(layer.activation) for layer in network.layers if isinstance(layer, Dense))
        return "it has no activations of a user's own" if user else None
    if problem.per_step and augments(h):
        return "it adds no noise to series with targets at their steps"
    if problem.constants:
        return "behind other layers than dense ones it has no outputs that are the same for every row"
    try:
        graph = graph_of(network, h.dropout)
    except UnsuitedError as error:
        return f"it has no {error}"
    lanes = getattr(best_kernel(), "lanes", 1)
    needed = batch_bytes(graph, min(h.batch_size, len(problem.x)), lanes, lanes)
    return f"its batch normalisation needs {needed / 1e9:.2g} GB for a batch" if needed > MOST_OF_BATCH else None
