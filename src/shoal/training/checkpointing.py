"""Checkpoints as plain data and named arrays, so that a killed run goes on where it was."""

from __future__ import annotations

from typing import Any

import numpy as np

from shoal.results import Status
from shoal.training.engines.base import Chunk
from shoal.training.member import Member, Problem, TrainedMember
from shoal.training.packing import member_network
from shoal.training.trainer import Checkpoint

_CURVES = ("train_loss", "validation_loss", "half_losses", "validation_metric")
_CHUNK = (*_CURVES, "status", "epoch", "best_epoch")


def checkpoint_to_parts(checkpoint: Checkpoint) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return a checkpoint as plain data and named arrays."""
    arrays: dict[str, np.ndarray] = {}
    finished: dict[str, list[dict[str, Any]]] = {}
    for block, members in checkpoint.finished.items():
        finished[str(block)] = [
            {"id": m.member.id, "status": int(m.status), "best_epoch": m.best_epoch} for m in members
        ]
        for m in members:
            for name in _CURVES:
                arrays[f"member/{m.member.id}/{name}"] = getattr(m, name)
            for i, layer in enumerate(m.parameters):
                for name, array in layer.items():
                    arrays[f"parameters/{m.member.id}/{i}/{name}"] = array
    for block, state in checkpoint.states.items():
        arrays.update({f"state/{block}/{name}": array for name, array in state.items()})
        for i, chunk in enumerate(checkpoint.curves[block]):
            arrays.update({f"chunk/{block}/{i:06d}/{name}": getattr(chunk, name) for name in _CHUNK})
    return {"finished": finished, "ids": {str(block): ids for block, ids in checkpoint.ids.items()}}, arrays


def checkpoint_from_parts(
    meta: dict[str, Any],
    arrays: dict[str, np.ndarray],
    problem: Problem,
    members: dict[int, Member],
) -> Checkpoint:
    """Return the checkpoint that `checkpoint_to_parts` described.

    Args:
        meta: the plain data.
        arrays: the named arrays.
        problem: the same problem as before.
        members: the members of the run by identity.
    """
    checkpoint = Checkpoint(ids={int(block): ids for block, ids in meta["ids"].items()})
    for block, entries in meta["finished"].items():
        checkpoint.finished[int(block)] = [_member(entry, arrays, problem, members) for entry in entries]
    chunks: dict[int, dict[str, dict[str, np.ndarray]]] = {}
    for key, array in arrays.items():
        kind, owner, *rest = key.split("/")
        if kind == "state":
            checkpoint.states.setdefault(int(owner), {})[rest[0]] = array
        elif kind == "chunk":
            chunks.setdefault(int(owner), {}).setdefault(rest[0], {})[rest[1]] = array
    for number, parts in chunks.items():
        checkpoint.curves[number] = [Chunk(**parts[i]) for i in sorted(parts)]
    return checkpoint


def _member(
    entry: dict[str, Any],
    arrays: dict[str, np.ndarray],
    problem: Problem,
    members: dict[int, Member],
) -> TrainedMember:
    member = members[entry["id"]]
    network = member_network(problem, member)
    parameters = [
        {name: arrays[f"parameters/{member.id}/{i}/{name}"] for name in shapes}
        for i, shapes in enumerate(network.parameter_shapes)
    ]
    curves: dict[str, Any] = {name: arrays[f"member/{member.id}/{name}"] for name in _CURVES}
    return TrainedMember(member, network, parameters, Status(entry["status"]), entry["best_epoch"], **curves)
