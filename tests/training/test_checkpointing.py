"""Checkpoints as plain data and named arrays: what is written is what is read."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np

from shoal.networks.named_arrays import named_arrays
from shoal.results import Status
from shoal.training.checkpointing import Checkpoint, Halfway, checkpoint_from_parts, checkpoint_to_parts
from shoal.training.engines.base import Chunk
from shoal.training.member import CURVES, Member, TrainedMember, initial_parameters
from shoal.training.packing import member_network
from shoal.training.problem import Problem
from shoal.training.seating import Seat

RNG = np.random.default_rng(0)


def trained(problem: Problem, member: Member, status: Status) -> TrainedMember:
    network, epochs = member_network(problem, member), 3 + member.id
    curves = RNG.normal(size=(5, epochs)).astype(np.float32)
    return TrainedMember(member, network, initial_parameters(network, 0, member.id), status, 2, curves)


def chunk(members: int, epochs: int = 2) -> Chunk:
    curves = [RNG.normal(size=(members, epochs)).astype(np.float32) for _ in range(3)]
    halves = RNG.normal(size=(members, epochs, 2)).astype(np.float32)
    whole = [RNG.integers(0, 3, members).astype(np.int32) for _ in range(3)]
    return Chunk(curves[0], curves[1], halves, curves[2], *whole)


def assert_same_member(a: TrainedMember, b: TrainedMember) -> None:
    assert (a.member, a.network, a.status, a.best_epoch) == (b.member, b.network, b.status, b.best_epoch)
    assert np.array_equal(a.curves, b.curves)
    for layer, other in zip(a.parameters, b.parameters, strict=True):
        assert layer.keys() == other.keys()
        assert all(np.array_equal(layer[name], other[name]) for name in layer)


def test_a_checkpoint_survives(problem: Problem, members: Any) -> None:
    each = members({"hidden": (5,)}, {"hidden": (4, 3), "dropout": 0.1}, {"hidden": ()}, {"hidden": (6,)})
    finished = [trained(problem, m, Status.FINISHED if m.id else Status.DIVERGED) for m in each[:3]]
    now = {"status": np.zeros(4, np.int32), "epoch": np.full(4, 3), "best_epoch": np.full(4, 2)}
    seat = Seat(each[3], ((chunk(4), 2), (replace(chunk(4), **now), 2)))
    state = {"00": np.arange(6.0).reshape(2, 3), "01": np.asarray([4])}
    checkpoint = Checkpoint({m.member.id: m for m in finished}, {1: Halfway(state, {2: seat})})
    meta, arrays = checkpoint_to_parts(checkpoint)
    meta = json.loads(json.dumps(meta))
    back = checkpoint_from_parts(meta, arrays, problem, {member.id: member for member in each})

    assert sorted(back.finished) == [0, 1, 2]
    for identity, expected in checkpoint.finished.items():
        assert_same_member(back.finished[identity], expected)
    half = back.halfway[1]
    assert {name: array.tolist() for name, array in half.state.items()} == {
        "00": [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]],
        "01": [4],
    }
    assert list(half.seats) == [2]
    got = half.seats[2]
    assert (got.member, got.epoch, got.best_epoch, got.status) == (each[3], 3, 2, Status.RUNNING)
    assert got.curves().shape == (5, 3)
    assert np.array_equal(got.curves(), seat.curves())


def test_a_checkpoint_of_format_2_is_read(problem: Problem, members: Any) -> None:
    each = members({"hidden": (5,)}, {"hidden": (4, 3)})
    expected = trained(problem, each[1], Status.STOPPED_EARLY)
    arrays = {f"member/1/{name}": getattr(expected, name) for name in CURVES}
    arrays |= named_arrays("parameters/1", expected.parameters)
    entry = {"id": 1, "status": int(expected.status), "best_epoch": 2, "half": -1}
    meta = {"finished": [entry, {**entry, "id": 9}], "halfway": {}, "engine": "native"}
    back = checkpoint_from_parts(meta, arrays, problem, {member.id: member for member in each})
    assert list(back.finished) == [1]
    assert_same_member(back.finished[1], expected)


def test_members_of_another_training_are_left_out(problem: Problem, members: Any) -> None:
    each = members({"hidden": (5,)}, {"hidden": (4, 3)}, {"hidden": ()})
    finished = {m.id: trained(problem, m, Status.FINISHED) for m in each}
    meta, arrays = checkpoint_to_parts(Checkpoint(finished))
    back = checkpoint_from_parts(meta, arrays, problem, {2: each[2]})
    assert list(back.finished) == [2]
    assert_same_member(back.finished[2], finished[2])


def test_an_empty_checkpoint(problem: Problem) -> None:
    meta, arrays = checkpoint_to_parts(Checkpoint())
    back = checkpoint_from_parts(meta, arrays, problem, {})
    assert (back.finished, back.halfway) == ({}, {})
