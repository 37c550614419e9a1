"""Checkpoints: what has been trained so far, also as plain data and arrays, so that a killed run goes on from there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from shoal.networks import Network
from shoal.networks.named_arrays import named_parameters
from shoal.networks.parameter_vector import ParameterVector, joined
from shoal.results import Status
from shoal.training.engines.base import Chunk
from shoal.training.hyperparameters import Hyperparameters
from shoal.training.member import CURVES, Member, TrainedMember, named_curves
from shoal.training.packing import member_network
from shoal.training.problem import Problem
from shoal.training.seating import Seat


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
    ended = list(checkpoint.finished.values())
    arrays = _ended_to_arrays(ended)
    halfway: dict[str, list[dict[str, int]]] = {}
    for block, half in checkpoint.halfway.items():
        arrays.update({f"state/{block}/{name}": array for name, array in half.state.items()})
        halfway[str(block)] = [_seat_to_parts(place, seat) for place, seat in half.seats.items()]
        for seat in half.seats.values():
            curves = named_curves(seat.curves())
            arrays.update({f"seat/{seat.member.id}/{name}": curve for name, curve in curves.items()})
    return {"finished": [m.member.id for m in ended], "halfway": halfway, "engine": checkpoint.engine}, arrays


def _ended_to_arrays(ended: Sequence[TrainedMember]) -> dict[str, np.ndarray]:
    """Return members in three arrays, however many they are: numbers of each, all parameters, all curves."""
    each = [(int(m.status), m.best_epoch, m.member.half, m.curves.shape[1], m.network.parameter_count) for m in ended]
    numbers = np.asarray(each, np.int32).reshape(-1, 5)
    epochs, counts = numbers[:, 3].cumsum(dtype=int), numbers[:, 4].cumsum(dtype=int)
    parameters = np.empty(numbers[:, 4].sum(dtype=int), np.float32)
    curves = np.empty((5, numbers[:, 3].sum(dtype=int)), np.float32)
    for m, epoch, count in zip(ended, epochs, counts, strict=True):
        vector = joined(m.network, m.parameters)
        parameters[count - len(vector) : count] = vector
        curves[:, epoch - m.curves.shape[1] : epoch] = m.curves
    return {"finished/numbers": numbers, "finished/parameters": parameters, "finished/curves": curves}


def _ended_from_arrays(
    ids: Sequence[int], arrays: dict[str, np.ndarray], problem: Problem, members: dict[int, Member]
) -> Iterator[TrainedMember]:
    """Give the members of those that are known, with views of their parameters and curves."""
    networks: dict[Hyperparameters, Network] = {}  # one for all replicas of a member
    parameters, curves, weight, epoch = arrays["finished/parameters"], arrays["finished/curves"], 0, 0
    each = zip(ids, arrays["finished/numbers"].tolist(), strict=True)
    for identity, (status, best_epoch, half, epochs, count) in each:
        if identity in members:
            member = _stopped_by(members[identity], half)
            network = networks.get(member.hyperparameters) or member_network(problem, member)
            networks[member.hyperparameters] = network
            vector = ParameterVector(network, parameters[weight : weight + count])
            curve = curves[:, epoch : epoch + epochs]
            yield TrainedMember(member, network, vector, Status(status), best_epoch, curve)
        weight, epoch = weight + count, epoch + epochs


def _seat_to_parts(place: int, seat: Seat) -> dict[str, int]:
    numbers = {"epoch": seat.epoch, "best_epoch": seat.best_epoch, "status": int(seat.status), "half": seat.member.half}
    return {"place": place, "id": seat.member.id, **numbers}


def checkpoint_from_parts(
    meta: dict[str, Any], arrays: dict[str, np.ndarray], problem: Problem, members: dict[int, Member]
) -> Checkpoint:
    """Return the checkpoint that `checkpoint_to_parts` described, or that of format 2.

    Args:
        meta: the plain data.
        arrays: the named arrays.
        problem: the same problem as before.
        members: the members of the run by identity; others in the checkpoint belong to another of its trainings and are
            left out.
    """
    checkpoint = Checkpoint(engine=meta.get("engine", ""))
    read = _ended_from_arrays if "finished/numbers" in arrays else _ended_in_format_2
    checkpoint.finished = {ended.member.id: ended for ended in read(meta["finished"], arrays, problem, members)}
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
    return Seat(_stopped_by(members[entry["id"]], entry.get("half", -1)), ((chunk, 0),))


def _stopped_by(member: Member, half: int) -> Member:
    """Return a member, stopped by the half of its rows that stopped it then; an earlier shoal took both."""
    return member if member.half == half else replace(member, half=half)


def _ended_in_format_2(
    finished: Sequence[dict[str, Any]], arrays: dict[str, np.ndarray], problem: Problem, members: dict[int, Member]
) -> Iterator[TrainedMember]:
    """Give the members of a checkpoint that has some arrays for each of them."""
    for entry in (entry for entry in finished if entry["id"] in members):
        member = _stopped_by(members[entry["id"]], entry.get("half", -1))
        network = member_network(problem, member)
        parameters = named_parameters(f"parameters/{member.id}", network, arrays)
        train, validation, halves, metric = (arrays[f"member/{member.id}/{name}"] for name in CURVES)
        curves = np.stack([train, validation, *halves.T, metric])
        yield TrainedMember(member, network, parameters, Status(entry["status"]), entry["best_epoch"], curves)
