"""A job: the problem that workers train on, as plain data and arrays, so that it travels once to each of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from hashlib import sha256
from typing import Any

import numpy as np

import shoal
from shoal.errors import SettingError
from shoal.networks import Network
from shoal.networks.layers.base import layer_from_dict
from shoal.results import Task
from shoal.training.engines.native.library import best_kernel
from shoal.training.heads import VALUE, ClassesHead, GaussianHead, QuantileHead, head_from_dict
from shoal.training.loss_choice import choose_joint_loss, with_learned_scatter
from shoal.training.losses import Loss, Pinball, get_loss
from shoal.training.problem import Problem

Document = dict[str, Any]
Arrays = dict[str, np.ndarray]
_PLAIN = ("seed", "reconstruct", "known_errors")
_OTHER = {*_PLAIN, "task", "loss", "stem", "network", "start", "penalties", "number_columns", "whole"}
ARRAYS = tuple(field.name for field in fields(Problem) if field.name not in _OTHER)


@dataclass(frozen=True)
class Job:
    """What the lots of one training share.

    Attributes:
        problem: what is learned.
        engine: the name of the engine that trains.
        document: problem and engine as plain data, with the versions of the driver.
        arrays: of the problem.
        key: names the job by its content.
    """

    problem: Problem
    engine: str
    document: Document
    arrays: Arrays
    key: str


def job_of(problem: Problem, engine: str) -> Job:
    """Return a problem and the engine that trains as a job.

    Raises:
        SettingError: the loss or a penalty is a function of the user's, which other processes cannot have.
    """
    if problem.loss.user or problem.penalties:
        raise SettingError(
            "workers cannot train with functions of your own (loss, penalties), which only this process has; leave out "
            "workers and dask"
        )
    arrays = {name: np.asarray(value) for name in ARRAYS if (value := getattr(problem, name)) is not None}
    for number, layer in enumerate(problem.start or ()):
        arrays |= {f"start/{number}/{name}": np.asarray(array) for name, array in layer.items()}
    document = {
        "versions": versions(),
        "engine": engine,
        "task": problem.task.value,
        "loss": {"name": problem.loss.name, "head": problem.loss.head.to_dict()},
        "stem": [layer.to_dict() for layer in problem.stem],
        "network": None if problem.network is None else problem.network.to_dict(),
        "start": None if problem.start is None else len(problem.start),
        "number_columns": [list(pair) for pair in problem.number_columns],
        **{name: getattr(problem, name) for name in _PLAIN},
    }
    return Job(problem, engine, document, arrays, _key(document, arrays))


def job_from_parts(key: str, document: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Job:
    """Return the job that `job_of` made, from its key, document and arrays."""
    start = None
    if document["start"] is not None:
        start = [_part(arrays, f"start/{number}/") for number in range(document["start"])]
    network = document["network"]
    problem = Problem(
        **{name: arrays.get(name) for name in ARRAYS},  # type: ignore[arg-type]
        **{name: document[name] for name in _PLAIN},
        task=Task(document["task"]),
        loss=_loss(document["loss"]),
        stem=tuple(layer_from_dict(layer) for layer in document["stem"]),
        network=None if network is None else Network.from_dict(network),
        start=start,
        number_columns=tuple((at, marker) for at, marker in document["number_columns"]),
    )
    return Job(problem, document["engine"], dict(document), dict(arrays), key)


def versions() -> dict[str, str]:
    """Return what must be the same in driver and workers, and the kernel, which only decides the last digits."""
    kernel = best_kernel()
    return {"shoal": shoal.__version__, "kernel": kernel.name if kernel else "none"}


def _part(arrays: Mapping[str, np.ndarray], start: str) -> Arrays:
    return {name.removeprefix(start): array for name, array in arrays.items() if name.startswith(start)}


def _loss(described: Mapping[str, Any]) -> Loss:
    """Return a loss by its name and what its outputs mean."""
    head = head_from_dict(described["head"])
    if isinstance(head, ClassesHead):
        return choose_joint_loss(head.counts_of_classes, None)
    loss = get_loss(described["name"])
    if isinstance(head, GaussianHead):
        return with_learned_scatter(loss, head.scatter)
    if isinstance(head, QuantileHead):
        return replace(loss, values=Pinball(head.levels), head=head)
    return loss if head == VALUE else replace(loss, head=head)


def _key(document: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> str:
    digest = sha256(json.dumps(document, sort_keys=True).encode())
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(f"{name} {array.dtype} {array.shape}".encode())
        digest.update(array.data if array.size else b"")
    return digest.hexdigest()[:16]
