"""The choice of a loss: what the user asked for, or what suits the task."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from shoal.errors import SettingError
from shoal.results import Task
from shoal.training.heads import ClassesHead, GaussianHead, QuantileHead
from shoal.training.losses import LOSSES, Crossentropies, Loss, Pinball, get_loss


def choose_loss(
    task: Task, classes: int, loss: str | Callable[..., Any] | None, scatter: str | None = None, coverage: float = 0.95
) -> Loss:
    """Return the loss that the user asked for, or the one that suits the task.

    Without a wish: the mean squared error for numbers and reconstructions, the cross-entropy for classes (binary for
    two). A `scatter` that is to be learned, as a `constant` or a `function` of the inputs, makes it `gaussian_nll`; the
    outermost quantiles of `pinball` have the share `coverage` between them.

    Raises:
        SettingError: the loss does not suit the task, or learns no scatter.
    """
    if scatter in ("constant", "function"):
        chosen = get_loss("gaussian_nll" if loss is None else loss)
        if not isinstance(chosen.head, GaussianHead):
            raise SettingError(f"scatter {scatter!r} is learned by the loss gaussian_nll, not by {chosen.name}")
        check_loss_suits(chosen, task)
        return with_learned_scatter(chosen, scatter)
    if loss is None:
        if task is not Task.CLASSIFICATION:
            return get_loss("mse")
        return get_loss("binary_crossentropy" if classes == 2 else "categorical_crossentropy")
    chosen = get_loss(loss)
    check_loss_suits(chosen, task)
    if scatter == "zero" and isinstance(chosen.head, GaussianHead):
        raise SettingError("gaussian_nll learns a scatter; with scatter zero leave out loss, or use mse")
    return with_levels(chosen, coverage) if isinstance(chosen.head, QuantileHead) else chosen


def choose_joint_loss(counts_of_classes: Sequence[int], loss: str | Callable[..., Any] | None) -> Loss:
    """Return the sum of the cross-entropies of several targets.

    Args:
        counts_of_classes: how many classes each target has.
        loss: that the user asked for.

    Raises:
        SettingError: another loss was asked for.
    """
    if loss is not None and not get_loss(loss).name.endswith("_crossentropy"):
        raise SettingError(
            "several targets of classes are learned by the sum of their cross-entropies, not by "
            f"{get_loss(loss).name}; leave out loss, or fit each target by itself"
        )
    head = ClassesHead(tuple(counts_of_classes))
    return Loss("crossentropies", Crossentropies(head), (Task.CLASSIFICATION,), head=head)


def check_loss_suits(loss: Loss, task: Task) -> None:
    """Raise a SettingError if the loss cannot serve the task."""
    if task not in loss.tasks:
        good = ", ".join(name for name, other in LOSSES.items() if task in other.tasks)
        raise SettingError(f"loss {loss.name!r} does not suit {task}; choose one of {good}")


def with_learned_scatter(loss: Loss, scatter: str) -> Loss:
    """Return the Gaussian loss with a scatter that is a `function` of the inputs, or a `constant`."""
    return replace(loss, head=GaussianHead(scatter))


def with_levels(loss: Loss, coverage: float) -> Loss:
    """Return the pinball loss whose outermost quantiles leave so much between them."""
    head = QuantileHead.covering(coverage)
    return replace(loss, values=Pinball(head.levels), head=head)
