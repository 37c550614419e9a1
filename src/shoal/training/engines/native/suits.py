"""What the native engine can train."""

from __future__ import annotations

from collections.abc import Sequence

from shoal.training.engines.native.library import best_kernel
from shoal.training.engines.native.records import MOST_LEVELS
from shoal.training.heads import VALUE, MultivariateGaussianHead, QuantileHead
from shoal.training.losses import LOSSES
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
    if (loss.head == VALUE and loss is not LOSSES.get(loss.name)) or problem.penalties:
        return "it has no losses and penalties of a user's own"
    for h in {id(member.hyperparameters): member.hyperparameters for member in members}.values():
        if h.layers:
            return f"it has dense layers only, not {h.layers!r}"
    return None
