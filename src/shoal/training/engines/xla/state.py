"""The state of a block between two chunks: of places in which nobody trains, and of members at their start."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from shoal.results import Status
from shoal.training.engines.xla.storage import Flat
from shoal.training.member import Member
from shoal.training.optimizers import SECOND_STARTS_AT, Slots


class BlockState(NamedTuple):
    """A block between two chunks; every array has the member axis where the layout puts it, parameters are in parts."""

    parameters: Any
    slots: Slots
    best: Any
    best_loss: Any
    best_epoch: Any
    epoch: Any
    steps: Any
    status: Any


def idle_state(places: int, storage: Flat) -> BlockState:
    """Return the state of places in which nobody trains, the places first."""
    zeros = storage.parts(np.zeros((places, storage.size), np.float32))
    ints = np.zeros(places, np.int32)
    slots = Slots(zeros, zeros, np.ones(places, np.float32))
    never = np.full(places, np.inf, np.float32)
    status = np.full(places, Status.FINISHED, np.int32)
    return BlockState(zeros, slots, zeros, never, best_epoch=ints, epoch=ints, steps=ints, status=status)


def starting_state(members: Sequence[Member], vectors: np.ndarray, storage: Flat) -> BlockState:
    """Return the state of members that have not trained, the members first."""
    state, parameters = idle_state(len(members), storage), storage.parts(vectors)
    starts = [SECOND_STARTS_AT.get(member.hyperparameters.optimizer, 0.0) for member in members]
    second = storage.parts(np.zeros_like(vectors) + np.asarray(starts, np.float32)[:, None])
    running = np.full(len(members), Status.RUNNING, np.int32)
    slots = state.slots._replace(second=second)
    return state._replace(parameters=parameters, best=parameters, slots=slots, status=running)
