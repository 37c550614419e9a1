"""Checkpoints: what has been trained so far, also as plain data and arrays, so that a killed run goes on from there."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from shoal.networks import Network
from shoal.networks.named_arrays import named_arrays, named_parameters
from shoal.results import Status
from shoal.training.engines.base import Chunk
from shoal.training.hyperparameters import Hyperparameters
from shoal.training.member import Member, TrainedMember
from shoal.training.packing import member_network
from shoal.training.problem import Problem
from shoal.training.seating import CURVES, Seat


@dataclass
class Halfway:
    """A block in the middle of its training: its state as arrays, and who sits where, with the curves so far."""

    state: dict[str, np.ndarray]
    seats: dict[int, Seat]


@dataclass
class Checkpoint:
    """What has been trained so far: finished members by identity, and the blocks in training by their numbers.

    Another engine than the one that is named cannot go on with those in training; it begins them anew.
    """

    finished: dict[int, TrainedMember] = field(default_factory=dict)
    halfway: dict[int, Halfway] = field(default_factory=dict)
    engine: str = ""


def checkpoint_to_parts(checkpoint: Checkpoint) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return a checkpoint as plain data and named arrays."""
    arrays: dict[str, np.ndarray] = {}
    finished = []
    for m in checkpoint.finished.values():
        ended = {"status": int(m.status), "best_epoch": m.best_epoch, "half": m.member.half}
        finished.append({"id": m.member.id, **ended})
        arrays.update({f"member/{m.member.id}/{name}": getattr(m, name) for name in CURVES})
        arrays.update(named_arrays(f"parameters/{m.member.id}", m.parameters))
    halfway: dict[str, list[dict[str, int]]] = {}
    for block, half in checkpoint.halfway.items():
        arrays.update({f"state/{block}/{name}": array for name, array in half.state.items()})
        halfway[str(block)] = [_seat_to_parts(place, seat) for place, seat in half.seats.items()]
        for seat in half.seats.values():
            arrays.update({f"seat/{seat.member.id}/{name}": array for name, array in seat.curves().items()})
    return {"finished": finished, "halfway": halfway, "engine": checkpoint.engine}, arrays


def _seat_to_parts(place: int, seat: Seat) -> dict[str, int]:
    numbers = {"epoch": seat.epoch, "best_epoch": seat.best_epoch, "status": int(seat.status), "half": seat.member.half}
    return {"place": place, "id": seat.member.id, **numbers}


def checkpoint_from_parts(
    meta: dict[str, Any], arrays: dict[str, np.ndarray], problem: Problem, members: dict[int, Member]
) -> Checkpoint:
    """Return the checkpoint that `checkpoint_to_parts` described.

    Args:
        meta: the plain data.
        arrays: the named arrays.
        problem: the same problem as before.
        members: the members of the run by identity; others in the checkpoint belong to another of its trainings and are
            left out.
    """
    checkpoint = Checkpoint(engine=meta.get("engine", ""))
    networks: dict[Hyperparameters, Network] = {}  # one for all replicas of a member
    for entry in meta["finished"]:
        if entry["id"] not in members:
            continue
        checkpoint.finished[entry["id"]] = _member(entry, arrays, problem, members, networks)
    for block, seats in meta["halfway"].items():
        if any(entry["id"] not in members for entry in seats):
            continue
        start = f"state/{block}/"
        state = {key.removeprefix(start): array for key, array in arrays.items() if key.startswith(start)}
        each = {entry["place"]: _seat(entry, arrays, members) for entry in seats}
        checkpoint.halfway[int(block)] = Halfway(state, each)
    return checkpoint


def _seat(entry: dict[str, Any], arrays: dict[str, np.ndarray], members: dict[int, Member]) -> Seat:
    curves = {name: arrays[f"seat/{entry['id']}/{name}"][None] for name in CURVES}
    ends = {name: np.asarray([entry[name]]) for name in ("status", "epoch", "best_epoch")}
    chunk = Chunk(**curves, **ends)
    return Seat(_stopped_so(entry, members), ((chunk, 0),))


def _stopped_so(entry: dict[str, Any], members: dict[int, Member]) -> Member:
    """Return the member, stopped by the half of its rows that stopped it then; an earlier shoal took both."""
    return replace(members[entry["id"]], half=entry.get("half", -1))


def _member(
    entry: dict[str, Any],
    arrays: dict[str, np.ndarray],
    problem: Problem,
    members: dict[int, Member],
    networks: dict[Hyperparameters, Network],
) -> TrainedMember:
    member = _stopped_so(entry, members)
    network = networks.get(member.hyperparameters) or member_network(problem, member)
    networks[member.hyperparameters] = network
    parameters = named_parameters(f"parameters/{member.id}", network, arrays)
    curves: dict[str, Any] = {name: arrays[f"member/{member.id}/{name}"] for name in CURVES}
    return TrainedMember(member, network, parameters, Status(entry["status"]), entry["best_epoch"], **curves)
