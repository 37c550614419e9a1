"""What the native engine can train."""

from __future__ import annotations

from collections.abc import Sequence

from shoal.networks import Dense, Dropout, Network
from shoal.training.engines.native.library import best_kernel
from shoal.training.engines.native.records import HEADS, MOST_LEVELS
from shoal.training.heads import MultivariateGaussianHead, QuantileHead
from shoal.training.member import Member
from shoal.training.problem import Problem


def unsuited(problem: Problem, members: Sequence[Member]) -> str | None:
    """Return why the native engine cannot train these members, or None if it can."""
    if best_kernel() is None:
        return "its kernel was not built when shoal was installed, for want of a C++ compiler"
    if len(problem.input_shape) > 1 or problem.stem or problem.reconstruct or problem.per_step:
        return "it trains dense networks on tables, not on images or series"
    loss = problem.loss
    if isinstance(loss.head, MultivariateGaussianHead):
        return f"it has no loss {loss.name!r}"
    if isinstance(loss.head, QuantileHead) and len(loss.head.levels) > MOST_LEVELS:
        return f"it knows no more than {MOST_LEVELS} quantiles"
    if loss.user or problem.penalties:
        return "it has no losses and penalties of a user's own"
    if problem.network is not None:
        return _unsuited_network(problem, problem.network)
    for h in {id(member.hyperparameters): member.hyperparameters for member in members}.values():
        if h.layers:
            return f"it has dense layers only, not {h.layers!r}"
    return None


def _unsuited_network(problem: Problem, network: Network) -> str | None:
    """Return why the native engine cannot train this network, or None if it can."""
    dense = [layer for layer in network.layers if isinstance(layer, Dense)]
    rates = [layer.rate for layer in network.layers if isinstance(layer, Dropout)]
    behind_each = [kind for _ in dense[1:] for kind in (Dense, Dropout)] + [Dense]
    if [type(layer) for layer in network.layers] not in (behind_each, [Dense] * len(dense)) or len(set(rates)) > 1:
        return "it has dense layers only, with the same dropout behind each hidden one or none"
    if not all(layer.use_bias and layer.trainable for layer in dense):
        return "it has no layers without biases or with trainable=False"
    if any(callable(layer.activation) for layer in dense):
        return "it has no activations of a user's own"
    activation = problem.output_activation
    if activation not in HEADS and not problem.loss.absorbs(activation):
        return f"its last layer has one of the activations {', '.join(HEADS)}"
    return None
